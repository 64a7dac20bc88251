"""LOINC concepts (scheme LN) that name documents and procedures."""

from pydicom.sr.coding import Code

SCHEME = "LN"

CT_PROCEDURE = Code("25045-6", SCHEME, "CT unspecified body region")
DIAGNOSTIC_IMAGING_REPORT = Code("18748-4", SCHEME, "Diagnostic Imaging Report")

MOLAR = {"1975-2": "14631-6", "2160-0": "14682-9"}
"""Mass concentration → substance concentration of the same analyte (bilirubin, creatinine)."""
