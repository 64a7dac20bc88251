"""The worklist: studies with their latest job, filtered in the database."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from dicom_node.index import Row
from dicom_node.schema import StudyState, jobs, studies

PAGE = 100
SECONDS_PER_DAY = 86400.0
SEARCHED = (
    studies.c.study_uid,
    studies.c.patient_id,
    studies.c.patient_name,
    studies.c.accession_number,
    studies.c.study_description,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader wants to see; empty fields filter nothing.

    Attributes:
        days: Received within so many days; 0: ever.
        page: Counts from 0.
    """

    words: str = ""
    state: str = ""
    source: str = ""
    rule: str = ""
    days: int = 0
    page: int = 0

    @property
    def is_used(self) -> bool:
        """Whether anything is left out."""
        return bool(self.words or self.state or self.source or self.rule or self.days)


@dataclass(frozen=True, slots=True)
class Worklist:
    """One page of it, and what the filters offer."""

    rows: list[Row]
    counts: dict[str, int]
    sources: list[str]
    rules: list[str]
    has_more: bool


def read_worklist(engine: sa.Engine, wanted: Filter) -> Worklist:
    """Read the studies that fit, latest arrival first."""
    latest = (
        sa.select(jobs.c.study_uid, sa.func.max(jobs.c.created_at).label("created_at"))
        .group_by(jobs.c.study_uid)
        .subquery()
    )
    is_worked = studies.c.state.in_((StudyState.IN_WORK, StudyState.DONE))
    shown = sa.case((is_worked, sa.func.coalesce(jobs.c.state, studies.c.state)),
                    else_=studies.c.state).label("shown")  # fmt: skip
    is_latest = sa.and_(
        jobs.c.study_uid == latest.c.study_uid, jobs.c.created_at == latest.c.created_at
    )
    joined = studies.outerjoin(latest, latest.c.study_uid == studies.c.study_uid).outerjoin(
        jobs, is_latest
    )
    query = sa.select(
        studies, shown, jobs.c.job_id, jobs.c.state.label("job_state"), jobs.c.rule,
        jobs.c.reason.label("job_reason"), jobs.c.stage, jobs.c.fraction,
    ).select_from(joined)  # fmt: skip
    query = query.where(*_conditions(wanted))
    if wanted.state:
        query = query.where(shown == wanted.state)
    query = query.order_by(studies.c.last_received_at.desc(), studies.c.study_uid)
    query = query.limit(PAGE + 1).offset(PAGE * wanted.page)
    count = sa.select(shown, sa.func.count()).select_from(joined).group_by(shown)
    with engine.connect() as connection:
        rows = list(connection.execute(query).mappings())
        counts = {str(row[0]): int(row[1]) for row in connection.execute(count)}
        sources = list(connection.execute(sa.select(studies.c.source).distinct()).scalars())
        rules = list(connection.execute(sa.select(jobs.c.rule).distinct()).scalars())
    return Worklist(
        rows[:PAGE], counts, sorted(filter(None, sources)), sorted(rules), len(rows) > PAGE
    )


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    for word in wanted.words.split()[:8]:
        found = [sa.func.lower(c).contains(word.lower(), autoescape=True) for c in SEARCHED]
        conditions.append(sa.or_(*found))
    if wanted.source:
        conditions.append(studies.c.source == wanted.source)
    if wanted.rule:
        conditions.append(jobs.c.rule == wanted.rule)
    if wanted.days > 0:
        conditions.append(studies.c.last_received_at > time.time() - wanted.days * SECONDS_PER_DAY)
    return conditions
