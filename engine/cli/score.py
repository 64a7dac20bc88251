"""`hepatocast score`: one published score from values typed on the command line."""

import argparse

from engine.cli.events import Reporter
from engine.clinical.commands import list_scores, score


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "score",
        help="compute one published score from typed values",
        description="hepatocast score ALBI bilirubin_total=1:mg/dL albumin=4:g/dL",
    )
    parser.add_argument("name", nargs="?", help="score; leave out to list all with their inputs")
    parser.add_argument("values", nargs="*", metavar="key=value[:unit]")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, _reporter: Reporter) -> int:
    """Compute or list."""
    print(score(arguments.name, arguments.values) if arguments.name else list_scores())
    return 0
