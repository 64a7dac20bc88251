"""Values over time in the PDF: a sparkline in a table cell, and charts of the trajectories."""

import math
from datetime import date

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.reporting.clinical_words import unit_text
from engine.reporting.fonts import BOLD, REGULAR, printable
from engine.reporting.pdf_style import ACCENT, CAUTION, HAIRLINE, INK, MUTED
from engine.values.clinical import Course

LOGARITHMIC = ("afp", "pivka_ii")
"""Tumor markers span decades; on a linear axis one peak hides everything else."""
ALBI_GRADES = ((-2.60, "1 | 2"), (-1.39, "2 | 3"))
"""Cut-offs of the ALBI grades (doi:10.1200/JCO.2014.57.9151)."""
TRAJECTORIES = ("afp", "pivka_ii", "albi")


def scaled(course: Course) -> list[float]:
    """Values as the axis places them: log10(value + 1) for markers, else as they are."""
    if course.analyte in LOGARITHMIC:
        return [math.log10(point.value + 1) for point in course.points]
    return [point.value for point in course.points]


class Sparkline(Flowable):  # type: ignore[misc]
    """A course in a table cell: line, last value as a dot, first to last in words."""

    def __init__(self, course: Course, width: float, height: float = 17) -> None:
        super().__init__()
        self.course, self.width, self.height = course, width, height

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def draw(self) -> None:
        """Line above, words below."""
        canvas: Canvas = self.canv
        points, values = self.course.points, scaled(self.course)
        low, high = min(values), max(values)
        first_day, days = points[0].observed_on, max(self.course.days, 1)
        places = [
            (
                2 + (self.width - 8) * (point.observed_on - first_day).days / days,
                9 + 7 * (0.5 if high == low else (value - low) / (high - low)),
            )
            for point, value in zip(points, values, strict=True)
        ]
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(0.9)
        canvas.setLineJoin(1)
        line = canvas.beginPath()
        line.moveTo(*places[0])
        for place in places[1:]:
            line.lineTo(*place)
        canvas.drawPath(line, stroke=1, fill=0)
        canvas.setFillColor(ACCENT)
        canvas.circle(*places[-1], 1.5, stroke=0, fill=1)
        canvas.setFont(REGULAR, 5.6)
        canvas.setFillColor(MUTED)
        told = f"{len(points)} in {self.course.days} d, from {points[0].value:.3g}"
        canvas.drawString(0, 1, printable(told))


class CourseChart(Flowable):  # type: ignore[misc]
    """One trajectory with dates and values, up to the day of the images."""

    def __init__(
        self, course: Course, reference: date | None, width: float, height: float = 104
    ) -> None:
        super().__init__()
        self.course, self.reference = course, reference
        self.width, self.height = width, height
        self.left, self.bottom, self.top = 30.0, 22.0, 16.0

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def _span(self) -> tuple[date, int]:
        first = self.course.points[0].observed_on
        last = max(self.course.latest.observed_on, self.reference or date.min)
        return first, max((last - first).days, 1)

    def _range(self) -> tuple[float, float]:
        values = scaled(self.course)
        low, high = min(values), max(values)
        margin = 0.12 * (high - low) or 0.1 * max(abs(high), 1.0)
        return low - margin, high + margin

    def _at(self, day: date, value: float) -> tuple[float, float]:
        first, days = self._span()
        low, high = self._range()
        across = (self.width - self.left - 22) * (day - first).days / days
        up = (self.height - self.bottom - self.top) * (value - low) / (high - low)
        return self.left + across, self.bottom + up

    def draw(self) -> None:
        """Title, axis, grade lines, curve with its values."""
        canvas: Canvas = self.canv
        unit = unit_text(self.course.unit)
        canvas.setFont(BOLD, 7.2)
        canvas.setFillColor(INK)
        canvas.drawString(
            0, self.height - 8, printable(self.course.name + (f", {unit}" if unit else ""))
        )
        self._draw_axes(canvas)
        places = [
            self._at(point.observed_on, value)
            for point, value in zip(self.course.points, scaled(self.course), strict=True)
        ]
        canvas.setStrokeColor(ACCENT)
        canvas.setLineWidth(1.3)
        line = canvas.beginPath()
        line.moveTo(*places[0])
        for place in places[1:]:
            line.lineTo(*place)
        canvas.drawPath(line, stroke=1, fill=0)
        self._draw_values(canvas, places)

    def _draw_values(self, canvas: Canvas, places: list[tuple[float, float]]) -> None:
        """Dots for all, numbers for first, highest, lowest and last where they fit."""
        values = [point.value for point in self.course.points]
        last = len(values) - 1
        told = [last, 0, values.index(max(values)), values.index(min(values))]
        taken: list[tuple[float, float]] = []
        for index, (x, y) in enumerate(places):
            canvas.setFillColor(ACCENT)
            canvas.circle(x, y, 2.1 if index == last else 1.4, stroke=0, fill=1)
        for index in dict.fromkeys(told):
            x, y = places[index]
            if any(abs(x - other_x) < 24 and abs(y - other_y) < 8 for other_x, other_y in taken):
                continue
            taken.append((x, y))
            canvas.setFont(BOLD if index == last else REGULAR, 6.4)
            canvas.setFillColor(INK)
            write = canvas.drawString if index == 0 else canvas.drawCentredString
            write(x + (2 if index == 0 else 0), y + 4, printable(f"{values[index]:.3g}"))

    def _draw_axes(self, canvas: Canvas) -> None:
        left, right, floor = self.left, self.width - 22, self.bottom
        canvas.setStrokeColor(HAIRLINE)
        canvas.setLineWidth(0.5)
        canvas.line(left, floor, right + 14, floor)
        canvas.line(left, floor, left, self.height - self.top)
        canvas.setFont(REGULAR, 5.8)
        canvas.setFillColor(MUTED)
        first, days = self._span()
        canvas.drawString(left, floor - 8, first.isoformat())
        end = date.fromordinal(first.toordinal() + days)
        canvas.drawRightString(right + 14, floor - 8, end.isoformat())
        if self.reference is not None:
            x, _ = self._at(self.reference, self._range()[0])
            canvas.setDash(1.5, 1.5)
            canvas.line(x, floor, x, self.height - self.top)
            canvas.setDash()
            canvas.drawRightString(right + 14, floor - 16, "dashed: reference date")
        if self.course.analyte in LOGARITHMIC:
            canvas.drawString(left, floor - 16, "log scale")
        self._draw_grades(canvas, right)

    def _draw_grades(self, canvas: Canvas, right: float) -> None:
        low, high = self._range()
        for cut, label in ALBI_GRADES if self.course.analyte == "albi" else ():
            if not low < cut < high:
                continue
            _, y = self._at(self._span()[0], cut)
            canvas.setStrokeColor(CAUTION)
            canvas.setLineWidth(0.5)
            canvas.line(self.left, y, right, y)
            canvas.setFillColor(CAUTION)
            canvas.drawRightString(self.left - 2, y - 2, label)
