"""A package's reference case runs through the real stages."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.model_package.importing import import_onnx
from engine.model_package.loading import load_package
from engine.self_test import record_reference_case, run_reference_case
from engine.values.model import SegmentationPackage
from engine.values.segmentation import TUMOR_LABEL
from tests.phantoms.boxes import abdomen
from tests.phantoms.graphs import write_threshold_graph
from tests.phantoms.packages import DRAFT, write_threshold_package

REFERENCE = '\n[reference]\nfile = "reference/case.npz"\ndescription = "boxes"\n'


@pytest.fixture
def package(tmp_path: Path) -> SegmentationPackage:
    """A package with a reference case, made as a packager makes it."""
    first = load_package(write_threshold_package(tmp_path / "first"), search_paths=())
    source = tmp_path / "source"
    volume = abdomen((4.0, 3.0, 3.0))
    record_reference_case(first, volume.voxels_hu, volume.geometry, source / "reference/case.npz")
    (source / "draft.toml").write_text(DRAFT + REFERENCE)
    for path in first.folder.glob("*.onnx"):
        path.rename(source / path.name)
    folder = import_onnx(source, source / "draft.toml", tmp_path / "models")
    return load_package(folder, search_paths=())


def test_the_same_networks_agree_with_themselves(package: SegmentationPackage) -> None:
    report = run_reference_case(package, device="cpu", threads=1)
    assert report.passed
    assert [(a.name, a.dice) for a in report.agreements] == [("liver", 1.0), ("tumor", 1.0)]
    assert report.agreements[0].expected_ml == pytest.approx(80 * 75 * 90 / 1000, rel=0.05)
    assert report.device.execution_provider == "CPUExecutionProvider"


def test_the_stored_case_holds_liver_and_tumor(package: SegmentationPackage) -> None:
    with np.load(package.folder / "reference" / "case.npz") as stored:
        assert (stored["labels"] == TUMOR_LABEL).any()
        assert stored["voxels_hu"].dtype == np.int16


def test_networks_that_give_other_masks_fail(package: SegmentationPackage) -> None:
    """A threshold of 199.5 HU in place of 150.5 HU shrinks the tumor by its blurred rim."""
    write_threshold_graph(package.folder / "segmenter.onnx", (60.5, 199.5))
    report = run_reference_case(package, device="cpu", threads=1)
    assert not report.passed
    assert [a.passed for a in report.agreements] == [True, False]


def test_a_package_without_reference_case_says_so(tmp_path: Path) -> None:
    package = load_package(write_threshold_package(tmp_path), search_paths=())
    with pytest.raises(ModelPackageError, match="has no reference case"):
        run_reference_case(package, device="cpu")


def test_a_reference_file_that_is_gone_is_named(package: SegmentationPackage) -> None:
    (package.folder / "reference" / "case.npz").unlink()
    with pytest.raises(ModelPackageError, match=r"case\.npz"):
        run_reference_case(replace(package), device="cpu")
