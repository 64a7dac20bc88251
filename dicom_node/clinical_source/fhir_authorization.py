"""How the node proves who it is to a FHIR server.

- Bearer token from a file, read again for every request so that a rotated token is used.
- SMART Backend Services (hl7.org/fhir/smart-app-launch/backend-services.html): a signed JWT is
  exchanged for an access token, which is kept until shortly before it expires.
- Mutual TLS: a client certificate in the TLS context.
"""

import ssl
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import jwt

from engine.clinical.source import SourceUnavailableError

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME_S = 240
_RENEW_BEFORE_S = 30


class BearerToken(httpx.Auth):
    """A fixed access token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token to every request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class FileToken(httpx.Auth):
    """An access token in a file that somebody else keeps fresh."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token as the file has it now."""
        try:
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceUnavailableError(
                f"the token file cannot be read ({type(error).__name__})"
            ) from error
        request.headers["Authorization"] = f"Bearer {token}"
        yield request


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendServiceClient:
    """Registration of the node at an authorization server.

    Attributes:
        token_url: Token endpoint.
        client_id: As registered.
        private_key: PEM of the registered key.
        key_id: "kid" of the registered public key.
        algorithm: RS384 or ES384, the two that SMART asks servers to support.
        scope: Scopes asked for.
    """

    token_url: str
    client_id: str
    private_key: str = field(repr=False)
    key_id: str
    algorithm: str = "RS384"
    scope: str = "system/*.read"

    def assertion(self, now: float) -> str:
        """Signed JWT that proves the client (SMART: iss = sub = client id, aud = token URL)."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.token_url,
            "exp": int(now) + _LIFETIME_S,
            "jti": str(uuid.uuid4()),
        }
        headers = {"kid": self.key_id, "typ": "JWT"}
        return jwt.encode(claims, self.private_key, algorithm=self.algorithm, headers=headers)


class SmartBackendServices(httpx.Auth):
    """Fetches an access token with a signed JWT, keeps it, and renews it once on 401."""

    def __init__(
        self, client: BackendServiceClient, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._clock = clock
        self._token = ""
        self._expires_at = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add a valid access token; ask for another when the server refuses it."""
        if not self._token or self._clock() >= self._expires_at - _RENEW_BEFORE_S:
            self._keep((yield self._token_request()))
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._keep((yield self._token_request()))
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _token_request(self) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "scope": self._client.scope,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._client.assertion(self._clock()),
        }
        return httpx.Request("POST", self._client.token_url, data=form)

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        try:
            answer = response.json() if response.is_success else {}
            token = str(answer["access_token"])
            lifetime_s = float(answer.get("expires_in", 60))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceUnavailableError(
                f"authorization server gave no access token (HTTP {response.status_code})"
            ) from None
        self._token, self._expires_at = token, self._clock() + lifetime_s


def tls_context(
    authority: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """TLS context for a FHIR server, with a client certificate where one is configured.

    Args:
        authority: PEM of the authority to trust; None for the system's.
        certificate: PEM of the client certificate for mutual TLS.
        key: PEM of its private key; None when it is in ``certificate``.
    """
    context = ssl.create_default_context(cafile=authority)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
