"""`hepatocast assess`: scores and risk of a finished result again, on other clinical values."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.cli.events import Reporter
from engine.cli.request import DEFAULT_RISK_MODELS
from engine.clinical.clinical_file import read_file
from engine.errors import InputError
from engine.model_package.loading import embedded_models, find_package
from engine.pipeline.reassessment import (
    AssessedPatient,
    Reassessment,
    read_patient,
    read_typed,
    reassess,
)
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package
from engine.reporting.result_json import to_plain


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "assess",
        help="scores and risk of a finished result again, on other clinical values",
        description="With --watch one line of JSON per assessment is read from standard input: "
        '{"values": [{"analyte", "value", "unit", "date"}, …]}; everything stays loaded between.',
    )
    add = parser.add_argument
    add("result", type=Path, help="result folder")
    add("--clinical", type=Path, metavar="FILE", help="CSV or XLSX with clinical values")
    add("--watch", action="store_true", help="read values from standard input until it closes")
    add("--risk", action="append", metavar="PKG", help="risk package, repeatable")
    add("--json-lines", action="store_true", help="the answer as JSON lines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Assess once, or for every line."""
    names = arguments.risk if arguments.risk is not None else DEFAULT_RISK_MODELS
    packages = [
        open_risk_package(find_package(name, search_paths=[embedded_models()]))
        for name in names
        if name
    ]
    patient = read_patient(arguments.result)
    if not arguments.watch:
        record = None
        if arguments.clinical is not None:
            person = patient.study.patient
            record = read_file(arguments.clinical, person, patient.study.day)
        tell(reassess(patient, record, packages), reporter, as_text=not arguments.json_lines)
        return 0
    reassess(patient, None, packages)  # open every graph before the first answer is waited for
    reporter.event("assess-ready")
    for line in sys.stdin:
        answer(line, patient, packages, reporter)
    return 0


def answer(
    line: str, patient: AssessedPatient, packages: Sequence[OpenRiskPackage], reporter: Reporter
) -> None:
    """Assess one line; values that cannot be used are an event, not the end."""
    start = time.perf_counter()
    try:
        rows = json.loads(line)["values"]
        record = read_typed(patient, rows) if rows else None
        outcome = reassess(patient, record, packages)
    except (ValueError, KeyError, TypeError, AttributeError):
        reporter.event("assess-refused", reason="The line is no list of values")
        return
    except InputError as error:
        reporter.event("assess-refused", reason=str(error))
        return
    tell(outcome, reporter, as_text=False, seconds=time.perf_counter() - start)


def tell(outcome: Reassessment, reporter: Reporter, *, as_text: bool, seconds: float = 0.0) -> None:
    """The answer as one event, and as lines for people."""
    fields: dict[str, Any] = to_plain(asdict(outcome))
    reporter.event("assessed", seconds=round(seconds, 4), **fields)
    if not as_text:
        return
    for score in outcome.scores:
        if score.value is not None:
            print(f"{score.name:<28} {score.value:>9.3f}  {score.category}")
    for prediction in outcome.predictions:
        print(f"{prediction.outcome} ({prediction.package}): {prediction.risk_group} risk")
    for refusal in outcome.refusals:
        print(f"Not computed: {refusal.name}: {refusal.reason}")
    for rejection in outcome.rejections:
        print(f"Not used: {rejection.analyte}: {rejection.reason}")
