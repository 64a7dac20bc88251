"""Tests that convert with torch run where the extra [convert] is installed."""

from importlib.util import find_spec

import pytest

NEEDED = ("torch", "dynamic_network_architectures")
MISSING = [name for name in NEEDED if find_spec(name) is None]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "convert: needs the extra [convert] (torch)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the conversions out, visibly counted as deselected, where torch is missing."""
    if not MISSING:
        return
    converting = [item for item in items if item.get_closest_marker("convert")]
    if converting:
        config.hook.pytest_deselected(items=converting)
        items[:] = [item for item in items if item not in converting]


def pytest_report_header() -> str:
    """Say which conversions this run can do."""
    if MISSING:
        return f"conversions: deselected, not installed: {', '.join(MISSING)} (extra [convert])"
    return "conversions: run"
