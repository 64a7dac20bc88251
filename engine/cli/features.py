"""`hepatocast features`: feature tables of a study, or of an image with its mask."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.cli.analyze import add_feature_arguments, request_of
from engine.cli.events import Reporter
from engine.cli.opened_models import FreshModels
from engine.cli.request import DEFAULT_MODEL, settings_of, start
from engine.deep_features.extraction import OpenEncoder, extract_deep_features
from engine.errors import OutputError, RegionError
from engine.model_package.loading import embedded_models, load_package
from engine.pipeline import analyze
from engine.pipeline.feature_files import TableFormat, feature_tables
from engine.pipeline.regions_given import GivenRegions, is_image, read_given
from engine.pipeline.stability import assess_stability
from engine.radiomics import RadiomicsSettings, extract_features
from engine.radiomics.absent import absent_features
from engine.radiomics.tables import csv_bytes, write_table
from engine.reporting.report_file import SegmentationType
from engine.values.features import FeatureSet

FEWEST_REPEATS = 2


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "features",
        help="feature tables of a study, or of an image with its mask; stability",
        description="Without --mask the study is segmented first. With --mask the image is a "
        "NIfTI, NRRD or MetaImage file with a label map on its grid, or a DICOM study with a "
        "DICOM SEG or label map of liver and lesions.",
    )
    add = parser.add_argument
    add("study", type=Path, help="DICOM study (folder, zip, DICOMDIR) or image file")
    add("--mask", type=Path, help="label map (NIfTI, NRRD, MetaImage) or DICOM SEG")
    add("--split", type=int, metavar="VALUE", help="label whose connected parts are lesions")
    add("--out", type=Path, required=True, help="folder for the tables")
    add("--perturb", type=int, default=0, metavar="N",
        help="also N small changes of image and mask per lesion, with ICC per feature")  # fmt: skip
    add_feature_arguments(parser)
    add("--model", default=DEFAULT_MODEL, help="segmentation package")
    add("--models", type=Path, action="append", default=[], help="further folder of packages")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.set_defaults(
        run=run, risk=[""], clinical=None, seg_type=SegmentationType.BINARY, rtstruct=False,
        unconfirmed_scores=False, predecessor=[], job_id="", created_at=None,
    )  # fmt: skip


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Extract, write, tell."""
    if arguments.perturb and arguments.perturb < FEWEST_REPEATS:
        raise RegionError(f"--perturb needs at least {FEWEST_REPEATS}, got {arguments.perturb}")
    if arguments.mask is None and is_image(arguments.study):
        raise RegionError(f"{arguments.study.name} is an image file: give its --mask too")
    given, sets = _segmented(arguments, reporter)
    files = {f.name: f.content for f in feature_tables(sets, TableFormat(arguments.tables))}
    if arguments.perturb:
        lesions = _lesions(given)
        progress = partial(reporter.progress, "stability")
        image = (given.voxels, given.geometry)
        report = assess_stability(image, lesions, RadiomicsSettings(), arguments.perturb, progress)
        files |= {
            "stability.csv": csv_bytes(report.rows()),
            "stable_features.toml": report.manifest(),
        }
        print(f"{len(report.stable)} of {len(report.features)} features are stable")
        for name, reason in report.left_out:
            print(f"! {name} was left out of the stability: {reason}")
    _write(files, arguments.out)
    missing = sum(bool(f.reason) for s in sets for f in s.features)
    count = sum(len(s.features) for s in sets)
    print(f"{count} features of {len(sets)} regions and phases, {missing} without a value")
    for name in files:
        print(f"  {arguments.out / name}")
    return 0


def _lesions(given: GivenRegions) -> dict[str, NDArray[np.bool_]]:
    """What is perturbed: the lesions, or every region where none is called one."""
    lesions = {n: mask for n, mask in given.regions.items() if n.startswith("lesion ")}
    return lesions or dict(given.regions)


def _segmented(
    arguments: argparse.Namespace, reporter: Reporter
) -> tuple[GivenRegions, tuple[FeatureSet, ...]]:
    """The regions, given or found, and their features."""
    if arguments.mask is not None:
        return _extract_given(arguments, reporter)
    analysis = start(request_of(arguments), reporter.progress)
    models = FreshModels()
    model = models.open_model(analysis.package, arguments.device)
    settings = settings_of(analysis.request, models)
    result = analyze(analysis.scan, model, settings, analysis.context, analysis.watch)
    labels = result.findings.lesion_labels
    numbers = [lesion.number for lesion in result.findings.lesions]
    given = GivenRegions(
        voxels=result.reference.voxels_hu,
        geometry=result.reference.geometry,
        phase=result.reference.series.phase,
        regions={f"lesion {n}": labels == n for n in numbers},
    )
    return given, result.features


def _extract_given(
    arguments: argparse.Namespace, reporter: Reporter
) -> tuple[GivenRegions, tuple[FeatureSet, ...]]:
    search = [*arguments.models, embedded_models()]
    segments = load_package(arguments.model, search_paths=search).segments
    given = read_given(arguments.study, arguments.mask, segments, split=arguments.split)
    sets = []
    for number, (name, mask) in enumerate(given.regions.items()):
        reporter.progress("radiomics", number / len(given.regions), name)
        sets.append(_extract_one(given, name, mask))
    for encoder in settings_of(request_of(arguments)).encoders:
        sets += [_extract_deep(given, name, encoder) for name in _lesions(given)]
    reporter.progress("radiomics", 1.0)
    return given, tuple(sets)


def _extract_deep(given: GivenRegions, name: str, encoder: OpenEncoder) -> FeatureSet:
    """Deep features of a lesion; a lesion an encoder cannot see ends the command."""
    try:
        return extract_deep_features(
            given.voxels,
            given.regions[name],
            given.geometry,
            encoder,
            region=name,
            phase=given.phase,
        )
    except RegionError as error:
        raise RegionError(f"{name}: {error}; leave it out of the mask or omit --deep") from error


def _extract_one(given: GivenRegions, name: str, mask: NDArray[np.bool_]) -> FeatureSet:
    """Features of a region; NaN with the reason where it cannot be measured."""
    settings, phase = RadiomicsSettings(), given.phase
    try:
        return extract_features(
            given.voxels, mask, given.geometry, settings, region=name, phase=phase
        )
    except RegionError as error:
        return absent_features(settings, region=name, phase=phase, reason=str(error))


def _write(files: dict[str, bytes], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}; choose another") from error
    for name, content in files.items():
        write_table(content, folder / name)
