"""The same regions for us and for other libraries: one function per library.

Each takes voxels, mask and spacing (slice, row, column) and gives feature values by name, as its
users would get them: 1 mm, fixed bins of 25 HU (32 bins for responses), −150..250 HU, original
image and optionally 5 Laplacians of Gaussian and 8 bands of a coiflet, all families the library
has, 3D. What a library cannot do like that is said in its ``note``.

The libraries are the extra ``bench`` and live in an environment of their own (``make
bench-radiomics``); a library that is not installed is not in ``installed()``.
"""

import importlib
import importlib.metadata
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.radiomics import RadiomicsSettings, extract_features
from engine.radiomics.filters.smoothing import LaplacianOfGaussian
from engine.radiomics.filters.wavelets import SeparableWavelet, Wavelet
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase

Voxels = NDArray[Any]
Spacing = tuple[float, float, float]
Directions = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
"""Direction of the slice, row and column axis, LPS."""

STRAIGHT: Directions = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
SIGMAS_MM = (1.0, 2.0, 3.0, 4.0, 5.0)
BANDS = tuple("".join(letters) for letters in product("LH", repeat=3))
BANK = (
    *(LaplacianOfGaussian(sigma_mm=sigma) for sigma in SIGMAS_MM),
    *(SeparableWavelet(wavelet=Wavelet.COIFLET_1, bands=bands) for bands in BANDS),
)


@dataclass(frozen=True, kw_only=True)
class Region:
    """What every library gets."""

    voxels: Voxels
    mask: Voxels
    spacing_mm: Spacing
    directions: Directions = STRAIGHT
    mask_origin_mm: Spacing = (0.0, 0.0, 0.0)
    filtered: bool = False


REASON = " because "
"""Stands in a feature's name between the name and the reason why it has no value."""

