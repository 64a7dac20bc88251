"""Vector charts of the PDF: a survival curve with its interval, features side by side."""

from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.reporting.fonts import BOLD, REGULAR, printable
from engine.reporting.palette import lesion_color
from engine.reporting.pdf_scene import to_color
from engine.reporting.pdf_style import ACCENT, HAIRLINE, INK, MUTED
from engine.reporting.wording import format_value
from engine.values.prognosis import RiskPrediction

TICK_MONTHS = (1, 2, 3, 6, 12, 24, 60)


class SurvivalChart(Flowable):  # type: ignore[misc]
    """Probability of being event-free over time, with the interval as a band."""

    def __init__(self, prediction: RiskPrediction, width: float, height: float = 150) -> None:
        super().__init__()
        self.prediction, self.width, self.height = prediction, width, height
        self.left, self.bottom = 34.0, 26.0
        self.last_month = max(prediction.times_months[-1], 1.0)

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def _at(self, months: float, probability: float) -> tuple[float, float]:
        across = (self.width - self.left - 8) * months / self.last_month
        return self.left + across, self.bottom + (self.height - self.bottom - 8) * probability

    def draw(self) -> None:
        """Grid, band, curve."""
        canvas: Canvas = self.canv
        self._draw_axes(canvas)
        p = self.prediction
        band = canvas.beginPath()
        upper = [self._at(t, v) for t, v in zip(p.times_months, p.upper, strict=True)]
        lower = [self._at(t, v) for t, v in zip(p.times_months, p.lower, strict=True)]
        band.moveTo(*upper[0])
        for point in (*upper[1:], *reversed(lower)):
            band.lineTo(*point)
        band.close()
        canvas.setFillColor(Color(ACCENT.red, ACCENT.green, ACCENT.blue, alpha=0.18))
        canvas.drawPath(band, stroke=0, fill=1)
        curve = canvas.beginPath()
        points = [self._at(t, v) for t, v in zip(p.times_months, p.survival, strict=True)]
        curve.moveTo(*points[0])
        for point in points[1:]:
            curve.lineTo(*point)
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(1.6)
        canvas.drawPath(curve, stroke=1, fill=0)

    def _draw_axes(self, canvas: Canvas) -> None:
        canvas.setFont(REGULAR, 6.6)
        canvas.setLineWidth(0.4)
        canvas.setStrokeColor(HAIRLINE)
        canvas.setFillColor(MUTED)
        for percent in range(0, 101, 25):
            x, y = self._at(0, percent / 100)
            canvas.line(x, y, self._at(self.last_month, 0)[0], y)
            canvas.drawRightString(x - 4, y - 2.2, f"{percent} %")
        step = next((s for s in TICK_MONTHS if self.last_month / s <= 6), 120)
        for months in range(0, int(self.last_month) + 1, step):
            x, y = self._at(months, 0)
            canvas.line(x, y, x, y - 3)
            canvas.drawCentredString(x, y - 10, str(months))
        canvas.drawCentredString((self.left + self.width) / 2, 4, "months after surgery")


class FeatureChart(Flowable):  # type: ignore[misc]
    """Key features per lesion: one row a feature, one dot a lesion, values beside them."""

    def __init__(
        self, rows: list[tuple[str, list[tuple[int, float]]]], width: float, unit: float = 17
    ) -> None:
        """Take the rows.

        Args:
            rows: Feature label with (lesion number, value) pairs.
            width: Width of the chart.
            unit: Height of a row.
        """
        super().__init__()
        self.rows, self.width, self.unit = rows, width, unit
        self.height = unit * (len(rows) + 1)

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def draw(self) -> None:
        """Labels, strips, dots, values."""
        canvas: Canvas = self.canv
        start, end = self.width * 0.34, self.width * 0.66
        canvas.setFont(BOLD, 7)
        canvas.setFillColor(MUTED)
        top = self.height - self.unit * 0.6
        canvas.drawString(2, top, "Feature")
        canvas.drawString(start, top, "lowest to highest among the lesions")
        canvas.drawString(end + 14, top, "value per lesion")
        for index, (label, values) in enumerate(self.rows):
            y = self.height - self.unit * (index + 1.6)
            canvas.setFont(REGULAR, 7.4)
            canvas.setFillColor(INK)
            canvas.drawString(2, y, printable(label))
            canvas.setStrokeColor(HAIRLINE)
            canvas.setLineWidth(0.8)
            canvas.line(start, y + 2.5, end, y + 2.5)
            low, high = min(v for _, v in values), max(v for _, v in values)
            x_text = end + 14
            for number, value in values:
                share = 0.5 if high == low else (value - low) / (high - low)
                canvas.setFillColor(to_color(lesion_color(number)))
                canvas.circle(start + (end - start) * share, y + 2.5, 3, stroke=0, fill=1)
                canvas.circle(x_text + 3, y + 2.5, 2.4, stroke=0, fill=1)
                canvas.setFillColor(INK)
                written = f"{number}: {format_value(value)}"
                canvas.drawString(x_text + 8, y, written)
                x_text += 14 + canvas.stringWidth(written, REGULAR, 7.4)
