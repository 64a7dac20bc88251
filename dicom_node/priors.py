"""Earlier studies of the same patient, beside the current one and never in its way.

A search runs on its own thread after the job was made. Whatever goes wrong is written into
the timeline of the current study; its analysis and delivery go on. What was found lies
under ``priors/`` (or among the images, when it was here already), is listed in the database
and goes with the current study's images.
"""

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa
from pydicom.errors import InvalidDicomError

from dicom_node.audit import INSTANCES_TRANSFERRED, AuditTrail
from dicom_node.errors import InvalidInstanceError, NodeError, PeerError
from dicom_node.index import Index, Row
from dicom_node.peers import PeerClient
from dicom_node.prior_book import ENDED, HERE, PriorBook
from dicom_node.prior_choice import PriorStudy, choose_priors, read_date
from dicom_node.prior_shelf import (
    Identity,
    PriorLimitError,
    PriorShelf,
    WrongPatientError,
    read_identity,
)
from dicom_node.prior_sources import PriorSource, UnusableIdentityError, open_source
from dicom_node.settings import Configuration, PriorRule

log = logging.getLogger(__name__)

LEASE_SLACK_SECONDS = 300.0

OpenSource = Callable[[Configuration, PriorRule, PeerClient], PriorSource]


@dataclass(frozen=True, slots=True)
class ReadyPrior:
    """An earlier study a longitudinal model can read, latest first in lists of them."""

    study_uid: str
    study_date: str
    folder: Path


