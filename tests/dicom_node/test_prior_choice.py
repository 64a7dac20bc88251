"""Which earlier studies are fetched: by date, age, region, modality and number."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dicom_node.prior_choice import PriorSeries, PriorStudy, choose_priors, read_date
from dicom_node.settings import PriorRule

TODAY = date(2026, 3, 14)


def study(
    uid: str, day: str, *, modality: str = "CT", part: str = "", words: str = "",
    instances: int = 10, place: str = "",
) -> PriorStudy:  # fmt: skip
    series = PriorSeries(
        series_uid=f"{uid}.1", modality=modality, body_part=part, instances=instances
    )
    return PriorStudy(
        study_uid=uid, study_date=day, description=words, series=(series,),
        source="here" if place else "pacs", place=place,
    )  # fmt: skip


def chosen(rule: PriorRule, *found: PriorStudy) -> list[str]:
    return [s.study_uid for s in choose_priors(rule, "9", TODAY, found).chosen]


def test_only_earlier_studies_within_the_age_are_priors() -> None:
    """The current study, the same day, the future, no date and too old are left out."""
    rule = PriorRule(name="r", peer="p", maximum_age_days=365, maximum_studies=9)
    found = [
        study("9", "20250601"), study("1", "20260314"), study("2", "20270101"),
        study("3", ""), study("4", "20250313"), study("5", "20250314"), study("6", "20260313"),
    ]  # fmt: skip
    choice = choose_priors(rule, "9", TODAY, found)
    assert [s.study_uid for s in choice.chosen] == ["6", "5"]
    assert choice.left_out == (
        "2 not earlier", "1 older than 365 days", "1 without a study date",
    )  # fmt: skip


def test_the_latest_few_are_taken() -> None:
    rule = PriorRule(name="r", peer="p", maximum_studies=2)
    found = [study(str(year), f"{year}0101") for year in (2023, 2025, 2022, 2024)]
    assert chosen(rule, *found) == ["2025", "2024"]


def test_a_body_part_or_a_word_is_enough() -> None:
    """Body Part Examined is often empty or wrong; the description then decides."""
    rule = PriorRule(
        name="r", peer="p", body_parts=("ABDOMEN",), description_contains=("liver", "Abdomen"),
        maximum_studies=9,
    )  # fmt: skip
    found = [
        study("1", "20250101", part="abdomen"), study("2", "20250102", part="HEAD"),
        study("3", "20250103", words="CT LIVER 4 phases"), study("4", "20250104"),
    ]  # fmt: skip
    assert chosen(rule, *found) == ["3", "1"]


def test_only_fitting_series_of_a_study_are_fetched() -> None:
    rule = PriorRule(name="r", peer="p")
    mixed = PriorStudy(
        study_uid="1", study_date="20250101", description="", source="pacs",
        series=tuple(PriorSeries(series_uid=m, modality=m) for m in ("CT", "SR", "MR")),
    )  # fmt: skip
    (one,) = choose_priors(rule, "9", TODAY, [mixed]).chosen
    assert [s.series_uid for s in one.series] == ["CT"]


def test_a_study_that_is_too_large_is_left_out() -> None:
    rule = PriorRule(name="r", peer="p", maximum_instances=10)
    choice = choose_priors(rule, "9", TODAY, [study("1", "20250101", instances=11)])
    assert choice.left_out == ("1 with more than 10 instances",)


def test_what_is_here_already_is_not_fetched_unless_elsewhere_is_more() -> None:
    rule = PriorRule(name="r", peer="p")
    same = [study("1", "20250101"), study("1", "20250101", place="images/x")]
    assert choose_priors(rule, "9", TODAY, same).chosen[0].source == "here"
    more = [study("1", "20250101", instances=11), study("1", "20250101", place="images/x")]
    assert choose_priors(rule, "9", TODAY, more).chosen[0].source == "pacs"


@given(st.lists(st.tuples(st.integers(1, 20), st.dates(date(2000, 1, 1), date(2030, 1, 1)))))
def test_priors_are_always_earlier_few_and_in_order(found: list[tuple[int, date]]) -> None:
    """Whatever a peer answers."""
    rule = PriorRule(name="r", peer="p", maximum_studies=3, maximum_age_days=1000)
    studies = [study(str(n), f"{day:%Y%m%d}") for n, day in found]
    days = [read_date(s.study_date) for s in choose_priors(rule, "9", TODAY, studies).chosen]
    assert len(days) <= 3
    assert all(day is not None and 0 < (TODAY - day).days <= 1000 for day in days)
    assert days == sorted(days, reverse=True)  # type: ignore[type-var]
