"""What the reporting stage hands over: named bytes, and how they were asked for."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum


class ReportKind(StrEnum):
    """What a report file is."""

    SEG = "SEG"
    SR = "SR"
    SC = "SC"
    PDF = "PDF"
    RTSTRUCT = "RTSTRUCT"
    JSON = "JSON"
    TABLE = "TABLE"


class SegmentationType(StrEnum):
    """How segments are stored (PS3.3 C.8.20.2.3)."""

    BINARY = "BINARY"
    LABELMAP = "LABELMAP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One finished file of a result.

    Attributes:
        name: File name without a folder; never carries patient data.
        kind: What it is.
        content: The bytes as they go to disk or into a C-STORE.
        sop_class_uid, sop_instance_uid: DICOM identity; empty for other files.
        series_instance_uid: Series of the DICOM object; empty for other files.
    """

    name: str
    kind: ReportKind
    content: bytes = field(repr=False)
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""

    @property
    def is_dicom(self) -> bool:
        """Tell whether the file is a DICOM object that a PACS can take."""
        return bool(self.sop_instance_uid)

    @property
    def sha256(self) -> str:
        """Checksum of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Choices of the caller.

    Attributes:
        segmentation_type: BINARY keeps the whole liver as a segment under its lesions and
            is what viewers support; LABELMAP holds liver parenchyma and lesions apart.
            Orthanc 1.10 serves no frames of a BINARY image whose columns are no multiple
            of 8 ("Bad number of columns"), so such sources show in viewers as LABELMAP only.
        maximum_key_images: Lesions that get a page of their own, largest first.
        rtstruct: Also write an RT Structure Set.
        attachments: Finished files that are published with the result and listed in it.
    """

    segmentation_type: SegmentationType = SegmentationType.BINARY
    maximum_key_images: int = 6
    rtstruct: bool = False
    attachments: tuple[ReportFile, ...] = ()
