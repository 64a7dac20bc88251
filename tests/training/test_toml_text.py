"""TOML out, TOML in."""

import math
import tomllib

import pytest

from engine.training.toml_text import to_toml


def test_what_is_written_is_read_back() -> None:
    content = {
        "text": 'quotes " and ≤ and \\',
        "number": 0.1,
        "whole": 3,
        "truth": True,
        "list": [1.5, math.inf],
        "table": {"a b": 1.0},
        "model": [{"name": "x", "groups": [{"upper": 1.0}, {"upper": math.inf}]}, {"name": "y"}],
    }
    assert tomllib.loads(to_toml(content)) == content


def test_not_a_number_survives() -> None:
    assert math.isnan(tomllib.loads(to_toml({"x": math.nan}))["x"])


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="set has no TOML form"):
        to_toml({"x": {1}})
