"""Output identities are functions of the job, never of the clock or of chance."""

import re
import uuid

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from engine.reporting.identity import (
    IMPLEMENTATION_CLASS_UID,
    NAMESPACE,
    SEG_SERIES,
    contributing_equipment,
    derive_uid,
    format_datetime,
    implementation_version,
    instance_uid,
    series_uid,
)
from tests.phantoms.analysis_result import make_context


def test_a_retry_writes_the_same_uids() -> None:
    assert derive_uid("job-1", "sr") == derive_uid("job-1", "sr")


def test_jobs_and_roles_never_share_a_uid() -> None:
    uids = {derive_uid(job, role) for job in ("a", "b", "a/sr") for role in ("sr", "seg", "sr/sr")}
    assert len(uids) == 9


def test_a_uid_is_a_version_5_uuid_under_2_25() -> None:
    uid = derive_uid("job-1", "sr")
    assert UID(uid).is_valid
    assert len(uid) <= 64
    assert uuid.UUID(int=int(uid.removeprefix("2.25."))) == uuid.uuid5(NAMESPACE, "5:job-1/sr")


def test_a_job_without_identity_is_refused() -> None:
    with pytest.raises(ValueError, match="empty job_id"):
        derive_uid("", "sr")


def test_series_and_instances_have_their_own_uids() -> None:
    context = make_context()
    uids = {series_uid(context, SEG_SERIES)} | {
        instance_uid(context, SEG_SERIES, n) for n in (1, 2, 3)
    }
    assert len(uids) == 4


def test_the_moment_carries_its_offset_from_utc() -> None:
    assert format_datetime(make_context()) == "20240311123005+0100"


def test_the_implementation_names_itself_within_16_characters() -> None:
    assert re.fullmatch(r"HCAST_0\.1\.0", implementation_version(make_context()))
    assert UID(IMPLEMENTATION_CLASS_UID).is_valid


def test_without_a_model_scanner_and_engine_are_named() -> None:
    equipment = contributing_equipment(make_context(), None, Dataset())
    assert [item.Manufacturer for item in equipment] == ["UNKNOWN", "HepatoCast"]
