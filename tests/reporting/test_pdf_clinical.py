"""The PDF's clinical pages: each value with its provenance, each score with its ground."""

from dataclasses import replace
from datetime import date

import pytest
from reportlab.platypus import Flowable

from engine.reporting.key_images import open_viewer
from engine.reporting.pdf import compose_pdf
from engine.reporting.pdf_trends import CourseChart, Sparkline, scaled
from engine.values.clinical import Course, CoursePoint
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import PREDICTION, RECORD
from tests.phantoms.conformance import pdf_text

pytestmark = pytest.mark.peer


def text_of(result: AnalysisResult) -> str:
    viewer = open_viewer(result.reference, result.findings)
    return " ".join(pdf_text(compose_pdf(result, viewer, 1).content).split())


def test_a_value_has_date_age_trend_and_source(result: AnalysisResult) -> None:
    text = text_of(result)
    assert "Reference date 2024-03-11" in text
    for told in (
        "Alpha-fetoprotein 18 ng/mL 2024-03-01 10",
        "3 in 182 d, from 7",
        "spreadsheet:labs.csv row 2",
        "41 g/L (sent as",
        "4.1 g/dL)",
        "Total bilirubin 14 µmol/L 2024-03-04 7",
        "FHIR Observation/12",
    ):
        assert told in text, told


def test_a_value_that_was_not_used_has_its_kind_and_reason(result: AnalysisResult) -> None:
    assert "Platelets 2023-10-01 stale older than 90 days labs.csv row 9" in text_of(result)


def test_a_score_s_inputs_point_at_their_values(result: AnalysisResult) -> None:
    text = text_of(result)
    assert "Albumin 41 g/L [2]" in text
    assert "Total bilirubin 14" in text
    assert "[3]" in text
    assert "-2.61 (grade 1)" in text
    assert "10.1200/JCO" in text


def test_what_was_missing_names_what_it_prevented(result: AnalysisResult) -> None:
    assert "Platelets FIB-4" in text_of(result)


def test_without_any_source_the_page_says_so(result: AnalysisResult) -> None:
    text = text_of(replace(result, clinical=None))
    assert "Clinical data not available: no clinical file or source was given" in text


def test_a_source_that_failed_is_named(result: AnalysisResult) -> None:
    told = "FHIR server: clinical data not available: timed out after 30 s"
    failed = replace(RECORD, observations=(), history=(), courses=(), sources=(told,))
    assert told in text_of(replace(result, clinical=failed))


def test_the_forecast_shows_horizons_group_limits_and_refusals(result: AnalysisResult) -> None:
    text = text_of(result)
    for told in (
        "Intermediate risk group: percentile 63",
        "24 66% 55% to 76%",
        "Tumor burden score 3.9",
        "+0.31",
        "−0.12",
        "Age outside the development cohort's 5th to 95th percentile",
        "Microvascular invasion: unknown before surgery",
        "not validated at this site",
        "phantom-risk 0.1.0, SHA-256 7c7c",
        "broken: the cohort's risk groups",
        "AFP older than 90 days",
        "Total points",
    ):
        assert told in text, told


def test_a_model_that_stops_early_refuses_the_later_horizons(result: AnalysisResult) -> None:
    fields = ("times_months", "survival", "lower", "upper")
    cut = {name: getattr(PREDICTION, name)[:4] for name in fields}
    short = replace(PREDICTION, **cut, group_curves=())
    text = text_of(replace(result, predictions=(short,)))
    assert "60 not predicted model ends at 24 months" in text


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_course_of_any_length_can_be_drawn(count: int, result: AnalysisResult) -> None:
    """One point, equal values, zeros: no division by nothing."""
    for value in (0.0, 7.0):
        points = tuple(
            CoursePoint(observed_on=date.fromordinal(738900 + i), value=value) for i in range(count)
        )
        course = Course(analyte="afp", name="AFP", unit="ng/mL", points=points)
        record = replace(RECORD, courses=(course,))
        assert "AFP" in text_of(replace(result, clinical=record))
        drawn: list[Flowable] = [Sparkline(course, 80), CourseChart(course, None, 160)]
        assert all(flowable.wrap(500, 500)[0] > 0 for flowable in drawn)


def test_markers_are_drawn_by_their_logarithm() -> None:
    """0, 9 and 99 ng/mL are equally far apart on the axis."""
    points = tuple(
        CoursePoint(observed_on=date(2024, 1, 1 + i), value=v) for i, v in enumerate((0, 9, 99))
    )
    course = Course(analyte="afp", name="AFP", unit="ng/mL", points=points)
    assert scaled(course) == pytest.approx([0, 1, 2])
