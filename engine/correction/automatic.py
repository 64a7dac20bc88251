"""The automatic result that is being corrected, read back from its folder."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.correction.drawn import Drawn
from engine.correction.seg_reading import read_seg
from engine.errors import CorrectionError
from engine.values.model import SegmentationPackage
from engine.values.volume import Volume

RESULT_NAME, SR_NAME, SEG_NAME = "result.json", "sr.dcm", "seg.dcm"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticResult:
    """What the corrected result is held against.

    Attributes:
        document: result.json.
        drawn: Its segments on the reference grid.
    """

    document: dict[str, Any] = field(repr=False)
    drawn: Drawn

    @property
    def job_id(self) -> str:
        """Job of the automatic result."""
        return str(self.document["job_id"])

    @property
    def liver_tracking_uid(self) -> str:
        """Tracking UID of its liver."""
        return str(self.document["liver"]["tracking_uid"])


def find_result_folder(predecessor: Path) -> Path | None:
    """The result folder a predecessor stands for: itself, or the one its SR lies in."""
    folder = predecessor if predecessor.is_dir() else predecessor.parent
    if not (folder / RESULT_NAME).is_file():
        return None
    if predecessor.is_dir() or predecessor.resolve() == (folder / SR_NAME).resolve():
        return folder
    return None


def read_automatic(folder: Path, volume: Volume, package: SegmentationPackage) -> AutomaticResult:
    """Read result.json and seg.dcm of a result folder.

    Raises:
        CorrectionError: It is incomplete, or belongs to other images or another model.
    """
    try:
        document = json.loads((folder / RESULT_NAME).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CorrectionError(f"{RESULT_NAME} of the predecessor cannot be read") from error
    if document.get("status") != "analyzed":
        raise CorrectionError("The predecessor is no analysis; there is nothing to correct")
    if document["reference"]["series_instance_uid"] != volume.series.series_instance_uid:
        raise CorrectionError(
            f"The predecessor was made from series "
            f"{document['reference']['series_instance_uid']}, these images give "
            f"{volume.series.series_instance_uid} as the reference"
        )
    model = document["model"]
    if model["sha256"] != package.identity.sha256:
        raise CorrectionError(
            f"The predecessor was made with {model['name']} {model['version']} "
            f"({model['sha256'][:12]}…), not with {package.identity.name} "
            f"{package.identity.version} ({package.identity.sha256[:12]}…); name it with --model"
        )
    drawn = read_seg(folder / SEG_NAME, volume, package.segments)
    return AutomaticResult(document=document, drawn=drawn)
