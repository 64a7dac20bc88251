"""Inputs that must end in a typed error: broken, misleading or malicious.

Every builder starts from ``good_study``, which is accepted, and spoils one thing.
"""

import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import (
    MPEG4HP41,
    BasicTextSRStorage,
    DeflatedExplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MRImageStorage,
    SegmentationStorage,
)

from engine.errors import (
    InputError,
    MixedPatientsError,
    NoEligibleSeriesError,
    PixelDataError,
    UnreadableStudyError,
)
from tests.phantoms.dicom_series import (
    SeriesPlan,
    ct_series,
    enhanced_ct,
    gradient_hu,
    to_bytes,
    uid,
    write_series,
    zip_folder,
)

Build = Callable[[Path], Path]
GOOD = SeriesPlan(description="portal venous")
SLICES = 30


@dataclass(frozen=True, kw_only=True)
class HostileInput:
    """One hostile input.

    Attributes:
        name: What is wrong.
        build: Writes it below an empty folder and returns the path to analyze.
        error: The error it must end in.
        says: Words the message must hold.
    """

    name: str
    build: Build
    error: type[InputError]
    says: str


def good_study(folder: Path, **attributes: object) -> Path:
    """A study that is accepted; ``attributes`` change every slice (None deletes)."""
    return write_series(_slices(**attributes), folder)


def _slices(**attributes: object) -> list[Dataset]:
    return ct_series(gradient_hu(SLICES), replace(GOOD, attributes=attributes))


def _with(**attributes: object) -> Build:
    return lambda folder: good_study(folder, **attributes)


def _raw_with(tag: bytes, old: bytes, new: bytes) -> Build:
    """Change encoded bytes of one element in every slice (pydicom would not write them)."""

    def build(folder: Path) -> Path:
        good_study(folder)
        for path in folder.iterdir():
            data = path.read_bytes()
            if tag + old not in data:
                raise AssertionError(f"{tag + old!r} is not in the phantom")
            path.write_bytes(data.replace(tag + old, tag + new, 1))
        return folder

    return build


def _one_file(name: str, content: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder

    return build


def _cut(keep: Callable[[int], int]) -> Build:
    def build(folder: Path) -> Path:
        good_study(folder)
        for path in folder.iterdir():
            data = path.read_bytes()
            path.write_bytes(data[: keep(len(data))])
        return folder

    return build


def _series(change: Callable[[list[Dataset]], list[Dataset]]) -> Build:
    return lambda folder: write_series(change(_slices()), folder)


def _beside_good(*others: Dataset) -> Build:
    def build(folder: Path) -> Path:
        good_study(folder)
        return write_series(others, folder, prefix="other")

    return build


def _object(sop_class: str, modality: str, study: str = GOOD.study) -> Dataset:
    """A small object of another class, without pixels."""
    dataset = ct_series(gradient_hu(1), SeriesPlan(study=study, series=modality))[0]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.Modality = modality
    del dataset.PixelData
    return dataset


def _same_place(datasets: list[Dataset]) -> list[Dataset]:
    for dataset in datasets:
        dataset.ImagePositionPatient = [0, 0, 0]
    return datasets


def _half_of_another_patient(datasets: list[Dataset]) -> list[Dataset]:
    for dataset in datasets[15:]:
        dataset.PatientID = "P-2"
    return datasets


def _contradicting_twin(datasets: list[Dataset]) -> list[Dataset]:
    datasets[7].SOPInstanceUID = datasets[8].SOPInstanceUID
    return datasets


def _sideways(datasets: list[Dataset]) -> list[Dataset]:
    for dataset in datasets[::2]:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x + 3, y, z]
    return datasets


def _tilted_beyond_any_gantry(folder: Path) -> Path:
    plan = replace(GOOD, step_mm=(0.0, 2.5, 2.5))
    return write_series(ct_series(gradient_hu(SLICES), plan), folder)


