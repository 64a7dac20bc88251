"""The machine-readable result keeps its published contract and no patient data."""

import json
from dataclasses import replace

import jsonschema
import pytest

from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.result_json import (
    compose_features_json,
    compose_refusal_json,
    compose_result_json,
    load_schema,
)
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import make_not_analyzed, make_result

SEG_FILE = ReportFile(
    name="seg.dcm",
    kind=ReportKind.SEG,
    content=b"not a real object",
    sop_class_uid="1.2.840.10008.5.1.4.1.1.66.4",
    sop_instance_uid="2.25.1",
    series_instance_uid="2.25.2",
)


def judge(file: ReportFile) -> dict:
    document = json.loads(file.content)
    checker = jsonschema.Draft202012Validator(
        load_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    errors = sorted(f"{list(e.path)}: {e.message}" for e in checker.iter_errors(document))
    assert errors == []
    return document


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema())


@pytest.mark.parametrize("lesions", [0, 2])
def test_a_result_fits_the_schema(lesions: int, result: AnalysisResult) -> None:
    result = result if lesions else make_result(lesions=())
    document = judge(compose_result_json(result, (SEG_FILE,)))
    assert len(document["lesions"]) == lesions
    assert document["burden"]["number"] == lesions


def test_a_nomogram_is_told_in_points(result: AnalysisResult) -> None:
    """The widest axis is 100 points; AFP's 0.13 of an axis 0.8 wide is 16.25."""
    (told,) = judge(compose_result_json(result, ()))["nomograms"]
    assert [axis["patient"]["points"] for axis in told["axes"]] == pytest.approx([36.25, 16.25])
    assert told["patient_points"] == pytest.approx(52.5)
    assert told["maximum_points"] == pytest.approx(150)
    assert told["scales"][0]["marks"][0]["points"] == pytest.approx(12.5)


def test_courses_and_group_curves_are_in_it(result: AnalysisResult) -> None:
    document = judge(compose_result_json(result, ()))
    (course,) = document["clinical"]["courses"]
    assert [point["value"] for point in course["points"]] == [7, 11, 18]
    (prediction,) = document["predictions"]
    assert [curve["name"] for curve in prediction["group_curves"]] == [
        "low",
        "intermediate",
        "high",
    ]


def test_features_are_one_set_a_line_and_the_same_in_both_files(result: AnalysisResult) -> None:
    whole, alone = compose_result_json(result, ()), compose_features_json(result)
    assert json.loads(whole.content)["features"] == json.loads(alone.content)["features"]
    lines = [line for line in alone.content.decode().splitlines() if '"region"' in line]
    assert len(lines) == len(result.features)


def test_a_refusal_fits_the_schema_and_gives_its_reason() -> None:
    document = judge(compose_refusal_json(make_not_analyzed(), (SEG_FILE,)))
    assert document["status"] == "not analyzed"
    assert "7.5 mm" in document["reason"]


def test_an_analyzed_result_without_lesions_list_does_not_fit(result: AnalysisResult) -> None:
    document = json.loads(compose_result_json(result, ()).content)
    del document["lesions"]
    with pytest.raises(jsonschema.ValidationError, match="lesions"):
        jsonschema.validate(document, load_schema())


def test_lesions_keep_their_end_points(result: AnalysisResult) -> None:
    document = judge(compose_result_json(result, ()))
    first, measured = document["lesions"][0], result.findings.lesions[0]
    assert first["long_axis"]["ends_mm"] == [list(end) for end in measured.long_axis.ends_mm]
    assert first["volume_ml"] == measured.volume_ml


def test_a_feature_that_failed_is_null_with_its_reason(result: AnalysisResult) -> None:
    document = judge(compose_result_json(result, ()))
    failed = [f for f in document["features"][0]["features"] if f["value"] is None]
    assert [f["reason"] for f in failed] == ["The ring leaves the liver"]


def test_files_are_listed_with_checksums(result: AnalysisResult) -> None:
    (listed,) = judge(compose_result_json(result, (SEG_FILE,)))["files"]
    assert listed["sha256"] == SEG_FILE.sha256
    assert listed["bytes"] == len(SEG_FILE.content)


def test_no_patient_attribute_is_written(result: AnalysisResult) -> None:
    for file in (compose_result_json(result, ()), compose_features_json(result)):
        text = file.content.decode()
        for secret in ("Phantom", "Petra", "PHANTOM-7", "19600229", "ACC-1"):
            assert secret not in text


def test_the_research_use_statement_is_machine_readable(result: AnalysisResult) -> None:
    for file in (
        compose_result_json(result, ()),
        compose_features_json(result),
        compose_refusal_json(make_not_analyzed(), ()),
    ):
        assert "research use only" in json.loads(file.content)["research_use_statement"]


def test_features_do_not_depend_on_job_time_or_speed(result: AnalysisResult) -> None:
    later = replace(
        result,
        context=replace(
            result.context, job_id="job-2", created_at=result.context.created_at.replace(year=2031)
        ),
        stage_seconds=(("series", 99.0),),
    )
    assert compose_features_json(later).content == compose_features_json(result).content
