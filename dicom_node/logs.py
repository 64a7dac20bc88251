"""Structured logs: one JSON object per line on standard error, without PHI.

Messages carry UIDs, counts and reasons; code never logs a dataset or a name.
"""

import json
import logging
import sys
import warnings
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "role": self._role,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(level: str, role: str) -> None:
    """Log the node's own records as JSON; libraries only from WARNING.

    Python's warnings are silenced: pydicom's quote values of the dataset.
    """
    warnings.simplefilter("ignore")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("dicom_node").setLevel(level)
    for noisy in ("pynetdicom", "pydicom", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
