"""What foreign label names mean to the engine."""

import re

from engine.errors import ModelPackageError
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL

LIVER_NAMES = frozenset({"liver", "whole liver", "liver parenchyma", "hepatic parenchyma"})
TUMOR_WORDS = frozenset(
    {"tumor", "tumour", "tumors", "tumours", "lesion", "lesions", "cancer", "hcc", "metastasis"}
)


def label_of(name: str) -> int:
    """Give the engine's label for a foreign name; 0 for all that is neither liver nor tumor."""
    words = re.sub(r"[^a-z]+", " ", name.lower()).strip()
    if set(words.split()) & TUMOR_WORDS:
        return TUMOR_LABEL
    return LIVER_LABEL if words in LIVER_NAMES else 0


def channels_of(names: list[str], *, where: str) -> tuple[int, ...]:
    """Give the engine's label of each output channel.

    Raises:
        ModelPackageError: None of the names is the liver.
    """
    channels = tuple(label_of(name) for name in names)
    if LIVER_LABEL not in channels:
        raise ModelPackageError(
            f"{where}: a label {sorted(LIVER_NAMES)} is needed, found {', '.join(names)}; "
            "rename the label, or export to ONNX yourself and import that"
        )
    return channels
