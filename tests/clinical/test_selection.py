"""Selection in time."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from engine.clinical.selection import select
from engine.values.clinical import Observation, Rejection, RejectionKind

REFERENCE = date(2024, 3, 1)
Make = Callable[..., Observation]


def _days_before(days: int) -> date:
    return REFERENCE - timedelta(days=days)


def test_the_nearest_value_before_the_reference_date_is_used(observation: Make) -> None:
    old = observation("afp", 10.0, observed_on=_days_before(60))
    near = observation("afp", 20.0, observed_on=_days_before(3))
    record = select([near, old], REFERENCE)
    assert record.find("afp") == near
    assert record.history == (old, near)
    assert record.rejections == ()


def test_a_future_value_is_reported_and_not_used(observation: Make) -> None:
    record = select([observation("afp", 9.0, observed_on=date(2024, 3, 11))], REFERENCE)
    assert record.find("afp") is None
    assert record.history == ()
    assert record.rejections[0].reason == "dated 10 days after the reference date"


def test_a_value_on_the_age_limit_is_used_and_one_day_older_is_stale(observation: Make) -> None:
    on_limit = observation("albumin", 40.0, observed_on=_days_before(30))
    assert select([on_limit], REFERENCE).find("albumin") == on_limit
    stale = select([observation("albumin", 40.0, observed_on=_days_before(31))], REFERENCE)
    assert stale.find("albumin") is None
    assert stale.rejections[0].reason == "31 days old, at most 30"
    assert stale.rejected(RejectionKind.STALE) == stale.rejections
    assert stale.age_days(stale.rejections[0].observed_on) == 31
    assert len(stale.history) == 1


def test_two_different_values_of_one_day_conflict_and_neither_is_used(observation: Make) -> None:
    one = observation("inr", 1.1, source="A")
    other = observation("inr", 2.1, source="B")
    record = select([one, other], REFERENCE)
    assert record.find("inr") is None
    assert {r.source for r in record.rejections} == {"A", "B"}
    assert all("different values on one day" in r.reason for r in record.rejections)
    assert record.history == ()


def test_the_same_value_from_two_sources_does_not_conflict(observation: Make) -> None:
    mass = observation("bilirubin_total", 17.104, source="A")
    molar = observation("bilirubin_total", 17.1, source="B")
    assert select([mass, molar], REFERENCE).find("bilirubin_total") == molar


def test_a_correction_replaces_the_value_of_its_day(observation: Make) -> None:
    wrong = observation("sodium", 113.0, source="first")
    right = observation("sodium", 131.0, source="second", status="corrected")
    record = select([right, wrong], REFERENCE)
    assert record.find("sodium") == right
    assert [(r.source, r.kind, r.reason) for r in record.rejections] == [
        ("first", RejectionKind.REPLACED, "replaced by a correction of the same day")
    ]


def test_an_undated_value_is_used_only_when_it_cannot_go_stale(observation: Make) -> None:
    record = select(
        [
            observation("cirrhosis", "present", observed_on=None),
            observation("albumin", 40.0, observed_on=None),
        ],
        REFERENCE,
    )
    assert record.find("cirrhosis") is not None
    assert record.find("albumin") is None
    assert "no date" in record.rejections[0].reason


def test_without_a_reference_date_the_latest_value_counts(observation: Make) -> None:
    late = observation("afp", 2.0, observed_on=date(2030, 1, 1))
    early = observation("afp", 1.0, observed_on=date(1999, 1, 1))
    assert select([late, early], None).find("afp") == late


def test_rejections_made_on_the_way_stay_in_the_record() -> None:
    rejection = Rejection(analyte="afp", source="row 2", reason="not a number")
    assert select([rejection], REFERENCE, ("labs.csv: 1 row",)).rejections == (rejection,)


def test_of_two_samples_of_one_day_the_later_one_counts(observation: Make) -> None:
    morning = observation("inr", 1.1, observed_at=datetime(2024, 2, 28, 7))
    evening = observation("inr", 2.1, observed_at=datetime(2024, 2, 28, 19))
    record = select([evening, morning], REFERENCE)
    assert record.find("inr") == evening
    assert record.history == (evening,)
    assert [r.kind for r in record.rejections] == [RejectionKind.REPLACED]


def test_a_time_on_one_of_two_different_values_decides_nothing(observation: Make) -> None:
    timed = observation("inr", 1.1, observed_at=datetime(2024, 2, 28, 7))
    record = select([timed, observation("inr", 2.1)], REFERENCE)
    assert record.find("inr") is None
    assert [r.kind for r in record.rejections] == [RejectionKind.CONFLICTING] * 2


def test_an_age_recorded_years_ago_is_not_todays_age(observation: Make) -> None:
    record = select([observation("age", 58.0, observed_on=date(2016, 3, 1))], REFERENCE)
    assert record.find("age") is None
    assert record.rejections[0].kind is RejectionKind.STALE
