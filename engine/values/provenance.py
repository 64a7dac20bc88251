"""What made a result: model, software, device, moment."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from engine.values.identity import ImageReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """The model package behind a result.

    Attributes:
        name, version: Package identity; version is SemVer.
        sha256: Checksum over the package's files as listed in its manifest.
        intended_use: One sentence from the manifest.
        limits: Sentences from the manifest that every report carries.
    """

    name: str
    version: str
    sha256: str
    intended_use: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeDevice:
    """Where the networks ran: requested device, ONNX execution provider, versions."""

    requested: str
    execution_provider: str
    onnxruntime_version: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisContext:
    """Everything the pure stages may not find out for themselves (DESIGN decision 3).

    Attributes:
        job_id: Identity of the job; output UIDs are UUIDv5 of it, so a retry overwrites.
        created_at: Moment written into the results, timezone-aware.
        software_version: Version of HepatoCast.
        predecessors: SR documents this result supersedes.
    """

    job_id: str
    created_at: datetime
    software_version: str
    predecessors: tuple[ImageReference, ...] = ()

    def derive_uid(self, *names: str) -> str:
        """UID of a named thing of this job: UUIDv5 under 2.25 (PS3.5 B.2), same on every retry."""
        key = "\x1f".join((self.job_id, *names))
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, key).int}"
