"""A plain volume as a CT series the engine reads like any other; runs beside the engine."""

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

IMPLEMENTATION_UID = "2.25.238194213180733187406193420145233087104"


def write_series(job: dict[str, Any]) -> None:
    """Write one CT instance per slice.

    Args:
        job: "file" (.npy of int16 HU [slice, row, column]), "folder", "affine" (4×4,
            index to LPS mm) and "key", from which every UID derives, so that the same
            volume gives the same series.
    """
    voxels = np.load(job["file"], mmap_mode="r")
    affine = np.array(job["affine"], np.float64)
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(voxels)):
        image = make_image(voxels[number], number, affine, job["key"])
        image.save_as(folder / f"{number:05d}.dcm", enforce_file_format=True)


def make_image(
    pixels: NDArray[np.int16], number: int, affine: NDArray[np.float64], key: str
) -> FileDataset:
    """One slice as CT Image Storage, without any patient."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = derive_uid(key, str(number))
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    along = affine[:3, :3] / spacing
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID, image.SeriesInstanceUID = derive_uid(key, "study"), derive_uid(key, "")
    image.FrameOfReferenceUID = derive_uid(key, "frame of reference")
    image.PatientName, image.PatientID, image.PatientBirthDate = "", f"plain-{key[:8]}", ""
    image.PatientSex, image.StudyDate, image.StudyTime, image.StudyID = "", "", "", ""
    image.AccessionNumber, image.ReferringPhysicianName, image.PositionReferenceIndicator = (
        "",
        "",
        "",
    )
    image.Modality, image.Manufacturer, image.SeriesNumber = "CT", "", 1
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.SeriesDescription = "Plain volume from 3D Slicer"
    image.InstanceNumber = number + 1
    image.ImagePositionPatient = _ds(affine[:3, 3] + number * affine[:3, 0])
    image.ImageOrientationPatient = _ds([*along[:, 2], *along[:, 1]])
    image.PixelSpacing, image.SliceThickness = _ds(spacing[1:]), _ds(spacing[:1])[0]
    image.Rows, image.Columns = pixels.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = "0", "1", "HU"
    image.PixelData = np.ascontiguousarray(pixels).tobytes()
    return image


def derive_uid(key: str, name: str) -> str:
    """UUIDv5 under 2.25 (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([key, name])).int}"


def _ds(values: Any) -> list[str]:
    return [format_number_as_ds(float(value)) for value in values]
