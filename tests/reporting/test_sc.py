"""Secondary Captures: legal, repeatable, marked, and tied to their source."""

import numpy as np
import pytest

from engine.reporting.drawing import AMBER
from engine.reporting.key_images import open_viewer
from engine.reporting.report_file import ReportFile
from engine.reporting.sc import compose_refusal_sc, compose_sc
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import make_not_analyzed, make_result
from tests.phantoms.conformance import Writer, code_problems, dciodvfy_errors, read_dataset


def compose(result: AnalysisResult, maximum: int = 8) -> tuple[ReportFile, ...]:
    return compose_sc(result, open_viewer(result.reference, result.findings), maximum)


@pytest.mark.peer
def test_dciodvfy_finds_no_error(result: AnalysisResult, write: Writer) -> None:
    for file in (*compose(result), compose_refusal_sc(make_not_analyzed())):
        assert dciodvfy_errors(write(file)) == []
        assert code_problems(read_dataset(file.content)) == []


def test_a_summary_comes_first_then_the_lesions_then_the_nomograms(result: AnalysisResult) -> None:
    pages = [read_dataset(file.content) for file in compose(result)]
    assert [page.InstanceNumber for page in pages] == [1, 2, 3, 4]
    assert [page.ImageComments.split(",")[0] for page in pages] == [
        "Summary",
        "Lesion 1",
        "Lesion 2",
        "Nomogram",
    ]
    assert len({page.SeriesInstanceUID for page in pages}) == 1


def test_no_more_pages_than_asked_for(result: AnalysisResult) -> None:
    """The summary, one lesion of two, and the nomogram."""
    assert len(compose(result, maximum=1)) == 3


def test_a_liver_without_lesion_has_its_summary() -> None:
    assert len(compose(make_result(lesions=()))) == 1


def test_the_same_result_gives_the_same_bytes(result: AnalysisResult) -> None:
    assert [f.content for f in compose(result)] == [f.content for f in compose(result)]


def test_every_page_cites_the_slice_it_shows(result: AnalysisResult) -> None:
    pages = [read_dataset(file.content) for file in compose(result)]
    assert "SourceImageSequence" not in pages[-1]  # a nomogram shows no slice
    for page, lesion in zip(pages[1:-1], result.findings.lesions, strict=True):
        source = page.SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == lesion.source.sop_instance_uid


def test_the_research_mark_is_burned_into_the_corner_of_every_page(
    result: AnalysisResult,
) -> None:
    for file in (*compose(result), compose_refusal_sc(make_not_analyzed())):
        page = read_dataset(file.content)
        pixels = np.frombuffer(page.PixelData, np.uint8)[: page.Rows * page.Columns * 3]
        corner = pixels.reshape(page.Rows, page.Columns, 3)[:50, -300:]
        assert (np.abs(corner.astype(int) - AMBER).max(-1) < 40).sum() > 800


def test_the_nomogram_page_marks_the_patient(result: AnalysisResult) -> None:
    """Amber dots on black, on every axis and on the total."""
    page = read_dataset(compose(result)[-1].content)
    pixels = np.frombuffer(page.PixelData, np.uint8)[: page.Rows * page.Columns * 3]
    body = pixels.reshape(page.Rows, page.Columns, 3)[60:880].astype(int)
    assert (np.abs(body - (255, 196, 0)).max(-1) < 30).sum() > 300
    assert (body.max(-1) < 20).mean() > 0.8


def test_patient_data_is_not_burned_in(result: AnalysisResult) -> None:
    assert {read_dataset(f.content).BurnedInAnnotation for f in compose(result)} == {"NO"}
