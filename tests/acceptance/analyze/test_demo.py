"""`hepatocast demo` ends 0 and leaves valid objects (issue 2, line 1)."""

import json

import jsonschema
import pydicom

from tests.phantoms.conformance import (
    code_problems,
    dciodvfy_errors,
    dsrdump_problems,
    pdf_facts,
    pdf_text,
)
from tests.phantoms.demo_run import ROOT, Demo


def test_it_ends_zero_and_passes_its_own_check(demo: Demo) -> None:
    assert demo.code == 0, demo.printed
    assert "Self-check PASSED" in demo.printed


def test_it_prints_the_findings_with_paths_and_seconds(demo: Demo) -> None:
    for word in ("Liver", "long axis", "Files", "Seconds: ", "research use only", "seg.dcm"):
        assert word in demo.printed


def test_every_dicom_object_is_free_of_dciodvfy_errors(demo: Demo) -> None:
    objects = sorted(demo.result.glob("*.dcm"))
    modalities = {pydicom.dcmread(path, stop_before_pixels=True).Modality for path in objects}
    assert modalities == {"SEG", "SR", "OT", "DOC"}
    assert {path.name: errors for path in objects if (errors := dciodvfy_errors(path))} == {}


def test_the_report_reads_cleanly_and_its_codes_mean_what_they_say(demo: Demo) -> None:
    assert dsrdump_problems(demo.result / "sr.dcm") == []
    for name in ("sr.dcm", "seg.dcm"):
        dataset = pydicom.dcmread(demo.result / name, stop_before_pixels=True)
        assert code_problems(dataset) == []


def test_the_encapsulated_document_is_a_pdf_with_the_statement(demo: Demo) -> None:
    payload = bytes(pydicom.dcmread(demo.result / "report.dcm").EncapsulatedDocument)
    assert int(pdf_facts(payload)["Pages"]) >= 3
    assert "research use only" in pdf_text(payload).lower()
    assert payload.rstrip(b"\0") == (demo.result / "report.pdf").read_bytes().rstrip(b"\0")


def test_the_result_keeps_its_published_schema(demo: Demo) -> None:
    schema = json.loads((ROOT / "engine" / "reporting" / "result.schema.json").read_text())
    result = json.loads((demo.result / "result.json").read_text())
    jsonschema.validate(result, schema)
    roles = [decision["role"] for decision in result["series_decisions"]]
    assert roles.count("reference") == 1
    assert roles.count("phase") == 3
