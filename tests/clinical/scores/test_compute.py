"""The set of scores of one patient."""

from datetime import date

from engine.clinical.analytes import ANALYTES
from engine.clinical.scores.compute import compute_scores
from engine.clinical.scores.inputs import IMAGE_UNITS
from engine.clinical.scores.table import SCORES, find_score
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity
from tests.phantoms.clinical_records import make_burden, make_record

EXPECTED = {
    "ALBI", "mALBI", "PALBI", "MELD", "MELD-Na", "MELD 3.0", "Child-Pugh", "FIB-4", "APRI",
    "NLR", "PLR", "aMAP", "GALAD", "Tumor burden score", "Milan criteria", "UCSF criteria",
    "Up-to-seven criteria", "Metroticket 2.0 criteria", "AFP model", "MoRAL", "RETREAT", "HAP",
    "CLIP", "Okuda", "JIS", "BCLC 2022", "CNLC", "AJCC TNM 8", "HKLC", "ERASL-pre",
    "ERASL-post", "ERS", "EROM (log-hazard index)", "POLAR-HCC (log-hazard index)",
}  # fmt: skip


def test_every_score_of_the_list_is_registered_once() -> None:
    assert {definition.name for definition in SCORES} == EXPECTED
    assert len(SCORES) == len(EXPECTED)


def test_every_need_is_a_known_input() -> None:
    for definition in SCORES:
        for need in (*definition.needs, *definition.optional):
            assert need in ANALYTES or need in IMAGE_UNITS, (definition.name, need)


def test_unconfirmed_scores_are_off_by_default() -> None:
    default = {score.name for score in compute_scores(None, None)}
    assert default == {d.name for d in SCORES if d.confirmed}
    assert EXPECTED - default == {"MoRAL", "HKLC", "ERASL-pre", "ERASL-post"}


def test_without_any_input_every_score_is_refused_by_name() -> None:
    for score in compute_scores(None, None, include_unconfirmed=True):
        assert score.value is None
        assert score.category == ""
        assert score.missing
        assert all(given.value is None for given in score.inputs)


def test_age_and_sex_come_from_the_header_when_the_record_has_none() -> None:
    patient = PatientIdentity(patient_id="1", patient_birth_date="19500301", patient_sex="M")
    record = make_record(afp=100.0, afp_l3=10.0, pivka_ii=200.0)
    galad = next(s for s in compute_scores(record, None, patient) if s.name == "GALAD")
    given = {i.name: (i.value, i.source) for i in galad.inputs}
    assert given["age"] == (74.0, "DICOM header")
    assert given["sex"] == ("male", "DICOM header")


def test_a_birthday_not_yet_reached_does_not_count() -> None:
    patient = PatientIdentity(patient_id="1", patient_birth_date="19500302", patient_sex="M")
    record = ClinicalRecord(reference_date=date(2024, 3, 1))
    fib4 = next(s for s in compute_scores(record, None, patient) if s.name == "FIB-4")
    assert next(i.value for i in fib4.inputs if i.name == "age") == 73.0


def test_every_score_says_where_it_comes_from_and_for_whom() -> None:
    for score in compute_scores(None, make_burden(1, 20.0), include_unconfirmed=True):
        assert score.citation
        assert score.population
        assert score.unit == "1"


def test_scores_are_found_by_a_loosely_written_name() -> None:
    for typed, name in (("albi", "ALBI"), ("meld 3.0", "MELD 3.0"), ("fib4", "FIB-4")):
        found = find_score(typed)
        assert found is not None
        assert found.name == name
    assert find_score("SCORE OF NOBODY") is None
