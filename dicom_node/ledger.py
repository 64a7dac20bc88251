"""Jobs and their states in the database; every change is conditional on the state before.

A job's identity is a digest of its study and its images, so the same images make the
same job, and the result's UIDs derive from it (DESIGN decision 3).
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dicom_node.index import Index, Row, add_event
from dicom_node.schema import (
    FINAL_STATES,
    UNFINISHED_ANALYSIS,
    JobState,
    StudyState,
    deliveries,
    instances,
    jobs,
    manifest,
    objects,
    studies,
)
from dicom_node.settings import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultObject:
    """One DICOM object of a result."""

    sop_instance_uid: str
    sop_class_uid: str
    kind: str
    name: str


def identify_job(study_uid: str, images: Sequence[Row]) -> str:
    """Digest of the study and its images' UIDs and contents, 32 hexadecimal digits."""
    lines = sorted(f"{row['sop_instance_uid']} {row['digest']}" for row in images)
    return hashlib.sha256("\n".join([study_uid, *lines]).encode()).hexdigest()[:32]


class Ledger:
    """Reads and writes jobs, their objects and their ends."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._engine = index.engine

    def create_job(
        self,
        study_uid: str,
        images: Sequence[Row],
        rule: Rule,
        evidence: dict[str, Any],
        seen_instances: int,
    ) -> str | None:
        """Make the job for these images; None when more instances came meanwhile.

        Unfinished analyses of the same study are superseded; the latest job with a result
        becomes the predecessor.
        """
        job_id = identify_job(study_uid, images)
        with self._engine.begin() as connection:
            claimed = connection.execute(
                studies.update()
                .where(studies.c.study_uid == study_uid, studies.c.state == StudyState.RECEIVING)
                .values(state=StudyState.IN_WORK, reason="", force_complete=False)
            )
            count = connection.execute(
                sa.select(sa.func.count()).where(instances.c.study_uid == study_uid)
            ).scalar()
            if not claimed.rowcount or count != seen_instances:
                connection.rollback()
                return None
            if connection.execute(sa.select(jobs.c.job_id).where(jobs.c.job_id == job_id)).first():
                self._close_study(connection, study_uid)
                return job_id
            self._supersede(connection, study_uid)
            row = self._new_job(connection, job_id, study_uid, rule, evidence)
            connection.execute(jobs.insert().values(row))
            connection.execute(
                manifest.insert(),
                [
                    {"job_id": job_id, **{k: i[k] for k in ("sop_instance_uid", "digest")}}
                    for i in images
                ],
            )
            add_event(connection, study_uid, "complete", evidence["text"], job_id)
        return job_id

    def _supersede(self, connection: sa.Connection, study_uid: str) -> None:
        connection.execute(
            jobs.update()
            .where(jobs.c.study_uid == study_uid, jobs.c.state.in_(UNFINISHED_ANALYSIS))
            .values(
                state=JobState.SUPERSEDED,
                reason="More images came before the analysis was over",
                updated_at=time.time(),
            )
        )

    def _new_job(
        self,
        connection: sa.Connection,
        job_id: str,
        study_uid: str,
        rule: Rule,
        evidence: dict[str, Any],
    ) -> dict[str, Any]:
        predecessor = connection.execute(
            sa.select(jobs.c.job_id)
            .where(jobs.c.study_uid == study_uid, jobs.c.outcome != "")
            .order_by(jobs.c.created_at.desc())
        ).scalar()
        latest = connection.execute(
            sa.select(sa.func.max(jobs.c.created_at)).where(jobs.c.study_uid == study_uid)
        ).scalar()
        # A clock set back must not make the newest job of a study look older than its others.
        now = max(time.time(), (latest or 0.0) + 0.001)
        return {
            "job_id": job_id,
            "study_uid": study_uid,
            "state": JobState.QUEUED,
            "rule": rule.name,
            "model": rule.model,
            "priority": rule.priority,
            "shadow": rule.shadow,
            "destinations": json.dumps(rule.destinations),
            "evidence": json.dumps(evidence),
            "predecessor": predecessor or "",
            "created_at": now,
            "updated_at": now,
        }

    def find_job(self, job_id: str) -> Row | None:
        """One job's row."""
        with self._engine.connect() as connection:
            query = jobs.select().where(jobs.c.job_id == job_id)
            return connection.execute(query).mappings().first()

    def list_jobs(
        self, *, study_uid: str | None = None, states: Sequence[str] | None = None
    ) -> list[Row]:
        """Jobs, oldest first."""
        query = jobs.select().order_by(jobs.c.created_at)
        if study_uid is not None:
            query = query.where(jobs.c.study_uid == study_uid)
        if states is not None:
            query = query.where(jobs.c.state.in_(states))
        with self._engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def count_states(self) -> dict[str, int]:
        """Number of jobs in each state."""
        query = sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def list_images(self, job_id: str) -> list[Row]:
        """The images a job is about."""
        query = (
            sa.select(instances)
            .join(
                manifest,
                sa.and_(
                    manifest.c.sop_instance_uid == instances.c.sop_instance_uid,
                    manifest.c.digest == instances.c.digest,
                ),
            )
            .where(manifest.c.job_id == job_id)
            .order_by(instances.c.sop_instance_uid)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def list_objects(self, job_id: str) -> list[Row]:
        """The DICOM objects of a job's result."""
        query = objects.select().where(objects.c.job_id == job_id).order_by(objects.c.name)
        with self._engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def start_analysis(self, job_id: str, host: str) -> bool:
        """Begin or begin again; False when the job is no longer to be analyzed."""
        return self._change(
            job_id,
            UNFINISHED_ANALYSIS,
            {"state": JobState.ANALYZING, "host": host, "stage": "", "fraction": 0.0},
            ("analyzing", f"Analysis started on {host}"),
        )

    def put_back(self, job_id: str, reason: str) -> bool:
        """Queue a job again that was held up by no fault of its own; no failure is counted."""
        values = {"state": JobState.QUEUED, "run": jobs.c.run + 1, "stage": "", "fraction": 0.0}
        return self._change(
            job_id, UNFINISHED_ANALYSIS, {**values, "reason": reason}, ("held", reason)
        )

    def note_progress(self, job_id: str, stage: str, fraction: float) -> bool:
        """Record progress; False when the analysis is no longer wanted."""
        values = {"stage": stage[:32], "fraction": fraction}
        return self._change(job_id, (JobState.ANALYZING,), values, None)

    def note_event(self, job_id: str, kind: str, text: str) -> None:
        """Add a line to the history of a job's study."""
        with self.index.engine.begin() as connection:
            study = sa.select(jobs.c.study_uid).where(jobs.c.job_id == job_id)
            add_event(connection, connection.execute(study).scalar_one(), kind, text, job_id)

    def set_shadow(self, job_id: str) -> None:
        """Keep this job's result here; deliver nothing."""
        self._change(job_id, (JobState.ANALYZING,), {"shadow": True}, None)

    def finish_analysis(
        self,
        job_id: str,
        *,
        outcome: str,
        reason: str,
        results: Sequence[ResultObject],
        destinations: Sequence[str],
    ) -> bool:
        """Enter a result and plan its deliveries in one transaction."""
        job = self.find_job(job_id)
        if job is None:
            return False
        state = JobState.SHADOW if job["shadow"] else JobState.DELIVERING
        with self._engine.begin() as connection:
            values = {"state": state, "outcome": outcome, "reason": reason, "fraction": 1.0}
            if not self._change_within(connection, job_id, (JobState.ANALYZING,), values):
                return False
            connection.execute(
                objects.insert(),
                [{"job_id": job_id, **_as_columns(result)} for result in results],
            )
            for destination in [] if job["shadow"] else destinations:
                connection.execute(_planned_delivery(job_id, destination))
            text = "Result written" if outcome == "result" else f"Not analyzed: {reason}"
            add_event(connection, job["study_uid"], "analyzed", text, job_id)
            if job["shadow"]:
                self._close_study(connection, job["study_uid"])
        return True

    def fail_analysis(self, job_id: str, reason: str, *, limit: int) -> int | None:
        """Count a failure of the engine.

        Returns:
            Failures so far; None when the job is over (dead letter, cancelled, superseded).
        """
        job = self.find_job(job_id)
        if job is None:
            return None
        failures = int(job["failures"]) + 1
        state = JobState.DEAD_LETTER if failures >= limit else JobState.QUEUED
        values = {"state": state, "failures": failures, "reason": reason}
        if not self._change(
            job_id, (JobState.ANALYZING,), values, ("failed", f"Try {failures}: {reason}")
        ):
            return None
        if state is JobState.DEAD_LETTER:
            with self._engine.begin() as connection:
                self._close_study(connection, job["study_uid"])
            return None
        return failures

    def list_settleable(self) -> list[str]:
        """Jobs in delivery of which no delivery is planned any more."""
        is_planned = sa.exists().where(
            deliveries.c.job_id == jobs.c.job_id, deliveries.c.state == "planned"
        )
        query = sa.select(jobs.c.job_id).where(jobs.c.state == JobState.DELIVERING, ~is_planned)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def settle(self, job_id: str) -> None:
        """End a job when every delivery of it has ended."""
        job = self.find_job(job_id)
        if job is None:
            return
        with self._engine.begin() as connection:
            rows = connection.execute(
                sa.select(deliveries.c.state, deliveries.c.destination, deliveries.c.reason).where(
                    deliveries.c.job_id == job_id
                )
            ).all()
            if any(row.state == "planned" for row in rows):
                return
            dead = [f"{row.destination}: {row.reason}" for row in rows if row.state == "dead"]
            state = JobState.DELIVERED if job["outcome"] == "result" else JobState.NOT_ANALYZED
            values: dict[str, Any] = {"state": JobState.DEAD_LETTER if dead else state}
            if dead:
                values["reason"] = "; ".join(dead)
            if self._change_within(connection, job_id, (JobState.DELIVERING,), values):
                add_event(connection, job["study_uid"], values["state"], "Job is over", job_id)
                self._close_study(connection, job["study_uid"])

    def cancel(self, job_id: str) -> bool:
        """Stop a job that has no result yet."""
        values = {"state": JobState.CANCELLED, "reason": "Cancelled by an operator"}
        done = self._change(
            job_id, UNFINISHED_ANALYSIS, values, ("cancelled", "Cancelled by an operator")
        )
        job = self.find_job(job_id)
        if done and job is not None:
            with self._engine.begin() as connection:
                self._close_study(connection, job["study_uid"])
        return done

    def retry(self, job_id: str) -> Row | None:
        """Begin a dead or cancelled job again; the row as it is then, None when it is alive."""
        job = self.find_job(job_id)
        if job is None:
            return None
        has_result = job["outcome"] != ""
        state = JobState.DELIVERING if has_result else JobState.QUEUED
        values = {"state": state, "run": job["run"] + 1, "failures": 0, "reason": ""}
        with self._engine.begin() as connection:
            ends = (JobState.DEAD_LETTER, JobState.CANCELLED)
            if not self._change_within(connection, job_id, ends, values):
                return None
            connection.execute(
                deliveries.update()
                .where(deliveries.c.job_id == job_id, deliveries.c.state == "dead")
                .values(state="planned", tries=0, planned_at=time.time())
            )
            connection.execute(
                studies.update()
                .where(studies.c.study_uid == job["study_uid"])
                .where(studies.c.state == StudyState.DONE)
                .values(state=StudyState.IN_WORK)
            )
            add_event(connection, job["study_uid"], "retried", "Retried by an operator", job_id)
        return self.find_job(job_id)

    def _change(
        self,
        job_id: str,
        before: Sequence[str],
        values: dict[str, Any],
        event: tuple[str, str] | None,
    ) -> bool:
        with self._engine.begin() as connection:
            if not self._change_within(connection, job_id, before, values):
                return False
            if event is not None:
                study = sa.select(jobs.c.study_uid).where(jobs.c.job_id == job_id)
                add_event(connection, connection.execute(study).scalar_one(), *event, job_id)
            return True

    def _change_within(
        self, connection: sa.Connection, job_id: str, before: Sequence[str], values: dict[str, Any]
    ) -> bool:
        changed = connection.execute(
            jobs.update()
            .where(jobs.c.job_id == job_id, jobs.c.state.in_(before))
            .values(updated_at=time.time(), **values)
        )
        return bool(changed.rowcount)

    def _close_study(self, connection: sa.Connection, study_uid: str) -> None:
        """Call a study done when none of its jobs is alive."""
        alive = connection.execute(
            sa.select(jobs.c.job_id).where(
                jobs.c.study_uid == study_uid, jobs.c.state.not_in(FINAL_STATES)
            )
        ).first()
        if alive is None:
            connection.execute(
                studies.update()
                .where(studies.c.study_uid == study_uid, studies.c.state == StudyState.IN_WORK)
                .values(state=StudyState.DONE)
            )


def _as_columns(result: ResultObject) -> dict[str, str]:
    return {
        "sop_instance_uid": result.sop_instance_uid,
        "sop_class_uid": result.sop_class_uid,
        "kind": result.kind,
        "name": result.name,
    }


def _planned_delivery(job_id: str, destination: str) -> sa.Insert:
    now = time.time()
    return deliveries.insert().values(
        job_id=job_id, destination=destination, state="planned", planned_at=now, updated_at=now
    )
