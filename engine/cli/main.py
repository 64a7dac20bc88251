"""Parse the command line and hand over to one command."""

import argparse
import logging
import os
import sys

from engine.cli import (
    analyze,
    assess,
    clinical,
    compare,
    demo,
    features,
    measure,
    model,
    score,
    send,
    training,
    work,
)
from engine.cli.defects import defect
from engine.cli.events import make_reporter
from engine.cli.software import software_version
from engine.errors import EngineError

COMMANDS = (
    demo, analyze, measure,
    assess, features, compare, send, model, clinical, score, training, work,
)  # fmt: skip
EXIT_ERROR = 2
EXIT_DEFECT = 70
EXIT_CANCELED = 130


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; every command documents itself."""
    parser = argparse.ArgumentParser(
        prog="hepatocast",
        description="Liver CT analysis and prognosis after surgery for hepatocellular "
        "carcinoma. Research use only.",
    )
    parser.add_argument("--version", action="version", version=f"hepatocast {software_version()}")
    parser.add_argument("--verbose", action="store_true", help="log what the engine does")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; an engine error becomes one line and a non-zero exit code."""
    arguments = build_parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.ERROR,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # it prints values, thus patients
    logging.getLogger("highdicom").setLevel(logging.WARNING)
    reporter = make_reporter(json_lines=getattr(arguments, "json_lines", False))
    try:
        return int(arguments.run(arguments, reporter))
    except EngineError as error:
        reporter.error(error)
        return EXIT_ERROR
    except BrokenPipeError:
        # the reader of our output went away; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except Exception as error:  # the outermost edge: a defect of ours must not look like a result
        if arguments.verbose:
            raise
        reporter.error(defect(error))
        return EXIT_DEFECT
    except KeyboardInterrupt:
        print("hepatocast: canceled; nothing was written", file=sys.stderr)
        return EXIT_CANCELED
