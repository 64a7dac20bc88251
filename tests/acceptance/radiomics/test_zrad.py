"""Must show 3 of the radiomics issue: z-rad's values of real lesions, to 1e-6.

z-rad's values were recorded by ``python -m tests.benchmarks.radiomics_agreement --record``, which
also compares live; the images stay in ../shared.
"""

import json
from pathlib import Path

import pytest

from tests.phantoms.real_lesions import CASES, compare, lesions, measure

RECORDED = Path(__file__).parents[2] / "phantoms" / "zrad_reference" / "lesions.json"
FEATURES = 210


def test_the_record_says_what_made_it() -> None:
    """Version of z-rad and the command; every lesion with every feature."""
    record = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert record["z-rad"] == "26.9.0"
    assert "--record" in record["made_by"]
    assert len(record["lesions"]) == 8
    assert {len(values) for values in record["lesions"].values()} == {FEATURES}


@pytest.mark.parametrize("case", CASES)
def test_every_feature_of_every_lesion_agrees(case: str) -> None:
    """Both programs did all of it: resampling, re-segmentation, discretization, features."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))["lesions"]
    wanted = {name: values for name, values in recorded.items() if name.startswith(f"{case} ")}
    measured = {}
    for number, voxels, mask, spacing in lesions(case):
        measured[f"{case} {number}"] = measure(voxels, mask, spacing)
    assert set(measured) == set(wanted) != set()
    for name, ours in measured.items():
        shared, worse = compare(ours, wanted[name])
        assert shared == FEATURES
        assert worse == []
