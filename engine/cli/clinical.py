"""`hepatocast clinical show`: what would be used of clinical sources, and why."""

import argparse
from datetime import date
from pathlib import Path

from engine.cli.events import Reporter
from engine.clinical.commands import show
from engine.clinical.join import availability_warnings
from engine.clinical.record_text import record_text
from engine.clinical.source_opening import SourceOptions
from engine.values.identity import PatientIdentity

EXIT_NOTHING = 1

_SOURCE_HELP = (
    "CSV, XLSX, FHIR Bundle (.json), NDJSON; https://… for a FHIR server; hl7:FILE for the "
    "messages a node stored; node:CONFIG for every source of a node; repeatable"
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("clinical", help="look at clinical values before using them")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    one = verbs.add_parser("show", help="values that would be used for a patient, and why")
    one.add_argument("--source", action="append", required=True, help=_SOURCE_HELP)
    one.add_argument("--patient", required=True, help="Patient ID as in the images")
    one.add_argument("--issuer", default="", help="Issuer of Patient ID")
    one.add_argument("--birth-date", default="", metavar="YYYYMMDD")
    one.add_argument("--sex", default="", choices=("", "F", "M", "O"))
    one.add_argument("--date", type=date.fromisoformat, help="imaging or surgery date")
    one.add_argument("--mapping", type=Path, help="TOML layout of a foreign spreadsheet")
    one.add_argument("--token-file", type=Path, help="bearer token for a FHIR server")
    one.add_argument(
        "--issuer-system",
        action="append",
        default=[],
        type=issuer_system,
        metavar="ISSUER=NAME",
        help="what the source calls an issuer: a FHIR identifier system, an HL7 authority",
    )
    one.add_argument("--time-zone", default="", help="the hospital's zone (Europe/Berlin)")
    parser.set_defaults(run=run)


def issuer_system(text: str) -> tuple[str, str]:
    """``ISSUER=NAME`` as a pair."""
    issuer, equals, name = text.partition("=")
    if not (issuer and equals and name):
        raise argparse.ArgumentTypeError("needs ISSUER=NAME")
    return issuer, name


def run(arguments: argparse.Namespace, _reporter: Reporter) -> int:
    """Print the record; 1 when no source gave anything."""
    patient = PatientIdentity(
        patient_id=arguments.patient,
        issuer_of_patient_id=arguments.issuer,
        patient_birth_date=arguments.birth_date,
        patient_sex=arguments.sex,
    )
    options = SourceOptions(
        mapping=arguments.mapping,
        token_file=arguments.token_file,
        issuers=dict(arguments.issuer_system),
        time_zone=arguments.time_zone,
    )
    record = show(arguments.source, patient, arguments.date, options)
    print(record_text(record))
    is_empty = not (record.observations or record.rejections)
    return EXIT_NOTHING if is_empty and availability_warnings(record) else 0
