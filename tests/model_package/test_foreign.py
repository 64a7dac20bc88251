"""What readers of foreign formats share."""

from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.foreign import AxisAdapter, field_of, load_torch_export, read_json


def test_values_per_network_axis_are_sorted_to_standard_order() -> None:
    """Network axes (x, y, z) come from standard axes (2, 1, 0)."""
    assert AxisAdapter(order=(2, 1, 0)).to_standard(("x", "y", "z")) == ("z", "y", "x")
    assert AxisAdapter(order=(1, 2, 0)).to_standard(("r", "c", "s")) == ("s", "r", "c")


@pytest.mark.parametrize("text", ["{", "[1]", None])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "plans.json").write_text(text)
    with pytest.raises(ModelPackageError, match=r"plans\.json"):
        read_json(tmp_path / "plans.json")


def test_a_missing_field_is_named_with_what_was_found() -> None:
    with pytest.raises(ModelPackageError, match="'spacing' is missing; found patch_size"):
        field_of({"patch_size": 1}, "spacing", "plans.json")


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    monkeypatch.delitem(
        __import__("sys").modules, "engine.model_package.torch_export", raising=False
    )
    with pytest.raises(ModelPackageError, match=r"hepatocast\[convert\]"):
        load_torch_export()
