"""Shared modules are legal whatever the scanner wrote."""

import pytest
from pydicom.dataset import Dataset

from engine.reporting.attributes import legal_text, make_object
from engine.reporting.identity import SR_SERIES
from tests.phantoms.analysis_result import make_context


@pytest.mark.parametrize(
    ("keyword", "value", "legal"),
    [
        ("PatientSex", "F", "F"),
        ("PatientSex", "", ""),
        ("PatientAge", "064Y", "064Y"),
        ("StudyTime", "093015.123456", "093015.123456"),
        ("StudyDate", "20240311", "20240311"),
    ],
)
def test_legal_values_pass(keyword: str, value: str, legal: str) -> None:
    header = Dataset()
    setattr(header, keyword, value)
    assert legal_text(header, keyword) == legal


def test_a_missing_attribute_is_empty() -> None:
    assert legal_text(Dataset(), "AccessionNumber") == ""


def test_an_object_carries_the_context_s_moment_only() -> None:
    header = Dataset()
    header.StudyInstanceUID = "2.25.1"
    made = make_object(SR_SERIES, "1.2.840.10008.5.1.4.1.1.88.34", header, make_context(), None)
    assert made.ContentDate == made.SeriesDate == made.InstanceCreationDate == "20240311"
    assert made.ContentTime == made.SeriesTime == made.InstanceCreationTime == "123005"
    assert made.TimezoneOffsetFromUTC == "+0100"
    assert made.PatientID == ""
