"""HL7 v2 messages as identities and raw values (pure: bytes in, values out).

Read: ORU^R01 and ORM^O01 observations (PID, OBR, OBX), ADT^A08 demographics and ADT^A40 merges
(MRG). Segments and fields are numbered as in HL7 v2.5.1 chapters 3, 4 and 7.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import hl7  # type: ignore[import-untyped]  # ships no stubs

from engine.clinical.analyte import LOINC, SNOMED_CT
from engine.clinical.analytes import ANALYTES, find_analyte
from engine.clinical.intake import RawValue
from engine.clinical.right_patient import SourceIdentity, fold_sex
from engine.errors import ClinicalDataError

_CHARSETS = {
    "": "utf-8",
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "ISO IR87": "iso2022_jp",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
}
"""HL7 table 0211 to Python codecs."""

_STATUSES = {
    "F": "final",
    "C": "corrected",
    "P": "preliminary",
    "R": "registered",
    "S": "preliminary",
}
_WITHDRAWN = frozenset({"D", "W", "X"})
_SYSTEMS = {"LN": LOINC, "SCT": SNOMED_CT}


class MalformedMessageError(ClinicalDataError):
    """Bytes that are no usable HL7 v2 message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Message:
    """One parsed message.

    Attributes:
        kind: Message code and trigger, "ORU^R01".
        control_id: MSH-10.
        sender: MSH-3 and MSH-4, for telling repeated control ids of several senders apart.
        identities: Every PID-3 repetition.
        replaced: Every MRG-1 repetition of a merge.
        results: The message's observations.
    """

    kind: str
    control_id: str
    sender: str
    identities: tuple[SourceIdentity, ...] = field(repr=False)
    replaced: tuple[SourceIdentity, ...] = field(default=(), repr=False)
    results: tuple["Hl7Result", ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Result:
    """One OBX: the key a correction replaces by, and the value (None when withdrawn)."""

    key: tuple[str, str, str]
    values: tuple[RawValue, ...] = field(repr=False)


def read_message(data: bytes) -> Hl7Message:
    """Parse one message.

    Args:
        data: Message without MLLP framing.

    Raises:
        MalformedMessageError: No MSH, an unknown character set, undecodable bytes, or fields
            that cannot be read.
    """
    message = _parse(data)
    try:
        header = message.segment("MSH")
        return Hl7Message(
            kind=f"{_part(header, 9, 1)}^{_part(header, 9, 2)}",
            control_id=_part(header, 10),
            sender="|".join((_part(header, 3), _part(header, 4))),
            identities=tuple(_identities(message)),
            replaced=tuple(_replaced(message)),
            results=tuple(_results(message)),
        )
    except (hl7.HL7Exception, KeyError, IndexError) as error:
        raise MalformedMessageError(f"HL7 message cannot be read: {error}") from error


def current_values(messages: Iterable[Hl7Message]) -> list[RawValue]:
    """Values that stand after all messages, oldest message first: corrections replace.

    A later result replaces an earlier one of the same sender, order, code and sub-id.
    """
    standing: dict[tuple[str, ...], tuple[RawValue, ...]] = {}
    for message in messages:
        for result in message.results:
            standing[message.sender, *result.key] = result.values
    return [raw for values in standing.values() for raw in values]


def acknowledge(data: bytes, code: str, text: str = "") -> bytes:
    """Acknowledgment message for received bytes (HL7 v2.5.1, 2.14.1).

    Args:
        data: Message as received, without framing; may be garbage.
        code: "AA" accepted, "AE" error, "AR" rejected.
        text: Reason for AE and AR; carries no patient data.
    """
    fields = data.split(b"\r", 1)[0].decode("ascii", "replace").split("|")
    fields += [""] * (12 - len(fields))
    trigger = fields[8].split("^")[1] if "^" in fields[8] else ""
    kind = f"ACK^{trigger}^ACK" if trigger else "ACK"
    when, control, version = fields[6], fields[9], fields[11] or "2.5.1"
    header = f"MSH|^~\\&|HEPATOCAST||{fields[2]}|{fields[3]}|{when}||{kind}|A{control}|P|{version}"
    answer = f"MSA|{code}|{control}" + (f"|{text}" if text else "")
    return f"{header}\r{answer}\r".encode("ascii", "replace")


def _parse(data: bytes) -> hl7.Message:
    head = data.split(b"\r", 1)[0].split(data[3:4] or b"|")
    if not data.startswith(b"MSH") or len(head) < 10:
        raise MalformedMessageError("HL7 message does not start with a complete MSH")
    name = head[17].split(b"~")[0].decode("ascii", "replace") if len(head) > 17 else ""
    if name not in _CHARSETS:
        raise MalformedMessageError(f"HL7 character set '{name}' is not supported")
    try:
        text = _decoded(data, name)
    except UnicodeDecodeError as error:
        raise MalformedMessageError(
            f"HL7 message is not '{name or 'UNICODE UTF-8'}' as MSH-18 says"
        ) from error
    try:
        return hl7.parse(text.replace("\r\n", "\r").replace("\n", "\r"))
    except (hl7.HL7Exception, ValueError, IndexError) as error:
        raise MalformedMessageError(f"HL7 message cannot be read: {error}") from error


def _decoded(data: bytes, name: str) -> str:
    """Text of a message; many senders leave MSH-18 empty and write Latin-1.

    Every byte is a Latin-1 letter, and what HepatoCast reads (identifiers, codes, numbers) is
    ASCII in either, so an undeclared message is taken rather than lost.
    """
    if name:
        return data.decode(_CHARSETS[name])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _part(segment: hl7.Segment, number: int, component: int = 1, repetition: int = 1) -> str:
    """One component of a field; empty when the segment is shorter."""
    try:
        return str(segment.extract_field(1, number, repetition, component, 1)).strip()
    except (IndexError, LookupError):
        return ""


def _repetitions(segment: hl7.Segment, number: int) -> int:
    try:
        return len(segment(number))
    except IndexError:
        return 0


def _identities(message: hl7.Message) -> Iterator[SourceIdentity]:
    for person in _segments(message, "PID"):
        born = _day(_part(person, 7))
        sex = fold_sex(_part(person, 8))
        for repetition in range(1, _repetitions(person, 3) + 1):
            yield SourceIdentity(
                patient_id=_part(person, 3, 1, repetition),
                issuer=_part(person, 3, 4, repetition),
                birth_date=born,
                sex=sex,
            )


def _replaced(message: hl7.Message) -> Iterator[SourceIdentity]:
    for merge in _segments(message, "MRG"):
        for repetition in range(1, _repetitions(merge, 1) + 1):
            yield SourceIdentity(
                patient_id=_part(merge, 1, 1, repetition), issuer=_part(merge, 1, 4, repetition)
            )


def _results(message: hl7.Message) -> Iterator[Hl7Result]:
    order, ordered_at = "", ""
    control = _part(message.segment("MSH"), 10)
    for segment in message:
        name = str(segment[0])
        if name == "OBR":
            order = _part(segment, 3) or _part(segment, 2) or _part(segment, 7)
            ordered_at = _part(segment, 7)
        elif name == "OBX":
            yield _result(segment, order, ordered_at, control)


def _result(segment: hl7.Segment, order: str, ordered_at: str, control: str) -> Hl7Result:
    code, system = _code(segment)
    key = (order, code, _part(segment, 4))
    state = _part(segment, 11)
    analyte = find_analyte(code, system)
    if state in _WITHDRAWN or analyte is None:
        return Hl7Result(key=key, values=())
    text, unit = _value(segment)
    own = _part(segment, 14)
    moment = own if _day(own) is not None else ordered_at
    value = RawValue(
        code=analyte.key,
        value=text,
        unit=unit,
        observed_on=_day(moment),
        observed_at=_moment(moment),
        source=f"HL7 message {control} OBX {_part(segment, 1)}",
        status=_STATUSES.get(state, "unknown"),
    )
    limit = _part(segment, 7).rpartition("-")[2].strip()
    if analyte.key != "ast" or not limit:
        return Hl7Result(key=key, values=(value,))
    upper = replace(value, code=ANALYTES["ast_upper_limit"].key, value=limit)
    return Hl7Result(key=key, values=(value, upper))


def _code(segment: hl7.Segment) -> tuple[str, str]:
    """OBX-3 as (code, code system), from the first or the alternate triplet."""
    for first in (1, 4):
        system = _SYSTEMS.get(_part(segment, 3, first + 2), "")
        if system:
            return _part(segment, 3, first), system
    return _part(segment, 3, 1), ""


def _value(segment: hl7.Segment) -> tuple[str, str]:
    """OBX-5 as text and OBX-6 as unit, by the value type of OBX-2."""
    unit = _part(segment, 6, 1)
    if _part(segment, 2) == "SN":
        sign, number = _part(segment, 5, 1), _part(segment, 5, 2)
        return f"{sign.removeprefix('=')}{number}", unit
    return _part(segment, 5, 1), unit


def _segments(message: hl7.Message, name: str) -> list[hl7.Segment]:
    return [segment for segment in message if str(segment[0]) == name]


def _moment(text: str) -> datetime | None:
    """Local moment of an HL7 time stamp, as written; None without hours and minutes."""
    digits = text.partition("+")[0].partition("-")[0].partition(".")[0]
    form = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(digits), "")
    try:
        return datetime.strptime(digits, form) if form else None
    except ValueError:
        return None


def _day(text: str) -> date | None:
    """Day of an HL7 time stamp (YYYYMMDD…); None when it is not given to the day."""
    try:
        return date.fromisoformat(text[:8])
    except ValueError:
        return None
