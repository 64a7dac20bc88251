"""Secondary Capture objects (PS3.3 A.8.1): one RGB image per page, in one series."""

from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from engine.reporting.attributes import encode, make_object
from engine.reporting.identity import MANUFACTURER, MODEL_NAME, SC_SERIES
from engine.reporting.key_images import Viewer
from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.sc_pages import draw_pages, draw_refusal
from engine.values.identity import ImageReference
from engine.values.provenance import AnalysisContext, ModelIdentity
from engine.values.result import AnalysisResult, NotAnalyzed


def _image(
    target: Dataset,
    picture: Image.Image,
    description: str,
    source: ImageReference | None,
) -> None:
    """Fill the image modules of one page."""
    context_moment = (target.ContentDate, target.ContentTime)
    target.ConversionType = "WSD"
    target.DateOfSecondaryCapture, target.TimeOfSecondaryCapture = context_moment
    target.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    target.SecondaryCaptureDeviceManufacturerModelName = MODEL_NAME
    target.SecondaryCaptureDeviceSoftwareVersions = target.SoftwareVersions
    target.ImageType = ["DERIVED", "SECONDARY"]
    target.BodyPartExamined = "LIVER"
    target.PatientOrientation = ""
    target.BurnedInAnnotation = "NO"
    target.DerivationDescription = "Key image of an image analysis, research use only"
    target.ImageComments = f"{description}, research use only"
    if source is not None:
        reference = Dataset()
        reference.ReferencedSOPClassUID = source.sop_class_uid
        reference.ReferencedSOPInstanceUID = source.sop_instance_uid
        if source.frame_number is not None:
            reference.ReferencedFrameNumber = source.frame_number
        target.SourceImageSequence = [reference]
    target.SamplesPerPixel, target.PhotometricInterpretation = 3, "RGB"
    target.PlanarConfiguration = 0
    target.Columns, target.Rows = picture.size
    target.BitsAllocated, target.BitsStored, target.HighBit = 8, 8, 7
    target.PixelRepresentation = 0
    target.PixelData = picture.convert("RGB").tobytes()


def _page_file(
    number: int,
    page: tuple[Image.Image, str, ImageReference | None],
    header: Dataset,
    context: AnalysisContext,
    model: ModelIdentity | None,
) -> ReportFile:
    target = make_object(
        SC_SERIES,
        SecondaryCaptureImageStorage,
        header,
        context,
        model,
        instance_number=number,
    )
    _image(target, *page)
    return ReportFile(
        name=f"key-image-{number:02d}.dcm",
        kind=ReportKind.SC,
        content=encode(target, context),
        sop_class_uid=str(target.SOPClassUID),
        sop_instance_uid=str(target.SOPInstanceUID),
        series_instance_uid=str(target.SeriesInstanceUID),
    )


def compose_sc(
    result: AnalysisResult, viewer: Viewer, maximum_key_images: int
) -> tuple[ReportFile, ...]:
    """Summary page, one page per lesion, largest first, then the nomograms."""
    volume = result.reference
    files = []
    for number, (picture, description, slice_index) in enumerate(
        draw_pages(result, viewer, maximum_key_images), 1
    ):
        source = None if slice_index is None else volume.slice_sources[slice_index][0]
        page = (picture, description, source)
        files.append(_page_file(number, page, volume.headers[0], result.context, result.model))
    return tuple(files)


def compose_refusal_sc(refused: NotAnalyzed) -> ReportFile:
    """The page that says "not analyzed"."""
    page = (draw_refusal(refused), "Not analyzed", None)
    return _page_file(1, page, refused.headers[0], refused.context, None)
