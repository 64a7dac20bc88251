"""HL7 v2 messages as identities and raw values (pure: bytes in, values out).

Read: ORU^R01 and ORM^O01 observations (PID, OBR, OBX), ADT^A08 demographics and ADT^A40 merges
(MRG). Segments and fields are numbered as in HL7 v2.5.1 chapters 3, 4 and 7.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import hl7  # type: ignore[import-untyped]  # ships no stubs

from engine.clinical.analyte import LOINC, SNOMED_CT, Analyte
from engine.clinical.analytes import ANALYTES, find_analyte
from engine.clinical.intake import RawValue
from engine.clinical.right_patient import SourceIdentity, fold_sex
from engine.clinical.words import is_known_word
from engine.errors import ClinicalDataError

MAX_PARTS = 500_000
"""Separators of one message: parsing costs memory per part, not per byte."""

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
    "A": "amended",
    "P": "preliminary",
    "R": "registered",
    "S": "preliminary",
}
_WITHDRAWN = frozenset({"D", "W", "X"})
_NOW_FINAL = "U"
_CODED = frozenset({"CE", "CWE", "CNE", "CF"})
_NO_CODES: Mapping[str, str] = {}
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
        processing: MSH-11: "P" production, "T" training, "D" debugging.
        people: Every PID-3 repetition of every PID segment.
        replaced: Every MRG-1 repetition of a merge.
        results: The message's observations, each about one of the people.
    """

    kind: str
    control_id: str
    sender: str
    processing: str
    people: tuple[tuple[SourceIdentity, ...], ...] = field(repr=False)
    replaced: tuple[SourceIdentity, ...] = field(default=(), repr=False)
    results: tuple["Hl7Result", ...] = field(default=(), repr=False)

    @property
    def identities(self) -> tuple[SourceIdentity, ...]:
        """Every identifier of every person the message names."""
        return tuple(identity for person in self.people for identity in person)

    def about(self, known: Collection[tuple[str, str]]) -> "Hl7Message":
        """The message without the people, and their results, that are nobody of ``known``.

        Args:
            known: Identifier and assigning authority; an empty authority fits any.
        """
        mine = {
            number
            for number, person in enumerate(self.people)
            if any((i.patient_id, i.issuer) in known or (i.patient_id, "") in known for i in person)
        }
        return replace(
            self,
            people=tuple(self.people[number] for number in sorted(mine)),
            results=tuple(result for result in self.results if result.person in mine),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Result:
    """One OBX.

    Attributes:
        key: What a correction replaces by: order, code, sub-id, place among equals.
        values: Empty when withdrawn, or when the analyte is not known.
        person: Place of the PID segment it stands under.
        is_promotion: Makes the earlier, preliminary value final without repeating it.
    """

    key: tuple[str, ...]
    values: tuple[RawValue, ...] = field(repr=False)
    person: int = 0
    is_promotion: bool = False


def read_message(data: bytes, codes: Mapping[str, str] = _NO_CODES) -> Hl7Message:
    """Parse one message.

    Args:
        data: Message without MLLP framing.
        codes: Site codes, ``"system|code"`` (OBX-3.3 and OBX-3.1) to analyte key.

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
            processing=_part(header, 11),
            people=tuple(_people(message)),
            replaced=tuple(_replaced(message)),
            results=tuple(_results(message, codes)),
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
            key = (message.sender, *result.key)
            if result.is_promotion:
                earlier = standing.get(key, ())
                standing[key] = tuple(replace(raw, status="final") for raw in earlier)
            else:
                standing[key] = result.values
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
    if sum(data.count(sign) for sign in (b"|", b"^", b"~", b"&", b"\r")) > MAX_PARTS:
        raise MalformedMessageError(f"HL7 message has more than {MAX_PARTS} separators")
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


def _part(
    segment: hl7.Segment, number: int, component: int = 1, repetition: int = 1, sub: int = 1
) -> str:
    """One subcomponent of a field; empty when the segment is shorter."""
    try:
        return str(segment.extract_field(1, number, repetition, component, sub)).strip()
    except (IndexError, LookupError):
        return ""


def _repetitions(segment: hl7.Segment, number: int) -> int:
    try:
        return len(segment(number))
    except IndexError:
        return 0


def _people(message: hl7.Message) -> Iterator[tuple[SourceIdentity, ...]]:
    for person in _segments(message, "PID"):
        born, sex = _day(_part(person, 7)), _sex(_part(person, 8))
        yield tuple(
            replace(identity, birth_date=born, sex=sex) for identity in _identifiers(person, 3)
        )


def _sex(text: str) -> str:
    """Sex letter; a wording nobody knows is no sex, and no reason to lose the message."""
    try:
        return fold_sex(text)
    except ClinicalDataError:
        return ""


def _identifiers(segment: hl7.Segment, number: int) -> Iterator[SourceIdentity]:
    """Repetitions of a CX field; the authority by its namespace, else by its universal id."""
    for repetition in range(1, _repetitions(segment, number) + 1):
        authority = _part(segment, number, 4, repetition)
        yield SourceIdentity(
            patient_id=_part(segment, number, 1, repetition),
            issuer=authority or _part(segment, number, 4, repetition, 2),
        )


def _replaced(message: hl7.Message) -> Iterator[SourceIdentity]:
    for merge in _segments(message, "MRG"):
        yield from _identifiers(merge, 1)


def _results(message: hl7.Message, codes: Mapping[str, str]) -> Iterator[Hl7Result]:
    order, ordered_at, person = "", "", -1
    control = _part(message.segment("MSH"), 10)
    met: Counter[tuple[str, ...]] = Counter()
    for segment in message:
        name = str(segment[0])
        if name == "PID":
            person, order, ordered_at = person + 1, "", ""
        elif name == "OBR":
            ordered_at = _part(segment, 7)
            order = _part(segment, 3) or _part(segment, 2)
        elif name == "OBX":
            result = _result(segment, ordered_at, control, codes)
            moment = _part(segment, 14) or ordered_at
            key = (order or moment, *result.key)
            yield replace(result, key=(*key, str(met[key])), person=max(person, 0))
            met[key] += 1


def _result(
    segment: hl7.Segment, ordered_at: str, control: str, codes: Mapping[str, str]
) -> Hl7Result:
    analyte = _analyte(segment, codes)
    state = _part(segment, 11)
    key = (analyte.key if analyte is not None else _part(segment, 3), _part(segment, 4))
    if state in _WITHDRAWN or state == _NOW_FINAL or analyte is None:
        return Hl7Result(key=key, values=(), is_promotion=state == _NOW_FINAL)
    text, unit = _value(segment, analyte)
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


def _analyte(segment: hl7.Segment, codes: Mapping[str, str]) -> Analyte | None:
    """What OBX-3 means, by the first or the alternate triplet: a site code, LOINC, SNOMED CT."""
    for first in (1, 4):
        code, system = _part(segment, 3, first), _part(segment, 3, first + 2)
        if (key := codes.get(f"{system}|{code}")) is not None:
            return find_analyte(key)
        if system in _SYSTEMS and (known := find_analyte(code, _SYSTEMS[system])) is not None:
            return known
    return None


def _value(segment: hl7.Segment, analyte: Analyte) -> tuple[str, str]:
    """OBX-5 as text and OBX-6 as unit, by the value type of OBX-2."""
    unit = _part(segment, 6, 1)
    kind = _part(segment, 2)
    if kind == "SN":
        sign, number = _part(segment, 5, 1), _part(segment, 5, 2)
        return f"{sign.removeprefix('=')}{number}", unit
    if kind in _CODED:
        said = [text for place in (1, 2, 4, 5) if (text := _part(segment, 5, place))]
        known = (text for text in said if is_known_word(text, analyte))
        return next(known, said[0] if said else ""), unit
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
