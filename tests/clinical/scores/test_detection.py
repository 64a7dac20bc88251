"""aMAP and GALAD."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from engine.values.prognosis import Score
from tests.phantoms.clinical_records import make_score

Compute = Callable[..., Score]


@given(age=st.floats(18, 90), more=st.floats(0.1, 20))
def test_amap_rises_with_age_and_male_sex_and_falls_with_platelets(age: float, more: float) -> None:
    base = {"age": age, "sex": "female", "bilirubin_total": 15.0, "albumin": 42.0}
    value = make_score("aMAP", **base, platelets=200.0).value
    assert value is not None
    assert make_score("aMAP", **(base | {"age": age + more}), platelets=200.0).value > value
    assert make_score("aMAP", **(base | {"sex": "male"}), platelets=200.0).value > value
    assert make_score("aMAP", **base, platelets=200.0 + more).value < value


def test_galad_at_its_cut_off(score: Compute) -> None:
    low = score("GALAD", age=40.0, sex="female", afp=2.0, afp_l3=0.5, pivka_ii=15.0)
    high = score("GALAD", age=65.0, sex="male", afp=100.0, afp_l3=10.0, pivka_ii=200.0)
    assert low.category == "at or below −0.63, with DCP in mAU/mL"
    assert high.category == "above −0.63, with DCP in mAU/mL"


def test_galad_without_afp_is_refused_by_name(score: Compute) -> None:
    result = score("GALAD", age=65.0, sex="male", afp_l3=10.0, pivka_ii=200.0)
    assert (result.value, result.category, result.missing) == (None, "", ("afp",))
