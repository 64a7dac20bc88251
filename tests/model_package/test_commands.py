"""What the model commands print and how they exit."""

import hashlib
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.commands import (
    import_command,
    list_command,
    show_command,
    verify_command,
)
from engine.model_package.reference import LabelAgreement
from engine.values.model import SegmentationPackage
from tests.phantoms.graphs import write_shift_graph, write_threshold_graph
from tests.phantoms.monai_bundle import write_bundle
from tests.phantoms.packages import DRAFT, write_threshold_package


def agreement(name: str, dice: float) -> LabelAgreement:
    return LabelAgreement(name=name, expected_ml=10.0, found_ml=9.5, dice=dice, passed=dice >= 0.98)


def test_the_list_names_versions_titles_and_problems(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    assert list_command([tmp_path]).text == "threshold 1.0.0  segmentation: Threshold network"
    (folder / "manifest.toml").write_text("format = 1")
    broken = list_command([tmp_path])
    assert "unusable: manifest.toml" in broken.text
    assert broken.exit_code == 1


def test_an_empty_list_says_where_it_looked(tmp_path: Path) -> None:
    assert str(tmp_path) in list_command([tmp_path]).text


def test_show_prints_what_a_user_must_know(tmp_path: Path) -> None:
    write_threshold_package(tmp_path)
    text = show_command("threshold", [tmp_path]).text
    for needed in (
        "intended use  Tests of the engine.",
        "limit         Marks whatever is bright.",
        "localizer     localizer.onnx: 4 × 4 × 4 mm",
        "segment 2     Tumor (108369006 Neoplasm)",
        "Dice, liver: 0.99 (range 0.98 to 1), made-up boxes, n=2",
    ):
        assert needed in text


@pytest.mark.parametrize(("dice", "exit_code"), [(0.99, 0), (0.9, 1)])
def test_verify_exits_by_the_tolerance(tmp_path: Path, dice: float, exit_code: int) -> None:
    write_threshold_package(tmp_path)

    def self_test(package: SegmentationPackage) -> tuple[tuple[LabelAgreement, ...], str]:
        assert package.identity.name == "threshold"
        return (agreement("liver", 0.999), agreement("tumor", dice)), "CPU, 2 threads"

    result = verify_command("threshold", [tmp_path], self_test)
    assert result.exit_code == exit_code
    assert f"tumor          Dice {dice:.4f}, 9.50 mL (expected 10.00 mL)" in result.text


def test_verify_refuses_a_tampered_package_before_running_it(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    (folder / "segmenter.onnx").write_bytes(b"other")

    def self_test(_package: SegmentationPackage) -> tuple[tuple[LabelAgreement, ...], str]:
        raise AssertionError

    with pytest.raises(ModelPackageError, match="was changed"):
        verify_command("threshold", [tmp_path], self_test)


def test_import_finds_out_what_it_was_given(tmp_path: Path) -> None:
    first, second = DRAFT.index("[[networks]]"), DRAFT.rindex("[[networks]]")
    one = tmp_path / "one.toml"
    one.write_text(DRAFT[:first] + DRAFT[second:])
    graph = write_threshold_graph(tmp_path / "net.onnx", (60.0, 150.0))
    assert import_command(graph, one, tmp_path / "a").text.startswith("Imported ONNX to")
    none = tmp_path / "none.toml"
    none.write_text(DRAFT[:first] + DRAFT[DRAFT.index("[[segments]]") :])
    bundle = write_bundle(tmp_path)
    write_shift_graph(bundle / "models" / "model.onnx", channels=3)
    assert import_command(bundle, none, tmp_path / "b").text.startswith("Imported MONAI bundle")


def test_import_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"absent\.onnx does not exist"):
        import_command(tmp_path / "absent.onnx", tmp_path / "m.toml", tmp_path)


@pytest.fixture
def risk_package(tmp_path: Path) -> Path:
    """A package of another kind, as the prognosis room writes it."""
    folder = tmp_path / "resection" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "cox.onnx").write_bytes(b"graph")
    (folder / "manifest.toml").write_text(
        'format = 1\nkind = "risk"\nname = "resection"\nversion = "1.0.0"\n'
        'intended_use = "Tests."\nlimits = ["None."]\noutcome = "Survival"\n'
        '[[model]]\nfile = "cox.onnx"\n'
        f'sha256 = "{hashlib.sha256(b"graph").hexdigest()}"\n'
    )
    return folder


def never_called(_package: SegmentationPackage) -> tuple[tuple[LabelAgreement, ...], str]:
    raise AssertionError


def test_packages_of_another_kind_are_listed_shown_and_verified(
    risk_package: Path, tmp_path: Path
) -> None:
    assert list_command([tmp_path]).text == "resection 1.0.0  risk: Survival"
    assert "file          cox.onnx, SHA-256" in show_command("resection", [tmp_path]).text
    verified = verify_command("resection", [tmp_path], never_called)
    assert "not run for packages of kind 'risk'" in verified.text
    (risk_package / "cox.onnx").write_bytes(b"other")
    with pytest.raises(ModelPackageError, match=r"cox\.onnx was changed"):
        verify_command("resection", [tmp_path], never_called)
