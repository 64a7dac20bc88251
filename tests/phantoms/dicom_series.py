"""Small synthetic CT series as DICOM, with every attribute open to change.

``ct_series`` builds plain axial CT datasets; a test changes what it is about and writes them
with ``write_series``. UIDs derive from names, so builds are repeatable.
"""

import copy
import io
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filereader import dcmread
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    generate_uid,
)

Vector = tuple[float, float, float]
STUDY = "phantom study"
PATIENT_NAME = "Secret^Name"


def uid(*names: object) -> str:
    """A valid UID that is always the same for the same names."""
    return str(generate_uid(entropy_srcs=["hepatocast tests", *map(str, names)]))


@dataclass(frozen=True, kw_only=True)
class SeriesPlan:
    """What one series is like; defaults are an axial series, feet first slice at the bottom.

    Attributes:
        spacing_mm: (slice, row, column).
        origin_mm: LPS center of the first voxel of the first slice.
        column_direction, row_direction: Image Orientation (Patient) triplets.
        step_mm: LPS vector from one slice to the next; None goes along the normal.
        slope, intercept: Rescale Slope and Intercept.
        signed: Pixel Representation.
        bits_stored: Bits Stored; High Bit follows.
        attributes: Keyword → value set on every dataset (None deletes).
    """

    study: str = STUDY
    series: str = "series 1"
    patient_id: str = "P-1"
    description: str = ""
    number: int = 1
    spacing_mm: tuple[float, float, float] = (2.5, 0.8, 0.7)
    origin_mm: Vector = (-20.0, -30.0, 100.0)
    column_direction: Vector = (1.0, 0.0, 0.0)
    row_direction: Vector = (0.0, 1.0, 0.0)
    step_mm: Vector | None = None
    slope: float = 1.0
    intercept: float = -1024.0
    signed: bool = False
    bits_stored: int = 16
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def step(self) -> NDArray[np.float64]:
        """LPS vector from one slice to the next."""
        if self.step_mm is not None:
            return np.array(self.step_mm)
        return np.cross(self.column_direction, self.row_direction) * self.spacing_mm[0]


def gradient_hu(
    slices: int = 12, rows: int = 16, columns: int = 20, seed: int = 0
) -> NDArray[np.int16]:
    """HU that name their voxel: every slice, row and column is told apart."""
    noise = np.random.default_rng(seed).integers(-3, 4, (slices, rows, columns))
    index = np.indices((slices, rows, columns))
    return (40 * index[0] + 7 * index[1] - 5 * index[2] - 200 + noise).astype(np.int16)


def ct_series(voxels_hu: NDArray[np.int16], plan: SeriesPlan | None = None) -> list[Dataset]:
    """Build one dataset per slice (Explicit VR Little Endian).

    Args:
        voxels_hu: Shape (slice, row, column); must be a multiple of the slope.
        plan: Everything else.
    """
    plan = plan or SeriesPlan()
    datasets = []
    for index, plane in enumerate(voxels_hu):
        dataset = _base(plan, index)
        position = np.array(plan.origin_mm) + index * plan.step
        dataset.SOPClassUID = CTImageStorage
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.ImagePositionPatient = [round(float(v), 6) for v in position]
        dataset.ImageOrientationPatient = [*plan.column_direction, *plan.row_direction]
        dataset.PixelSpacing = list(plan.spacing_mm[1:])
        dataset.SliceThickness = plan.spacing_mm[0]
        dataset.RescaleSlope = plan.slope
        dataset.RescaleIntercept = plan.intercept
        dataset.RescaleType = "HU"
        dataset.ConvolutionKernel = "B30f"
        _set_pixels(dataset, plane[None], plan)
        datasets.append(_finish(dataset, plan.attributes))
    return datasets


def enhanced_ct(
    voxels_hu: NDArray[np.int16], plan: SeriesPlan | None = None, *, shared_planes: bool = True
) -> Dataset:
    """Build one Enhanced CT multi-frame dataset.

    Args:
        voxels_hu: Shape (frame, row, column).
        plan: Everything else.
        shared_planes: Whether orientation, spacing and rescale stand in the shared
            functional groups (else in every frame).
    """
    plan = plan or SeriesPlan()
    dataset = _base(plan, 0)
    dataset.SOPClassUID = EnhancedCTImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.NumberOfFrames = len(voxels_hu)
    common = Dataset()
    _set_common_groups(common, plan)
    dataset.SharedFunctionalGroupsSequence = [common if shared_planes else Dataset()]
    frames = []
    for index in range(len(voxels_hu)):
        frame = Dataset()
        if not shared_planes:
            _set_common_groups(frame, plan)
        position, content = Dataset(), Dataset()
        place = np.array(plan.origin_mm) + index * plan.step
        position.ImagePositionPatient = [round(float(v), 6) for v in place]
        content.DimensionIndexValues = [1, index + 1]
        frame.PlanePositionSequence = [position]
        frame.FrameContentSequence = [content]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    _set_pixels(dataset, voxels_hu, plan)
    return _finish(dataset, plan.attributes)


