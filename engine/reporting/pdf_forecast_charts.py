"""Charts of a forecast: the curve among the cohort's risk groups, contributions as bars."""

from itertools import pairwise

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.reporting.fonts import BOLD, REGULAR, printable
from engine.reporting.forecast_words import contribution_value, has_interval
from engine.reporting.pdf_style import ACCENT, CAUTION, HAIRLINE, INK, MUTED
from engine.values.prognosis import Contribution, RiskPrediction

TICK_MONTHS = (1, 2, 3, 6, 12, 24, 60)
GROUP_LINES = (
    (HexColor("#2f6fb0"), (5, 2)),
    (HexColor("#7a6a58"), (3, 1.5, 1, 1.5)),
    (HexColor("#b0492f"), (1.5, 1.5)),
)
"""Color and dash of the risk groups from lowest risk on; told apart without color too."""


class SurvivalChart(Flowable):  # type: ignore[misc]
    """Probability of being event-free over time, its interval, the risk groups beside it."""

    def __init__(self, prediction: RiskPrediction, width: float, height: float = 172) -> None:
        super().__init__()
        self.prediction, self.width, self.height = prediction, width, height
        self.left, self.bottom, self.right = 32.0, 36.0, 44.0
        self.last_month = max(prediction.times_months[-1], 1.0)

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def _at(self, months: float, probability: float) -> tuple[float, float]:
        across = (self.width - self.left - self.right) * months / self.last_month
        return self.left + across, self.bottom + (self.height - self.bottom - 8) * probability

    def _points(self, values: tuple[float, ...]) -> list[tuple[float, float]]:
        """A curve from everybody event-free at time zero."""
        times = self.prediction.times_months
        start = [] if times[0] <= 0 else [self._at(0, 1)]
        return start + [self._at(t, v) for t, v in zip(times, values, strict=True)]

    def draw(self) -> None:
        """Grid, band, groups, curve."""
        canvas: Canvas = self.canv
        canvas.saveState()
        canvas.setLineJoin(1)
        self._draw_axes(canvas)
        p = self.prediction
        if has_interval(p):
            band = canvas.beginPath()
            upper, lower = self._points(p.upper), self._points(p.lower)
            band.moveTo(*upper[0])
            for point in (*upper[1:], *reversed(lower)):
                band.lineTo(*point)
            band.close()
            canvas.setFillColor(Color(ACCENT.red, ACCENT.green, ACCENT.blue, alpha=0.18))
            canvas.drawPath(band, stroke=0, fill=1)
        self._draw_groups(canvas)
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(1.8)
        _polyline(canvas, self._points(p.survival))
        self._draw_legend(canvas)
        canvas.restoreState()

    def _draw_groups(self, canvas: Canvas) -> None:
        canvas.setLineWidth(0.9)
        last_y: list[float] = []
        for curve, (color, dash) in zip(self.prediction.group_curves, GROUP_LINES, strict=False):
            canvas.setStrokeColor(color)
            canvas.setDash(list(dash))
            points = self._points(curve.survival)
            _polyline(canvas, points)
            x, y = points[-1]
            while any(abs(y - other) < 7 for other in last_y):
                y -= 1
            last_y.append(y)
            canvas.setFont(REGULAR, 6)
            canvas.setFillColor(color)
            canvas.drawString(x + 3, y - 2, printable(curve.name)[:14])
        canvas.setDash()

    def _draw_legend(self, canvas: Canvas) -> None:
        canvas.setFont(REGULAR, 6.2)
        x, y = self.left, 5.0
        canvas.setLineWidth(1.8)
        canvas.setStrokeColor(ACCENT)
        canvas.line(x, y + 2, x + 12, y + 2)
        canvas.setFillColor(INK)
        told = "this patient" + (", interval shaded" if has_interval(self.prediction) else "")
        canvas.drawString(x + 15, y, told)
        if self.prediction.group_curves:
            x += 24 + canvas.stringWidth(told, REGULAR, 6.2)
            canvas.setFillColor(MUTED)
            canvas.drawString(x, y, "broken: the cohort's risk groups")

    def _draw_axes(self, canvas: Canvas) -> None:
        canvas.setFont(REGULAR, 6.6)
        canvas.setLineWidth(0.4)
        canvas.setStrokeColor(HAIRLINE)
        canvas.setFillColor(MUTED)
        for percent in range(0, 101, 25):
            x, y = self._at(0, percent / 100)
            canvas.line(x, y, self._at(self.last_month, 0)[0], y)
            canvas.drawRightString(x - 4, y - 2.2, f"{percent}%")
        step = next((s for s in TICK_MONTHS if self.last_month / s <= 6), 120)
        for months in range(0, int(self.last_month) + 1, step):
            x, y = self._at(months, 0)
            canvas.line(x, y, x, y - 3)
            canvas.drawCentredString(x, y - 10, str(months))
        origin = f"months after {self.prediction.origin or 'time zero'}"
        middle = (self.left + self.width - self.right) / 2
        canvas.drawCentredString(middle, self.bottom - 19, printable(origin))


