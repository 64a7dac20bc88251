"""A result folder appears whole or not at all, and never over foreign files."""

from pathlib import Path

import pytest

from engine.errors import OutputError
from engine.reporting import writing
from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.writing import publish

RESULT = ReportFile(
    name="result.json", kind=ReportKind.JSON, content=b'{"software": {"name": "HepatoCast"}}'
)


def text(name: str, content: bytes = b"x") -> ReportFile:
    return ReportFile(name=name, kind=ReportKind.JSON, content=content)


def test_every_file_arrives_with_its_bytes(tmp_path: Path) -> None:
    paths = publish((RESULT, text("a.txt", b"abc")), tmp_path / "deep" / "out")
    assert [p.name for p in paths] == ["result.json", "a.txt"]
    assert paths[1].read_bytes() == b"abc"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_older_result_is_replaced_as_a_whole(tmp_path: Path) -> None:
    publish((RESULT, text("old.txt")), tmp_path / "out")
    publish((RESULT, text("new.txt")), tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["new.txt", "result.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert publish((RESULT,), tmp_path / "out")[0].exists()


@pytest.mark.parametrize("content", [None, "{}", "no json", '{"software": "HepatoCast"}'])
def test_a_foreign_folder_is_left_alone(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "thesis.doc").write_text("years of work")
    if content is not None:
        (folder / "result.json").write_text(content)
    with pytest.raises(OutputError, match="not a HepatoCast result"):
        publish((RESULT,), folder)
    assert (folder / "thesis.doc").read_text() == "years of work"


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="is not a folder"):
        publish((RESULT,), tmp_path / "out")


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", ""])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="plain file names"):
        publish((text(name),), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish((RESULT, text("old.txt")), tmp_path / "out")

    def full(folder: Path, files: tuple[ReportFile, ...]) -> None:
        (folder / files[0].name).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_fill", full)
    with pytest.raises(OutputError, match="No space left on device"):
        publish((RESULT, text("new.txt")), tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "old.txt").exists()


def test_a_failed_rename_puts_the_older_result_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish((RESULT, text("old.txt")), tmp_path / "out")
    rename = Path.rename

    def fragile(self: Path, target: Path) -> Path:
        if self.name.startswith(".out.") and not self.name.endswith(".old"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fragile)
    with pytest.raises(OutputError, match="Input/output error"):
        publish((RESULT, text("new.txt")), tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["old.txt", "result.json"]
