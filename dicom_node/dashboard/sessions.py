"""Login by token, signed cookies, CSRF tokens, and a brake on guessing."""

import hashlib
import hmac
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable

COOKIE = "hepatocast_session"
GUESSES, GUESS_SECONDS = 5, 60.0

Clock = Callable[[], float]


class Sessions:
    """Issues and checks sessions; nothing is stored, the signature is the proof."""

    def __init__(self, token: str, *, hours: float, clock: Clock = time.time) -> None:
        self._token = token.encode()
        self._key = hashlib.sha256(b"hepatocast session\0" + self._token).digest()
        self._lifetime = hours * 3600.0
        self._clock = clock
        self._guesses: dict[str, deque[float]] = defaultdict(deque)

    def log_in(self, token: str, address: str) -> str | None:
        """A session for the right token; None for a wrong one or too many guesses."""
        guesses, now = self._guesses[address], self._clock()
        while guesses and now - guesses[0] > GUESS_SECONDS:
            guesses.popleft()
        if len(guesses) >= GUESSES or not self._token:
            return None
        if not hmac.compare_digest(token.encode(), self._token):
            guesses.append(now)
            return None
        payload = f"{int(now + self._lifetime)}.{secrets.token_hex(16)}"
        return f"{payload}.{self._sign(payload)}"

    def is_valid(self, session: str | None) -> bool:
        """Tell whether a cookie is ours and not too old."""
        payload, _, signature = (session or "").rpartition(".")
        if not payload or not hmac.compare_digest(signature, self._sign(payload)):
            return False
        return int(payload.split(".")[0]) > self._clock()

    def csrf_token(self, session: str) -> str:
        """The token every form of this session carries."""
        return self._sign(f"csrf {session}")

    def is_own_form(self, session: str, csrf_token: str) -> bool:
        """Tell whether a form was made for this session."""
        return hmac.compare_digest(csrf_token, self.csrf_token(session))

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
