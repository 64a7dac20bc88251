"""Configuration: everything checked, every fault at once, every key documented."""

import dataclasses
import tomllib
import typing
from pathlib import Path

import pytest

from dicom_node import settings
from dicom_node.configuration import describe_settings, load_configuration, parse_configuration
from dicom_node.errors import ConfigurationError
from dicom_node.settings import Configuration

MINIMAL = {"storage": {"folder": "/srv/node"}}


def faults_of(table: dict[str, object], environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(table, environment or {})  # type: ignore[arg-type]
    return "\n".join(caught.value.faults)


def test_the_smallest_configuration_names_a_folder_only() -> None:
    """Every other key has a default."""
    configuration = parse_configuration(dict(MINIMAL), {})
    assert configuration.spool == Path("/srv/node/spool")
    assert configuration.listener.port == 11112


def test_every_fault_is_named_at_once() -> None:
    """Four faults of four kinds, one message."""
    text = faults_of(
        {
            "storage": {},
            "listener": {"prot": 104, "port": "104"},
            "ae_titel": "X",
        }
    )
    assert "'storage.folder' is missing" in text
    assert "Unknown key 'listener.prot'; did you mean 'port'?" in text
    assert "'listener.port' must be int, got str" in text
    assert "Unknown key 'ae_titel'; did you mean 'ae_title'?" in text


def test_an_environment_variable_overrides_the_file() -> None:
    """Converted to the type of the setting."""
    environment = {
        "HEPATOCAST_NODE__LISTENER__PORT": "104",
        "HEPATOCAST_NODE__ANALYSIS__DEVICES": "cuda:0,cuda:1",
        "HEPATOCAST_NODE__DASHBOARD__ENABLED": "no",
    }
    configuration = parse_configuration({"storage": {"folder": "/x"}}, environment)
    assert configuration.listener.port == 104
    assert configuration.analysis.devices == ("cuda:0", "cuda:1")
    assert configuration.dashboard.enabled is False


def test_a_misspelt_environment_variable_is_a_fault() -> None:
    """Silence would leave the default in force."""
    text = faults_of(dict(MINIMAL), {"HEPATOCAST_NODE__LISTENER__PROT": "104"})
    assert "did you mean 'port'" in text


def test_a_secret_is_never_shown_in_a_fault() -> None:
    """Too short a token is named by its key only."""
    text = faults_of({**MINIMAL, "dashboard": {"token": "hunter2"}})
    assert "dashboard.token" in text
    assert "hunter2" not in text


def test_a_destination_must_name_a_peer() -> None:
    """The nearest name is offered."""
    peer = {"name": "archive", "ae_title": "A", "host": "h", "port": 104}
    destination = {"name": "d", "peer": "archiv"}
    text = faults_of({**MINIMAL, "peer": [peer], "destination": [destination]})
    assert "no peer is named 'archiv'; nearest is 'archive'" in text


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"listener": {"port": 0}}, "'listener.port' must be 1 to 65535"),
        ({"listener": {"durability": "maybe"}}, "'listener.durability' must be one of"),
        ({"ae_title": "SEVENTEEN-LETTERS"}, "'ae_title' is not an AE title"),
        ({"hosts": {"heartbeat_seconds": 5.0, "dead_after_seconds": 6.0}}, "at least twice"),
        ({"rule": [{"name": "r", "destinations": ["x"]}]}, "no destination is named 'x'"),
        ({"peer": 3}, "'peer' must be a list"),
        ({"listener": {"tls": {"certificate": "/none.pem"}}}, "both 'certificate' and 'key'"),
    ],
)
def test_settings_that_cannot_work_are_faults(table: dict[str, object], fault: str) -> None:
    assert fault in faults_of({**MINIMAL, **table})


def test_an_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text("this is = = not TOML")
    with pytest.raises(ConfigurationError, match="cannot be read as TOML"):
        load_configuration(path, {})


def all_settings(kind: type) -> list[str]:
    names = []
    hints = typing.get_type_hints(kind, vars(settings))
    for field in dataclasses.fields(kind):
        assert field.metadata["doc"].strip(), field.name
        hint = hints[field.name]
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        names.append(field.name)
        if dataclasses.is_dataclass(inner):
            names += all_settings(inner)  # type: ignore[arg-type]
    return names


def test_every_key_is_documented_in_the_printed_configuration() -> None:
    """`hepatocast-node configuration` prints a TOML file with every key."""
    text = "\n".join(describe_settings())
    assert [name for name in all_settings(Configuration) if name not in text] == []


def test_the_printed_configuration_is_toml() -> None:
    """Uncommented, it parses again (but for the one key without default)."""
    lines = [line for line in describe_settings() if " = " in line and line.startswith("# ")]
    for line in lines:
        tomllib.loads(line.removeprefix("# "))
