# ruff: noqa: T201, S311
"""Must show 2: faults at random instants, and what was lost or doubled.

    python -m tests.acceptance.node.faults [--kills 50] [--others 10] [--only NAME ...] [--seed 1]

Real processes on loopback: `hepatocast-node serve` with a recorded engine, Orthanc as the
destination, senders that repeat what was not acknowledged, as a PACS does. For every
instance that was answered with Success the command looks for its row and its file; for
every job it counts the objects in Orthanc.
"""

import argparse
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import sqlalchemy as sa
from pydicom.dataset import Dataset
from pynetdicom import AE, _config
from pynetdicom.sop_class import CTImageStorage

from tests.acceptance.node.postgres import Postgres
from tests.dicom_node.testbed import (
    NODE_TITLE,
    ORTHANC_TITLE,
    RECORDED_WORK,
    Node,
    Orthanc,
    make_ct,
)

FINAL = {"delivered", "not-analyzed", "dead-letter", "superseded"}
OBJECTS_PER_RESULT = 4
SENDERS = 4
URGENT = "CT LIVER STAT"
STILL_SECONDS = 120  # studies that make no progress for this long do not end


@dataclass
class Outcome:
    name: str
    faults: int
    studies: int
    acknowledged: int
    lost: int
    doubled: int
    unfinished: int
    seconds: float
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.unfinished)


class Senders:
    """Threads that send studies until every instance was answered with Success."""

    def __init__(
        self, port: int, *, slices: int = 4, size: int = 16, patient: str = "slow"
    ) -> None:
        self._port, self._slices, self._size, self._patient = port, slices, size, patient
        self._stop, self._lock = threading.Event(), threading.Lock()
        self.acknowledged: dict[str, str] = {}
        self.studies: set[str] = set()
        self.sender_of: dict[str, int] = {}
        self.urgent: set[str] = set()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(SENDERS)]

    def start(self, studies: int, *, urgent_every: int = 0) -> None:
        """Begin; every so manieth study is described as urgent."""
        self._left, self._urgent_every = studies, urgent_every
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, sender: int) -> None:
        while True:
            with self._lock:
                if self._left <= 0:
                    return
                self._left -= 1
                is_urgent = bool(self._urgent_every) and self._left % self._urgent_every == 0
            series = make_ct(slices=self._slices, size=self._size, patient=self._patient)
            study = str(series[0].StudyInstanceUID)
            with self._lock:
                self.studies.add(study)
                self.sender_of[study] = sender
                if is_urgent:
                    self.urgent.add(study)
            for dataset in series if is_urgent else []:
                dataset.StudyDescription = URGENT
            while series:
                series = [d for d in series if not self._send_all(series, d)]
                if series:
                    time.sleep(0.3)

    def _send_all(self, series: list[Dataset], dataset: Dataset) -> bool:
        uid = str(dataset.SOPInstanceUID)
        if uid not in self.acknowledged and dataset is series[0]:
            self._send(series)
        return uid in self.acknowledged

    def _send(self, series: list[Dataset]) -> None:
        entity = AE(ORTHANC_TITLE)
        entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 10
        entity.add_requested_context(CTImageStorage)
        association = entity.associate("127.0.0.1", self._port, ae_title=NODE_TITLE)
        if not association.is_established:
            return
        for dataset in series:
            try:
                status = association.send_c_store(dataset)
            except (RuntimeError, ValueError):
                break
            if status.get("Status") != 0:
                break
            with self._lock:
                self.acknowledged[str(dataset.SOPInstanceUID)] = str(dataset.StudyInstanceUID)
        if association.is_established:
            association.release()


