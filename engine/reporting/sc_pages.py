"""Pages of the Secondary Capture series, for viewers that show nothing but pictures."""

import textwrap

from PIL import Image, ImageDraw

from engine.reporting.drawing import AMBER, GRAY, WHITE, draw_scene
from engine.reporting.fonts import BOLD, REGULAR, pillow_font, printable
from engine.reporting.forecast_words import headline
from engine.reporting.key_images import (
    Viewer,
    lesion_close_up,
    lesion_scenes,
    liver_scenes,
)
from engine.reporting.nomogram_drawing import nomogram_picture
from engine.reporting.palette import Rgb, lesion_color
from engine.reporting.scene import Scene
from engine.reporting.wording import (
    BURDEN_ASSUMPTION,
    LESION_HEADINGS,
    LESION_MEANING,
    criteria_rows,
    findings_sentence,
    format_value,
    lesion_row,
    model_sentence,
)
from engine.values.lesion import Lesion
from engine.values.nomogram import Nomogram
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult, NotAnalyzed

PAGE = (1280, 960)
MARGIN = 24
HEADER, FOOTER = 52, 64
COLUMN_X = 872
LINE = (58, 66, 74)
MAXIMUM_ROWS = 12
CAPTION = 38


class Page:
    """One black page with header and footer."""

    def __init__(self, title: str, footer: str) -> None:
        self.image = Image.new("RGB", PAGE, (0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)
        self.text((MARGIN, HEADER / 2), title, 22, WHITE, face=BOLD, anchor="lm")
        right = (PAGE[0] - MARGIN, HEADER / 2)
        self.text(right, "RESEARCH USE ONLY", 22, AMBER, face=BOLD, anchor="rm")
        self.rule(HEADER)
        self.rule(PAGE[1] - FOOTER)
        bottom = PAGE[1] - FOOTER
        self.text((MARGIN, bottom + 10), RESEARCH_USE_STATEMENT, 13, AMBER)
        self.text((MARGIN, bottom + 34), footer, 13, GRAY)

    def rule(self, y: int) -> None:
        """A thin line across the page."""
        self.pen.line((0, y, PAGE[0], y), fill=LINE)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: int,
        color: Rgb = WHITE,
        *,
        face: str = REGULAR,
        anchor: str = "la",
    ) -> None:
        """Text of one line."""
        font = pillow_font(face, size)
        self.pen.text(at, printable(text), font=font, fill=color, anchor=anchor)

    def paragraph(
        self, at: tuple[float, float], text: str, size: int, width: int, color: Rgb = WHITE
    ) -> float:
        """Wrapped text; returns the y below it."""
        x, y = at
        characters = max(10, int(width / (size * 0.58)))
        for line in textwrap.wrap(text, characters):
            self.text((x, y), line, size, color)
            y += size * 1.45
        return y

    def scene(self, scene: Scene, box: tuple[int, int, int, int], text_size: int) -> None:
        """A captioned scene inside (left, top, width, height)."""
        left, top, width, height = box
        for number, line in enumerate(scene.caption):
            natural = self.pen.textlength(line, pillow_font(REGULAR, 13))
            size = int(13 * min(1.0, width / max(natural, 1.0)))
            self.text((left, top + 16 * number), line, size, GRAY)
        picture = draw_scene(scene, (width, height - CAPTION), text_size=text_size)
        x = left + (width - picture.width) // 2
        self.image.paste(picture, (x, top + CAPTION))

    def table(
        self, at: tuple[float, float], rows: list[tuple[str, ...]], widths: tuple[int, ...]
    ) -> float:
        """Rows of right-aligned cells, the first row bold; returns the y below."""
        x0, y = at
        for index, row in enumerate(rows):
            x = x0
            for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
                x += width
                color = lesion_color(int(cell)) if index and column == 0 else WHITE
                face = BOLD if index == 0 or column == 0 else REGULAR
                shade = GRAY if index == 0 else color
                self.text((x, y), cell, 15, shade, face=face, anchor="ra")
            y += 26
            if index == 0:
                self.pen.line((x0, y - 3, x0 + sum(widths), y - 3), fill=LINE)
        return y


def _footer(result: AnalysisResult, page: int, pages: int) -> str:
    phase = result.reference.series.phase.value
    return (
        f"{model_sentence(result)}   |   HepatoCast {result.context.software_version}   |   "
        f"{phase} series   |   page {page} of {pages}"
    )


def _lesion_page(viewer: Viewer, lesion: Lesion, title: str, footer: str) -> Page:
    page = Page(title, footer)
    main, second, third = lesion_scenes(viewer, lesion)
    height = PAGE[1] - HEADER - FOOTER - 20
    page.scene(main, (MARGIN, HEADER + 10, COLUMN_X - 2 * MARGIN, height), 20)
    width = PAGE[0] - COLUMN_X - MARGIN
    page.scene(lesion_close_up(viewer, lesion), (COLUMN_X, HEADER + 10, width, 380), 17)
    half = width // 2 - 6
    page.scene(second, (COLUMN_X, HEADER + 402, half, 212), 11)
    page.scene(third, (COLUMN_X + half + 12, HEADER + 402, half, 212), 11)
    y = HEADER + 632
    for name, value in zip(LESION_HEADINGS[1:], lesion_row(lesion)[1:], strict=True):
        page.text((COLUMN_X, y), name, 16, GRAY)
        page.text((PAGE[0] - MARGIN, y), value, 16, anchor="ra", face=BOLD)
        y += 28
    return page


