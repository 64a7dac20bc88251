"""Bilirubin and creatinine back in mg/dL, the unit in which many scores print their cut-offs."""

from engine.clinical.analytes import ANALYTES
from engine.clinical.units import from_canonical


def bilirubin_mg_dl(umol_l: float) -> float:
    """Total bilirubin in mg/dL (584.66 g/mol), to 9 decimals so that cut-offs stay exact."""
    return round(from_canonical(umol_l, "mg/dL", ANALYTES["bilirubin_total"]), 9)


def creatinine_mg_dl(umol_l: float) -> float:
    """Creatinine in mg/dL (113.12 g/mol), to 9 decimals so that cut-offs stay exact."""
    return round(from_canonical(umol_l, "mg/dL", ANALYTES["creatinine"]), 9)
