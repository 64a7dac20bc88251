"""Which objects a DICOMweb destination has taken, and how long it asked us to wait."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from dicom_node.index import Row
from dicom_node.schema import delivery_holds, transfers


def name_kinds(rows: Sequence[Row]) -> str:
    """What was sent: "SEG, 5 × SC, PDF, SR"."""
    counts = Counter(str(row["kind"]) for row in rows)
    return ", ".join(f"{n} × {kind}" if n > 1 else kind for kind, n in counts.items())


class Transfers:
    """Reads and writes what happened to single objects of a delivery."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def list_taken(self, job_id: str, destination: str) -> set[str]:
        """SOP Instance UIDs that need not be sent again."""
        table = transfers
        query = sa.select(table.c.sop_instance_uid).where(
            table.c.job_id == job_id, table.c.destination == destination
        )
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def note_taken(self, job_id: str, destination: str, warnings: Mapping[str, int]) -> None:
        """Remember objects as taken, with the warning code the server gave (0: none)."""
        key = {"job_id": job_id, "destination": destination}
        with self._engine.begin() as connection:
            self._delete(connection, job_id, destination, warnings)
            for uid, code in warnings.items():
                row = {**key, "sop_instance_uid": uid, "warning": code}
                connection.execute(transfers.insert().values(row))

    def forget_taken(self, job_id: str, destination: str, uids: Iterable[str]) -> None:
        """Have objects sent again: the server said it took them and does not show them."""
        with self._engine.begin() as connection:
            self._delete(connection, job_id, destination, uids)

    def _delete(
        self, connection: sa.Connection, job_id: str, destination: str, uids: Iterable[str]
    ) -> None:
        connection.execute(
            transfers.delete().where(
                transfers.c.job_id == job_id,
                transfers.c.destination == destination,
                transfers.c.sop_instance_uid.in_(list(uids)),
            )
        )

    def hold(self, job_id: str, destination: str, seconds: float) -> None:
        """Let the next try wait at least this long (Retry-After)."""
        table = delivery_holds
        key = (table.c.job_id == job_id, table.c.destination == destination)
        row = {"job_id": job_id, "destination": destination, "until": time.time() + seconds}
        with self._engine.begin() as connection:
            connection.execute(table.delete().where(*key))
            connection.execute(table.insert().values(row))

    def seconds_held(self, job_id: str, destination: str) -> float:
        """How long the next try still has to wait, 0 or more."""
        table = delivery_holds
        query = sa.select(table.c.until).where(
            table.c.job_id == job_id, table.c.destination == destination
        )
        with self._engine.connect() as connection:
            until = connection.execute(query).scalar()
        return max(float(until or 0.0) - time.time(), 0.0)
