"""Every concept is held against pydicom's copy of PS3.16, never against itself."""

import importlib

import pytest
from pydicom.sr.coding import Code

from engine.coding import ibsi, own, ucum
from tests.phantoms.conformance import judge_code

PUBLIC_ROOMS = ("snomed", "dicom", "loinc")


def concepts_of(room: str) -> list[Code]:
    module = importlib.import_module(f"engine.coding.{room}")
    found: list[Code] = []
    for value in vars(module).values():
        members = value if isinstance(value, tuple) and not isinstance(value, Code) else (value,)
        found += [member for member in members if isinstance(member, Code)]
    return found


@pytest.mark.parametrize("room", PUBLIC_ROOMS)
def test_every_public_concept_is_in_the_standard_with_its_meaning(room: str) -> None:
    concepts = concepts_of(room)
    assert len(concepts) >= 2
    assert {code: judge_code(code) for code in concepts if judge_code(code) != "ok"} == {}


def test_every_ibsi_code_carries_the_meaning_of_the_standard() -> None:
    concepts = [ibsi.find_feature(code) for code in ibsi.MEANINGS]
    assert len(concepts) == 147
    assert {c for c in concepts if c is None or judge_code(c) != "ok"} == set()


def test_a_feature_outside_dicom_has_no_concept() -> None:
    assert ibsi.find_feature("ZZZZ") is None


@pytest.mark.parametrize(
    "symbol", ["mm", "mm2", "mm3", "cm3", "cm", "1", "%", "[hnsf'U]", "mo", "a"]
)
def test_a_listed_unit_has_the_meaning_of_the_standard(symbol: str) -> None:
    assert judge_code(ucum.unit(symbol)) == "ok"


def test_an_unlisted_unit_is_its_own_meaning() -> None:
    assert ucum.unit("g/dL") == Code("g/dL", "UCUM", "g/dL")


def test_private_code_values_are_unique_and_fit_their_attribute() -> None:
    concepts = concepts_of("own")
    assert len({c.value for c in concepts}) == len(concepts)
    assert all(len(c.value) <= 16 and len(c.meaning) <= 64 for c in concepts)


def test_a_run_time_name_becomes_a_legal_private_code() -> None:
    assert own.named("ALBI-PLT", "ALBI-PLT score") == Code(
        "ALBIPLT", "99HEPATOCAST", "ALBI-PLT score"
    )


def test_long_names_with_one_beginning_stay_apart() -> None:
    codes = {own.named(f"Local intensity peak in ring {n} mm", "peak").value for n in (5, 10, 15)}
    assert len(codes) == 3
    assert all(len(value) == 16 for value in codes)
