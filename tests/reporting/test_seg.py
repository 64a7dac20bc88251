"""The Segmentation object: legal, complete, repeatable, and where the organs are."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest

from engine.reporting.report_file import ReportFile, SegmentationType
from engine.reporting.seg import compose_seg, label_segments
from engine.reporting.source_plane import find_planes
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import SEGMENTS, cached_result, make_result, resampled
from tests.phantoms.conformance import (
    Writer,
    code_problems,
    dciodvfy_errors,
    iod_problems,
    read_dataset,
)
from tests.phantoms.report_patient import ORIENTATIONS, TWO_LESIONS, Ball

BINARY, LABELMAP = SegmentationType.BINARY, SegmentationType.LABELMAP


def compose(result: AnalysisResult, kind: SegmentationType = BINARY) -> ReportFile:
    return compose_seg(result, SEGMENTS, find_planes(result.reference), kind)


@pytest.mark.peer
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_dciodvfy_finds_no_error_in_any_orientation(orientation: str, write: Writer) -> None:
    assert dciodvfy_errors(write(compose(cached_result(orientation)))) == []


@pytest.mark.peer
@pytest.mark.parametrize("variant", ["enhanced", "resampled", "without lesion"])
def test_dciodvfy_finds_no_error_in_other_sources(
    variant: str, result: AnalysisResult, write: Writer
) -> None:
    if variant == "enhanced":
        result = make_result(enhanced=True)
    elif variant == "resampled":
        result = replace(result, reference=resampled(result.reference))
    else:
        result = make_result(lesions=())
    assert dciodvfy_errors(write(compose(result))) == []


@pytest.mark.parametrize("kind", [BINARY, LABELMAP])
def test_every_code_means_what_the_standard_says(
    kind: SegmentationType, result: AnalysisResult
) -> None:
    assert code_problems(read_dataset(compose(result, kind).content)) == []


def test_a_label_map_has_every_attribute_its_definition_asks_for(result: AnalysisResult) -> None:
    assert iod_problems(read_dataset(compose(result, LABELMAP).content)) == []


@pytest.mark.parametrize("kind", [BINARY, LABELMAP])
def test_the_same_result_gives_the_same_bytes(
    kind: SegmentationType, result: AnalysisResult
) -> None:
    assert compose(result, kind).content == compose(result, kind).content


def test_the_liver_segment_holds_its_lesions(result: AnalysisResult) -> None:
    seg = hd.seg.Segmentation.from_dataset(read_dataset(compose(result).content))
    volume = seg.get_volume(combine_segments=False, rescale_fractional=False)
    assert seg.SegmentsOverlap == "YES"
    liver, first = volume.array[..., 0], volume.array[..., 1]
    assert (liver[first > 0] == 1).all()
    assert liver.sum() == result.findings.liver.sum()


@pytest.mark.parametrize("enhanced", [False, True])
def test_highdicom_reads_the_engine_s_masks_back(enhanced: bool) -> None:
    result = make_result(enhanced=enhanced)
    seg = hd.seg.Segmentation.from_dataset(read_dataset(compose(result).content))
    volume = seg.get_volume(combine_segments=False)
    affine = volume.affine
    for segment, mask in (
        (0, result.findings.liver),
        (1, result.findings.lesion_labels == 1),
        (2, result.findings.lesion_labels == 2),
    ):
        theirs = np.argwhere(volume.array[..., segment] > 0) @ affine[:3, :3].T + affine[:3, 3]
        ours = result.findings.geometry.to_patient(np.argwhere(mask).astype(float))
        np.testing.assert_allclose(
            theirs[np.lexsort(theirs.round(3).T)], ours[np.lexsort(ours.round(3).T)], atol=1e-3
        )


@pytest.mark.parametrize("enhanced", [False, True])
def test_every_frame_names_the_images_it_lies_on(enhanced: bool) -> None:
    """Without this, viewers show frames on the wrong slices and say nothing."""
    result = make_result(enhanced=enhanced)
    seg = read_dataset(compose(result).content)
    grid = result.findings.geometry
    for frame in seg.PerFrameFunctionalGroupsSequence:
        position = [float(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient]
        index = round(float(grid.to_index(np.array(position))[0]))
        image = frame.DerivationImageSequence[0].SourceImageSequence[0]
        source = result.reference.slice_sources[index][0]
        assert image.ReferencedSOPInstanceUID == source.sop_instance_uid
        assert image.get("ReferencedFrameNumber") == source.frame_number
        assert image.SpatialLocationsPreserved == "YES"


def test_a_resampled_grid_cites_every_image_behind_a_slice(result: AnalysisResult) -> None:
    result = replace(result, reference=resampled(result.reference))
    seg = read_dataset(compose(result).content)
    for frame in seg.PerFrameFunctionalGroupsSequence:
        images = frame.DerivationImageSequence[0].SourceImageSequence
        assert len(images) == 2
        assert {image.SpatialLocationsPreserved for image in images} == {"NO"}


def test_every_source_instance_is_referenced(result: AnalysisResult) -> None:
    seg = read_dataset(compose(result).content)
    series = seg.ReferencedSeriesSequence[0]
    named = {i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence}
    assert series.SeriesInstanceUID == result.reference.series.series_instance_uid
    assert named == {str(h.SOPInstanceUID) for h in result.reference.headers}


def test_positions_are_those_of_the_source_images(result: AnalysisResult) -> None:
    seg = read_dataset(compose(result).content)
    source = {tuple(h.ImagePositionPatient) for h in result.reference.headers}
    frames = seg.PerFrameFunctionalGroupsSequence
    assert {tuple(f.PlanePositionSequence[0].ImagePositionPatient) for f in frames} <= source


def test_frames_without_a_voxel_are_left_out(result: AnalysisResult) -> None:
    seg = read_dataset(compose(result).content)
    labels = label_segments(result.findings)
    expected = sum(int(mask.any((1, 2)).sum()) for mask in (labels > 0, labels == 2, labels == 3))
    assert seg.NumberOfFrames == expected < 3 * result.findings.geometry.shape[0]


def test_segments_carry_codes_tracking_and_algorithm(result: AnalysisResult) -> None:
    seg = read_dataset(compose(result).content)
    liver, lesion = seg.SegmentSequence[0], seg.SegmentSequence[1]
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert lesion.SegmentedPropertyTypeCodeSequence[0].CodeValue == "108369006"
    assert lesion.AnatomicRegionSequence[0].CodeValue == "10200004"
    assert lesion.TrackingID == "Lesion 1"
    assert lesion.TrackingUID == result.findings.lesions[0].tracking_uid
    assert lesion.SegmentAlgorithmType == "AUTOMATIC"
    algorithm = lesion.SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == result.model.name
    assert result.model.sha256 in algorithm.AlgorithmParameters


def test_the_object_says_who_made_it(result: AnalysisResult) -> None:
    seg = read_dataset(compose(result).content)
    scanner, engine, network = seg.ContributingEquipmentSequence
    assert scanner.PurposeOfReferenceCodeSequence[0].CodeValue == "109101"
    assert scanner.Manufacturer == "Phantom Maker"
    assert engine.SoftwareVersions == "0.1.0"
    assert result.model.sha256 in network.ContributionDescription
    assert "RESEARCH ONLY" in seg.SeriesDescription


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_patient_from_a_careless_scanner_becomes_legal(write: Writer) -> None:
    result = make_result()
    for header in result.reference.headers:
        header.PatientSex, header.PatientAge, header.StudyTime = "female", "64", "9:30"
        del header.AccessionNumber, header.ReferringPhysicianName, header.FrameOfReferenceUID
    file = compose(result)
    assert dciodvfy_errors(write(file)) == []
    assert read_dataset(file.content).PatientSex == ""


def test_a_name_in_another_script_survives() -> None:
    result = make_result(lesions=TWO_LESIONS[:1])
    for header in result.reference.headers:
        header.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    seg = pydicom.dcmread(pydicom.filebase.DicomBytesIO(compose(result).content))
    assert str(seg.PatientName) == "Yamada^Tarou=山田^太郎=やまだ^たろう"


def test_many_lesions_need_no_more_than_one_label_map() -> None:
    """Forty lesions as dense arrays would be forty volumes; here they are one."""
    balls = tuple(
        Ball(center_mm=(-95.0 + 11 * (n % 8), -40.0 + 12 * (n // 8), 0.0), radius_mm=3.5, hu=60)
        for n in range(40)
    )
    result = make_result(lesions=balls)
    seg = read_dataset(compose(result).content)
    assert len(seg.SegmentSequence) == 41
