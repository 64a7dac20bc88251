"""From a volume to masks on its own grid, with networks whose answer is known."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from engine.errors import ModelPackageError, NoLiverError
from engine.inference.networks import open_networks
from engine.inference.session import Session
from engine.segmentation.cascade import locate_liver, segment
from engine.values.model import SegmentationPackage
from engine.values.segmentation import TUMOR_LABEL, Segmentation
from engine.values.volume import Volume
from tests.phantoms.boxes import LIVER_HU, TUMOR_HU, abdomen, reoriented, volume_of
from tests.phantoms.graphs import write_threshold_graph
from tests.phantoms.packages import segmentation_package, threshold_spec

LIVER_FROM_HU, TUMOR_FROM_HU = 65.0, 155.0
VESSEL_ML = 8 * 6 * 6 / 1000
CRUMB_ML = 2 * 3 * 3 / 1000


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> SegmentationPackage:
    folder = tmp_path_factory.mktemp("package")
    write_threshold_graph(folder / "localizer.onnx", (LIVER_FROM_HU,), steepness=0.5)
    write_threshold_graph(folder / "segmenter.onnx", (LIVER_FROM_HU, TUMOR_FROM_HU), steepness=0.5)
    networks = (
        threshold_spec("localizer", overlap=0.25),
        threshold_spec("segmenter", channels=(0, 1, 2), patch=(64, 64, 64), overlap=0.25),
    )
    return segmentation_package(folder, networks)


@pytest.fixture(scope="module")
def sessions(package: SegmentationPackage) -> dict[str, Session]:
    return open_networks(package, device="cpu", threads=1)


def liver_box_of(volume: Volume) -> np.ndarray:
    """Truth: the box of the liver and everything inside it."""
    box = np.zeros(volume.geometry.shape, bool)
    s, r, c = volume.geometry.spacing.as_tuple()
    box[
        round(30 / s) : round(110 / s),
        round(30 / r) : round(105 / r),
        round(24 / c) : round(114 / c),
    ] = True
    return box


def tumor_ml_of(volume: Volume) -> float:
    """Truth: the bright voxels without the crumb, which lies above 90 mm."""
    below_crumb = volume.voxels_hu[: round(90 / volume.geometry.spacing.slice_mm)]
    return float((below_crumb >= TUMOR_HU).sum() * volume.geometry.spacing.voxel_ml)


def volumes_ml(result: Segmentation) -> tuple[float, float]:
    voxel_ml = result.geometry.spacing.voxel_ml
    return (
        float(result.liver.sum() * voxel_ml),
        float((result.labels == TUMOR_LABEL).sum() * voxel_ml),
    )


def test_on_the_networks_grid_the_mask_is_the_threshold(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    """Filled vessel, no second organ, no crumb below 0.1 mL; else thresholding, exactly."""
    volume = abdomen((2.0, 1.5, 1.5))
    result = segment(volume, package, sessions)
    liver = liver_box_of(volume)
    assert np.array_equal(result.liver, liver)
    tumor = volume.voxels_hu >= TUMOR_HU
    tumor[round(90 / 2) :] = False
    assert np.array_equal(result.labels == TUMOR_LABEL, tumor)
    assert result.tumor_probability[tumor].min() == 255


@pytest.mark.parametrize(
    "spacing_mm", [(1.0, 0.75, 0.75), (2.5, 0.9, 0.9), (1.25, 1.5, 0.6), (5.0, 0.75, 0.75)]
)
def test_on_any_other_grid_the_surface_is_off_by_less_than_a_network_voxel(
    spacing_mm: tuple[float, float, float],
    package: SegmentationPackage,
    sessions: dict[str, Session],
) -> None:
    volume = abdomen(spacing_mm)
    result = segment(volume, package, sessions)
    truth = liver_box_of(volume)
    wrong_ml = float((result.liver != truth).sum() * volume.geometry.spacing.voxel_ml)
    surface_mm2 = 2 * (80 * 75 + 80 * 90 + 75 * 90)
    assert wrong_ml < surface_mm2 * 0.5 / 1000
    assert volumes_ml(result)[1] == pytest.approx(tumor_ml_of(volume), rel=0.1)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("flips", [(), (0,), (1, 2), (0, 1, 2)])
def test_any_orientation_gives_the_same_masks(
    axes: tuple[int, int, int],
    flips: tuple[int, ...],
    package: SegmentationPackage,
    sessions: dict[str, Session],
) -> None:
    volume = abdomen((2.5, 1.7, 1.3))
    expected = segment(volume, package, sessions)
    turned = reoriented(volume, axes, flips)
    found = segment(turned, package, sessions)
    back = np.flip(found.labels, flips).transpose(np.argsort(axes))
    assert np.array_equal(back, expected.labels)
    assert found.geometry == turned.geometry


def test_without_localizer_the_whole_volume_is_segmented(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    volume = abdomen()
    alone = segmentation_package(package.folder, package.networks[1:])
    result = segment(volume, alone, {"segmenter": sessions["segmenter"]})
    assert np.array_equal(result.labels, segment(volume, package, sessions).labels)


def test_the_localizer_box_holds_the_liver_and_its_margin(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    volume = abdomen((2.0, 1.5, 1.5))
    region = locate_liver(
        volume.voxels_hu,
        volume.geometry,
        package.networks[0],
        sessions["localizer"],
        lambda _fraction: None,
    )
    box_mm = np.array([region.start, region.stop]) * volume.geometry.spacing.as_tuple()
    expected = np.array([[30 - 20, 30 - 20, 24 - 20], [110 + 20, 105 + 20, 114 + 20]])
    np.testing.assert_allclose(box_mm, expected, atol=4.0)


def test_a_volume_without_liver_is_refused(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    volume = abdomen()
    emptied = volume_of(np.minimum(volume.voxels_hu, 40).astype(np.int16), volume.geometry)
    with pytest.raises(NoLiverError, match="localizer sees 0 mL of liver, at least 100 mL"):
        segment(emptied, package, sessions)


def test_a_scrap_of_liver_is_refused(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    volume = abdomen()
    voxels = np.where(volume.voxels_hu >= LIVER_HU, 40, volume.voxels_hu).astype(np.int16)
    voxels[40:60, 30:50, 30:50] = LIVER_HU
    with pytest.raises(NoLiverError, match="at least 100 mL"):
        segment(volume_of(voxels, volume.geometry), package, sessions)


def test_a_scan_of_air_is_refused(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    volume = abdomen()
    air = volume_of(np.full_like(volume.voxels_hu, -1000), volume.geometry)
    with pytest.raises(NoLiverError):
        segment(air, package, sessions)


def test_a_session_that_was_not_opened_is_named(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    with pytest.raises(ModelPackageError, match=r"opened: \['segmenter'\]"):
        segment(abdomen(), package, {"segmenter": sessions["segmenter"]})


def test_progress_rises_to_one_and_may_cancel(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    seen: list[float] = []
    segment(abdomen(), package, sessions, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def cancel(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        segment(abdomen(), package, sessions, cancel)


def test_the_tumor_threshold_of_the_package_decides(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    volume = abdomen()
    strict = segmentation_package(package.folder, package.networks, tumor_threshold=1.1)
    assert volumes_ml(segment(volume, strict, sessions))[1] == 0.0
    all_sizes = segmentation_package(package.folder, package.networks, minimum_lesion_ml=0.0)
    difference = (
        volumes_ml(segment(volume, all_sizes, sessions))[1]
        - (volumes_ml(segment(volume, package, sessions))[1])
    )
    assert difference == pytest.approx(CRUMB_ML, rel=0.01)


def test_a_slightly_oblique_scan_is_segmented_on_its_own_axes(
    package: SegmentationPackage, sessions: dict[str, Session]
) -> None:
    """Turned by 10 degrees about the patient's long axis, no axis order fits better."""
    volume = abdomen((2.5, 1.7, 1.3))
    cos, sin = float(np.cos(np.radians(10))), float(np.sin(np.radians(10)))
    oblique = replace(
        volume.geometry, column_direction=(cos, sin, 0.0), row_direction=(-sin, cos, 0.0)
    )
    found = segment(volume_of(volume.voxels_hu, oblique), package, sessions)
    assert np.array_equal(found.labels, segment(volume, package, sessions).labels)
    assert found.geometry == oblique
