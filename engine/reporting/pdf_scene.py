"""A key image in the PDF: gray raster below, outlines and diameters as vectors above."""

from PIL import Image
from reportlab.lib.colors import Color, black, white
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.reporting.drawing import AMBER, scale_bar_mm
from engine.reporting.fonts import BOLD, REGULAR, printable
from engine.reporting.palette import Rgb
from engine.reporting.pdf_style import MUTED
from engine.reporting.scene import MeasuredLine, Scene

CAPTION_HEIGHT = 17.0
CAPTION_SIZE = 5.8
RESOLUTION_DPI = 170


def to_color(rgb: Rgb) -> Color:
    """An 8-bit color for reportlab."""
    return Color(*(value / 255 for value in rgb))


class SceneFlowable(Flowable):  # type: ignore[misc]
    """One scene, scaled into a box, with its caption below."""

    def __init__(self, scene: Scene, width: float, height: float, text_size: float = 8) -> None:
        super().__init__()
        self.scene, self.text_size = scene, text_size
        across, down = scene.size_mm
        self.per_mm = min(width / across, (height - CAPTION_HEIGHT) / down)
        self.picture_width, self.picture_height = across * self.per_mm, down * self.per_mm
        self.width, self.height = width, self.picture_height + CAPTION_HEIGHT

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def _place(self, x: float, y: float) -> tuple[float, float]:
        rows, columns = self.scene.gray.shape
        left = (self.width - self.picture_width) / 2
        return (
            left + x * self.picture_width / columns,
            self.height - y * self.picture_height / rows,
        )

    def draw(self) -> None:
        """Raster, lines, letters, bar, caption."""
        canvas: Canvas = self.canv
        gray = Image.fromarray(self.scene.gray)
        per_point = RESOLUTION_DPI / 72
        size = (round(self.picture_width * per_point), round(self.picture_height * per_point))
        smooth = gray.resize(size, Image.Resampling.BICUBIC)
        left, bottom = self._place(0, self.scene.gray.shape[0])
        canvas.drawImage(ImageReader(smooth), left, bottom, self.picture_width, self.picture_height)
        canvas.saveState()
        frame = canvas.beginPath()
        frame.rect(left, bottom, self.picture_width, self.picture_height)
        canvas.clipPath(frame, stroke=0, fill=0)
        self._draw_lines(canvas)
        self._draw_letters(canvas)
        self._draw_scale_bar(canvas)
        canvas.restoreState()
        self._draw_caption(canvas, left)

    def _draw_caption(self, canvas: Canvas, left: float) -> None:
        """Two lines below, made smaller where the picture is narrow."""
        canvas.setFillColor(MUTED)
        for line, y in zip(map(printable, self.scene.caption), (9, 2.5), strict=True):
            natural = canvas.stringWidth(line, REGULAR, CAPTION_SIZE)
            room = self.width - left
            canvas.setFont(REGULAR, CAPTION_SIZE * min(1.0, room / max(natural, 1.0)))
            canvas.drawString(left, y, line)

    def _draw_lines(self, canvas: Canvas) -> None:
        canvas.setLineJoin(1)
        for outline in self.scene.outlines:
            canvas.setStrokeColor(to_color(outline.rgb))
            canvas.setLineWidth(0.9 if outline.is_lesion else 0.6)
            path = canvas.beginPath()
            points = [self._place(x, y) for x, y in outline.points.tolist()]
            path.moveTo(*points[0])
            for point in points[1:]:
                path.lineTo(*point)
            path.close()
            canvas.drawPath(path, stroke=1, fill=0)
        for marker in self.scene.markers:
            self._halo(canvas, self._place(*marker.at), marker.label, to_color(marker.rgb))
        for line in self.scene.lines:
            self._draw_diameter(canvas, line)

    def _draw_diameter(self, canvas: Canvas, line: MeasuredLine) -> None:
        ends = sorted((self._place(*line.start), self._place(*line.end)))
        (x0, y0), (x1, y1) = ends
        for width, color in ((1.6, black), (0.7, white)):
            canvas.setLineWidth(width)
            canvas.setStrokeColor(color)
            canvas.line(x0, y0, x1, y1)
        canvas.setFillColor(white)
        canvas.setLineWidth(0.4)
        canvas.setStrokeColor(black)
        for x, y in ends:
            canvas.circle(x, y, 1.3, stroke=1, fill=1)
        length = max(1.0, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
        gap = self.text_size * 0.6
        at = (x1 + (x1 - x0) / length * gap, y1 + (y1 - y0) / length * gap - self.text_size / 3)
        self._halo(canvas, at, line.label, white)

    def _halo(self, canvas: Canvas, at: tuple[float, float], text: str, color: Color) -> None:
        """Text with a dark rim, readable on any gray."""
        written = canvas.beginText()
        written.setFont(BOLD, self.text_size)
        canvas.setLineWidth(1.4)
        canvas.setStrokeColor(black)
        for mode, fill in ((2, black), (0, color)):
            written.setTextOrigin(*at)
            written.setTextRenderMode(mode)
            written.setFillColor(fill)
            written.textOut(printable(text))
        canvas.drawText(written)

    def _draw_letters(self, canvas: Canvas) -> None:
        rows, columns = self.scene.gray.shape
        left, right, top, bottom = self.scene.letters
        size, amber = self.text_size, to_color(AMBER)
        x0, y0 = self._place(0, rows)
        x1, y1 = self._place(columns, 0)
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2

        def width(text: str) -> float:
            return float(canvas.stringWidth(text, BOLD, size))

        self._halo(canvas, (x0 + 3, middle_y), left, amber)
        self._halo(canvas, (x1 - 3 - width(right), middle_y), right, amber)
        self._halo(canvas, (middle_x - width(top) / 2, y1 - size - 1), top, amber)
        self._halo(canvas, (middle_x - width(bottom) / 2, y0 + 3), bottom, amber)

    def _draw_scale_bar(self, canvas: Canvas) -> None:
        bar = scale_bar_mm(self.scene.size_mm[0])
        x, y = self._place(0, self.scene.gray.shape[0])
        x, y, length = x + 5, y + 5, bar * self.per_mm
        for width, color in ((2.0, black), (1.0, white)):
            canvas.setLineWidth(width)
            canvas.setStrokeColor(color)
            canvas.line(x, y, x + length, y)
            for end in (x, x + length):
                canvas.line(end, y - 1.8, end, y + 1.8)
        self._halo(canvas, (x, y + 3.5), f"{bar} mm", white)
