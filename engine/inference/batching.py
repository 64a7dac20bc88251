"""One thread owns a device; windows that wait there at the same time run as one batch.

Studies that are analyzed side by side each walk through their own windows. While the device
works, further windows arrive; those for the same graph and of the same shape go together in
the next run. Nobody waits for a batch to fill. On the CPU a batch gives the same bits as its
windows alone (measured with onnxruntime 1.32 on the embedded networks, batches of 2 and 4);
it also costs 18 to 34 % more CPU time there, so batches are for accelerators.
"""

import logging
import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import DeviceError, EngineError
from engine.inference.session import Session

log = logging.getLogger(__name__)

WAITING_WINDOWS = 64
"""More windows than this never wait: whoever brings the next one is held up instead."""
CPU_BATCH, ACCELERATOR_BATCH = 1, 4


def default_batch(execution_provider: str) -> int:
    """Most windows in one run: one on the CPU, where a batch gains nothing."""
    return CPU_BATCH if execution_provider == "CPUExecutionProvider" else ACCELERATOR_BATCH


@dataclass(slots=True, eq=False)
class _Window:
    """One array on its way through a graph.

    Attributes:
        error: What kept it from running; raised where the array came from.
    """

    session: Session
    array: NDArray[np.float32]
    most: int
    done: threading.Event = field(default_factory=threading.Event)
    result: NDArray[np.float32] | None = None
    error: BaseException | None = None

    def fits(self, other: "_Window") -> bool:
        """Whether both can run together."""
        return self.session is other.session and self.array.shape[1:] == other.array.shape[1:]


class DeviceQueue:
    """The windows that wait for one device, and the thread that runs them.

    Attributes:
        runs: Session runs so far.
        windows: Windows that ran in them.
    """

    def __init__(self, *, limit: int = WAITING_WINDOWS) -> None:
        self._limit = limit
        self._waiting: deque[_Window] = deque()
        self._changed = threading.Condition()
        self.runs = self.windows = 0
        threading.Thread(target=self._work, name="device", daemon=True).start()

    def run(self, session: Session, array: NDArray[np.float32], most: int) -> NDArray[np.float32]:
        """Run one array through a session, alone or with others.

        Raises:
            EngineError: As ``Session.run`` for this array.
        """
        window = _Window(session, array, most)
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < self._limit)
            self._waiting.append(window)
            self._changed.notify_all()
        window.done.wait()
        if window.error is not None:
            raise window.error
        if window.result is None:
            raise DeviceError("The device gave no result; report this with the engine's version")
        return window.result

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                batch = self._take()
                self._changed.notify_all()
            self._run(batch)

    def _take(self) -> list[_Window]:
        """The oldest window, and others that fit beside it."""
        first = self._waiting.popleft()
        batch = [first]
        room = first.most - len(first.array)
        for window in [w for w in self._waiting if w.fits(first)]:
            if len(window.array) <= room:
                batch.append(window)
                self._waiting.remove(window)
                room -= len(window.array)
        return batch

    def _run(self, batch: list[_Window]) -> None:
        """Run a batch; when the device refuses it whole, run its windows one by one."""
        try:
            self._run_together(batch)
        except DeviceError as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                log.warning("A batch of %d windows failed; running them alone", len(batch))
                for window in batch:
                    self._run([window])
        except Exception as error:  # noqa: BLE001 - belongs to the threads that wait
            for window in batch:
                window.error = error
        for window in batch:
            window.done.set()

    def _run_together(self, batch: list[_Window]) -> None:
        arrays = [window.array for window in batch]
        stacked = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        results = Session.run(batch[0].session, stacked)
        self.runs, self.windows = self.runs + 1, self.windows + len(batch)
        if len(results) != len(stacked):
            raise EngineError(f"A batch of {len(stacked)} windows gave {len(results)} results")
        start = 0
        for window in batch:
            window.result = results[start : start + len(window.array)]
            start += len(window.array)


class SharedSession(Session):
    """A session whose windows go through its device's queue; safe for many threads."""

    def __init__(self, session: Session, device_queue: DeviceQueue, *, most: int) -> None:
        """Share a session.

        Args:
            session: The opened graph.
            device_queue: The queue of the device it was opened on.
            most: Most windows in one run; a graph with a fixed batch axis takes one.
        """
        super().__init__(session._native, session.device, session._file_name)
        self._queue = device_queue
        self.most = most if self.inputs[0].shape[0] is None else 1

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """As ``Session.run``, perhaps together with windows of other studies."""
        return self._queue.run(self, array, self.most)
