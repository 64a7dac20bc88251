"""Writing TOML: the standard library only reads it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def to_toml(content: Mapping[str, Any]) -> str:
    """TOML text of a mapping of scalars, lists, tables and lists of tables."""
    lines = [f"{key} = {_value(value)}" for key, value in content.items() if not _is_tables(value)]
    for key, value in content.items():
        if _is_tables(value):
            for table in value:
                lines += ["", f"[[{key}]]"]
                lines += [f"{k} = {_value(v)}" for k, v in table.items()]
    return "\n".join(lines) + "\n"


def _is_tables(value: Any) -> bool:  # noqa: ANN401 - any TOML value
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) > 0
        and all(isinstance(v, Mapping) for v in value)
    )


def _value(value: Any) -> str:  # noqa: ANN401 - any TOML value
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(value)
        case float():
            return _float(value)
        case Mapping():
            pairs = ", ".join(f"{json.dumps(str(k))} = {_value(v)}" for k, v in value.items())
            return f"{{ {pairs} }}"
        case Sequence():
            return f"[{', '.join(_value(v) for v in value)}]"
    raise TypeError(f"{type(value).__name__} has no TOML form")


def _float(value: float) -> str:
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return "nan" if math.isnan(value) else repr(float(value))
