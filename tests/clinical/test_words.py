"""Coded words never leave the analyte's vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clinical.analytes import ANALYTES
from engine.clinical.words import coded_word
from engine.errors import ClinicalDataError

CODED = [analyte for analyte in ANALYTES.values() if analyte.words]


@given(text=st.text(max_size=12), analyte=st.sampled_from(CODED))
def test_any_text_gives_an_allowed_word_or_a_refusal(text: str, analyte: object) -> None:
    try:
        word = coded_word(text, analyte)  # type: ignore[arg-type]
    except ClinicalDataError:
        return
    assert word in analyte.words  # type: ignore[attr-defined]


def test_a_snomed_absence_is_not_read_as_presence() -> None:
    assert coded_word("272519000", ANALYTES["cirrhosis"]) == "absent"
    assert coded_word("52101004", ANALYTES["cirrhosis"]) == "present"
    with pytest.raises(ClinicalDataError):
        coded_word("271649006", ANALYTES["cirrhosis"])
