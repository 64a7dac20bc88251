"""The analytes HepatoCast understands: codes, canonical units, plausibility, age limits.

Codes come from LOINC and SNOMED CT. Where no standard code could be confirmed, the private
scheme ``99HEPATOCAST`` is used instead of a guess; mapping files translate a site's own codes.

Plausibility ranges are wide on purpose: they catch wrong units, slipped decimals and swapped
columns, not sick patients.
"""

from functools import lru_cache

from engine.clinical.analyte import ABSENT, LOINC, PRIVATE, SNOMED_CT, YES_NO, Analyte, loinc
from engine.clinical.laboratory import LABORATORY

_PATIENT = (
    Analyte(
        key="age",
        name="Age",
        code="30525-0",
        unit="a",
        high=125.0,
        reason="older than anyone has become",
        age_limit_days=366,
    ),
    Analyte(key="sex", name="Sex", code="46098-0", unit="1", words=("female", "male")),
    Analyte(
        key="ecog",
        name="ECOG performance status",
        code="89247-1",
        unit="1",
        words=("0", "1", "2", "3", "4"),
        age_limit_days=90,
    ),
)


def _finding(key: str, name: str, code: str, words: tuple[str, ...], days: int | None) -> Analyte:
    return Analyte(
        key=key, name=name, code=code, code_system=SNOMED_CT, words=words, age_limit_days=days
    )


def _private(key: str, name: str, words: tuple[str, ...], days: int | None) -> Analyte:
    code = key.upper().replace("_", "-")
    return Analyte(
        key=key, name=name, code=code, code_system=PRIVATE, words=words, age_limit_days=days
    )


_CONDITION = (
    _finding("ascites", "Ascites", "389026000", (ABSENT, "slight", "moderate"), 90),
    _finding(
        "encephalopathy",
        "Hepatic encephalopathy",
        "13920009",
        (ABSENT, "grade 1-2", "grade 3-4"),
        90,
    ),
    _finding("cirrhosis", "Cirrhosis", "19943007", YES_NO, None),
    _finding("portal_hypertension", "Portal hypertension", "34742003", YES_NO, 730),
    _private("child_pugh_class", "Child-Pugh class as recorded", ("A", "B", "C"), 90),
    _private("previous_treatment", "Previous treatment of the tumor", YES_NO, None),
    _private("macrovascular_invasion", "Macrovascular invasion", YES_NO, 90),
    _private("portal_vein_thrombosis", "Portal vein tumor thrombosis", YES_NO, 90),
    _private("major_branch_invasion", "Invasion of a major portal/hepatic vein", YES_NO, 90),
    _private("adjacent_organ_invasion", "Invasion of adjacent organs", YES_NO, 90),
    _private("lymph_node_metastasis", "Regional lymph node metastasis", YES_NO, 90),
    _private("distant_metastasis", "Distant metastasis", YES_NO, 90),
    _private("extrahepatic_spread", "Extrahepatic spread (nodal or distant)", YES_NO, 90),
    _private("infiltrative_growth", "Infiltrative appearance", YES_NO, 90),
    _private("low_arterial_enhancement", "Arterial enhancement below 50 %", YES_NO, 90),
)

_OPERATION = (
    Analyte(
        key="surgery_date",
        name="Date of liver resection",
        code="107963000",
        code_system=SNOMED_CT,
        unit="1",
        words=("done",),
    ),
    Analyte(
        key="margin",
        name="Resection margin",
        code="396631001",
        code_system=SNOMED_CT,
        words=("R0", "R1", "R2"),
    ),
    Analyte(
        key="microvascular_invasion",
        name="Microvascular invasion",
        code="371512006",
        code_system=SNOMED_CT,
        further_codes=loinc("59544-7"),
        words=YES_NO,
    ),
    _private("satellite_nodules", "Satellite nodules", YES_NO, None),
    Analyte(
        key="differentiation",
        name="Differentiation",
        code="371469007",
        code_system=SNOMED_CT,
        words=("well", "moderate", "poor", "undifferentiated"),
    ),
    _private("capsule", "Tumor capsule", YES_NO, None),
    _private("large_tumor", "Large tumor in the sense of POLAR-HCC", YES_NO, None),
    Analyte(
        key="explant_largest_viable",
        name="Largest viable tumor on explant",
        code="EXPLANT-LARGEST-VIABLE",
        code_system=PRIVATE,
        unit="cm",
        high=40.0,
        reason="larger than a liver",
    ),
    Analyte(
        key="explant_viable_number",
        name="Viable tumors on explant",
        code="EXPLANT-VIABLE-NUMBER",
        code_system=PRIVATE,
        high=500.0,
        reason="not a count of tumors",
    ),
)

ANALYTES: dict[str, Analyte] = {
    analyte.key: analyte
    for analyte in (
        *LABORATORY,
        *_PATIENT,
        *_CONDITION,
        *_OPERATION,
    )
}
"""Every analyte by key."""


@lru_cache(maxsize=1)
def _by_code() -> dict[tuple[str, str], Analyte]:
    table: dict[tuple[str, str], Analyte] = {}
    for analyte in ANALYTES.values():
        table[analyte.code_system, analyte.code] = analyte
        for pair in analyte.further_codes:
            table[pair] = analyte
    return table


def find_analyte(code: str, code_system: str = "") -> Analyte | None:
    """Find an analyte by its key, or by a code in a code system.

    Args:
        code: Analyte key ("afp") or a code ("1834-1").
        code_system: "LN" or "SCT"; empty means a key, then LOINC, then SNOMED CT.

    Returns:
        The analyte, or None when HepatoCast does not know the code.
    """
    if code_system:
        return _by_code().get((code_system, code))
    if code in ANALYTES:
        return ANALYTES[code]
    table = _by_code()
    return table.get((LOINC, code)) or table.get((SNOMED_CT, code)) or table.get((PRIVATE, code))
