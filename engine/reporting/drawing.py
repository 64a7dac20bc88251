"""Scenes drawn with Pillow, anti-aliased by drawing lines enlarged and shrinking them."""

from PIL import Image, ImageDraw

from engine.reporting.fonts import BOLD, pillow_font
from engine.reporting.palette import Rgb
from engine.reporting.scene import MeasuredLine, Scene

WHITE, BLACK, AMBER, GRAY = (255, 255, 255), (0, 0, 0), (255, 196, 0), (170, 178, 186)
OVERSAMPLING = 2
SCALE_BAR_CHOICES_MM = (100, 50, 20, 10)


def scale_bar_mm(width_mm: float) -> int:
    """Longest usual bar that takes at most a third of the width."""
    return next((mm for mm in SCALE_BAR_CHOICES_MM if mm <= width_mm / 3), 5)


def fit(size_mm: tuple[float, float], box: tuple[int, int]) -> float:
    """Pixels per millimeter at which a scene fills a box without distortion."""
    return min(box[0] / size_mm[0], box[1] / size_mm[1])


class SceneDrawing:
    """One scene on its way to a picture of a given box."""

    def __init__(self, scene: Scene, box: tuple[int, int]) -> None:
        self.scene = scene
        scale = fit(scene.size_mm, box)
        self.per_mm = scale
        self.width = max(1, round(scene.size_mm[0] * scale))
        self.height = max(1, round(scene.size_mm[1] * scale))
        gray = Image.fromarray(scene.gray)
        self.image = gray.resize((self.width, self.height), Image.Resampling.BICUBIC).convert("RGB")

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Scene pixels to picture pixels."""
        rows, columns = self.scene.gray.shape
        return x * self.width / columns, y * self.height / rows

    def _draw_lines(self) -> None:
        """Outlines and diameters on a layer drawn larger, laid over the picture."""
        size = (self.width * OVERSAMPLING, self.height * OVERSAMPLING)
        layer = Image.new("RGBA", size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(layer)
        for outline in self.scene.outlines:
            points = [self._enlarged(x, y) for x, y in outline.points.tolist()]
            width = round((2.4 if outline.is_lesion else 1.6) * OVERSAMPLING)
            pen.line([*points, *points[:2]], fill=(*outline.rgb, 255), width=width, joint="curve")
        for line in self.scene.lines:
            ends = [self._enlarged(*line.start), self._enlarged(*line.end)]
            pen.line(ends, fill=(0, 0, 0, 150), width=4 * OVERSAMPLING)
            pen.line(ends, fill=(*WHITE, 255), width=round(1.6 * OVERSAMPLING))
            for x, y in ends:
                r = 3.2 * OVERSAMPLING
                pen.ellipse(
                    (x - r, y - r, x + r, y + r), fill=(*WHITE, 255), outline=(0, 0, 0, 255)
                )
        small = layer.resize((self.width, self.height), Image.Resampling.LANCZOS)
        self.image.paste(small, (0, 0), small)

    def _enlarged(self, x: float, y: float) -> tuple[float, float]:
        px, py = self.place(x, y)
        return px * OVERSAMPLING, py * OVERSAMPLING

    def _text(
        self, at: tuple[float, float], text: str, size: int, color: Rgb, anchor: str = "mm"
    ) -> None:
        pen = ImageDraw.Draw(self.image)
        font = pillow_font(BOLD, size)
        pen.text(at, text, font=font, fill=color, anchor=anchor, stroke_width=2, stroke_fill=BLACK)

    def _label_line(self, line: MeasuredLine, size: int) -> None:
        """The length outside the lower right end, where it hides least of the lesion."""
        ends = sorted((self.place(*line.start), self.place(*line.end)))
        (x0, y0), (x1, y1) = ends
        length = max(1.0, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
        gap = size * 0.9
        x, y = x1 + (x1 - x0) / length * gap, y1 + (y1 - y0) / length * gap
        self._text((min(x, self.width - 4 * size), y), line.label, size, WHITE, "lm")

    def _draw_letters(self, size: int) -> None:
        left, right, top, bottom = self.scene.letters
        middle_x, middle_y, edge = self.width / 2, self.height / 2, size * 0.9
        self._text((edge, middle_y), left, size, AMBER, "mm")
        self._text((self.width - edge, middle_y), right, size, AMBER, "mm")
        self._text((middle_x, edge), top, size, AMBER, "mm")
        self._text((middle_x, self.height - edge), bottom, size, AMBER, "mm")

    def _draw_scale_bar(self, size: int) -> None:
        bar = scale_bar_mm(self.scene.size_mm[0])
        length, x, y = bar * self.per_mm, size * 0.9, self.height - size * 0.9
        pen = ImageDraw.Draw(self.image)
        for width, color in ((5, BLACK), (3, WHITE)):
            pen.line((x, y, x + length, y), fill=color, width=width)
            for end in (x, x + length):
                pen.line((end, y - 5, end, y + 5), fill=color, width=max(1, width - 1))
        self._text((x, y - size * 0.9), f"{bar} mm", max(12, size - 4), WHITE, "ls")

    def finish(self, *, text_size: int) -> Image.Image:
        """Draw everything and return the picture."""
        self._draw_lines()
        for marker in self.scene.markers:
            self._text(self.place(*marker.at), marker.label, text_size, marker.rgb, "ls")
        for line in self.scene.lines:
            self._label_line(line, text_size - 2)
        self._draw_letters(text_size + 2)
        self._draw_scale_bar(text_size)
        return self.image


def draw_scene(scene: Scene, box: tuple[int, int], *, text_size: int = 20) -> Image.Image:
    """A scene as an RGB picture that fits a box of (width, height) pixels."""
    return SceneDrawing(scene, box).finish(text_size=text_size)
