"""What a later correction needs of a result, small enough to live in the scene.

A saved scene outlives the folder that the engine wrote into. The job packs report,
segmentation and result.json; the panel keeps the pack as text and unpacks it for a correction.
"""

import base64
import io
import zipfile
from pathlib import Path

PACK_FILE = "kept.txt"
KEPT = ("result.json", "sr.dcm", "seg.dcm")


def pack_result(folder: Path) -> None:
    """Write kept.txt beside the result; runs beside the engine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in KEPT:
            archive.write(folder / name, name)
    (folder / PACK_FILE).write_text(base64.b64encode(buffer.getvalue()).decode("ascii"))


def unpack_result(pack: Path, folder: Path) -> None:
    """Write a kept result's files into a folder; runs beside the engine."""
    folder.mkdir(parents=True)
    content = base64.b64decode(pack.read_text(encoding="ascii"), validate=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in KEPT:
            (folder / name).write_bytes(archive.read(name))
