"""Health, readiness and Prometheus metrics, read from durable state."""

import shutil
import time
from dataclasses import dataclass

import sqlalchemy as sa

from dicom_node.ledger import Ledger
from dicom_node.schema import JobState, StudyState, deliveries, hosts, instances, studies
from dicom_node.settings import Configuration


@dataclass(frozen=True, slots=True)
class Overview:
    """Numbers of the whole node."""

    jobs: dict[str, int]
    studies: dict[str, int]
    deliveries: dict[str, int]
    instances: int
    free_bytes: int
    spooled: int
    oldest_wait_seconds: float
    host_ages: dict[str, float]


def read_overview(configuration: Configuration, ledger: Ledger) -> Overview:
    """Read everything once."""
    count = sa.func.count()
    with ledger.index.engine.connect() as connection:
        study_rows = connection.execute(sa.select(studies.c.state, count).group_by(studies.c.state))
        study_counts = {str(row[0]): int(row[1]) for row in study_rows}
        delivery_rows = connection.execute(
            sa.select(deliveries.c.state, count).group_by(deliveries.c.state)
        )
        delivery_counts = {str(row[0]): int(row[1]) for row in delivery_rows}
        number = connection.execute(sa.select(count).select_from(instances)).scalar_one()
        host_rows = connection.execute(sa.select(hosts.c.host_id, hosts.c.seen_at)).all()
    job_counts = ledger.count_states()
    queued = ledger.list_jobs(states=(JobState.QUEUED,))
    now = time.time()
    spool = configuration.spool / "new"
    return Overview(
        jobs={state: job_counts.get(state, 0) for state in JobState},
        studies={state: study_counts.get(state, 0) for state in StudyState},
        deliveries={s: delivery_counts.get(s, 0) for s in ("planned", "delivered", "dead")},
        instances=int(number),
        free_bytes=shutil.disk_usage(configuration.storage.folder).free,
        spooled=sum(1 for _ in spool.iterdir()) if spool.is_dir() else 0,
        oldest_wait_seconds=max((now - job["created_at"] for job in queued), default=0.0),
        host_ages={row[0]: max(now - row[1], 0.0) for row in host_rows},
    )


def find_unready(configuration: Configuration, overview: Overview) -> list[str]:
    """Why the node should get no more work; empty when it is ready."""
    reasons = []
    if overview.free_bytes < configuration.listener.minimum_free_bytes:
        reasons.append("disk nearly full")
    age = overview.host_ages.get(configuration.host_id)
    if age is None or age > configuration.hosts.dead_after_seconds:
        reasons.append("the worker does not beat")
    return reasons


def format_metrics(overview: Overview) -> str:
    """Prometheus text exposition format 0.0.4."""
    lines: list[str] = []

    def add(name: str, text: str, values: dict[str, float], label: str = "") -> None:
        lines.append(f"# HELP hepatocast_{name} {text}")
        lines.append(f"# TYPE hepatocast_{name} gauge")
        for key, value in values.items():
            tail = f'{{{label}="{key}"}}' if label else ""
            lines.append(f"hepatocast_{name}{tail} {value:g}")

    add("jobs", "Jobs by state.", dict(overview.jobs), "state")
    add("studies", "Studies by state.", dict(overview.studies), "state")
    add("deliveries", "Deliveries by state.", dict(overview.deliveries), "state")
    add("instances", "Instances in the index.", {"": overview.instances})
    add("spooled_files", "Received files not yet in the index.", {"": overview.spooled})
    add("disk_free_bytes", "Room on the state disk.", {"": overview.free_bytes})
    add("oldest_wait_seconds", "Age of the oldest queued job.", {"": overview.oldest_wait_seconds})
    add("host_beat_age_seconds", "Time since a host's last beat.", overview.host_ages, "host")
    return "\n".join(lines) + "\n"
