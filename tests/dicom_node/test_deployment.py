"""What ships beside the code says what the code does."""

from pathlib import Path

import pytest

from dicom_node import upper_layer
from dicom_node.cli import _make_parser
from dicom_node.configuration import load_configuration
from dicom_node.negotiation import TRANSFER_SYNTAXES, is_storage_class
from dicom_node.settings import Listener
from dicom_node.status import StorageStatus
from tests.dicom_node.testbed import ROOT

ROOM = ROOT / "dicom_node"
STATEMENT = (ROOM / "CONFORMANCE.md").read_text()


def test_the_example_configuration_is_fine() -> None:
    path = ROOM / "deployment" / "node.example.toml"
    assert load_configuration(path, {}).destination[0].peer == "pacs"


def test_the_unit_and_the_image_start_a_command_that_exists() -> None:
    unit = (ROOM / "deployment" / "hepatocast-node.service").read_text()
    (line,) = [text for text in unit.splitlines() if text.startswith("ExecStart=")]
    program, *arguments = line.removeprefix("ExecStart=").split()
    assert Path(program).name == "hepatocast-node"
    assert _make_parser().parse_args(arguments).command == "serve"


@pytest.mark.parametrize(
    "text",
    [
        upper_layer.IMPLEMENTATION_CLASS_UID,
        upper_layer.IMPLEMENTATION_VERSION_NAME,
        f"default {Listener().maximum_associations}",
        f"default {Listener().maximum_pdu_bytes}",
        *(f"| {status:04X} |" for status in StorageStatus),
    ],
)
def test_the_conformance_statement_agrees_with_the_code(text: str) -> None:
    assert text in STATEMENT


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.4",  # MR
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
        "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
        "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
    ],
)
def test_every_class_a_liver_study_may_hold_is_accepted(uid: str) -> None:
    assert is_storage_class(uid)


@pytest.mark.parametrize("uid", ["1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.20.1", "1.2.3"])
def test_other_services_are_no_storage(uid: str) -> None:
    assert not is_storage_class(uid)


def test_big_endian_is_not_accepted() -> None:
    """Retired (PS3.5 A.3); a sender proposes another."""
    assert "1.2.840.10008.1.2.2" not in TRANSFER_SYNTAXES
