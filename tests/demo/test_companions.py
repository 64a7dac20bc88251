"""Localizer and dose page."""

import numpy as np

from engine.demo.anatomy import Phantom
from engine.demo.companions import dose_page, draw_dose_page, localizer_image
from engine.demo.headers import study_header
from engine.demo.rendering import render_phase
from engine.values.identity import ContrastPhase


def test_the_dose_page_shows_a_line_per_phase() -> None:
    page = draw_dose_page()
    written = (page > 100).any(axis=1)
    assert np.count_nonzero(np.diff(written.astype(int)) == 1) >= 6


def test_the_dose_page_is_no_ct_image() -> None:
    image = dose_page(study_header("x"), "x", draw_dose_page())
    assert image.SOPClassUID.name == "Secondary Capture Image Storage"
    assert "FrameOfReferenceUID" not in image


def test_the_localizer_shows_the_patient_from_the_front_head_up(phantom: Phantom) -> None:
    voxels = render_phase(phantom, ContrastPhase.NON_CONTRAST, np.random.default_rng(0))
    image = localizer_image(study_header("x"), "x", voxels, phantom.geometry)
    shown = image.pixel_array.astype(float)
    assert shown.shape == (60, 88)
    assert shown[:, 44].mean() > 1.1 * shown[:, 20].mean()
    assert shown[3, 24:34].mean() < shown[30, 24:34].mean()
    assert image.ImageOrientationPatient == [1, 0, 0, 0, 0, -1]
