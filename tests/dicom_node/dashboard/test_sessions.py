"""Sessions: signed, bounded in time, and slow to guess."""

from dicom_node.dashboard.sessions import GUESS_SECONDS, Sessions

TOKEN = "correct-token-000"  # noqa: S105


class Clock:
    """Seconds moved by hand."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def make() -> tuple[Sessions, Clock]:
    clock = Clock()
    return Sessions(TOKEN, hours=1.0, clock=clock), clock


def test_the_right_token_opens_a_session_for_its_time() -> None:
    sessions, clock = make()
    session = sessions.log_in(TOKEN, "a")
    assert session is not None
    assert sessions.is_valid(session)
    clock.seconds += 3601
    assert not sessions.is_valid(session)


def test_a_changed_cookie_is_no_session() -> None:
    sessions, _ = make()
    session = sessions.log_in(TOKEN, "a")
    assert session is not None
    expiry, rest = session.split(".", 1)
    assert not sessions.is_valid(f"{int(expiry) + 9999}.{rest}")
    assert not sessions.is_valid(session[:-1])
    assert not sessions.is_valid(None)
    assert not sessions.is_valid("")


def test_guessing_is_slowed_down_even_for_the_right_token() -> None:
    sessions, clock = make()
    for _ in range(5):
        assert sessions.log_in("wrong", "a") is None
    assert sessions.log_in(TOKEN, "a") is None
    assert sessions.log_in(TOKEN, "b") is not None
    clock.seconds += GUESS_SECONDS + 1
    assert sessions.log_in(TOKEN, "a") is not None


def test_an_empty_token_lets_nobody_in() -> None:
    sessions = Sessions("", hours=1.0)
    assert sessions.log_in("", "a") is None


def test_a_form_belongs_to_its_session() -> None:
    sessions, _ = make()
    one, other = sessions.log_in(TOKEN, "a"), sessions.log_in(TOKEN, "a")
    assert one is not None
    assert other is not None
    assert sessions.is_own_form(one, sessions.csrf_token(one))
    assert not sessions.is_own_form(other, sessions.csrf_token(one))
