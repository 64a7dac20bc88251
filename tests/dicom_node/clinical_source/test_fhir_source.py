"""Finding the right patient on a FHIR server."""

import json
import time
from typing import Any

import httpx
import pytest

from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_source import FhirSource
from engine.clinical.source import SourceUnavailableError
from engine.errors import ClinicalDataError
from engine.values.clinical import Observation
from engine.values.identity import PatientIdentity

IMAGES = PatientIdentity(
    patient_id="47|11",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)


class Server:
    """A FHIR server on a dictionary; searches by identifier and patient."""

    def __init__(self, *resources: dict[str, Any]) -> None:
        self.resources = resources
        self.asked: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request.url)
        kind, _, key = request.url.path.removeprefix("/fhir/").partition("/")
        mine = [r for r in self.resources if r["resourceType"] == kind]
        if key:
            return httpx.Response(200, json=next(r for r in mine if r["id"] == key))
        if (token := request.url.params.get("identifier")) is not None:
            system, _, value = token.partition("|")
            wanted = {"system": system, "value": value.replace("\\|", "|")}
            mine = [r for r in mine if wanted in r["identifier"]]
        if (patient := request.url.params.get("patient")) is not None:
            mine = [r for r in mine if r["subject"]["reference"] == f"Patient/{patient}"]
        return httpx.Response(
            200, json={"resourceType": "Bundle", "entry": [{"resource": r} for r in mine]}
        )


def _patient(key: str, **more: object) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": key,
        "gender": "male",
        "birthDate": "1961-05-04",
        "identifier": [{"system": "urn:hosp-a", "value": "47|11"}],
        **more,
    }


def _afp(key: str, patient: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "1834-1"}]},
        "effectiveDateTime": "2024-02-20",
        "valueQuantity": {"value": value, "unit": "ng/mL"},
    }


def _source(server: Server) -> FhirSource:
    client = FhirClient("https://ehr.test/fhir", transport=httpx.MockTransport(server))
    return FhirSource(client=client, issuers={"HOSP_A": "urn:hosp-a"})


def test_the_patients_values_are_read() -> None:
    server = Server(_patient("p1"), _afp("o1", "p1", 10.0), _afp("o2", "p2", 99.0))
    answer = _source(server).fetch(IMAGES)
    assert [o.value for o in answer.offered if isinstance(o, Observation)] == [10.0]
    assert answer.notes == ("FHIR: 1 values of this patient",)
    observations = next(url for url in server.asked if url.path.endswith("/Observation"))
    assert "http://loinc.org|1834-1" in observations.params["code"].split(",")


def test_a_wrong_birth_date_or_a_missing_patient_is_refused() -> None:
    with pytest.raises(ClinicalDataError, match="birth date"):
        _source(Server(_patient("p1", birthDate="1961-05-05"))).fetch(IMAGES)
    with pytest.raises(ClinicalDataError, match="no Patient"):
        _source(Server()).fetch(IMAGES)


def test_an_issuer_without_a_system_is_named_when_nobody_is_found() -> None:
    client = FhirClient("https://ehr.test/fhir", transport=httpx.MockTransport(Server()))
    with pytest.raises(ClinicalDataError, match="with the system 'HOSP_A', issuers can name"):
        FhirSource(client=client).fetch(IMAGES)


def test_two_unmerged_patients_with_one_identifier_are_refused() -> None:
    with pytest.raises(ClinicalDataError, match="2 Patients"):
        _source(Server(_patient("p1"), _patient("p2"))).fetch(IMAGES)


def test_a_merge_is_followed_and_both_records_are_read() -> None:
    link = [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]
    server = Server(
        _patient("p1", link=link),
        _patient("p9", identifier=[{"system": "urn:hosp-a", "value": "0815"}]),
        _afp("o1", "p1", 10.0),
        _afp("o9", "p9", 20.0),
    )
    offered = _source(server).fetch(IMAGES).offered
    assert sorted(o.value for o in offered if isinstance(o, Observation)) == [10.0, 20.0]


def test_a_merge_into_somebody_else_is_refused() -> None:
    link = [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]
    stranger = _patient("p9", identifier=[], birthDate="1980-01-01")
    with pytest.raises(ClinicalDataError, match="Wrong patient: birth date"):
        _source(Server(_patient("p1", link=link), stranger)).fetch(IMAGES)


