"""Typed access to DICOM attributes that never trusts the sender.

Values are decoded from the raw bytes as far as pydicom has not decoded them yet: faster than
building data elements, and a broken value gives an empty answer or one typed error instead
of whatever a parser raises on it.
"""

import math
import struct
from collections.abc import Iterable
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException

from engine.errors import InvalidGeometryError

READING_FAILURES = (
    BytesLengthException,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    EOFError,
    OverflowError,
    struct.error,
    RecursionError,
    MemoryError,
)
"""What pydicom is known to raise on damaged data (InvalidDicomError comes on top)."""

BINARY_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
TEXT_VRS = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UI", "UN"))


def _element(dataset: Dataset, keyword: str) -> RawDataElement | DataElement | None:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    try:
        return dataset.get_item(tag)
    except KeyError:
        return None


def _values(dataset: Dataset, keyword: str) -> tuple[Any, ...]:
    """Every value of an attribute as text or number; empty when absent or not decodable."""
    element = _element(dataset, keyword)
    if element is None or element.value is None:
        return ()
    if isinstance(element, RawDataElement):
        return _decode(element) if isinstance(element.value, bytes) else ()
    value = element.value
    if isinstance(value, str | bytes | int | float) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def _decode(element: RawDataElement) -> tuple[Any, ...]:
    raw = element.value or b""
    vr = element.VR or dictionary_VR(element.tag)
    if vr in BINARY_FORMATS:
        size = struct.calcsize("=" + BINARY_FORMATS[vr])
        order = "<" if element.is_little_endian else ">"
        count = len(raw) // size
        return struct.unpack(f"{order}{count}{BINARY_FORMATS[vr]}", raw[: count * size])
    if vr in TEXT_VRS and raw:
        return tuple(raw.decode("latin-1").split("\\"))
    return ()


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of a text attribute, padding stripped; empty when absent."""
    found = tuple(str(value).strip(" \0\r\n\t") for value in _values(dataset, keyword))
    return () if found == ("",) else found


def text(dataset: Dataset, keyword: str) -> str:
    """A text attribute as one string, padding stripped; "" when absent."""
    return "\\".join(texts(dataset, keyword))


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The values of a numeric attribute; NaN where one is not a number."""
    return tuple(_number(value) for value in _values(dataset, keyword))


def number(dataset: Dataset, keyword: str) -> float | None:
    """A numeric attribute with one finite value, else None."""
    found = numbers(dataset, keyword)
    return found[0] if len(found) == 1 and math.isfinite(found[0]) else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """A whole number, else None."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def vector(dataset: Dataset, keyword: str, length: int) -> tuple[float, ...]:
    """A numeric attribute with exactly ``length`` finite values.

    Raises:
        InvalidGeometryError: Absent, of another length, or not finite; names the attribute.
    """
    found = numbers(dataset, keyword)
    if not found:
        raise InvalidGeometryError(f"{keyword} is missing")
    if len(found) != length or not all(map(math.isfinite, found)):
        raise InvalidGeometryError(
            f"{keyword} needs {length} finite numbers, got {len(found)}: "
            f"{', '.join(f'{value:g}' for value in found[:8])}"
        )
    return found


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; empty when absent or empty.

    Raises:
        InvalidGeometryError: It is not a sequence, or a damaged one.
    """
    if _element(dataset, keyword) is None:
        return ()
    try:
        value = dataset[keyword].value
    except READING_FAILURES as error:
        raise InvalidGeometryError(f"{keyword} is damaged") from error
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidGeometryError(f"{keyword} is not a sequence")
    found = tuple(value)
    if not all(isinstance(item, Dataset) for item in found):
        raise InvalidGeometryError(f"{keyword} is not a sequence")
    return found


def item(dataset: Dataset, keyword: str) -> Dataset | None:
    """The first item of a sequence, or None."""
    found = items(dataset, keyword)
    return found[0] if found else None


def decoded_text(dataset: Dataset, keyword: str) -> str:
    """A text in the dataset's own character set (names, descriptions); "" when damaged."""
    try:
        value = dataset.get(keyword)
    except (LookupError, *READING_FAILURES):
        return ""
    return "" if value is None else str(value).strip()


def _number(value: object) -> float:
    if isinstance(value, str):
        value = value.strip(" \0")
    try:
        return float(value)  # type: ignore[arg-type]  # whatever it is, the except decides
    except (TypeError, ValueError, OverflowError):
        return math.nan
