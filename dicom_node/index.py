"""Studies and instances in the database, and the timeline of both."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dicom_node.schema import StudyState, events, instances, jobs, objects, studies, switches

Row = sa.RowMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One instance as the inbox enters it; PHI is hidden from repr."""

    sop_instance_uid: str
    digest: str
    study_uid: str
    series_uid: str
    sop_class_uid: str
    modality: str
    body_part: str
    path: str
    byte_count: int
    source: str
    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    receiving_title: str = ""
    accession_number: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    study_description: str = field(default="", repr=False)


class Index:
    """Reads and writes studies, instances and events."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def enter(self, arrivals: Sequence[Arrival]) -> list[str]:
        """Enter instances in one transaction.

        A second copy with the same content changes nothing. The same UID with other
        content is kept beside the first and flagged. A new image of a study that was
        finished opens it again; the node's own results coming back do not.

        Returns:
            For each arrival: "new", "duplicate", "restored", "conflict" or "own".
        """
        with self.engine.begin() as connection:
            return [self._enter(connection, arrival) for arrival in arrivals]

    def _enter(self, connection: sa.Connection, arrival: Arrival) -> str:
        known = connection.execute(
            sa.select(instances.c.digest).where(
                instances.c.sop_instance_uid == arrival.sop_instance_uid
            )
        ).scalars()
        digests = set(known)
        if arrival.digest in digests:
            return self._restore(connection, arrival)
        is_own = self._is_own(connection, arrival.sop_instance_uid)
        verdict = "own" if is_own else "conflict" if digests else "new"
        now = time.time()
        values = {c.name: getattr(arrival, c.name, None) for c in instances.c}
        values |= {"received_at": now, "is_conflict": bool(digests), "is_own": is_own}
        connection.execute(self._insert(instances).values(values).on_conflict_do_nothing())
        self._touch_study(connection, arrival, now, reopen=verdict == "new")
        if verdict == "conflict":
            text = f"{arrival.sop_instance_uid} came again with other content; both are kept"
            add_event(connection, arrival.study_uid, "conflict", text)
        return verdict

    def _restore(self, connection: sa.Connection, arrival: Arrival) -> str:
        """A copy of what is known changes nothing, unless retention has deleted the first."""
        restored = connection.execute(
            instances.update()
            .where(instances.c.sop_instance_uid == arrival.sop_instance_uid)
            .where(instances.c.digest == arrival.digest, instances.c.path == "")
            .values(path=arrival.path, received_at=time.time())
        )
        if not restored.rowcount:
            return "duplicate"
        connection.execute(
            studies.update()
            .where(studies.c.study_uid == arrival.study_uid)
            .values(images_deleted_at=None)
        )
        is_own = self._is_own(connection, arrival.sop_instance_uid)
        self._touch_study(connection, arrival, time.time(), reopen=not is_own)
        return "restored"

    def _is_own(self, connection: sa.Connection, sop_instance_uid: str) -> bool:
        query = sa.select(objects.c.job_id).where(objects.c.sop_instance_uid == sop_instance_uid)
        return connection.execute(query).first() is not None

    def _touch_study(
        self, connection: sa.Connection, arrival: Arrival, now: float, *, reopen: bool
    ) -> None:
        first = {c.name: getattr(arrival, c.name, None) for c in studies.c}
        first |= {"first_received_at": now, "last_received_at": now, "reason": ""}
        first |= {"state": StudyState.RECEIVING if reopen else StudyState.IGNORED}
        first |= {"force_complete": False, "images_deleted_at": None}
        insert = self._insert(studies).values(first).on_conflict_do_nothing()
        is_first = connection.execute(insert).rowcount == 1
        if is_first:
            add_event(connection, arrival.study_uid, "received", "First instance received")
        if reopen and not is_first:
            reopened = connection.execute(
                studies.update()
                .where(studies.c.study_uid == arrival.study_uid)
                .where(studies.c.state != StudyState.RECEIVING)
                .values(state=StudyState.RECEIVING, reason="")
            )
            if reopened.rowcount:
                add_event(connection, arrival.study_uid, "received", "Further instances arrive")
            connection.execute(
                studies.update()
                .where(studies.c.study_uid == arrival.study_uid)
                .values(last_received_at=now)
            )

    def _insert(self, table: sa.Table) -> Any:  # noqa: ANN401  (either dialect's insert)
        dialect = sqlite if self.engine.dialect.name == "sqlite" else postgresql
        return dialect.insert(table)

    def list_receiving(self) -> list[tuple[str, int, bool]]:
        """(study, number of instances, force complete) of every study still arriving."""
        count = sa.func.count(instances.c.sop_instance_uid)
        query = (
            sa.select(studies.c.study_uid, count, studies.c.force_complete)
            .join(instances, instances.c.study_uid == studies.c.study_uid)
            .where(studies.c.state == StudyState.RECEIVING)
            .group_by(studies.c.study_uid, studies.c.force_complete)
        )
        with self.engine.connect() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    def find_study(self, study_uid: str) -> Row | None:
        """One study's row."""
        with self.engine.connect() as connection:
            query = studies.select().where(studies.c.study_uid == study_uid)
            return connection.execute(query).mappings().first()

    def list_instances(self, study_uid: str) -> list[Row]:
        """Instances of a study, first received first."""
        query = (
            instances.select()
            .where(instances.c.study_uid == study_uid)
            .order_by(instances.c.received_at, instances.c.sop_instance_uid)
        )
        with self.engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def holds(self, sop_instance_uid: str) -> bool:
        """Tell whether an instance is held here."""
        query = sa.select(instances.c.path).where(
            instances.c.sop_instance_uid == sop_instance_uid, instances.c.path != ""
        )
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None

    def ignore_study(self, study_uid: str, reason: str) -> None:
        """Keep the study, do nothing with it."""
        with self.engine.begin() as connection:
            changed = connection.execute(
                studies.update()
                .where(studies.c.study_uid == study_uid, studies.c.state == StudyState.RECEIVING)
                .values(state=StudyState.IGNORED, reason=reason)
            )
            if changed.rowcount:
                add_event(connection, study_uid, "ignored", reason)

    def force_complete(self, study_uid: str) -> bool:
        """Treat a study as complete at the next look; False when it is not arriving."""
        with self.engine.begin() as connection:
            changed = connection.execute(
                studies.update()
                .where(studies.c.study_uid == study_uid, studies.c.state == StudyState.RECEIVING)
                .values(force_complete=True)
            )
            if changed.rowcount:
                add_event(connection, study_uid, "forced", "Declared complete by an operator")
            return bool(changed.rowcount)

    def list_worklist(self, *, limit: int = 200) -> list[Row]:
        """Studies with the state of their latest job, latest arrival first."""
        latest = (
            sa.select(jobs.c.study_uid, sa.func.max(jobs.c.created_at).label("created_at"))
            .group_by(jobs.c.study_uid)
            .subquery()
        )
        query = (
            sa.select(
                studies,
                jobs.c.job_id,
                jobs.c.state.label("job_state"),
                jobs.c.reason.label("job_reason"),
                jobs.c.stage,
                jobs.c.fraction,
            )
            .join(latest, latest.c.study_uid == studies.c.study_uid, isouter=True)
            .join(
                jobs,
                sa.and_(
                    jobs.c.study_uid == latest.c.study_uid,
                    jobs.c.created_at == latest.c.created_at,
                ),
                isouter=True,
            )
            .order_by(studies.c.last_received_at.desc())
            .limit(limit)
        )
        with self.engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def list_events(self, study_uid: str) -> list[Row]:
        """A study's timeline, oldest first."""
        query = events.select().where(events.c.study_uid == study_uid).order_by(events.c.id)
        with self.engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def read_switch(self, name: str) -> str:
        """A switch an operator has set; empty when never set."""
        with self.engine.connect() as connection:
            query = sa.select(switches.c.value).where(switches.c.name == name)
            return connection.execute(query).scalar() or ""

    def set_switch(self, name: str, value: str) -> None:
        """Set a switch."""
        insert = self._insert(switches).values(name=name, value=value)
        with self.engine.begin() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["name"], set_={"value": value})
            )


def add_event(
    connection: sa.Connection, study_uid: str, kind: str, text: str, job_id: str = ""
) -> None:
    """Add to a study's timeline; texts carry no PHI."""
    connection.execute(
        events.insert().values(
            at=time.time(), study_uid=study_uid, job_id=job_id, kind=kind, text=text
        )
    )
