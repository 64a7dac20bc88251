"""SimpleITK on one thread while a result must not depend on how work was split."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk

_lock = threading.Lock()
_users: list[int] = []
"""Thread count to go back to, once per user; SimpleITK has one count for the whole process."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Run SimpleITK filters on one thread each; may be entered from several threads at once.

    Sums over threads round differently from run to run; with one thread a registration gives the
    same bits every time. The count is restored when the last user leaves.
    """
    with _lock:
        _users.append(
            _users[-1] if _users else sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        )
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        with _lock:
            count = _users.pop()
            if not _users:
                sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
