"""Where the bytes of one file of the input lie: on disk or inside a zip archive.

Archive members are read in place and never extracted, so no path of an archive is ever
created on this machine. Reads are bounded and free of shared state (thread-safe).
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import PixelDataError

LOCAL_HEADER_BYTES = 30
"""Fixed part of a zip local file header (APPNOTE 4.3.7)."""
STORED, DEFLATED = 0, 8
READ_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipMember:
    """Place of one member in its archive, from the central directory."""

    header_offset: int
    compressed_bytes: int
    method: int
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteSource:
    """One file of the input.

    Attributes:
        path: The file, or the archive it lies in.
        name: Path inside the input; may carry PHI, never logged.
        size: Bytes of the (unpacked) file.
        member: Place in the archive; None for a plain file.
    """

    path: Path = field(repr=False)
    name: str = field(repr=False)
    size: int
    member: ZipMember | None = None

    def read(self, limit: int | None = None) -> bytes:
        """Read the file from its start.

        Args:
            limit: Most bytes to return; None for all of it.

        Raises:
            PixelDataError: The archive member is damaged.
            OSError: The disk refuses.
        """
        wanted = self.size if limit is None else min(limit, self.size)
        if self.member is not None:
            return _read_member(self.path, self.member, wanted, whole=wanted == self.size)
        with self.path.open("rb") as file:
            return file.read(wanted)

    def reader(self) -> Callable[[memoryview, int], int]:
        """A function that fills a buffer from a byte offset on and returns the bytes read.

        An archive member is unpacked once, a plain file is read where it is asked for.
        """
        if self.member is None:
            return self._read_into
        data = self.read()

        def copy(target: memoryview, offset: int) -> int:
            part = data[offset : offset + len(target)]
            target[: len(part)] = part
            return len(part)

        return copy

    def _read_into(self, target: memoryview, offset: int) -> int:
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            done = 0
            while done < len(target):
                count = file.readinto(target[done:])
                if not count:
                    break
                done += count
            return done


@dataclass(frozen=True, slots=True, kw_only=True)
class JunkFile:
    """A file of the input that was not used, and why (``name`` may carry PHI)."""

    name: str = field(repr=False)
    reason: str


def inflate(packed: bytes, limit: int) -> bytes:
    """Unpack a raw deflate stream, at most ``limit`` bytes.

    Raises:
        PixelDataError: The stream is damaged.
    """
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit)
    except zlib.error as error:
        raise PixelDataError(f"Deflated data is damaged ({error})") from error


def _read_member(path: Path, member: ZipMember, wanted: int, *, whole: bool) -> bytes:
    with path.open("rb") as file:
        file.seek(member.header_offset)
        fixed = file.read(LOCAL_HEADER_BYTES)
        if len(fixed) < LOCAL_HEADER_BYTES or fixed[:4] != b"PK\x03\x04":
            raise PixelDataError("Archive member has no local header; pack the archive again")
        name_bytes, extra_bytes = struct.unpack("<HH", fixed[26:30])
        file.seek(name_bytes + extra_bytes, 1)
        # deflate never needs more than its input for a bounded output; a head needs little
        share = member.compressed_bytes if whole else min(member.compressed_bytes, wanted + 4096)
        packed = file.read(share)
    data = (
        packed[:wanted] if member.method == STORED else inflate(packed, wanted) if wanted else b""
    )
    if whole and (len(data) < wanted or zlib.crc32(data) != member.crc32):
        raise PixelDataError("Archive member is truncated or damaged; pack the archive again")
    return data
