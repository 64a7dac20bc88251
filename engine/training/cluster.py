"""Running cross-validation on a Dask cluster instead of this machine's processes."""

from collections.abc import Iterator
from contextlib import contextmanager

import joblib  # type: ignore[import-untyped]  # joblib ships no types

from engine.errors import InputError, InstallationError

CONNECT_SECONDS = 10


@contextmanager
def scheduler(address: str) -> Iterator[None]:
    """Send joblib's work to a Dask scheduler while the context is open.

    Every task carries its own seed and training rows, so the results are those of one
    process. The workers need this version of HepatoCast with the extra [train].

    Args:
        address: "tcp://host:8786"; empty keeps the work on this machine.

    Raises:
        InstallationError: The extra [cluster] is not installed.
        InputError: No scheduler answers at the address.
    """
    if not address:
        yield
        return
    try:
        from distributed import Client  # noqa: PLC0415 - only where a cluster is used
    except ModuleNotFoundError as missing:
        raise InstallationError(
            f"A cluster needs {missing.name}; install it with: pip install 'hepatocast[cluster]'"
        ) from missing
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address} within {CONNECT_SECONDS} s; start one with: "
            "dask scheduler"
        ) from error
    with client, joblib.parallel_config(backend="dask"):
        yield
