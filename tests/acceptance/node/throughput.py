# ruff: noqa: T201
"""Receive throughput beside DCMTK's storescp and Orthanc, in one run, and what fsync costs.

    python -m tests.acceptance.node.throughput [--slices 300] [--repeats 3]

The sender is DCMTK's storescu with 128 KiB PDUs and TCP_NODELAY. Servers take turns, so
that a busy moment of the machine meets all of them; the best of the repeats is printed.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.dicom_node.testbed import NODE_TITLE, Node, Orthanc, free_port, make_ct, write_files

ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1", "PATH": "/usr/bin:/bin"}


class Server:
    def __init__(self, name: str) -> None:
        self.name = name

    @contextmanager
    def running(self, folder: Path) -> Iterator[int]:
        raise NotImplementedError


class Storescp(Server):
    @contextmanager
    def running(self, folder: Path) -> Iterator[int]:
        port, out = free_port(), folder / "out"
        out.mkdir()
        process = subprocess.Popen(
            ["storescp", "-aet", NODE_TITLE, "-od", out, "+B", "--fork", "-pdu", "131072",
             str(port)],
            env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(0.5)
        try:
            yield port
        finally:
            process.kill()
            process.wait()


class OrthancServer(Server):
    @contextmanager
    def running(self, folder: Path) -> Iterator[int]:
        pacs = Orthanc(folder, 104, route=False).start()
        try:
            yield pacs.dicom_port
        finally:
            pacs.stop(signal.SIGKILL)


class NodeServer(Server):
    def __init__(self, name: str, durability: str, processes: int = 1) -> None:
        super().__init__(name)
        self._settings = (
            f'known_peers_only = false\ndurability = "{durability}"\nprocesses = {processes}'
        )

    @contextmanager
    def running(self, folder: Path) -> Iterator[int]:
        node = Node(folder).configure(104, listener=self._settings)
        # The listener alone: the inbox would empty the spool while it is measured.
        node.start("--only", "listener")
        try:
            yield node.port
        finally:
            node.kill()


def send(port: int, files: list[Path], associations: int) -> float:
    """Seconds until every file was answered with Success."""
    command = ["storescu", "-aec", NODE_TITLE, "-R", "-pdu", "131072", "127.0.0.1", str(port)]
    started = time.perf_counter()
    senders = [
        subprocess.Popen(
            [*command, *files[k::associations]], env=ENVIRONMENT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for k in range(associations)
    ]  # fmt: skip
    codes = [sender.wait() for sender in senders]
    if any(codes):
        raise RuntimeError(f"storescu ended with {codes}")
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="hepatocast-throughput-"))
    servers: list[Server] = [
        Storescp("DCMTK storescp +B --fork"),
        OrthancServer("Orthanc, SQLite, no sync"),
        NodeServer("node, durability none", "none"),
        NodeServer("node, durability journal", "journal"),
        NodeServer("node, durability strict", "strict"),
        NodeServer("node, journal, 2 processes", "journal", 2),
    ]
    best: dict[tuple[str, int], float] = defaultdict(lambda: float("inf"))
    try:
        files = write_files(make_ct(slices=options.slices, size=512), work / "ct")
        volume = sum(path.stat().st_size for path in files)
        for repeat in range(options.repeats):
            for server in servers:
                for associations in (1, 4):
                    place = work / f"{repeat}-{associations}-{server.name.replace(' ', '-')}"
                    place.mkdir()
                    with server.running(place) as port:
                        seconds = send(port, files, associations)
                    shutil.rmtree(place, ignore_errors=True)
                    key = (server.name, associations)
                    best[key] = min(best[key], seconds)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{options.slices} CT instances, {volume / 1e6:.0f} MB, best of {options.repeats}")
    print(f"{'server':30} {'associations':>12} {'MB/s':>7} {'instances/s':>11} {'× Orthanc':>9}")
    for server in servers:
        for associations in (1, 4):
            seconds = best[server.name, associations]
            ratio = best[servers[1].name, associations] / seconds
            print(
                f"{server.name:30} {associations:12} {volume / 1e6 / seconds:7.0f} "
                f"{len(files) / seconds:11.0f} {ratio:9.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
