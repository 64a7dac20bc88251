"""Must show 4: every object passes dciodvfy, and the SEG lies on the same voxels for others.

The readers here are not ours: highdicom, SimpleITK (GDCM), and thirty lines of numpy over
the raw Pixel Data, none of which shares code with what composed the object.
"""

from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.reporting import compose_not_analyzed, compose_reports, publish
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import (
    SEGMENTS,
    cached_result,
    make_not_analyzed,
    make_result,
)
from tests.phantoms.conformance import (
    code_problems,
    dciodvfy_errors,
    dcm2pdf_payload,
    dsrdump_problems,
    pdf_facts,
)
from tests.phantoms.report_patient import ORIENTATIONS

pytestmark = pytest.mark.peer


def result_of(variant: str) -> AnalysisResult:
    if variant in ORIENTATIONS:
        return cached_result(variant)
    return make_result(enhanced=True) if variant == "enhanced" else make_result(lesions=())


@pytest.fixture(params=["axial", "coronal reversed", "oblique", "enhanced", "no lesion"])
def published(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[AnalysisResult, Path]:
    result = result_of(request.param)
    publish(compose_reports(result, SEGMENTS), tmp_path / "out")
    return result, tmp_path / "out"


def test_every_object_passes_every_judge(published: tuple[AnalysisResult, Path]) -> None:
    _, folder = published
    objects = sorted(folder.glob("*.dcm"))
    assert len(objects) >= 4
    for path in objects:
        assert dciodvfy_errors(path) == [], path.name
        assert code_problems(pydicom.dcmread(path)) == [], path.name
    assert dsrdump_problems(folder / "sr.dcm") == []
    assert int(pdf_facts(dcm2pdf_payload(folder / "report.dcm"))["Pages"]) >= 2


def test_a_refusal_passes_every_judge(tmp_path: Path) -> None:
    publish(compose_not_analyzed(make_not_analyzed()), tmp_path / "out")
    for path in (tmp_path / "out").glob("*.dcm"):
        assert dciodvfy_errors(path) == [], path.name
    assert dsrdump_problems(tmp_path / "out" / "sr.dcm") == []


def expected_voxels(result: AnalysisResult) -> dict[int, NDArray[np.float64]]:
    """Patient positions of every voxel of every segment, as the engine's masks have them."""
    findings = result.findings
    masks = {1: findings.liver}
    masks |= {n.number + 1: findings.lesion_labels == n.number for n in findings.lesions}
    grid = findings.geometry
    return {s: grid.to_patient(np.argwhere(m).astype(float)) for s, m in masks.items()}


def in_order(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points[np.lexsort(points.round(2).T)]


def frame_points(seg: Dataset, number: int, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Patient positions of the set pixels of one frame (PS3.3 equation C.7.6.2.1-1)."""
    shared = seg.SharedFunctionalGroupsSequence[0]
    frame = seg.PerFrameFunctionalGroupsSequence[number]
    across, down = np.reshape(
        np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float), (2, 3)
    )
    row_mm, column_mm = (float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing)
    rows, columns = np.nonzero(mask)
    corner = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
    return corner + columns[:, None] * column_mm * across + rows[:, None] * row_mm * down


def by_segment(seg: Dataset, frames: NDArray[np.bool_]) -> dict[int, NDArray[np.float64]]:
    found: dict[int, list[NDArray[np.float64]]] = {}
    for number, item in enumerate(seg.PerFrameFunctionalGroupsSequence):
        shared = seg.SharedFunctionalGroupsSequence[0]
        owner = item if "SegmentIdentificationSequence" in item else shared
        segment = int(owner.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        found.setdefault(segment, []).append(frame_points(seg, number, frames[number]))
    return {segment: np.concatenate(points) for segment, points in found.items()}


def read_with_numpy(path: Path) -> dict[int, NDArray[np.float64]]:
    seg = pydicom.dcmread(path)
    shape = (int(seg.NumberOfFrames), int(seg.Rows), int(seg.Columns))
    bits = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder="little")
    return by_segment(seg, bits[: np.prod(shape)].reshape(shape).astype(bool))


def read_with_simpleitk(path: Path) -> dict[int, NDArray[np.float64]]:
    """GDCM leaves the pixels of a last byte that is not full unset: up to 7, not compared."""
    frames = sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0
    frames.reshape(-1)[frames.size - frames.size % 8 :] = False
    return by_segment(pydicom.dcmread(path), frames)


def read_with_highdicom(path: Path) -> dict[int, NDArray[np.float64]]:
    seg = hd.seg.segread(path)
    volume = seg.get_volume(combine_segments=False)
    affine = volume.affine
    masks = np.asarray(volume.array).reshape(*volume.spatial_shape, -1)
    return {
        segment: np.argwhere(masks[..., channel]) @ affine[:3, :3].T + affine[:3, 3]
        for channel, segment in enumerate(seg.segment_numbers)
    }


@pytest.mark.parametrize("reader", [read_with_numpy, read_with_simpleitk, read_with_highdicom])
def test_other_readers_find_the_same_voxels(reader, published) -> None:  # noqa: ANN001
    result, folder = published
    found, expected = reader(folder / "seg.dcm"), expected_voxels(result)
    assert found.keys() == expected.keys()
    for segment, points in expected.items():
        np.testing.assert_allclose(in_order(found[segment]), in_order(points), atol=2e-3)
