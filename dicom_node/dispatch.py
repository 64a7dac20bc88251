"""Deliveries and storage commitment transactions in the database."""

import json
import time
from dataclasses import dataclass

import sqlalchemy as sa

from dicom_node.index import Row, add_event
from dicom_node.schema import commitments, deliveries, jobs


@dataclass(frozen=True, slots=True)
class CommitmentAnswer:
    """What an N-EVENT-REPORT said (PS3.4 J.3.3)."""

    committed: frozenset[str]
    failed: dict[str, int]


class Dispatch:
    """Reads and writes where results went."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def list_deliveries(self, job_id: str) -> list[Row]:
        """Deliveries of a job."""
        query = deliveries.select().where(deliveries.c.job_id == job_id)
        with self._engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def list_planned(self) -> list[Row]:
        """Every delivery that is not over, with its job's run."""
        query = (
            sa.select(deliveries, jobs.c.run, jobs.c.model, jobs.c.outcome)
            .join(jobs, jobs.c.job_id == deliveries.c.job_id)
            .where(deliveries.c.state == "planned")
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def find_delivery(self, job_id: str, destination: str) -> Row | None:
        """One delivery."""
        rows = self.list_deliveries(job_id)
        return next((row for row in rows if row["destination"] == destination), None)

    def end_delivery(self, job_id: str, destination: str, state: str, text: str) -> None:
        """Call a delivery "delivered" or "dead"."""
        self._update(job_id, destination, {"state": state, "reason": text}, (state, text))

    def note_failure(self, job_id: str, destination: str, tries: int, reason: str) -> None:
        """Record a failed try."""
        text = f"{destination}, try {tries}: {reason}"
        self._update(
            job_id, destination, {"tries": tries, "reason": reason}, ("delivery failed", text)
        )

    def _update(
        self, job_id: str, destination: str, values: dict[str, object], event: tuple[str, str]
    ) -> None:
        with self._engine.begin() as connection:
            changed = connection.execute(
                deliveries.update()
                .where(deliveries.c.job_id == job_id, deliveries.c.destination == destination)
                .where(deliveries.c.state == "planned")
                .values(updated_at=time.time(), **values)
            )
            if changed.rowcount:
                study = sa.select(jobs.c.study_uid).where(jobs.c.job_id == job_id)
                add_event(connection, connection.execute(study).scalar_one(), *event, job_id)

    def open_transaction(self, transaction_uid: str, job_id: str, destination: str) -> None:
        """Remember a commitment request before it is sent."""
        with self._engine.begin() as connection:
            connection.execute(
                commitments.insert().values(
                    transaction_uid=transaction_uid,
                    job_id=job_id,
                    destination=destination,
                    is_answered=False,
                )
            )

    def answer_transaction(
        self, transaction_uid: str, committed: list[str], failed: dict[str, int]
    ) -> bool:
        """Record a report; False when no such request is known."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                commitments.update()
                .where(commitments.c.transaction_uid == transaction_uid)
                .values(
                    is_answered=True, committed=json.dumps(committed), failed=json.dumps(failed)
                )
            )
            return bool(changed.rowcount)

    def read_answer(self, transaction_uid: str) -> CommitmentAnswer | None:
        """The report to a request; None while there is none."""
        query = commitments.select().where(commitments.c.transaction_uid == transaction_uid)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None or not row["is_answered"]:
            return None
        return CommitmentAnswer(frozenset(json.loads(row["committed"])), json.loads(row["failed"]))