def _frames_without_positions(folder: Path) -> Path:
    dataset = enhanced_ct(gradient_hu(SLICES), GOOD)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    return write_series([dataset], folder)


def _two_billion_frames(folder: Path) -> Path:
    dataset = enhanced_ct(gradient_hu(SLICES), GOOD)
    dataset.NumberOfFrames = 2**31 - 1
    return write_series([dataset], folder)


def _damaged_jpeg_ls(folder: Path) -> Path:
    write_series(
        ct_series(gradient_hu(SLICES, 64, 64), GOOD), folder, prefix="LS", syntax=JPEGLSLossless
    )
    for path in folder.iterdir():
        data = bytearray(path.read_bytes())
        data[-500:-20] = bytes(480)
        path.write_bytes(bytes(data))
    return folder


def _codestream_bomb(folder: Path) -> Path:
    """Every JPEG-LS frame claims 65535 × 65535 pixels."""
    datasets = ct_series(gradient_hu(SLICES, 64, 64), GOOD)
    write_series(datasets, folder, syntax=JPEGLSLossless)
    for path in folder.iterdir():
        data = path.read_bytes()
        start = data.find(b"\xff\xf7") + 5
        path.write_bytes(data[:start] + b"\xff" * 4 + data[start + 4 :])
    return folder


def _damaged_huffman_tables(folder: Path) -> Path:
    """JPEG Lossless whose table names no table; GDCM may abort its process on this."""
    write_series(_slices(), folder, syntax=JPEGLosslessSV1)
    for path in folder.iterdir():
        data = bytearray(path.read_bytes())
        data[data.find(b"\xff\xc4") + 4] = 169
        path.write_bytes(bytes(data))
    return folder


def _video_syntax(folder: Path) -> Path:
    return _raw_with(b"UI", b"\x14\x001.2.840.10008.1.2.1\0", _ui(MPEG4HP41))(folder)


def _ui(value: str) -> bytes:
    padded = value.encode() + b"\0" * (len(value) % 2)
    return struct.pack("<H", len(padded)) + padded


def _truncated_deflate(folder: Path) -> Path:
    write_series(_slices(), folder, syntax=DeflatedExplicitVRLittleEndian)
    for path in folder.iterdir():
        data = path.read_bytes()
        path.write_bytes(data[: len(data) - 300])
    return folder


def _zip_bomb(folder: Path) -> Path:
    archive = folder / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for index in range(6):
            pack.writestr(f"{index}.dcm", bytes(16 * 2**20))
    return archive


def _zip_that_climbs_out(folder: Path) -> Path:
    archive = folder / "climb.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        for index, dataset in enumerate(_slices()):
            pack.writestr(f"../../{index}.dcm", to_bytes(dataset))
    return archive


def _zip_cut_short(folder: Path) -> Path:
    archive = zip_folder(good_study(folder / "study"), folder / "study.zip")
    archive.write_bytes(archive.read_bytes()[:-2000])
    return archive


def _zip_with_overwritten_members(folder: Path) -> Path:
    archive = zip_folder(good_study(folder / "study"), folder / "study.zip")
    with zipfile.ZipFile(archive) as pack:
        directory = pack.start_dir
    data = archive.read_bytes()
    archive.write_bytes(bytes(directory) + data[directory:])
    return archive


def _dicomdir_to_nowhere(folder: Path) -> Path:
    directory = Dataset()
    record = Dataset()
    record.DirectoryRecordType = "IMAGE"
    with disable_value_validation():
        record.ReferencedFileID = ["..", "..", "etc", "passwd"]
    directory.DirectoryRecordSequence = [record]
    template = ct_series(gradient_hu(1))[0]
    template.SOPClassUID = "1.2.840.10008.1.3.10"
    template.update(directory)
    path = folder / "DICOMDIR"
    path.write_bytes(to_bytes(template))
    return path


def _uid_that_is_a_path(folder: Path) -> Path:
    old = uid(GOOD.study, GOOD.series)
    new = "../../" + old[6:]
    tag = b"\x20\x00\x0e\x00UI"
    return _raw_with(tag, _ui(old), _ui(new))(folder)