def test_the_record_of_a_patient_merged_into_this_one_is_read() -> None:
    """The images carry the surviving number; older values still lie under the replaced one."""
    link = [{"type": "replaces", "other": {"reference": "Patient/p0"}}]
    server = Server(
        _patient("p1", link=link),
        _patient("p0", identifier=[{"system": "urn:hosp-a", "value": "0815"}]),
        _afp("o0", "p0", 10.0),
    )
    offered = _source(server).fetch(IMAGES).offered
    assert [o.value for o in offered if isinstance(o, Observation)] == [10.0]


def test_a_stranger_merged_into_this_patient_is_left_out_and_named() -> None:
    link = [{"type": "replaces", "other": {"reference": "Patient/p0"}}]
    stranger = _patient("p0", identifier=[], birthDate="1980-01-01")
    server = Server(_patient("p1", link=link), stranger, _afp("o0", "p0", 10.0))
    answer = _source(server).fetch(IMAGES)
    assert answer.offered == ()
    assert "refused: merged Patient: Wrong patient: birth date" in answer.notes[1]


def test_a_server_that_ignores_the_patient_parameter_mixes_nobody_in() -> None:
    everything = [_afp("o1", "p1", 10.0), _afp("o2", "p2", 99.0)]

    def answer(request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rpartition("/")[2]
        found = [_patient("p1")] if kind == "Patient" else everything
        entries = [{"resource": r} for r in found if r["resourceType"] == kind]
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})

    client = FhirClient("https://ehr.test/fhir", transport=httpx.MockTransport(answer))
    told = FhirSource(client=client, issuers={"HOSP_A": "urn:hosp-a"}).fetch(IMAGES)
    assert [o.value for o in told.offered if isinstance(o, Observation)] == [10.0]
    assert told.notes[1] == "FHIR: refused: 1 resources of other patients"


@pytest.mark.parametrize(("kind", "is_lost"), [("Procedure", False), ("Observation", True)])
def test_a_missing_resource_type_costs_itself_and_observations_cost_all(
    kind: str, is_lost: bool
) -> None:
    server = Server(_patient("p1"), _afp("o1", "p1", 10.0))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(kind):
            return httpx.Response(403)
        return server(request)

    client = FhirClient("https://ehr.test/fhir", transport=httpx.MockTransport(answer))
    source = FhirSource(client=client, issuers={"HOSP_A": "urn:hosp-a"})
    if is_lost:
        with pytest.raises(SourceUnavailableError, match="HTTP 403"):
            source.fetch(IMAGES)
    else:
        told = source.fetch(IMAGES)
        assert len(told.offered) == 1
        assert told.notes[1] == "FHIR Procedure: clinical data not available: HTTP 403"


def test_an_endless_merge_ends() -> None:
    link = [{"type": "replaced-by", "other": {"reference": "Patient/p1"}}]
    with pytest.raises(ClinicalDataError, match="merged more than"):
        _source(Server(_patient("p1", link=link))).fetch(IMAGES)


def test_no_patient_data_in_the_answer_of_a_refusal() -> None:
    with pytest.raises(ClinicalDataError) as caught:
        _source(Server(_patient("p1", birthDate="1961-05-05"))).fetch(IMAGES)
    assert "1961" not in json.dumps(str(caught.value))
    assert "47" not in str(caught.value)


def test_ten_thousand_observations_are_read_page_by_page_within_seconds() -> None:
    everything = [_afp(f"o{number}", "p1", 10.0) for number in range(10_000)]
    pages = []

    def answer(request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rpartition("/")[2]
        if kind != "Observation":
            found = [_patient("p1")] if kind == "Patient" else []
            entries = [{"resource": resource} for resource in found]
            return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})
        start, count = int(request.url.params.get("at", "0")), int(request.url.params["_count"])
        pages.append(start)
        following = request.url.copy_set_param("at", str(start + count))
        more = start + count < len(everything)
        body = {
            "resourceType": "Bundle",
            "link": [{"relation": "next", "url": str(following)}] if more else [],
            "entry": [{"resource": resource} for resource in everything[start : start + count]],
        }
        return httpx.Response(200, json=body)

    client = FhirClient("https://ehr.test/fhir", transport=httpx.MockTransport(answer))
    started = time.process_time()
    fetched = FhirSource(client=client, issuers={"HOSP_A": "urn:hosp-a"}).fetch(IMAGES)
    assert time.process_time() - started < 10.0
    assert len(fetched.offered) == 10_000
    assert len(pages) == 50
