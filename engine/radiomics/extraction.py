"""Features of one region of one image: the whole IBSI pipeline behind one call."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.catalog import Family
from engine.radiomics.definitions import DEFINITIONS
from engine.radiomics.discretization import count_levels, discretize
from engine.radiomics.filters.kinds import (
    NOTHING_INVENTED,
    Boundary,
    Filter,
    Margins,
    respond_everywhere,
)
from engine.radiomics.filters.separable import SharedPasses
from engine.radiomics.filters.smoothing import LaplacianOfGaussian
from engine.radiomics.filters.wavelets import SeparableWavelet
from engine.radiomics.filters.workspace import Workspace
from engine.radiomics.intensity import (
    describe_histogram,
    describe_local_intensity,
    describe_statistics,
    describe_volume_histogram,
    peak_margins,
)
from engine.radiomics.lattice import Segments, find_segments, gather
from engine.radiomics.morphology import describe_morphology
from engine.radiomics.naming import TEXTURE, aggregations_of, lay_out, name_values
from engine.radiomics.native import Mask, Real
from engine.radiomics.preprocessing import PreparedRegion, Triple, prepare_region
from engine.radiomics.reasons import RegionFacts
from engine.radiomics.settings import (
    Discretization,
    Interpolation,
    RadiomicsSettings,
)
from engine.radiomics.texture import (
    TextureRegion,
    Values,
    build_texture_region,
    describe_texture,
)
from engine.values.features import Feature, FeatureSet
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ContrastPhase

ONCE_PER_REGION = (Family.MORPHOLOGY, Family.LOCAL_INTENSITY)
"""Families of the original image only: shape has no filter, peaks are meant in image units."""
INTENSITY_FAMILIES = (Family.STATISTICS, Family.HISTOGRAM, Family.VOLUME_HISTOGRAM)
LEAST, LARGEST = 5, 8
"""Places of the extremes among the intensity statistics."""


def extract_features(
    voxels_hu: NDArray[np.generic],
    mask: Mask,
    geometry: VolumeGeometry,
    settings: RadiomicsSettings,
    *,
    region: str,
    phase: ContrastPhase,
) -> FeatureSet:
    """Extract the features of one region (IBSI 1 and 2).

    Args:
        voxels_hu: Intensities, shape ``geometry.shape``, any real type.
        mask: Region on the same grid, bool.
        geometry: The grid; the intensities are measured along its own axes.
        settings: Everything that decides the numbers.
        region: Name of the region in the result.
        phase: Contrast phase of the image, for the result.

    Returns:
        Features in the order: original image, then each filter; families and aggregations as
        the settings list them. A feature without a value is NaN and says why.

    Raises:
        RegionError: Mask and image differ in shape, the mask is empty, not boolean or vanishes
            on the way, or intensities in or near the region are not finite.
    """
    _check_input(voxels_hu, mask, geometry)
    spacing = geometry.spacing.as_tuple()
    prepared = prepare_region(
        voxels_hu, mask, spacing, settings, margins=_needed_margins(spacing, settings)
    )
    region_voxels = find_segments(prepared.intensity)
    textures = build_texture_region(
        region_voxels,
        prepared.intensity,
        prepared.morphological,
        settings.aggregations if set(settings.families) & TEXTURE else (),
    )
    original = gather(region_voxels, prepared.image[prepared.box])
    features = _describe_once(prepared, region_voxels, original, settings)
    features += _describe_image(_as_original(original, settings), textures, settings)
    filtering = _Filtering(prepared)
    for image_filter in settings.filters:
        response = gather(region_voxels, filtering.respond(image_filter))
        features += _describe_image(
            _as_response(response, image_filter, settings), textures, settings
        )
    return FeatureSet(
        region=region, phase=phase, features=tuple(features), settings=settings.as_dict()
    )


class _Filtering:
    """Responses of one filter after the other, in memory that they share."""

    def __init__(self, prepared: PreparedRegion) -> None:
        self._prepared = prepared
        self._workspace = Workspace()
        self._passes = SharedPasses(self._workspace)

    def respond(self, image_filter: Filter) -> Real:
        """Response in the region's box, with the boundary rule where the image ends.

        It holds until the next call.
        """
        spacing_mm, box = self._prepared.spacing_mm, self._prepared.box
        image = self._prepared.image
        margins = image_filter.margins(spacing_mm)
        if margins is None or image_filter.boundary is Boundary.PERIODIC:
            return respond_everywhere(image_filter, image, spacing_mm)[box]
        sides = [
            (max(0, before - part.start), max(0, part.stop + after - n))
            for (before, after), part, n in zip(margins, box, image.shape, strict=True)
        ]
        invented: Margins = (sides[0], sides[1], sides[2])
        crop = tuple(
            slice(max(0, part.start - before), part.stop + after)
            for (before, after), part in zip(margins, box, strict=True)
        )
        image = image[crop]
        if invented != NOTHING_INVENTED:
            image = np.pad(image, invented, mode=image_filter.boundary.pad_mode)
        response: Real | None = None
        if isinstance(image_filter, LaplacianOfGaussian):
            response = image_filter.respond_within(self._workspace, image, spacing_mm)
        elif isinstance(image_filter, SeparableWavelet):
            response = image_filter.respond_within(self._passes, image, spacing_mm)
        if response is None:
            response = image_filter.respond(image, spacing_mm, invented)
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """Intensities of the region in the original image or a response, and how to treat them."""

    intensities: Real
    filter_name: str
    unit: str
    discretization: Discretization
    volume_histogram: Discretization
    bounds: tuple[float | None, float | None]


def _as_original(intensities: Real, settings: RadiomicsSettings) -> _Image:
    return _Image(
        intensities=intensities,
        filter_name="",
        unit=settings.intensity_unit,
        discretization=settings.discretization,
        volume_histogram=settings.volume_histogram,
        bounds=settings.resegmentation_range or (None, None),
    )


def _as_response(response: Real, image_filter: Filter, settings: RadiomicsSettings) -> _Image:
    return _Image(
        intensities=response,
        filter_name=image_filter.name,
        unit="1",
        discretization=settings.filtered_discretization,
        volume_histogram=settings.filtered_volume_histogram,
        bounds=(None, None),
    )


def _describe_once(
    prepared: PreparedRegion, voxels: Segments, original: Real, settings: RadiomicsSettings
) -> list[Feature]:
    """Features of the families that only the original image has."""
    values: Values = {}
    facts = RegionFacts(
        voxels=len(original),
        flat=bool(original.min() == original.max()),
        above_autocorrelation_limit=prepared.intensity.size > settings.autocorrelation_limit,
        above_gray_level_limit=False,
    )
    if Family.MORPHOLOGY in settings.families:
        values[Family.MORPHOLOGY, ""] = describe_morphology(
            prepared.morphological,
            prepared.intensity,
            prepared.image[prepared.box],
            prepared.spacing_mm,
            autocorrelation_limit=settings.autocorrelation_limit,
        )
    if Family.LOCAL_INTENSITY in settings.families:
        values[Family.LOCAL_INTENSITY, ""] = describe_local_intensity(
            prepared.image, prepared.box, voxels, original, prepared.spacing_mm
        )
    return _name(values, ONCE_PER_REGION, facts, settings, settings.intensity_unit, "")


def _describe_image(
    image: _Image, textures: TextureRegion, settings: RadiomicsSettings
) -> list[Feature]:
    """Intensity and texture features of the original image or one response."""
    statistics = describe_statistics(image.intensities)
    lowest, highest = extremes = (float(statistics[LEAST]), float(statistics[LARGEST]))
    start = lowest if image.bounds[0] is None else image.bounds[0]
    above_limit = count_levels(start, highest, image.discretization) > settings.gray_level_limit
    facts = RegionFacts(
        voxels=len(image.intensities),
        flat=lowest == highest,
        above_autocorrelation_limit=False,
        above_gray_level_limit=above_limit,
    )
    values: Values = {
        (Family.STATISTICS, ""): statistics,
        (Family.VOLUME_HISTOGRAM, ""): describe_volume_histogram(
            image.intensities, image.volume_histogram, extremes, image.bounds
        ),
    }
    if above_limit:
        values |= _undefined(settings)
    else:
        gray = discretize(image.intensities, image.discretization, extremes, image.bounds[0])
        values[Family.HISTOGRAM, ""] = describe_histogram(gray)
        if textures.volume is not None or textures.slices:
            values |= describe_texture(textures, gray, settings.aggregations)
    families = (*INTENSITY_FAMILIES, *TEXTURE)
    return _name(values, families, facts, settings, image.unit, image.filter_name)


def _undefined(settings: RadiomicsSettings) -> Values:
    """NaN for everything that needs gray levels."""
    values: Values = {(Family.HISTOGRAM, ""): np.full(len(DEFINITIONS[Family.HISTOGRAM]), np.nan)}
    for family in TEXTURE:
        for aggregation in aggregations_of(family, settings.aggregations):
            values[family, aggregation] = np.full(len(DEFINITIONS[family]), np.nan)
    return values


def _name(
    values: Values,
    families: tuple[Family, ...],
    facts: RegionFacts,
    settings: RadiomicsSettings,
    unit: str,
    filter_name: str,
) -> list[Feature]:
    """Features of those families that the settings ask for, in the settings' order."""
    wanted = tuple(f for f in settings.families if f in families)
    if not wanted:
        return []
    layout = lay_out(wanted, settings.aggregations, unit, filter_name)
    return name_values(
        layout, np.concatenate([values[block] for block in layout.blocks]).tolist(), facts
    )


