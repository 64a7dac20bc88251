"""Which device takes the next study, and how many at once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

LOOK_SECONDS = 1.0

Wanted = Callable[[], bool]


class NoLongerWantedError(Exception):
    """The study was withdrawn while it waited."""


@dataclass(slots=True)
class _Device:
    """One device's places.

    Attributes:
        taken: Studies on it.
        is_reserved: One study has it, or waits to have it, to itself.
    """

    taken: int = 0
    is_reserved: bool = False


class Places:
    """A bounded number of studies per device; a suspect gets a device to itself."""

    def __init__(self, devices: Sequence[str], each: int) -> None:
        self._devices = [_Device() for _ in devices]
        self._each = each
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """Studies that fit at once."""
        return len(self._devices) * self._each

    @contextmanager
    def take(self, *, alone: bool, is_wanted: Wanted) -> Iterator[int]:
        """Wait for a place; gives the number of its device.

        Args:
            alone: No other study may be on the device meanwhile.
            is_wanted: Asked every second of waiting.

        Raises:
            NoLongerWantedError: ``is_wanted`` said no.
        """
        number = self._reserve(is_wanted) if alone else self._wait(self._find_room, is_wanted)
        try:
            yield number
        finally:
            with self._changed:
                self._devices[number].taken -= 1
                if alone:
                    self._devices[number].is_reserved = False
                self._changed.notify_all()

    def _find_room(self) -> int | None:
        """Take a place on the emptiest device that has one."""
        free = [
            n
            for n, device in enumerate(self._devices)
            if not device.is_reserved and device.taken < self._each
        ]
        if not free:
            return None
        number = min(free, key=lambda n: self._devices[n].taken)
        self._devices[number].taken += 1
        return number

    def _reserve(self, is_wanted: Wanted) -> int:
        """Close a device to others, wait until it is empty, take it."""
        number = self._wait(self._find_unreserved, is_wanted)
        try:
            self._wait(lambda: number if not self._devices[number].taken else None, is_wanted)
        except NoLongerWantedError:
            with self._changed:
                self._devices[number].is_reserved = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._devices[number].taken = 1
        return number

    def _find_unreserved(self) -> int | None:
        free = [n for n, device in enumerate(self._devices) if not device.is_reserved]
        if not free:
            return None
        number = min(free, key=lambda n: self._devices[n].taken)
        self._devices[number].is_reserved = True
        return number

    def _wait(self, find: Callable[[], int | None], is_wanted: Wanted) -> int:
        """Repeat ``find`` under the lock until it gives a device."""
        while True:
            with self._changed:
                number = find()
                if number is None:
                    self._changed.wait(LOOK_SECONDS)
                    number = find()
                if number is not None:
                    return number
            if not is_wanted():
                raise NoLongerWantedError