def _scores(page: Page, result: AnalysisResult, y: float) -> None:
    """Computed scores, as many as the page has room for."""
    computed = [score for score in result.scores if score.value is not None]
    room = int((PAGE[1] - FOOTER - y - 40) / 25)
    if not computed or room < 1:
        return
    page.text((MARGIN, y), "Scores", 16, face=BOLD)
    for score in computed[:room]:
        y += 25
        page.text((MARGIN, y), score.name, 15, GRAY)
        told = f"{format_value(score.value)}  {score.category}"
        page.text((MARGIN + 230, y), told[:70], 15)


def _summary_page(result: AnalysisResult, viewer: Viewer, footer: str) -> Page:
    page = Page("Liver CT analysis: summary", footer)
    width = COLUMN_X - 2 * MARGIN
    y = page.paragraph((MARGIN, HEADER + 20), findings_sentence(result), 21, width)
    lesions = result.findings.lesions
    if lesions:
        rows = [LESION_HEADINGS, *(lesion_row(lesion) for lesion in lesions[:MAXIMUM_ROWS])]
        y = page.table((MARGIN, y + 16), rows, (36, 108, 112, 104, 104, 92, 122, 128))
        if len(lesions) > MAXIMUM_ROWS:
            rest = len(lesions) - MAXIMUM_ROWS
            page.text((MARGIN, y), f"and {rest} smaller lesions, see the report", 15, GRAY)
            y += 26
        y += 20
        for name, outcome, rule in criteria_rows(result.findings.burden):
            page.text((MARGIN, y), name, 16, GRAY)
            page.text((MARGIN + 190, y), outcome, 16, face=BOLD)
            page.text((MARGIN + 300, y + 2), rule, 12, GRAY)
            y += 27
        y = page.paragraph((MARGIN, y + 8), BURDEN_ASSUMPTION, 13, width, GRAY)
    y = page.paragraph((MARGIN, y + 12), LESION_MEANING, 13, width, GRAY)
    for limit in (*result.warnings, *result.model.limits)[:5]:
        y = page.paragraph((MARGIN, y + 6), f"• {limit}", 13, width, GRAY)
    _scores(page, result, y + 16)
    scenes = liver_scenes(viewer)
    column = PAGE[0] - COLUMN_X - MARGIN
    for place, scene in enumerate(scenes):
        page.scene(scene, (COLUMN_X, HEADER + 10 + place * 280, column, 272), 13)
    return page


def draw_pages(
    result: AnalysisResult, viewer: Viewer, maximum_key_images: int
) -> list[tuple[Image.Image, str, int | None]]:
    """All pages of a result.

    Returns:
        Per page the picture (RGB), a description and the slice of the volume it shows.
    """
    lesions = result.findings.lesions[:maximum_key_images]
    total = 1 + len(lesions) + len(result.nomograms)
    summary = _summary_page(result, viewer, _footer(result, 1, total))
    area = result.findings.liver.sum((1, 2))
    pages: list[tuple[Image.Image, str, int | None]] = [
        (summary.image, "Summary", int(area.argmax()))
    ]
    for number, lesion in enumerate(lesions, 2):
        title = f"{lesion.tracking_id} of {len(result.findings.lesions)}"
        footer = _footer(result, number, total)
        page = _lesion_page(viewer, lesion, title, footer)
        shown = result.findings.key_slice_index(lesion)
        pages.append((page.image, lesion.tracking_id, shown))
    for number, nomogram in enumerate(result.nomograms, len(pages) + 1):
        page = _nomogram_page(result, nomogram, _footer(result, number, total))
        pages.append((page.image, "Nomogram", None))
    return pages


def _nomogram_page(result: AnalysisResult, nomogram: Nomogram, footer: str) -> Page:
    """The nomogram with the patient marked, under the forecast it draws."""
    page = Page("Nomogram", footer)
    told = [p for p in result.predictions if nomogram.title.startswith(p.package)]
    y = float(HEADER + 14)
    width = PAGE[0] - 2 * MARGIN
    for prediction in told:
        y = page.paragraph((MARGIN, y), f"{prediction.outcome}. {headline(prediction)}", 17, width)
        for flag in prediction.flags:
            y = page.paragraph((MARGIN, y), flag, 14, width, AMBER)
    room = PAGE[1] - FOOTER - y - 24
    drawn = nomogram_picture(nomogram, width, dark=True)
    if drawn.height > room:
        drawn = nomogram_picture(nomogram, int(width * room / drawn.height), dark=True)
    page.image.paste(drawn, (MARGIN + (width - drawn.width) // 2, int(y) + 12))
    return page


def draw_refusal(refused: NotAnalyzed) -> Image.Image:
    """The one page that says why a study was not analyzed."""
    page = Page("Liver CT analysis", f"HepatoCast {refused.context.software_version}")
    page.text((MARGIN, HEADER + 60), "NOT ANALYZED", 44, AMBER, face=BOLD)
    y = page.paragraph((MARGIN, HEADER + 140), refused.reason, 22, PAGE[0] - 2 * MARGIN)
    y += 30
    for decision in refused.series_decisions[:MAXIMUM_ROWS]:
        told = f"Series {decision.series_instance_uid}: {decision.reason}"
        y = page.paragraph((MARGIN, y), told, 15, PAGE[0] - 2 * MARGIN, GRAY)
    return page.image
