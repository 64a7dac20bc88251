"""Fixtures of the reporting room."""

from pathlib import Path

import pytest

from engine.reporting.report_file import ReportFile
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import cached_result
from tests.phantoms.conformance import Writer


@pytest.fixture
def result() -> AnalysisResult:
    """The axial phantom's result."""
    return cached_result()


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write a report file for a judge that wants a path."""

    def to_disk(file: ReportFile) -> Path:
        path = tmp_path / file.name
        path.write_bytes(file.content)
        return path

    return to_disk
