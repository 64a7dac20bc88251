# ruff: noqa: T201  (a command prints)
"""`hepatocast-node`: what a hospital runs."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from dicom_node.backfill import Backfill
from dicom_node.check import check_node
from dicom_node.configuration import describe_settings, load_configuration
from dicom_node.errors import ConfigurationError, NodeError
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.logs import set_up_logs
from dicom_node.peers import PeerClient
from dicom_node.routing import describe_plan, explain
from dicom_node.schema import create_tables, open_database
from dicom_node.service import ROLES, run_role, serve
from dicom_node.settings import Configuration

Command = Callable[[argparse.Namespace, Configuration], int]
DEFAULT_CONFIG = "/etc/hepatocast/node.toml"


def main(arguments: list[str] | None = None) -> int:
    """Parse, call, print; 0 fine, 1 not found or faults, 2 unusable configuration."""
    options = _make_parser().parse_args(arguments)
    if options.command == "configuration":
        print("\n".join(describe_settings()))
        return 0
    try:
        configuration = load_configuration(options.config, os.environ)
    except ConfigurationError as error:
        print(f"The configuration {options.config} has faults:\n{error}", file=sys.stderr)
        return 2
    set_up_logs(configuration.log_level, getattr(options, "role", options.command))
    run: Command = options.run
    try:
        return run(options, configuration)
    except NodeError as error:
        print(f"{error}", file=sys.stderr)
        return 1


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hepatocast-node", description=__doc__)
    parser.add_argument(
        "--config",
        type=Path,
        default=Path(os.environ.get("HEPATOCAST_NODE_CONFIG", DEFAULT_CONFIG)),
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str, run: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    command = add("serve", "Run the node.", _serve)
    command.add_argument("--only", choices=ROLES, help="Run one part, supervised.")
    add("run", "Be one process of the node.", _run).add_argument("role", choices=ROLES)
    add("check", "Name everything that keeps this node from working.", _check)
    add("status", "Print studies and their jobs.", _status)
    add("retry", "Begin a dead or cancelled job again.", _retry).add_argument("job")
    add("cancel", "Stop a job that has no result yet.", _cancel).add_argument("job")
    add("complete", "Declare a study complete.", _complete).add_argument("study")
    add("pause", "Start no further work; reception goes on.", _pause)
    add("resume", "Go on after pause.", _resume)
    rules = add("rules", "Explain the routing rules.", _rules)
    rules.add_argument("action", choices=("try",))
    rules.add_argument("study", help="Study Instance UID of a study that is here.")
    backfill = add("backfill", "Ask a peer for a cohort, study by study.", _backfill)
    backfill.add_argument("--peer", required=True, help="Name of the peer to ask.")
    backfill.add_argument("--name", required=True, help="Name of the cohort; resumes by it.")
    backfill.add_argument("--query", nargs="+", default=[], metavar="KEY=VALUE")
    backfill.add_argument("--pause-seconds", type=float, default=1.0)
    commands.add_parser("configuration", help="Print every key with its documentation.")
    return parser


def _open(configuration: Configuration) -> Ledger:
    engine = open_database(configuration.database_url)
    create_tables(engine)
    return Ledger(Index(engine))


def _serve(options: argparse.Namespace, configuration: Configuration) -> int:
    return serve(configuration, options.config, roles=(options.only,) if options.only else ROLES)


def _run(options: argparse.Namespace, configuration: Configuration) -> int:
    return run_role(configuration, options.role)


def _check(_: argparse.Namespace, configuration: Configuration) -> int:
    findings = check_node(configuration)
    for finding in findings:
        print(
            f"{'FAULT' if finding.fault else 'fine '}  {finding.subject}: {finding.fault or 'ok'}"
        )
    return 1 if any(finding.fault for finding in findings) else 0


def _status(_: argparse.Namespace, configuration: Configuration) -> int:
    ledger = _open(configuration)
    print(f"{'study':64}  {'study is':10}  {'job':32}  {'job is':12}  {'stage':12}  reason")
    for row in ledger.index.list_worklist():
        print(
            f"{row['study_uid']:64}  {row['state']:10}  {row['job_id'] or '-':32}  "
            f"{row['job_state'] or '-':12}  {row['stage'] or '-':12}  "
            f"{row['job_reason'] or row['reason'] or ''}"
        )
    return 0


def _retry(options: argparse.Namespace, configuration: Configuration) -> int:
    if _open(configuration).retry(options.job) is None:
        raise NodeError(f"Job {options.job} is not a dead letter and not cancelled")
    print("will be tried again")
    return 0


def _cancel(options: argparse.Namespace, configuration: Configuration) -> int:
    if not _open(configuration).cancel(options.job):
        raise NodeError(f"Job {options.job} is not waiting and not being analyzed")
    print("cancelled")
    return 0


def _complete(options: argparse.Namespace, configuration: Configuration) -> int:
    if not _open(configuration).index.force_complete(options.study):
        raise NodeError(f"Study {options.study} is not arriving")
    print("will be analyzed as it is")
    return 0


def _pause(_: argparse.Namespace, configuration: Configuration) -> int:
    _open(configuration).index.set_switch("paused", "yes")
    print("paused")
    return 0


def _resume(_: argparse.Namespace, configuration: Configuration) -> int:
    _open(configuration).index.set_switch("paused", "no")
    print("resumed")
    return 0


def _rules(options: argparse.Namespace, configuration: Configuration) -> int:
    index = _open(configuration).index
    study = index.find_study(options.study)
    if study is None:
        raise NodeError(f"Study {options.study} is not here")
    decided = False
    for verdict in explain(configuration, study, index.list_instances(options.study)):
        if not verdict.fits:
            print(f"no    {verdict.rule.name}: {'; '.join(verdict.reasons)}")
            continue
        plan = describe_plan(configuration, verdict.rule)
        print(f"{'(also fits)' if decided else 'FITS '} {verdict.rule.name}: {plan}")
        decided = True
    return 0 if decided else 1


def _backfill(options: argparse.Namespace, configuration: Configuration) -> int:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", options.name):
        raise NodeError("A cohort's name has letters, digits, _ and - only")
    if options.peer not in {peer.name for peer in configuration.peer}:
        raise NodeError(f"No peer is named {options.peer!r}")
    query = dict(word.partition("=")[::2] for word in options.query)
    index = _open(configuration).index
    folder = configuration.storage.folder / "backfill"
    folder.mkdir(parents=True, exist_ok=True)
    peer, client = configuration.find_peer(options.peer), PeerClient(configuration.ae_title)
    cohort = Backfill(folder / f"{options.name}.json", client, peer, configuration.ae_title)
    print(f"{cohort.prepare(query)} studies in cohort {options.name}")
    progress = cohort.run(
        may_go_on=lambda: index.read_switch("paused") != "yes",
        pause_seconds=options.pause_seconds,
        report=lambda p: print(f"{p.asked} of {p.total} asked for, {p.failed} failed", flush=True),
    )
    return 0 if progress.asked == progress.total else 1


if __name__ == "__main__":
    sys.exit(main())
