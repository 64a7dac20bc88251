"""List the files of an input: a folder, a zip archive, a DICOMDIR or a single file."""

import io
import os
import stat
import struct
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from engine.errors import InputError, UnreadableStudyError
from engine.series.attributes import READING_FAILURES, items, texts
from engine.series.sources import DEFLATED, STORED, ByteSource, JunkFile, ZipMember

MAXIMUM_FILES = 50_000
"""More than any liver CT study holds; a bound against archive and folder bombs."""
MAXIMUM_TOTAL_BYTES = 32 * 2**30
MAXIMUM_ZIP_RATIO = 200
"""Unpacked to packed bytes; CT packs 2 to 4 times, empty slices below 100 times."""
RATIO_FREE_BYTES = 64 * 2**20
"""Archives that unpack to less than this are let through whatever their ratio."""
MAXIMUM_DICOMDIR_BYTES = 64 * 2**20
MEDIA_DIRECTORY_NAME = "DICOMDIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Files to look into, and files left out with the reason."""

    sources: tuple[ByteSource, ...]
    junk: tuple[JunkFile, ...] = ()


def list_input(path: Path) -> Listing:
    """List what an input holds, in a stable order.

    Args:
        path: Folder (searched recursively), zip archive, DICOMDIR or DICOM file.

    Raises:
        UnreadableStudyError: The path does not exist, or breaks a bound of this module.
    """
    try:
        if path.is_dir():
            return list_folder(path)
        if not path.is_file():
            raise UnreadableStudyError("Input needs a folder, zip or DICOM file; none is there")
        if zipfile.is_zipfile(path):
            return list_archive(path)
        if _starts_like_zip(path):
            raise UnreadableStudyError("Zip archive is damaged or cut short; pack it again")
        if path.name.upper() == MEDIA_DIRECTORY_NAME:
            return list_media_directory(path)
        source = ByteSource(path=path, name=path.name, size=path.stat().st_size)
        return Listing(sources=(source,))
    except OSError as error:
        raise UnreadableStudyError(f"Input cannot be read ({error.strerror})") from error


def list_folder(folder: Path) -> Listing:
    """List a folder and everything below it; linked folders are not entered."""
    sources: list[ByteSource] = []
    junk: list[JunkFile] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            try:
                status = path.stat()
            except OSError as error:
                junk.append(JunkFile(name=relative, reason=f"unreadable ({error.strerror})"))
                continue
            if not stat.S_ISREG(status.st_mode):
                junk.append(JunkFile(name=relative, reason="not a regular file"))
            elif name.upper() == MEDIA_DIRECTORY_NAME:
                junk.append(JunkFile(name=relative, reason="media directory, not an image"))
            else:
                sources.append(ByteSource(path=path, name=relative, size=status.st_size))
            _check_count(len(sources) + len(junk))
    return Listing(sources=tuple(sources), junk=tuple(junk))


def list_archive(path: Path) -> Listing:
    """List a zip archive without unpacking it.

    Raises:
        UnreadableStudyError: Damaged, or more files, bytes or packing than allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise UnreadableStudyError(f"Zip archive is damaged ({error})") from error
    _check_count(len(members))
    _check_archive_size(members, path.stat().st_size)
    sources: list[ByteSource] = []
    junk: list[JunkFile] = []
    for info in members:
        if info.is_dir():
            continue
        reason = _refuse_member(info)
        if reason:
            junk.append(JunkFile(name=info.filename, reason=reason))
        else:
            sources.append(_member_source(path, info))
    return Listing(sources=tuple(sources), junk=tuple(junk))


def list_media_directory(path: Path) -> Listing:
    """List the files a DICOMDIR refers to (PS3.3 F.3), inside its own folder only.

    Raises:
        UnreadableStudyError: The DICOMDIR is damaged or too large.
    """
    if path.stat().st_size > MAXIMUM_DICOMDIR_BYTES:
        raise UnreadableStudyError(f"DICOMDIR is larger than {MAXIMUM_DICOMDIR_BYTES >> 20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            directory = pydicom.dcmread(io.BytesIO(path.read_bytes()))
        records = items(directory, "DirectoryRecordSequence")
        parts = [texts(record, "ReferencedFileID") for record in records]
    except (InvalidDicomError, InputError, *READING_FAILURES) as error:
        raise UnreadableStudyError("DICOMDIR is damaged; give the folder instead") from error
    sources: list[ByteSource] = []
    junk: list[JunkFile] = []
    for file_id in dict.fromkeys(filter(None, parts)):
        name = "/".join(file_id)
        found = _resolve(path.parent, file_id)
        if found is None:
            junk.append(JunkFile(name=name, reason="listed in the DICOMDIR, not there"))
        else:
            sources.append(ByteSource(path=found, name=name, size=found.stat().st_size))
        _check_count(len(sources) + len(junk))
    return Listing(sources=tuple(sources), junk=tuple(junk))


def is_media_directory(dataset: Dataset) -> bool:
    """Tell whether a dataset is a DICOMDIR under another name."""
    return "DirectoryRecordSequence" in dataset


def _starts_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _check_count(count: int) -> None:
    if count > MAXIMUM_FILES:
        raise UnreadableStudyError(
            f"Input holds more than {MAXIMUM_FILES} files; give one study at a time"
        )


def _check_archive_size(members: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    total = sum(info.file_size for info in members)
    if total > MAXIMUM_TOTAL_BYTES:
        raise UnreadableStudyError(f"Zip archive unpacks to {total} bytes, too many")
    if total > RATIO_FREE_BYTES and total > MAXIMUM_ZIP_RATIO * packed_bytes:
        raise UnreadableStudyError(
            f"Zip archive unpacks {total / packed_bytes:.0f} times its size, "
            f"at most {MAXIMUM_ZIP_RATIO} times is allowed"
        )
    if sum(info.compress_size for info in members) > packed_bytes:
        raise UnreadableStudyError("Zip archive has overlapping members; pack it again")


def _refuse_member(info: zipfile.ZipInfo) -> str:
    name = PurePosixPath(info.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts:
        return "path leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "symbolic link"
    if info.flag_bits & 0x1:
        return "encrypted"
    if info.compress_type not in (STORED, DEFLATED):
        return f"zip compression method {info.compress_type} is not supported"
    if name.name.upper() == MEDIA_DIRECTORY_NAME:
        return "media directory, not an image"
    return ""


def _member_source(path: Path, info: zipfile.ZipInfo) -> ByteSource:
    member = ZipMember(
        header_offset=info.header_offset,
        compressed_bytes=info.compress_size,
        method=info.compress_type,
        crc32=info.CRC,
    )
    return ByteSource(path=path, name=info.filename, size=info.file_size, member=member)


def _resolve(folder: Path, file_id: tuple[str, ...]) -> Path | None:
    """Find a Referenced File ID; media are often copied with lower-case names."""
    if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in file_id):
        return None
    for parts in (file_id, tuple(part.lower() for part in file_id)):
        path = folder.joinpath(*parts)
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None
