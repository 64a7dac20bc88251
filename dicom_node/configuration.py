"""One TOML and the environment → one frozen Configuration, with every fault at once.

Environment: ``HEPATOCAST_NODE__LISTENER__PORT=104`` overrides ``[listener] port``. Lists of
tables (peer, destination, rule) are set in the file only.
"""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dicom_node import settings
from dicom_node.clinical_source.settings_faults import find_clinical_faults
from dicom_node.errors import ConfigurationError
from dicom_node.settings import Configuration
from dicom_node.settings_faults import (
    find_destination_faults,
    find_prior_faults,
    find_web_faults,
    is_title,
    refers,
)

PREFIX = "HEPATOCAST_NODE__"
KINDS = ("SEG", "SR", "SC", "PDF", "RTSTRUCT")
CHOICES = {
    "listener.durability": ("journal", "strict", "none"),
    "analysis.process": ("warm", "fresh"),
    "analysis.when_off": ("wait", "not-analyzed"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
}


def load_configuration(path: Path, environment: Mapping[str, str]) -> Configuration:
    """Read, override, check.

    Raises:
        ConfigurationError: With every fault: unreadable file, unknown keys (and the nearest
            name), wrong types, values out of range, names that refer to nothing.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError((f"{path} cannot be read as TOML: {error}",)) from error
    return parse_configuration(table, environment)


def parse_configuration(table: dict[str, Any], environment: Mapping[str, str]) -> Configuration:
    """Turn tables into a Configuration.

    Raises:
        ConfigurationError: With every fault at once.
    """
    faults: list[str] = []
    _override(table, environment, faults)
    configuration = _read(Configuration, table, "", faults)
    if configuration is not None and not faults:
        faults.extend(find_faults(configuration))
    if faults or configuration is None:
        raise ConfigurationError(tuple(faults))
    return typing.cast(Configuration, configuration)


def _override(table: dict[str, Any], environment: Mapping[str, str], faults: list[str]) -> None:
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        keys = name[len(PREFIX) :].lower().split("__")
        place = table
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                faults.append(f"{name} points into a list; lists are set in the file only")
                break
        else:
            place[keys[-1]] = _Text(text)


class _Text(str):
    """A value from the environment: converted to the type the setting has."""

    __slots__ = ()


def _read(kind: type, table: object, where: str, faults: list[str]) -> Any:  # noqa: ANN401
    """Read a table into a settings dataclass; None when it cannot be built."""
    if not isinstance(table, dict):
        faults.append(f"[{where}] must be a table, got {type(table).__name__}")
        return None
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind, vars(settings))
    for key in table.keys() - fields.keys():
        near = difflib.get_close_matches(key, fields, n=1, cutoff=0.0)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        faults.append(f"Unknown key {_join(where, key)!r}{hint}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        place = _join(where, name)
        if name in table:
            values[name] = _convert(hints[name], table[name], place, faults)
        elif field.default is dataclasses.MISSING:
            faults.append(f"{place!r} is missing: {field.metadata['doc']}")
            values[name] = None
    return kind(**values)


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _convert(hint: Any, value: object, where: str, faults: list[str]) -> Any:  # noqa: ANN401
    if isinstance(hint, types.UnionType):  # Path | None
        return Path(str(value)) if value else None
    if typing.get_origin(hint) is tuple:
        return _convert_list(typing.get_args(hint)[0], value, where, faults)
    if dataclasses.is_dataclass(hint):
        return _read(typing.cast(type, hint), value, where, faults)
    return _convert_plain(hint, value, where, faults)


def _convert_list(item: Any, value: object, where: str, faults: list[str]) -> Any:  # noqa: ANN401
    if isinstance(value, _Text):
        value = [_Text(word) for word in value.split(",") if word]
    if not isinstance(value, list):
        faults.append(f"{where!r} must be a list, got {type(value).__name__}")
        return ()
    return tuple(_convert(item, v, f"{where}[{i}]", faults) for i, v in enumerate(value))


def _convert_plain(hint: type, value: object, where: str, faults: list[str]) -> Any:  # noqa: ANN401
    try:
        if isinstance(value, _Text):
            return _from_text(hint, value)
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if hint is Path and isinstance(value, str):
            return Path(value)
    except ValueError:
        faults.append(f"{where!r} must be {hint.__name__}, got a text that is not one")
        return None
    if type(value) is not hint:
        faults.append(f"{where!r} must be {hint.__name__}, got {type(value).__name__}")
        return None
    return value


def _from_text(hint: type, text: str) -> Any:  # noqa: ANN401
    if hint is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]
    return hint(str(text))


def find_faults(configuration: Configuration) -> list[str]:
    """Everything about well-typed settings that cannot work."""
    return [
        *_range_faults(configuration),
        *_analysis_faults(configuration),
        *_choice_faults(configuration),
        *_name_faults(configuration),
        *_tls_faults(configuration),
        *find_destination_faults(configuration),
        *find_web_faults(configuration),
        *find_prior_faults(configuration),
        *find_clinical_faults(configuration.clinical),
    ]


def _range_faults(c: Configuration) -> list[str]:
    checks = [
        (0 < c.listener.port < 65536, "'listener.port' must be 1 to 65535"),
        (0 < c.dashboard.port < 65536, "'dashboard.port' must be 1 to 65535"),
        (c.listener.processes >= 1, "'listener.processes' must be at least 1"),
        (c.listener.maximum_associations >= 1, "'listener.maximum_associations' must be above 0"),
        (c.completeness.quiet_seconds > 0, "'completeness.quiet_seconds' must be above 0"),
        (c.completeness.poll_seconds > 0, "'completeness.poll_seconds' must be above 0"),
        (
            c.hosts.dead_after_seconds >= 2 * c.hosts.heartbeat_seconds > 0,
            "'hosts.dead_after_seconds' must be at least twice 'hosts.heartbeat_seconds'",
        ),
        (
            not c.dashboard.token or len(c.dashboard.token) >= 16,
            "'dashboard.token' must have at least 16 characters",
        ),
        (
            not c.dashboard.stow_token or len(c.dashboard.stow_token) >= 16,
            "'dashboard.stow_token' must have at least 16 characters",
        ),
        (
            (c.dashboard.certificate is None) == (c.dashboard.key is None),
            "[dashboard] needs both 'certificate' and 'key'",
        ),
        (
            is_title(c.ae_title),
            f"'ae_title' is not an AE title (1 to 16 characters): {c.ae_title!r}",
        ),
    ]
    return [message for fine, message in checks if not fine]


def _analysis_faults(c: Configuration) -> list[str]:
    a = c.analysis
    checks = [
        (a.attempts >= 1, "'analysis.attempts' must be at least 1"),
        (bool(a.command), "'analysis.command' must name a program"),
        (bool(a.warm_command), "'analysis.warm_command' must name a program"),
        (a.studies_per_device >= 1, "'analysis.studies_per_device' must be at least 1"),
        (a.windows_per_run >= 0, "'analysis.windows_per_run' must not be negative"),
        (a.recycle_after_studies >= 0, "'analysis.recycle_after_studies' must not be negative"),
        (bool(a.devices), "'analysis.devices' must name at least one device"),
    ]
    return [message for fine, message in checks if not fine]


def _choice_faults(c: Configuration) -> list[str]:
    faults = []
    for place, choices in CHOICES.items():
        value: Any = c
        for key in place.split("."):
            value = getattr(value, key)
        if value not in choices:
            faults.append(f"{place!r} must be one of {', '.join(choices)}")
    return faults


def _name_faults(c: Configuration) -> list[str]:
    faults = []
    peers = [p.name for p in c.peer]
    destinations = [d.name for d in c.destination]
    for what, names in (("peer", peers), ("destination", destinations)):
        faults += [f"Two of [[{what}]] are named {n!r}" for n in set(names) if names.count(n) > 1]
    for peer in c.peer:
        if not is_title(peer.ae_title):
            faults.append(f"Peer {peer.name!r}: 'ae_title' must have 1 to 16 characters")
        if not 0 < peer.port < 65536:
            faults.append(f"Peer {peer.name!r}: 'port' must be 1 to 65535")
    for d in c.destination:
        if d.confirm not in ("commitment", "find", "none"):
            faults.append(f"Destination {d.name!r}: 'confirm' must be commitment, find or none")
        wrong = sorted(set(d.kinds) - set(KINDS))
        if wrong:
            faults.append(f"Destination {d.name!r}: 'kinds' has {wrong}, known are {list(KINDS)}")
    if c.completeness.count_peer:
        faults += refers("peer", c.completeness.count_peer, peers, "[completeness] count_peer")
    for rule in c.rule:
        for name in rule.destinations:
            faults += refers("destination", name, destinations, f"Rule {rule.name!r}")
        if not 1 <= rule.priority <= 1000:
            faults.append(f"Rule {rule.name!r}: 'priority' must be 1 to 1000")
    return faults


def _tls_faults(c: Configuration) -> list[str]:
    places = [("listener.tls", c.listener.tls), *((f"peer {p.name!r} tls", p.tls) for p in c.peer)]
    faults = []
    for where, tls in places:
        if (tls.certificate is None) != (tls.key is None):
            faults.append(f"[{where}] needs both 'certificate' and 'key'")
        files = (tls.certificate, tls.key, tls.authorities)
        faults += [f"[{where}] no such file: {f}" for f in files if f and not f.is_file()]
        if tls.certificate and tls.mutual and tls.authorities is None:
            faults.append(f"[{where}] mutual TLS needs 'authorities'")
    return faults


def describe_settings(kind: type = Configuration, where: str = "") -> list[str]:
    """Every key with its default and documentation, as lines of a TOML file."""
    lines: list[str] = []
    hints = typing.get_type_hints(kind, vars(settings))
    tables: list[tuple[type, str, bool]] = []
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        if dataclasses.is_dataclass(inner):
            tables.append((typing.cast(type, inner), _join(where, field.name), inner is not hint))
            continue
        default = "" if field.default is dataclasses.MISSING else _toml(field.default)
        lines.append(f"# {field.metadata['doc']}")
        lines.append(f"# {field.name} = {default}".rstrip())
    for inner, name, is_list in tables:
        lines += ["", f"[[{name}]]" if is_list else f"[{name}]", *describe_settings(inner, name)]
    return lines


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{v}"' for v in value) + "]"
    return f'"{value or ""}"' if isinstance(value, str | None) else str(value)
