"""Bytes are read in place, bounded, and checked."""

import zipfile
from pathlib import Path

import pytest

from engine.errors import PixelDataError
from engine.series.containers import list_archive
from engine.series.sources import ByteSource, inflate

CONTENT = bytes(range(256)) * 40


def _zipped(folder: Path, method: int) -> ByteSource:
    archive = folder / "a.zip"
    with zipfile.ZipFile(archive, "w", method) as pack:
        pack.writestr("first.dcm", b"first")
        pack.writestr("second.dcm", CONTENT)
    return list_archive(archive).sources[1]


def _plain(folder: Path) -> ByteSource:
    path = folder / "a.dcm"
    path.write_bytes(CONTENT)
    return ByteSource(path=path, name="a.dcm", size=len(CONTENT))


@pytest.mark.parametrize("kind", ["plain", "stored", "deflated"])
def test_whole_head_and_part_are_read(tmp_path: Path, kind: str) -> None:
    methods = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}
    source = _plain(tmp_path) if kind == "plain" else _zipped(tmp_path, methods[kind])
    part = bytearray(100)
    assert source.read() == CONTENT
    assert source.read(50) == CONTENT[:50]
    assert source.reader()(memoryview(part), 1000) == 100
    assert bytes(part) == CONTENT[1000:1100]


@pytest.mark.parametrize("kind", ["plain", "deflated"])
def test_reading_past_the_end_returns_what_there_is(tmp_path: Path, kind: str) -> None:
    source = _plain(tmp_path) if kind == "plain" else _zipped(tmp_path, zipfile.ZIP_DEFLATED)
    part = bytearray(100)
    assert source.reader()(memoryview(part), len(CONTENT) - 30) == 30


def test_a_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    source = _zipped(tmp_path, zipfile.ZIP_STORED)
    data = bytearray(source.path.read_bytes())
    data[data.find(CONTENT[:64]) + 5] ^= 1
    source.path.write_bytes(bytes(data))
    with pytest.raises(PixelDataError, match="truncated or damaged"):
        source.read()


def test_inflating_stops_at_the_limit() -> None:
    packed = zipfile.zlib.compressobj(wbits=-15)
    stream = packed.compress(bytes(10**6)) + packed.flush()
    assert len(inflate(stream, 1000)) == 1000


def test_a_damaged_stream_is_refused() -> None:
    with pytest.raises(PixelDataError, match="damaged"):
        inflate(b"\xff\xff\xff\xff", 1000)
