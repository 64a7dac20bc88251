"""Who made a result: UIDs, equipment, series (DESIGN decision 3, IHE AIR).

Output UIDs come from :meth:`AnalysisContext.derive_uid`: a function of the job and the role
of the object alone, so a retry writes the same UIDs and overwrites itself in the PACS.
"""

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from engine.coding import dicom
from engine.values.provenance import AnalysisContext, ModelIdentity
from engine.values.result import AnalysisResult

MANUFACTURER = "HepatoCast"
DEVICE_NAME = "HEPATOCAST"
MODEL_NAME = "HepatoCast engine"
IMPLEMENTATION_CLASS_UID = "2.25.327876511506502142712256098099940373335"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRole:
    """One kind of output series."""

    role: str
    number: int
    description: str
    modality: str


SEG_SERIES = SeriesRole(
    role="seg", number=9101, description="HepatoCast SEG (RESEARCH ONLY)", modality="SEG"
)
SR_SERIES = SeriesRole(
    role="sr", number=9102, description="HepatoCast SR (RESEARCH ONLY)", modality="SR"
)
SC_SERIES = SeriesRole(
    role="sc", number=9103, description="HepatoCast key images (RESEARCH ONLY)", modality="OT"
)
PDF_SERIES = SeriesRole(
    role="pdf", number=9104, description="HepatoCast report (RESEARCH ONLY)", modality="DOC"
)
RTSTRUCT_SERIES = SeriesRole(
    role="rtstruct",
    number=9105,
    description="HepatoCast RTSTRUCT (RESEARCH ONLY)",
    modality="RTSTRUCT",
)


def series_uid(context: AnalysisContext, series: SeriesRole) -> str:
    """Series Instance UID of an output series."""
    return context.derive_uid("report", series.role, "series")


def instance_uid(context: AnalysisContext, series: SeriesRole, number: int = 1) -> str:
    """SOP Instance UID of the n-th object of an output series."""
    return context.derive_uid("report", series.role, str(number))


def liver_tracking_uid(result: AnalysisResult) -> str:
    """Tracking UID of the liver, shared by SEG and SR; a correction keeps it."""
    if result.revision is not None and result.revision.liver_tracking_uid:
        return result.revision.liver_tracking_uid
    return result.context.derive_uid("tracking", "liver")


def device_serial_number(model: ModelIdentity | None) -> str:
    """The part of the model's checksum that tells installations of the device apart."""
    return model.sha256[:16] if model else "no-model"


def code_item(code: Code) -> Dataset:
    """A code sequence item (PS3.3 table 8.8-1)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def contributing_equipment(
    context: AnalysisContext, model: ModelIdentity | None, source: Dataset
) -> list[Dataset]:
    """What made the images and what made the result (IHE AIR; PS3.3 C.12.1).

    Args:
        context: Software version and moment.
        model: The model package behind the result; None when no model ran.
        source: Header of a source image, for the scanner.
    """
    scanner = Dataset()
    scanner.PurposeOfReferenceCodeSequence = [code_item(dicom.ACQUISITION_EQUIPMENT)]
    scanner.Manufacturer = str(source.get("Manufacturer") or "UNKNOWN")
    for keyword in ("ManufacturerModelName", "DeviceSerialNumber", "StationName"):
        if source.get(keyword):
            setattr(scanner, keyword, str(source.get(keyword)))
    engine = Dataset()
    engine.PurposeOfReferenceCodeSequence = [code_item(dicom.PROCESSING_EQUIPMENT)]
    engine.Manufacturer = MANUFACTURER
    engine.ManufacturerModelName = MODEL_NAME
    engine.SoftwareVersions = context.software_version
    engine.ContributionDateTime = format_datetime(context)
    engine.ContributionDescription = "Image analysis, research use only"
    if model is None:
        return [scanner, engine]
    network = Dataset()
    network.PurposeOfReferenceCodeSequence = [code_item(dicom.PROCESSING_EQUIPMENT)]
    network.Manufacturer = MANUFACTURER
    network.ManufacturerModelName = model.name[:64]
    network.SoftwareVersions = model.version[:64]
    network.DeviceSerialNumber = device_serial_number(model)
    network.ContributionDateTime = format_datetime(context)
    network.ContributionDescription = f"Model package SHA-256 {model.sha256}"
    return [scanner, engine, network]


def format_datetime(context: AnalysisContext) -> str:
    """The context's moment as DICOM DT with its offset from UTC."""
    return context.created_at.strftime("%Y%m%d%H%M%S%z")


def implementation_version(context: AnalysisContext) -> str:
    """Implementation Version Name, at most 16 characters."""
    return f"HCAST_{context.software_version}"[:16]
