"""The patient of the images."""

from pydicom.dataset import Dataset

from dicom_node.clinical_source.patient_header import read_patient


def test_what_the_images_leave_empty_stays_empty() -> None:
    header = Dataset()
    header.PatientID = " 4711 "
    header.PatientSex = ""
    patient = read_patient(header)
    assert patient.patient_id == "4711"
    assert (patient.issuer_of_patient_id, patient.patient_birth_date, patient.patient_sex) == (
        "",
        "",
        "",
    )


def test_the_images_issuer_wins_over_the_assumed_one() -> None:
    header = Dataset()
    header.PatientID, header.IssuerOfPatientID = "1", "HOSP_B"
    assert read_patient(header, "HOSP_A").issuer_of_patient_id == "HOSP_B"
    del header.IssuerOfPatientID
    assert read_patient(header, "HOSP_A").issuer_of_patient_id == "HOSP_A"
