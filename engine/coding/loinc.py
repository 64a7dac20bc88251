"""LOINC concepts (scheme LN) that name documents and procedures."""

from pydicom.sr.coding import Code

SCHEME = "LN"

CT_PROCEDURE = Code("25045-6", SCHEME, "CT unspecified body region")
DIAGNOSTIC_IMAGING_REPORT = Code("18748-4", SCHEME, "Diagnostic Imaging Report")
