"""The measurement report: legal by every judge, complete, and where the lesions are."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest
from pydicom.dataset import Dataset

from engine.errors import OutputError
from engine.reporting.report_file import ReportFile, SegmentationType
from engine.reporting.seg import compose_seg
from engine.reporting.source_plane import find_planes
from engine.reporting.sr import compose_refusal_sr, compose_sr
from engine.reporting.sr_groups import Evidence
from engine.values.identity import ContrastPhase, ImageReference
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import (
    SEGMENTS,
    cached_result,
    make_not_analyzed,
    make_result,
)
from tests.phantoms.conformance import (
    Writer,
    code_problems,
    dciodvfy_errors,
    dsrdump_problems,
    pixelmed_errors,
    read_dataset,
)


def compose(result: AnalysisResult) -> ReportFile:
    planes = find_planes(result.reference)
    seg = compose_seg(result, SEGMENTS, planes, SegmentationType.BINARY)
    return compose_sr(result, Evidence(segments=SEGMENTS, planes=planes, seg=seg))


def groups_of(report: Dataset, template: str) -> list[Dataset]:
    (measurements,) = [c for c in report.ContentSequence if name_of(c) == "126010"]
    return [
        group
        for group in measurements.ContentSequence
        if group.ContentTemplateSequence[0].TemplateIdentifier == template
    ]


def name_of(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def children(item: Dataset, code: str) -> list[Dataset]:
    return [
        c for c in item.ContentSequence if "ConceptNameCodeSequence" in c and name_of(c) == code
    ]


def number(item: Dataset) -> float:
    return float(item.MeasuredValueSequence[0].NumericValue)


def texts(report: Dataset) -> list[str]:
    (container,) = [c for c in report.ContentSequence if name_of(c) == "C0034375"]
    return [c.TextValue for c in container.ContentSequence if c.ValueType == "TEXT"]


@pytest.mark.peer
@pytest.mark.parametrize("variant", ["full", "no lesion", "enhanced", "oblique", "refusal"])
def test_dicom3tools_and_dcmtk_find_nothing(variant: str, write: Writer) -> None:
    if variant == "refusal":
        file = compose_refusal_sr(make_not_analyzed())
    elif variant == "oblique":
        file = compose(cached_result("oblique"))
    else:
        lesions = {} if variant != "no lesion" else {"lesions": ()}
        file = compose(make_result(enhanced=variant == "enhanced", **lesions))
    path = write(file)
    assert dciodvfy_errors(path) == []
    assert dsrdump_problems(path) == []
    assert code_problems(read_dataset(file.content)) == []


@pytest.mark.peer
def test_the_template_validator_finds_no_error(result: AnalysisResult, write: Writer) -> None:
    assert pixelmed_errors(write(compose(result))) == []


def test_the_same_result_gives_the_same_bytes(result: AnalysisResult) -> None:
    assert compose(result).content == compose(result).content


def test_highdicom_reads_the_volumetric_groups(result: AnalysisResult) -> None:
    dataset = read_dataset(compose(result).content)
    report = hd.sr.Comprehensive3DSR.from_dataset(dataset)
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["Lesion 1", "Lesion 2", "Liver"]
    told = [group.tracking_uid for group in groups[:-1]]
    assert told == [lesion.tracking_uid for lesion in result.findings.lesions]
    segments = [children(group, "121191")[0] for group in groups_of(dataset, "1411")]
    numbers = [s.ReferencedSOPSequence[0].ReferencedSegmentNumber for s in segments]
    assert numbers == [2, 3, 1]


def test_the_largest_lesion_comes_first(result: AnalysisResult) -> None:
    """OHIF opens a report at its first group; a reader wants the lesion, not the liver."""
    measurements = children(read_dataset(compose(result).content), "126010")[0]
    first = measurements.ContentSequence[0]
    largest = max(result.findings.lesions, key=lambda lesion: lesion.volume_ml)
    assert first.ContentTemplateSequence[0].TemplateIdentifier == "1410"
    assert largest.tracking_uid == children(first, "112040")[0].UID


def test_each_finding_is_told_twice_under_one_tracking_uid(result: AnalysisResult) -> None:
    """OHIF shows planar groups only, and merges groups by Tracking UID."""
    report = read_dataset(compose(result).content)
    planar = [children(g, "112040")[0].UID for g in groups_of(report, "1410")]
    volumetric = [children(g, "112040")[0].UID for g in groups_of(report, "1411")]
    assert planar == volumetric
    assert len(set(planar)) == 3


def test_numbers_are_those_that_were_measured(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    for lesion, group in zip(result.findings.lesions, groups_of(report, "1411")[:-1], strict=True):
        told = {name_of(n): number(n) for n in group.ContentSequence if n.ValueType == "NUM"}
        assert told["118565006"] == pytest.approx(lesion.volume_ml)
        assert told["103339001"] == pytest.approx(lesion.long_axis.length_mm)
        assert told["103340004"] == pytest.approx(lesion.short_axis.length_mm)
        assert told["L0JK"] == pytest.approx(lesion.maximum_3d_diameter.length_mm)
        assert told["112031"] == pytest.approx(lesion.mean_hu)
        assert told["111012"] == pytest.approx(lesion.confidence * 100)
        assert told["DISTCAPSULE"] == pytest.approx(lesion.capsule_distance_mm)


@pytest.mark.parametrize("orientation", ["axial", "reversed", "coronal", "sagittal", "oblique"])
def test_end_points_lie_on_the_cited_slice_where_they_were_measured(orientation: str) -> None:
    result = cached_result(orientation)
    report = read_dataset(compose(result).content)
    headers = {str(h.SOPInstanceUID): h for h in result.reference.headers}
    for lesion, group in zip(result.findings.lesions, groups_of(report, "1410")[:-1], strict=True):
        (line,) = children(group, "103339001")[0].ContentSequence
        image = line.ContentSequence[0].ReferencedSOPSequence[0]
        assert image.ReferencedSOPInstanceUID == lesion.source.sop_instance_uid
        header = headers[image.ReferencedSOPInstanceUID]
        ends = np.array(line.GraphicData, float).reshape(2, 2) - 0.5
        along_row, along_column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        row_mm, column_mm = (float(v) for v in header.PixelSpacing)
        points = (
            np.array(header.ImagePositionPatient, float)
            + ends[:, :1] * column_mm * along_row
            + ends[:, 1:] * row_mm * along_column
        )
        np.testing.assert_allclose(points, lesion.long_axis.ends_mm, atol=0.01)
        assert np.linalg.norm(points[0] - points[1]) == pytest.approx(
            lesion.long_axis.length_mm, abs=0.01
        )


def test_outlines_enclose_the_lesion_on_its_slice(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    for lesion, group in zip(result.findings.lesions, groups_of(report, "1410")[:-1], strict=True):
        (region,) = children(group, "111030")
        line = np.array(region.GraphicData, float).reshape(-1, 2)
        assert (line[0] == line[-1]).all()
        mask = result.findings.lesion_labels[lesion.long_axis.slice_index] == lesion.number
        rows, columns = np.nonzero(mask)
        assert line.min(0).tolist() == [columns.min(), rows.min()]
        assert line.max(0).tolist() == [columns.max() + 1, rows.max() + 1]


def test_only_cited_images_are_in_the_library(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    (library,) = [c for c in report.ContentSequence if name_of(c) == "111028"]
    entries = library.ContentSequence[0].ContentSequence
    cited = {e.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for e in entries}
    lesions = {lesion.source.sop_instance_uid for lesion in result.findings.lesions}
    assert lesions <= cited
    assert len(cited) <= 1 + len(lesions) < len(result.reference.headers)


def test_evidence_lists_the_segmentation_and_every_source_image(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    source, seg = study.ReferencedSeriesSequence
    assert len(source.ReferencedSOPSequence) == len(result.reference.headers)
    assert len(seg.ReferencedSOPSequence) == 1


def derived(report: Dataset) -> Dataset:
    (container,) = [c for c in report.ContentSequence if name_of(c) == "126011"]
    return container


def test_criteria_are_coded_answers(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    (container,) = [c for c in report.ContentSequence if name_of(c) == "C0034375"]
    answers = {
        name_of(c): c.ConceptCodeSequence[0].CodeMeaning
        for c in container.ContentSequence
        if c.ValueType == "CODE" and name_of(c) in ("MILAN", "UCSF", "UPTOSEVEN")
    }
    assert answers == {"MILAN": "No", "UCSF": "Yes", "UPTOSEVEN": "Yes"}


def test_a_score_is_inferred_from_its_inputs(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    (albi,) = children(derived(report), "ALBI")
    assert number(albi) == pytest.approx(-2.61)
    inputs = {name_of(c): c for c in albi.ContentSequence if c.RelationshipType == "INFERRED FROM"}
    # Bilirubin in moles has the code of the substance concentration, not of the mass.
    assert {code: number(item) for code, item in inputs.items()} == {"1751-7": 41, "14631-6": 14}
    albumin = inputs["1751-7"]
    assert albumin.ConceptNameCodeSequence[0].CodingSchemeDesignator == "LN"
    assert albumin.ObservationDateTime == "20240301"
    assert children(albumin, "VALUESOURCE")[0].TextValue == "spreadsheet:labs.csv row 2"
    assert children(albi, "SCORECLASS")[0].TextValue == "grade 1"
    assert any("FIB-4 not computed, missing: platelets" in text for text in texts(report))


def test_a_prediction_carries_its_horizon_interval_model_and_limits(
    result: AnalysisResult,
) -> None:
    report = read_dataset(compose(result).content)
    risks = {
        number(children(item, "TIMEHORIZON")[0]): item
        for item in children(derived(report), "EVENTFREE")
    }
    assert sorted(risks) == [6, 12, 24, 36, 60]
    at_two_years = risks[24]
    assert number(at_two_years) == pytest.approx(66)
    assert number(children(at_two_years, "LOWERBOUND")[0]) == pytest.approx(55)
    assert number(children(at_two_years, "UPPERBOUND")[0]) == pytest.approx(76)
    assert children(at_two_years, "INTERVALKIND")[0].TextValue == "95 % bootstrap interval"
    outcome = "Recurrence-free survival after resection"
    assert children(at_two_years, "OUTCOME")[0].TextValue == outcome
    assert children(at_two_years, "111001")[0].TextValue == "phantom-risk"
    assert children(at_two_years, "111003")[0].TextValue == "0.1.0"
    assert children(at_two_years, "MODELSHA256")[0].TextValue == "7c" * 32
    assert any("not validated at this site" in text for text in texts(report))


def test_bounds_that_say_nothing_are_not_written(result: AnalysisResult) -> None:
    """Bounds equal to the curve would read as certainty."""
    (prediction,) = result.predictions
    bare = replace(prediction, lower=prediction.survival, upper=prediction.survival)
    report = read_dataset(compose(replace(result, predictions=(bare,))).content)
    for item in children(derived(report), "EVENTFREE"):
        assert children(item, "LOWERBOUND") == []


def test_a_forecast_is_inferred_from_its_predictors(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    (risk,) = children(derived(report), "LINEARPREDICTOR")
    assert number(risk) == pytest.approx(0.42)
    assert number(children(risk, "PERCENTILE")[0]) == pytest.approx(63)
    (afp,) = children(risk, "1834-1")
    assert afp.RelationshipType == "INFERRED FROM"
    assert number(afp) == pytest.approx(18)
    assert afp.ObservationDateTime == "20240301"
    assert number(children(afp, "EFFECT")[0]) == pytest.approx(-0.12)


def test_radiomics_stand_apart_with_their_segment(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    groups = [c for c in derived(report).ContentSequence if c.ValueType == "CONTAINER"]
    assert [children(g, "112040")[0].UID for g in groups] == [
        lesion.tracking_uid for lesion in result.findings.lesions
    ]
    for group in groups:
        assert number(children(group, "QCFX")[0]) == pytest.approx(0.91)
        assert len(children(group, "121191")) == 1


def test_other_phases_and_the_ring_have_groups_of_their_own(
    result: AnalysisResult, write: Writer
) -> None:
    """Each says region and phase and points at the lesion's segment; IBSI codes throughout."""
    first, *others = result.features
    arterial = replace(first, phase=ContrastPhase.LATE_ARTERIAL)
    ring = replace(first, region="Lesion 1 ring 10 mm")
    far = replace(first, region="Lesion 10")  # another lesion's, not the first one's
    file = compose(replace(result, features=(first, arterial, ring, far, *others)))
    report = read_dataset(file.content)
    groups = [c for c in derived(report).ContentSequence if c.ValueType == "CONTAINER"]
    told = [
        (children(g, "REGION")[0].TextValue, children(g, "109058")[0].TextValue) for g in groups
    ]
    assert told == [
        ("Lesion 1", "portal venous"),
        ("Lesion 1", "late arterial"),
        ("Lesion 1 ring 10 mm", "portal venous"),
        ("Lesion 2", "portal venous"),
    ]
    for group in groups[:3]:
        assert result.findings.lesions[0].tracking_uid == children(group, "112040")[0].UID
        assert children(group, "Q4LE")[0].ConceptNameCodeSequence[0].CodingSchemeDesignator == (
            "IBSI"
        )
    assert children(groups[0], "QCFX")
    assert not children(groups[1], "QCFX")
    assert dciodvfy_errors(write(file)) == []
    assert pixelmed_errors(write(file)) == []


