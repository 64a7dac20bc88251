"""Slices of one series part ways where they cannot share a volume."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from engine.series.grouping import Grouping, group_series
from engine.series.input import scan_study
from tests.phantoms.dicom_series import (
    SeriesPlan,
    ct_series,
    enhanced_ct,
    gradient_hu,
    merge,
    uid,
    write_series,
)

PLAN = SeriesPlan()


def _group(folder: Path, *series: list[Dataset]) -> Grouping:
    return group_series(scan_study(write_series(merge(*series), folder)))


def _as_one_series(*series: list[Dataset]) -> list[Dataset]:
    """Give all the first one's Series Instance UID, instances stay apart."""
    joined = merge(*series)
    for dataset in joined:
        dataset.SeriesInstanceUID = joined[0].SeriesInstanceUID
    return joined


def test_a_group_knows_its_extent(tmp_path: Path) -> None:
    (group,) = _group(tmp_path, ct_series(gradient_hu())).groups
    assert (group.slice_count, group.slice_spacing_mm, group.coverage_mm) == (12, 2.5, 30.0)
    assert list(group.heights_mm) == sorted(group.heights_mm)


def test_two_phases_in_one_series_are_split_by_acquisition_number(tmp_path: Path) -> None:
    series = _as_one_series(
        ct_series(gradient_hu(), PLAN),
        ct_series(
            gradient_hu(seed=1), replace(PLAN, series="2", attributes={"AcquisitionNumber": 7})
        ),
    )
    groups = _group(tmp_path, series).groups
    assert [(g.part, g.slice_count) for g in groups] == [
        ("AcquisitionNumber 1", 12),
        ("AcquisitionNumber 7", 12),
    ]


def test_an_acquisition_number_per_slice_does_not_split(tmp_path: Path) -> None:
    """Step-and-shoot scanners count every rotation."""
    datasets = ct_series(gradient_hu())
    for number, dataset in enumerate(datasets):
        dataset.AcquisitionNumber = number
    (group,) = _group(tmp_path, datasets).groups
    assert group.slice_count == 12


def test_two_kernels_in_one_series_are_split(tmp_path: Path) -> None:
    sharp = replace(PLAN, series="2", attributes={"ConvolutionKernel": "B70f"})
    series = _as_one_series(ct_series(gradient_hu()), ct_series(gradient_hu(), sharp))
    assert len(_group(tmp_path, series).groups) == 2


def test_temporal_positions_of_a_multi_frame_are_split(tmp_path: Path) -> None:
    dataset = enhanced_ct(gradient_hu(12))
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        twin = dataset.PerFrameFunctionalGroupsSequence[index % 6]
        frame.PlanePositionSequence = twin.PlanePositionSequence
        frame.FrameContentSequence[0].TemporalPositionIndex = 1 + index // 6
    groups = _group(tmp_path, [dataset]).groups
    assert [g.slice_count for g in groups] == [6, 6]


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, series="2", column_direction=(0, 1, 0), row_direction=(0, 0, -1)),
        replace(PLAN, series="2", spacing_mm=(2.5, 0.9, 0.9)),
        replace(PLAN, series="2", attributes={"FrameOfReferenceUID": "1.2.3"}),
    ],
    ids=["orientation", "pixel spacing", "frame of reference"],
)
def test_another_geometry_is_another_group(tmp_path: Path, other: SeriesPlan) -> None:
    series = _as_one_series(ct_series(gradient_hu()), ct_series(gradient_hu(), other))
    groups = _group(tmp_path, series).groups
    assert [g.part for g in groups] == ["geometry 1 of 2", "geometry 2 of 2"]


def test_a_localizer_inside_a_series_is_left_out(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(13))
    datasets[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    (group,) = _group(tmp_path, datasets).groups
    assert group.slice_count == 12
    assert group.notes == ("1 images left out: localizer",)


def test_a_reformation_is_refused_when_its_original_is_there(tmp_path: Path) -> None:
    mpr = replace(PLAN, series="mpr", attributes={"ImageType": ["DERIVED", "SECONDARY", "MPR"]})
    grouping = _group(tmp_path, ct_series(gradient_hu()), ct_series(gradient_hu(), mpr))
    assert [g.series.series_instance_uid for g in grouping.groups] == [uid(PLAN.study, PLAN.series)]
    assert grouping.refusals[0].reason == "multiplanar reformation of a series that is in the study"


def test_a_reformation_alone_is_kept(tmp_path: Path) -> None:
    mpr = replace(PLAN, attributes={"ImageType": ["DERIVED", "SECONDARY", "MPR"]})
    assert len(_group(tmp_path, ct_series(gradient_hu(), mpr)).groups) == 1


def test_one_image_without_a_place_refuses_its_series(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    del datasets[5].ImagePositionPatient
    (refusal,) = _group(tmp_path, datasets).refusals
    assert refusal.reason == "image 6 of 12: ImagePositionPatient is missing"
