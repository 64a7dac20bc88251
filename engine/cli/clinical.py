"""`hepatocast clinical show`: what would be used of a clinical file, and why."""

import argparse
from datetime import date
from pathlib import Path

from engine.cli.events import Reporter
from engine.clinical.commands import show
from engine.values.identity import PatientIdentity


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("clinical", help="look at clinical values before using them")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    one = verbs.add_parser("show", help="values that would be used for a patient, and why")
    one.add_argument("--source", type=Path, required=True, help="CSV, XLSX, FHIR Bundle or NDJSON")
    one.add_argument("--mapping", type=Path, help="TOML layout of a foreign spreadsheet")
    one.add_argument("--patient", required=True, help="Patient ID as in the images")
    one.add_argument("--issuer", default="", help="Issuer of Patient ID")
    one.add_argument("--birth-date", default="", metavar="YYYYMMDD")
    one.add_argument("--sex", default="", choices=("", "F", "M", "O"))
    one.add_argument("--date", type=date.fromisoformat, help="imaging or surgery date")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, _reporter: Reporter) -> int:
    """Print the record."""
    patient = PatientIdentity(
        patient_id=arguments.patient,
        issuer_of_patient_id=arguments.issuer,
        patient_birth_date=arguments.birth_date,
        patient_sex=arguments.sex,
    )
    print(show(arguments.source, patient, arguments.date, arguments.mapping))
    return 0
