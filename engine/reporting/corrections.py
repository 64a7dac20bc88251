"""What a person changed, in the words that SR, PDF and the command line share."""

from reportlab.platypus import Flowable, Spacer

from engine.reporting.pdf_style import paragraph, table
from engine.values.revision import Decision, Observer, Revision, RiskChange, SegmentChange

NOT_COMPARED = (
    "The automatic result was not at hand: segments are stated as semiautomatic and nothing "
    "could be compared."
)


def observer_sentence(observer: Observer | None) -> str:
    """Who verified the result, and when."""
    if observer is None:
        return "Corrected contours; nobody has verified this result."
    moment = observer.verified_at.strftime("%Y-%m-%d %H:%M %z")
    return f"Corrected and verified by {observer.name}, {observer.organization}, {moment}."


def change_sentence(change: SegmentChange) -> str:
    """One segment's change in a sentence."""
    told = "" if change.decision is Decision.NOT_REVIEWED else f" ({change.decision.value})"
    if not change.now:
        return f"{change.was}: removed, was {_ml(change.volume_before_ml)}{told}."
    if not change.was:
        return f"{change.now}: added by hand, {_ml(change.volume_ml)}{told}."
    name = change.now if change.now == change.was else f"{change.now} (was {change.was})"
    if change.dice is None:
        return f"{name}: {_ml(change.volume_ml)}, not compared{told}."
    if change.dice == 1.0:
        return f"{name}: unchanged, {_ml(change.volume_ml)}{told}."
    return (
        f"{name}: {_ml(change.volume_before_ml)} to {_ml(change.volume_ml)}, "
        f"Dice {change.dice:.3f}{told}."
    )


def risk_sentence(change: RiskChange) -> str:
    """One risk package's change in a sentence."""
    before, now = change.group_before or "no answer", change.group or "no answer"
    groups = f"{now} risk, unchanged group" if before == now else f"{before} to {now} risk"
    parts = [f"{change.outcome} ({change.package}): {groups}"]
    if change.percentile_before is not None and change.percentile is not None:
        parts.append(f"percentile {change.percentile_before:.0f} to {change.percentile:.0f}")
    parts += [
        f"{month:g} months {before_:.0%} to {now_:.0%}" for month, before_, now_ in change.survival
    ]
    return "; ".join(parts) + "."


def correction_sentences(revision: Revision | None) -> tuple[str, ...]:
    """Everything a correction changed; nothing for an automatic result."""
    if revision is None:
        return ()
    told = [observer_sentence(revision.observer)]
    if not revision.automatic_job_id:
        told.append(NOT_COMPARED)
    told += [change_sentence(change) for change in revision.changes]
    told += [risk_sentence(change) for change in revision.risks]
    return tuple(told)


def correction_section(revision: Revision | None) -> list[Flowable]:
    """The PDF's section on what was corrected."""
    if revision is None:
        return []
    rows = [("Segment", "Automatic", "Corrected", "Dice", "Drawn", "Observer said")]
    rows += [
        (
            change.now or f"{change.was} (removed)",
            _ml(change.volume_before_ml),
            _ml(change.volume_ml),
            "–" if change.dice is None else f"{change.dice:.3f}",
            change.origin.value.lower(),
            change.decision.value,
        )
        for change in revision.changes
    ]
    parts: list[Flowable] = [
        paragraph("Correction", "section"),
        paragraph(observer_sentence(revision.observer)),
        table(rows, (2, 1.2, 1.2, 0.8, 1.3, 1.3)),
        Spacer(1, 3),
    ]
    if not revision.automatic_job_id:
        parts.append(paragraph(NOT_COMPARED, "small"))
    return parts + [paragraph(risk_sentence(change), "small") for change in revision.risks]


def _ml(volume_ml: float | None) -> str:
    return "–" if volume_ml is None else f"{volume_ml:.1f} mL"
