"""When a study is complete, and on what evidence (DESIGN decision 7).

Quiet time is measured by this process's monotonic clock from the moment the number of
instances last changed, so neither a clock jump nor a restart can end a study early.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dicom_node.errors import PeerError
from dicom_node.index import Index, Row
from dicom_node.ledger import Ledger
from dicom_node.routing import choose, list_images
from dicom_node.settings import Configuration

log = logging.getLogger(__name__)

CountSeries = Callable[[str], dict[str, int]]
Clock = Callable[[], float]


@dataclass(slots=True)
class _Watch:
    """What was last seen of one arriving study."""

    count: int
    changed_at: float
    asked_at: float = float("-inf")


class Completeness:
    """Looks at arriving studies and makes jobs of those that are complete."""

    def __init__(
        self, configuration: Configuration, index: Index, ledger: Ledger,
        count_series: CountSeries, *, clock: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._configuration, self._settings = configuration, configuration.completeness
        self._index, self._ledger = index, ledger
        self._count_series = count_series
        self._clock = clock
        self._watched: dict[str, _Watch] = {}

    def look(self) -> list[str]:
        """Look once; the jobs that are ready."""
        arriving = self._index.list_receiving()
        self._watched = {s: w for s, w in self._watched.items() if s in {a[0] for a in arriving}}
        ready = []
        for study_uid, count, is_forced in arriving:
            job_id = self._consider(study_uid, count, is_forced=is_forced)
            if job_id is not None:
                ready.append(job_id)
        return ready

    def _consider(self, study_uid: str, count: int, *, is_forced: bool) -> str | None:
        now = self._clock()
        watch = self._watched.setdefault(study_uid, _Watch(count, now))
        if watch.count != count:
            watch.count, watch.changed_at, watch.asked_at = count, now, float("-inf")
        quiet_seconds = now - watch.changed_at
        if not is_forced and quiet_seconds < self._settings.quiet_seconds:
            return None
        study = self._index.find_study(study_uid)
        if study is None:
            return None
        instances = self._index.list_instances(study_uid)
        verdict = choose(self._configuration, study, instances)
        if not verdict.fits or not verdict.rule.analyze:
            reason = "; ".join(verdict.reasons) or "Kept without analysis"
            self._index.ignore_study(study_uid, f"Rule {verdict.rule.name!r}: {reason}")
            return None
        images = list_images(verdict.rule, instances)
        evidence = self._find_evidence(study_uid, images, watch, is_forced=is_forced)
        if evidence is None:
            return None
        return self._ledger.create_job(
            study_uid, images, verdict.rule, evidence, seen_instances=len(instances)
        )

    def _find_evidence(
        self, study_uid: str, images: Sequence[Row], watch: _Watch, *, is_forced: bool
    ) -> dict[str, Any] | None:
        """Why the study counts as complete; None when it does not yet."""
        quiet = f"No new instance for {self._settings.quiet_seconds:g} s"
        base = {"instances": len(images), "quiet_seconds": self._settings.quiet_seconds}
        if is_forced:
            return {**base, "kind": "forced", "text": "Declared complete by an operator"}
        if not self._settings.count_peer:
            return {**base, "kind": "quiet", "text": quiet}
        now = self._clock()
        if now - watch.asked_at < self._settings.quiet_seconds:
            return None
        watch.asked_at = now
        missing = self._find_missing(study_uid, images)
        if not missing:
            text = f"{quiet} and {self._settings.count_peer} has the same number of instances"
            return {**base, "kind": "counted", "text": text}
        if now - watch.changed_at < self._settings.count_patience_seconds:
            return None
        return {**base, "kind": "patience", "text": f"{quiet}, but {missing}"}

    def _find_missing(self, study_uid: str, images: Sequence[Row]) -> str:
        """What the peer has and we have not; empty when every series is whole."""
        try:
            expected = self._count_series(study_uid)
        except PeerError as error:
            return f"the count could not be asked: {error}"
        held = Counter(str(row["series_uid"]) for row in images)
        short = [s for s, number in held.items() if expected.get(s, number) > number]
        return f"{len(short)} of {len(held)} series are incomplete" if short else ""
