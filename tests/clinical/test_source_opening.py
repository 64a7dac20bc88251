"""Addresses become sources; the engine itself opens files only."""

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from engine.clinical import source_opening
from engine.clinical.clinical_file import FileSource
from engine.clinical.source_opening import GROUP, SourceOptions, open_sources
from engine.errors import ClinicalDataError


def _install(monkeypatch: pytest.MonkeyPatch, *targets: tuple[str, str]) -> None:
    points = EntryPoints(EntryPoint(name, value, GROUP) for name, value in targets)
    monkeypatch.setattr(source_opening, "entry_points", points.select)


@pytest.mark.parametrize("address", ["labs.csv", "C:\\\\labs.csv", "folder/with:colon.csv"])
def test_anything_that_is_no_known_address_is_a_file(address: str) -> None:
    (source,) = open_sources(address, SourceOptions(issuers={"HOSP_A": "urn:a"}))
    assert isinstance(source, FileSource)
    assert source.path == Path(address)
    assert source.issuers == {"urn:a": "HOSP_A"}


def test_without_the_nodes_part_an_address_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _install(monkeypatch)
    with pytest.raises(ClinicalDataError, match=r"hepatocast\[node\]"):
        open_sources("https://ehr.test/fhir", SourceOptions())
    _install(monkeypatch, ("https", "no_such_module:open"))
    with pytest.raises(ClinicalDataError, match=r"libraries \(no_such_module\)"):
        open_sources("https://ehr.test/fhir", SourceOptions())


def test_the_plug_in_of_the_scheme_opens_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, ("hl7", "dicom_node.clinical_source.command_line:open_hl7"))
    with pytest.raises(ClinicalDataError, match="No file of HL7 messages at missing"):
        open_sources("hl7:missing", SourceOptions())
