"""Charts of the lesions in the PDF: histogram beside the liver's, enhancement, key features."""

import numpy as np
from numpy.typing import NDArray
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from engine.reporting.fonts import REGULAR, printable
from engine.reporting.forecast_words import is_forecast
from engine.reporting.lesion_charts import BINS_HU, LesionChart, chart_lesions
from engine.reporting.palette import lesion_color
from engine.reporting.pdf_scene import to_color
from engine.reporting.pdf_style import BARE, HAIRLINE, INK, MUTED, TEXT_WIDTH, paragraph, table
from engine.values.identity import ContrastPhase
from engine.values.result import AnalysisResult

MAXIMUM_CHARTED = 5
HEIGHT = 92.0
LIVER = HexColor("#7d8b98")
SHORT = {
    ContrastPhase.NON_CONTRAST: "native",
    ContrastPhase.LATE_ARTERIAL: "arterial",
    ContrastPhase.PORTAL_VENOUS: "portal",
    ContrastPhase.DELAYED: "delayed",
}


def lesion_charts(result: AnalysisResult) -> list[Flowable]:
    """Per lesion: how bright, how it enhances, what stands out against the liver."""
    charts = chart_lesions(result, MAXIMUM_CHARTED)
    if not charts:
        return []
    phase = result.reference.series.phase.value
    several = max(len(chart.phases) for chart in charts) > 1
    how = "; points are means per contrast phase" if several else "; one contrast phase was read"
    total = sum(len(features.features) for features in result.features)
    note = (
        f"Histograms: share of voxels by HU in the {phase} phase, the lesion colored, the liver "
        f"without lesions gray{how}. {total} features in all, with IBSI codes and settings, are "
        "in features.json."
    )
    parts: list[Flowable] = [paragraph("Lesions against the liver", "section")]
    for index, chart in enumerate(charts):
        block = [paragraph(chart.title, "subsection"), _row(chart), Spacer(1, 2)]
        parts.append(KeepTogether(block if index else [parts.pop(), *block]))
    rest = len(result.findings.lesions) - len(charts)
    if rest:
        parts.append(paragraph(f"{rest} smaller lesions are not charted.", "small"))
    refused = [r for r in result.refusals if not is_forecast(r)]
    parts += [paragraph(f"{r.name}: not computed, {r.reason}", "small") for r in refused]
    return [*parts, paragraph(note, "small")]


def _row(chart: LesionChart) -> Table:
    curves = len(chart.phases) > 1
    shares = (0.29, 0.25, 0.46) if curves else (0.48, 0.0, 0.52)
    widths = [TEXT_WIDTH * share for share in shares]
    heads = ("", "Lesion", f"Ring {chart.ring}", "Liver")
    columns = [0, 1, 2, 3] if chart.ring else [0, 1, 3]
    rows = [
        tuple(paragraph(row[c], "fine-number" if c else "fine") for c in columns)
        for row in (heads, *chart.rows)
    ]
    sizes = tuple((2.4, 1.0, 1.15, 1.0)[c] for c in columns)
    facts = table(rows, sizes, share=shares[2] - 0.01, styles=COMPACT)
    cells: list[Flowable] = [HistogramChart(chart, widths[0] - 8)]
    if curves:
        cells.append(EnhancementChart(chart, widths[1] - 8))
    kept = [width for width in widths if width]
    return Table([[*cells, facts]], colWidths=kept, style=BARE)


