"""What a result says, for the study's page: findings and survival curves out of result.json.

The file is our engine's own, but the page must stand whatever is in it: every value is
checked for its type, and what does not fit is left out.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAXIMUM_BYTES = 32 << 20
WIDTH, HEIGHT = 600, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 34
TICKS = 6


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One prediction, ready to be drawn as SVG in a box of 600 × 260.

    Attributes:
        line, band: Points of the curve and of its interval.
        groups: Points of the development cohort's risk groups.
    """

    outcome: str
    package: str
    interval: str
    risk_group: str
    line: str
    band: str
    groups: tuple[str, ...]
    months: tuple[Tick, ...]
    percents: tuple[Tick, ...]
    told: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the page shows of one result."""

    facts: tuple[tuple[str, str], ...]
    lesions: tuple[dict[str, str], ...]
    curves: tuple[Curve, ...]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    model: str


def read_summary(folder: Path) -> Summary | None:
    """Read a result folder; None when there is no result.json that can be read."""
    path = folder / "result.json"
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            return None
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    model = _part(content, "model")
    name = " ".join(_text(model, key) for key in ("name", "version")).strip()
    return Summary(
        facts=tuple(_facts(content)),
        lesions=tuple(_lesion(item) for item in _items(content, "lesions")),
        curves=tuple(c for p in _items(content, "predictions") if (c := draw_curve(p))),
        refusals=tuple(_refusal(item) for item in _items(content, "refusals")),
        warnings=_texts(content, "warnings"),
        model=name,
    )


def _facts(content: dict[str, Any]) -> list[tuple[str, str]]:
    burden, liver = _part(content, "burden"), _part(content, "liver")
    wanted = [
        ("Lesions", burden, "number", "", 0),
        ("Largest", burden, "largest_mm", " mm", 0),
        ("Tumor volume", burden, "total_volume_ml", " ml", 1),
        ("Liver volume", liver, "volume_ml", " ml", 0),
    ]
    facts = []
    for label, part, key, unit, digits in wanted:
        value = _number(part, key)
        if value is not None:
            facts.append((label, f"{value:.{digits}f}{unit}"))
    return facts


def _lesion(item: dict[str, Any]) -> dict[str, str]:
    long_axis = _number(_part(item, "long_axis"), "length_mm")
    short_axis = _number(_part(item, "short_axis"), "length_mm")
    volume, confidence = _number(item, "volume_ml"), _number(item, "confidence")
    return {
        "name": _text(item, "tracking_id") or f"Lesion {_text(item, 'number')}",
        "axes": f"{_round(long_axis)} × {_round(short_axis)} mm",
        "volume": f"{_round(volume, 1)} ml",
        "confidence": "–" if confidence is None else f"{confidence * 100:.0f} %",
    }


def _refusal(item: dict[str, Any]) -> str:
    name = _text(item, "name") or _text(item, "package")
    return f"{name}: {_text(item, 'reason')}".strip(": ")


def draw_curve(prediction: dict[str, Any]) -> Curve | None:
    """Lay a survival prediction out for drawing; None when its numbers do not fit together."""
    months, survival = _numbers(prediction, "times_months"), _numbers(prediction, "survival")
    if len(months) < 2 or len(months) != len(survival) or months[-1] <= 0:
        return None
    last = months[-1]
    lower, upper = _numbers(prediction, "lower"), _numbers(prediction, "upper")
    has_band = len(lower) == len(upper) == len(months)
    back = list(zip(months, lower, strict=True))[::-1] if has_band else []
    band = [*zip(months, upper, strict=True), *back] if has_band else []
    groups = []
    for group in _items(prediction, "group_curves"):
        times = _numbers(group, "times_months") or months
        values = _numbers(group, "survival")
        if len(times) == len(values) > 1:
            groups.append(_points([*zip(times, values, strict=True)], last))
    return Curve(
        outcome=_text(prediction, "outcome"),
        package=_text(prediction, "package"),
        interval=_text(prediction, "interval"),
        risk_group=_text(prediction, "risk_group"),
        line=_points([(0.0, 1.0), *zip(months, survival, strict=True)], last),
        band=_points([(0.0, 1.0), *band], last) if has_band else "",
        groups=tuple(groups),
        months=tuple(Tick(_x(m, last), f"{m:g}") for m in _ticks(last)),
        percents=tuple(Tick(_y(v / 4), f"{v * 25} %") for v in range(5)),
        told=_tell(months, survival),
        flags=_texts(prediction, "flags"),
    )


def _tell(months: Sequence[float], survival: Sequence[float]) -> str:
    """The probabilities at whole years, as a sentence for readers and for screen readers."""
    told = [
        f"{value * 100:.0f} % at {month / 12:g} year{'s' if month > 12 else ''}"
        for month, value in zip(months, survival, strict=True)
        if month in (12.0, 24.0, 36.0, 60.0)
    ]
    return ", ".join(told)


def _ticks(last: float) -> list[float]:
    step = max(round(last / TICKS / 6.0) * 6.0, 6.0)
    return [step * n for n in range(int(last / step) + 1)]


def _x(month: float, last: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * min(max(month / last, 0.0), 1.0), 1)


def _y(value: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - min(max(value, 0.0), 1.0)), 1)


def _points(pairs: Sequence[tuple[float, float]], last: float) -> str:
    return " ".join(f"{_x(month, last)},{_y(value)}" for month, value in pairs)


def _part(item: dict[str, Any], key: str) -> dict[str, Any]:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _items(item: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = item.get(key)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return str(value) if isinstance(value, str | int) else ""


def _texts(item: dict[str, Any], key: str) -> tuple[str, ...]:
    values = item.get(key)
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


def _number(item: dict[str, Any], key: str) -> float | None:
    value = item.get(key)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def _numbers(item: dict[str, Any], key: str) -> list[float]:
    values = item.get(key)
    found = [_number({"v": v}, "v") for v in values] if isinstance(values, list) else []
    return [v for v in found if v is not None] if None not in found else []


def _round(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
