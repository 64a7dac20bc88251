"""All objects of a result together."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from engine.errors import GeometryGateError
from engine.reporting import (
    ReportOptions,
    SegmentationType,
    compose_not_analyzed,
    compose_reports,
)
from engine.reporting.result_json import load_schema
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import SEGMENTS, make_not_analyzed, make_result
from tests.phantoms.conformance import read_dataset


def test_a_result_becomes_all_its_objects(result: AnalysisResult) -> None:
    files = compose_reports(result, SEGMENTS)
    assert [f.name for f in files] == [
        "seg.dcm",
        "sr.dcm",
        "key-image-01.dcm",
        "key-image-02.dcm",
        "key-image-03.dcm",
        "key-image-04.dcm",
        "report.dcm",
        "report.pdf",
        "fhir.json",
        "features.json",
        "result.json",
    ]
    listed = {f["name"]: f["sha256"] for f in json.loads(files[-1].content)["files"]}
    assert listed == {f.name: f.sha256 for f in files[:-1]}
    jsonschema.validate(json.loads(files[-1].content), load_schema())


def test_repeating_gives_the_same_bytes(result: AnalysisResult) -> None:
    first, again = compose_reports(result, SEGMENTS), compose_reports(result, SEGMENTS)
    assert [f.content for f in first] == [f.content for f in again]


def test_objects_have_distinct_uids_in_four_series(result: AnalysisResult) -> None:
    dicom = [f for f in compose_reports(result, SEGMENTS) if f.is_dicom]
    assert len({f.sop_instance_uid for f in dicom}) == len(dicom) == 7
    assert len({f.series_instance_uid for f in dicom}) == 4
    for file in dicom:
        dataset = read_dataset(file.content)
        assert dataset.SOPInstanceUID == file.sop_instance_uid
        assert dataset.file_meta.MediaStorageSOPClassUID == file.sop_class_uid
        assert "RESEARCH ONLY" in dataset.SeriesDescription
        assert len(dataset.ContributingEquipmentSequence) == 3


def test_a_label_map_is_made_on_request(result: AnalysisResult) -> None:
    options = ReportOptions(segmentation_type=SegmentationType.LABELMAP, maximum_key_images=0)
    seg, *_ = compose_reports(result, SEGMENTS, options)
    assert read_dataset(seg.content).SegmentationType == "LABELMAP"


def test_nothing_is_handed_over_when_the_gate_closes(result: AnalysisResult) -> None:
    first = result.findings.lesions[0]
    moved = replace(first, centroid_mm=tuple(np.add(first.centroid_mm, 1.0)))
    findings = replace(result.findings, lesions=(moved, *result.findings.lesions[1:]))
    with pytest.raises(GeometryGateError, match="Lesion 1"):
        compose_reports(replace(result, findings=findings), SEGMENTS)


def test_no_file_name_carries_patient_data() -> None:
    for file in compose_reports(make_result(lesions=()), SEGMENTS):
        assert file.name.removesuffix(".dcm").replace("-", "").replace(".", "").isalnum()
        assert "hantom" not in file.name


def test_a_refused_study_gets_report_picture_and_json() -> None:
    files = compose_not_analyzed(make_not_analyzed())
    assert [f.name for f in files] == ["sr.dcm", "key-image-01.dcm", "result.json"]
    jsonschema.validate(json.loads(files[-1].content), load_schema())
