"""Concepts that no public scheme has, under HepatoCast's private scheme 99HEPATOCAST.

A private code is written only together with its Coding Scheme Identification item
(PS3.3 C.12.1.1.1), so that a receiver can tell who defined it.
"""

import re
import zlib

from pydicom.sr.coding import Code

SCHEME = "99HEPATOCAST"
SCHEME_NAME = "HepatoCast private coding scheme"
MAXIMUM_CODE_VALUE = 16

CAPSULE_DISTANCE = Code("DISTCAPSULE", SCHEME, "Distance to liver capsule")
TUMOR_BURDEN_SCORE = Code("TBS", SCHEME, "Tumor burden score")
TUMOR_FRACTION = Code("TUMORFRACTION", SCHEME, "Tumor volume per liver volume")
SUM_OF_DIAMETERS = Code("SUMDIAMETERS", SCHEME, "Sum of longest lesion diameters")
LARGEST_DIAMETER = Code("LARGESTDIAMETER", SCHEME, "Largest lesion diameter")
TUMOR_VOLUME = Code("TUMORVOLUME", SCHEME, "Total tumor volume")
LIVER_VOLUME = Code("LIVERVOLUME", SCHEME, "Liver volume, tumors included")
WITHIN_MILAN = Code("MILAN", SCHEME, "Within Milan criteria by size and number")
WITHIN_UCSF = Code("UCSF", SCHEME, "Within UCSF criteria by size and number")
WITHIN_UP_TO_SEVEN = Code("UPTOSEVEN", SCHEME, "Within up-to-seven criterion")
RESEARCH_USE = Code("RESEARCHUSE", SCHEME, "Research use statement")
MODEL_CHECKSUM = Code("MODELSHA256", SCHEME, "Model package SHA-256")
NOT_ANALYZED = Code("NOTANALYZED", SCHEME, "Not analyzed")
LIMITATION = Code("LIMITATION", SCHEME, "Limitation")
WARNING = Code("WARNING", SCHEME, "Warning")
RISK_GROUP = Code("RISKGROUP", SCHEME, "Predicted risk group")
AGGREGATION = Code("AGGREGATION", SCHEME, "IBSI feature aggregation")
LOWER_BOUND = Code("LOWERBOUND", SCHEME, "Lower bound of the interval")
UPPER_BOUND = Code("UPPERBOUND", SCHEME, "Upper bound of the interval")
INTERVAL_KIND = Code("INTERVALKIND", SCHEME, "Kind of interval")
EVENT_FREE = Code("EVENTFREE", SCHEME, "Predicted event-free probability")
OUTCOME = Code("OUTCOME", SCHEME, "Predicted outcome")
TIME_HORIZON = Code("TIMEHORIZON", SCHEME, "Time horizon of the prediction")
LINEAR_PREDICTOR = Code("LINEARPREDICTOR", SCHEME, "Linear predictor, higher is higher risk")
PERCENTILE = Code("PERCENTILE", SCHEME, "Percentile in the development cohort")
PREDICTOR = Code("PREDICTOR", SCHEME, "Predictor of the model")
EFFECT = Code("EFFECT", SCHEME, "Effect on the linear predictor")
VALUE_SOURCE = Code("VALUESOURCE", SCHEME, "Source of the value")
IMPUTED = Code("IMPUTED", SCHEME, "Filled in by a declared policy")
REGION = Code("REGION", SCHEME, "Region of the features")
SCORE_CLASS = Code("SCORECLASS", SCHEME, "Score class")


def named(name: str, meaning: str) -> Code:
    """A private concept for something named at run time: a score, a feature.

    Args:
        name: Name to derive the code value from; letters and digits are kept, and a name
            that does not fit the 16 characters of an SH ends in its checksum instead.
        meaning: Code Meaning, cut to the 64 characters of an LO.
    """
    value = re.sub(r"[^A-Z0-9]", "", name.upper())
    if not 1 <= len(value) <= MAXIMUM_CODE_VALUE:
        value = f"{value[:8]}{zlib.crc32(name.encode()):08X}"
    return Code(value, SCHEME, meaning[:64])
