"""Where earlier studies are looked for and fetched from: a DIMSE peer or a DICOMweb server."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from pydicom.dataset import Dataset

from dicom_node.errors import PeerError
from dicom_node.header import is_uid
from dicom_node.peers import PeerClient
from dicom_node.prior_choice import PriorSeries, PriorStudy
from dicom_node.prior_shelf import Identity, PriorLimitError, PriorShelf
from dicom_node.retrieval import get_series
from dicom_node.settings import Configuration, Peer, PriorRule
from dicom_node.web_client import Attributes, WebClient, text_of

MAXIMUM_FOUND = 50
ARRIVAL_SECONDS = 60.0
# PS3.4 C.2.2.2.4 and PS3.5 6.4: these characters would match other patients.
UNSAFE_IN_KEY = ("*", "?", "\\")

StillWanted = Callable[[], bool]


class UnusableIdentityError(PeerError):
    """The study has no Patient ID that can be asked for exactly."""


class PriorSource(Protocol):
    """Who may hold earlier studies."""

    def find(self, identity: Identity, study_date: date) -> list[PriorStudy]:
        """Studies of exactly this patient within the rule's age."""

    def fetch(self, study: PriorStudy, shelf: PriorShelf) -> None:
        """Bring the study's chosen series onto the shelf."""


def open_source(
    configuration: Configuration, rule: PriorRule, client: PeerClient
) -> "DimseSource | WebSource":
    """The source a rule names."""
    if rule.web:
        return WebSource(WebClient(configuration.find_web(rule.web)), rule)
    return DimseSource(client, configuration.find_peer(rule.peer), rule)


def check_key(identity: Identity) -> str:
    """The Patient ID as a matching key.

    Raises:
        UnusableIdentityError: It is empty, or would match other patients as well.
    """
    key = identity.patient_id
    if not key or any(character in key for character in UNSAFE_IN_KEY):
        raise UnusableIdentityError("The Patient ID is empty or holds a wildcard")
    return key


def _range_of(rule: PriorRule, study_date: date) -> str:
    oldest = study_date - timedelta(days=min(rule.maximum_age_days, study_date.toordinal() - 1))
    return f"{oldest:%Y%m%d}-{study_date:%Y%m%d}"


def _keep_latest(studies: list[PriorStudy]) -> list[PriorStudy]:
    studies.sort(key=lambda study: study.study_date, reverse=True)
    return studies[:MAXIMUM_FOUND]


class DimseSource:
    """C-FIND, then C-GET or C-MOVE."""

    def __init__(self, client: PeerClient, peer: Peer, rule: PriorRule) -> None:
        self._client, self._peer, self._rule = client, peer, rule

    def find(self, identity: Identity, study_date: date) -> list[PriorStudy]:
        """Ask for the patient's studies, then for the series of each.

        Raises:
            PeerError: No answer.
        """
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.PatientID = check_key(identity)
        query.StudyDate = _range_of(self._rule, study_date)
        for keyword in (
            "StudyInstanceUID", "StudyDescription", "PatientBirthDate", "IssuerOfPatientID",
        ):  # fmt: skip
            setattr(query, keyword, "")
        found = []
        for answer in self._client.find(self._peer, query):
            uid = str(answer.get("StudyInstanceUID", ""))
            if is_uid(uid) and not identity.contradicts(_identity_of(answer)):
                found.append(
                    PriorStudy(
                        study_uid=uid,
                        study_date=str(answer.get("StudyDate", "") or ""),
                        description=str(answer.get("StudyDescription", "") or ""),
                        series=(),
                        source=self._peer.name,
                    )
                )
        return [self._with_series(study) for study in _keep_latest(found)]

    def _with_series(self, study: PriorStudy) -> PriorStudy:
        query = Dataset()
        query.QueryRetrieveLevel = "SERIES"
        query.StudyInstanceUID = study.study_uid
        for keyword in (
            "SeriesInstanceUID", "Modality", "BodyPartExamined", "SeriesDescription",
            "NumberOfSeriesRelatedInstances",
        ):  # fmt: skip
            setattr(query, keyword, None if keyword.startswith("Number") else "")
        series = []
        for answer in self._client.find(self._peer, query):
            if is_uid(str(answer.get("SeriesInstanceUID", ""))):
                series.append(
                    PriorSeries(
                        series_uid=str(answer.SeriesInstanceUID),
                        modality=str(answer.get("Modality", "") or ""),
                        body_part=str(answer.get("BodyPartExamined", "") or ""),
                        description=str(answer.get("SeriesDescription", "") or ""),
                        instances=int(answer.get("NumberOfSeriesRelatedInstances", 0) or 0),
                    )
                )
        return _described(study, series)

    def fetch(self, study: PriorStudy, shelf: PriorShelf) -> None:
        """Fetch series by series.

        Raises:
            PeerError, PriorLimitError, OSError: It did not come whole.
        """
        deadline = time.monotonic() + self._rule.timeout_seconds
        if self._rule.method == "move":
            self._move(study, shelf)
            return

        def take(data: bytes) -> None:
            if time.monotonic() > deadline:
                raise PeerError(f"Not fetched within {self._rule.timeout_seconds:g} s")
            slip = shelf.open_slip()
            slip.write_bytes(data)
            shelf.keep(slip)

        for series in study.series:
            # One instance may be larger than what is left; a little more is allowed for headers.
            limit = shelf.bytes_left + (1 << 20)
            get_series(
                self._client, self._peer, study.study_uid, series.series_uid,
                take=take, maximum_bytes=limit,
            )  # fmt: skip

    def _move(self, study: PriorStudy, shelf: PriorShelf) -> None:
        """Have the peer send to our second title, and wait until the inbox has shelved it all."""
        already, sent = shelf.look(), 0
        for series in study.series:
            sent += self._client.move_study(
                self._peer, study.study_uid, self._rule.move_title, series_uid=series.series_uid
            )
        deadline = time.monotonic() + min(ARRIVAL_SECONDS, self._rule.timeout_seconds)
        while shelf.look() < max(sent, already):
            if time.monotonic() > deadline:
                raise PeerError(
                    f"{self._peer.name} sent {sent} instances to {self._rule.move_title}, "
                    f"{shelf.look()} came"
                )
            time.sleep(0.2)


