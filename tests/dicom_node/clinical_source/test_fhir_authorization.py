"""Bearer, SMART Backend Services, mutual TLS."""

import datetime
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dicom_node.clinical_source.fhir_authorization import (
    BackendServiceClient,
    BearerToken,
    FileToken,
    SmartBackendServices,
    tls_context,
)
from dicom_node.clinical_source.fhir_client import FhirClient, FhirLimits
from engine.clinical.source import SourceUnavailableError

BASE = "https://ehr.test/fhir"
TOKEN_URL = "https://login.test/token"  # noqa: S105 - an address, not a secret
EMPTY = {"resourceType": "Bundle", "entry": []}
KEY = ec.generate_private_key(ec.SECP384R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class Login:
    """Authorization server and FHIR server in one; tokens count up."""

    def __init__(self) -> None:
        self.issued = 0
        self.revoked: set[str] = set()
        self.broken = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if str(request.url) == TOKEN_URL:
            return self._issue(parse_qs(request.content.decode()))
        token = request.headers.get("Authorization", "")
        valid = token == f"Bearer t{self.issued}" and token not in self.revoked
        return httpx.Response(200, json=EMPTY) if valid else httpx.Response(401)

    def _issue(self, form: dict[str, list[str]]) -> httpx.Response:
        if self.broken:
            return httpx.Response(400, json={"error": "invalid_client"})
        claims = jwt.decode(
            form["client_assertion"][0],
            KEY.public_key(),
            algorithms=["ES384"],
            audience=TOKEN_URL,
            options={"require": ["exp", "jti", "iss", "sub"], "verify_exp": False},
        )
        assert claims["iss"] == claims["sub"] == "hepatocast"
        assert form["grant_type"] == ["client_credentials"]
        self.issued += 1
        return httpx.Response(200, json={"access_token": f"t{self.issued}", "expires_in": 300})


def _smart(login: Login, now: list[float]) -> FhirClient:
    registration = BackendServiceClient(
        token_url=TOKEN_URL,
        client_id="hepatocast",
        private_key=_pem(KEY).decode(),
        key_id="k1",
        algorithm="ES384",
    )
    return FhirClient(
        BASE,
        SmartBackendServices(registration, clock=lambda: now[0]),
        transport=httpx.MockTransport(login),
        pause=lambda _: None,
    )


def test_a_signed_assertion_buys_one_token_for_many_requests() -> None:
    login, now = Login(), [1e9]
    client = _smart(login, now)
    client.search("Patient", {})
    client.search("Patient", {})
    assert login.issued == 1
    now[0] += 290.0
    client.search("Patient", {})
    assert login.issued == 2


def test_a_refused_token_is_renewed_once() -> None:
    login = Login()
    client = _smart(login, [1e9])
    client.search("Patient", {})
    login.revoked.add("Bearer t1")
    client.search("Patient", {})
    assert login.issued == 2


def test_no_token_is_a_source_that_is_not_available() -> None:
    login = Login()
    login.broken = True
    with pytest.raises(SourceUnavailableError, match="no access token"):
        _smart(login, [1e9]).search("Patient", {})


def test_a_bearer_token_goes_with_every_request_and_never_into_a_repr() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        told = request.headers.get("Authorization") == "Bearer secret-token"
        return httpx.Response(200, json=EMPTY) if told else httpx.Response(401)

    authorization = BearerToken("secret-token")
    client = FhirClient(BASE, authorization, transport=httpx.MockTransport(answer))
    assert client.search("Patient", {}) == []
    assert "secret" not in repr(authorization)


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(_pem(key))
    return paths


class EmptyBundles(http.server.BaseHTTPRequestHandler):
    """A FHIR server that knows nothing."""

    def do_GET(self) -> None:
        """Answer with an empty Bundle."""
        body = b'{"resourceType": "Bundle", "entry": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class QuietServer(http.server.HTTPServer):
    """A server that does not print refused handshakes."""

    def handle_error(self, *_: object) -> None:
        """The client's error is what the test looks at."""


@pytest.fixture
def mutual(tmp_path: Path) -> Iterator[tuple[str, Path, tuple[Path, Path]]]:
    """A TLS server that wants the client's certificate: URL, authority, client certificate."""
    certificate, key = _certificate(tmp_path, "server")
    client = _certificate(tmp_path, "client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client[0])
    context.verify_mode = ssl.CERT_REQUIRED
    server = QuietServer(("127.0.0.1", 0), EmptyBundles)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}/fhir", certificate, client
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_mutual_tls_lets_the_known_client_in_and_nobody_else(
    mutual: tuple[str, Path, tuple[Path, Path]],
) -> None:
    url, authority, (certificate, key) = mutual
    limits = FhirLimits(attempts=1, request_s=5.0)
    known = FhirClient(url, tls=tls_context(authority, certificate, key), limits=limits)
    assert known.search("Patient", {}) == []
    known.close()
    stranger = FhirClient(url, tls=tls_context(authority), limits=limits)
    with pytest.raises(SourceUnavailableError):
        stranger.search("Patient", {})
    stranger.close()


def test_a_rotated_token_file_is_used_at_once_and_a_missing_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "token"
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json={"resourceType": "Bundle"})

    client = FhirClient(
        "https://ehr.test/fhir", FileToken(file), transport=httpx.MockTransport(answer)
    )
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        client.search("Observation", {})
    assert seen == ["Bearer one", "Bearer two"]
    file.unlink()
    with pytest.raises(SourceUnavailableError, match="token file cannot be read"):
        client.search("Observation", {})
