"""HepatoCast: liver CT analysis and prognosis, from DICOM to DICOM."""
