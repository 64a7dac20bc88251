"""Faults of DICOMweb servers, destinations and prior rules are all named at once."""

from pathlib import Path
from typing import Any

import pytest

from dicom_node.configuration import parse_configuration
from dicom_node.errors import ConfigurationError

PEER = {"name": "pacs", "ae_title": "PACS", "host": "h", "port": 104}
WEB = {"name": "web", "url": "https://pacs.example/dicom-web"}


def faults_of(**tables: Any) -> str:  # noqa: ANN401
    table = {"storage": {"folder": "/srv/node"}, "peer": [PEER], "web": [WEB], **tables}
    try:
        parse_configuration(table, {})
    except ConfigurationError as error:
        return "\n".join(error.faults)
    return ""


def test_a_whole_configuration_has_no_fault() -> None:
    assert not faults_of(
        destination=[{"name": "a", "peer": "pacs"}, {"name": "b", "web": "web"}],
        rule=[{"name": "r", "priors": "p"}, {"name": "s", "priors": "q"}],
        prior=[
            {"name": "p", "web": "web"},
            {"name": "q", "peer": "pacs", "method": "move", "move_title": "PRIORS"},
        ],
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"url": "ftp://x"}, "must begin with http"),
        ({"url": "https:///dicom-web"}, "name a host"),
        ({"url": "https://u:p@x/"}, "must hold no password"),
        ({"url": "https://x/?a=b"}, "no '?'"),
        ({"token_file": "/no/such"}, "no such file: /no/such"),
        ({"user": "u"}, "belong together"),
        ({"answer_seconds": 0.0}, "must be above 0"),
        ({"tls": {"certificate": "/no/such"}}, "both 'certificate' and 'key'"),
    ],
)
def test_a_fault_of_a_server_is_named(changes: dict[str, Any], fault: str) -> None:
    assert fault in faults_of(web=[{**WEB, **changes}])


def test_a_secret_never_travels_in_the_clear(tmp_path: Path) -> None:
    """Loopback is the exception: a proxy on the same host may speak TLS for us."""
    secret = tmp_path / "token"
    secret.write_text("x")
    for url, is_fault in (("http://pacs/", True), ("http://127.0.0.1/", False)):
        text = faults_of(web=[{**WEB, "url": url, "token_file": str(secret)}])
        assert ("in the clear" in text) is is_fault


def test_a_destination_has_one_place_to_send_to() -> None:
    text = faults_of(
        destination=[{"name": "none"}, {"name": "two", "peer": "pacs", "web": "wep"}]
    )  # fmt: skip
    assert "Destination 'none' needs either 'peer' or 'web'" in text
    assert "Destination 'two' needs either 'peer' or 'web'" in text
    assert "no web is named 'wep'; nearest is 'web'" in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"peer": ""}, "needs either 'peer' or 'web'"),
        ({"method": "steal"}, "'method' must be get or move"),
        ({"method": "move"}, "C-MOVE needs 'move_title'"),
        ({"method": "move", "move_title": "HEPATOCAST"}, "other than the node's own"),
        ({"maximum_studies": 0}, "'maximum_studies'"),
        ({"modalities": []}, "'modalities'"),
        ({"peer": "paxs"}, "no peer is named 'paxs'; nearest is 'pacs'"),
    ],
)
def test_a_fault_of_a_prior_rule_is_named(changes: dict[str, Any], fault: str) -> None:
    assert fault in faults_of(prior=[{"name": "p", "peer": "pacs", **changes}])


def test_a_rule_names_priors_that_exist() -> None:
    text = faults_of(rule=[{"name": "r", "priors": "x"}])
    assert "Rule 'r': no prior is named 'x'" in text


def test_names_are_used_once() -> None:
    prior = {"name": "p", "peer": "pacs"}
    text = faults_of(web=[WEB, WEB], prior=[prior, prior])
    assert "Two of [[web]] are named 'web'" in text
    assert "Two of [[prior]] are named 'p'" in text
