"""Long work in short steps between the events of the user interface."""

import time
from collections.abc import Callable, Iterator

import qt

from HepatoCastLib.errors import PanelError

BUDGET_SECONDS = 0.012


class StepPump:
    """Runs steps for a few milliseconds per turn of the event loop, one list at a time."""

    def __init__(self) -> None:
        self._stopped = False

    def __call__(
        self,
        steps: Iterator[None],
        done: Callable[[], None],
        failed: Callable[[PanelError], None],
    ) -> None:
        """Run all steps without blocking, then call one of the two."""
        qt.QTimer.singleShot(0, lambda: self._turn(steps, done, failed))

    def stop(self) -> None:
        """Run no further step; the panel goes away."""
        self._stopped = True

    def _turn(
        self,
        steps: Iterator[None],
        done: Callable[[], None],
        failed: Callable[[PanelError], None],
    ) -> None:
        if self._stopped:
            return
        end = time.perf_counter() + BUDGET_SECONDS
        try:
            while time.perf_counter() < end:
                next(steps)
        except StopIteration:
            done()
            return
        except PanelError as error:
            failed(error)
            return
        except Exception:
            # A defect of ours: free the panel, then let Slicer's log have the traceback.
            failed(PanelError("a defect of HepatoCast; see the error log"))
            raise
        self(steps, done, failed)