def _needed_margins(
    spacing_mm: tuple[float, float, float], settings: RadiomicsSettings
) -> Triple | None:
    """Voxels of the new grid around the region that any feature looks at; None: all."""
    new = [
        old if wanted is None or settings.interpolation is Interpolation.NONE else wanted
        for old, wanted in zip(spacing_mm, settings.spacing_mm, strict=True)
    ]
    spacing = (new[0], new[1], new[2])
    margins = [peak_margins(spacing) if Family.LOCAL_INTENSITY in settings.families else (0, 0, 0)]
    for image_filter in settings.filters:
        needed = image_filter.margins(spacing)
        if needed is None:
            return None
        if image_filter.boundary is Boundary.PERIODIC:
            return None
        z, y, x = (max(sides) for sides in needed)
        margins.append((z, y, x))
    return (
        max(m[0] for m in margins),
        max(m[1] for m in margins),
        max(m[2] for m in margins),
    )


def _check_input(voxels: NDArray[np.generic], mask: Mask, geometry: VolumeGeometry) -> None:
    if voxels.shape != geometry.shape or mask.shape != geometry.shape:
        raise RegionError(
            f"Image {voxels.shape}, mask {mask.shape} and grid {geometry.shape} must have one "
            "shape; resample the mask onto the image's grid first"
        )
    if mask.dtype != np.bool_:
        raise RegionError(f"The mask must be boolean, got {mask.dtype}")
    if not (np.issubdtype(voxels.dtype, np.number) and not np.iscomplexobj(voxels)):
        raise RegionError(f"Intensities must be real numbers, got {voxels.dtype}")
