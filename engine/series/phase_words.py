"""What the headers of a series say about its contrast phase.

Words of Series Description and Protocol Name in the languages scanners are run in, stated
delays ("70 s", "5 min"), and the time between the bolus and the acquisition.

Delays after the start of injection: late arterial 25–50 s, portal venous 55–100 s, delayed
120–900 s. They bracket the usual protocols (portal venous 60–80 s, delayed 2–5 min: LI-RADS
v2018, doi:10.1148/radiol.2018181494; physiology: Bae 2010, doi:10.1148/radiol.10090908); the
gaps between them are left undecided on purpose.
"""

import re
from dataclasses import dataclass

from pydicom.dataset import Dataset

from engine.series.attributes import decoded_text, item, text
from engine.series.grouping import SeriesGroup
from engine.values.identity import ContrastPhase

WORDS: tuple[tuple[ContrastPhase, str], ...] = (
    (
        ContrastPhase.NON_CONTRAST,
        r"non[- _]?contrast|non[- _]?con|un-?enhanced|w/?o( contrast)?|without( iv)? contrast|"
        r"plain|pre[- _]?contrast|nativ\w*|ohne km|sans (injection|contraste|pdc|iv)|"
        r"sin (contraste|civ)|sem contraste|senza (mdc|contrasto)|basale?|blanco|"
        r"bez kontrastu|平扫|平掃|単純|單純",
    ),
    (
        ContrastPhase.LATE_ARTERIAL,
        r"(late[- _]?|spät)?(arterial|arteriell\w*|art[ée]riel\w*|arteriosa|arteriale?|"
        r"arterieel|art)|h?ap|hepatic artery|t[ęe]tnicz\w*|动脉|動脈",
    ),
    (
        ContrastPhase.PORTAL_VENOUS,
        r"(porto?[- _]?(portal)?[- _]?)?(venous|venös\w*|veineu\w*|venos[ao]|veneus)|"
        r"portal\w*|porta|pvp?|ven|[żz]yln\w*|wrotn\w*|门脉|門脈|静脉|静脈",
    ),
    (
        ContrastPhase.DELAYED,
        r"delay(ed)?|late( phase)?|equilibrium|équilibre|spät(phase)?|tardi[fvaeo]\w*|"
        r"tard[ií][ao]|excretory|excret\w*|late veneus|opó[źz]nion\w*|平衡|延迟|延遲|遅延",
    ),
)
EARLY_ARTERIAL = re.compile(r"early[- _]?art\w*|früharteriell\w*|\b(cta|angio)\b", re.IGNORECASE)
SECONDS = re.compile(r"(?<![\d.,])(\d{2,3}) ?(?:s|sec|secs|seconds|sek|秒)(?![a-z0-9])", re.I)
MINUTES = re.compile(r"(?<![\d.,])(\d{1,2}) ?(?:min|mins|minutes|minuten|分)(?![a-z0-9])", re.I)
DELAYS_S: tuple[tuple[ContrastPhase, float, float], ...] = (
    (ContrastPhase.LATE_ARTERIAL, 25, 50),
    (ContrastPhase.PORTAL_VENOUS, 55, 100),
    (ContrastPhase.DELAYED, 120, 900),
)
NO_AGENT_WORDS = frozenset(("NO", "NONE", "N", "0", "WITHOUT", "NON"))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderPhase:
    """What the header says.

    Attributes:
        phase: The one phase all statements agree on; UNKNOWN when silent or contradictory.
        is_contradictory: Statements name different phases, or one that is none of ours.
        evidence: Every statement found.
    """

    phase: ContrastPhase
    is_contradictory: bool
    evidence: dict[str, str | float | None]


def read_header_phase(group: SeriesGroup) -> HeaderPhase:
    """Collect the header's statements and see whether they name one phase."""
    header = group.planes[0].instance.header
    named: dict[str, ContrastPhase] = {}
    evidence: dict[str, str | float | None] = {}
    early = False
    for keyword in ("SeriesDescription", "ProtocolName", "AcquisitionProtocolName"):
        words = decoded_text(header, keyword)
        early = early or bool(EARLY_ARTERIAL.search(words))
        phases = phases_named(words)
        for phase in phases:
            named[f"{keyword} names {phase}"] = phase
        if phases:
            break  # a protocol name serves all scans of a visit; the description is closer
    delay = bolus_delay_s(header)
    if delay is not None:
        evidence["header: seconds after bolus"] = delay
        phase_of_delay = phase_at(delay)
        if phase_of_delay is not None:
            named[f"delay of {delay:.0f} s"] = phase_of_delay
    agent = _agent(header)
    evidence["header: contrast agent stated"] = "yes" if agent else "no"
    for statement, phase in named.items():
        evidence[f"header: {statement}"] = phase.value
    agreed = set(named.values())
    if early:
        evidence["header: early arterial or angiography"] = "none of the phases"
    contradictory = early or len(agreed) > 1
    if agreed == {ContrastPhase.NON_CONTRAST} and agent:
        # one protocol name serves all scans of a visit, so an agent alone proves little
        evidence["header: non-contrast, though an agent is stated"] = agent
    decided = ContrastPhase.UNKNOWN if contradictory or not agreed else next(iter(agreed))
    return HeaderPhase(phase=decided, is_contradictory=contradictory, evidence=evidence)


def phases_named(words: str) -> tuple[ContrastPhase, ...]:
    """The phases that a description names in words, or by a delay in seconds or minutes."""
    found = []
    rest = words.lower().replace("_", " ")
    for phase, pattern in WORDS:
        rest, count = re.subn(_bounded(pattern), " ", rest)
        if count:
            found.append(phase)
    seconds = [float(match[1]) for match in SECONDS.finditer(words)]
    seconds += [60 * float(match[1]) for match in MINUTES.finditer(words)]
    if not found:
        found = [phase for phase in map(phase_at, seconds) if phase is not None]
    return tuple(dict.fromkeys(found))


def phase_at(delay_s: float) -> ContrastPhase | None:
    """The phase a delay after the start of injection stands for; None between phases."""
    return next((phase for phase, low, high in DELAYS_S if low <= delay_s <= high), None)


def bolus_delay_s(header: Dataset) -> float | None:
    """Seconds from Contrast/Bolus Start Time to Acquisition Time, 0 to 1800; else None."""
    start = time_of_day_s(text(header, "ContrastBolusStartTime"))
    acquired = time_of_day_s(text(header, "AcquisitionTime"))
    if start is None or acquired is None:
        return None
    delay = acquired - start
    return delay if 0 < delay <= 1800 else None


def time_of_day_s(value: str) -> float | None:
    """Seconds since midnight of a DICOM TM (PS3.5 6.2); None when it is none."""
    match = re.fullmatch(r"(\d{2}):?(\d{2}):?(\d{2}(?:\.\d+)?)", value.strip())
    return 3600 * int(match[1]) + 60 * int(match[2]) + float(match[3]) if match else None


def _bounded(pattern: str) -> str:
    """Whole words only; digits may touch ("art30s"), Chinese and Japanese need no bounds."""
    return rf"(?<![a-zäöüéęóźż])(?:{pattern})(?![a-zäöüéęóźż])"


def _agent(header: Dataset) -> str:
    named = decoded_text(header, "ContrastBolusAgent")
    if not named:
        agent = item(header, "ContrastBolusAgentSequence")
        named = decoded_text(agent, "CodeMeaning") if agent is not None else ""
    return "" if named.upper() in NO_AGENT_WORDS else named
