"""Places on devices: bounded, the emptiest first, a suspect by itself."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dicom_node.places import NoLongerWantedError, Places


def wanted() -> bool:
    return True


def test_no_device_ever_has_more_than_its_places() -> None:
    places, lock = Places(("a", "b"), 2), threading.Lock()
    now, most = [0, 0], [0, 0]

    def study(_: int) -> None:
        with places.take(alone=False, is_wanted=wanted) as number:
            with lock:
                now[number] += 1
                most[number] = max(most[number], now[number])
            time.sleep(0.005)
            with lock:
                now[number] -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(study, range(60)))
    assert places.count == 4
    assert most == [2, 2]


def test_a_suspect_has_the_device_to_itself_and_is_not_starved() -> None:
    places, lock = Places(("a",), 3), threading.Lock()
    company: list[int] = []
    now, stop = 0, threading.Event()

    def study(*, alone: bool) -> None:
        nonlocal now
        with places.take(alone=alone, is_wanted=wanted):
            with lock:
                now += 1
                if alone:
                    company.append(now)
            time.sleep(0.01)
            with lock:
                now -= 1

    def crowd() -> None:
        while not stop.is_set():
            study(alone=False)

    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(crowd) for _ in range(5)]
        time.sleep(0.05)
        suspects = [pool.submit(study, alone=True) for _ in range(3)]
        for suspect in suspects:
            suspect.result(timeout=10)
        stop.set()
        for other in others:
            other.result(timeout=10)
    assert company == [1, 1, 1]


@pytest.mark.parametrize("alone", [True, False])
def test_a_study_withdrawn_while_it_waits_leaves_no_trace(alone: bool) -> None:
    places = Places(("a",), 1)
    with (
        places.take(alone=False, is_wanted=wanted),
        pytest.raises(NoLongerWantedError),
        places.take(alone=alone, is_wanted=lambda: False),
    ):
        raise AssertionError("there is no place")
    with places.take(alone=True, is_wanted=wanted) as number:
        assert number == 0


def test_a_place_is_given_back_after_an_error() -> None:
    places = Places(("a",), 1)
    with pytest.raises(ValueError, match="x"), places.take(alone=True, is_wanted=wanted):
        raise ValueError("x")
    with places.take(alone=False, is_wanted=wanted) as number:
        assert number == 0
