"""A program that stands in for `hepatocast work`: recorded results, many jobs, one process.

Usage: recorded_work.py BEHAVIOR [--device D] [--concurrent N]
BEHAVIOR: as of recorded_engine.py, and: die (kill -9 of the process while the job is in it),
die-once (then a file beside the study tells), deaf (a cancellation is not noticed), mute
(the process never gets ready).
"""

import argparse
import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

import recorded_engine
from pydicom import dcmread

LOCK = threading.Lock()


class CanceledError(Exception):
    """The job was canceled."""


def emit(**event: object) -> None:
    with LOCK:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("study")
    for name in ("--out", "--job-id", "--device", "--model", "--predecessor", "--refuse"):
        parser.add_argument(name)
    parser.add_argument("--rtstruct", action="store_true")
    return parser.parse_known_args(arguments)[0]


def pause(seconds: float, canceled: threading.Event) -> None:
    if canceled.wait(seconds):
        raise CanceledError


def analyze(
    options: argparse.Namespace, behavior: str, name: str, canceled: threading.Event
) -> None:
    if behavior == "by-patient":
        first = dcmread(next(iter(Path(options.study).iterdir())), stop_before_pixels=True)
        behavior = str(first.PatientID)
    behavior, _, argument = behavior.partition(":")
    steps = recorded_engine.STAGES
    for number, stage in enumerate(steps):
        emit(event="progress", job=name, stage=stage, fraction=number / len(steps), text="")
        pause(2.0 / len(steps) if behavior == "slow" else 0.0, canceled)
    if behavior == "die-once" and not (flag := Path(options.study).parent / "died").exists():
        flag.touch()
        behavior = "die"
    if behavior == "flaky" and not Path(argument).exists():
        Path(argument).touch()
        behavior = "crash"
    if options.refuse:
        behavior = "not-analyzed"
    if behavior == "die":
        pause(0.2, canceled)
        os.kill(os.getpid(), signal.SIGKILL)
    if behavior == "crash":
        emit(event="error", job=name, kind="DeviceError", message="out of memory")
        return
    if behavior == "chatter":
        sys.stdout.write("this is not JSON\n")
        sys.stdout.flush()
    if behavior == "deaf":
        time.sleep(3600)
    if behavior == "hang":
        pause(3600, canceled)
    Path(options.out).mkdir(exist_ok=True)
    if behavior == "not-analyzed":
        recorded_engine.write(options, None, ("SR", "SC"))
        reason = options.refuse or "No eligible series"
        emit(event="not-analyzed", job=name, reason=reason, path=options.out)
        return
    study = "1.2.3" if behavior == "foreign" else None
    kinds = tuple(recorded_engine.CLASSES) if options.rtstruct else recorded_engine.STANDARD
    recorded_engine.write(options, study, kinds)
    emit(event="result", job=name, path=options.out, files=[])


def work(behavior: str, jobs: "queue.SimpleQueue[tuple[str, list[str]]]", canceled: dict) -> None:  # type: ignore[type-arg]
    while True:
        name, arguments = jobs.get()
        try:
            analyze(parse(arguments), behavior, name, canceled[name])
        except CanceledError:
            emit(event="canceled", job=name)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("behavior")
    parser.add_argument("--device")
    parser.add_argument("--concurrent", type=int, default=1)
    options = parser.parse_known_args()[0]
    if options.behavior == "mute":
        emit(event="error", kind="DeviceError", message="no such device")
        return 2
    jobs: queue.SimpleQueue[tuple[str, list[str]]] = queue.SimpleQueue()
    canceled: dict[str, threading.Event] = {}
    for _ in range(options.concurrent):
        threading.Thread(target=work, args=(options.behavior, jobs, canceled), daemon=True).start()
    emit(event="ready", device=options.device)
    for line in sys.stdin:
        wish = json.loads(line)
        if "cancel" in wish:
            canceled[wish["cancel"]].set()
        else:
            canceled[wish["job"]] = threading.Event()
            jobs.put((wish["job"], wish["arguments"]))
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
