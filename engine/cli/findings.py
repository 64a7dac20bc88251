"""The table a person sees after an analysis."""

from pathlib import Path
from typing import TextIO

from engine.cli.request import Outcome
from engine.values.lesion import Lesion
from engine.values.prognosis import Score
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult


def print_findings(outcome: Outcome, folder: Path, out: TextIO) -> None:
    """Print findings, scores, files and seconds as one readable block."""
    result, seconds = outcome.result, outcome.seconds
    lines = [*_summary(result), "", *_lesions(result), "", *_scores(result.scores)]
    lines += ["", *_predictions(result)]
    lines += [f"! {warning}" for warning in result.warnings]
    lines += ["", "Files"]
    lines += [f"  {file.kind:<5} {folder / file.name}" for file in outcome.files]
    spent = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    lines += ["", f"Seconds: {spent}; total {sum(seconds.values()):.1f}", RESEARCH_USE_STATEMENT]
    out.write("\n".join(lines) + "\n")


def _summary(result: AnalysisResult) -> list[str]:
    burden = result.findings.burden
    shape = "×".join(str(n) for n in result.reference.geometry.shape[::-1])
    return [
        "",
        f"Liver {burden.liver_volume_ml:.0f} mL, {burden.number} lesion(s), "
        f"{burden.tumor_fraction:.1%} of the liver",
        f"Series: {result.reference.series.phase.value}, {shape} voxels; "
        f"model {result.model.name} {result.model.version} on {result.device.execution_provider}",
    ]


def _lesions(result: AnalysisResult) -> list[str]:
    if not result.findings.lesions:
        return ["No lesion found."]
    rows = ["Lesion  long axis  short axis     volume  to capsule  mean HU  confidence"]
    rows += [
        f"{lesion.number:>6}  {lesion.long_axis.length_mm:>6.1f} mm  "
        f"{lesion.short_axis.length_mm:>7.1f} mm  {lesion.volume_ml:>6.1f} mL  "
        f"{lesion.capsule_distance_mm:>7.1f} mm  {lesion.mean_hu:>7.0f}  {_confidence(lesion):>10}"
        for lesion in result.findings.lesions
    ]
    burden = result.findings.burden
    criteria = (
        ("Milan", burden.within_milan),
        ("UCSF", burden.within_ucsf),
        ("up-to-seven", burden.within_up_to_seven),
    )
    words = {True: "within", False: "beyond", None: "undecided"}
    told = ", ".join(f"{name} {words[value]}" for name, value in criteria)
    if burden.tumor_burden_score is not None:
        rows.append(f"Tumor burden score {burden.tumor_burden_score:.2f}; {told}")
    return rows


def _confidence(lesion: Lesion) -> str:
    """The network's certainty; a drawn lesion has none."""
    return "–" if lesion.confidence is None else f"{lesion.confidence:.2f}"


def _scores(scores: tuple[Score, ...]) -> list[str]:
    computed = [
        f"  {score.name:<25} {_shown(score):>6}  {score.category}"
        for score in scores
        if score.value is not None
    ]
    refused = [score for score in scores if score.value is None]
    lines = ["Scores", *computed] if computed else []
    if refused:
        lines.append(f"  not computed: {len(refused)} scores, inputs missing (see the report)")
    return lines


def _predictions(result: AnalysisResult) -> list[str]:
    lines = []
    for prediction in result.predictions:
        lines.append(
            f"{prediction.outcome} ({prediction.package}): {prediction.risk_group} risk, "
            f"percentile {prediction.percentile:.0f} of the development cohort"
        )
        for month in (12.0, 24.0, 60.0):
            if month in prediction.times_months:
                at = prediction.times_months.index(month)
                lines.append(
                    f"  {month:>3.0f} months {prediction.survival[at]:.0%} "
                    f"({prediction.lower[at]:.0%} to {prediction.upper[at]:.0%}, "
                    f"{prediction.interval})"
                )
        lines += [f"  ! {flag}" for flag in prediction.flags]
    lines += [f"Not computed: {refusal.name}: {refusal.reason}" for refusal in result.refusals]
    return lines


def _shown(score: Score) -> str:
    """The number of a score; a criterion has none, only within or outside."""
    if score.value is None or score.name.lower().endswith("criteria"):
        return "–"
    return f"{score.value:.2f}"
