"""An engine that stays loaded: typed values in, scores and risk back, without waiting."""

import json
from pathlib import Path
from typing import Any

import qt

from HepatoCastLib.notice import Notice
from HepatoCastLib.run import as_bytes, make_environment


class WarmEngine:
    """``hepatocast assess --watch`` over one result; tells ``told(message)``.

    A process that ends by itself is started again with the next values.
    """

    def __init__(self) -> None:
        self.told = Notice()
        self._process: Any = None
        self._unread = b""
        self._place: tuple[str, dict[str, str], Path] | None = None

    def open(self, python: str, environment: dict[str, str], result: Path) -> None:
        """Answer for this result from now on; nothing runs before the first values."""
        self.close()
        self._place = (python, environment, result)

    def ask(self, rows: list[dict[str, str]]) -> None:
        """Hand over all values as they are typed now."""
        if self._place is None:
            return
        if self._process is None:
            self._start(*self._place)
        self._process.write(json.dumps({"values": rows}).encode() + b"\n")

    def close(self, wait_ms: int = 1000) -> None:
        """End the process; waits briefly."""
        self._place = None
        process, self._process = self._process, None
        if process is None:
            return
        process.closeWriteChannel()
        if not process.waitForFinished(wait_ms):
            process.kill()
            process.waitForFinished(wait_ms)

    def _start(self, python: str, environment: dict[str, str], result: Path) -> None:
        self._unread = b""
        process = self._process = qt.QProcess()
        process.setProcessEnvironment(make_environment(environment))
        process.connect("readyReadStandardOutput()", self._read)
        process.connect("finished(int,QProcess::ExitStatus)", self._finish)
        arguments = ["-m", "engine.cli", "assess", str(result), "--watch", "--json-lines"]
        process.start(python, arguments)

    def _read(self) -> None:
        if self._process is None:
            return
        text = self._unread + as_bytes(self._process.readAllStandardOutput())
        *lines, self._unread = text.split(b"\n")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a library talks on standard output
            self.told(message)

    def _finish(self, code: int = 0, _status: int = 0) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.deleteLater()
        self.told({"event": "assess-refused", "reason": f"the engine ended with code {code}"})
