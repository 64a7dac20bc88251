"""What a real study carries besides its volumes: a localizer and a dose page.

Both are valid DICOM that series selection has to refuse. The dose page follows the
Secondary Capture Image IOD (PS3.3 A.8).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

from engine.demo.acquisition import PHASE_SCANS, STUDY_ENDED_AT, STUDY_STARTED_AT
from engine.demo.headers import (
    SYNTHETIC_NOTE,
    phantom_uid,
    set_pixels,
    set_scan,
    set_series,
    start_image,
)
from engine.values.geometry import VolumeGeometry

PAGE_SIZE = (512, 512)


def localizer_image(
    study: Dataset, identity: str, voxels_hu: NDArray[np.int16], geometry: VolumeGeometry
) -> Dataset:
    """A frontal scout: attenuation summed from front to back, feet down."""
    image = start_image(study, CTImageStorage, phantom_uid(identity, "localizer"))
    image.SeriesInstanceUID = phantom_uid(identity, "series", "localizer")
    set_series(image, 1, "Topogram 0.6", STUDY_STARTED_AT)
    image.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    image.InstanceNumber = 1
    set_scan(image, geometry)
    for keyword in ("RescaleType", "SpacingBetweenSlices", "SpiralPitchFactor", "ScanOptions"):
        delattr(image, keyword)
    first = geometry.to_patient(np.array([geometry.shape[0] - 1, geometry.shape[1] / 2, 0.0]))
    image.ImagePositionPatient = [round(float(v), 4) for v in first]
    image.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    image.PixelSpacing = [geometry.spacing.slice_mm, geometry.spacing.column_mm]
    image.SliceThickness = 0.6
    summed = np.maximum(voxels_hu[::-1], -1000).mean(axis=1, dtype=np.float32) + 1000
    scaled = summed / max(float(summed.max()), 1.0) * 1600 + 200
    set_pixels(image, scaled.astype(np.uint16))
    return image


def dose_page(study: Dataset, identity: str, page: NDArray[np.uint8]) -> Dataset:
    """A screen capture such as scanners add to a study (Secondary Capture)."""
    image = start_image(study, SecondaryCaptureImageStorage, phantom_uid(identity, "dose page"))
    for keyword in ("FrameOfReferenceUID", "PositionReferenceIndicator"):
        delattr(image, keyword)
    image.SeriesInstanceUID = phantom_uid(identity, "series", "dose page")
    set_series(image, 501, "Patient Protocol", STUDY_ENDED_AT)
    image.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    image.Laterality = ""
    image.ConversionType = "WSD"
    image.InstanceNumber = 1
    image.PatientOrientation = ""
    image.BurnedInAnnotation = "NO"
    image.ImageComments = SYNTHETIC_NOTE
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = page.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 8, 8, 7
    image.PixelRepresentation = 0
    image.PixelData = page.tobytes()
    image["PixelData"].VR = "OB"
    return image


def draw_dose_page() -> NDArray[np.uint8]:
    """The table of a dose page as pixels."""
    page = Image.new("L", PAGE_SIZE, 0)
    draw = ImageDraw.Draw(page)
    lines = ["SYNTHETIC PHANTOM - no patient, no dose", "", "Series   kV   mAs   CTDIvol   DLP"]
    lines += [
        f"{scan.series_number:>6}   120   130   8.80 mGy   211 mGy cm" for scan in PHASE_SCANS
    ]
    for row, line in enumerate(lines):
        draw.text((24, 32 + 18 * row), line, fill=230)
    return np.asarray(page, np.uint8)
