"""A PostgreSQL of our own on loopback, which may be killed."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.dicom_node.testbed import free_port


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
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        self._run("pg_ctl", "-D", "db", "-o", options, "-l", "log", "-w", "-t", "120", "start")

    def kill(self) -> None:
        """Kill -9 of the postmaster; its children end with it."""
        pid = int((self._folder / "db" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop at once and remove everything."""
        self._run("pg_ctl", "-D", "db", "-m", "immediate", "stop", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        subprocess.run(
            [str(self._tools / program), *arguments],
            check=check, capture_output=True, user=self._user, cwd=self._folder,
        )  # fmt: skip
