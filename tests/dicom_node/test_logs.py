"""Logs: one JSON object per line."""

import json
import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydicom.dataset import Dataset

from dicom_node.logs import JsonFormatter, set_up_logs
from dicom_node.schema import open_database


def test_a_failing_statement_names_no_patient(tmp_path: Path) -> None:
    """Database errors are logged with their message; it must not hold the values."""
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as caught:
        connection.execute(sa.text("insert into nowhere values (:name)"), {"name": "Doe^Jane"})
    assert "Doe" not in str(caught.value)


def test_library_warnings_that_quote_values_are_silent(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs("INFO", "test")
    dataset = Dataset()
    dataset.StudyDate = "Doe^Jane"
    assert "Doe" not in capfd.readouterr().err


def test_a_record_is_one_line_of_json() -> None:
    record = logging.LogRecord("dicom_node.x", logging.INFO, "f", 1, "a\n%s", ("b",), None)
    line = JsonFormatter("worker").format(record)
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["message"] == "a\nb"
    assert (parsed["level"], parsed["role"]) == ("INFO", "worker")
