"""The page stands whatever result.json holds; curves are drawn where the numbers say."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.dashboard.result_summary import draw_curve, read_summary
from tests.dicom_node.recorded_engine import RECORDED

PREDICTION: dict[str, Any] = RECORDED["predictions"][0]  # type: ignore[index]
nonsense = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*RECORDED, "survival", "times_months", "number", "long_axis"]), inner
    ),
    max_leaves=20,
)  # fmt: skip


def test_a_result_is_summed_up(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(RECORDED))
    summary = read_summary(tmp_path)
    assert summary is not None
    assert summary.facts == (
        ("Lesions", "2"), ("Largest", "34 mm"), ("Tumor volume", "21.5 ml"),
        ("Liver volume", "1475 ml"),
    )  # fmt: skip
    assert summary.lesions[0]["axes"] == "34 × 21 mm"
    assert summary.curves[0].told == "70 % at 1 year, 50 % at 2 years, 40 % at 3 years"


def test_a_curve_begins_at_one_hundred_percent_and_ends_where_it_should() -> None:
    """The box of the drawing: x 46 to 588, y 12 (100 %) to 226 (0 %)."""
    curve = draw_curve(PREDICTION)
    assert curve is not None
    points = [tuple(map(float, p.split(","))) for p in curve.line.split()]
    assert points[0] == (46.0, 12.0)
    assert points[-1] == (588.0, pytest.approx(226 - 0.4 * 214, abs=0.1))
    assert len(curve.band.split()) == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"survival": [0.5]},
        {"survival": [0.7, None, 0.4]},
        {"times_months": []},
        {"times_months": [0.0, 0.0, 0.0]},
        {"survival": [0.7, float("nan"), 0.4]},
    ],
)
def test_a_curve_whose_numbers_do_not_fit_is_left_out(changes: dict[str, Any]) -> None:
    assert draw_curve({**PREDICTION, **changes}) is None


@given(nonsense)
def test_nothing_in_the_file_breaks_the_page(content: Any) -> None:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "result.json").write_text(json.dumps(content))
        read_summary(Path(folder))


def test_no_file_is_no_summary(tmp_path: Path) -> None:
    assert read_summary(tmp_path) is None
    (tmp_path / "result.json").write_bytes(b"[" * 100_000)
    assert read_summary(tmp_path) is None
