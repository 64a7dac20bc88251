"""Which HepatoCast this is."""

from importlib.metadata import PackageNotFoundError, version


def software_version() -> str:
    """Version of the installed distribution; "0+source" in a bare checkout."""
    try:
        return version("hepatocast")
    except PackageNotFoundError:
        return "0+source"