class Site:
    """One scenario's node, PACS and folder."""

    def __init__(
        self, folder: Path, *, proxy: "CuttingProxy | None" = None,
        database: Postgres | None = None, **configure: str,
    ) -> None:  # fmt: skip
        self.database = database
        if database is not None:
            configure["storage"] = f'database = "{database.url}"'
        self.folder = folder
        self.node = Node(folder / "node")
        self.pacs = Orthanc(folder / "pacs", self.node.port, route=False).start()
        port = self.pacs.dicom_port
        if proxy is not None:
            proxy.target = port
            port = proxy.port
        self.node.configure(
            port, behavior="by-patient", dashboard="enabled = false", **configure
        ).start()

    def close(self) -> None:
        self.node.kill()
        self.pacs.stop(signal.SIGKILL)

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        if self.database is not None:
            return self._rows_of_postgres(sql, self.database)
        path = self.node.folder / "state" / "node.sqlite"
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            if not connection.execute("select 1 from sqlite_master where name='hosts'").fetchall():
                return []
            return connection.execute(sql).fetchall()

    def _rows_of_postgres(self, sql: str, database: Postgres) -> list[tuple[str, ...]]:
        """Rows, once the database answers again."""
        engine = sa.create_engine(database.url.replace("postgresql", "postgresql+psycopg"))
        try:
            for _ in range(60):
                try:
                    with engine.connect() as connection:
                        if not sa.inspect(connection).has_table("hosts"):
                            return []
                        return [tuple(row) for row in connection.execute(sa.text(sql))]
                except sa.exc.OperationalError:
                    time.sleep(1.0)
            raise AssertionError("PostgreSQL does not come back")
        finally:
            engine.dispose()

    def unfinished(self, senders: Senders) -> list[str]:
        jobs = self.rows("select study_uid, state from jobs order by created_at")
        latest = dict(jobs)
        alive = {study for study, state in jobs if state not in FINAL}
        return [s for s in senders.studies if s not in latest or s in alive]

    def judge(self, name: str, senders: Senders, faults: int, started: float) -> Outcome:
        """Wait for the ends, then count."""
        senders.finish()
        left, changed_at = -1, time.monotonic()
        while left and time.monotonic() - changed_at < STILL_SECONDS:
            time.sleep(0.5)
            now_left = len(self.unfinished(senders))
            if now_left != left:
                left, changed_at = now_left, time.monotonic()
        places = dict(self.rows("select sop_instance_uid, path from instances"))
        state = self.node.folder / "state"
        lost = [
            u for u in senders.acknowledged if not (u in places and (state / places[u]).exists())
        ]
        jobs = self.rows("select job_id, state, study_uid from jobs")
        delivered = {job for job, state, _ in jobs if state == "delivered"}
        ours = dict(self.rows("select sop_instance_uid, job_id from objects"))
        held = Counter(u for u in self.pacs.instance_uids() if u.startswith("2.25."))
        doubled = sum(held.values()) - len(set(held)) + len(set(held) - set(ours))
        per_job = Counter(ours[uid] for uid in held if uid in ours)
        lost += [job for job in delivered if per_job[job] != OBJECTS_PER_RESULT]
        return Outcome(
            name, faults, len(senders.studies), len(senders.acknowledged), len(lost), doubled,
            len(self.unfinished(senders)), time.monotonic() - started,
            Counter(state for _, state, _ in jobs),
        )  # fmt: skip


class CuttingProxy:
    """A TCP proxy that can cut every connection in the middle."""

    def __init__(self) -> None:
        self.target = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        self.is_down = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._open.clear()

    def _accept(self) -> None:
        while True:
            near, _ = self._server.accept()
            if self.is_down:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(2048):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            sink.close()
            source.close()


@contextmanager
def site_of(**configure: object) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="hepatocast-faults-"))
    site = Site(folder, **configure)  # type: ignore[arg-type]
    try:
        yield site
    finally:
        site.close()
        shutil.rmtree(folder, ignore_errors=True)


def kill_service(kills: int, rng: random.Random) -> Outcome:
    """Kill -9 of parent, listener, worker and engine at once, then a new start."""
    with site_of() as site:
        started = time.monotonic()
        senders = Senders(site.node.port)
        senders.start(max(kills, SENDERS))
        for _ in range(kills):
            time.sleep(rng.uniform(0.0, 4.0))
            site.node.kill()
            site.node.start()
        return site.judge("kill -9 of the whole service", senders, kills, started)


def kill_part(part: str) -> Callable[[int, random.Random], Outcome]:
    """Kill -9 of one kind of process; the service starts it again."""

    def scenario(kills: int, rng: random.Random) -> Outcome:
        with site_of() as site:
            started = time.monotonic()
            senders = Senders(site.node.port)
            senders.start(max(kills, SENDERS))
            done, deadline = 0, time.monotonic() + 300
            while done < kills and time.monotonic() < deadline:
                time.sleep(rng.uniform(0.2, 2.0))
                pids = find_processes(site.node, part)
                if pids:
                    os.kill(rng.choice(pids), signal.SIGKILL)
                    done += 1
                elif not site.unfinished(senders) and not senders.is_running:
                    break
            return site.judge(f"kill -9 of the {part}", senders, done, started)

    return scenario


def find_processes(node: Node, part: str) -> list[int]:
    """Processes of this node by the part they are, from /proc."""
    if part == "engine":
        return find_engines(node)
    needle = f"run\0{part}"
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_text(errors="replace")
            except OSError:
                continue
            if str(node.path) in line and needle in line:
                found.append(int(folder.name))
    return found


def find_engines(node: Node) -> list[int]:
    """The warm inference processes: children of the worker."""
    found = []
    for pid in find_processes(node, "worker"):
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(pid).children()
            found += [c.pid for c in children if str(RECORDED_WORK) in c.cmdline()]
    return found


@contextmanager
def movable_clock(place: Path) -> Iterator[Callable[[float], None]]:
    """The wall clock of every process started from here on; call to set its offset in hours."""

    def set_offset(hours: float) -> None:
        place.with_suffix(".new").write_text(str(int(hours * 3600)))
        place.with_suffix(".new").replace(place)

    set_offset(0)
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = str(Path(__file__).with_name("clock"))
    os.environ["HEPATOCAST_TEST_CLOCK"] = str(place)
    try:
        yield set_offset
    finally:
        os.environ.clear()
        os.environ.update(before)


