"""Which of a patient's earlier studies are worth fetching: a pure decision with its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dicom_node.settings import PriorRule


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorSeries:
    """One series of an earlier study, as its holder describes it.

    Attributes:
        instances: Number of instances; 0 when the holder does not say.
    """

    series_uid: str
    modality: str
    body_part: str = ""
    description: str = ""
    instances: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorStudy:
    """One study of the same patient.

    Attributes:
        source: Who holds it: the name of a peer or server, or "here".
        place: Folder below the shared folder when it is here already.
    """

    study_uid: str
    study_date: str
    description: str
    series: tuple[PriorSeries, ...]
    source: str
    place: str = ""

    @property
    def instances(self) -> int:
        """Number of instances of its series, as far as its holder says."""
        return sum(series.instances for series in self.series)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is fetched, latest study first, and how many were not and why."""

    chosen: tuple[PriorStudy, ...]
    left_out: tuple[str, ...]


def read_date(text: str) -> date | None:
    """A DICOM date (PS3.5 6.2, VR DA), or None when it is none."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def choose_priors(
    rule: PriorRule, study_uid: str, study_date: date, found: Sequence[PriorStudy]
) -> Choice:
    """Apply a rule: earlier by date, young enough, fitting series, the latest few.

    Args:
        study_uid: The current study; it is never its own prior.
        study_date: Of the current study; a prior is at least one day older.
        found: Studies of the same patient; one that is here wins over the same from elsewhere
            unless that has more instances.

    Returns:
        The chosen studies with only the series that fit.
    """
    fitting: list[PriorStudy] = []
    reasons: list[str] = []
    for study in _merge(found):
        if study.study_uid == study_uid:
            continue
        reason, series = _judge(rule, study, study_date)
        if reason:
            reasons.append(reason)
        else:
            fitting.append(
                PriorStudy(
                    study_uid=study.study_uid, study_date=study.study_date,
                    description=study.description, series=series, source=study.source,
                    place=study.place,
                )
            )  # fmt: skip
    fitting.sort(key=lambda study: (study.study_date, study.study_uid), reverse=True)
    beyond = len(fitting) - rule.maximum_studies
    if beyond > 0:
        reasons += [f"beyond the latest {rule.maximum_studies}"] * beyond
    told = tuple(f"{reasons.count(r)} {r}" for r in sorted(set(reasons)))
    return Choice(tuple(fitting[: rule.maximum_studies]), told)


def _merge(found: Sequence[PriorStudy]) -> list[PriorStudy]:
    best: dict[str, PriorStudy] = {}
    for study in sorted(found, key=lambda s: (s.instances, bool(s.place))):
        best[study.study_uid] = study
    return list(best.values())


def _judge(
    rule: PriorRule, study: PriorStudy, current: date
) -> tuple[str, tuple[PriorSeries, ...]]:
    """Why a study is not taken, or the series that are."""
    series = tuple(s for s in study.series if s.modality in rule.modalities)
    in_region = tuple(s for s in series if _is_region(rule, study, s))
    day = read_date(study.study_date)
    checks = [
        (day is None, "without a study date"),
        (day is not None and day >= current, "not earlier"),
        (
            day is not None and (current - day).days > rule.maximum_age_days,
            f"older than {rule.maximum_age_days:g} days",
        ),
        (not series, f"without {'/'.join(rule.modalities)}"),
        (not in_region, "of another body region"),
        (
            sum(s.instances for s in in_region) > rule.maximum_instances,
            f"with more than {rule.maximum_instances} instances",
        ),
    ]
    return next((reason for fails, reason in checks if fails), ""), in_region


def _is_region(rule: PriorRule, study: PriorStudy, series: PriorSeries) -> bool:
    """Body part or words: either is enough; neither configured takes every series."""
    if not rule.body_parts and not rule.description_contains:
        return True
    if series.body_part.upper() in {part.upper() for part in rule.body_parts}:
        return True
    told = f"{study.description} {series.description}".casefold()
    return any(word.casefold() in told for word in rule.description_contains)
