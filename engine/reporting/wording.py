"""Sentences and table rows that all reports share, so that no two of them disagree."""

from engine.values.lesion import Lesion, TumorBurden
from engine.values.result import AnalysisResult

BURDEN_ASSUMPTION = (
    "Criteria are judged by lesion size and number alone and assume no macrovascular invasion "
    "and no extrahepatic disease, which this software does not look for."
)
LESION_MEANING = (
    "A lesion is a connected region that the model marked as tumor; it may be benign, and a "
    "tumor may have been missed."
)
NO_LESION = "No lesion found in the liver."
LESION_HEADINGS = (
    "No.",
    "Long axis",
    "Short axis",
    "Max 3D",
    "Volume",
    "Mean",
    "To capsule",
    "Confidence",
)


def findings_sentence(result: AnalysisResult) -> str:
    """The whole finding in one sentence."""
    burden = result.findings.burden
    liver = f"Liver volume {burden.liver_volume_ml:.0f} mL"
    if not result.findings.lesions:
        return f"{liver}. {NO_LESION}"
    count = "one lesion" if burden.number == 1 else f"{burden.number} lesions"
    return (
        f"{liver} with {count}, the largest {burden.largest_mm:.1f} mm; "
        f"tumor volume {burden.total_volume_ml:.1f} mL, {burden.tumor_fraction:.1%} of the liver."
    )


def lesion_row(lesion: Lesion) -> tuple[str, ...]:
    """Cells of one lesion under LESION_HEADINGS."""
    return (
        str(lesion.number),
        f"{lesion.long_axis.length_mm:.1f} mm",
        f"{lesion.short_axis.length_mm:.1f} mm",
        f"{lesion.maximum_3d_diameter.length_mm:.1f} mm",
        f"{lesion.volume_ml:.1f} mL",
        f"{lesion.mean_hu:.0f} HU",
        f"{lesion.capsule_distance_mm:.1f} mm",
        "–" if lesion.confidence is None else f"{lesion.confidence:.2f}",
    )


def judge(within: bool | None) -> str:
    """A criterion in a word."""
    return {True: "within", False: "outside", None: "not decided"}[within]


def criteria_rows(burden: TumorBurden) -> tuple[tuple[str, str, str], ...]:
    """Name, outcome and rule of each size-and-number criterion."""
    score = burden.tumor_burden_score
    return (
        (
            "Milan",
            judge(burden.within_milan),
            "one of at most 50 mm, or two to three of at most 30 mm each",
        ),
        (
            "UCSF",
            judge(burden.within_ucsf),
            "one of at most 65 mm, or two to three of at most 45 mm, sum at most 80 mm",
        ),
        (
            "Up-to-seven",
            judge(burden.within_up_to_seven),
            "largest diameter in cm plus number of lesions at most 7",
        ),
        (
            "Tumor burden score",
            "not defined" if score is None else f"{score:.2f}",
            "square root of largest diameter in cm squared plus number squared",
        ),
    )


def format_value(value: float | str | None) -> str:
    """A number without needless digits, a word as it is, a dash for nothing."""
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def short_uid(uid: str) -> str:
    """The end of a UID, enough to tell series of one study apart."""
    return uid if len(uid) <= 16 else f"…{uid[-12:]}"


def model_sentence(result: AnalysisResult) -> str:
    """Model, version and the start of its checksum."""
    model = result.model
    return f"Model {model.name} {model.version}, SHA-256 {model.sha256[:16]}…"
