"""Valid CT headers (no pixel data) for a grid: one per slice, or one Enhanced CT."""

import datetime

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage
from pydicom.valuerep import format_number_as_ds

from engine.values.geometry import VolumeGeometry

STUDY_UID = "2.25.1000"
SERIES_UID = "2.25.2000"
PATIENT_NAME = "Phantom^Petra^^^"


def _ds(values: np.ndarray | tuple[float, ...]) -> list[str]:
    return [format_number_as_ds(float(v)) for v in values]


def _common(grid: VolumeGeometry) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.StudyInstanceUID, header.SeriesInstanceUID = STUDY_UID, SERIES_UID
    header.PatientName, header.PatientID = PATIENT_NAME, "PHANTOM-7"
    header.PatientBirthDate, header.PatientSex, header.PatientAge = "19600229", "F", "064Y"
    header.StudyDate, header.StudyTime, header.StudyID = "20240311", "093015", "77"
    header.AccessionNumber, header.ReferringPhysicianName = "ACC-1", "Doe^Jane"
    header.StudyDescription, header.SeriesDescription = "CT liver", "Portal venous 3.0"
    header.Modality, header.SeriesNumber, header.Manufacturer = "CT", 4, "Phantom Maker"
    header.ManufacturerModelName, header.DeviceSerialNumber = "Phantom One", "P1"
    header.SoftwareVersions, header.StationName = "1.0", "CT1"
    header.FrameOfReferenceUID = grid.frame_of_reference_uid
    header.PositionReferenceIndicator = ""
    header.Rows, header.Columns = grid.shape[1], grid.shape[2]
    return header


def make_slices(grid: VolumeGeometry) -> tuple[Dataset, ...]:
    """One CT Image Storage header per slice of the grid, in slice order."""
    headers = []
    for k in range(grid.shape[0]):
        header = _common(grid)
        header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, f"2.25.3000{k:03d}"
        header.InstanceNumber = k + 1
        header.ImageOrientationPatient = _ds((*grid.column_direction, *grid.row_direction))
        header.ImagePositionPatient = _ds(grid.to_patient(np.array([k, 0, 0], float)))
        header.PixelSpacing = _ds((grid.spacing.row_mm, grid.spacing.column_mm))
        header.SliceThickness = format_number_as_ds(grid.spacing.slice_mm)
        headers.append(header)
    return tuple(headers)


def make_enhanced(grid: VolumeGeometry, order: tuple[int, ...]) -> Dataset:
    """One Enhanced CT header; ``order[f]`` is the slice that frame f + 1 shows."""
    header = _common(grid)
    header.SOPClassUID, header.SOPInstanceUID = EnhancedCTImageStorage, "2.25.4000"
    header.InstanceNumber, header.NumberOfFrames = 1, len(order)
    shared = Dataset()
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing = _ds((grid.spacing.row_mm, grid.spacing.column_mm))
    measures.SliceThickness = format_number_as_ds(grid.spacing.slice_mm)
    orientation.ImageOrientationPatient = _ds((*grid.column_direction, *grid.row_direction))
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    header.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for k in order:
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = _ds(grid.to_patient(np.array([k, 0, 0], float)))
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    header.PerFrameFunctionalGroupsSequence = frames
    header.ContentDate = datetime.date(2024, 3, 11).strftime("%Y%m%d")
    return header
