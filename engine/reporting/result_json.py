"""result.json and features.json: everything a result says, for machines.

The contract is published in ``result.schema.json`` beside this module (JSON Schema
2020-12). No patient attribute is written, only UIDs; NaN becomes null with its reason.
"""

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from importlib import resources
from typing import Any

import numpy as np

from engine.reporting.identity import liver_tracking_uid
from engine.reporting.report_file import ReportFile, ReportKind
from engine.values.clinical import ClinicalRecord
from engine.values.features import FeatureSet
from engine.values.geometry import VolumeGeometry
from engine.values.nomogram import Nomogram, NomogramAxis
from engine.values.provenance import AnalysisContext
from engine.values.result import (
    RESEARCH_USE_STATEMENT,
    AnalysisResult,
    NotAnalyzed,
    SeriesDecision,
)

SCHEMA_VERSION = "1.0.0"
RESULT_NAME = "result.json"
FEATURES_NAME = "features.json"
FEATURES_HERE = "\0features"
"""Stands for the feature sets while the rest is encoded; no text of a result holds a NUL."""


def load_schema() -> dict[str, Any]:
    """The published JSON Schema of result.json."""
    text = resources.files("engine.reporting").joinpath("result.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _scalar(value: Any) -> Any:  # noqa: ANN401 - any leaf of a tree of values
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_plain(value: Any) -> Any:  # noqa: ANN401 - walks any tree of values
    """Turn values into what JSON has; a float that is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): to_plain(member) for key, member in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [to_plain(member) for member in value]
    return _scalar(value)


def encode_json(
    name: str, document: dict[str, Any], features: list[dict[str, Any]] | None = None
) -> ReportFile:
    """A JSON file of a result; NaN becomes null.

    Args:
        name: File name.
        document: Any tree of values.
        features: Feature sets in plain values, written one a line as the member "features",
            which keeps tens of thousands of numbers quick to write and a diff readable.
    """
    features = features or []
    sets = [json.dumps(one, ensure_ascii=False, allow_nan=False) for one in features]
    plain = to_plain(document | {"features": FEATURES_HERE} if features else document)
    text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
    if sets:
        listed = "[\n  " + ",\n  ".join(sets) + "\n ]"
        text = text.replace(json.dumps(FEATURES_HERE), listed, 1)
    return ReportFile(name=name, kind=ReportKind.JSON, content=(text + "\n").encode())


def _decision(decision: SeriesDecision) -> dict[str, Any]:
    return {
        "series_instance_uid": decision.series_instance_uid,
        "phase": decision.phase,
        "role": decision.role,
        "reason": decision.reason,
        "evidence": decision.evidence,
    }


def _feature_set(features: FeatureSet) -> dict[str, Any]:
    return {
        "region": features.region,
        "phase": features.phase.value,
        "settings": to_plain(features.settings),
        "features": [
            {
                "name": feature.name,
                "ibsi_code": feature.ibsi_code,
                "family": feature.family,
                "value": feature.value if math.isfinite(feature.value) else None,
                "unit": feature.unit,
                "aggregation": feature.aggregation,
                "filter": feature.filter,
                "reason": feature.reason,
            }
            for feature in features.features
        ],
    }


def _feature_sets(result: AnalysisResult) -> list[dict[str, Any]]:
    return [_feature_set(features) for features in result.features]


def _clinical(record: ClinicalRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "reference_date": record.reference_date,
        "observations": [asdict(observation) for observation in record.observations],
        "rejections": [asdict(rejection) for rejection in record.rejections],
        "sources": list(record.sources),
        "courses": [asdict(course) for course in record.courses],
    }


def _nomogram(nomogram: Nomogram) -> dict[str, Any]:
    """The drawing as numbers: points per mark, and where the patient stands."""

    def marks(axis: NomogramAxis) -> list[dict[str, Any]]:
        return [
            {"label": t.label, "points": (t.effect - axis.lowest) / nomogram.unit_effect}
            for t in axis.ticks
        ]

    def patient(axis: NomogramAxis) -> dict[str, Any] | None:
        if axis.patient is None:
            return None
        points = (axis.patient.effect - axis.lowest) / nomogram.unit_effect
        return {"label": axis.patient.label, "points": points}

    total = nomogram.patient_total
    return {
        "title": nomogram.title,
        "axes": [
            {"label": axis.label, "marks": marks(axis), "patient": patient(axis)}
            for axis in nomogram.axes
        ],
        "scales": [
            {
                "label": scale.label,
                "marks": [
                    {"label": t.label, "points": nomogram.points(t.effect)} for t in scale.ticks
                ],
            }
            for scale in nomogram.scales
        ],
        "maximum_points": nomogram.maximum_points,
        "patient_points": None if total is None else nomogram.points(total),
        "patient_score": total,
        "note": nomogram.note,
    }


def _geometry(grid: VolumeGeometry) -> dict[str, Any]:
    return {
        "shape": grid.shape,
        "spacing_mm": grid.spacing.as_tuple(),
        "origin_mm": grid.origin_mm,
        "directions": [grid.slice_direction, grid.row_direction, grid.column_direction],
        "frame_of_reference_uid": grid.frame_of_reference_uid,
    }


def _head(context: AnalysisContext, study_instance_uid: str, status: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "status": status,
        "research_use_statement": RESEARCH_USE_STATEMENT,
        "job_id": context.job_id,
        "created_at": context.created_at,
        "software": {"name": "HepatoCast", "version": context.software_version},
        "study_instance_uid": study_instance_uid,
        "predecessors": [asdict(predecessor) for predecessor in context.predecessors],
    }


def _files(files: tuple[ReportFile, ...]) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            "kind": file.kind,
            "bytes": len(file.content),
            "sha256": file.sha256,
            "sop_class_uid": file.sop_class_uid,
            "sop_instance_uid": file.sop_instance_uid,
            "series_instance_uid": file.series_instance_uid,
        }
        for file in files
    ]


def compose_result_json(result: AnalysisResult, files: tuple[ReportFile, ...]) -> ReportFile:
    """Write down a whole result.

    Args:
        result: The analysis result.
        files: The other files of the result, listed with their checksums.
    """
    volume, findings = result.reference, result.findings
    document = _head(result.context, volume.study.study_instance_uid, "analyzed") | {
        "model": asdict(result.model),
        "device": asdict(result.device),
        "reference": {
            "series_instance_uid": volume.series.series_instance_uid,
            "phase": volume.series.phase,
            "is_source_grid": volume.is_source_grid,
            "notes": volume.notes,
            "geometry": _geometry(volume.geometry),
        },
        "phases": [
            {"series_instance_uid": v.series.series_instance_uid, "phase": v.series.phase}
            for v in result.phases
        ],
        "registrations": [asdict(registration) for registration in result.registrations],
        "series_decisions": [_decision(decision) for decision in result.series_decisions],
        "liver": {
            "tracking_uid": liver_tracking_uid(result),
            "volume_ml": findings.burden.liver_volume_ml,
            "centroid_mm": findings.liver_centroid_mm,
        },
        "lesions": [asdict(lesion) for lesion in findings.lesions],
        "burden": asdict(findings.burden),
        "features": [],
        "clinical": _clinical(result.clinical),
        "scores": [asdict(score) for score in result.scores],
        "predictions": [asdict(prediction) for prediction in result.predictions],
        "nomograms": [_nomogram(nomogram) for nomogram in result.nomograms],
        "refusals": [asdict(refusal) for refusal in result.refusals],
        "warnings": result.warnings,
        "stage_seconds": dict(result.stage_seconds),
        "revision": None if result.revision is None else asdict(result.revision),
        "files": _files(files),
    }
    return encode_json(RESULT_NAME, document, _feature_sets(result))


def compose_refusal_json(refused: NotAnalyzed, files: tuple[ReportFile, ...]) -> ReportFile:
    """Write down that a study was not analyzed, and why."""
    document = _head(refused.context, refused.study.study_instance_uid, "not analyzed") | {
        "reason": refused.reason,
        "series_decisions": [_decision(decision) for decision in refused.series_decisions],
        "files": _files(files),
    }
    return encode_json(RESULT_NAME, document)


def compose_features_json(result: AnalysisResult) -> ReportFile:
    """Write the features alone, free of job and time: same input, same bytes."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "research_use_statement": RESEARCH_USE_STATEMENT,
        "software_version": result.context.software_version,
        "model": {
            "name": result.model.name,
            "version": result.model.version,
            "sha256": result.model.sha256,
        },
        "study_instance_uid": result.reference.study.study_instance_uid,
        "series_instance_uid": result.reference.series.series_instance_uid,
        "features": [],
    }
    return encode_json(FEATURES_NAME, document, _feature_sets(result))