def jump_clock(kills: int, rng: random.Random) -> Outcome:
    """The wall clock jumps by hours to days, both ways, with retries pending.

    Before every other jump the PACS goes away, so that deliveries wait for another try; every
    third time the worker starts anew under the moved clock. A dead letter counts as a loss
    here: nothing failed for long enough to be given up.
    """
    folder = Path(tempfile.mkdtemp(prefix="hepatocast-clock-"))
    try:
        with movable_clock(folder / "offset") as set_offset, site_of() as site:
            started = time.monotonic()
            senders = Senders(site.node.port)
            senders.start(max(kills, SENDERS))
            for number in range(kills):
                time.sleep(rng.uniform(0.5, 2.5))
                is_away = number % 2 == 0
                if is_away:
                    site.pacs.stop(signal.SIGKILL)
                    time.sleep(rng.uniform(0.5, 2.0))
                set_offset(rng.uniform(-240.0, 240.0))
                if number % 3 == 2:
                    for pid in find_processes(site.node, "worker"):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(rng.uniform(0.0, 1.0))
                if is_away:
                    site.pacs.start()
            outcome = site.judge("clock jump", senders, kills, started)
            outcome.lost += outcome.ends["dead-letter"]
            return outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kill_orthanc(kills: int, rng: random.Random) -> Outcome:
    """Kill -9 of the destination while results arrive, then a new start."""
    with site_of() as site:
        started = time.monotonic()
        senders = Senders(site.node.port)
        senders.start(max(kills, SENDERS))
        for _ in range(kills):
            time.sleep(rng.uniform(0.5, 4.0))
            site.pacs.stop(signal.SIGKILL)
            time.sleep(rng.uniform(0.0, 2.0))
            site.pacs.start()
        return site.judge("kill -9 of Orthanc", senders, kills, started)


def kill_postgres(kills: int, rng: random.Random) -> Outcome:
    """Kill -9 of PostgreSQL at any instant, then a new start with recovery."""
    database = Postgres()
    try:
        with site_of(database=database) as site:
            started = time.monotonic()
            senders = Senders(site.node.port)
            senders.start(max(kills, SENDERS))
            for _ in range(kills):
                time.sleep(rng.uniform(0.5, 5.0))
                database.kill()
                time.sleep(rng.uniform(0.5, 2.0))
                database.start()
            return site.judge("kill -9 of PostgreSQL", senders, kills, started)
    finally:
        database.close()


def cut_network(kills: int, rng: random.Random) -> Outcome:
    """Connections to the destination break in the middle; sometimes it stays unreachable."""
    proxy = CuttingProxy()
    with site_of(proxy=proxy) as site:
        started = time.monotonic()
        senders = Senders(site.node.port)
        senders.start(max(kills, SENDERS))
        for number in range(kills):
            time.sleep(rng.uniform(0.1, 1.5))
            proxy.is_down = number % 5 == 4
            proxy.cut()
            if proxy.is_down:
                time.sleep(1.0)
                proxy.is_down = False
        return site.judge("network cut within delivery", senders, kills, started)


def fill_disk(kills: int, rng: random.Random) -> Outcome:
    """The disk runs full while studies arrive and are analyzed, then has room again."""
    folder = Path(tempfile.mkdtemp(prefix="hepatocast-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=True)
    try:
        site = Site(folder, listener="minimum_free_bytes = 2000000")
        try:
            started = time.monotonic()
            senders = Senders(site.node.port, size=128)
            senders.start(max(kills, SENDERS))
            for _ in range(kills):
                time.sleep(rng.uniform(0.5, 2.0))
                filler = folder / "filler"
                with suppress(OSError), filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(65536))
                time.sleep(rng.uniform(0.5, 2.0))
                filler.unlink()
            return site.judge("disk full", senders, kills, started)
        finally:
            site.close()
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


SCENARIOS: dict[str, Callable[[int, random.Random], Outcome]] = {
    "service": kill_service,
    "worker": kill_part("worker"),
    "listener": kill_part("listener"),
    "engine": kill_part("engine"),
    "orthanc": kill_orthanc,
    "postgres": kill_postgres,
    "network": cut_network,
    "disk": fill_disk,
    "clock": jump_clock,
}


def print_table(outcomes: list[Outcome]) -> None:
    head = f"{'fault':30} {'faults':>6} {'studies':>7} {'Success':>7} {'lost':>5} {'doubled':>7}"
    print(f"{head} {'open':>5} {'s':>6}  ends of jobs")
    for o in outcomes:
        ends = ", ".join(f"{number} {state}" for state, number in sorted(o.ends.items()))
        print(
            f"{o.name:30} {o.faults:6} {o.studies:7} {o.acknowledged:7} {o.lost:5} {o.doubled:7} "
            f"{o.unfinished:5} {o.seconds:6.0f}  {ends}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kills of the whole service")
    parser.add_argument("--others", type=int, default=10, help="faults of each other kind")
    parser.add_argument("--only", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    _config.LOG_HANDLER_LEVEL = "none"
    outcomes = []
    for name in options.only:
        rng = random.Random(options.seed)
        number = options.kills if name == "service" else options.others
        outcomes.append(SCENARIOS[name](number, rng))
        print_table(outcomes[-1:])
    print()
    print_table(outcomes)
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
