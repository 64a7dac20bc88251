"""`hepatocast demo`: a synthetic study, analyzed and held against its truth."""

import argparse
import sys
from functools import partial
from pathlib import Path

from engine.cli.events import Reporter
from engine.cli.findings import print_findings
from engine.cli.request import AnalyzeRequest, finish, start
from engine.demo.self_check import check_analysis
from engine.demo.study import write_demo_study

EXIT_CHECK_FAILED = 4


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "demo",
        help="write a synthetic four-phase liver CT, analyze it, check against its truth",
        description="Everything HepatoCast does, without any patient: a synthetic study is "
        "written as DICOM, analyzed with the embedded model and compared with its truth.",
    )
    parser.add_argument("--out", type=Path, default=Path("demo-output"))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Write, analyze, compare; exit 4 when the check fails."""
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    study = write_demo_study(
        out / "study",
        progress=partial(reporter.progress, "phantom"),
    )
    request = AnalyzeRequest(
        study=study.dicom_folder,
        out=out / "result",
        clinical=study.clinical_file,
        device=arguments.device,
    )
    outcome = finish(start(request, reporter.progress))
    print_findings(outcome, request.out, sys.stdout)
    findings = outcome.result.findings
    check = check_analysis(study.truth, findings.liver, findings.lesion_labels, findings.geometry)
    print(f"\n{check.table()}")
    return 0 if check.passed else EXIT_CHECK_FAILED
