"""`hepatocast model`: list, show, verify and import model packages."""

import argparse
from pathlib import Path

from engine.cli.events import Reporter
from engine.cli.request import DEFAULT_MODEL
from engine.model_package.commands import (
    CommandResult,
    import_command,
    list_command,
    show_command,
    verify_command,
)
from engine.model_package.listing import list_packages
from engine.model_package.loading import embedded_models, find_package
from engine.model_package.reference import LabelAgreement
from engine.self_test import run_reference_case
from engine.values.model import SegmentationPackage


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command and its four verbs."""
    parser = commands.add_parser("model", help="list, show, verify and import model packages")
    parser.add_argument("--models", type=Path, action="append", default=[], metavar="FOLDER",
                        help="further folder of packages, searched first")  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="every package that can be found")
    listing.add_argument("--json-lines", action="store_true", help="one JSON object per package")
    for verb, text in (
        ("show", "what a package says of itself"),
        ("verify", "check its checksums and run its reference case"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument(
            "package",
            nargs="?",
            default=DEFAULT_MODEL,
            help=f"name, name@version or folder (default {DEFAULT_MODEL})",
        )
    add = verbs.add_parser("import", help="make a package of an ONNX file, nnU-Net or MONAI folder")
    add.add_argument("source", type=Path, help="ONNX file, nnU-Net v2 trained folder, MONAI bundle")
    add.add_argument("--manifest", type=Path, required=True, help="what the source cannot say")
    add.add_argument("--to", type=Path, required=True, help="folder of packages to add it to")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Run one verb and print what it says."""
    if getattr(arguments, "json_lines", False):
        return tell_packages([*arguments.models, embedded_models()], reporter)
    result = _result(arguments)
    print(result.text)
    return result.exit_code


def tell_packages(folders: list[Path], reporter: Reporter) -> int:
    """One "model" event per package; "chosen" is the one that its bare name means.

    Exits as the printed list does: 1 when a package has an unusable manifest.
    """
    packages = list_packages(folders)
    for package in packages:
        chosen = find_package(package.name, search_paths=folders)
        reporter.event(
            "model",
            package=package.name,
            version=package.version,
            kind=package.kind,
            title=package.title,
            intended_use=package.intended_use,
            limits=list(package.limits),
            problem=package.problem,
            chosen=chosen == package.folder.resolve(),
        )
    return int(any(package.problem for package in packages))


def _result(arguments: argparse.Namespace) -> CommandResult:
    folders = [*arguments.models, embedded_models()]
    if arguments.verb == "list":
        return list_command(folders)
    if arguments.verb == "show":
        return show_command(arguments.package, folders)
    if arguments.verb == "verify":
        return verify_command(arguments.package, folders, _self_test)
    return import_command(arguments.source, arguments.manifest, arguments.to)


def _self_test(package: SegmentationPackage) -> tuple[tuple[LabelAgreement, ...], str]:
    report = run_reference_case(package)
    return report.agreements, report.device.description
