"""A compressed frame's own claim about its size and depth is read without decoding."""

import io
from dataclasses import replace

import pydicom
import pytest
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from engine.series.codestreams import Codestream, read_claim
from tests.phantoms.dicom_series import ct_series, gradient_hu, to_bytes
from tests.phantoms.htj2k import codestreams

CLAIM = Codestream(rows=64, columns=96, bits=16, samples=1)


def _frame(syntax: str) -> bytes:
    dataset = ct_series(gradient_hu(1, 64, 96))[0]
    packed = pydicom.dcmread(io.BytesIO(to_bytes(dataset, syntax=syntax)))
    return get_frame(packed.PixelData, 0, number_of_frames=1)


@pytest.mark.parametrize(
    "syntax", [JPEGLSLossless, JPEG2000Lossless, JPEGLosslessSV1], ids=lambda s: s.keyword
)
def test_rows_and_columns_are_read(syntax: str) -> None:
    assert read_claim(_frame(syntax)) == CLAIM


def test_high_throughput_jpeg_2000_has_the_same_header() -> None:
    assert read_claim(codestreams()[0]) == replace(CLAIM, columns=64)


def test_run_lengths_claim_nothing() -> None:
    assert read_claim(_frame(RLELossless)) is None


@pytest.mark.parametrize("length", [0, 1, 2, 5, 11])
def test_a_cut_codestream_claims_nothing(length: int) -> None:
    for syntax in (JPEGLSLossless, JPEG2000Lossless):
        assert read_claim(_frame(syntax)[:length]) is None


def test_markers_that_never_end_claim_nothing() -> None:
    assert read_claim(b"\xff\xd8" + b"\xff" * 1000) is None
    assert read_claim(b"\xff\xd8" + b"\xff\xe0\x00\x00" * 100) is None
