"""Whatever script a text is in, something readable and honest is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.reporting.fonts import is_printable, known_characters, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe ≤ 3 mm", "Größe ≤ 3 mm"),
        ("Dvořák", "Dvorák"),
        ("e\u0301tude", "étude"),
        ("Дубна", "‹Dubna›"),
        ("CT 腹部 1", "CT ‹FuBu› 1"),
        ("\u0001", "‹U+0001›"),
        ("", ""),
    ],
)
def test_a_text_is_shown_or_marked_as_transliterated(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30))
def test_nothing_is_printed_that_the_typeface_lacks(text: str) -> None:
    shown = printable(text)
    assert all(ord(c) in known_characters() or c in "\n\t" for c in shown)


@given(st.text(alphabet=st.characters(categories=("L", "M", "N")), max_size=30))
def test_no_letter_becomes_a_question_mark(text: str) -> None:
    assert "?" not in printable(text)


def test_latin_text_is_left_as_it_is() -> None:
    assert is_printable("Petra Müller-Straße")
    assert not is_printable("Иванов")
