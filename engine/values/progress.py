"""How long work tells where it stands."""

from typing import Protocol


class Progress(Protocol):
    """Called by one stage: the fraction of it that is done, and what it is doing."""

    def __call__(self, fraction: float, text: str = "") -> None:
        """Take note; ``fraction`` runs from 0 to 1."""


class StageProgress(Protocol):
    """Called by the pipeline: the same, with the stage's name."""

    def __call__(self, stage: str, fraction: float, text: str = "") -> None:
        """Take note."""


def silent(fraction: float, text: str = "") -> None:
    """Ignore progress."""
