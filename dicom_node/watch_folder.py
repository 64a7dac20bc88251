"""A folder as a door: DICOM files laid there are taken in and removed."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info

from dicom_node.header import read_identifiers
from dicom_node.reception import LONGEST_HEADER_BYTES, Reception
from dicom_node.spool import Spool
from dicom_node.status import StorageStatus

log = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
CHUNK = 1 << 20
SOURCE = "WATCH_FOLDER"
MAXIMUM_BYTES = 4 << 30
MINIMUM_FREE_BYTES = 1 << 28

Clock = Callable[[], float]
Look = tuple[int, int]


class WatchFolder:
    """Takes files that have not changed for two seconds; others wait, rejects go aside.

    The two seconds are this process's own, counted from when a size and a modification time
    were first seen: a clock that jumps must neither hold files up nor have them taken half
    copied. A file that cannot be opened waits and holds nothing else up.
    """

    def __init__(self, folder: Path | None, spool: Spool, *, clock: Clock = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._seen: dict[Path, tuple[Look, float]] = {}
        self._complained: set[Path] = set()
        self._reception = Reception(
            spool, maximum_bytes=MAXIMUM_BYTES, minimum_free_bytes=MINIMUM_FREE_BYTES
        )

    def collect(self) -> int:
        """Take in what is ready; the number of files taken."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        paths = [p for p in sorted(self._folder.rglob("*")) if "rejected" not in p.parts]
        self._seen = {p: self._seen[p] for p in paths if p in self._seen}
        self._complained &= set(paths)
        return sum(self._take_if_settled(path) for path in paths)

    def _take_if_settled(self, path: Path) -> bool:
        try:
            return self._is_settled(path) and self._take(path)
        except FileNotFoundError:
            return False  # whoever laid it there took it away
        except OSError as error:
            if path not in self._complained:
                log.error("A file of the watched folder cannot be read: %s", error.strerror)  # noqa: TRY400
            self._complained.add(path)
            return False

    def _is_settled(self, path: Path) -> bool:
        if path.is_symlink() or not path.is_file():
            return False
        status = path.stat()
        look = status.st_size, status.st_mtime_ns
        known, since = self._seen.get(path, (None, 0.0))
        if known != look:
            self._seen[path] = look, self._clock()
            return False
        return self._clock() - since >= SETTLE_SECONDS

    def _take(self, path: Path) -> bool:
        try:
            status = store_file(path, self._reception, SOURCE)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever lies there must not stop the node
            log.warning("A file of the watched folder is no DICOM: %s", type(error).__name__)
            status = StorageStatus.CANNOT_UNDERSTAND
        if status is StorageStatus.SUCCESS:
            path.unlink()
            return True
        if status is not StorageStatus.OUT_OF_RESOURCES and self._folder is not None:
            aside = self._folder / "rejected"
            aside.mkdir(exist_ok=True)
            # Another file of that name may have been rejected before; both are kept.
            path.rename(aside / f"{time.time_ns()}-{path.name}"[-255:])
            log.warning("A file of the watched folder was rejected: %s", status.name)
        return False


def store_file(path: Path, reception: Reception, source: str) -> StorageStatus:
    """Take a Part 10 file in through the same checks as C-STORE.

    Raises:
        InvalidDicomError: No Part 10 file.
        InvalidInstanceError: Its dataset has no usable identifiers.
        OSError: It cannot be read.
    """
    syntax = read_file_meta_info(path).get("TransferSyntaxUID")
    with path.open("rb") as file:
        head = file.read(144)
        if syntax is None or len(head) < 144 or head[128:136] != b"DICM\x02\x00\x00\x00":
            raise InvalidDicomError("No transfer syntax or no group length")
        start = 144 + int.from_bytes(head[140:144], "little")
        file.seek(start)
        identifiers = read_identifiers(file.read(LONGEST_HEADER_BYTES), str(syntax))
        file.seek(start)
        arriving = reception.begin(
            identifiers.sop_class_uid, identifiers.sop_instance_uid, str(syntax), source
        )
        try:
            while chunk := file.read(CHUNK):
                arriving.write(chunk)
            return arriving.finish()
        finally:
            arriving.abandon()
