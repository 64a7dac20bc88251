"""One analysis: images laid out, engine run, result checked and put in place whole."""

import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.clinical_source.pull import ClinicalPull
from dicom_node.engine_process import build_command
from dicom_node.engines import Engines, make_engines
from dicom_node.errors import EngineRunError, UnknownStudyError
from dicom_node.index import Row
from dicom_node.ledger import Ledger, ResultObject
from dicom_node.model_switch import OFF, OFF_REASON, SHADOW, ModelSwitches
from dicom_node.run_events import EngineCancelledError, EngineOutcome, ReportProgress
from dicom_node.settings import Configuration
from dicom_node.spool import sync_folder

log = logging.getLogger(__name__)

OUTCOME_FILE = "outcome.json"
IDENTIFYING = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID")
PROGRESS_SECONDS = 0.5
SEGMENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"
RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
RTSTRUCT = "RTSTRUCT"
SR_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
SC_PREFIX = "1.2.840.10008.5.1.4.1.1.7"


def kind_of(sop_class_uid: str) -> str | None:
    """SEG, SR, SC, PDF or RTSTRUCT; None for other classes."""
    if sop_class_uid == RTSTRUCT_CLASS:
        return RTSTRUCT
    if sop_class_uid in SEGMENTATION_CLASSES:
        return "SEG"
    if sop_class_uid == PDF_CLASS:
        return "PDF"
    if sop_class_uid.startswith(SR_PREFIX):
        return "SR"
    is_capture = sop_class_uid == SC_PREFIX or sop_class_uid.startswith(SC_PREFIX + ".")
    return "SC" if is_capture else None


