"""`hepatocast analyze`: a study in, result objects out."""

import argparse
import os
import stat
import sys
import threading
from datetime import datetime
from pathlib import Path

from engine.cli.events import Reporter
from engine.cli.findings import print_findings
from engine.cli.request import (
    DEFAULT_MODEL,
    DEFAULT_RISK_MODELS,
    Analysis,
    AnalyzeRequest,
    finish,
    start,
)
from engine.errors import InputError
from engine.pipeline.deep import BOTTLENECK
from engine.pipeline.feature_files import TableFormat
from engine.pipeline.phases import PhaseScope
from engine.reporting.composition import compose_not_analyzed
from engine.reporting.report_file import ReportFile, SegmentationType
from engine.reporting.writing import publish
from engine.values.result import NotAnalyzed

STANDARD_INPUT = 0
EXIT_NOT_ANALYZED = 3
EXIT_CANCELED = 130


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "analyze",
        help="segment liver and tumors of one CT study, measure, score and report",
        description="Analyze one study: a folder, zip or DICOMDIR; mixed series and junk are "
        "fine. Writes SEG, SR, Secondary Capture, PDF and result.json to --out, all or none.",
    )
    add_common_arguments(parser)
    parser.add_argument(
        "--refuse",
        default="",
        metavar="REASON",
        help="do not analyze; with --json-lines write 'not analyzed' objects that say why",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.set_defaults(run=run)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """What every command that makes a result from a study takes."""
    add_feature_arguments(parser)
    add = parser.add_argument
    add("study", type=Path, help="folder, zip or DICOMDIR")
    add("--out", type=Path, required=True, help="result folder; an earlier result is replaced")
    add("--model", default=DEFAULT_MODEL, help="package name[@version] or folder")
    add("--models", type=Path, action="append", default=[], help="further folder of packages")
    add(
        "--risk",
        action="append",
        metavar="PKG",
        help=f"risk package, repeatable (default {' '.join(DEFAULT_RISK_MODELS)}; '' for none)",
    )
    add(
        "--clinical",
        type=Path,
        metavar="FILE",
        help="clinical values: CSV, XLSX, FHIR Bundle (.json) or NDJSON; NAME.mapping.toml beside "
        "it tells a foreign layout",
    )
    add("--seg-type", choices=tuple(SegmentationType), default=SegmentationType.BINARY)
    add("--rtstruct", action="store_true", help="also an RT Structure Set")
    add("--unconfirmed-scores", action="store_true", help="also scores no source confirmed")
    add(
        "--json-lines",
        action="store_true",
        help="progress and result as JSON lines on standard output; closing standard input "
        "cancels; a study that cannot be analyzed gets 'not analyzed' objects and exit code 3",
    )
    add(
        "--predecessor",
        type=Path,
        action="append",
        default=[],
        metavar="SR",
        help="earlier structured report that this result supersedes, repeatable",
    )
    add("--job-id", default="", help="identity of the job; result UIDs derive from it")
    add("--created-at", type=datetime.fromisoformat, help="moment written into the results")


def add_feature_arguments(parser: argparse.ArgumentParser) -> None:
    """How features are taken and written."""
    add = parser.add_argument
    add(
        "--phases",
        choices=tuple(PhaseScope),
        default=PhaseScope.ALL,
        help="features from the segmented phase only, or from every registered phase",
    )
    add("--ring", type=float, default=10.0, metavar="MM", help="peritumoral ring; 0 for none")
    add(
        "--deep",
        nargs="?",
        const=BOTTLENECK,
        action="append",
        default=[],
        metavar="ENCODER",
        help="deep features too: an encoder package, or without a name the segmentation "
        "network's bottleneck; repeatable",
    )
    add("--deep-cache", type=Path, metavar="DIR", help="keep deep features here (256 MB at most)")
    add("--tables", choices=tuple(TableFormat), default=TableFormat.CSV, help="feature tables")


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Analyze, publish, tell."""
    if arguments.json_lines:
        cancel_when_input_closes()
    analysis = start(request_of(arguments), reporter.progress)
    try:
        outcome = finish(analysis)
    except InputError as error:
        if not arguments.json_lines:
            raise
        return publish_refusal(analysis, error, reporter)
    reporter.event("result", path=str(arguments.out), files=[describe(f) for f in outcome.files])
    if not arguments.json_lines:
        print_findings(outcome, arguments.out, sys.stdout)
    return 0


def request_of(arguments: argparse.Namespace) -> AnalyzeRequest:
    """The parsed command line as a value."""
    return AnalyzeRequest(
        study=arguments.study,
        out=arguments.out,
        model=arguments.model,
        models=tuple(arguments.models),
        risk_models=risk_models(arguments.risk),
        clinical=arguments.clinical,
        device=arguments.device,
        segmentation_type=SegmentationType(arguments.seg_type),
        rtstruct=arguments.rtstruct,
        unconfirmed_scores=arguments.unconfirmed_scores,
        predecessors=tuple(arguments.predecessor),
        refuse=getattr(arguments, "refuse", ""),
        job_id=arguments.job_id,
        phases=PhaseScope(arguments.phases),
        ring_mm=arguments.ring,
        tables=TableFormat(arguments.tables),
        deep=tuple(arguments.deep),
        deep_cache=arguments.deep_cache,
        created_at=arguments.created_at,
    )


def risk_models(named: list[str] | None) -> tuple[str, ...]:
    """The risk packages to use; an empty name means none."""
    return DEFAULT_RISK_MODELS if named is None else tuple(name for name in named if name)


def publish_refusal(analysis: Analysis, error: InputError, reporter: Reporter) -> int:
    """Silence is never an answer: write the explicit objects (DESIGN, principle 6)."""
    refusal = NotAnalyzed(
        context=analysis.context,
        study=analysis.scan.study,
        headers=(analysis.scan.series[0].instances[0].header,),
        reason=str(error),
    )
    files = compose_not_analyzed(refusal)
    publish(files, analysis.request.out)
    reporter.event(
        "not-analyzed",
        reason=str(error),
        kind=type(error).__name__,
        path=str(analysis.request.out),
        files=[describe(f) for f in files],
    )
    return EXIT_NOT_ANALYZED


def describe(file: ReportFile) -> dict[str, str]:
    """A written file, for the JSON line."""
    return {"name": file.name, "kind": file.kind, "sop_instance_uid": file.sop_instance_uid}


def cancel_when_input_closes() -> None:
    """End the process when the program that started it closes our standard input.

    Only a pipe or socket is watched: with a terminal or /dev/null nobody is holding on.
    Nothing is half-written, because results appear by rename.
    """
    mode = os.fstat(STANDARD_INPUT).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def watch() -> None:
        while os.read(STANDARD_INPUT, 4096):
            pass
        os._exit(EXIT_CANCELED)

    threading.Thread(target=watch, name="cancel-watch", daemon=True).start()
