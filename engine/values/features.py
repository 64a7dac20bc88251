"""Radiomic and deep features of one region of interest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.values.identity import ContrastPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One number with its standard name.

    Attributes:
        name: IBSI feature name ("Volume (mesh)").
        ibsi_code: Four-character IBSI code ("RNU0"); empty for features outside IBSI.
        family: IBSI family ("Morphology").
        aggregation: IBSI aggregation ("3D, merged"); empty where it does not apply.
        filter: Image filter before extraction; empty for the original image.
        value: NaN when it could not be computed; then ``reason`` says why.
        unit: UCUM unit ("mm3", "1", "[hnsf'U]").
        reason: Why the value is NaN; empty otherwise.
    """

    name: str
    ibsi_code: str
    family: str
    value: float
    unit: str
    aggregation: str = ""
    filter: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """All features of one region in one phase.

    Attributes:
        region: "lesion 1", "lesion 1 ring 10 mm", "liver".
        phase: Phase of the image the features were taken from.
        features: In extraction order.
        settings: Extraction settings that travel with the result (JSON-able).
    """

    region: str
    phase: ContrastPhase
    features: tuple[Feature, ...]
    settings: dict[str, Any]


def settings_sha256(settings: Mapping[str, Any]) -> str:
    """Fingerprint of extraction settings: features with other fingerprints are other features."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
