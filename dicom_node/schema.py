"""Tables of the node's index: one SQLite file, or PostgreSQL for several hosts.

The spool and the image folder are the truth about bytes; these tables are the truth
about what was decided. Times are seconds since 1970 (UTC).
"""

from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

metadata = sa.MetaData()


class StudyState(StrEnum):
    """Where a study stands."""

    RECEIVING = "receiving"
    IN_WORK = "in work"
    DONE = "done"
    IGNORED = "ignored"


class JobState(StrEnum):
    """Where one analysis of a study stands."""

    QUEUED = "queued"
    ANALYZING = "analyzing"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    NOT_ANALYZED = "not-analyzed"
    DEAD_LETTER = "dead-letter"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    SHADOW = "shadow"


FINAL_STATES = (
    JobState.DELIVERED,
    JobState.NOT_ANALYZED,
    JobState.DEAD_LETTER,
    JobState.SUPERSEDED,
    JobState.CANCELLED,
    JobState.SHADOW,
)
UNFINISHED_ANALYSIS = (JobState.QUEUED, JobState.ANALYZING)

studies = sa.Table(
    "studies",
    metadata,
    sa.Column("study_uid", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("first_received_at", sa.Float, nullable=False),
    sa.Column("last_received_at", sa.Float, nullable=False),
    sa.Column("force_complete", sa.Boolean, nullable=False, default=False),
    sa.Column("images_deleted_at", sa.Float),
    sa.Column("source", sa.String(16), nullable=False, default=""),
    sa.Column("patient_id", sa.Text, nullable=False, default=""),
    sa.Column("patient_name", sa.Text, nullable=False, default=""),
    sa.Column("accession_number", sa.Text, nullable=False, default=""),
    sa.Column("study_date", sa.String(8), nullable=False, default=""),
    sa.Column("study_description", sa.Text, nullable=False, default=""),
)

instances = sa.Table(
    "instances",
    metadata,
    sa.Column("sop_instance_uid", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("study_uid", sa.String(64), nullable=False, index=True),
    sa.Column("series_uid", sa.String(64), nullable=False),
    sa.Column("sop_class_uid", sa.String(64), nullable=False),
    sa.Column("modality", sa.String(16), nullable=False),
    sa.Column("body_part", sa.String(16), nullable=False, default=""),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("byte_count", sa.BigInteger, nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("is_conflict", sa.Boolean, nullable=False),
    sa.Column("is_own", sa.Boolean, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("study_uid", sa.String(64), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("run", sa.Integer, nullable=False, default=1),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("shadow", sa.Boolean, nullable=False),
    sa.Column("destinations", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("predecessor", sa.String(64), nullable=False, default=""),
    sa.Column("stage", sa.String(32), nullable=False, default=""),
    sa.Column("fraction", sa.Float, nullable=False, default=0.0),
    sa.Column("host", sa.String(64), nullable=False, default=""),
    sa.Column("outcome", sa.String(16), nullable=False, default=""),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)

manifest = sa.Table(
    "manifest",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("sop_instance_uid", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
)

objects = sa.Table(
    "objects",
    metadata,
    sa.Column("sop_instance_uid", sa.String(64), primary_key=True),
    sa.Column("job_id", sa.String(64), nullable=False, index=True),
    sa.Column("sop_class_uid", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("destination", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("planned_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)

transfers = sa.Table(
    "transfers",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("destination", sa.String(64), primary_key=True),
    sa.Column("sop_instance_uid", sa.String(64), primary_key=True),
    sa.Column("warning", sa.Integer, nullable=False, default=0),
)

delivery_holds = sa.Table(
    "delivery_holds",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("destination", sa.String(64), primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
)

commitments = sa.Table(
    "commitments",
    metadata,
    sa.Column("transaction_uid", sa.String(64), primary_key=True),
    sa.Column("job_id", sa.String(64), nullable=False),
    sa.Column("destination", sa.String(64), nullable=False),
    sa.Column("is_answered", sa.Boolean, nullable=False),
    sa.Column("committed", sa.Text, nullable=False, default="[]"),
    sa.Column("failed", sa.Text, nullable=False, default="[]"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("study_uid", sa.String(64), nullable=False, index=True),
    sa.Column("job_id", sa.String(64), nullable=False, default=""),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

prior_searches = sa.Table(
    "prior_searches",
    metadata,
    sa.Column("study_uid", sa.String(64), primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", sa.Float, nullable=False),
    sa.Column("host", sa.String(64), nullable=False, default=""),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("updated_at", sa.Float, nullable=False),
)

priors = sa.Table(
    "priors",
    metadata,
    sa.Column("study_uid", sa.String(64), primary_key=True),
    sa.Column("prior_study_uid", sa.String(64), primary_key=True, index=True),
    sa.Column("study_date", sa.String(8), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False, default=""),
    sa.Column("instances", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("updated_at", sa.Float, nullable=False),
)

hosts = sa.Table(
    "hosts",
    metadata,
    sa.Column("host_id", sa.String(64), primary_key=True),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("incarnation", sa.String(32), nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)

switch_changes = sa.Table(
    "switch_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
)

ended_sessions = sa.Table(
    "ended_sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
)

switches = sa.Table(
    "switches",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


def open_database(url: str) -> sa.Engine:
    """Connect; an SQLite file is created, in WAL mode with full synchronization.

    Parameters stay out of error messages, because they hold patients' names.
    """
    if not url.startswith("sqlite"):
        return sa.create_engine(
            _with_driver(url), pool_pre_ping=True, pool_size=10, hide_parameters=True
        )
    Path(sa.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": 60}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _set_pragmas(connection, _record):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def create_tables(engine: sa.Engine) -> None:
    """Create what is missing; harmless when two hosts do it at once."""
    try:
        metadata.create_all(engine)
    except (sa.exc.ProgrammingError, sa.exc.IntegrityError, sa.exc.OperationalError):
        metadata.create_all(engine)
