"""At job time: ask every configured source about the patient of the images, within bounds.

Whatever happens here, the images are analyzed: a source that is down, slow, damaged or speaks
about somebody else becomes a note that the engine prints in every report.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from dicom_node.audit import QUERY, AuditTrail
from dicom_node.clinical_source.hl7_store import Hl7Store, store_path
from dicom_node.clinical_source.opening import open_fhir_source, open_hl7_source
from dicom_node.clinical_source.patient_header import IDENTIFYING_TAGS, read_patient
from dicom_node.errors import ConfigurationError
from dicom_node.settings import Configuration
from engine.clinical.answer_file import SUFFIX, write_answers
from engine.clinical.join import REFUSED, gather_answers, not_available
from engine.clinical.source import ClinicalSource, SourceAnswer
from engine.values.identity import PatientIdentity

log = logging.getLogger(__name__)

_ALL = "Clinical sources"
FILE_NAME = f"clinical{SUFFIX}"
GRACE_SECONDS = 10.0
"""A source keeps its own deadline; one that does not is left behind this much later."""
MOST_HANGING = 8
"""A source with so many questions left behind is not asked again until one of them ends."""


class ClinicalPull:
    """Asks the node's clinical sources; one per worker, for many jobs.

    Args:
        configuration: The node's.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._settings = configuration.clinical
        self._audit = AuditTrail(configuration)
        self._store = store_path(configuration)
        self._opened: dict[str, ClinicalSource] = {}
        self._asked: dict[str, list[_Question]] = {}
        self._lock = threading.Lock()

    @property
    def is_used(self) -> bool:
        """Tell whether any source is configured."""
        return self._settings.is_used

    def write(self, image: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
        """Ask about the patient of an image and write the answers.

        Args:
            image: Any DICOM file of the study.
            folder: Where the file of answers is made.

        Returns:
            The file for ``--clinical``, and the notes for the study's history (no PHI).

        Raises:
            OSError: The file cannot be written.
        """
        header = _header_of(image)
        patient = read_patient(header, self._settings.issuer)
        answer = self.ask(patient)
        self._tell_audit(str(header.get("StudyInstanceUID", "")), answer.notes)
        path = folder / FILE_NAME
        write_answers(path, answer, patient)
        return path, answer.notes

    def ask(self, patient: PatientIdentity) -> SourceAnswer:
        """Ask every source at once; each has its own time, none can hold the job longer."""
        if reason := self._unfit(patient):
            return SourceAnswer(offered=(), notes=(f"{_ALL}: {REFUSED}: {reason}",))
        seconds = self._settings.wait_seconds + GRACE_SECONDS
        deadline = time.monotonic() + seconds
        waiting = [self._begin(name, open_it, patient) for name, open_it in self._sources()]
        answers = [question.answer(deadline, seconds) for question in waiting]
        return SourceAnswer(
            offered=tuple(item for answer in answers for item in answer.offered),
            notes=tuple(note for answer in answers for note in answer.notes),
        )

    def _begin(
        self, name: str, open_source: Callable[[], ClinicalSource], patient: PatientIdentity
    ) -> "_Question":
        """Ask a source, unless it still hangs on so many earlier questions that it is no use."""
        with self._lock:
            hanging = [q for q in self._asked.get(name, []) if q.is_running]
            question = _Question(name, open_source, patient)
            self._asked[name] = [*hanging, question]
        if len(hanging) < MOST_HANGING:
            question.start()
        return question

    def _tell_audit(self, study_uid: str, notes: Sequence[str]) -> None:
        """Record whom a patient's values were asked of (PS3.15 A.5.3.10)."""
        if any(note.startswith(f"{_ALL}: ") for note in notes):
            return
        for server in self._settings.fhir:
            if server.read:
                failed = any(note.startswith(not_available(server.name, "")) for note in notes)
                self._audit.record(
                    QUERY,
                    study_uid=study_uid,
                    participant=server.base_url,
                    is_success=not failed,
                )

    def _unfit(self, patient: PatientIdentity) -> str:
        """Why nobody can be asked about this patient; empty when somebody can."""
        if not patient.patient_id:
            return "the images state no Patient ID"
        if not patient.patient_birth_date and not self._settings.without_birth_date:
            return "the images state no birth date, so the right patient cannot be shown"
        return ""

    def _sources(self) -> Sequence[tuple[str, Callable[[], ClinicalSource]]]:
        """Name and opener of every source; HL7 last, so that its corrections win a tie."""
        sources: list[tuple[str, Callable[[], ClinicalSource]]] = [
            (server.name, lambda name=server.name: self._fhir(name))  # type: ignore[misc]
            for server in self._settings.fhir
            if server.read
        ]
        if self._settings.hl7.port:
            sources.append(("HL7 feed", self._hl7))
        return sources

    def _fhir(self, name: str) -> ClinicalSource:
        with self._lock:
            if name not in self._opened:
                server = next(s for s in self._settings.fhir if s.name == name)
                self._opened[name] = open_fhir_source(server, self._settings)
            return self._opened[name]

    def _hl7(self) -> ClinicalSource:
        with self._lock:
            if "HL7 feed" not in self._opened:
                feed = self._settings.hl7
                self._opened["HL7 feed"] = open_hl7_source(feed, Hl7Store(self._store))
            return self._opened["HL7 feed"]


class _Question:
    """One source being asked in a thread of its own."""

    def __init__(
        self, name: str, open_source: Callable[[], ClinicalSource], patient: PatientIdentity
    ) -> None:
        self._name = name
        self._answer: SourceAnswer | None = None
        self._thread = threading.Thread(
            target=self._ask, args=(open_source, patient), name=f"ask {name}", daemon=True
        )

    @property
    def is_running(self) -> bool:
        """Tell whether the source has not answered yet."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Ask."""
        self._thread.start()

    def answer(self, deadline: float, seconds: float) -> SourceAnswer:
        """The answer, or a note that there was none within the seconds up to the deadline."""
        if self._thread.ident is None:
            self._fail(f"{MOST_HANGING} earlier questions are still without an answer")
        else:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._answer is None:
            log.warning("%s did not answer in time and is left behind", self._name)
            note = not_available(self._name, f"no answer within {seconds:g} s")
            return SourceAnswer(offered=(), notes=(note,))
        return self._answer

    def _ask(self, open_source: Callable[[], ClinicalSource], patient: PatientIdentity) -> None:
        try:
            self._answer = gather_answers([open_source()], patient)
        except ConfigurationError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001  (a fault in a source must not cost the images)
            # Without the message and the traceback: they may quote what the source sent.
            log.warning("%s met a fault: %s", self._name, type(error).__name__)
            self._fail(f"fault of the node: {type(error).__name__}")

    def _fail(self, reason: str) -> None:
        note = not_available(self._name, reason)
        self._answer = SourceAnswer(offered=(), notes=(note,))


def _header_of(image: Path) -> Dataset:
    tags = [*IDENTIFYING_TAGS, "StudyInstanceUID"]
    try:
        return dcmread(image, stop_before_pixels=True, specific_tags=tags)
    except InvalidDicomError:
        return Dataset()
