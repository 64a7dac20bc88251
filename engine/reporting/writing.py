"""Publishing: a result folder appears whole or not at all.

Files go to a temporary sibling folder, are flushed to the disk, and the folder is renamed
into place. A folder that is already there is replaced only when it is a result of ours.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from engine.errors import OutputError
from engine.reporting.report_file import ReportFile
from engine.reporting.result_json import RESULT_NAME


def _is_ours(folder: Path) -> bool:
    """Tell whether a folder is empty or holds a result of HepatoCast."""
    if not any(folder.iterdir()):
        return True
    try:
        document = json.loads((folder / RESULT_NAME).read_text("utf-8"))
        return bool(document["software"]["name"] == "HepatoCast")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(folder: Path, files: tuple[ReportFile, ...]) -> None:
    for file in files:
        with (folder / file.name).open("xb") as stream:
            stream.write(file.content)
            stream.flush()
            os.fsync(stream.fileno())
    _flush_folder(folder)


def _put_in_place(staged: Path, folder: Path) -> None:
    """Rename the staged folder; an older result steps aside first and is then removed."""
    if not folder.exists():
        staged.rename(folder)
        return
    aside = staged.with_name(f"{staged.name}.old")
    folder.rename(aside)
    try:
        staged.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def check_destination(folder: Path) -> None:
    """Refuse a folder that a result may not replace; worth asking before long work.

    Raises:
        OutputError: It is a link or a file, or holds something that is not a result of ours.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"{folder} is not a folder; choose another --out")
    if folder.exists() and not _is_ours(folder):
        raise OutputError(
            f"{folder} holds files that are not a HepatoCast result; choose another --out"
        )


def publish(files: tuple[ReportFile, ...], folder: Path) -> tuple[Path, ...]:
    """Write the files of one result into a folder, all or none.

    Args:
        files: Finished files with distinct plain names.
        folder: Where the result appears; its parent is made when missing.

    Returns:
        Paths of the written files, in order.

    Raises:
        OutputError: The folder holds something that is not a result of ours, a name is
            not a plain file name, or the disk refuses.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow a link
    names = [file.name for file in files]
    unfit = [
        n for n in names if not n or n != Path(n).name or n.startswith(".") or names.count(n) > 1
    ]
    if unfit or not names:
        raise OutputError(f"A result needs distinct plain file names, got {sorted(set(unfit))}")
    check_destination(folder)
    staged: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        staged.chmod(0o755)
        _fill(staged, files)
        _put_in_place(staged, folder)
        _flush_folder(folder.parent)
    except OSError as error:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        raise OutputError(f"Cannot write the result to {folder}: {error.strerror}") from error
    return tuple(folder / name for name in names)
