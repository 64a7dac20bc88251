"""Laboratory values then and now."""

from typing import Any

import pytest

from engine.followup.trend import marker_trends


def record(value: float | str, day: str | None, unit: str = "ng/mL") -> dict[str, Any]:
    observation = {"analyte": "afp", "value": value, "unit": unit, "observed_on": day}
    return {"observations": [observation]}


def test_a_fourfold_rise_in_180_days_doubles_in_90() -> None:
    (trend,) = marker_trends(record(20.0, "2024-01-05"), record(80.0, "2024-07-03"))
    assert trend.change == 3.0
    assert trend.doubling_days == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (record(20.0, None), record(80.0, "2024-07-03")),
        (record(80.0, "2024-01-05"), record(20.0, "2024-07-03")),
        (record(0.0, "2024-01-05"), record(20.0, "2024-07-03")),
        (record(20.0, "2024-07-03"), record(80.0, "2024-07-03")),
    ],
)
def test_no_doubling_time_where_there_is_none(first: Any, second: Any) -> None:  # noqa: ANN401
    (trend,) = marker_trends(first, second)
    assert trend.doubling_days is None


def test_units_are_not_mixed() -> None:
    assert marker_trends(record(20.0, None), record(20.0, None, "[IU]/mL")) == ()


def test_without_records_there_is_no_trend() -> None:
    assert marker_trends(None, record(1.0, None)) == ()
