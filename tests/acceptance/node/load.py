# ruff: noqa: T201
"""200 studies from 4 senders, the engine replaced by a recorded result.

    python -m tests.acceptance.node.load [--studies 200]

Prints how jobs were ordered (within a priority: first complete, first analyzed), how long
studies waited, and the memory of each process at the first and the last tenth.
"""

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from pynetdicom import _config

from tests.acceptance.node.faults import Senders, Site, find_processes

PARTS = ("listener", "worker")


def main() -> int:
    """Run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    options = parser.parse_args()
    _config.LOG_HANDLER_LEVEL = "none"
    folder = Path(tempfile.mkdtemp(prefix="hepatocast-load-"))
    site = Site(folder)
    memory: dict[str, list[float]] = {part: [] for part in PARTS}
    try:
        started = time.monotonic()
        senders = Senders(site.node.port, patient="result")
        senders.start(options.studies)
        processes = {part: psutil.Process(find_processes(site.node, part)[0]) for part in PARTS}
        while senders.is_running or site.unfinished(senders):
            for part, process in processes.items():
                memory[part].append(process.memory_info().rss / 1e6)
            time.sleep(1.0)
        outcome = site.judge("load", senders, 0, started)
        starts = site.rows(
            "select jobs.created_at, min(events.at) from jobs join events using (job_id) "
            "where events.kind = 'analyzing' group by job_id order by jobs.created_at"
        )
    finally:
        site.close()
        shutil.rmtree(folder, ignore_errors=True)
    begun = [float(row[1]) for row in starts]
    waits = [float(row[1]) - float(row[0]) for row in starts]
    swapped = sum(later < earlier for earlier, later in itertools.pairwise(begun))
    print(f"{outcome.studies} studies in {outcome.seconds:.0f} s; {dict(outcome.ends)}")
    print(f"lost {outcome.lost}, doubled {outcome.doubled}, unfinished {outcome.unfinished}")
    print(f"neighbors analyzed out of order: {swapped} of {len(begun) - 1}")
    print(
        f"wait for the engine: median {statistics.median(waits):.1f} s, longest {max(waits):.1f} s"
    )
    for part, samples in memory.items():
        tenth = max(len(samples) // 10, 1)
        first, last = statistics.mean(samples[:tenth]), statistics.mean(samples[-tenth:])
        print(
            f"memory of the {part}: {first:.0f} MB → {last:.0f} MB, at most {max(samples):.0f} MB"
        )
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
