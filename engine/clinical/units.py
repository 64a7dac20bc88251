"""Units to the analyte's canonical UCUM unit, by ucumvert and pint.

What a general unit library cannot know is added here, each rule with its source:

- Mass ↔ substance concentration by the analyte's molar mass (bilirubin 584.66 g/mol,
  creatinine 113.12 g/mol, albumin 66,437 g/mol of mature human serum albumin).
- AFP: 1 IU/mL is taken as 1.21 ng/mL, the factor assay inserts give for the WHO standard
  72/225; ng/mL and µg/L are the same number. Other assays differ by a few percent.
- Enzymes: IU/L is U/L (1 U = 1 µmol/min; the "international unit" of enzyme activity).
- Monovalent sodium: 1 meq is 1 mmol.
- PIVKA-II: mAU/mL (= arb'U/L) and ng/mL are different calibrations without an agreed factor
  and are never converted.
- Viral load: copies/mL depends on the assay and is never turned into IU/mL.
- Arbitrary units (``[IU]``, ``[arb'U]``) are dimensionless to a unit library; here they match
  only themselves (UCUM 2.1, §24: arbitrary units are not commensurable with any other unit).
"""

import re
import threading
from functools import lru_cache

from lark.exceptions import LarkError
from pint import DimensionalityError
from pint.errors import PintError
from pint.facets.plain import PlainQuantity
from ucumvert import PintUcumRegistry  # type: ignore[import-untyped]  # ships no stubs
from ucumvert.parser import InvalidUcumError  # type: ignore[import-untyped]  # ships no stubs

from engine.clinical.analyte import Analyte
from engine.errors import ClinicalDataError

AFP_NG_PER_IU = 1.21
_ENZYMES = frozenset({"alt", "ast", "ast_upper_limit", "ggt", "alp"})
_LOCK = threading.Lock()
"""A pint registry learns units as it meets them and is not made for several threads."""

_ATOM = re.compile(r"\[[^\]]+\]")

_SPELLINGS = {
    "": "1",
    "ratio": "1",
    "iu/ml": "[IU]/mL",
    "[iu]/ml": "[IU]/mL",
    "kiu/l": "k[IU]/L",
    "iu/l": "[IU]/L",
    "u/l": "U/L",
    "mg/dl": "mg/dL",
    "g/dl": "g/dL",
    "g/l": "g/L",
    "gm/dl": "g/dL",
    "mg/l": "mg/L",
    "ng/ml": "ng/mL",
    "ug/l": "ug/L",
    "mcg/l": "ug/L",
    "umol/l": "umol/L",
    "mmol/l": "mmol/L",
    "meq/l": "meq/L",
    "mau/ml": "[arb'U]/L",
    "au/l": "[arb'U]/L",
    "au/ml": "[arb'U]/mL",
    "k/ul": "10*3/uL",
    "thou/ul": "10*3/uL",
    "10^3/ul": "10*3/uL",
    "x10^3/ul": "10*3/uL",
    "x10e3/ul": "10*3/uL",
    "10e3/ul": "10*3/uL",
    "10^9/l": "10*9/L",
    "x10^9/l": "10*9/L",
    "x10e9/l": "10*9/L",
    "10e9/l": "10*9/L",
    "/ul": "/uL",
    "cells/ul": "/uL",
    "/mm3": "/mm3",
    "10^4/ul": "10*4/uL",
    "x10^4/ul": "10*4/uL",
    "copies/ml": "{copies}/mL",
    "sec": "s",
    "seconds": "s",
    "years": "a",
    "year": "a",
    "yr": "a",
    "y": "a",
    "percent": "%",
}
"""Spellings laboratories use that are not UCUM, folded to lower case; nothing else is guessed."""