def test_every_measurement_group_has_a_region_or_shares_its_tracking_uid_with_one(
    result: AnalysisResult,
) -> None:
    """OHIF 3.13.2 goes black on a group without coordinates."""
    report = read_dataset(compose(result).content)
    (measurements,) = [c for c in report.ContentSequence if name_of(c) == "126010"]
    shown = {children(g, "112040")[0].UID for g in groups_of(report, "1410")}
    assert {children(g, "112040")[0].UID for g in measurements.ContentSequence} == shown


def test_silence_is_never_an_answer() -> None:
    report = read_dataset(compose(make_result(lesions=())).content)
    (container,) = [c for c in report.ContentSequence if name_of(c) == "C0034375"]
    assert container.ContentSequence[0].ConceptCodeSequence[0].CodeValue == "111241"
    assert any("No lesion found" in text for text in texts(report))
    assert number(children(derived(report), "246206008")[0]) == 0


def test_a_refused_study_says_why() -> None:
    report = read_dataset(compose_refusal_sr(make_not_analyzed()).content)
    assert "Not analyzed: No eligible series: slice spacing 7.5 mm, at most 5 mm" in texts(report)
    assert any("2.25.2000: Slice spacing 7.5 mm" in text for text in texts(report))


def test_model_checksum_and_research_use_are_stated(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    assert any(result.model.sha256 in text for text in texts(report))
    assert any("For research use only" in text for text in texts(report))


def test_the_observer_is_the_device(result: AnalysisResult) -> None:
    report = read_dataset(compose(result).content)
    assert children(report, "121005")[0].ConceptCodeSequence[0].CodeValue == "121007"
    assert children(report, "121015")[0].TextValue == "HepatoCast engine"


def test_a_superseding_report_names_its_predecessor(result: AnalysisResult, write: Writer) -> None:
    older = ImageReference(
        sop_class_uid="1.2.840.10008.5.1.4.1.1.88.34",
        sop_instance_uid="2.25.77",
        series_instance_uid="2.25.78",
    )
    later = replace(result, context=replace(result.context, predecessors=(older,)))
    file = compose(later)
    series = read_dataset(file.content).PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == "2.25.78"
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.77"
    assert dciodvfy_errors(write(file)) == []


def test_a_predecessor_without_its_series_is_refused(result: AnalysisResult) -> None:
    older = ImageReference(sop_class_uid="1.2", sop_instance_uid="2.25.77")
    later = replace(result, context=replace(result.context, predecessors=(older,)))
    with pytest.raises(OutputError, match=r"2\.25\.77 needs its Series Instance UID"):
        compose(later)


def test_a_grid_turned_away_from_its_images_has_no_planar_group() -> None:
    """An outline cannot be drawn on an image that does not hold it."""
    result, other = cached_result(), cached_result("coronal")
    turned = replace(
        result.reference,
        voxels_hu=result.reference.voxels_hu.copy(),
        headers=other.reference.headers[: len(result.reference.headers)],
        slice_sources=other.reference.slice_sources[: len(result.reference.headers)],
        is_source_grid=False,
    )
    report = read_dataset(compose(replace(result, reference=turned)).content)
    assert groups_of(report, "1410") == []
    assert len(groups_of(report, "1411")) == 3
