"""The SEG object is decoded independently, and refused where it does not belong."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from engine.reporting.composition import compose_reports
from engine.reporting.writing import publish
from pydicom import dcmread
from tests.phantoms.analysis_result import SEGMENTS, make_result, make_volume
from tests.phantoms.recorded_result import COARSE_MM, write_recorded_result


@pytest.fixture
def folder(stand: SimpleNamespace, tmp_path: Path) -> Path:
    return write_recorded_result(tmp_path / "result", "axial")


def test_labels_are_the_masks_that_were_written(folder: Path) -> None:
    from HepatoCastLib.unpacking import unpack_segmentation

    unpack_segmentation(folder)
    _, liver, lesions = make_volume("axial", pixel_mm=COARSE_MM)
    labels = np.load(folder / "labels.npy")
    assert np.array_equal(labels > 0, liver)
    assert np.array_equal(np.where(labels > 1, labels - 1, 0), lesions)


def test_a_liver_without_lesions_is_read(stand: SimpleNamespace, tmp_path: Path) -> None:
    """With one segment, highdicom names it once for all frames."""
    from HepatoCastLib.unpacking import unpack_segmentation

    healthy = make_result("axial", lesions=(), pixel_mm=COARSE_MM)
    publish(compose_reports(healthy, SEGMENTS), tmp_path / "healthy")
    unpack_segmentation(tmp_path / "healthy")
    labels = np.load(tmp_path / "healthy" / "labels.npy")
    assert np.array_equal(labels, healthy.findings.liver)


def test_another_frame_of_reference_is_refused(folder: Path) -> None:
    from HepatoCastLib.unpacking import SegmentationMismatchError, unpack_segmentation

    seg = dcmread(folder / "seg.dcm")
    seg.FrameOfReferenceUID = "1.2.3"
    seg.save_as(folder / "seg.dcm")
    with pytest.raises(SegmentationMismatchError, match=r"frame of reference 1\.2\.3"):
        unpack_segmentation(folder)


def test_a_shifted_object_is_refused(folder: Path) -> None:
    from HepatoCastLib.unpacking import SegmentationMismatchError, unpack_segmentation

    record = json.loads((folder / "result.json").read_text())
    record["reference"]["geometry"]["origin_mm"][1] += 2.0
    (folder / "result.json").write_text(json.dumps(record))
    with pytest.raises(SegmentationMismatchError, match="off the result's grid"):
        unpack_segmentation(folder)


def test_a_forgotten_tumor_is_noticed(folder: Path) -> None:
    from HepatoCastLib.errors import ResultError
    from HepatoCastLib.keeping import pack_result
    from HepatoCastLib.result import read_result
    from HepatoCastLib.unpacking import unpack_segmentation

    unpack_segmentation(folder)
    pack_result(folder)
    lines = json.loads((folder / "segments.json").read_text())
    (folder / "segments.json").write_text(json.dumps(lines[:-1]))
    with pytest.raises(ResultError, match=r"SEG holds lesions \[1\], result.json \[1, 2\]"):
        read_result(folder)
