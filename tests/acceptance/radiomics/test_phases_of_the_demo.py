"""Phases of the demo patient: planted breathing is found, planted washout comes back (issue 4).

The study is written as DICOM with the breathing of ``PHASE_SCANS``; the truth is the same
phantom rendered without breathing and measured under the true masks.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from engine.demo.acquisition import PHASE_SCANS, Grid
from engine.demo.anatomy import build_phantom
from engine.demo.parameters import DEMO_PARAMETERS
from engine.demo.rendering import render_phase
from engine.demo.study import write_demo_study
from engine.errors import RegistrationError
from engine.lesions import measure_drawn
from engine.pipeline.features import Extraction, extract_all
from engine.pipeline.opening import AnalysisSettings
from engine.pipeline.phases import AlignedPhase, align_phases
from engine.series.input import scan_study
from engine.series.readable import read_reference
from engine.spatial.registration import register_phase
from engine.values.identity import ContrastPhase
from engine.values.model import InputCriteria
from engine.values.progress import silent
from engine.values.volume import Volume

GRID = Grid(shape=(80, 192, 192), spacing_mm=(3.0, 2.0, 2.0))


@dataclass(frozen=True)
class Measured:
    """The study after registration and extraction, and what is true."""

    reference: Volume
    phases: tuple[AlignedPhase, ...]
    extraction: Extraction
    true_hu: dict[tuple[int, ContrastPhase], float]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("phases") / "study"
    study = write_demo_study(folder, DEMO_PARAMETERS, GRID, silent)
    selection, volume = read_reference(scan_study(study.dicom_folder), InputCriteria(), silent)
    truth = study.truth
    assert truth.geometry.is_close(volume.geometry)
    labels = truth.lesion_labels.astype(np.uint8)
    uids = [f"2.25.{n}" for n in range(1, int(labels.max()) + 1)]
    findings = measure_drawn(volume, truth.liver.copy(), labels, uids)
    phases = align_phases(selection.phases, volume, truth.liver, silent)
    phantom = build_phantom(DEMO_PARAMETERS, GRID.shape, GRID.spacing_mm)
    true_hu = {}
    for scan in PHASE_SCANS:
        rng = np.random.default_rng([DEMO_PARAMETERS.seed, scan.series_number])
        voxels = render_phase(phantom, scan.phase, rng)
        for lesion in range(1, 5):
            true_hu[lesion, scan.phase] = float(voxels[labels == lesion].mean())
    settings = AnalysisSettings(whole_liver=True)
    extraction = extract_all(volume, phases, findings, settings, silent)
    return Measured(volume, phases, extraction, true_hu)


def _dynamics(measured: Measured, lesion: int) -> dict[str, float]:
    for features in measured.extraction.features:
        first = features.features[0]
        if features.region == f"lesion {lesion}" and first.family == "Phase dynamics":
            return {f.name: f.value for f in features.features}
    raise AssertionError("no dynamics")


def test_every_phase_is_registered_and_says_how_well(measured: Measured) -> None:
    """The planted shift is largest in the front of the abdomen and none at the spine."""
    planted = {scan.phase: abs(scan.breathing_mm) for scan in PHASE_SCANS}
    assert len(measured.phases) == 3
    for phase in measured.phases:
        found = phase.registration
        assert found.refusal == ""
        assert found.edge_correlation > found.edge_correlation_before
        assert found.largest_shift_mm == pytest.approx(planted[found.phase], abs=1.2)
        assert found.least_jacobian > 0.7


def test_washout_of_the_lesions_agrees_with_the_planted_truth(measured: Measured) -> None:
    """Under true masks; the largest lesions, where noise of the mean is below 1 HU."""
    for lesion in (1, 2, 3):
        hu = {
            phase: measured.true_hu[lesion, phase] for phase in ContrastPhase if phase != "unknown"
        }
        arterial, delayed = hu[ContrastPhase.LATE_ARTERIAL], hu[ContrastPhase.DELAYED]
        before = hu[ContrastPhase.NON_CONTRAST]
        found = _dynamics(measured, lesion)
        assert found["Enhancement, late arterial"] == pytest.approx(arterial - before, abs=3)
        relative = (arterial - delayed) / arterial
        assert found["Relative washout, delayed"] == pytest.approx(relative, abs=0.03)
        absolute = (arterial - delayed) / (arterial - before)
        assert found["Absolute washout, delayed"] == pytest.approx(absolute, abs=0.05)


def test_a_planted_breath_of_8_mm_is_undone(measured: Measured) -> None:
    """Means under the true masks: 6 to 14 HU off before, within 4 HU after."""
    phantom = build_phantom(DEMO_PARAMETERS, GRID.shape, GRID.spacing_mm)
    phase = ContrastPhase.LATE_ARTERIAL
    voxels = render_phase(phantom, phase, np.random.default_rng(5), breathing_mm=8.0)
    grid = measured.reference.geometry
    found = register_phase((measured.reference.voxels_hu, grid), (voxels, grid), phantom.liver)
    assert found.quality.largest_shift_mm == pytest.approx(8, abs=1.5)
    assert found.quality.edge_correlation > found.quality.edge_correlation_before + 0.2
    before, after = [], []
    for lesion in range(1, 5):
        mask = phantom.lesion_labels == lesion
        true = measured.true_hu[lesion, phase]
        before.append(abs(float(voxels[mask].mean()) - true))
        after.append(abs(float(found.voxels_hu[mask[found.box]].mean()) - true))
    assert max(after) < 4
    assert np.mean(after) < np.mean(before) / 3


def test_lesion_ring_liver_and_patient_are_described_in_every_phase(measured: Measured) -> None:
    regions = {(f.region, f.phase) for f in measured.extraction.features}
    named = [f"lesion {n}" for n in range(1, 5)]
    named += [f"{name} ring 10 mm" for name in named]
    named += ["liver", "patient, largest lesion", "patient, volume-weighted mean", "patient, sum"]
    for scan in PHASE_SCANS:
        for name in (*named, "patient, maximum"):
            assert (name, scan.phase) in regions
    assert measured.extraction.refusals == ()


def test_a_refused_phase_is_named_with_its_reason_and_number(measured: Measured) -> None:
    """Noise is no phase of this patient."""
    noise = np.random.default_rng(3).normal(40, 60, GRID.shape).astype(np.int16)
    reference = (measured.reference.voxels_hu, measured.reference.geometry)
    liver = np.zeros(GRID.shape, bool)
    liver[20:60, 60:130, 40:120] = True
    with pytest.raises(RegistrationError, match="edge correlation") as refusal:
        register_phase(reference, (noise, measured.reference.geometry), liver)
    assert refusal.value.edge_correlation is not None
    assert refusal.value.edge_correlation < 0.4
