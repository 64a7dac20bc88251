"""The FHIR client is bounded and says what went wrong."""

import json
from collections.abc import Callable, Generator

import httpx
import pytest

from dicom_node.clinical_source.fhir_client import FhirClient, FhirLimits
from engine.clinical.source import SourceUnavailableError

BASE = "https://ehr.test/fhir"
Answer = Callable[[httpx.Request], httpx.Response]


def _client(answer: Answer, **limits: float) -> FhirClient:
    return FhirClient(
        BASE,
        limits=FhirLimits(**limits),  # type: ignore[arg-type]
        transport=httpx.MockTransport(answer),
        pause=lambda _: None,
    )


def _bundle(*ids: str, following: str = "") -> httpx.Response:
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": {"resourceType": "Observation", "id": key}} for key in ids]
    return httpx.Response(200, json={"resourceType": "Bundle", "link": links, "entry": entries})


def test_every_page_of_a_search_is_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "0"))
        following = f"{BASE}/Observation?page={page + 1}" if page < 2 else ""
        return _bundle(f"o{page}", following=following)

    found = _client(answer).search("Observation", {"patient": "1"})
    assert [resource["id"] for resource in found] == ["o0", "o1", "o2"]


def test_included_resources_and_outcomes_are_not_matches() -> None:
    entries = [
        {"resource": {"resourceType": "Observation", "id": "1"}, "search": {"mode": "match"}},
        {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
        {"resource": {"resourceType": "Patient"}, "search": {"mode": "include"}},
    ]
    body = {"resourceType": "Bundle", "entry": entries}
    found = _client(lambda _: httpx.Response(200, json=body)).search("Observation", {})
    assert [resource["id"] for resource in found] == ["1"]


def test_a_transient_failure_is_tried_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(429), _bundle("1")])
    assert len(_client(lambda _: next(answers)).search("Observation", {})) == 1


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(401), "HTTP 401"),
        (httpx.Response(404), "HTTP 404"),
        (httpx.Response(503), "HTTP 503"),
        (httpx.Response(302, headers={"Location": "https://evil.test/"}), "HTTP 302"),
        (httpx.Response(200, text="<html>"), "not JSON"),
        (httpx.Response(200, json=[1]), "not a FHIR resource"),
        (httpx.Response(200, json={"resourceType": "Patient"}), "not a Bundle"),
        (httpx.Response(200, json={"resourceType": "Bundle", "entry": 3}), "not a Bundle"),
    ],
)
def test_a_useless_answer_is_named(response: httpx.Response, message: str) -> None:
    with pytest.raises(SourceUnavailableError, match=message):
        _client(lambda _: response).search("Observation", {})


def test_a_permanent_refusal_is_not_repeated() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(403)

    with pytest.raises(SourceUnavailableError):
        _client(answer).search("Observation", {})
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [(httpx.ReadTimeout("slow"), "no answer within"), (httpx.ConnectError("no"), "no connection")],
)
def test_a_dead_server_is_given_up_after_the_attempts(error: Exception, message: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise error

    with pytest.raises(SourceUnavailableError, match=message):
        _client(answer, attempts=4).search("Observation", {})
    assert len(asked) == 4


def test_pages_in_a_circle_end() -> None:
    with pytest.raises(SourceUnavailableError, match="circle"):
        _client(lambda _: _bundle("1", following=f"{BASE}/Observation?page=1")).search(
            "Observation", {}
        )


def test_a_next_page_on_another_host_is_not_followed() -> None:
    """The access token would go there."""
    with pytest.raises(SourceUnavailableError, match="another host"):
        _client(lambda _: _bundle("1", following="https://evil.test/fhir?page=1")).search(
            "Observation", {}
        )


def test_too_many_resources_and_too_large_answers_are_refused() -> None:
    with pytest.raises(SourceUnavailableError, match="more than 2"):
        _client(lambda _: _bundle("1", "2", "3"), resources=2).search("Observation", {})
    with pytest.raises(SourceUnavailableError, match="too large"):
        _client(lambda _: _bundle("1"), response_bytes=10).search("Observation", {})


def test_a_search_ends_at_its_deadline() -> None:
    with pytest.raises(SourceUnavailableError, match="no time left"):
        _client(lambda _: _bundle("1"), search_s=0.0).search("Observation", {})


def test_an_invalid_id_never_becomes_a_path() -> None:
    with pytest.raises(SourceUnavailableError, match="no valid id"):
        _client(lambda _: _bundle()).read("Patient", "../admin")


def test_put_by_identifier_creates_once_and_updates_afterwards() -> None:
    stored: dict[str, dict[str, object]] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            entries = [{"resource": resource} for resource in stored.values()]
            return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})
        body = json.loads(request.content)
        if request.method == "POST":
            assert request.headers["If-None-Exist"] == "identifier=urn:x|1"
            body["id"] = "r1"
        stored[body["id"]] = body
        return httpx.Response(200, json=body)

    client = _client(answer)
    risk = {"resourceType": "RiskAssessment", "identifier": [{"system": "urn:x", "value": "1"}]}
    client.put_by_identifier(risk)
    client.put_by_identifier({**risk, "status": "preliminary"})
    assert list(stored) == ["r1"]
    assert stored["r1"]["status"] == "preliminary"


def test_the_server_may_ask_for_a_longer_pause() -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "7"}), _bundle("1")])
    pauses: list[float] = []
    client = FhirClient(
        BASE, transport=httpx.MockTransport(lambda _: next(answers)), pause=pauses.append
    )
    assert len(client.search("Observation", {})) == 1
    assert pauses == [pytest.approx(7.0, abs=0.1)]


def test_everything_about_one_patient_shares_one_deadline() -> None:
    client = _client(lambda _: _bundle("1"), fetch_s=0.0)
    with pytest.raises(SourceUnavailableError, match="no time left"):
        client.search("Observation", {}, client.deadline())


def test_an_endless_answer_to_the_authorization_is_cut_off() -> None:
    class Asking(httpx.Auth):
        requires_response_body = True

        def auth_flow(
            self, request: httpx.Request
        ) -> Generator[httpx.Request, httpx.Response, None]:
            yield request

    client = FhirClient(
        BASE,
        Asking(),
        limits=FhirLimits(response_bytes=1000),
        transport=httpx.MockTransport(lambda _: httpx.Response(401, content=b"x" * 2000)),
    )
    with pytest.raises(SourceUnavailableError, match="too large"):
        client.search("Observation", {})
