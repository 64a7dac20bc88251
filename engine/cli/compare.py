"""`hepatocast compare`: two results of one patient held against each other."""

import argparse
import hashlib
import re
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from engine.cli.events import Reporter
from engine.cli.software import software_version
from engine.clinical.clinical_file import content_of
from engine.errors import ComparisonError
from engine.followup.response import Viable
from engine.model_package.loading import embedded_models, find_package
from engine.pipeline import Stopwatch
from engine.pipeline.comparison import ComparisonSettings, compare_examinations
from engine.pipeline.examination import Examination, read_examination
from engine.prognosis.prediction import open_risk_package
from engine.reporting.comparison_report import comparison_sentences, compose_comparison
from engine.reporting.writing import check_destination, publish
from engine.values.provenance import AnalysisContext

DYNAMIC_MODEL = "dynamic_os"
VIABLE = re.compile(r"(baseline|followup):(\d+)=(\d+(?:\.\d+)?)")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "compare",
        help="match the lesions of two examinations and apply RECIST 1.1 and mRECIST",
        description="Takes two result folders of one patient, the earlier one first.",
    )
    add = parser.add_argument
    add("baseline", type=Path, help="result folder of the earlier examination")
    add("followup", type=Path, help="result folder of the later examination")
    add("--out", type=Path, required=True, help="folder for result.json and report.pdf")
    add("--baseline-study", type=Path, metavar="STUDY", help="its images, for the registration")
    add("--followup-study", type=Path, metavar="STUDY", help="its images, for the registration")
    add("--nadir-mm", type=float, help="smallest sum of target diameters in between")
    add(
        "--viable",
        action="append",
        default=[],
        metavar="WHEN:N=MM",
        help="viable diameter of a lesion for mRECIST, measured by a reader, as in "
        "baseline:1=31.5 or followup:2=0; repeatable",
    )
    add("--clinical", type=Path, metavar="FILE", help="values over time, for dynamic risk")
    add("--risk", action="append", metavar="PKG", help=f"risk package (default {DYNAMIC_MODEL} "
        "with --clinical)")  # fmt: skip
    add("--json-lines", action="store_true", help="progress and result as JSON lines")
    add("--job-id", default="", help="identity of the job")
    add("--created-at", type=datetime.fromisoformat, help="moment written into the results")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Compare, publish, tell."""
    check_destination(arguments.out)
    settings = settings_of(arguments)
    watch = Stopwatch(reporter.progress, time.perf_counter)
    with watch.stage("results"):
        baseline = read_examination(arguments.baseline, arguments.baseline_study)
        followup = read_examination(arguments.followup, arguments.followup_study)
    comparison = compare_examinations(baseline, followup, settings, watch)
    context = AnalysisContext(
        job_id=arguments.job_id or job_id(baseline, followup, arguments),
        created_at=arguments.created_at or datetime.now(UTC).replace(microsecond=0),
        software_version=software_version(),
    )
    with watch.stage("reporting"):
        files = compose_comparison(comparison, followup.patient, context)
        publish(files, arguments.out)
    reporter.event("result", path=str(arguments.out), files=[{"name": f.name} for f in files])
    if not arguments.json_lines:
        print("\n".join(["", *comparison_sentences(comparison), ""]))
        print("\n".join(f"  {file.kind:<5} {arguments.out / file.name}" for file in files))
    return 0


def settings_of(arguments: argparse.Namespace) -> ComparisonSettings:
    """The parsed options as a value; opens the risk packages.

    Raises:
        ComparisonError: An option makes no sense.
        ModelPackageError: A risk package cannot be used.
    """
    if arguments.nadir_mm is not None and not arguments.nadir_mm >= 0:
        raise ComparisonError(f"--nadir-mm must be 0 or more, got {arguments.nadir_mm}")
    if (arguments.baseline_study is None) != (arguments.followup_study is None):
        raise ComparisonError("Give the images of both examinations, or of neither")
    named = arguments.risk if arguments.risk is not None else [DYNAMIC_MODEL]
    packages = [] if arguments.clinical is None else named
    return ComparisonSettings(
        earlier_nadir_mm=arguments.nadir_mm,
        viable=viable_of(arguments.viable),
        clinical_file=arguments.clinical,
        risk_packages=tuple(
            open_risk_package(find_package(name, search_paths=[embedded_models()]))
            for name in packages
        ),
    )


def viable_of(words: list[str]) -> Viable | None:
    """Viable diameters by examination and lesion.

    Raises:
        ComparisonError: A word that is none.
    """
    if not words:
        return None
    found: dict[str, dict[int, float]] = {"baseline": {}, "followup": {}}
    for word in words:
        parts = VIABLE.fullmatch(word)
        if parts is None:
            raise ComparisonError(f"--viable {word!r}: expected as baseline:1=31.5")
        found[parts[1]][int(parts[2])] = float(parts[3])
    return Viable(baseline=found["baseline"], followup=found["followup"])


def job_id(baseline: Examination, followup: Examination, arguments: argparse.Namespace) -> str:
    """The same two results and options give the same identity."""
    digest = hashlib.sha256()
    parts = (
        str(baseline.document["job_id"]),
        str(followup.document["job_id"]),
        str(arguments.nadir_mm),
        *arguments.viable,
        str(arguments.baseline_study is not None),
        software_version(),
    )
    for part in parts:
        digest.update(part.encode() + b"\0")
    if arguments.clinical is not None and arguments.clinical.is_file():
        digest.update(content_of(arguments.clinical))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))
