"""The PDF: a PDF by other programs' word, repeatable, and it says what must be said."""

from dataclasses import replace

import pytest

from engine.reporting.key_images import open_viewer
from engine.reporting.pdf import compose_pdf, encapsulate_pdf
from engine.reporting.report_file import ReportFile, ReportKind
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult
from tests.phantoms.analysis_result import make_result
from tests.phantoms.conformance import (
    Writer,
    code_problems,
    dciodvfy_errors,
    dcm2pdf_payload,
    pdf_facts,
    pdf_text,
    read_dataset,
    run_program,
)

SEG = ReportFile(
    name="seg.dcm",
    kind=ReportKind.SEG,
    content=b"x",
    sop_class_uid="1.2.840.10008.5.1.4.1.1.66.4",
    sop_instance_uid="2.25.5",
    series_instance_uid="2.25.6",
)


def compose(result: AnalysisResult) -> bytes:
    return compose_pdf(result, open_viewer(result.reference, result.findings), 8).content


@pytest.mark.peer
def test_the_encapsulated_object_is_legal_and_holds_the_pdf(
    result: AnalysisResult, write: Writer
) -> None:
    payload = compose(result)
    file = encapsulate_pdf(payload, result, (SEG,))
    path = write(file)
    assert dciodvfy_errors(path) == []
    assert code_problems(read_dataset(file.content)) == []
    taken_out = dcm2pdf_payload(path)
    assert taken_out.rstrip(b"\0") == payload.rstrip(b"\0")
    facts = pdf_facts(taken_out)
    assert facts["Page size"].endswith("(A4)")
    assert facts["Title"] == "Liver CT analysis (research use only)"
    source = read_dataset(file.content).SourceInstanceSequence[0]
    assert source.ReferencedSOPInstanceUID == "2.25.5"


@pytest.mark.peer
def test_every_font_is_embedded(result: AnalysisResult, write: Writer) -> None:
    path = write(ReportFile(name="r.pdf", kind=ReportKind.PDF, content=compose(result)))
    fonts = run_program("pdffonts", str(path)).stdout.splitlines()[2:]
    assert fonts
    assert all(line.split()[-5] == "yes" for line in fonts)


def test_the_same_result_gives_the_same_bytes(result: AnalysisResult) -> None:
    assert compose(result) == compose(result)


@pytest.mark.peer
def test_every_page_carries_patient_statement_and_number(result: AnalysisResult) -> None:
    payload = compose(result)
    pages = pdf_text(payload).split("\f")[:-1]
    total = int(pdf_facts(payload)["Pages"])
    assert len(pages) == total
    for number, page in enumerate(pages, 1):
        assert "RESEARCH USE ONLY" in page
        assert RESEARCH_USE_STATEMENT in page
        assert "ID PHANTOM-7" in page
        assert f"page {number} of {total}" in page


@pytest.mark.peer
def test_it_says_what_a_reader_needs(result: AnalysisResult) -> None:
    text = pdf_text(compose(result))
    first = result.findings.lesions[0]
    for needed in (
        "Phantom, Petra",
        "2 lesions, the largest",
        f"{first.long_axis.length_mm:.1f} mm",
        f"{first.volume_ml:.1f} mL",
        "Milan",
        "no macrovascular invasion",
        "grade 1",
        "labs.csv row 2",
        "Platelets",
        "older than 90 days",
        "95 % bootstrap interval",
        "not validated at this site",
        "Localizer image",
        result.model.sha256,
        "Lesions under 10 mm are often missed",
        "Slice 12 is noisier",
        "AFP older than 90 days",
    ):
        assert needed in text, needed


@pytest.mark.peer
def test_a_liver_without_lesion_is_said_to_have_none() -> None:
    assert "No lesion found in the liver" in pdf_text(compose(make_result(lesions=())))


@pytest.mark.peer
def test_text_from_outside_is_shown_and_never_obeyed(result: AnalysisResult) -> None:
    hostile = replace(result, warnings=('<b>bold</b> & <img src="x"/> </para>',))
    assert '<img src="x"/>' in pdf_text(compose(hostile))


@pytest.mark.peer
def test_a_script_the_typeface_lacks_is_transliterated(result: AnalysisResult) -> None:
    odd = replace(result, warnings=("Größe ≤ 3 mm; Дубна",))
    assert "Größe ≤ 3 mm; ‹Dubna›" in pdf_text(compose(odd))
