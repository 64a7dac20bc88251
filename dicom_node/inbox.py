"""From the spool into the image folder and the index, durable at every instant.

Order: the file gets its place (hard link or copy), the index row is committed, the spool
file goes. A crash in between repeats a step that changes nothing the second time.
"""

import hashlib
import logging
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.audit import INSTANCES_TRANSFERRED, AuditTrail
from dicom_node.errors import InvalidInstanceError
from dicom_node.header import Identifiers, read_identifiers
from dicom_node.index import Arrival, Index
from dicom_node.reception import LONGEST_HEADER_BYTES
from dicom_node.spool import Spool, is_whole, sync_folder

log = logging.getLogger(__name__)

BATCH = 64
DESCRIPTIVE = (
    "Modality",
    "BodyPartExamined",
    "PatientID",
    "PatientName",
    "AccessionNumber",
    "StudyDate",
    "StudyDescription",
)
FIRST_META_BYTES = 4096

Divert = Callable[[Path, str, str], bool]


def divert_nothing(_path: Path, _study_uid: str, _receiving_title: str) -> bool:
    """Everything that comes is new work."""
    return False


def name_of(uid: str) -> str:
    """File name for a UID from the network: a digest, so no path can come out of it."""
    return hashlib.sha256(uid.encode()).hexdigest()[:32]


class Inbox:
    """Empties one spool."""

    def __init__(
        self, spool: Spool, index: Index, shared: Path, audit: AuditTrail,
        *, divert: Divert = divert_nothing,
    ) -> None:  # fmt: skip
        self._spool, self._index, self._audit = spool, index, audit
        self._divert = divert
        self._shared = shared
        self.images = shared / "images"
        self.images.mkdir(parents=True, exist_ok=True)

    def drain(self) -> int:
        """Enter everything that lies in the spool; the number of files taken."""
        names = sorted(entry.name for entry in os.scandir(self._spool.new))
        for start in range(0, len(names), BATCH):
            self._drain_batch([self._spool.new / name for name in names[start : start + BATCH]])
        return len(names)

    def _drain_batch(self, paths: list[Path]) -> None:
        arrivals: list[Arrival] = []
        taken: list[Path] = []
        for path in paths:
            arrival = self._place(path)
            if arrival is not None:
                arrivals.append(arrival)
                taken.append(path)
        for folder in {(self._shared / arrival.path).parent for arrival in arrivals}:
            sync_folder(folder)
        for arrival, verdict in zip(arrivals, self._index.enter(arrivals), strict=True):
            if verdict == "conflict":
                log.warning("%s came again with other content", arrival.sop_instance_uid)
        for study_uid, source in {(a.study_uid, a.source) for a in arrivals}:
            self._audit.record(INSTANCES_TRANSFERRED, study_uid=study_uid, participant=source)
        for path in taken:
            path.unlink(missing_ok=True)

    def _place(self, path: Path) -> Arrival | None:
        """Give a spooled file its place among the images; None when it is not a whole file."""
        try:
            if not is_whole(path):
                log.warning("Removed %s: cut off before it was acknowledged", path.name)
                path.unlink()
                return None
            arrival = read_arrival(path)
        except (InvalidInstanceError, InvalidDicomError, struct.error):
            log.exception("%s is not an instance; kept aside", path.name)
            aside = self._spool.new.parent / "aside"
            aside.mkdir(exist_ok=True)
            path.rename(aside / path.name)
            return None
        if self._divert(path, arrival.study_uid, arrival.receiving_title):
            path.unlink()
            return None
        target = self._shared / arrival.path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(path, target)
        return arrival


def read_arrival(path: Path) -> Arrival:
    """Read what the index needs to know of a Part 10 file.

    Raises:
        InvalidInstanceError: The dataset has no usable identifiers.
    """
    with path.open("rb") as file:
        head = file.read(FIRST_META_BYTES)
        if head[128:132] != b"DICM":
            raise InvalidInstanceError("No DICOM Part 10 file")
        start = 144 + struct.unpack_from("<I", head, 140)[0]
        file.seek(start)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(start)
        prefix = file.read(LONGEST_HEADER_BYTES)
    described = dcmread(path, stop_before_pixels=True, specific_tags=list(DESCRIPTIVE))
    identifiers = read_identifiers(prefix, str(described.file_meta.TransferSyntaxUID))
    texts = {name: str(described.get(name, "") or "") for name in DESCRIPTIVE}
    return Arrival(
        sop_instance_uid=identifiers.sop_instance_uid,
        digest=digest,
        study_uid=identifiers.study_instance_uid,
        series_uid=identifiers.series_instance_uid,
        sop_class_uid=identifiers.sop_class_uid,
        modality=texts["Modality"][:16],
        body_part=texts["BodyPartExamined"][:16],
        path=_place_of(identifiers, digest),
        byte_count=path.stat().st_size,
        source=str(described.file_meta.get("SourceApplicationEntityTitle", ""))[:16],
        receiving_title=str(described.file_meta.get("ReceivingApplicationEntityTitle", ""))[:16],
        patient_id=texts["PatientID"],
        patient_name=texts["PatientName"],
        accession_number=texts["AccessionNumber"],
        study_date=texts["StudyDate"][:8],
        study_description=texts["StudyDescription"],
    )


def _place_of(identifiers: Identifiers, digest: str) -> str:
    study = name_of(identifiers.study_instance_uid)
    return f"images/{study}/{name_of(identifiers.sop_instance_uid)}-{digest[:16]}.dcm"


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:  # another file system: copy under a temporary name, then rename
        partial = target.with_suffix(f".{os.getpid()}.partial")
        shutil.copyfile(source, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(target)
