"""The written DICOM study."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from engine.demo import study as study_module
from engine.demo.acquisition import PHASE_SCANS, Grid
from engine.demo.self_check import check_analysis
from engine.demo.study import DemoStudy, write_demo_study
from engine.demo.truth import load_truth
from engine.errors import OutputError
from engine.values.geometry import VolumeGeometry, VoxelSpacing

TINY = Grid(shape=(3, 24, 24), spacing_mm=(16.0, 16.0, 16.0))
PHASE_NUMBERS = [scan.series_number for scan in PHASE_SCANS]


@pytest.fixture(scope="module")
def images(study: DemoStudy) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(study.dicom_folder.rglob("*.dcm"))]


def series(images: list[pydicom.Dataset], number: int) -> list[pydicom.Dataset]:
    return [image for image in images if image.SeriesNumber == number]


def test_four_phases_a_localizer_and_a_dose_page_are_written(
    study: DemoStudy, images: list[pydicom.Dataset]
) -> None:
    assert len(images) == study.instances == 4 * 12 + 2
    assert [len(series(images, n)) for n in (1, *PHASE_NUMBERS, 501)] == [1, 12, 12, 12, 12, 1]
    assert series(images, 1)[0].ImageType[2] == "LOCALIZER"


def test_every_object_is_valid_dicom(
    study: DemoStudy, dciodvfy_errors: Callable[[Path], list[str]]
) -> None:
    """First and last image of every series, judged by dicom3tools."""
    for folder in sorted(study.dicom_folder.iterdir()):
        files = sorted(folder.iterdir())
        assert [error for path in {files[0], files[-1]} for error in dciodvfy_errors(path)] == []


def test_one_study_one_patient_and_no_uid_twice(images: list[pydicom.Dataset]) -> None:
    assert len({(i.StudyInstanceUID, i.PatientID, str(i.PatientName)) for i in images}) == 1
    assert images[0].PatientName == "HepatoCast^Phantom"
    assert images[0].PatientID.startswith("PHANTOM-")
    assert len({image.SOPInstanceUID for image in images}) == len(images)
    assert len({image.SeriesInstanceUID for image in images}) == 6


def test_phases_follow_each_other_in_time_and_only_later_ones_are_enhanced(
    images: list[pydicom.Dataset],
) -> None:
    first = [series(images, n)[0] for n in PHASE_NUMBERS]
    assert [i.AcquisitionTime for i in first] == sorted(i.AcquisitionTime for i in first)
    assert ["ContrastBolusAgent" in i for i in first] == [False, True, True, True]
    assert all(i.AcquisitionTime > i.ContrastBolusStartTime for i in first[1:])


def test_the_first_image_is_nearest_to_the_head(images: list[pydicom.Dataset]) -> None:
    heights = [float(i.ImagePositionPatient[2]) for i in series(images, 4)]
    assert np.diff(heights) == pytest.approx(-8.0)


def stacked(images: list[pydicom.Dataset]) -> tuple[np.ndarray, VolumeGeometry]:
    """HU and grid of the portal venous series, straight from the files, head first."""
    portal = series(images, 4)
    voxels = np.stack([i.pixel_array * float(i.RescaleSlope) + i.RescaleIntercept for i in portal])
    geometry = VolumeGeometry(
        shape=voxels.shape,
        spacing=VoxelSpacing(slice_mm=8.0, row_mm=8.0, column_mm=8.0),
        origin_mm=tuple(map(float, portal[0].ImagePositionPatient)),
        slice_direction=(0.0, 0.0, -1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
        frame_of_reference_uid=portal[0].FrameOfReferenceUID,
    )
    return voxels, geometry


def test_the_truth_lies_on_the_liver_of_the_files(
    study: DemoStudy, images: list[pydicom.Dataset]
) -> None:
    """Masks made from the files' own positions pass; what they cover is liver."""
    voxels, geometry = stacked(images)
    truth = load_truth(study.truth_file)
    result = check_analysis(truth, truth.liver[::-1], truth.lesion_labels[::-1], geometry)
    assert result.liver_dice == 1.0
    parenchyma = truth.liver[::-1] & (truth.lesion_labels[::-1] == 0)
    assert np.median(voxels[parenchyma]) == pytest.approx(112, abs=8)


def test_the_truth_names_the_portal_venous_series(
    study: DemoStudy, images: list[pydicom.Dataset]
) -> None:
    assert study.truth.series_instance_uid == series(images, 4)[0].SeriesInstanceUID


def test_air_is_air_and_nothing_wraps_around(images: list[pydicom.Dataset]) -> None:
    voxels, _ = stacked(images)
    assert voxels.min() >= -1024
    assert np.percentile(voxels, 5) == pytest.approx(-1000, abs=10)


def test_progress_rises_from_nothing_to_everything(
    written: tuple[DemoStudy, list[tuple[float, str]]],
) -> None:
    fractions = [fraction for fraction, _ in written[1]]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_writing_twice_gives_the_same_bytes_and_replaces_the_first(tmp_path: Path) -> None:
    first = write_demo_study(tmp_path / "study", grid=TINY)
    before = {p.name + p.parent.name: p.read_bytes() for p in first.folder.rglob("*.dcm")}
    (first.dicom_folder / "stray.dcm").write_bytes(b"")
    second = write_demo_study(tmp_path / "study", grid=TINY)
    after = {p.name + p.parent.name: p.read_bytes() for p in second.folder.rglob("*.dcm")}
    assert before == after
    assert [p.name for p in tmp_path.iterdir()] == ["study"]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="no demo study"):
        write_demo_study(tmp_path, grid=TINY)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_disk_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(study_module, "save_truth", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_demo_study(tmp_path / "study", grid=TINY)
    assert list(tmp_path.iterdir()) == []
