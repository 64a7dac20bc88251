"""A listing shows every package, also the broken ones."""

from pathlib import Path

from engine.model_package.listing import list_packages
from tests.phantoms.packages import write_threshold_package


def test_packages_are_listed_with_their_titles(tmp_path: Path) -> None:
    write_threshold_package(tmp_path)
    (tmp_path / "threshold" / "recipe").mkdir()
    (tmp_path / "threshold" / "recipe" / "manifest.toml").write_text("")
    listed = list_packages([tmp_path, tmp_path / "absent"])
    assert [(p.name, p.version, p.kind, p.title, p.problem) for p in listed] == [
        ("threshold", "1.0.0", "segmentation", "Threshold network", "")
    ]


def test_a_broken_manifest_is_listed_with_its_problem(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    (folder / "manifest.toml").write_text("format = 1\n")
    (listed,) = list_packages([tmp_path])
    assert (listed.name, listed.version) == ("threshold", "1.0.0")
    assert "is missing" in listed.problem