def _polyline(canvas: Canvas, points: list[tuple[float, float]]) -> None:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for _, point in pairwise(points):
        path.lineTo(*point)
    canvas.drawPath(path, stroke=1, fill=0)


class ContributionChart(Flowable):  # type: ignore[misc]
    """One bar per predictor from zero: to the right raises the risk, to the left lowers it."""

    row = 12.5

    def __init__(self, contributions: tuple[Contribution, ...], width: float) -> None:
        super().__init__()
        self.contributions, self.width = contributions, width
        self.height = self.row * len(contributions) + 18

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def draw(self) -> None:
        """Names and values at the left, bars around a zero line, numbers at their ends."""
        canvas: Canvas = self.canv
        start, end = self.width * 0.56, self.width - 30
        zero = (start + end) / 2
        largest = max(abs(c.effect) for c in self.contributions) or 1.0
        per_unit = (end - start) / 2 / largest
        canvas.setFont(BOLD, 6.6)
        canvas.setFillColor(MUTED)
        top = self.height - 8
        canvas.drawString(2, top, "Predictor")
        canvas.drawRightString(self.width * 0.5, top, "this patient")
        canvas.drawRightString(zero - 6, top, "lowers risk")
        canvas.drawString(zero + 6, top, "raises risk")
        canvas.setStrokeColor(HAIRLINE)
        canvas.setLineWidth(0.6)
        canvas.line(zero, 0, zero, self.height - 12)
        for index, contribution in enumerate(self.contributions):
            y = self.height - 15 - self.row * (index + 1) + 4
            canvas.setFont(REGULAR, 7.2)
            canvas.setFillColor(INK)
            canvas.drawString(2, y, _fit(canvas, contribution.predictor, self.width * 0.36))
            shown = _fit(canvas, contribution_value(contribution), self.width * 0.13)
            canvas.drawRightString(self.width * 0.5, y, shown)
            length = contribution.effect * per_unit
            canvas.setFillColor(CAUTION if contribution.effect > 0 else GROUP_LINES[0][0])
            canvas.rect(min(zero, zero + length), y - 1, abs(length), 7, stroke=0, fill=1)
            canvas.setFillColor(INK)
            canvas.setFont(REGULAR, 6.6)
            told = f"{contribution.effect:+.2f}".replace("-", "−")
            if contribution.effect > 0:
                canvas.drawString(zero + length + 3, y, told)
            else:
                canvas.drawRightString(zero + length - 3, y, told)


def _fit(canvas: Canvas, text: str, width: float) -> str:
    """A text cut to a width, with an ellipsis."""
    shown = printable(text)
    if canvas.stringWidth(shown, REGULAR, 7.2) <= width:
        return shown
    while shown and canvas.stringWidth(shown + "…", REGULAR, 7.2) > width:
        shown = shown[:-1]
    return shown + "…"