def _named_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "IM0001.dcm")
    return folder


def _endless_nesting(folder: Path) -> Path:
    """Five thousand sequences inside each other."""
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    for index, dataset in enumerate(_slices()[:3]):
        data = to_bytes(dataset)
        meta_end = 144 + int.from_bytes(data[140:144], "little")
        (folder / f"{index}.dcm").write_bytes(data[:meta_end] + opening * 5000)
    return folder


def _endless_element(folder: Path) -> Path:
    """An element that claims 4 GiB in a file of some hundred bytes."""
    data = to_bytes(_slices()[0])
    meta_end = 144 + int.from_bytes(data[140:144], "little")
    claim = b"\x08\x00\x08\x00UT\0\0" + struct.pack("<I", 0xFFFFFFF0)
    (folder / "IM0.dcm").write_bytes(data[:meta_end] + claim + b"ORIGINAL")
    return folder


def _noise_behind_the_prefix(folder: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, 4000, np.uint8).tobytes()
    (folder / "IM0.dcm").write_bytes(bytes(128) + b"DICM" + noise)
    return folder


UNREADABLE = (
    ("no such path", lambda folder: folder / "absent", "none is there"),
    ("an empty folder", lambda folder: folder, "no readable DICOM object"),
    ("a text file", _one_file("notes.txt", b"liver looks fine\n" * 20), "not DICOM"),
    ("a 0-byte file", _one_file("IM0001.dcm", b""), "empty file"),
    ("a picture", _one_file("IM0001.dcm", b"\x89PNG\r\n\x1a\n" + bytes(500)), "not DICOM"),
    ("a PDF named .dcm", _one_file("IM0001.dcm", b"%PDF-1.7\n" + b"x" * 500), "not DICOM"),
    ("files cut inside the header", _cut(lambda _size: 400), "without a valid"),
    ("noise behind the prefix", _noise_behind_the_prefix, "no readable DICOM object"),
    ("no Study Instance UID", _with(StudyInstanceUID=None), "valid StudyInstanceUID"),
    ("a UID that is a path", _uid_that_is_a_path, "valid SeriesInstanceUID"),
    ("a named pipe", _named_pipe, "not a regular file"),
    ("endless nesting", _endless_nesting, "damaged DICOM"),
    ("an element of 4 GiB", _endless_element, "no readable DICOM object"),
    ("a zip bomb", _zip_bomb, "times its size"),
    ("a zip that climbs out", _zip_that_climbs_out, "path leads out of the archive"),
    ("a zip cut short", _zip_cut_short, "Zip archive is damaged"),
    ("a zip with overwritten members", _zip_with_overwritten_members, "no local header"),
    ("a DICOMDIR to nowhere", _dicomdir_to_nowhere, "no readable DICOM object"),
)
MIXED = (
    ("two patients in one study", _series(_half_of_another_patient), "2 different Patient IDs"),
    (
        "two studies",
        _beside_good(*ct_series(gradient_hu(3), SeriesPlan(study="another study"))),
        "2 studies",
    ),
    (
        "a SEG of another study",
        _beside_good(_object(SegmentationStorage, "SEG", study="another study")),
        "2 studies",
    ),
)
NOT_ELIGIBLE = (
    ("an MR series", _with(Modality="MR", SOPClassUID=MRImageStorage), "Modality is MR"),
    ("only a localizer", _with(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localizer"),
    (
        "only a structured report",
        lambda folder: write_series([_object(BasicTextSRStorage, "SR")], folder),
        "Modality is SR",
    ),
    ("one slice", _series(lambda datasets: datasets[:1]), "1 slices, at least 10"),
    ("every slice at one place", _series(_same_place), "1 slices, at least 10"),
    ("no pixel data", _with(PixelData=None), "Pixel Data is missing"),
    ("Rows with a text VR", _raw_with(b"\x28\x00\x10\x00", b"US", b"LO"), "Rows needs"),
    ("Rows with an unknown VR", _raw_with(b"\x28\x00\x10\x00", b"US", b"ZZ"), "Rows needs"),
    ("no Image Position", _with(ImagePositionPatient=None), "ImagePositionPatient is missing"),
    (
        "no Image Orientation",
        _with(ImageOrientationPatient=None),
        "ImageOrientationPatient is missing",
    ),
    (
        "a skewed orientation",
        _with(ImageOrientationPatient=[1, 0, 0, 0.5, 0.5, 0]),
        "orthogonal unit vectors",
    ),
    (
        "a NaN spacing",
        _raw_with(b"\x28\x00\x30\x00DS", b"\x08\x000.8\\0.7 ", b"\x08\x00NaN\\0.7 "),
        "PixelSpacing needs 2 finite numbers",
    ),
    (
        "a worded spacing",
        _raw_with(b"\x28\x00\x30\x00DS", b"\x08\x000.8\\0.7 ", b"\x08\x00big\\0.7 "),
        "PixelSpacing needs 2 finite numbers",
    ),
    ("a zero spacing", _with(PixelSpacing=[0, 0.7]), "above 0 mm"),
    ("a negative spacing", _with(PixelSpacing=[-0.8, 0.7]), "above 0 mm"),
    (
        "only a detector spacing",
        _with(PixelSpacing=None, ImagerPixelSpacing=[0.5, 0.5]),
        "ImagerPixelSpacing lies at the detector",
    ),
    ("a twin with other content", _series(_contradicting_twin), "different content"),
    ("a torn stack", _series(lambda datasets: datasets[:12] + datasets[18:]), "Slices are missing"),
    ("slices that jump sideways", _series(_sideways), "drift sideways"),
    ("a tilt beyond any gantry", _tilted_beyond_any_gantry, "off their normal"),
    ("a rescale slope of 0", _with(RescaleSlope=0), "slope not 0"),
    ("no rescale", _with(RescaleSlope=None, RescaleIntercept=None), "must be numbers"),
    ("values that are no HU", _with(RescaleType="US"), "RescaleType must be HU"),
    ("Rows beyond any scanner", _with(Rows=65535, Columns=65535), "Rows needs 1 to 8192"),
    ("frames without positions", _frames_without_positions, "ImagePositionPatient is missing"),
    ("two billion frames", _two_billion_frames, "NumberOfFrames"),
)
UNDECODABLE = (
    ("pixels cut short", _cut(lambda size: size - 100), "truncated"),
    ("more pixels promised than sent", _with(Rows=4096, Columns=4096), "promises"),
    ("colors", _with(SamplesPerPixel=3, PhotometricInterpretation="RGB"), "one gray sample"),
    ("8-bit pixels", _with(BitsAllocated=8, BitsStored=8, HighBit=7), "16 allocated bits"),
    ("more bits stored than allocated", _with(BitsStored=20), "BitsStored 20"),
    ("a damaged JPEG-LS stream", _damaged_jpeg_ls, "cannot be decoded"),
    ("a codestream bomb", _codestream_bomb, "holds a codestream of (65535, 65535)"),
    ("damaged Huffman tables", _damaged_huffman_tables, "cannot be decoded"),
    ("a video transfer syntax", _video_syntax, "transfer syntax"),
    ("a deflate stream cut short", _truncated_deflate, "truncated"),
)


def hostile_inputs() -> tuple[HostileInput, ...]:
    """Every hostile input with the error it must end in."""
    kinds = (
        (UNREADABLE, UnreadableStudyError),
        (MIXED, MixedPatientsError),
        (NOT_ELIGIBLE, NoEligibleSeriesError),
        (UNDECODABLE, PixelDataError),
    )
    listed = [
        HostileInput(name=name, build=build, error=error, says=says)
        for entries, error in kinds
        for name, build, says in entries
    ]
    return tuple(listed)