def to_canonical(value: float, unit: str, analyte: Analyte) -> float:
    """Convert a value to the analyte's canonical unit.

    Args:
        value: Finite number in ``unit``.
        unit: UCUM unit, or one of the known laboratory spellings.
        analyte: Decides the target unit and the analyte-aware rules.

    Returns:
        The number in ``analyte.unit``.

    Raises:
        ClinicalDataError: The unit is unknown or cannot be converted for this analyte.
    """
    return value * factor_to_canonical(unit, analyte)


def factor_to_canonical(unit: str, analyte: Analyte) -> float:
    """Multiplier from ``unit`` to the analyte's canonical unit (see ``to_canonical``)."""
    with _LOCK:
        return _factor(ucum(unit), analyte.key, analyte.unit, analyte.molar_mass_g_mol)


def from_canonical(value: float, unit: str, analyte: Analyte) -> float:
    """Convert a value in the analyte's canonical unit to another unit (inverse)."""
    return value / factor_to_canonical(unit, analyte)


@lru_cache(maxsize=512)
def ucum(unit: str) -> str:
    """UCUM spelling of a unit as laboratories write it; unknown spellings pass unchanged."""
    text = unit.strip().replace("µ", "u").replace("μ", "u").replace("²", "2").replace("³", "3")
    text = text.replace("×", "x").replace(" ", "")
    if text.startswith("{") and text.endswith("}") and text.count("{") == 1:
        return "1"
    return _SPELLINGS.get(text.lower(), text)


@lru_cache(maxsize=512)
def _factor(unit: str, key: str, canonical: str, molar_mass: float | None) -> float:
    if unit == canonical:
        return 1.0
    if key == "afp" and "[IU]" in unit:
        return AFP_NG_PER_IU * _ratio(unit, "[IU]/mL", key)
    if key in _ENZYMES:
        unit = unit.replace("[IU]", "U")
    if key == "sodium":
        unit = unit.replace("meq", "mmol")
    if _arbitrary(unit) != _arbitrary(canonical) or ("{" in unit) != ("{" in canonical):
        raise _refusal(unit, canonical, key)
    if molar_mass is not None:
        return _ratio_through_mass(unit, canonical, key, molar_mass)
    return _ratio(unit, canonical, key)


def _ratio_through_mass(unit: str, canonical: str, key: str, molar_mass: float) -> float:
    """Ratio of two units, going from mass to substance (or back) where needed."""
    source, target = _quantity(unit, canonical, key), _quantity(canonical, canonical, key)
    per_mole = molar_mass * _quantity("g/mol", canonical, key)
    for bridged in (source, source / per_mole, source * per_mole):
        if bridged.is_compatible_with(target):
            return _magnitude(bridged, target)
    raise _refusal(unit, canonical, key)


def _ratio(unit: str, canonical: str, key: str) -> float:
    source, target = _quantity(unit, canonical, key), _quantity(canonical, canonical, key)
    try:
        return _magnitude(source, target)
    except DimensionalityError:
        raise _refusal(unit, canonical, key) from None


def _magnitude(source: "PlainQuantity[float]", target: "PlainQuantity[float]") -> float:
    """Ratio to 12 significant digits, so that 1 µg/L is 1 ng/mL and not 0.99…9."""
    return float(f"{float(source.to(target.units).magnitude / target.magnitude):.12g}")


def _quantity(unit: str, canonical: str, key: str) -> "PlainQuantity[float]":
    try:
        quantity: PlainQuantity[float] = 1.0 * _registry().from_ucum(unit)
    except (InvalidUcumError, LarkError, PintError):  # unreadable; a temperature scale
        raise _refusal(unit, canonical, key) from None
    return quantity


@lru_cache(maxsize=1)
def _registry() -> PintUcumRegistry:
    return PintUcumRegistry()


def _arbitrary(unit: str) -> frozenset[str]:
    return frozenset(_ATOM.findall(unit))


def _refusal(unit: str, canonical: str, key: str) -> ClinicalDataError:
    return ClinicalDataError(
        f"Unit '{unit}' of {key} cannot be converted to {canonical}; "
        "give a UCUM unit of the same kind"
    )
