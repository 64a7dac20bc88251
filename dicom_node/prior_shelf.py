"""The folder of one earlier study while it is filled and after; apart from new work.

``priors/<digest of the study>/`` holds Part 10 files under names that are digests. Nothing
in it is in the index, so nothing in it is ever routed or analyzed.
"""

import hashlib
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from dicom_node.errors import InvalidInstanceError, NodeError
from dicom_node.header import is_uid
from dicom_node.spool import sync_folder

FOLDER = "priors"
DISTINGUISHING = ("PatientID", "PatientBirthDate", "IssuerOfPatientID")


class PriorLimitError(NodeError):
    """An earlier study is larger than the rule allows."""


class WrongPatientError(NodeError):
    """What came as an earlier study belongs to another patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the current study is about; hidden from logs."""

    patient_id: str
    birth_date: str = ""
    issuer: str = ""

    def __repr__(self) -> str:
        return "Identity(…)"

    def contradicts(self, other: "Identity") -> bool:
        """Tell whether another identity cannot be the same patient's."""
        pairs = ((self.birth_date, other.birth_date), (self.issuer, other.issuer))
        return self.patient_id != other.patient_id or any(a and b and a != b for a, b in pairs)


def read_identity(path: Path) -> Identity:
    """The patient's identity in an image."""
    header = dcmread(path, specific_tags=list(DISTINGUISHING), stop_before_pixels=True)
    texts = [str(header.get(name, "") or "").strip() for name in DISTINGUISHING]
    return Identity(patient_id=texts[0], birth_date=texts[1], issuer=texts[2])


def place_of_prior(study_uid: str) -> str:
    """Folder of an earlier study, below the shared folder."""
    return f"{FOLDER}/{hashlib.sha256(study_uid.encode()).hexdigest()[:32]}"


class PriorShelf:
    """Fills the folder of one earlier study within limits."""

    def __init__(
        self, shared: Path, study_uid: str, *, maximum_instances: int, maximum_bytes: int
    ) -> None:
        self.place = place_of_prior(study_uid)
        self.folder = shared / self.place
        self._study_uid = study_uid
        self._maximum_instances, self._maximum_bytes = maximum_instances, maximum_bytes
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count, self.bytes_left = 0, maximum_bytes
        self.look()

    def look(self) -> int:
        """Look at the disk, where another process may have filled the shelf; the instances."""
        sizes = [path.stat().st_size for path in self.folder.glob("*.dcm")]
        self.count, self.bytes_left = len(sizes), self._maximum_bytes - sum(sizes)
        return self.count

    def open_slip(self) -> Path:
        """Name of a new unfinished file on the shelf's disk."""
        return self.folder / f".{uuid.uuid4().hex}.partial"

    def keep(self, path: Path) -> None:
        """Make an unfinished file durable under its final name; the same one again is one.

        Raises:
            InvalidInstanceError: No instance of this study.
            PriorLimitError: One too many, or too large.
        """
        header = dcmread(
            path, specific_tags=["StudyInstanceUID", "SOPInstanceUID"], stop_before_pixels=True
        )
        uid = str(header.get("SOPInstanceUID", ""))
        if str(header.get("StudyInstanceUID", "")) != self._study_uid or not is_uid(uid):
            raise InvalidInstanceError("An instance of another study came as a prior")
        target = self.folder / f"{hashlib.sha256(uid.encode()).hexdigest()[:32]}.dcm"
        size, is_new = path.stat().st_size, not target.exists()
        if is_new:
            if self.count >= self._maximum_instances:
                raise PriorLimitError(f"More than {self._maximum_instances} instances")
            if size > self.bytes_left:
                raise PriorLimitError(f"More than {self._maximum_bytes} bytes")
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.rename(target)
        if is_new:
            self.count, self.bytes_left = self.count + 1, self.bytes_left - size

    def take_copy(self, path: Path) -> None:
        """Keep a copy of a file that lies elsewhere (the spool).

        Raises:
            InvalidInstanceError, PriorLimitError: As ``keep``.
        """
        slip = self.open_slip()
        try:
            shutil.copyfile(path, slip)
            self.keep(slip)
        finally:
            slip.unlink(missing_ok=True)
        sync_folder(self.folder)

    def close(self, identity: Identity) -> int:
        """Remove what is unfinished and check whose images these are.

        Returns:
            Number of instances.

        Raises:
            WrongPatientError: Another patient's; the folder is gone.
        """
        for stale in self.folder.glob("*.partial"):
            stale.unlink()
        paths = list(self.folder.glob("*.dcm"))
        if any(identity.contradicts(read_identity(path)) for path in paths):
            shutil.rmtree(self.folder)
            raise WrongPatientError("The images name another patient; they were deleted")
        sync_folder(self.folder)
        return len(paths)
