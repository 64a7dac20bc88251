"""Every score HepatoCast knows, in the order in which reports show them."""

from engine.clinical.scores.blood_ratios import APRI, FIB4, NLR, PLR
from engine.clinical.scores.definition import ScoreDefinition
from engine.clinical.scores.detection import AMAP, GALAD
from engine.clinical.scores.liver_function import ALBI, CHILD_PUGH, MALBI, PALBI
from engine.clinical.scores.meld import MELD, MELD_3, MELD_NA
from engine.clinical.scores.recurrence import ERASL_POST, ERASL_PRE, EROM, ERS, POLAR_HCC
from engine.clinical.scores.stages import BCLC, CNLC, HKLC, TNM
from engine.clinical.scores.staging import CLIP, HAP, JIS, OKUDA
from engine.clinical.scores.transplantation import AFP_MODEL, METROTICKET, MORAL, RETREAT
from engine.clinical.scores.tumor_burden import MILAN, TUMOR_BURDEN_SCORE, UCSF, UP_TO_SEVEN

SCORES: tuple[ScoreDefinition, ...] = (
    ALBI,
    MALBI,
    PALBI,
    CHILD_PUGH,
    MELD,
    MELD_NA,
    MELD_3,
    FIB4,
    APRI,
    NLR,
    PLR,
    AMAP,
    GALAD,
    TUMOR_BURDEN_SCORE,
    MILAN,
    UCSF,
    UP_TO_SEVEN,
    METROTICKET,
    AFP_MODEL,
    MORAL,
    RETREAT,
    BCLC,
    CNLC,
    TNM,
    HKLC,
    CLIP,
    OKUDA,
    JIS,
    HAP,
    ERASL_PRE,
    ERASL_POST,
    ERS,
    EROM,
    POLAR_HCC,
)
"""The explicit registry."""


def find_score(name: str) -> ScoreDefinition | None:
    """Find a score by name; case, blanks and hyphens do not matter ("meld 3.0", "fib4")."""
    wanted = _folded(name)
    return next((score for score in SCORES if _folded(score.name) == wanted), None)


def _folded(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum() or c == ".")
