"""Headers of the demo's CT images."""

import numpy as np

from engine.demo.headers import phantom_uid, stored_values, study_header


def test_uids_depend_on_their_parts_only() -> None:
    assert phantom_uid("a", 1) == phantom_uid("a", 1)
    assert phantom_uid("a", 1) != phantom_uid("a", 2)
    assert phantom_uid("a").startswith("2.25.")
    assert phantom_uid("a").is_valid


def test_another_phantom_is_another_patient_in_another_study() -> None:
    first, second = study_header("one"), study_header("two")
    assert first.PatientID != second.PatientID
    assert first.StudyInstanceUID != second.StudyInstanceUID


def test_hounsfield_units_are_stored_in_twelve_bits() -> None:
    hu = np.array([-2000, -1024, 0, 3071, 4000], np.int16)
    assert stored_values(hu).tolist() == [0, 0, 1024, 4095, 4095]
