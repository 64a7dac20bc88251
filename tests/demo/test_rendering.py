"""Hounsfield units, enhancement and noise of the rendered phases."""

import dataclasses

import numpy as np
import pytest
from SimpleITK import BinaryErode, GetArrayFromImage, GetImageFromArray

from engine.demo.anatomy import Phantom
from engine.demo.rendering import noise_power, render_phase, scanner_noise
from engine.demo.tissues import ATTENUATION, Tissue
from engine.values.identity import ContrastPhase

PHASES = [phase for phase in ContrastPhase if phase is not ContrastPhase.UNKNOWN]


@pytest.fixture(scope="module")
def images(phantom: Phantom) -> dict[ContrastPhase, np.ndarray]:
    return {phase: render_phase(phantom, phase, np.random.default_rng(3)) for phase in PHASES}


def core(mask: np.ndarray) -> np.ndarray:
    """The mask without its surface, where other tissues mix in."""
    image = BinaryErode(GetImageFromArray(mask.astype(np.uint8)), [1, 1, 1])
    return GetArrayFromImage(image).astype(bool)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("tissue", [Tissue.LIVER, Tissue.SPLEEN, Tissue.AORTA, Tissue.LUNG])
def test_organs_have_the_attenuation_of_their_phase(
    phantom: Phantom, images: dict, phase: ContrastPhase, tissue: Tissue
) -> None:
    measured = np.median(images[phase][core(phantom.labels == tissue)])
    assert measured == pytest.approx(ATTENUATION[tissue].mean_hu(phase), abs=8)


def test_lesions_enhance_early_and_wash_out(phantom: Phantom, images: dict) -> None:
    liver = core(phantom.labels == Tissue.LIVER)
    for lesion in phantom.lesions:
        if lesion.design.necrosis or lesion.design.diameter_mm < 20:
            continue  # mixed tissue, or nothing left of it without its surface
        tumor = core(phantom.lesion_labels == lesion.number)
        contrast = {p: images[p][tumor].mean() - images[p][liver].mean() for p in PHASES}
        assert contrast[ContrastPhase.LATE_ARTERIAL] > 20
        assert contrast[ContrastPhase.PORTAL_VENOUS] < -20
        assert contrast[ContrastPhase.DELAYED] < -10


def test_a_necrotic_core_never_enhances(phantom: Phantom, images: dict) -> None:
    lesion = next(item for item in phantom.lesions if item.design.necrosis)
    center = phantom.geometry.to_index(np.array(lesion.center_mm)).round().astype(int)
    around = tuple(slice(c - 1, c + 2) for c in center)
    for phase in PHASES:
        assert images[phase][around].mean() == pytest.approx(21, abs=15)


def test_the_same_seed_renders_the_same_image(phantom: Phantom, images: dict) -> None:
    again = render_phase(phantom, ContrastPhase.DELAYED, np.random.default_rng(3))
    assert np.array_equal(again, images[ContrastPhase.DELAYED])


def test_breathing_moves_the_liver_along_z_and_leaves_the_spine(phantom: Phantom) -> None:
    quiet = dataclasses.replace(
        phantom, parameters=dataclasses.replace(phantom.parameters, noise_sd_hu=0.0)
    )
    phase = ContrastPhase.NON_CONTRAST
    still = render_phase(quiet, phase, np.random.default_rng(0))
    moved = render_phase(quiet, phase, np.random.default_rng(0), breathing_mm=8.0)
    front = phantom.liver[:, 20:40].any(axis=0).nonzero()
    shifted = np.abs(moved[2:, 20:40].astype(int) - still[:-2, 20:40])[:, front[0], front[1]]
    unshifted = np.abs(moved.astype(int) - still)[:, 20:40][:, front[0], front[1]]
    assert shifted.mean() < 0.5 * unshifted.mean()
    assert np.abs(moved[:, 66:].astype(int) - still[:, 66:]).mean() < 2


def test_an_unknown_phase_cannot_be_rendered(phantom: Phantom) -> None:
    with pytest.raises(KeyError):
        render_phase(phantom, ContrastPhase.UNKNOWN, np.random.default_rng(0))


def test_noise_on_a_fine_grid_has_the_asked_deviation() -> None:
    noise = scanner_noise(np.random.default_rng(1), (9, 128, 128), (1.5, 0.6, 0.6), 12.0)
    assert noise.std() == pytest.approx(12.0, rel=0.03)
    assert abs(noise.mean()) < 0.5


def test_the_noise_power_spectrum_is_a_band_pass() -> None:
    noise = scanner_noise(np.random.default_rng(1), (40, 128, 128), (1.5, 0.7, 0.7), 12.0)
    power = (np.abs(np.fft.fft2(noise)) ** 2).mean(axis=0)
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(128, 0.7)] * 2))
    bands = [power[(radius > low) & (radius < low + 0.05)].mean() for low in (0.0, 0.2, 0.6)]
    assert bands[1] > 3 * bands[0]
    assert bands[1] > 3 * bands[2]
    assert noise_power(np.array([0.0, 0.8])).tolist() == [0.0, 0.0]


def test_neighboring_slices_share_some_noise() -> None:
    noise = scanner_noise(np.random.default_rng(1), (40, 64, 64), (1.5, 0.7, 0.7), 12.0)
    next_but_one = np.corrcoef(noise[:-2].ravel(), noise[2:].ravel())[0, 1]
    assert 0.2 < np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1] < 0.45
    assert abs(next_but_one) < 0.05


def test_a_coarse_grid_and_thick_slices_are_less_noisy() -> None:
    deviations = [
        scanner_noise(np.random.default_rng(1), (9, 64, 64), spacing, 12.0).std()
        for spacing in ((1.5, 0.7, 0.7), (1.5, 1.5, 1.5), (5.0, 1.5, 1.5))
    ]
    assert deviations[0] > deviations[1] > deviations[2]
