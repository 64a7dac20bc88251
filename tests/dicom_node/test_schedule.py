"""What is asked for, when, and how much of it ahead."""

from dicom_node.schedule import ASK_AGAIN_SECONDS, Schedule, Wish
from tests.dicom_node.test_completeness import Clock


def names(wishes: list[Wish]) -> list[str]:
    return [wish.work_id for wish in wishes]


def many(_lane: str) -> int:
    return 1000


def test_a_wish_is_asked_for_once_and_again_after_a_while() -> None:
    clock = Clock()
    schedule, wishes = Schedule(clock=clock), [Wish("a", "x")]
    assert names(schedule.pick(wishes, many)) == ["a"]
    clock.seconds = ASK_AGAIN_SECONDS - 1
    assert names(schedule.pick(wishes, many)) == []
    clock.seconds = ASK_AGAIN_SECONDS
    assert names(schedule.pick(wishes, many)) == ["a"]


def test_a_pause_runs_from_the_first_sight_of_the_failure() -> None:
    clock = Clock()
    schedule = Schedule(clock=clock)
    schedule.pick([Wish("a.0", "x")], many)
    clock.seconds = 100
    again = [Wish("a.1", "x", pause_seconds=10)]
    assert names(schedule.pick(again, many)) == []
    clock.seconds = 109.9
    assert names(schedule.pick(again, many)) == []
    clock.seconds = 110
    assert names(schedule.pick(again, many)) == ["a.1"]


def test_no_more_than_the_bound_of_a_lane_is_asked_for_in_the_order_of_the_wishes() -> None:
    schedule = Schedule(clock=Clock())
    backlog = [Wish(str(n), "analysis") for n in range(100)]
    assert names(schedule.pick(backlog, lambda _: 3)) == ["0", "1", "2"]
    urgent = [Wish("now", "analysis"), *backlog]
    assert names(schedule.pick(urgent, lambda _: 3)) == []
    assert names(schedule.pick([Wish("now", "analysis"), *backlog[1:]], lambda _: 3)) == ["now"]


def test_a_lane_that_hangs_holds_up_no_other() -> None:
    schedule = Schedule(clock=Clock())
    hanging = [Wish(f"h{n}", "dead peer") for n in range(50)]
    assert len(schedule.pick(hanging, lambda _: 4)) == 4
    both = [*hanging, Wish("f", "live peer")]
    assert names(schedule.pick(both, lambda _: 4)) == ["f"]


def test_what_is_wished_no_more_is_forgotten() -> None:
    schedule = Schedule(clock=Clock())
    schedule.pick([Wish("a", "x")], many)
    schedule.pick([], many)
    assert schedule._seen == {}
    assert names(schedule.pick([Wish("a", "x")], many)) == ["a"]