def paper_color(number: int) -> Color:
    """A lesion's color, darker where it would vanish on white."""
    red, green, blue = lesion_color(number)
    bright = 0.3 * red + 0.59 * green + 0.11 * blue > 170
    return to_color((red * 3 // 4, green * 3 // 4, blue * 3 // 4) if bright else (red, green, blue))


COMPACT = (
    ("TOPPADDING", (0, 0), (-1, -1), 0.4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6),
)


class HistogramChart(Flowable):  # type: ignore[misc]
    """Intensities of a lesion over those of the liver."""

    def __init__(self, chart: LesionChart, width: float) -> None:
        super().__init__()
        self.chart, self.width, self.height = chart, width, HEIGHT

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def draw(self) -> None:
        """Axis in HU, the liver filled, the lesion outlined."""
        canvas: Canvas = self.canv
        shown = (self.chart.lesion_share > 0.002) | (self.chart.liver_share > 0.002)
        bins = np.flatnonzero(shown)
        first, last = (int(bins[0]), int(bins[-1])) if bins.size else (0, len(shown) - 1)
        first, last = max(0, first - 1), min(len(shown) - 1, last + 1)
        window = slice(first, last + 1)
        peak = max(self.chart.lesion_share.max(), self.chart.liver_share.max(), 1e-9)
        self._steps(canvas, self.chart.liver_share[window] / peak, filled=True)
        self._steps(canvas, self.chart.lesion_share[window] / peak, filled=False)
        canvas.setFont(REGULAR, 6)
        canvas.setFillColor(MUTED)
        canvas.setStrokeColor(HAIRLINE)
        canvas.line(0, 14, self.width, 14)
        count = last - first + 1
        every = 50 if count <= 24 else 100
        for edge in range(int(BINS_HU[first]), int(BINS_HU[last + 1]) + 1, 10):
            if edge % every == 0:
                x = self.width * (edge - BINS_HU[first]) / (count * 10)
                canvas.line(x, 14, x, 11.5)
                canvas.drawCentredString(min(max(x, 6), self.width - 10), 5, str(edge))
        canvas.drawRightString(self.width, 0, "HU")

    def _steps(self, canvas: Canvas, heights: NDArray[np.float64], *, filled: bool) -> None:
        step, room = self.width / len(heights), self.height - 20
        path = canvas.beginPath()
        path.moveTo(0, 14)
        for index, height in enumerate(heights.tolist()):
            path.lineTo(index * step, 14 + room * height)
            path.lineTo((index + 1) * step, 14 + room * height)
        path.lineTo(self.width, 14)
        color = LIVER if filled else paper_color(self.chart.number)
        canvas.saveState()
        canvas.setLineWidth(1.2)
        canvas.setStrokeColor(color)
        canvas.setFillColor(color)
        canvas.setFillAlpha(0.35 if filled else 0.25)
        canvas.drawPath(path, stroke=int(not filled), fill=1)
        canvas.restoreState()


class EnhancementChart(Flowable):  # type: ignore[misc]
    """Mean intensity of lesion and liver from phase to phase."""

    def __init__(self, chart: LesionChart, width: float) -> None:
        super().__init__()
        self.chart, self.width, self.height = chart, width, HEIGHT
        self.left, self.bottom = 22.0, 18.0

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def _at(self, place: int, hu: float) -> tuple[float, float]:
        low, high = self._range()
        across = (self.width - self.left - 14) * place / max(1, len(self.chart.phases) - 1)
        up = (self.height - self.bottom - 8) * (hu - low) / (high - low)
        return self.left + 6 + across, self.bottom + up

    def _range(self) -> tuple[float, float]:
        values = [v for _, own, around in self.chart.phases for v in (own, around) if v is not None]
        low, high = min(values), max(values)
        margin = max(5.0, 0.15 * (high - low))
        return low - margin, high + margin

    def draw(self) -> None:
        """Phases below, HU at the left, two lines."""
        canvas: Canvas = self.canv
        canvas.setFont(REGULAR, 5.6)
        canvas.setStrokeColor(HAIRLINE)
        canvas.setLineWidth(0.5)
        low, high = self._range()
        canvas.setFillColor(MUTED)
        for hu in range(int(np.ceil(low / 25)) * 25, int(high) + 1, 25):
            _, y = self._at(0, hu)
            canvas.line(self.left, y, self.width - 4, y)
            canvas.drawRightString(self.left - 2, y - 2, str(hu))
        for place, (phase, _, _) in enumerate(self.chart.phases):
            x, _ = self._at(place, low)
            canvas.drawCentredString(x, 8, printable(SHORT[phase]))
        self._line(canvas, 2)
        self._line(canvas, 1)
        canvas.setFillColor(INK)

    def _line(self, canvas: Canvas, column: int) -> None:
        color = paper_color(self.chart.number) if column == 1 else LIVER
        canvas.setStrokeColor(color)
        canvas.setFillColor(color)
        canvas.setLineWidth(1.4 if column == 1 else 1.0)
        before: tuple[float, float] | None = None
        for place, entry in enumerate(self.chart.phases):
            value = entry[column]
            if not isinstance(value, float):
                before = None
                continue
            here = self._at(place, value)
            if before is not None:
                canvas.line(*before, *here)
            canvas.circle(*here, 1.8, stroke=0, fill=1)
            before = here
