"""Manifest → manifest.toml."""

from dataclasses import asdict
from typing import Any

import tomli_w

from engine.model_package.manifest import MANIFEST_FORMAT, SEGMENTATION, Evaluation, Manifest
from engine.values.model import NetworkSpec


def render_manifest(manifest: Manifest) -> str:
    """Give the TOML text that ``parse_manifest`` reads back as the same value."""
    document: dict[str, Any] = {
        "format": MANIFEST_FORMAT,
        "kind": SEGMENTATION,
        "name": manifest.name,
        "version": manifest.version,
        "title": manifest.title,
        "intended_use": manifest.intended_use,
        "population": manifest.population,
        "limits": list(manifest.limits),
        "license": {**asdict(manifest.licenses), "data": list(manifest.licenses.data)},
        "input": {
            **asdict(manifest.criteria),
            "phases": [phase.value for phase in manifest.criteria.phases],
        },
        "postprocessing": {
            "tumor_threshold": manifest.tumor_threshold,
            "minimum_lesion_ml": manifest.minimum_lesion_ml,
        },
        "networks": [_network(spec) for spec in manifest.networks],
        "segments": [_lists(asdict(segment)) for segment in manifest.segments],
        "evaluation": [_evaluation(entry) for entry in manifest.evaluation],
        "files": dict(sorted(manifest.files.items())),
    }
    if manifest.reference is not None:
        document["reference"] = asdict(manifest.reference)
    return tomli_w.dumps(document)


def _network(spec: NetworkSpec) -> dict[str, Any]:
    values = asdict(spec)
    del values["sha256"]  # lives in [files], once
    return _lists(values)


def _evaluation(entry: Evaluation) -> dict[str, Any]:
    values = asdict(entry)
    lower, upper, interval = (values.pop(key) for key in ("lower", "upper", "interval"))
    if lower is not None and upper is not None:
        values["bounds"] = {"lower": lower, "upper": upper, "interval": interval}
    return values


def _lists(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
