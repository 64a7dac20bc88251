"""Output identities are functions of the job, never of the clock or of chance."""

import re

from pydicom.dataset import Dataset
from pydicom.uid import UID

from engine.reporting.identity import (
    IMPLEMENTATION_CLASS_UID,
    PDF_SERIES,
    SC_SERIES,
    SEG_SERIES,
    SR_SERIES,
    contributing_equipment,
    format_datetime,
    implementation_version,
    instance_uid,
    series_uid,
)
from tests.phantoms.analysis_result import make_context


def test_a_retry_writes_the_same_uids() -> None:
    first, again = make_context("job-1"), make_context("job-1")
    assert instance_uid(first, SEG_SERIES) == instance_uid(again, SEG_SERIES)
    assert series_uid(first, SEG_SERIES) == series_uid(again, SEG_SERIES)


def test_jobs_series_and_instances_never_share_a_uid() -> None:
    uids = {
        uid
        for job in ("a", "b")
        for series in (SEG_SERIES, SR_SERIES, SC_SERIES, PDF_SERIES)
        for uid in (
            series_uid(make_context(job), series),
            instance_uid(make_context(job), series, 1),
            instance_uid(make_context(job), series, 2),
        )
    }
    assert len(uids) == 24
    assert all(UID(uid).is_valid and uid.startswith("2.25.") for uid in uids)


def test_the_moment_carries_its_offset_from_utc() -> None:
    assert format_datetime(make_context()) == "20240311123005+0100"


def test_the_implementation_names_itself_within_16_characters() -> None:
    assert re.fullmatch(r"HCAST_0\.1\.0", implementation_version(make_context()))
    assert UID(IMPLEMENTATION_CLASS_UID).is_valid


def test_without_a_model_scanner_and_engine_are_named() -> None:
    equipment = contributing_equipment(make_context(), None, Dataset())
    assert [item.Manufacturer for item in equipment] == ["UNKNOWN", "HepatoCast"]