class Priors:
    """Finds and fetches priors of the studies whose rule wants them."""

    def __init__(
        self, configuration: Configuration, index: Index, client: PeerClient, audit: AuditTrail,
        *, open_source: OpenSource = open_source,
    ) -> None:  # fmt: skip
        self._configuration, self._index = configuration, index
        self._client, self._audit = client, audit
        self._open_source = open_source
        self.book = PriorBook(index.engine)
        self._shelves: dict[str, PriorShelf] = {}
        self._prior_rules = {rule.name: rule.priors for rule in configuration.rule if rule.priors}
        self.titles = frozenset(rule.move_title for rule in configuration.prior if rule.move_title)

    def look(self) -> bool:
        """Plan searches and do the next one that is due; True when one was done."""
        if not self._prior_rules:
            return False
        self.book.open_searches(self._prior_rules)
        longest = max(
            r.timeout_seconds * (r.maximum_studies + 1) for r in self._configuration.prior
        )
        host = self._configuration.host_id
        search = self.book.claim(host, lease_seconds=longest + LEASE_SLACK_SECONDS)
        if search is None:
            return False
        rule = next((r for r in self._configuration.prior if r.name == search["rule"]), None)
        if rule is None:
            text = f"No prior rule is named {search['rule']!r} any more"
            self.book.end_search(search["study_uid"], "failed", text)
        else:
            self._search_and_note(search, rule)
        return True

    def _search_and_note(self, search: Row, rule: PriorRule) -> None:
        study_uid = search["study_uid"]
        try:
            text = self._search(study_uid, rule)
        except UnusableIdentityError as error:
            self.book.end_search(study_uid, "failed", f"Earlier studies not looked for: {error}")
        except (NodeError, OSError, InvalidDicomError) as error:
            tries = search["tries"] + 1
            reason = str(error) if isinstance(error, NodeError) else type(error).__name__
            text = f"Earlier studies, try {tries} of {rule.attempts}: {reason}"
            log.warning("Priors of %s: %s", study_uid, reason)
            if tries >= rule.attempts:
                self.book.end_search(study_uid, "failed", f"{text}; given up")
            else:
                pause = rule.retry_seconds * 2.0 ** (tries - 1)
                self.book.postpone(study_uid, tries, pause, text)
        else:
            self.book.end_search(study_uid, "done", text)

    def _search(self, study_uid: str, rule: PriorRule) -> str:
        """Find, choose, fetch; what to say in the timeline.

        Raises:
            NodeError, OSError: Something did not come; another try may help.
        """
        study = self._index.find_study(study_uid)
        image = next((r for r in self._index.list_instances(study_uid) if r["path"]), None)
        day = read_date(study["study_date"]) if study is not None else None
        if study is None or image is None or day is None:
            raise UnusableIdentityError("the study has no date or no images")
        identity = read_identity(self._configuration.shared / image["path"])
        local = [s for s in self.book.list_local(study_uid) if self._is_same(s, identity)]
        source = self._open_source(self._configuration, rule, self._client)
        try:
            found, missed = source.find(identity, day), None
        except PeerError as error:
            found, missed = [], error
        choice = choose_priors(rule, study_uid, day, [*found, *local])
        errors = [
            e for s in choice.chosen if (e := self._bring(study_uid, s, rule, source, identity))
        ]
        if missed is not None:
            errors.append(str(missed))
        if errors:
            raise PeerError("; ".join(errors))
        count = len(choice.chosen)
        told = f"; not chosen: {', '.join(choice.left_out)}" if choice.left_out else ""
        return (
            f"{count} earlier stud{'y' if count == 1 else 'ies'} ready by rule {rule.name!r}{told}"
        )

    def _is_same(self, study: PriorStudy, identity: Identity) -> bool:
        folder = self._configuration.shared / study.place
        first = next(folder.glob("*.dcm"), None) if study.place else None
        return first is not None and not identity.contradicts(read_identity(first))

    def _bring(
        self, study_uid: str, prior: PriorStudy, rule: PriorRule, source: PriorSource,
        identity: Identity,
    ) -> str:  # fmt: skip
        """Make one prior ready; empty, or why it is not and may be tried again."""
        if prior.source == HERE:
            values = {"place": prior.place, "instances": prior.instances}
            self.book.enter(study_uid, prior, HERE, **values)
            return ""
        shelf = self._open_shelf(prior.study_uid, rule)
        rows = self.book.list_priors(study_uid)
        is_fetched = (prior.study_uid, "fetched") in {
            (r["prior_study_uid"], r["state"]) for r in rows
        }
        if is_fetched and shelf.count >= prior.instances > 0:
            return ""  # by an earlier try of this search
        self.book.enter(study_uid, prior, "asked", place=shelf.place)
        try:
            source.fetch(prior, shelf)
            count = shelf.close(identity)
            if count < prior.instances:
                raise PeerError(f"{count} of {prior.instances} instances came")
        except (WrongPatientError, PriorLimitError) as error:
            shutil.rmtree(shelf.folder, ignore_errors=True)
            self.book.enter(study_uid, prior, "refused", place="", reason=str(error))
            return ""
        except (NodeError, OSError) as error:
            reason = str(error) if isinstance(error, NodeError) else type(error).__name__
            self.book.enter(study_uid, prior, "failed", reason=reason)
            return reason
        finally:
            self._shelves.pop(prior.study_uid, None)
        self.book.enter(study_uid, prior, "fetched", instances=count, reason="")
        participant = prior.source
        self._audit.record(
            INSTANCES_TRANSFERRED, study_uid=prior.study_uid, participant=participant
        )
        return ""

    def _open_shelf(self, prior_uid: str, rule: PriorRule) -> PriorShelf:
        return PriorShelf(
            self._configuration.shared, prior_uid,
            maximum_instances=rule.maximum_instances, maximum_bytes=rule.maximum_bytes,
        )  # fmt: skip

    def divert(self, path: Path, study_uid: str, receiving_title: str) -> bool:
        """Shelve an instance that came to a title for priors; False when it is new work.

        What comes to such a title without ever having been asked for is new work as well:
        it was acknowledged, so it must not be lost.

        Raises:
            OSError: The disk failed; the file stays in the spool.
        """
        if receiving_title not in self.titles or not self.book.is_prior(study_uid):
            return False
        shelf = self._shelves.get(study_uid)
        if shelf is None:
            rules = [r for r in self._configuration.prior if r.move_title == receiving_title]
            widest = max(rules, key=lambda r: r.maximum_instances)
            widest = replace(widest, maximum_bytes=max(r.maximum_bytes for r in rules))
            shelf = self._shelves[study_uid] = self._open_shelf(study_uid, widest)
        shelf.folder.mkdir(parents=True, exist_ok=True)
        try:
            shelf.take_copy(path)
        except (PriorLimitError, InvalidInstanceError) as error:
            log.warning("An instance of prior %s was not kept: %s", study_uid, error)
        return True

    def is_awaited(self, study_uid: str, rule_name: str, created_at: float) -> bool:
        """Tell whether an analysis should still be held back for its priors."""
        rule = self._configuration.find_prior_rule(rule_name)
        if rule is None or time.time() - created_at >= rule.wait_seconds:
            return False
        search = self.book.find_search(study_uid)
        return search is None or search["state"] not in ENDED

    def list_ready(self, study_uid: str) -> list[ReadyPrior]:
        """Earlier studies that are on disk, latest first."""
        rows = self.book.list_priors(study_uid)
        shared = self._configuration.shared
        return [
            ReadyPrior(row["prior_study_uid"], row["study_date"], shared / row["place"])
            for row in rows
            if row["state"] in ("fetched", HERE) and (shared / row["place"]).is_dir()
        ]


def delete_priors(connection: sa.Connection, shared: Path, study_uid: str) -> int:
    """Let the priors of a study go, as far as no other study needs them; folders deleted."""
    places = PriorBook(connection.engine).mark_deleted(connection, study_uid)
    for place in places:
        shutil.rmtree(shared / place, ignore_errors=True)
    return len(places)
