"""Must show 4 of the radiomics issue, our column: an error with a type, or NaN with a reason."""

import math

import pytest

from engine.errors import EngineError
from tests.benchmarks.radiomics_peers import REASON, measure_here
from tests.benchmarks.radiomics_robustness import cases

REFUSED = {
    "empty": "no voxel of the mask is set",
    "NaN inside": "not finite",
    "NaN 2 mm outside": "not finite",
    "inf inside": "not finite",
    "mask shifted 3 mm": "must have one shape",
    "sheared directions": "not orthonormal",
    "directions of length 1.1": "not orthonormal",
}
MEASURED = {"normal": 0, "one voxel": 65, "one slice": 2, "flat": 10}
"""Features without a value of those that can be measured in part."""


def test_every_case_of_the_table_is_here() -> None:
    """The command and this test know the same cases."""
    assert set(cases()) == REFUSED.keys() | MEASURED.keys()


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_measured_is_refused(case: str) -> None:
    """A typed error that names what is wrong."""
    with pytest.raises(EngineError, match=REFUSED[case]):
        measure_here(cases()[case])


@pytest.mark.parametrize("case", MEASURED)
def test_what_can_be_measured_in_part_says_why_not_all(case: str) -> None:
    """NaN with a reason, and a reason only with NaN."""
    found = measure_here(cases()[case])
    without = {name for name, value in found.items() if not math.isfinite(value)}
    assert without == {name for name in found if REASON in name}
    assert len(without) == MEASURED[case]