class WebSource:
    """QIDO-RS, then WADO-RS."""

    def __init__(self, client: WebClient, rule: PriorRule) -> None:
        self._client, self._rule = client, rule

    def find(self, identity: Identity, study_date: date) -> list[PriorStudy]:
        """Ask for the patient's studies, then for the series of each.

        Raises:
            PeerError: No answer.
        """
        query = [
            ("PatientID", check_key(identity)),
            ("StudyDate", _range_of(self._rule, study_date)),
            ("includefield", "StudyDescription"),
            ("includefield", "PatientBirthDate"),
            ("includefield", "IssuerOfPatientID"),
            ("limit", str(MAXIMUM_FOUND * 4)),
        ]
        found = []
        for answer in self._client.search("/studies", query):
            uid = text_of(answer, "0020000D")
            if is_uid(uid) and not identity.contradicts(_web_identity_of(answer)):
                found.append(
                    PriorStudy(
                        study_uid=uid,
                        study_date=text_of(answer, "00080020"),
                        description=text_of(answer, "00081030"),
                        series=(),
                        source=self._rule.web,
                    )
                )
        return [self._with_series(study) for study in _keep_latest(found)]

    def _with_series(self, study: PriorStudy) -> PriorStudy:
        query = [
            ("includefield", "BodyPartExamined"),
            ("includefield", "SeriesDescription"),
            ("limit", "1000"),
        ]
        series = []
        for answer in self._client.search(f"/studies/{study.study_uid}/series", query):
            uid = text_of(answer, "0020000E")
            if is_uid(uid):
                count = text_of(answer, "00201209")
                series.append(
                    PriorSeries(
                        series_uid=uid,
                        modality=text_of(answer, "00080060"),
                        body_part=text_of(answer, "00180015"),
                        description=text_of(answer, "0008103E"),
                        instances=int(count) if count.isdigit() else 0,
                    )
                )
        return _described(study, series)

    def fetch(self, study: PriorStudy, shelf: PriorShelf) -> None:
        """Fetch series by series.

        Raises:
            PeerError, PriorLimitError, OSError: It did not come whole.
        """
        deadline = time.monotonic() + self._rule.timeout_seconds

        def keep(chunks: Iterator[bytes]) -> None:
            slip = shelf.open_slip()
            _write_within(slip, chunks, shelf.bytes_left, deadline)
            shelf.keep(slip)

        for series in study.series:
            self._client.retrieve_series(study.study_uid, series.series_uid, keep)


def _write_within(path: Path, chunks: Iterator[bytes], limit: int, deadline: float) -> None:
    written = 0
    with path.open("wb") as file:
        for chunk in chunks:
            written += len(chunk)
            if written > limit:
                raise PriorLimitError("More bytes than the rule allows")
            if time.monotonic() > deadline:
                raise PeerError("Not fetched within the time the rule allows")
            file.write(chunk)


def _identity_of(answer: Dataset) -> Identity:
    texts = [
        str(answer.get(keyword, "") or "").strip()
        for keyword in ("PatientID", "PatientBirthDate", "IssuerOfPatientID")
    ]
    return Identity(patient_id=texts[0], birth_date=texts[1], issuer=texts[2])


def _web_identity_of(answer: Attributes) -> Identity:
    texts = [text_of(answer, tag).strip() for tag in ("00100020", "00100030", "00100021")]
    return Identity(patient_id=texts[0], birth_date=texts[1], issuer=texts[2])


def _described(study: PriorStudy, series: list[PriorSeries]) -> PriorStudy:
    return PriorStudy(
        study_uid=study.study_uid,
        study_date=study.study_date,
        description=study.description,
        series=tuple(series),
        source=study.source,
    )
