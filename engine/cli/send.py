"""`hepatocast send`: the DICOM objects of one result to one destination, when a person says so.

This is the only command that opens a connection. It sits at the edge: no stage, and nothing of
the pipeline, knows of it (engine/DESIGN.md, principle 3).
"""

import argparse
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from engine.cli.destinations import Sent, parse_destination
from engine.cli.dicomweb_sending import send_by_web
from engine.cli.dimse_sending import send_by_dimse
from engine.cli.events import Reporter
from engine.errors import InputError, OutputError

EXIT_NOT_ALL_SENT = 4
KINDS = ("SEG", "RTSTRUCT", "SC", "PDF", "SR")
"""The order of sending: the SR names the others, so it goes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One object as result.json lists it, checked against its checksum."""

    name: str
    kind: str
    sop_class_uid: str
    sop_instance_uid: str
    content: bytes = field(repr=False)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "send",
        help="send the objects of a result to a PACS, by DIMSE or DICOMweb",
        description="Nothing else of HepatoCast's command line opens a connection. Exit code 4 "
        "when an object was not accepted.",
    )
    add = parser.add_argument
    add("result", type=Path, help="result folder")
    add(
        "--to",
        required=True,
        metavar="WHERE",
        help="AETITLE@host:port (C-STORE), or https://host/dicom-web (STOW-RS)",
    )
    add("--from-aet", default="HEPATOCAST", help="our AE title")
    add("--only", action="append", choices=KINDS, help="kinds to send, repeatable (default all)")
    add("--token-file", type=Path, metavar="FILE", help="bearer token for DICOMweb")
    add("--timeout", type=float, default=30.0, help="seconds to wait for an answer")
    add("--json-lines", action="store_true", help="one line per object on standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Send every object once and say what became of each."""
    destination = parse_destination(
        arguments.to,
        calling=arguments.from_aet,
        token=read_token(arguments.token_file),
        timeout_seconds=arguments.timeout,
    )
    objects = read_objects(arguments.result, tuple(arguments.only or KINDS))
    send = send_by_web if destination.is_web else send_by_dimse
    results: list[Sent] = []
    for sent in send(destination, [(o.sop_class_uid, o.content) for o in objects]):
        item = objects[len(results)]
        results.append(sent)
        reporter.event(
            "sent",
            file=item.name,
            kind=item.kind,
            sop_instance_uid=item.sop_instance_uid,
            accepted=sent.accepted,
            answer=sent.answer,
        )
        reporter.progress("sending", len(results) / len(objects), item.name)
        if not arguments.json_lines:
            word = "accepted" if sent.accepted else "NOT ACCEPTED"
            print(f"{item.kind:<4} {item.name:<20} {word}  {sent.answer}")
    accepted = sum(sent.accepted for sent in results)
    told = f"{accepted} of {len(objects)} objects accepted by {destination.shown}"
    reporter.event(
        "send-done", accepted=accepted, total=len(objects), destination=destination.shown
    )
    if not arguments.json_lines:
        print(told)
    return 0 if accepted == len(objects) else EXIT_NOT_ALL_SENT


def read_token(path: Path | None) -> str:
    """The bearer token; it comes from a file, because command lines are seen by others.

    Raises:
        InputError: The file cannot be read or is empty.
    """
    if path is None:
        return ""
    try:
        token = path.read_text("utf-8").strip()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    if not token or not token.isascii() or any(c.isspace() for c in token):
        raise InputError(f"{path.name} holds no bearer token")
    return token


def read_objects(folder: Path, kinds: tuple[str, ...]) -> list[Outgoing]:
    """The objects of a result, in the order of sending.

    Raises:
        InputError: The folder is no result, or holds none of these kinds.
        OutputError: A file is not what the engine wrote.
    """
    try:
        document = json.loads((folder / "result.json").read_text("utf-8"))
        entries = [entry for entry in document["files"] if entry.get("sop_instance_uid")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder.name} is no result of HepatoCast") from error
    objects = []
    for kind in KINDS:
        for entry in entries:
            if entry["kind"] != kind or kind not in kinds:
                continue
            content = (folder / Path(entry["name"]).name).read_bytes()
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise OutputError(
                    f"{entry['name']} is not the file that result.json describes; nothing was sent"
                )
            objects.append(
                Outgoing(
                    name=entry["name"],
                    kind=kind,
                    sop_class_uid=entry["sop_class_uid"],
                    sop_instance_uid=entry["sop_instance_uid"],
                    content=content,
                )
            )
    if not objects:
        raise InputError(f"{folder.name} holds no object of kind {', '.join(kinds)}")
    return objects
