"""Identities keep patients out of logs."""

from datetime import date

from engine.values.identity import PatientIdentity, StudyIdentity

PATIENT = PatientIdentity(patient_id="MRN-77", patient_name="Doe^Jane", patient_sex="F")


def test_a_patient_does_not_print_herself() -> None:
    assert repr(PATIENT) == "PatientIdentity()"


def test_a_study_prints_its_uid_only() -> None:
    study = StudyIdentity(study_instance_uid="1.2.3", patient=PATIENT, study_date="20260102")
    assert repr(study) == "StudyIdentity(study_instance_uid='1.2.3')"


def test_the_study_day_is_a_date_or_none() -> None:
    dated = StudyIdentity(study_instance_uid="1", patient=PATIENT, study_date="20260102")
    assert dated.day == date(2026, 1, 2)
    for text in ("", "2026", "20261301", "00000000"):
        undated = StudyIdentity(study_instance_uid="1", patient=PATIENT, study_date=text)
        assert undated.day is None
