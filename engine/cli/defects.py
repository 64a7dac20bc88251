"""What is told of a defect of ours."""

from pathlib import Path

from engine.errors import EngineError


def defect(error: Exception) -> EngineError:
    """One line about a defect: its kind and place, never its message (it may carry PHI)."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "unknown place"
    if trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return EngineError(
        f"defect in HepatoCast ({type(error).__name__} at {place}); nothing was written; "
        "run again with --verbose before the command to see the details"
    )
