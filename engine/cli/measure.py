"""`hepatocast measure`: a person's contours in, a result that supersedes the automatic one out."""

import argparse
import hashlib
import sys
import uuid
from dataclasses import replace
from pathlib import Path

from engine.cli import analyze
from engine.cli.events import Reporter
from engine.cli.findings import print_findings
from engine.cli.request import Analysis, Outcome, options_of, settings_of, start
from engine.correction.automatic import SR_NAME, find_result_folder
from engine.errors import InputError
from engine.pipeline.revision import Correction, revise
from engine.reporting.composition import compose_reports
from engine.reporting.corrections import correction_sentences
from engine.reporting.writing import publish
from engine.values.revision import Observer


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "measure",
        help="measure, score and report again on corrected contours",
        description="Takes liver and lesions from a DICOM SEG, or from an NRRD or NIfTI label map "
        "(1 liver, n + 1 lesion n; also 3D Slicer's .seg.nrrd) drawn on the reference series, and "
        "repeats everything but the segmentation. The result supersedes --predecessor and says "
        "what was changed.",
    )
    add = parser.add_argument
    add("--seg", type=Path, required=True, metavar="FILE", help="the corrected contours")
    add("--accept", action="append", default=[], metavar="LESION", help="number, name or tracking "
        "UID, repeatable; 'all' for every one that is not rejected")  # fmt: skip
    add("--reject", action="append", default=[], metavar="LESION", help="no tumor, repeatable")
    add("--observer", default="", metavar="NAME", help="who verifies the result ('Weber^Anna')")
    add("--organization", default="", help="of the observer; needed with --observer")
    analyze.add_common_arguments(parser)
    parser.set_defaults(run=run, device="auto")


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Measure, publish, tell what changed."""
    if arguments.json_lines:
        analyze.cancel_when_input_closes()
    request = analyze.request_of(arguments)
    folders = [find_result_folder(path) for path in request.predecessors]
    reports = tuple(p / SR_NAME if p.is_dir() else p for p in request.predecessors)
    analysis = start(replace(request, predecessors=reports), reporter.progress)
    analysis = with_own_identity(analysis, arguments)
    correction = Correction(
        drawing=arguments.seg,
        automatic=next((folder for folder in folders if folder is not None), None),
        observer=observer_of(arguments, analysis),
        accepted=tuple(arguments.accept),
        rejected=tuple(arguments.reject),
    )
    outcome = finish(analysis, correction)
    reporter.event(
        "result", path=str(arguments.out), files=[analyze.describe(f) for f in outcome.files]
    )
    if not arguments.json_lines:
        print_findings(outcome, arguments.out, sys.stdout)
        lines = correction_sentences(outcome.result.revision)
        print("\n".join(["", "Correction", *(f"  {line}" for line in lines)]))
    return 0


def with_own_identity(analysis: Analysis, arguments: argparse.Namespace) -> Analysis:
    """Another drawing, observer or decision is another job, so no UID is used twice.

    Raises:
        InputError: The drawing cannot be read.
    """
    if arguments.job_id:
        return analysis
    try:
        drawing = arguments.seg.read_bytes()
    except OSError as error:
        raise InputError(f"{arguments.seg.name} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(drawing)
    said = (arguments.observer, arguments.organization, *arguments.accept, "/", *arguments.reject)
    for part in (analysis.context.job_id, *said):
        digest.update(part.encode() + b"\0")
    job_id = str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))
    return replace(analysis, context=replace(analysis.context, job_id=job_id))


def observer_of(arguments: argparse.Namespace, analysis: Analysis) -> Observer | None:
    """Who verifies, at the moment the result carries.

    Raises:
        InputError: A name without an organization; the standard asks for both.
    """
    if not arguments.observer:
        return None
    if not arguments.organization:
        raise InputError("--observer needs --organization (PS3.3 C.17.2, Verifying Organization)")
    return Observer(
        name=arguments.observer,
        organization=arguments.organization,
        verified_at=analysis.context.created_at,
    )


def finish(analysis: Analysis, correction: Correction) -> Outcome:
    """Everything but the segmentation; publish the reports together.

    Raises:
        EngineError: Anything that keeps the contours from being measured or written.
    """
    request, watch, package = analysis.request, analysis.watch, analysis.package
    settings = settings_of(request)
    result = revise(analysis.scan, correction, package, settings, analysis.context, watch)
    with watch.stage("reporting") as progress:
        options = options_of(request, result)
        files = compose_reports(result, package.segments, options)
        progress(0.9, "writing")
        publish(files, request.out)
    return Outcome(result=result, files=files, seconds=watch.seconds)
