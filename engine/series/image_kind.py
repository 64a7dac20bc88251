"""Tell acquired CT slices from localizers, dose pages, projections and reformations.

Image Type value 3 and 4 are CT's own words (PS3.3 C.8.2.1.1.1, C.8.15.2.1); vendors add
theirs. Descriptions are only consulted for words that have one meaning.
"""

import re
from dataclasses import dataclass

from engine.series.attributes import decoded_text, item, text, texts
from engine.series.headers import Instance
from engine.series.planes import CT_CLASSES

LOCALIZER_TYPES = frozenset(("LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW"))
PAGE_TYPES = frozenset(
    ("DOSE", "DOSE_INFO", "DOSE REPORT", "SCREEN SAVE", "SCREEN_SAVE", "SCREENSAVE", "EVALUATION")
)
PROJECTION_TYPES = frozenset(
    (
        "MIP",
        "MINIP",
        "MIN_IP",
        "MAX_IP",
        "MAXIMUM",
        "MINIMUM",
        "PROJECTION IMAGE",
        "PROJECTION",
        "VRT",
        "VOLUME_RENDERING",
        "VOLUME RENDERING",
        "SSD",
        "CURVED_MPR",
        "CPR",
        "RADIAL",
    )
)
MAP_TYPES = frozenset(
    ("SUBTRACTION", "SUBTRACT", "PERFUSION", "IODINE", "IODINE_MAP", "MAP", "Z_EFF", "ELECTRON")
)
REFORMATTED_TYPES = frozenset(("MPR", "REFORMATTED", "MULTIPLANAR", "CSA MPR", "RESAMPLED"))

LOCALIZER_WORDS = re.compile(
    r"\b(scout|topogram\w*|surview|scanogram|localizer|localiser|pilot)\b", re.IGNORECASE
)
PAGE_WORDS = re.compile(
    r"\b(dose (report|info)|patient protocol|screen ?save|protocole patient)\b", re.IGNORECASE
)
TIMING_WORDS = re.compile(
    r"\b(smart ?prep|bolus ?track\w*|care ?bolus|test ?bolus|pre-?monitoring|monitoring|tracker|"
    r"sure ?start|i-?control)\b",
    re.IGNORECASE,
)
PROJECTION_WORDS = re.compile(r"\b(mip|minip|vrt|3d[ _-]?vr)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageKind:
    """What one object is; ``refusal`` is empty for CT slices."""

    refusal: str = ""
    is_original: bool = True
    is_reformatted: bool = False


def judge_image(instance: Instance) -> ImageKind:
    """Judge one object by modality, SOP class, Image Type and description."""
    if instance.modality != "CT":
        return ImageKind(refusal=f"Modality is {instance.modality or 'not stated'}, CT is needed")
    if instance.sop_class_uid not in CT_CLASSES:
        return ImageKind(refusal=f"SOP class {instance.sop_class_uid} holds no CT slices")
    types = _image_types(instance)
    refusal = _refuse(types, decoded_text(instance.header, "SeriesDescription"))
    return ImageKind(
        refusal=refusal,
        is_original=not types or types[0] != "DERIVED",
        is_reformatted=bool(REFORMATTED_TYPES & set(types)),
    )


def _image_types(instance: Instance) -> tuple[str, ...]:
    header = instance.header
    types = texts(header, "ImageType")
    shared = item(header, "SharedFunctionalGroupsSequence")
    frame_type = item(shared, "CTImageFrameTypeSequence") if shared is not None else None
    if frame_type is not None:
        types += texts(frame_type, "FrameType")
    return tuple(value.upper() for value in types)


def _refuse(types: tuple[str, ...], description: str) -> str:
    found = set(types)
    if found & LOCALIZER_TYPES or LOCALIZER_WORDS.search(description):
        return "localizer"
    if found & PAGE_TYPES or PAGE_WORDS.search(description):
        return "dose or screen page"
    if TIMING_WORDS.search(description):
        return "bolus timing scan"
    if found & PROJECTION_TYPES or PROJECTION_WORDS.search(description):
        return "projection or rendering, not slices"
    if found & MAP_TYPES:
        return f"computed map ({', '.join(sorted(found & MAP_TYPES)).lower()}), not HU of tissue"
    return ""


def kernel_of(instance: Instance) -> str:
    """Convolution Kernel, from the reconstruction group of a multi-frame image if need be."""
    header = instance.header
    shared = item(header, "SharedFunctionalGroupsSequence")
    reconstruction = item(shared, "CTReconstructionSequence") if shared is not None else None
    return text(header, "ConvolutionKernel") or (
        text(reconstruction, "ConvolutionKernel") if reconstruction is not None else ""
    )