Measure = Callable[[Region], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Library:
    """One library.

    Attributes:
        name: As its users know it.
        distribution: Package whose version is printed; "" for this one.
        module: What must be importable.
        measure: Feature values of a region by name.
        note: How its features differ in kind from ours.
    """

    name: str
    distribution: str
    module: str
    measure: Measure
    note: str

    @property
    def version(self) -> str:
        return importlib.metadata.version(self.distribution) if self.distribution else "this"


def grid_of(region: Region) -> VolumeGeometry:
    """Our grid of a region; refuses what is not orthonormal."""
    z, y, x = region.spacing_mm
    slices, rows, columns = region.directions
    return VolumeGeometry(
        shape=region.voxels.shape,
        spacing=VoxelSpacing(slice_mm=z, row_mm=y, column_mm=x),
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=slices,
        row_direction=rows,
        column_direction=columns,
    )


def measure_here(region: Region) -> dict[str, float]:
    """HepatoCast. Masks have no position of their own; a grid of their own is another shape."""
    elsewhere = any(region.mask_origin_mm)
    result = extract_features(
        region.voxels,
        region.mask[1:] if elsewhere else region.mask,
        grid_of(region),
        RadiomicsSettings(filters=BANK if region.filtered else ()),
        region="region",
        phase=ContrastPhase.UNKNOWN,
    )
    values = {}
    for f in result.features:
        why = f"{REASON}{f.reason}" if f.reason else ""
        values[f"{f.filter} {f.family} {f.name} {f.aggregation}{why}"] = f.value
    return values


def measure_with_zrad(region: Region) -> dict[str, float]:
    """z-rad: resample once, then describe the original and each response, averaged and merged."""
    image_module = importlib.import_module("zrad.image")
    steps = importlib.import_module("zrad.preprocessing")
    filtering = importlib.import_module("zrad.filtering")
    radiomics = importlib.import_module("zrad.radiomics")

    def wrap(array: Voxels, origin: Spacing = (0.0, 0.0, 0.0)) -> object:
        return image_module.Image(
            array=array,
            origin=origin[::-1],
            spacing=region.spacing_mm[::-1],
            direction=tuple(d[k] for k in range(3) for d in region.directions[::-1]),
            shape=array.shape[::-1],
        )

    roi = steps.RoiData(
        image=wrap(region.voxels.astype(np.float64)),
        morphological_mask=wrap(region.mask.astype(np.int16), region.mask_origin_mm),
    )
    resampled = steps.Pipeline(
        [
            (
                "image",
                steps.ImageResampler(1.0, method="bspline", intensity_rounding="nearest_integer"),
            ),
            ("mask", steps.MaskResampler(1.0, method="linear", partial_volume_threshold=0.5)),
        ]
    ).apply(roi)
    values: dict[str, float] = {}
    filters: list[Any] = [None]
    if region.filtered:
        filters += [filtering.LoG("reflect", sigma, 4, "3D") for sigma in SIGMAS_MM]
        filters += [filtering.Wavelets3D("coif1", "reflect", bands, 1) for bands in BANDS]
    for k, image_filter in enumerate(filters):
        original = image_filter is None
        bins = {"bin_size": 25} if original else {"number_of_bins": 32}
        histogram = ("direct", {}) if original else ("fixed_bin_number", {"number_of_bins": 1000})
        prepared = steps.Pipeline(
            [
                *([] if original else [("filter", image_filter)]),
                ("intensity", steps.IntensityMaskBuilder()),
                *([("range", steps.Resegmenter(intensity_range=(-150, 250)))] if original else []),
                ("texture", steps.TextureDiscretizer(**bins)),
                ("ivh", steps.IVHIntensityDiscretizer(histogram[0], **histogram[1])),
            ]
        ).apply(resampled)
        for aggregation in ("AVER", "MERG"):
            extractor = radiomics.Radiomics(aggr_dim="3D", aggr_method=aggregation)
            families = "all" if original else sorted(_ZRAD_INTENSITY_FAMILIES)
            found = extractor.extract_features(prepared, families=families)
            values |= {f"{k} {name}": float(v) for name, v in found.items()}
    return values


_ZRAD_INTENSITY_FAMILIES = {
    "intensity_statistics",
    "intensity_histogram",
    "ivh",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
}


def measure_with_pictologics(region: Region) -> dict[str, float]:
    """pictologics: one configuration per image; texture merged over directions only."""
    os.environ.setdefault("PICTOLOGICS_DISABLE_WARMUP", "1")
    pictologics = importlib.import_module("pictologics")

    def wrap(array: Voxels, origin: Spacing = (0.0, 0.0, 0.0)) -> object:
        return pictologics.Image(
            array=np.ascontiguousarray(array.transpose(2, 1, 0)).astype(np.float64),
            spacing=region.spacing_mm[::-1],
            origin=origin[::-1],
            direction=np.array(region.directions[::-1]).T,
            modality="CT",
        )

    pipeline = pictologics.RadiomicsPipeline(load_standard=False)
    filters: dict[str, dict[str, Any] | None] = {"original": None}
    if region.filtered:
        for sigma in SIGMAS_MM:
            filters[f"log {sigma:g}"] = {"type": "log", "sigma_mm": sigma, "boundary": "mirror"}
        for bands in BANDS:
            filters[f"wavelet {bands}"] = {
                "type": "wavelet",
                "wavelet": "coif1",
                "decomposition": bands,
                "level": 1,
                "boundary": "mirror",
            }
    for name, params in filters.items():
        pipeline.add_config(name, _pictologics_steps(params))
    found = pipeline.run(
        wrap(region.voxels), wrap(region.mask, region.mask_origin_mm), config_names=list(filters)
    )
    return {
        f"{name} {feature}": float(value)
        for name, series in found.items()
        for feature, value in series.items()
    }


def _pictologics_steps(image_filter: dict[str, Any] | None) -> list[dict[str, Any]]:
    families = ["intensity", "histogram", "ivh", "texture"]
    steps: list[dict[str, Any]] = [
        {
            "step": "resample",
            "params": {
                "new_spacing": [1.0, 1.0, 1.0],
                "interpolation": "cubic",
                "round_intensities": True,
            },
        }
    ]
    if image_filter is None:
        steps += [
            {"step": "resegment", "params": {"range_min": -150.0, "range_max": 250.0}},
            {"step": "discretise", "params": {"method": "FBS", "bin_width": 25.0}},
        ]
        families += ["morphology"]
        options = {"include_spatial_intensity": True, "include_local_intensity": True}
    else:
        steps += [
            {"step": "filter", "params": image_filter},
            {"step": "discretise", "params": {"method": "FBN", "n_bins": 32}},
        ]
        options = {}
    return [*steps, {"step": "extract_features", "params": {"families": families, **options}}]


def measure_with_pyradiomics(region: Region) -> dict[str, float]:
    """The CPU path of pyradiomics-cuda: PyRadiomics' own definitions, averaged, no local peaks."""
    sitk = importlib.import_module("SimpleITK")
    extraction = importlib.import_module("radiomics.featureextractor")
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)

    def wrap(array: Voxels, origin: Spacing = (0.0, 0.0, 0.0)) -> object:
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(region.spacing_mm[::-1])
        image.SetOrigin(origin[::-1])
        image.SetDirection([d[k] for k in range(3) for d in region.directions[::-1]])
        return image

    extractor = extraction.RadiomicsFeatureExtractor(
        binWidth=25,
        resampledPixelSpacing=[1, 1, 1],
        interpolator="sitkBSpline",
        preCrop=True,
        padDistance=25,
        resegmentRange=[-150, 250],
        additionalInfo=False,
    )
    extractor.enableAllFeatures()
    if region.filtered:
        extractor.enableImageTypeByName(
            "LoG", customArgs={"sigma": list(SIGMAS_MM), "binCount": 32}
        )
        extractor.enableImageTypeByName(
            "Wavelet", customArgs={"wavelet": "coif1", "level": 1, "binCount": 32}
        )
    mask = wrap(region.mask.astype(np.uint8), region.mask_origin_mm)
    found = extractor.execute(wrap(region.voxels), mask)
    return {str(name): float(value) for name, value in found.items()}


LIBRARIES = (
    Library(
        name="HepatoCast",
        distribution="",
        module="engine.radiomics",
        measure=measure_here,
        note="averaged and merged",
    ),
    Library(
        name="z-rad",
        distribution="z-rad",
        module="zrad",
        measure=measure_with_zrad,
        note="averaged and merged, in two passes",
    ),
    Library(
        name="pictologics",
        distribution="pictologics",
        module="pictologics",
        measure=measure_with_pictologics,
        note="merged only; compiled beforehand",
    ),
    Library(
        name="pyradiomics-cuda, CPU",
        distribution="pyradiomics-cuda",
        module="radiomics",
        measure=measure_with_pyradiomics,
        note="averaged only; not IBSI's resampling; no peaks, IVH, GLDZM",
    ),
)


def installed() -> tuple[tuple[Library, ...], tuple[str, ...]]:
    """The libraries that are here, and the names of those that are not."""
    here, missing = [], []
    for library in LIBRARIES:
        os.environ.setdefault("PICTOLOGICS_DISABLE_WARMUP", "1")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                importlib.import_module(library.module)
            except ImportError as error:
                missing.append(f"{library.name}: {error}")
                continue
        here.append(library)
    return tuple(here), tuple(missing)
