# ruff: noqa: T201
"""200 studies from 4 senders, the engine replaced by a recorded result.

    python -m tests.acceptance.node.load [--studies 200] [--limit-seconds 1200]

Every tenth study is urgent by a routing rule. Prints how jobs were ordered (within a
priority: first complete, first analyzed), how long urgent and other studies waited, whether
one sender's studies waited longer than another's, and the memory of each process over time.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from pynetdicom import _config

from tests.acceptance.node.faults import SENDERS, Outcome, Senders, Site, find_processes

PARTS = ("listener", "worker", "engine")
URGENT_EVERY = 10
ROWS = 12
GROWTH_MB = 40.0
"""A process may be this much larger in the last tenth of the run than in the fourth."""
RULES = """
[[rule]]
name = "urgent"
description_contains = ["STAT"]
priority = 10
[[rule]]
name = "all"
"""

Sample = tuple[float, int, dict[str, float]]


def read_memory(site: Site) -> dict[str, float]:
    """Resident megabytes of each part, all of its processes together."""
    found = {}
    for part in PARTS:
        total = 0.0
        for pid in find_processes(site.node, part):
            try:
                total += psutil.Process(pid).memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
        found[part] = total
    return found


def watch(site: Site, senders: Senders, started: float, limit_seconds: float) -> list[Sample]:
    """Sample until every study has its end, or the time is over."""
    samples: list[Sample] = []
    while time.monotonic() - started < limit_seconds:
        left = len(site.unfinished(senders))
        samples.append((time.monotonic() - started, left, read_memory(site)))
        if not left and not senders.is_running:
            break
        time.sleep(1.0)
    return samples


def print_order(site: Site, senders: Senders) -> None:
    """Ordering and fairness, from the node's own timeline.

    Out of turn: how many places the study furthest from its turn was off.
    """
    rows = site.rows(
        "select jobs.study_uid, jobs.created_at, min(events.at) from jobs join events "
        "using (job_id) where events.kind = 'analyzing' group by job_id order by jobs.created_at"
    )
    begun = {str(study): (float(made), float(at)) for study, made, at in rows}
    print(f"\n{'studies':>10} {'number':>7} {'out of turn':>12} {'median wait':>12} {'longest':>9}")
    for name, chosen in (
        ("urgent", [v for s, v in begun.items() if s in senders.urgent]),
        ("others", [v for s, v in begun.items() if s not in senders.urgent]),
    ):
        by_start = sorted(range(len(chosen)), key=lambda n: chosen[n][1])
        furthest = max((abs(turn - n) for turn, n in enumerate(by_start)), default=0)
        waits = [at - made for made, at in chosen] or [0.0]
        print(
            f"{name:>10} {len(chosen):7} {furthest:12} {statistics.median(waits):10.1f} s "
            f"{max(waits):7.1f} s"
        )
    means = []
    for sender in range(SENDERS):
        waits = [at - made for s, (made, at) in begun.items() if senders.sender_of[s] == sender]
        means.append(statistics.mean(waits or [0.0]))
    told = ", ".join(f"{mean:.1f}" for mean in means)
    square = SENDERS * sum(m * m for m in means)
    print(f"mean wait per sender: {told} s; Jain's fairness {sum(means) ** 2 / square:.3f}")


def print_memory(samples: list[Sample]) -> list[str]:
    """Memory over time; the parts that grew."""
    print(f"\n{'s':>6} {'unfinished':>11} " + " ".join(f"{part + ' MB':>12}" for part in PARTS))
    step = max(len(samples) // ROWS, 1)
    for seconds, left, memory in [*samples[::step], samples[-1]]:
        print(f"{seconds:6.0f} {left:11} " + " ".join(f"{memory[p]:12.0f}" for p in PARTS))
    tenth = max(len(samples) // 10, 1)
    grown = []
    for part in PARTS:
        early = statistics.mean(m[part] for _, _, m in samples[3 * tenth : 4 * tenth] or samples)
        late = statistics.mean(m[part] for _, _, m in samples[-tenth:])
        if late - early > GROWTH_MB:
            grown.append(f"{part} {early:.0f} → {late:.0f} MB")
    return grown


def run(studies: int, limit_seconds: float) -> tuple[Outcome, list[str]]:
    """One run; its outcome, and what grew."""
    folder = Path(tempfile.mkdtemp(prefix="hepatocast-load-"))
    site = Site(folder, extra=RULES)
    try:
        started = time.monotonic()
        senders = Senders(site.node.port, patient="result")
        senders.start(studies, urgent_every=URGENT_EVERY)
        samples = watch(site, senders, started, limit_seconds)
        outcome = site.judge("load", senders, 0, started)
        print(f"{outcome.studies} studies in {outcome.seconds:.0f} s; {dict(outcome.ends)}")
        print(f"lost {outcome.lost}, doubled {outcome.doubled}, unfinished {outcome.unfinished}")
        print_order(site, senders)
        return outcome, print_memory(samples)
    finally:
        site.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--limit-seconds", type=float, default=1200.0)
    options = parser.parse_args()
    _config.LOG_HANDLER_LEVEL = "none"
    outcome, grown = run(options.studies, options.limit_seconds)
    print(f"\nmemory that grew by more than {GROWTH_MB:g} MB: {', '.join(grown) or 'none'}")
    return 0 if outcome.is_clean and not grown else 1


if __name__ == "__main__":
    sys.exit(main())
