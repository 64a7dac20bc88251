"""Concepts of the DICOM Controlled Terminology (scheme DCM, PS3.16 annex D)."""

from pydicom.sr.coding import Code

SCHEME = "DCM"

IMAGING_MEASUREMENT_REPORT = Code("126000", SCHEME, "Imaging Measurement Report")
LANGUAGE = Code("121049", SCHEME, "Language of Content Item and Descendants")
OBSERVER_TYPE = Code("121005", SCHEME, "Observer Type")
DEVICE = Code("121007", SCHEME, "Device")
DEVICE_OBSERVER_UID = Code("121012", SCHEME, "Device Observer UID")
DEVICE_OBSERVER_NAME = Code("121013", SCHEME, "Device Observer Name")
DEVICE_OBSERVER_MANUFACTURER = Code("121014", SCHEME, "Device Observer Manufacturer")
DEVICE_OBSERVER_MODEL = Code("121015", SCHEME, "Device Observer Model Name")
DEVICE_OBSERVER_SERIAL = Code("121016", SCHEME, "Device Observer Serial Number")
PROCEDURE_REPORTED = Code("121058", SCHEME, "Procedure reported")

IMAGE_LIBRARY = Code("111028", SCHEME, "Image Library")
IMAGE_LIBRARY_GROUP = Code("126200", SCHEME, "Image Library Group")
MODALITY = Code("121139", SCHEME, "Modality")
COMPUTED_TOMOGRAPHY = Code("CT", SCHEME, "Computed Tomography")
FRAME_OF_REFERENCE_UID = Code("112227", SCHEME, "Frame of Reference UID")
PIXEL_DATA_ROWS = Code("110910", SCHEME, "Pixel Data Rows")
PIXEL_DATA_COLUMNS = Code("110911", SCHEME, "Pixel Data Columns")
HORIZONTAL_PIXEL_SPACING = Code("111026", SCHEME, "Horizontal Pixel Spacing")
VERTICAL_PIXEL_SPACING = Code("111066", SCHEME, "Vertical Pixel Spacing")
SLICE_THICKNESS = Code("112225", SCHEME, "Slice Thickness")
IMAGE_POSITION = (
    Code("110901", SCHEME, "Image Position (Patient) X"),
    Code("110902", SCHEME, "Image Position (Patient) Y"),
    Code("110903", SCHEME, "Image Position (Patient) Z"),
)
IMAGE_ORIENTATION = (
    Code("110904", SCHEME, "Image Orientation (Patient) Row X"),
    Code("110905", SCHEME, "Image Orientation (Patient) Row Y"),
    Code("110906", SCHEME, "Image Orientation (Patient) Row Z"),
    Code("110907", SCHEME, "Image Orientation (Patient) Column X"),
    Code("110908", SCHEME, "Image Orientation (Patient) Column Y"),
    Code("110909", SCHEME, "Image Orientation (Patient) Column Z"),
)

IMAGING_MEASUREMENTS = Code("126010", SCHEME, "Imaging Measurements")
DERIVED_IMAGING_MEASUREMENTS = Code("126011", SCHEME, "Derived Imaging Measurements")
MEASUREMENT_GROUP = Code("125007", SCHEME, "Measurement Group")
TRACKING_IDENTIFIER = Code("112039", SCHEME, "Tracking Identifier")
TRACKING_UID = Code("112040", SCHEME, "Tracking Unique Identifier")
FINDING = Code("121071", SCHEME, "Finding")
REFERENCED_SEGMENT = Code("121191", SCHEME, "Referenced Segment")
SOURCE_SERIES_FOR_SEGMENTATION = Code("121232", SCHEME, "Source series for segmentation")
SOURCE_IMAGE_FOR_SEGMENTATION = Code("121233", SCHEME, "Source image for segmentation")
SOURCE_IMAGE_FOR_PROCESSING = Code("121322", SCHEME, "Source image for image processing operation")
SOURCE_IMAGE = Code("121324", SCHEME, "Source image")
SOURCE_OF_MEASUREMENT = Code("121112", SCHEME, "Source of Measurement")
IMAGE_REGION = Code("111030", SCHEME, "Image Region")
DERIVATION = Code("121401", SCHEME, "Derivation")
ALGORITHM_NAME = Code("111001", SCHEME, "Algorithm Name")
ALGORITHM_VERSION = Code("111003", SCHEME, "Algorithm Version")
ALGORITHM_PARAMETERS = Code("111002", SCHEME, "Algorithm Parameters")
ATTENUATION_COEFFICIENT = Code("112031", SCHEME, "Attenuation Coefficient")
CERTAINTY_OF_FINDING = Code("111012", SCHEME, "Certainty of Finding")
COMMENT = Code("121106", SCHEME, "Comment")
MALE = Code("M", SCHEME, "Male")
FEMALE = Code("F", SCHEME, "Female")
CONTRAST_PHASE = Code("109058", SCHEME, "Contrast Phase")
IMPRESSION = Code("121073", SCHEME, "Impression")
FINDINGS_SUMMARY = Code("111017", SCHEME, "CAD Processing and Findings Summary")
SUCCEEDED_WITH_FINDINGS = Code("111242", SCHEME, "All algorithms succeeded; with findings")
SUCCEEDED_WITHOUT_FINDINGS = Code("111241", SCHEME, "All algorithms succeeded; without findings")
NONE_SUCCEEDED = Code("111245", SCHEME, "No algorithms succeeded; without findings")

SEGMENTATION = Code("113076", SCHEME, "Segmentation")
ARTIFICIAL_INTELLIGENCE = Code("123110", SCHEME, "Artificial Intelligence")
PROCESSING_EQUIPMENT = Code("109102", SCHEME, "Processing Equipment")
ACQUISITION_EQUIPMENT = Code("109101", SCHEME, "Acquisition Equipment")
