"""Pictures are shown as radiologists read them, in every acquisition."""

from dataclasses import replace

import numpy as np
import pytest

from engine.reporting.key_images import (
    choose_window,
    direction_letters,
    lesion_close_up,
    lesion_scenes,
    liver_scenes,
    open_viewer,
)
from engine.values.identity import ContrastPhase
from tests.phantoms.analysis_result import cached_result
from tests.phantoms.report_patient import ORIENTATIONS

LETTERS = {
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "H", "F"),
    "sagittal": ("A", "P", "H", "F"),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_patient_s_right_is_on_the_left_in_every_acquisition(orientation: str) -> None:
    result = cached_result(orientation)
    viewer = open_viewer(result.reference, result.findings)
    scenes = lesion_scenes(viewer, result.findings.lesions[0])
    assert {scene.plane for scene in scenes} == set(LETTERS)
    for scene in scenes:
        assert scene.letters == LETTERS[scene.plane]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_liver_lies_left_in_axial_pictures_and_the_spine_below(orientation: str) -> None:
    """Pixels, not letters: the liver is the patient's right organ."""
    result = cached_result(orientation)
    viewer = open_viewer(result.reference, result.findings)
    (axial,) = [s for s in liver_scenes(viewer) if s.plane == "axial"]
    liver = max((o for o in axial.outlines if not o.is_lesion), key=lambda o: len(o.points))
    rows, columns = axial.gray.shape
    assert liver.points[:, 0].mean() < columns / 2
    spine_rows, _ = np.nonzero(axial.gray == 255)
    assert np.median(spine_rows) > rows / 2


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_diameters_keep_their_length_in_the_picture(orientation: str) -> None:
    result = cached_result(orientation)
    viewer = open_viewer(result.reference, result.findings)
    lesion = result.findings.lesions[0]
    scene = lesion_close_up(viewer, lesion)
    assert scene.acquired
    for line, diameter in zip(scene.lines, (lesion.long_axis, lesion.short_axis), strict=True):
        step = np.subtract(line.end, line.start) * (scene.column_mm, scene.row_mm)
        assert np.linalg.norm(step) == pytest.approx(diameter.length_mm, abs=0.01)
        assert line.label == f"{diameter.length_mm:.1f} mm"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_diameters_end_on_the_outline_of_their_lesion(orientation: str) -> None:
    """Centers of border pixels lie half a pixel inside the outline."""
    result = cached_result(orientation)
    viewer = open_viewer(result.reference, result.findings)
    scene = lesion_close_up(viewer, result.findings.lesions[0])
    border = np.concatenate([o.points for o in scene.outlines if o.is_lesion])
    for end in (scene.lines[0].start, scene.lines[0].end):
        assert np.linalg.norm(border - np.array(end), axis=1).min() < 1.0


def test_a_window_fits_its_phase() -> None:
    assert choose_window(ContrastPhase.NON_CONTRAST).center_hu == 50
    assert choose_window(ContrastPhase.PORTAL_VENOUS).width_hu == 350


def test_a_window_maps_its_edges_to_black_and_white() -> None:
    window = choose_window(ContrastPhase.PORTAL_VENOUS)
    hu = np.array([-1024, -85, 90, 265, 3071], np.int16)
    assert window.apply(hu).tolist() == [0, 0, 127, 255, 255]


@pytest.mark.parametrize(
    ("direction", "letters"),
    [((1, 0, 0), "L"), ((0, -1, 0), "A"), ((0.8, -0.6, 0), "LA"), ((0.1, 0.2, -0.97), "F")],
)
def test_directions_have_their_letters(direction: tuple[float, float, float], letters: str) -> None:
    assert direction_letters(direction) == letters


def test_the_scanner_s_table_is_cut_off() -> None:
    result = cached_result()
    hu = result.reference.voxels_hu.copy()
    hu[:, -3, :] = 0
    table = replace(result.reference, voxels_hu=hu)
    with_table = liver_scenes(open_viewer(table, result.findings))[0]
    without = liver_scenes(open_viewer(result.reference, result.findings))[0]
    assert with_table.gray.shape == without.gray.shape


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_close_up_is_centered_on_its_lesion(orientation: str) -> None:
    result = cached_result(orientation)
    viewer = open_viewer(result.reference, result.findings)
    for lesion in result.findings.lesions:
        scene = lesion_close_up(viewer, lesion)
        middle = np.mean([scene.lines[0].start, scene.lines[0].end], axis=0)
        rows, columns = scene.gray.shape
        assert middle == pytest.approx([columns / 2, rows / 2], abs=1.0)
        assert min(scene.size_mm) >= 45
        assert scene.letters == lesion_scenes(viewer, lesion)[0].letters


def test_an_organ_cut_by_the_picture_s_edge_has_no_outline_along_it() -> None:
    result = cached_result()
    viewer = open_viewer(result.reference, result.findings)
    scene = lesion_close_up(viewer, result.findings.lesions[1])
    rows, columns = scene.gray.shape
    for outline in scene.outlines:
        x, y = outline.points.T
        on_edge = (np.abs(x) < 0.6) | (np.abs(y) < 0.6)
        on_edge |= (np.abs(x - columns) < 0.6) | (np.abs(y - rows) < 0.6)
        assert on_edge.sum() <= 8


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_caption_names_the_image_that_is_shown(orientation: str) -> None:
    """The instance number is read back from the header of the lesion's own source image."""
    result = cached_result(orientation)
    viewer = open_viewer(result.reference, result.findings)
    numbers = {str(h.SOPInstanceUID): h.InstanceNumber for h in result.reference.headers}
    for lesion in result.findings.lesions:
        scene = lesion_close_up(viewer, lesion)
        place, shown = scene.caption
        if scene.acquired:
            assert place.endswith(f"series 4, image {numbers[lesion.source.sop_instance_uid]}")
        assert shown == "portal venous, W 350 L 90 HU"
