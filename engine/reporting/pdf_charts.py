"""Vector chart of the PDF: key features of the lesions side by side."""

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.reporting.fonts import BOLD, REGULAR, printable
from engine.reporting.palette import lesion_color
from engine.reporting.pdf_scene import to_color
from engine.reporting.pdf_style import HAIRLINE, INK, MUTED
from engine.reporting.wording import format_value


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
