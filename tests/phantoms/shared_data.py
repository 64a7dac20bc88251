"""The data folder beside the project: real CT, cohorts, reference values."""

from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared(*parts: str) -> Path:
    """A path below ../shared; an error that says so when the folder is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: this test needs the data folder beside the checkout"
        )
    return path
