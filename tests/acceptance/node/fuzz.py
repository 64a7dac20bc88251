# ruff: noqa: T201, S311
"""Malformed PDUs and datasets against a real listener: it stays up, its memory bounded.

    python -m tests.acceptance.node.fuzz [--cases 10000] [--seed 1]

Structure-aware: good associations, commands and datasets with lengths, types, tags and
bytes changed, cut, doubled or swapped. A C-ECHO is asked for after every 250 cases.
"""

import argparse
import random
import shutil
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from tests.acceptance.node.faults import find_processes
from tests.dicom_node.test_dimse import make_command
from tests.dicom_node.test_header import EXPLICIT, encode, make_dataset
from tests.dicom_node.test_upper_layer import make_request
from tests.dicom_node.testbed import NODE_TITLE, Node

ECHO_EVERY = 250
CONTEXT = 3
EXTREMES = (0, 1, 2, 5, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def associate_request() -> bytes:
    """A good A-ASSOCIATE-RQ for the node's title."""
    body = bytearray(make_request())
    body[4:20] = NODE_TITLE.encode().ljust(16)
    return struct.pack(">BBI", 1, 0, len(body)) + bytes(body)


def data_pdu(flags: int, data: bytes) -> bytes:
    """One P-DATA-TF with one fragment."""
    head = struct.pack(">BBI", 4, 0, len(data) + 6)
    return head + struct.pack(">IBB", len(data) + 2, CONTEXT, flags) + data


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change a few places; lengths get extreme values more often than chance would."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not changed:
            break
        place = rng.randrange(len(changed))
        kind = rng.randrange(6)
        if kind == 0:
            changed[place] = rng.randrange(256)
        elif kind == 1:
            size = rng.choice((2, 4))
            value = rng.choice(EXTREMES) & (256**size - 1)
            order = rng.choice(("big", "little"))
            changed[place : place + size] = value.to_bytes(size, order)  # type: ignore[arg-type]
        elif kind == 2:
            del changed[place : place + rng.randint(1, 64)]
        elif kind == 3:
            changed[place:place] = changed[place : place + rng.randint(1, 64)]
        elif kind == 4:
            changed[place:place] = rng.randbytes(rng.randint(1, 32))
        else:
            del changed[place:]
    return bytes(changed)


def make_case(rng: random.Random) -> tuple[str, list[bytes]]:
    """A kind of case and the byte strings that are sent one after another."""
    command, dataset = make_command(), encode(make_dataset(), EXPLICIT)
    good = associate_request()
    kind = rng.choice(("request", "pdu", "command", "dataset", "order", "noise"))
    if kind == "request":
        return kind, [mutate(good, rng)]
    if kind == "pdu":
        return kind, [good, mutate(data_pdu(3, command) + data_pdu(2, dataset), rng)]
    if kind == "command":
        return kind, [good, data_pdu(3, mutate(command, rng)), data_pdu(2, dataset)]
    if kind == "dataset":
        return kind, [good, data_pdu(3, command), data_pdu(2, mutate(dataset, rng))]
    if kind == "order":
        pieces = [data_pdu(f, d) for f in (0, 1, 2, 3) for d in (command, dataset)]
        return kind, [good, *rng.sample(pieces, 4)]
    return kind, [rng.randbytes(rng.randint(1, 2000))]


def send(port: int, parts: list[bytes]) -> str:
    """Send one case; how the listener ended it."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(0.25)
        try:
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while data := connection.recv(4096):
                answer = data
        except TimeoutError:
            return "kept open"
        except OSError:
            return "reset"
    return {b"\x07": "abort", b"\x03": "reject", b"\x04": "status", b"\x02": "accepted"}.get(
        answer[:1], "closed"
    )


def echo(port: int) -> bool:
    """Whether the listener answers."""
    entity = AE("FUZZ")
    entity.acse_timeout = entity.dimse_timeout = 10
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", port, ae_title=NODE_TITLE)
    if not association.is_established:
        return False
    fine = association.send_c_echo().get("Status") == 0
    association.release()
    return fine


def main() -> int:
    """Fuzz and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="hepatocast-fuzz-"))
    node = Node(folder).configure(104, listener="known_peers_only = false\nidle_seconds = 2")
    ends: Counter[tuple[str, str]] = Counter()
    echoes, missed, started = 0, 0, time.monotonic()
    try:
        node.start("--only", "listener")
        (pid,) = find_processes(node, "listener")
        process = psutil.Process(pid)
        first_bytes, peak_bytes = process.memory_info().rss, 0
        for number in range(options.cases):
            kind, parts = make_case(rng)
            ends[kind, send(node.port, parts)] += 1
            if number % ECHO_EVERY == ECHO_EVERY - 1:
                echoes, missed = echoes + 1, missed + (not echo(node.port))
                peak_bytes = max(peak_bytes, process.memory_info().rss)
        survived = process.is_running() and process.pid in find_processes(node, "listener")
        threads = process.num_threads()
    finally:
        node.kill()
        escaped = [p for p in folder.rglob("*.dcm") if "spool" not in p.parts]
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'case':10} {'ended by':10} {'number':>7}")
    for (kind, end), number in sorted(ends.items()):
        print(f"{kind:10} {end:10} {number:7}")
    print(
        f"{options.cases} cases in {time.monotonic() - started:.0f} s; "
        f"{echoes - missed} of {echoes} "
        f"echoes answered; same process: {survived}; memory {first_bytes / 1e6:.0f} MB → "
        f"at most {peak_bytes / 1e6:.0f} MB; {threads} threads left; {len(escaped)} files escaped"
    )
    return 0 if survived and not missed and not escaped else 1


if __name__ == "__main__":
    sys.exit(main())
