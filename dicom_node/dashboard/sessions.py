"""Login by token, signed cookies, CSRF tokens, and a brake on guessing."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable

import sqlalchemy as sa

from dicom_node.schema import ended_sessions

GUESSES, GUESS_SECONDS = 5, 60.0
# Guesses of all addresses together; a token of 16 characters outlasts this for ever.
ALL_GUESSES = 100
REMEMBERED_ADDRESSES = 1024

Clock = Callable[[], float]


def cookie_name(*, is_secure: bool) -> str:
    """Name of the session's cookie; the prefix binds it to this host over TLS (RFC 6265bis)."""
    return "__Host-hepatocast_session" if is_secure else "hepatocast_session"


class Sessions:
    """Issues and checks sessions; the signature is the proof, only ended ones are stored."""

    def __init__(
        self,
        token: str,
        *,
        hours: float,
        engine: sa.Engine | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._token = token.encode()
        self._key = hashlib.sha256(b"hepatocast session\0" + self._token).digest()
        self._lifetime = hours * 3600.0
        self._engine, self._clock = engine, clock
        self._guesses: OrderedDict[str, deque[float]] = OrderedDict()

    def log_in(self, token: str, address: str) -> str | None:
        """A session for the right token; None for a wrong one or too many guesses.

        Every login makes a new session, so none can be planted beforehand.
        """
        now = self._clock()
        guesses = self._recent_guesses(address, now)
        everywhere = sum(len(found) for found in self._guesses.values())
        if len(guesses) >= GUESSES or everywhere >= ALL_GUESSES or not self._token:
            return None
        if not hmac.compare_digest(token.encode(), self._token):
            guesses.append(now)
            return None
        payload = f"{int(now + self._lifetime)}.{secrets.token_hex(16)}"
        return f"{payload}.{self._sign(payload)}"

    def _recent_guesses(self, address: str, now: float) -> deque[float]:
        """Wrong tokens of an address within the last minute; old ones are forgotten."""
        for name in list(self._guesses):
            found = self._guesses[name]
            while found and now - found[0] > GUESS_SECONDS:
                found.popleft()
            if not found:
                del self._guesses[name]
        guesses = self._guesses.setdefault(address, deque())
        while len(self._guesses) > REMEMBERED_ADDRESSES:
            self._guesses.popitem(last=False)
        return guesses

    def is_valid(self, session: str | None) -> bool:
        """Tell whether a cookie is ours, not too old and not logged out."""
        payload, _, signature = (session or "").rpartition(".")
        expected = self._sign(payload)
        if not payload or not hmac.compare_digest(signature.encode(), expected.encode()):
            return False
        return int(payload.split(".")[0]) > self._clock() and not self._has_ended(session or "")

    def end(self, session: str) -> None:
        """Log out: the cookie is worth nothing any more, wherever a copy of it is."""
        if self._engine is None:
            return
        until = float(session.split(".", maxsplit=1)[0])
        with self._engine.begin() as connection:
            connection.execute(
                ended_sessions.delete().where(ended_sessions.c.until < self._clock())
            )
            if not self._has_ended(session):
                row = {"digest": _digest(session), "until": until}
                connection.execute(ended_sessions.insert().values(row))

    def _has_ended(self, session: str) -> bool:
        if self._engine is None:
            return False
        query = sa.select(ended_sessions.c.until).where(ended_sessions.c.digest == _digest(session))
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def csrf_token(self, session: str) -> str:
        """The token every form of this session carries."""
        return self._sign(f"csrf {session}")

    def is_own_form(self, session: str, csrf_token: str) -> bool:
        """Tell whether a form was made for this session."""
        expected = self.csrf_token(session)
        return hmac.compare_digest(csrf_token.encode(), expected.encode())

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
