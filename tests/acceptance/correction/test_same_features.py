"""Contours that nobody touched give the same features to the last bit (issue 7)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.phantoms.corrected import (
    Analyzed,
    analyze_phantom,
    read_document,
    untouched,
    write_labelmap,
    write_seg,
)


@pytest.fixture(scope="module", params=["axial", "oblique", "coronal reversed"])
def analyzed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Analyzed:
    return analyze_phantom(tmp_path_factory.mktemp("same"), request.param)


def own_seg(analyzed: Analyzed, _folder: Path) -> Path:
    return analyzed.result / "seg.dcm"


def highdicoms_seg(analyzed: Analyzed, folder: Path) -> Path:
    return write_seg(analyzed, folder / "drawn.dcm", untouched)


def itks_nrrd(analyzed: Analyzed, folder: Path) -> Path:
    return write_labelmap(analyzed, folder / "drawn.nrrd", untouched)


def itks_nifti(analyzed: Analyzed, folder: Path) -> Path:
    return write_labelmap(analyzed, folder / "drawn.nii.gz", untouched)


@pytest.mark.parametrize("draw", [own_seg, highdicoms_seg, itks_nrrd, itks_nifti])
def test_untouched_contours_give_the_same_features(
    analyzed: Analyzed, tmp_path: Path, draw: Callable[[Analyzed, Path], Path]
) -> None:
    assert analyzed.measure(draw(analyzed, tmp_path), tmp_path / "out") == 0
    features = (analyzed.result / "features.json").read_bytes()
    assert b"Volume" in features
    assert (tmp_path / "out" / "features.json").read_bytes() == features
    before, now = analyzed.document, read_document(tmp_path / "out")
    assert now["lesions"] == before["lesions"]
    assert now["burden"] == before["burden"]
    assert [change["dice"] for change in now["revision"]["changes"]] == [1.0, 1.0, 1.0]
    assert {change["origin"] for change in now["revision"]["changes"]} == {"AUTOMATIC"}
