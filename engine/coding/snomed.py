"""SNOMED CT concepts (scheme SCT, PS3.16 chapter 8)."""

from pydicom.sr.coding import Code

SCHEME = "SCT"

ANATOMICAL_STRUCTURE = Code("91723000", SCHEME, "Anatomical Structure")
MORPHOLOGICALLY_ABNORMAL = Code("49755003", SCHEME, "Morphologically Abnormal Structure")
LIVER = Code("10200004", SCHEME, "Liver")
NEOPLASM = Code("108369006", SCHEME, "Neoplasm")

FINDING_SITE = Code("363698007", SCHEME, "Finding Site")
MEASUREMENT_METHOD = Code("370129005", SCHEME, "Measurement Method")
SOURCE = Code("260753009", SCHEME, "Source (attribute)")

VOLUME = Code("118565006", SCHEME, "Volume")
LONG_AXIS = Code("103339001", SCHEME, "Long axis")
SHORT_AXIS = Code("103340004", SCHEME, "Short axis")
DIAMETER = Code("81827009", SCHEME, "Diameter")
NUMBER_OF_LESIONS = Code("246206008", SCHEME, "Number of lesions (observable entity)")
SCORE = Code("246262008", SCHEME, "Score (attribute)")

MAXIMUM = Code("56851009", SCHEME, "Maximum")
MEAN = Code("373098007", SCHEME, "Mean")
TOTAL = Code("255619001", SCHEME, "Total")

YES = Code("373066001", SCHEME, "Yes")
NO = Code("373067005", SCHEME, "No")
UNDETERMINED = Code("373068000", SCHEME, "Undetermined")
PRESENT = Code("52101004", SCHEME, "Present")
ABSENT = Code("272519000", SCHEME, "Absent")


def body_structure(value: str, meaning: str) -> Code:
    """A segment's property code as its model package declares it."""
    return Code(value, SCHEME, meaning)
