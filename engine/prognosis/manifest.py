"""Reading and verifying the manifest of a risk package (``kind = "risk"``)."""

import hashlib
import math
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.errors import ModelPackageError
from engine.prognosis.package import (
    BoundLevel,
    Discrimination,
    Encoding,
    Explanation,
    PredictorSource,
    RiskGroup,
    RiskModel,
    RiskPackage,
    RiskPredictor,
    SubsetDiscrimination,
)
from engine.values.provenance import ModelIdentity

FORMAT = 1


def load_risk_package(folder: Path) -> RiskPackage:
    """Read and verify a risk package.

    Args:
        folder: The version folder that holds ``manifest.toml``.

    Returns:
        The package; every listed file has been checked against its sha256.

    Raises:
        ModelPackageError: Manifest missing, malformed or inconsistent, or a file was
            changed after the package was made.
    """
    path = folder / "manifest.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelPackageError(f"No manifest.toml in risk package {folder.name}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelPackageError(f"{folder.name}/manifest.toml cannot be read: {error}") from error
    try:
        package = _package(folder, content)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelPackageError(
            f"{folder.name}/manifest.toml is not a valid risk manifest: "
            f"{type(error).__name__}: {error}"
        ) from error
    _check_consistency(package)
    for model in package.models:
        for name, digest in model.files:
            _check_file(folder / name, digest)
    return package


def package_sha256(files: Mapping[str, str]) -> str:
    """Checksum of a package: sha256 over its sorted "name sha256" lines."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _package(folder: Path, content: Mapping[str, Any]) -> RiskPackage:
    if content.get("format") != FORMAT or content.get("kind") != "risk":
        raise ValueError(
            f'needs format = {FORMAT} and kind = "risk", found '
            f"format = {content.get('format')!r}, kind = {content.get('kind')!r}"
        )
    models = tuple(_model(m) for m in content["model"])
    return RiskPackage(
        identity=ModelIdentity(
            name=content["name"],
            version=content["version"],
            sha256=package_sha256({name: digest for m in models for name, digest in m.files}),
            intended_use=content["intended_use"],
            limits=tuple(content["limits"]),
        ),
        folder=folder,
        outcome=content["outcome"],
        outcome_short=content["outcome_short"],
        origin=content["origin"],
        times_months=tuple(float(t) for t in content["times_months"]),
        predictors=tuple(_predictor(p) for p in content["predictor"]),
        models=models,
        cohort=content["cohort"],
    )


def _predictor(entry: Mapping[str, Any]) -> RiskPredictor:
    known = dict(entry)
    known["source"] = PredictorSource(known["source"])
    known["encoding"] = Encoding(known.get("encoding", "number"))
    known["words"] = tuple((str(w), float(v)) for w, v in known.get("words", {}).items())
    for name in ("plausible", "development"):
        if name in known:
            low, high = known[name]
            known[name] = (float(low), float(high))
    return RiskPredictor(**known)


def _model(entry: Mapping[str, Any]) -> RiskModel:
    return RiskModel(
        name=entry["name"],
        file=entry["file"],
        sha256=entry["sha256"],
        predictors=tuple(entry["predictors"]),
        required=tuple(entry["required"]),
        missing_policy=entry["missing_policy"],
        percentiles=tuple(float(v) for v in entry["percentiles"]),
        groups=tuple(RiskGroup(name=g["name"], upper=float(g["upper"])) for g in entry["groups"]),
        discrimination=Discrimination(**entry["discrimination"]),
        interval=entry["interval"],
        distance_limit=float(entry["distance_limit"]),
        any_of=tuple(entry.get("any_of", ())),
        subsets=tuple(
            SubsetDiscrimination(
                modalities=tuple(s["modalities"]),
                value=float(s["value"]),
                lower=float(s["lower"]),
                upper=float(s["upper"]),
            )
            for s in entry.get("subsets", ())
        ),
        explanation=Explanation(**entry["explanation"]) if "explanation" in entry else None,
        bound_levels=tuple(
            BoundLevel(confidence=float(b["confidence"]), survival=float(b["survival"]))
            for b in entry.get("bound_levels", ())
        ),
        bound=entry.get("bound", ""),
    )


def _check_consistency(package: RiskPackage) -> None:
    names = {p.name for p in package.predictors}
    grid = package.times_months
    problems = []
    if len(names) != len(package.predictors):
        problems.append("predictor names are not unique")
    if not grid or grid[0] <= 0 or any(b <= a for a, b in pairwise(grid)):
        problems.append("times_months must be positive and ascending")
    if not package.models:
        problems.append("no model")
    problems += [
        f"predictor {p.name}: a ramp needs 0 < lower < upper"
        for p in package.predictors
        if p.encoding is Encoding.RAMP and not 0 < p.lower < p.upper
    ]
    for model in package.models:
        problems += _model_problems(model, names)
    if problems:
        raise ModelPackageError(
            f"Risk package {package.identity.name} {package.identity.version}: "
            + "; ".join(problems)
        )


def _model_problems(model: RiskModel, names: set[str]) -> list[str]:
    problems = []
    if unknown := [p for p in model.predictors if p not in names]:
        problems.append(f"model {model.name} needs undeclared predictors {unknown}")
    if extra := [p for p in model.required if p not in model.predictors]:
        problems.append(f"model {model.name} requires {extra}, which are no inputs of it")
    if extra := [p for p in model.any_of if p not in model.predictors]:
        problems.append(f"model {model.name} asks for any of {extra}, which are no inputs of it")
    levels = [(b.confidence, b.survival) for b in model.bound_levels]
    if levels != sorted(levels) or any(not (0 < c < 1 and 0 <= s <= 1) for c, s in levels):
        problems.append(f"model {model.name}: bound levels must ascend inside 0..1")
    if any(Path(name).name != name for name, _ in model.files):
        problems.append(f"model {model.name}: file must be a plain file name")
    if len(model.percentiles) != 101 or list(model.percentiles) != sorted(model.percentiles):
        problems.append(f"model {model.name} needs 101 ascending percentiles")
    bounds = [g.upper for g in model.groups]
    if not bounds or bounds != sorted(bounds) or not math.isinf(bounds[-1]):
        problems.append(f"model {model.name}: groups must ascend and end with inf")
    return problems


def _check_file(path: Path, sha256: str) -> None:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelPackageError(f"Risk package file {path.name} cannot be read") from error
    if digest != sha256:
        raise ModelPackageError(
            f"Risk package file {path.name} was changed: sha256 {digest}, "
            f"the manifest says {sha256}; install the package again"
        )
