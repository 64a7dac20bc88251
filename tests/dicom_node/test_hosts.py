"""Heartbeats: the dead are found by the observer's own clock, the returned start anew."""

from dicom_node.hosts import Heartbeat
from dicom_node.index import Index
from tests.dicom_node.test_completeness import Clock


def test_a_silent_host_is_dead_after_the_time_and_not_before(index: Index) -> None:
    clock = Clock()
    ours = Heartbeat(index.engine, "a", dead_after_seconds=10, clock=clock)
    other = Heartbeat(index.engine, "b", dead_after_seconds=10, clock=clock)
    ours.register()
    other.register()
    assert ours.find_dead() == []
    clock.seconds = 9
    other.beat()
    assert ours.find_dead() == []
    clock.seconds = 19
    assert ours.find_dead() == []
    clock.seconds = 20
    assert ours.find_dead() == ["b"]


def test_a_host_that_was_buried_notices(index: Index) -> None:
    """It must not go on with work others have taken over."""
    clock = Clock()
    ours = Heartbeat(index.engine, "a", dead_after_seconds=1, clock=clock)
    other = Heartbeat(index.engine, "b", dead_after_seconds=1, clock=clock)
    ours.register()
    other.register()
    ours.find_dead()
    clock.seconds = 5
    assert ours.find_dead() == ["b"]
    ours.bury("b")
    assert not other.beat()
    assert ours.beat()


def test_a_host_never_calls_itself_dead(index: Index) -> None:
    clock = Clock()
    ours = Heartbeat(index.engine, "a", dead_after_seconds=1, clock=clock)
    ours.register()
    ours.find_dead()
    clock.seconds = 100
    assert ours.find_dead() == []


def test_a_second_process_of_the_same_name_ends_the_first(index: Index) -> None:
    first = Heartbeat(index.engine, "a", dead_after_seconds=1)
    first.register()
    Heartbeat(index.engine, "a", dead_after_seconds=1).register()
    assert not first.beat()
