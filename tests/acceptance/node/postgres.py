"""A PostgreSQL of our own on loopback, which may be killed."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.dicom_node.testbed import free_port

START = ("pg_ctl", "-D", "db", "-l", "log", "-w", "-t", "120")
ATTEMPTS = 30


class Postgres:
    """One cluster in a temporary folder; PostgreSQL refuses to run as root."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hepatocast-pg-"))
        self._tools = max(Path("/usr/lib/postgresql").iterdir()) / "bin"
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._port = free_port()
        self.url = f"postgresql://node@127.0.0.1:{self._port}/node"
        self._run("initdb", "-D", "db", "-U", "node", "-A", "trust")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", "node", "node")

    def start(self) -> None:
        """Start and wait until it answers, after a recovery if need be."""
        options = self._options()
        for attempt in range(ATTEMPTS):
            is_last = attempt == ATTEMPTS - 1
            if self._run(*START, "-o", options, "start", check=is_last) == 0:
                return
            time.sleep(1.0)  # children of a killed postmaster may still hold its memory

    def _options(self) -> str:
        return f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder}"

    def kill(self) -> None:
        """Kill -9 of the postmaster; its children end with it."""
        pid = int((self._folder / "db" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop at once and remove everything."""
        self._run("pg_ctl", "-D", "db", "-m", "immediate", "stop", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            [str(self._tools / program), *arguments],
            check=check, capture_output=True, user=self._user, cwd=self._folder,
        )  # fmt: skip
        return done.returncode
