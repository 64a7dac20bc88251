"""Logs: one JSON object per line."""

import json
import logging

from dicom_node.logs import JsonFormatter


def test_a_record_is_one_line_of_json() -> None:
    record = logging.LogRecord("dicom_node.x", logging.INFO, "f", 1, "a\n%s", ("b",), None)
    line = JsonFormatter("worker").format(record)
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["message"] == "a\nb"
    assert (parsed["level"], parsed["role"]) == ("INFO", "worker")
