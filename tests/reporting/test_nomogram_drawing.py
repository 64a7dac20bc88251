"""A nomogram is a vector graphic in PDF and a picture for Secondary Capture."""

import io

import numpy as np
import pytest
from PIL import Image

from engine.reporting.nomogram_drawing import (
    NomogramFlowable,
    nomogram_pdf,
    nomogram_picture,
    nomogram_png,
)
from engine.reporting.nomogram_layout import WIDTH, Dot, Words, lay_out
from engine.values.nomogram import Nomogram, NomogramAxis, NomogramTick
from tests.phantoms.conformance import pdf_text

RED = (199, 26, 26)


def _nomogram(*, marked: bool = True) -> Nomogram:
    def axis(label: str, *ticks: tuple[str, float], at: float | None = None) -> NomogramAxis:
        return NomogramAxis(
            label=label,
            ticks=tuple(NomogramTick(label=text, effect=effect) for text, effect in ticks),
            patient=None if at is None else NomogramTick(label=f"{at:g}", effect=at),
        )

    return Nomogram(
        title="Test score",
        axes=(
            axis("Age, a", ("20", 0.0), ("80", 2.0), at=1.0 if marked else None),
            axis("A predictor with quite a long name indeed", ("no", 0.0), ("yes", 1.0), at=1.0),
        ),
        scales=(axis("Event-free at 12 months", ("0.9", 0.5), ("0.5", 2.5)),),
        note="10.0000/example",
    )


def test_the_pdf_holds_text_and_lines_and_no_picture() -> None:
    content = nomogram_pdf(_nomogram())
    text = pdf_text(content)
    for words in ("Test score", "Points", "Age, a", "Total points", "Event-free at 12 months"):
        assert words in text
    assert b"/Subtype /Image" not in content


def test_the_patient_is_marked_on_every_axis_and_on_the_total() -> None:
    assert sum(isinstance(mark, Dot) for mark in lay_out(_nomogram()).marks) == 3


def test_the_total_points_are_the_sum_of_the_points() -> None:
    """Age 1.0 of 2.0 is 50 points, yes is 50: 100 in all."""
    texts = [mark.text for mark in lay_out(_nomogram()).marks if isinstance(mark, Words)]
    assert "100" in texts
    dots = [mark for mark in lay_out(_nomogram()).marks if isinstance(mark, Dot)]
    assert dots[0].x < dots[2].x


def test_without_a_total_the_drawing_says_so() -> None:
    assert "no total: a predictor is missing" in pdf_text(nomogram_pdf(_nomogram(marked=False)))


def test_values_of_equal_effect_share_a_place() -> None:
    """AFP of 1, 35 and 100 gives no points; a label each would print over the others."""
    afp = [("1", 0.0), ("35", 0.0), ("100", 0.0), ("1000", 2.0)]
    axis = NomogramAxis(
        label="AFP", ticks=tuple(NomogramTick(label=text, effect=effect) for text, effect in afp)
    )
    texts = [m.text for m in lay_out(Nomogram(title="T", axes=(axis,))).marks if is_words(m)]
    assert "1 to 100" in texts
    assert "35" not in texts


def is_words(mark: object) -> bool:
    return isinstance(mark, Words)


def test_the_picture_has_the_asked_width_and_shows_the_patient_in_red() -> None:
    picture = Image.open(io.BytesIO(nomogram_png(_nomogram(), 800)))
    layout = lay_out(_nomogram())
    assert picture.size == (800, round(layout.height * 800 / WIDTH))
    dot = next(mark for mark in layout.marks if isinstance(mark, Dot))
    scale = 800 / WIDTH
    assert picture.getpixel((round(dot.x * scale), round(dot.y * scale))) == pytest.approx(
        RED, abs=12
    )


def test_every_mark_stays_on_the_page() -> None:
    layout = lay_out(_nomogram())
    for mark in layout.marks:
        if isinstance(mark, Words):
            assert 0 <= mark.x <= layout.width
            assert 0 <= mark.y <= layout.height


def test_on_black_nothing_is_dark() -> None:
    """The picture for reading rooms shows every line of the light one."""
    light = np.asarray(nomogram_picture(_nomogram(), 600)).astype(int)
    dark = np.asarray(nomogram_picture(_nomogram(), 600, dark=True)).astype(int)
    drawn = light.min(-1) < 100
    assert drawn.any()
    assert (dark.max(-1)[drawn] > 120).all()
    assert dark[0, 0].tolist() == [0, 0, 0]


def test_a_width_scales_the_drawing_whole() -> None:
    whole, half = NomogramFlowable(_nomogram()), NomogramFlowable(_nomogram(), WIDTH / 2)
    assert half.width == pytest.approx(WIDTH / 2)
    assert half.height == pytest.approx(whole.height / 2)


def test_each_axis_tells_the_patient_s_points() -> None:
    """Age 1.0 of 2.0 and yes are 50 points each, 100 together; no wider label covers another."""
    layout = lay_out(_nomogram())
    column = [m.text for m in layout.marks if isinstance(m, Words) and m.x == WIDTH - 14]
    assert column[-3:] == ["50", "50", "100"]


def test_the_same_nomogram_gives_the_same_picture() -> None:
    assert nomogram_png(_nomogram()) == nomogram_png(_nomogram())
