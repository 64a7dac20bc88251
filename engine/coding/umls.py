"""The one UMLS concept that TID 1500 itself uses."""

from pydicom.sr.coding import Code

SCHEME = "UMLS"

QUALITATIVE_EVALUATIONS = Code("C0034375", SCHEME, "Qualitative Evaluations")
