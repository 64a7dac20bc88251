"""The DICOM node: a PACS routes a study, the report comes back, nothing is ever lost."""