class Analyst:
    """Runs analyses on the configured devices."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration, self._settings = configuration, configuration.analysis
        self._ledger = ledger
        self._clinical = ClinicalPull(configuration)
        self._switches = ModelSwitches(configuration, ledger.index)
        self.engines: Engines = make_engines(self._settings)
        self.results = configuration.shared / "results"
        self.results.mkdir(parents=True, exist_ok=True)

    def analyze(self, job_id: str) -> None:
        """Analyze one job; safe to repeat after a crash at any instant."""
        job = self._ledger.find_job(job_id)
        if job is None:
            return
        if not self._switches.may_start(job):
            self._ledger.put_back(job_id, OFF_REASON)
            return
        if not self._ledger.start_analysis(job_id, self._configuration.host_id):
            return
        try:
            outcome = self._produce(job)
        except EngineCancelledError:
            log.info("Analysis %s was stopped: no longer wanted", job_id)
            self._ledger.put_back(job_id, OFF_REASON)  # unless it was cancelled or superseded
            return
        except EngineRunError as error:
            log.warning("Analysis %s failed: %s", job_id, error)
            self._ledger.fail_analysis(job_id, str(error), limit=self._settings.attempts)
            return
        except OSError as error:
            reason = f"The result cannot be written: {error.strerror}"
            self._ledger.fail_analysis(job_id, reason, limit=self._settings.attempts)
            return
        if outcome.outcome == "result" and self._switches.mode_of(job) == SHADOW:
            self._ledger.set_shadow(job_id)
        self._ledger.finish_analysis(
            job_id,
            outcome=outcome.outcome,
            reason=outcome.reason,
            results=read_objects(self.results / job_id, job["study_uid"]),
            destinations=self._destinations_of(job),
        )

    def _destinations_of(self, job: Row) -> list[str]:
        """Names of the destinations of a job; its rule names none: all."""
        return json.loads(job["destinations"]) or [d.name for d in self._configuration.destination]

    def _wanted_extras(self, job: Row) -> list[str]:
        """Options for objects that are made only when a destination wants them."""
        found = [self._configuration.find_destination(n) for n in self._destinations_of(job)]
        wants_contours = any(d is not None and RTSTRUCT in d.kinds for d in found)
        return ["--rtstruct"] if wants_contours else []

    def _produce(self, job: Row) -> EngineOutcome:
        """The result folder of a job, made now or by a run before a crash."""
        final = self.results / job["job_id"]
        if not final.exists():
            with self._scratch() as scratch:
                outcome = self._run(job, scratch)
                out = scratch / "out"
                (out / OUTCOME_FILE).write_text(
                    json.dumps({"outcome": outcome.outcome, "reason": outcome.reason})
                )
                if not read_objects(out, job["study_uid"]):
                    raise EngineRunError("The engine wrote no DICOM object")
                publish(out, final)
        stored = json.loads((final / OUTCOME_FILE).read_text())
        return EngineOutcome(outcome=stored["outcome"], reason=stored["reason"])

    def _run(self, job: Row, scratch: Path) -> EngineOutcome:
        study = scratch / "study"
        self._lay_out(job["job_id"], study)
        (scratch / "out").mkdir()
        clinical = self._pull_clinical(job, study, scratch)
        refusal = OFF_REASON if self._switches.mode_of(job) == OFF else ""
        options = {
            "job-id": job["job_id"],
            "model": job["model"] or self._settings.model,
            "predecessor": self._predecessor_of(job),
            "clinical": clinical,
            "refuse": refusal,
        }
        arguments = build_command([], study, scratch / "out", options)
        arguments += self._wanted_extras(job)
        report = self._throttle(job, is_refusal=bool(refusal))
        return self.engines.run(job["job_id"], arguments, report)

    def _pull_clinical(self, job: Row, study: Path, scratch: Path) -> str:
        """Ask the clinical sources; the file for the engine, empty when none is configured."""
        if not self._clinical.is_used:
            return ""
        path, notes = self._clinical.write(min(study.iterdir()), scratch)
        self._ledger.note_event(job["job_id"], "clinical data", "; ".join(notes))
        return str(path)

    def _throttle(self, job: Row, *, is_refusal: bool) -> ReportProgress:
        """Report progress to the ledger at most twice a second; off stops a run."""
        last = float("-inf")

        def report(stage: str, fraction: float) -> bool:
            nonlocal last
            if time.monotonic() - last < PROGRESS_SECONDS:
                return True
            last = time.monotonic()
            if not is_refusal and self._switches.mode_of(job) == OFF:
                return False
            return self._ledger.note_progress(job["job_id"], stage, fraction)

        return report

    def _lay_out(self, job_id: str, folder: Path) -> None:
        folder.mkdir()
        rows = self._ledger.list_images(job_id)
        for number, row in enumerate(rows):
            source = self._configuration.shared / row["path"]
            if not row["path"] or not source.exists():
                raise EngineRunError("Images of this study were deleted by retention")
            (folder / f"{number:06d}.dcm").symlink_to(source.resolve())
        if not rows:
            raise EngineRunError("The job has no images")

    def _predecessor_of(self, job: Row) -> str:
        """The SR document this result supersedes, as a file."""
        if not job["predecessor"]:
            return ""
        documents = [o for o in self._ledger.list_objects(job["predecessor"]) if o["kind"] == "SR"]
        if not documents:
            return ""
        return str(self.results / job["predecessor"] / documents[0]["name"])

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        # Beside the results, so that publishing is one rename within one file system.
        scratch = self.results / _scratch_name(self._configuration.host_id, uuid.uuid4().hex)
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def discard_partial(self, host_id: str) -> int:
        """Remove unfinished results that a crash of a host left behind."""
        stale = list(self.results.glob(_scratch_name(host_id, "*")))
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
        return len(stale)


def _scratch_name(host_id: str, unique: str) -> str:
    """Folder of unfinished work; several hosts share the place and know their own."""
    return f".{hashlib.sha256(host_id.encode()).hexdigest()[:12]}.{unique}.partial"


def read_objects(folder: Path, study_uid: str) -> list[ResultObject]:
    """The DICOM objects in a result folder, checked.

    Raises:
        EngineRunError: An object belongs to another study.
    """
    found = []
    for path in sorted(folder.iterdir()):
        try:
            header = dcmread(
                path, specific_tags=["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID"]
            )
        except InvalidDicomError:
            continue
        kind = kind_of(str(header.SOPClassUID))
        if kind is None:
            continue
        if str(header.StudyInstanceUID) != study_uid:
            raise EngineRunError(f"{kind} of the result belongs to another study")
        found.append(
            ResultObject(
                sop_instance_uid=str(header.SOPInstanceUID),
                sop_class_uid=str(header.SOPClassUID),
                kind=kind,
                name=path.name,
            )
        )
    return found


def publish(folder: Path, final: Path) -> None:
    """Make a result folder durable under its final name; the first one stays."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)
    try:
        folder.rename(final)
    except OSError:
        if not final.exists():
            raise
        log.info("Another host had finished %s first", final.name)
    sync_folder(final.parent)


def find_result_file(ledger: Ledger, results: Path, job_id: str, name: str) -> Path:
    """A file of a result by name, as listed in the index (never a path from outside).

    Raises:
        UnknownStudyError: No such object.
    """
    if any(row["name"] == name for row in ledger.list_objects(job_id)):
        return results / job_id / name
    raise UnknownStudyError(f"Job {job_id} has no object of that name")
