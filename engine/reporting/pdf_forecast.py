"""The PDF's pages on prognosis: each forecast with everything that limits it, and nomograms."""

from reportlab.platypus import Flowable, KeepTogether, PageBreak, Spacer, Table

from engine.reporting.forecast_words import (
    PREMISE,
    bound_sentences,
    effect_note,
    headline,
    horizon_rows,
    is_forecast,
)
from engine.reporting.nomogram_drawing import NomogramFlowable
from engine.reporting.pdf_forecast_charts import ContributionChart, SurvivalChart
from engine.reporting.pdf_style import BARE, TEXT_WIDTH, callout, heading, paragraph, table
from engine.values.nomogram import Nomogram
from engine.values.prognosis import RiskPrediction
from engine.values.result import AnalysisResult

MAXIMUM_CONTRIBUTIONS = 12
NOMOGRAM_SHARE = 0.87
ROOM = 600.0
"""A forecast takes a page with everything that limits it."""
HOW_TO_READ = (
    "Red marks this patient. Each predictor's place gives its points on the top scale; their "
    "total, carried down along the red line, meets the event-free probability of each time."
)


def forecasts(result: AnalysisResult) -> list[Flowable]:
    """Predictions with curve, horizons, contributions and limits; refusals with their reason."""
    parts: list[Flowable] = []
    if result.predictions or any(map(is_forecast, result.refusals)):
        room = ROOM if result.predictions else 120
        parts = [*heading("Prognosis", room), paragraph(PREMISE, "small")]
    for number, prediction in enumerate(result.predictions):
        parts += [PageBreak()] if number else []
        parts += _forecast(prediction)
    parts += _refusals(result)
    if result.nomograms:
        parts += [PageBreak(), paragraph("Nomograms", "section"), paragraph(HOW_TO_READ, "small")]
    for nomogram in result.nomograms:
        parts += _nomogram(nomogram)
    return parts


def _forecast(prediction: RiskPrediction) -> list[Flowable]:
    checksum = f", SHA-256 {prediction.package_sha256[:16]}…" if prediction.package_sha256 else ""
    half = TEXT_WIDTH * 0.54
    heads = ("Months", "Event-free", prediction.interval)
    horizons = table([heads, *horizon_rows(prediction)], (0.8, 1.2, 2), share=0.45)
    beside = Table(
        [[horizons], *([paragraph(told, "small")] for told in bound_sentences(prediction))],
        colWidths=[TEXT_WIDTH - half],
        style=BARE,
    )
    opening: list[Flowable] = [
        paragraph(prediction.outcome, "subsection"),
        callout(headline(prediction)),
        Spacer(1, 3),
        paragraph(f"Model {prediction.package}{checksum}.", "small"),
    ]
    if prediction.flags:
        opening += [callout(" ".join(_sentence(f) for f in prediction.flags), caution=True)]
    chart = SurvivalChart(prediction, half - 10)
    row = Table([[chart, beside]], colWidths=[half, TEXT_WIDTH - half], style=BARE)
    return [
        KeepTogether([*opening, Spacer(1, 5), row]),
        *_contributions(prediction),
        KeepTogether([_ground(prediction)]),
    ]


def _contributions(prediction: RiskPrediction) -> list[Flowable]:
    if not prediction.contributions:
        return []
    shown = prediction.contributions[:MAXIMUM_CONTRIBUTIONS]
    rest = prediction.contributions[MAXIMUM_CONTRIBUTIONS:]
    note = effect_note(prediction)
    if rest:
        note += f" {len(rest)} smaller ones, {sum(c.effect for c in rest):+.2f} together."
    return [
        KeepTogether(
            [
                paragraph("What moved this forecast", "subsection"),
                ContributionChart(shown, TEXT_WIDTH),
                paragraph(note, "small"),
            ]
        )
    ]


def _ground(prediction: RiskPrediction) -> Table:
    """What the forecast rests on and lacks at the left, its limits at the right."""
    used = ", ".join(prediction.used_modalities) or "nothing"
    left: list[Flowable] = [
        paragraph("Rests on", "head"),
        paragraph(used, "small"),
        paragraph("Missing, and what was done", "head"),
    ]
    left += [paragraph(f"• {_sentence(text)}", "small") for text in prediction.missing] or [
        paragraph("nothing", "small")
    ]
    right: list[Flowable] = [paragraph("Limits", "head")]
    right += [paragraph(f"• {_sentence(text)}", "small") for text in prediction.limits]
    half = TEXT_WIDTH / 2
    columns = [
        Table([[item] for item in items], colWidths=[half - 8], style=BARE)
        for items in (left, right)
    ]
    return Table([columns], colWidths=[half, half], style=BARE, spaceBefore=4)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _nomogram(nomogram: Nomogram) -> list[Flowable]:
    drawing = NomogramFlowable(nomogram, TEXT_WIDTH * NOMOGRAM_SHARE)
    drawing.hAlign = "CENTER"
    return [KeepTogether([drawing, Spacer(1, 8)])]


def _refusals(result: AnalysisResult) -> list[Flowable]:
    refused = [(r.name, r.reason) for r in result.refusals if is_forecast(r)]
    if not refused:
        return []
    rows: list[tuple[str | Flowable, ...]] = [("Not predicted", "Reason"), *refused]
    return [
        KeepTogether([paragraph("What was refused, and why", "subsection"), table(rows, (1.4, 4))])
    ]
