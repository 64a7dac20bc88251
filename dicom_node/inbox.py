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
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info

from dicom_node.audit import INSTANCES_TRANSFERRED, AuditTrail
from dicom_node.errors import InvalidInstanceError
from dicom_node.header import DEFLATED, Identifiers, inflate, read_identifiers
from dicom_node.index import Arrival, Index
from dicom_node.reception import LONGEST_HEADER_BYTES
from dicom_node.spool import Spool, encode_file_meta, is_whole, sync_folder

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
EXPLICIT_VR = "1.2.840.10008.1.2.1"

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
        self._complained: set[str] = set()
        self._shared = shared
        self.images = shared / "images"
        self.images.mkdir(parents=True, exist_ok=True)

    def drain(self) -> int:
        """Enter everything that lies in the spool; the number of files taken."""
        names = sorted(entry.name for entry in os.scandir(self._spool.new))
        self._complained &= set(names)
        for start in range(0, len(names), BATCH):
            self._drain_batch([self._spool.new / name for name in names[start : start + BATCH]])
        return len(names)

    def _drain_batch(self, paths: list[Path]) -> None:
        arrivals: list[Arrival] = []
        taken: list[Path] = []
        for path in paths:
            arrival = self._try_to_place(path)
            if arrival is not None:
                arrivals.append(arrival)
                taken.append(path)
        for folder in {(self._shared / arrival.path).parent for arrival in arrivals}:
            sync_folder(folder)
        if arrivals:
            sync_folder(self.images)  # a study's first image makes its folder
        for arrival, verdict in zip(arrivals, self._index.enter(arrivals), strict=True):
            if verdict == "conflict":
                log.warning("%s came again with other content", arrival.sop_instance_uid)
        for study_uid, source in {(a.study_uid, a.source) for a in arrivals}:
            self._audit.record(INSTANCES_TRANSFERRED, study_uid=study_uid, participant=source)
        for path, arrival in zip(taken, arrivals, strict=True):
            # Retention may have taken the folder away between the link and the row.
            if (self._shared / arrival.path).exists():
                path.unlink(missing_ok=True)

    def _try_to_place(self, path: Path) -> Arrival | None:
        """Place a file; one the disk does not give or take stays here for the next time."""
        try:
            return self._place(path)
        except OSError as error:
            if path.name not in self._complained:
                log.error("%s stays in the spool: %s", path.name, error.strerror)  # noqa: TRY400
            self._complained.add(path.name)
            return None

    def _place(self, path: Path) -> Arrival | None:
        """Give a spooled file its place among the images; None when it is not a whole file."""
        try:
            if not is_whole(path):
                log.warning("Removed %s: cut off before it was acknowledged", path.name)
                path.unlink()
                return None
            arrival = read_arrival(path)
        except OSError:
            raise
        except Exception:  # one file that no reader foresaw must not stop all others for ever
            log.exception("%s is not an instance; kept aside", path.name)
            self._spool.put_aside(path)
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
    meta = read_file_meta_info(path)
    syntax = str(meta.TransferSyntaxUID)
    identifiers = read_identifiers(prefix, syntax)
    texts = _describe(prefix, syntax)
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
        source=str(meta.get("SourceApplicationEntityTitle", ""))[:16],
        receiving_title=str(meta.get("ReceivingApplicationEntityTitle", ""))[:16],
        patient_id=texts["PatientID"],
        patient_name=texts["PatientName"],
        accession_number=texts["AccessionNumber"],
        study_date=texts["StudyDate"][:8],
        study_description=texts["StudyDescription"],
    )


def _describe(prefix: bytes, transfer_syntax_uid: str) -> dict[str, str]:
    """The describing attributes; empty where pydicom cannot read the dataset.

    Only the dataset's first bytes are read, inflated within bounds, so that neither a huge
    element nor a decompression bomb costs memory. The images are kept whatever comes of it.
    """
    try:
        if transfer_syntax_uid in DEFLATED:
            prefix, transfer_syntax_uid = inflate(prefix, LONGEST_HEADER_BYTES), EXPLICIT_VR
        part10 = encode_file_meta("1.2", "1.2", transfer_syntax_uid, "") + prefix
        described = dcmread(
            BytesIO(part10), stop_before_pixels=True, specific_tags=list(DESCRIPTIVE)
        )
        return {name: str(described.get(name, "") or "") for name in DESCRIPTIVE}
    except Exception:  # noqa: BLE001 - see above; a reader of hostile bytes raises anything
        log.warning("A dataset's describing attributes cannot be read")
        return dict.fromkeys(DESCRIPTIVE, "")


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
