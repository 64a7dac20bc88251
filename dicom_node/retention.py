"""Retention: images and results go on schedule, and the timeline proves it."""

import logging
import shutil
import time
import uuid

import sqlalchemy as sa

from dicom_node.audit import STUDY_DELETED, AuditTrail
from dicom_node.inbox import name_of
from dicom_node.index import add_event
from dicom_node.priors import delete_priors
from dicom_node.schema import FINAL_STATES, StudyState, instances, jobs, studies
from dicom_node.settings import Configuration

log = logging.getLogger(__name__)

SECONDS_PER_DAY = 86400.0
OVER = (StudyState.DONE, StudyState.IGNORED)
DOOMED = ".deleted-"
DRIFT_SECONDS = 3600.0


class Retention:
    """Deletes what is old enough of studies that are over."""

    def __init__(self, configuration: Configuration, engine: sa.Engine, audit: AuditTrail) -> None:
        self._storage, self._shared = configuration.storage, configuration.shared
        self._engine, self._audit = engine, audit
        self._started_at = time.time(), _uptime()

    def sweep(self) -> None:
        """Delete images, then results, that are past their days.

        Nothing is deleted while the wall clock has run apart from the uptime of this
        process: days that have not passed must not cost images.
        """
        now = time.time()
        drift_seconds = (now - self._started_at[0]) - (_uptime() - self._started_at[1])
        if abs(drift_seconds) > DRIFT_SECONDS:
            log.error(
                "The clock jumped by %.0f s since the start; retention deletes nothing until "
                "the clock is right again or the node is started anew", drift_seconds,
            )  # fmt: skip
            return
        for study_uid in self._list_old_studies(now - self._storage.images_days * SECONDS_PER_DAY):
            self.delete_images(study_uid)
        for job in self._list_old_jobs(now - self._storage.results_days * SECONDS_PER_DAY):
            self._delete_result(job)

    def delete_images(self, study_uid: str) -> int:
        """Delete a study's images; the number deleted. The rows stay, without a place.

        First the rows lose their place, unless images have come meanwhile and the study is no
        longer over; then the folder is renamed away at once and emptied. An image that comes
        in between finds no folder, makes a new one and keeps its row's place.
        """
        if not self._claim(study_uid):
            return 0
        images = self._shared / "images"
        folder, doomed = images / name_of(study_uid), images / f"{DOOMED}{uuid.uuid4().hex}"
        if folder.is_dir():
            folder.rename(doomed)
        number = sum(len(list(path.iterdir())) for path in images.glob(f"{DOOMED}*"))
        for path in images.glob(f"{DOOMED}*"):  # also what a crash has left
            shutil.rmtree(path, ignore_errors=True)
        if any(images.glob(f"{DOOMED}*")):
            log.error("Images of a study could not be deleted")
            return 0
        with self._engine.begin() as connection:
            connection.execute(
                studies.update()
                .where(studies.c.study_uid == study_uid)
                .values(images_deleted_at=time.time())
            )
            text = f"{number} images deleted by retention; the folder is gone"
            add_event(connection, study_uid, "images deleted", text)
            if priors := delete_priors(connection, self._shared, study_uid):
                text = f"Images of {priors} earlier studies deleted with them"
                add_event(connection, study_uid, "priors deleted", text)
        self._audit.record(STUDY_DELETED, study_uid=study_uid)
        return number

    def _claim(self, study_uid: str) -> bool:
        """Take the place from the rows of a study that is over; False when it is not."""
        with self._engine.begin() as connection:
            claimed = connection.execute(
                studies.update()
                .where(studies.c.study_uid == study_uid, studies.c.state.in_(OVER))
                .values(state=studies.c.state)
            )
            if claimed.rowcount:
                connection.execute(
                    instances.update().where(instances.c.study_uid == study_uid).values(path="")
                )
            return bool(claimed.rowcount)

    def _list_old_studies(self, before: float) -> list[str]:
        query = sa.select(studies.c.study_uid).where(
            studies.c.state.in_(OVER),
            studies.c.last_received_at < before,
            studies.c.images_deleted_at.is_(None),
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def _list_old_jobs(self, before: float) -> list[sa.RowMapping]:
        query = jobs.select().where(
            jobs.c.state.in_(FINAL_STATES), jobs.c.updated_at < before, jobs.c.outcome != ""
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings()
            return [r for r in rows if (self._shared / "results" / r["job_id"]).exists()]

    def _delete_result(self, job: sa.RowMapping) -> None:
        shutil.rmtree(self._shared / "results" / job["job_id"], ignore_errors=True)
        with self._engine.begin() as connection:
            text = "Result deleted by retention"
            add_event(connection, job["study_uid"], "result deleted", text, job["job_id"])


def _uptime() -> float:
    """Seconds that no setting of the clock changes; a suspended machine's sleep counts."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
