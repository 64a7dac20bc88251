"""UIDs derive from the job."""

from datetime import UTC, datetime

from pydicom.uid import UID

from engine.values.provenance import AnalysisContext


def context(job_id: str) -> AnalysisContext:
    return AnalysisContext(
        job_id=job_id, created_at=datetime(2026, 1, 1, tzinfo=UTC), software_version="1"
    )


def test_the_same_job_gives_the_same_uid_and_another_job_another() -> None:
    assert context("a").derive_uid("seg") == context("a").derive_uid("seg")
    assert context("a").derive_uid("seg") != context("b").derive_uid("seg")
    assert context("a").derive_uid("seg") != context("a").derive_uid("sr")


def test_names_do_not_run_together() -> None:
    assert context("a").derive_uid("lesion", "12") != context("a").derive_uid("lesion1", "2")


def test_derived_uids_are_valid() -> None:
    uid = UID(context("a").derive_uid("lesion", "1"))
    assert uid.is_valid
    assert uid.startswith("2.25.")