def write_series(
    datasets: Iterable[Dataset], folder: Path, *, prefix: str = "IM", syntax: str | None = None
) -> Path:
    """Write datasets as PREFIXnnnn.dcm, encoded in ``syntax`` where one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, dataset in enumerate(datasets):
        (folder / f"{prefix}{index:04d}.dcm").write_bytes(to_bytes(dataset, syntax=syntax))
    return folder


def to_bytes(dataset: Dataset, *, syntax: str | None = None) -> bytes:
    """Encode one dataset as a DICOM file."""
    wanted = UID(syntax or dataset.file_meta.TransferSyntaxUID)
    if wanted == JPEGLosslessSV1:
        return _jpeg_lossless(dataset)
    if wanted.is_compressed and wanted != dataset.file_meta.TransferSyntaxUID:
        if not wanted.is_deflated:
            packed = _copy(dataset)
            packed.compress(wanted, generate_instance_uid=False)
            return to_bytes(packed)
        dataset = _copy(dataset)
        dataset.file_meta.TransferSyntaxUID = wanted
    elif wanted != dataset.file_meta.TransferSyntaxUID:
        dataset = _copy(dataset)
        dataset.file_meta.TransferSyntaxUID = wanted
        if not wanted.is_little_endian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
            dataset["PixelData"].VR = "OW"
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def read_back(dataset: Dataset, *, syntax: str) -> Dataset:
    """Encode and parse again: how a receiver sees the dataset."""
    return dcmread(io.BytesIO(to_bytes(dataset, syntax=syntax)))


def zip_folder(folder: Path, archive: Path) -> Path:
    """Pack a folder as it is."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                pack.write(path, path.relative_to(folder).as_posix())
    return archive


def _base(plan: SeriesPlan, index: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPInstanceUID = uid(plan.study, plan.series, index)
    dataset.StudyInstanceUID = uid(plan.study)
    dataset.SeriesInstanceUID = uid(plan.study, plan.series)
    dataset.FrameOfReferenceUID = uid(plan.study, "frame of reference")
    dataset.PatientID = plan.patient_id
    dataset.PatientName = PATIENT_NAME
    dataset.PatientBirthDate = "19600102"
    dataset.PatientSex = "M"
    dataset.StudyDate = dataset.AcquisitionDate = "20240315"
    dataset.StudyTime = dataset.AcquisitionTime = "101500"
    dataset.AccessionNumber = "A1"
    dataset.Modality = "CT"
    dataset.SeriesDescription = plan.description
    dataset.SeriesNumber = plan.number
    dataset.InstanceNumber = index + 1
    dataset.AcquisitionNumber = 1
    dataset.PositionReferenceIndicator = ""
    return dataset


def _set_common_groups(item: Dataset, plan: SeriesPlan) -> None:
    orientation, measures, transformation = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [*plan.column_direction, *plan.row_direction]
    measures.PixelSpacing = list(plan.spacing_mm[1:])
    measures.SliceThickness = plan.spacing_mm[0]
    transformation.RescaleSlope = plan.slope
    transformation.RescaleIntercept = plan.intercept
    transformation.RescaleType = "HU"
    item.PlaneOrientationSequence = [orientation]
    item.PixelMeasuresSequence = [measures]
    item.PixelValueTransformationSequence = [transformation]


def _set_pixels(dataset: Dataset, voxels_hu: NDArray[np.int16], plan: SeriesPlan) -> None:
    stored = np.rint((voxels_hu - plan.intercept) / plan.slope).astype(np.int64)
    mask = (1 << plan.bits_stored) - 1
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = voxels_hu.shape[1:]
    dataset.BitsAllocated = 16
    dataset.BitsStored = plan.bits_stored
    dataset.HighBit = plan.bits_stored - 1
    dataset.PixelRepresentation = int(plan.signed)
    dataset.PixelData = (stored & mask).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def _finish(dataset: Dataset, attributes: dict[str, Any]) -> Dataset:
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def _copy(dataset: Dataset) -> FileDataset:
    """A deep copy, so that encoding never changes what a test holds."""
    return copy.deepcopy(dataset)


def _jpeg_lossless(dataset: Dataset) -> bytes:
    """Encode with GDCM; pydicom has no encoder for JPEG Lossless."""
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        plain.write_bytes(to_bytes(dataset))
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(packed))
        if not reader.Read():
            raise AssertionError("GDCM cannot read the phantom")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise AssertionError("GDCM cannot encode JPEG Lossless")
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise AssertionError("GDCM cannot write the phantom")
        return packed.read_bytes()


def encapsulated(*frames: bytes) -> bytes:
    """Wrap frames as encapsulated Pixel Data (PS3.5 A.4)."""
    return encapsulate(list(frames))


def merge(*series: Sequence[Dataset]) -> list[Dataset]:
    """All datasets of several series, in one list."""
    return [dataset for datasets in series for dataset in datasets]
