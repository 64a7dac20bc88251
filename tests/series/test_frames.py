"""Stored values are read from raw, deflated and compressed objects, and never believed blindly."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from engine.errors import PixelDataError
from engine.series.frames import read_frames
from engine.series.grouping import group_series
from engine.series.input import scan_study
from engine.series.isolation import start_processes
from engine.series.planes import Plane
from tests.phantoms.dicom_series import (
    ct_series,
    enhanced_ct,
    gradient_hu,
    write_series,
)


@pytest.fixture
def pool() -> Iterator[Executor]:
    """Processes for JPEG; they start only where a test decodes JPEG."""
    with start_processes() as processes:
        yield processes


def _planes(folder: Path, syntax: str | None = None) -> list[Plane]:
    write_series(ct_series(gradient_hu(4, 64, 64)), folder, syntax=syntax)
    (group,) = group_series(scan_study(folder)).groups
    return list(group.planes)


@pytest.mark.parametrize(
    "syntax", [None, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, JPEGLSLossless]
)
def test_chosen_frames_of_a_multi_frame_object_are_read(tmp_path: Path, syntax: str | None) -> None:
    write_series([enhanced_ct(gradient_hu(6, 64, 64))], tmp_path, syntax=syntax)
    (group,) = group_series(scan_study(tmp_path)).groups
    frames = read_frames([group.planes[4], group.planes[1]], pool)
    expected = gradient_hu(6, 64, 64)[[4, 1]].astype(int) + 1024
    np.testing.assert_array_equal(np.stack(frames), expected)


def test_a_header_that_lies_about_compressed_size_is_refused(
    tmp_path: Path, pool: Executor
) -> None:
    planes = _planes(tmp_path, syntax=JPEGLSLossless)
    with pytest.raises(PixelDataError, match="holds a codestream"):
        read_frames([replace(planes[0], rows=128)], pool)


def test_a_file_that_vanished_is_a_pixel_error(tmp_path: Path, pool: Executor) -> None:
    planes = _planes(tmp_path)
    (tmp_path / "IM0001.dcm").unlink()
    with pytest.raises(PixelDataError, match="cannot be read"):
        read_frames([planes[1]], pool)


def test_a_codestream_that_claims_more_than_the_header_is_not_decoded(
    tmp_path: Path, pool: Executor
) -> None:
    """A decoder would fill 65535 × 65535 pixels first."""
    planes = _planes(tmp_path, syntax=JPEGLSLossless)
    file = tmp_path / "IM0001.dcm"
    data = file.read_bytes()
    frame = data.find(b"\xff\xf7")
    file.write_bytes(data[: frame + 5] + b"\xff\xff\xff\xff" + data[frame + 9 :])
    with pytest.raises(PixelDataError, match=r"codestream of \(65535, 65535\) pixels"):
        read_frames([planes[1]], pool)


def test_a_codestream_of_impossible_depth_is_not_decoded(tmp_path: Path, pool: Executor) -> None:
    """GDCM would crash the whole process on 153 bits a sample."""
    planes = _planes(tmp_path, syntax=JPEGLosslessSV1)
    file = tmp_path / "IM0001.dcm"
    data = bytearray(file.read_bytes())
    data[data.find(b"\xff\xc3") + 4] = 153
    file.write_bytes(bytes(data))
    with pytest.raises(PixelDataError, match="samples of 153 bits"):
        read_frames([planes[1]], pool)
