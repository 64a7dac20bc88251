"""Charts say what the volume and the features say, with one phase or with four."""

from dataclasses import replace

import numpy as np
import pytest

from engine.reporting.key_images import open_viewer
from engine.reporting.lesion_charts import BINS_HU, chart_lesions
from engine.reporting.pdf import compose_pdf
from engine.reporting.pdf_lesion_charts import paper_color
from engine.values.features import Feature, FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import make_result
from tests.phantoms.conformance import pdf_text

MEANS = {
    ContrastPhase.NON_CONTRAST: (40.0, 55.0),
    ContrastPhase.LATE_ARTERIAL: (110.0, 72.0),
    ContrastPhase.PORTAL_VENOUS: (62.0, 108.0),
    ContrastPhase.DELAYED: (70.0, 92.0),
}


def mean_of(region: str, phase: ContrastPhase, hu: float) -> FeatureSet:
    feature = Feature(
        name="Mean intensity", ibsi_code="Q4LE", family="Statistics", value=hu, unit="[hnsf'U]"
    )
    return FeatureSet(region=region, phase=phase, features=(feature,), settings={})


def with_phases(result: AnalysisResult) -> AnalysisResult:
    sets = []
    for phase, (lesion, liver) in MEANS.items():
        sets += [mean_of("lesion 1", phase, lesion), mean_of("liver parenchyma", phase, liver)]
    sets.append(mean_of("lesion 1 ring 10 mm", ContrastPhase.PORTAL_VENOUS, 104.0))
    return replace(result, features=tuple(sets))


def test_shares_are_those_of_the_voxels(result: AnalysisResult) -> None:
    findings, hu = result.findings, result.reference.voxels_hu
    for chart in chart_lesions(result, 5):
        inside = hu[findings.lesion_labels == chart.number]
        assert chart.lesion_share.sum() == pytest.approx(1)
        middle = BINS_HU[:-1] + 5
        assert chart.lesion_share @ middle == pytest.approx(inside.mean(), abs=5)
        around = hu[findings.liver & (findings.lesion_labels == 0)]
        assert chart.liver_share @ middle == pytest.approx(around.mean(), abs=5)


def test_values_beyond_the_axis_are_not_lost(result: AnalysisResult) -> None:
    hu = result.reference.voxels_hu.copy()
    hu[result.findings.lesion_labels == 1] = 1500
    bright = replace(result, reference=replace(result.reference, voxels_hu=hu))
    assert chart_lesions(bright, 1)[0].lesion_share[-1] == pytest.approx(1)


def test_phases_stand_in_order_of_time(result: AnalysisResult) -> None:
    chart = chart_lesions(with_phases(result), 1)[0]
    assert [phase for phase, _, _ in chart.phases] == list(MEANS)
    assert [(own, around) for _, own, around in chart.phases] == list(MEANS.values())


def test_a_row_compares_lesion_ring_and_liver(result: AnalysisResult) -> None:
    chart = chart_lesions(with_phases(result), 1)[0]
    assert chart.ring == "10 mm"
    assert chart.rows == (("Mean, HU", "62", "104", "108"),)


def test_a_value_that_could_not_be_computed_is_a_dash(result: AnalysisResult) -> None:
    broken = mean_of("lesion 1", ContrastPhase.PORTAL_VENOUS, float("nan"))
    around = mean_of("liver parenchyma", ContrastPhase.PORTAL_VENOUS, 100.0)
    chart = chart_lesions(replace(result, features=(broken, around)), 1)[0]
    assert chart.rows == (("Mean, HU", "–", "–", "100"),)


@pytest.mark.peer
@pytest.mark.parametrize("several", [False, True])
def test_the_pdf_draws_them_with_one_phase_or_several(
    several: bool, result: AnalysisResult
) -> None:
    shown = with_phases(result) if several else result
    viewer = open_viewer(shown.reference, shown.findings)
    text = " ".join(pdf_text(compose_pdf(shown, viewer, 1).content).split())
    assert "Lesions against the liver" in text
    assert ("arterial portal delayed" in text) is several
    assert ("one contrast phase was read" in text) is not several


@pytest.mark.peer
def test_without_a_lesion_nothing_is_charted() -> None:
    empty = make_result(lesions=())
    viewer = open_viewer(empty.reference, empty.findings)
    assert "Lesions against" not in pdf_text(compose_pdf(empty, viewer, 1).content)


def test_no_lesion_s_color_vanishes_on_paper() -> None:
    for number in range(1, 7):
        color = paper_color(number)
        assert np.dot((0.3, 0.59, 0.11), color.rgb()) < 0.72
