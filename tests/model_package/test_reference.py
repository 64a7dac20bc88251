"""Reference cases: their file and their tolerance."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.model_package.manifest import ReferenceCase
from engine.model_package.reference import (
    ReferenceVolume,
    compare,
    read_reference,
    write_reference,
)

CASE = ReferenceCase(
    file="reference/case.npz", description="", minimum_dice=0.9, volume_tolerance=0.1
)


def labels(liver: int, tumor: int) -> np.ndarray:
    row = np.zeros(100, np.uint8)
    row[:liver] = 1
    row[:tumor] = 2
    return row.reshape(1, 10, 10)


def test_a_case_survives_its_file(tmp_path: Path) -> None:
    voxels = np.arange(-50, 50, dtype=np.int16).reshape(1, 10, 10)
    path = tmp_path / "reference" / "case.npz"
    write_reference(
        path, ReferenceVolume(voxels_hu=voxels, labels=labels(20, 5), spacing_mm=(5.0, 1.5, 0.7))
    )
    stored = read_reference(path)
    assert np.array_equal(stored.voxels_hu, voxels)
    assert np.array_equal(stored.labels, labels(20, 5))
    assert stored.geometry.spacing.as_tuple() == (5.0, 1.5, 0.7)


def test_dice_and_volume_are_those_of_the_definition() -> None:
    liver, tumor = compare(labels(20, 10), labels(30, 10), voxel_ml=0.5, case=CASE)
    assert (liver.name, liver.expected_ml, liver.found_ml) == ("liver", 10.0, 15.0)
    assert liver.dice == pytest.approx(2 * 20 / 50)
    assert not liver.passed
    assert (tumor.name, tumor.dice, tumor.passed) == ("tumor", 1.0, True)


@pytest.mark.parametrize(("found", "passed"), [(20, True), (22, True), (23, False), (18, True)])
def test_the_volume_tolerance_is_relative_to_the_stored_volume(found: int, passed: bool) -> None:
    assert compare(labels(20, 0), labels(found, 0), voxel_ml=1.0, case=CASE)[0].passed is passed


def test_an_absent_tumor_that_stays_absent_agrees_and_a_new_one_does_not() -> None:
    assert compare(labels(20, 0), labels(20, 0), voxel_ml=1.0, case=CASE)[1].passed
    assert not compare(labels(20, 0), labels(20, 1), voxel_ml=1.0, case=CASE)[1].passed


@pytest.mark.parametrize(
    "arrays",
    [
        {"voxels_hu": np.zeros((2, 2, 2), np.int16)},
        {
            "voxels_hu": np.zeros((2, 2, 2), np.float32),
            "labels": np.zeros((2, 2, 2), np.uint8),
            "spacing_mm": np.ones(3),
        },
        {
            "voxels_hu": np.zeros((2, 2, 2), np.int16),
            "labels": np.zeros((2, 2, 3), np.uint8),
            "spacing_mm": np.ones(3),
        },
        {
            "voxels_hu": np.array([{"a": 1}], dtype=object),
            "labels": np.zeros((2, 2, 2), np.uint8),
            "spacing_mm": np.ones(3),
        },
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "case.npz", **arrays)
    with pytest.raises(ModelPackageError, match=r"case\.npz"):
        read_reference(tmp_path / "case.npz")


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "case.npz").write_bytes(b"PK\x03\x04 but no more")
    with pytest.raises(ModelPackageError, match=r"case\.npz"):
        read_reference(tmp_path / "case.npz")
