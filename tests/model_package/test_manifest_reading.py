"""manifest.toml is read strictly."""

import hashlib
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.manifest_reading import parse_manifest, read_manifest
from engine.values.identity import ContrastPhase
from tests.phantoms.packages import DRAFT, SEGMENTS, write_threshold_package


def test_a_manifest_becomes_values(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    manifest = read_manifest(folder)
    assert (manifest.name, manifest.version, manifest.segments) == ("threshold", "1.0.0", SEGMENTS)
    assert manifest.criteria.phases == (ContrastPhase.PORTAL_VENOUS, ContrastPhase.UNKNOWN)
    segmenter = manifest.networks[1]
    assert (segmenter.role, segmenter.spacing_mm) == ("segmenter", (2.0, 1.5, 1.5))
    graph = (folder / "segmenter.onnx").read_bytes()
    assert segmenter.sha256 == hashlib.sha256(graph).hexdigest()
    assert (manifest.evaluation[0].lower, manifest.evaluation[0].interval) == (0.98, "range")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format = 1", "format = 2", "format must be 1"),
        ('kind = "segmentation"', 'kind = "risk"', "kind must be one of 'segmentation'"),
        ('name = "threshold"', 'name = "../etc"', "name must be lower-case"),
        ('version = "1.0.0"', 'version = "one"', "SemVer"),
        ("population =", "populatoin =", "'population' is missing"),
        ("margin_mm = 20.0", "marginn_mm = 20.0", "did you mean 'margin_mm'"),
        ("patch = [32, 32, 32]", "patch = [30, 32, 32]", "multiple of divisor"),
        ("patch = [32, 32, 32]", "patch = [0, 32, 32]", "above 0"),
        ("divisor = [4, 4, 4]", "divisor = [0, 4, 4]", "multiple of divisor"),
        ("overlap = 0.5", "overlap = 0.95", "at most 0.9"),
        ("window_hu = [-200, 300]", "window_hu = [300, -200]", "from low to high"),
        ("scale_hu = 1.0", "scale_hu = 0", "scale_hu must be a number"),
        ("channels = [0, 1, 2]", "channels = [0, 2]", r"must hold 1 \(liver\)"),
        ("channels = [0, 1, 2]", "channels = [1, 2]", "softmax needs a background"),
        ("channels = [0, 1, 2]", "channels = [0, 1, 7]", "only labels of"),
        ("overlap = 0.5", "mirror_axes = [3]", "mirror_axes are 0, 1, 2"),
        ('role = "localizer"', 'role = "segmenter"', "one segmenter and at most one localizer"),
        ('["portal venous", "unknown"]', '["portal"]', "phase 'portal' is unknown"),
        ("rgb = [255, 255, 0]", "rgb = [256, 0, 0]", r"rgb must be 0\.\.255"),
        ('file = "segmenter.onnx"', 'file = "../x.onnx"', "file must be a plain path"),
        ('file = "segmenter.onnx"', 'file = "C:x.onnx"', "file must be a plain path"),
        ("cases = 2", "cases = 0", "cases must be a number of at least 1"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert old in DRAFT
    with pytest.raises(ModelPackageError, match=message):
        parse_manifest(DRAFT.replace(old, new), draft=True)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ("", "'files' is missing"),
        ("[files]\n", "lacks 'localizer.onnx'"),
        (f'[files]\n"../x" = "{"0" * 64}"\n', "plain path inside the package"),
        (f'[files]\n"/x" = "{"0" * 64}"\n', "plain path inside the package"),
        ('[files]\n"x" = "ABC"\n', "64 lower-case hex digits"),
    ],
)
def test_the_file_list_is_checked(files: str, message: str) -> None:
    with pytest.raises(ModelPackageError, match=message):
        parse_manifest(DRAFT + files)


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ModelPackageError, match="is not TOML"):
        parse_manifest("name = ")


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"no readable manifest\.toml"):
        read_manifest(tmp_path)


def test_a_draft_may_leave_its_networks_to_the_import() -> None:
    head, _, rest = DRAFT.partition("[[networks]]")
    segments = "[[segments]]" + rest.partition("[[segments]]")[2]
    assert parse_manifest(head + segments, draft=True).networks == ()
    with pytest.raises(ModelPackageError, match="networks"):
        parse_manifest(head + segments + "[files]\n")
