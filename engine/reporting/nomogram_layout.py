"""Where the lines, words and dots of a nomogram go, in points with the origin at the top left."""

from dataclasses import dataclass

from engine.values.nomogram import Nomogram, NomogramAxis

WIDTH = 520.0
LABEL_WIDTH = 165.0
ROW = 24.0
TOP = 36.0
_TICK = 3.0
_RIGHT = 48.0
_GAP = 4.0
_SAME = 0.01
_GLYPH = 0.6
_LABEL, _TICK_LABEL = 7.5, 6.2
BLACK, GRAY, RED = (0.1, 0.1, 0.1), (0.55, 0.55, 0.55), (0.78, 0.1, 0.1)

Color = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    color: Color = BLACK


@dataclass(frozen=True, slots=True)
class Words:
    """A text; ``anchor`` is "start" or "middle"; y is its base line."""

    x: float
    y: float
    text: str
    size: float = 7.0
    anchor: str = "start"
    color: Color = BLACK


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float = 2.6
    color: Color = RED


Mark = Stroke | Words | Dot


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything to draw, in drawing order."""

    width: float
    height: float
    marks: tuple[Mark, ...]


def lay_out(nomogram: Nomogram) -> Layout:
    """Place a nomogram: points on top, one row per predictor, total points, outcome scales."""
    marks: list[Mark] = [Words(0, 14, nomogram.title, 10)]
    y = TOP
    marks.append(Words(WIDTH - 14, y - 8, "patient's", 6, "middle", RED))
    marks.append(Words(WIDTH - 14, y - 1, "points", 6, "middle", RED))
    marks += _ruler("Points", y, 100.0, 10.0)
    for axis in nomogram.axes:
        y += ROW
        marks += _predictor(axis, y, nomogram)
    y += ROW
    marks += _ruler("Total points", y, nomogram.maximum_points, _step(nomogram.maximum_points))
    bottom = y + ROW * len(nomogram.scales)
    total = nomogram.patient_total
    if total is not None:
        points = nomogram.points(total)
        x = _across(points, nomogram.maximum_points)
        marks += [Stroke(x, y, x, bottom, RED), Dot(x, y)]
        marks.append(Words(WIDTH - 14, y + 2.5, f"{points:.0f}", 8, "middle", RED))
    else:
        words = "no total: a predictor is missing"
        marks.append(Words(LABEL_WIDTH, y - 6, words, 7, "start", RED))
    for scale in nomogram.scales:
        y += ROW
        marks += _outcome(scale, y, nomogram)
    if nomogram.note:
        marks.append(Words(0, y + ROW, nomogram.note, 6, "start", GRAY))
    return Layout(WIDTH, y + ROW + 8, tuple(marks))


def _predictor(axis: NomogramAxis, y: float, nomogram: Nomogram) -> list[Mark]:
    places = [
        (_across((t.effect - axis.lowest) / nomogram.unit_effect, 100.0), t.label)
        for t in axis.ticks
    ]
    marks = _scale(axis.label, y, places)
    if axis.patient is not None:
        points = (axis.patient.effect - axis.lowest) / nomogram.unit_effect
        x = _across(points, 100.0)
        marks += [Dot(x, y), Words(x, y - 5, axis.patient.label, 7, "middle", RED)]
        marks.append(Words(WIDTH - 14, y + 2.5, f"{points:.0f}", 7, "middle", RED))
    return marks


def _outcome(scale: NomogramAxis, y: float, nomogram: Nomogram) -> list[Mark]:
    maximum = nomogram.maximum_points
    return _scale(
        scale.label,
        y,
        [(_across(nomogram.points(t.effect), maximum), t.label) for t in scale.ticks],
    )


def _ruler(label: str, y: float, maximum: float, step: float) -> list[Mark]:
    count = int(maximum / step + 1e-9) if maximum > 0 else 0
    places = [(_across(n * step, maximum), f"{n * step:g}") for n in range(count + 1)]
    return _scale(label, y, places)


def _scale(label: str, y: float, places: list[tuple[float, str]]) -> list[Mark]:
    """An axis with ticks; labels that would touch their neighbor are left out."""
    size = min(_LABEL, (LABEL_WIDTH - 12) / (_GLYPH * max(len(label), 1)))
    marks: list[Mark] = [Words(0, y + 2.5, label, size)]
    xs = [x for x, _ in places]
    marks.append(Stroke(min(xs), y, max(xs), y))
    free = 0.0
    for x, text in _merged(places):
        marks.append(Stroke(x, y, x, y + _TICK))
        half = _GLYPH * _TICK_LABEL * len(text) / 2
        if x - half >= free:
            marks.append(Words(x, y + _TICK + 7, text, _TICK_LABEL, "middle"))
            free = x + half + _GAP
    return marks


def _merged(places: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Places from left to right; values of equal effect share one, told by its ends."""
    merged: list[tuple[float, str, str]] = []
    for x, text in sorted(places, key=lambda place: place[0]):
        if merged and x - merged[-1][0] < _SAME:
            merged[-1] = (merged[-1][0], merged[-1][1], text)
        else:
            merged.append((x, text, text))
    return [(x, a if a == b else f"{a} to {b}") for x, a, b in merged]


def _across(points: float, maximum: float) -> float:
    """Horizontal place of some points on a ruler of ``maximum`` points."""
    span = WIDTH - LABEL_WIDTH - _RIGHT
    return LABEL_WIDTH + (points / maximum if maximum > 0 else 0.0) * span


def _step(maximum: float) -> float:
    """Distance of a round ruler's numbers: about ten of them."""
    return next((step for step in (5.0, 10.0, 20.0, 25.0, 50.0) if maximum / step <= 12), 100.0)
