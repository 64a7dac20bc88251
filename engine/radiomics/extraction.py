"""Features of one region of one image: the whole IBSI pipeline behind one call."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.catalog import Family, resolve_unit
from engine.radiomics.definitions import DEFINITIONS
from engine.radiomics.discretization import count_levels, discretize
from engine.radiomics.filters.kinds import (
    NOTHING_INVENTED,
    Boundary,
    Filter,
    Margins,
    respond_everywhere,
)
from engine.radiomics.intensity import (
    describe_histogram,
    describe_local_intensity,
    describe_statistics,
    describe_volume_histogram,
    peak_margins,
)
from engine.radiomics.morphology import describe_morphology
from engine.radiomics.native import Mask, Real
from engine.radiomics.preprocessing import PreparedRegion, Triple, prepare_region
from engine.radiomics.reasons import RegionFacts, explain
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
TEXTURE_FAMILIES = (
    Family.COOCCURRENCE,
    Family.RUN_LENGTH,
    Family.SIZE_ZONE,
    Family.DISTANCE_ZONE,
    Family.TONE_DIFFERENCE,
    Family.DEPENDENCE,
)


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
    original = prepared.image[prepared.box]
    textures = build_texture_region(
        prepared.intensity,
        prepared.morphological,
        settings.aggregations if set(settings.families) & set(TEXTURE_FAMILIES) else (),
    )
    features = list(_describe_region(prepared, original, textures, settings))
    for image_filter in settings.filters:
        response = filter_region(prepared, image_filter)
        features += _describe_image(
            _Image(
                intensities=response[prepared.intensity],
                filter_name=image_filter.name,
                unit="1",
                discretization=settings.filtered_discretization,
                volume_histogram=settings.filtered_volume_histogram,
                bounds=(None, None),
            ),
            textures,
            settings,
        )
    return FeatureSet(
        region=region, phase=phase, features=tuple(features), settings=settings.as_dict()
    )


def filter_region(prepared: PreparedRegion, image_filter: Filter) -> Real:
    """Response of a filter in the region's box, with the boundary rule where the image ends."""
    margins = image_filter.margins(prepared.spacing_mm)
    if margins is None or image_filter.boundary is Boundary.PERIODIC:
        return respond_everywhere(image_filter, prepared.image, prepared.spacing_mm)[prepared.box]
    sides = [
        (max(0, before - part.start), max(0, part.stop + after - n))
        for (before, after), part, n in zip(
            margins, prepared.box, prepared.image.shape, strict=True
        )
    ]
    invented: Margins = (sides[0], sides[1], sides[2])
    crop = tuple(
        slice(max(0, part.start - before), part.stop + after)
        for (before, after), part in zip(margins, prepared.box, strict=True)
    )
    image = prepared.image[crop]
    if invented != NOTHING_INVENTED:
        image = np.pad(image, invented, mode=image_filter.boundary.pad_mode)
    return image_filter.respond(image, prepared.spacing_mm, invented)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """Intensities of the region in the original image or a response, and how to treat them."""

    intensities: Real
    filter_name: str
    unit: str
    discretization: Discretization
    volume_histogram: Discretization
    bounds: tuple[float | None, float | None]


def _describe_region(
    prepared: PreparedRegion, original: Real, textures: TextureRegion, settings: RadiomicsSettings
) -> Iterator[Feature]:
    """Features of the original image."""
    values: Values = {}
    facts = RegionFacts(
        voxels=int(prepared.intensity.sum()),
        flat=bool(np.ptp(original[prepared.intensity]) == 0),
        above_autocorrelation_limit=prepared.intensity.size > settings.autocorrelation_limit,
        above_gray_level_limit=False,
    )
    if Family.MORPHOLOGY in settings.families:
        values[Family.MORPHOLOGY, ""] = describe_morphology(
            prepared.morphological,
            prepared.intensity,
            original,
            prepared.spacing_mm,
            autocorrelation_limit=settings.autocorrelation_limit,
        )
    if Family.LOCAL_INTENSITY in settings.families:
        values[Family.LOCAL_INTENSITY, ""] = describe_local_intensity(
            prepared.image, prepared.box, prepared.intensity, prepared.spacing_mm
        )
    yield from _name_values(values, ONCE_PER_REGION, facts, settings, settings.intensity_unit, "")
    yield from _describe_image(
        _Image(
            intensities=original[prepared.intensity],
            filter_name="",
            unit=settings.intensity_unit,
            discretization=settings.discretization,
            volume_histogram=settings.volume_histogram,
            bounds=settings.resegmentation_range or (None, None),
        ),
        textures,
        settings,
    )


def _describe_image(
    image: _Image, textures: TextureRegion, settings: RadiomicsSettings
) -> Iterator[Feature]:
    """Intensity and texture features of the original image or one response."""
    lowest, highest = float(image.intensities.min()), float(image.intensities.max())
    start = lowest if image.bounds[0] is None else image.bounds[0]
    above_limit = count_levels(start, highest, image.discretization) > settings.gray_level_limit
    facts = RegionFacts(
        voxels=len(image.intensities),
        flat=lowest == highest,
        above_autocorrelation_limit=False,
        above_gray_level_limit=above_limit,
    )
    values: Values = {
        (Family.STATISTICS, ""): describe_statistics(image.intensities),
        (Family.VOLUME_HISTOGRAM, ""): describe_volume_histogram(
            image.intensities, image.volume_histogram, image.bounds
        ),
    }
    if above_limit:
        values |= _undefined(settings)
    else:
        gray = discretize(image.intensities, image.discretization, image.bounds[0])
        values[Family.HISTOGRAM, ""] = describe_histogram(gray)
        if textures.volume is not None or textures.slices:
            values |= describe_texture(textures, gray, settings.aggregations)
    families = (*INTENSITY_FAMILIES, *TEXTURE_FAMILIES)
    yield from _name_values(values, families, facts, settings, image.unit, image.filter_name)


def _undefined(settings: RadiomicsSettings) -> Values:
    """NaN for everything that needs gray levels."""
    values: Values = {(Family.HISTOGRAM, ""): np.full(len(DEFINITIONS[Family.HISTOGRAM]), np.nan)}
    for family in TEXTURE_FAMILIES:
        for aggregation in _aggregations_of(family, settings):
            values[family, aggregation] = np.full(len(DEFINITIONS[family]), np.nan)
    return values


def _aggregations_of(family: Family, settings: RadiomicsSettings) -> tuple[str, ...]:
    """Aggregations of a family as the settings list them; "" without texture."""
    if family not in TEXTURE_FAMILIES:
        return ("",)
    if family in {Family.COOCCURRENCE, Family.RUN_LENGTH}:
        return tuple(settings.aggregations)
    return tuple(dict.fromkeys(a.dimension for a in settings.aggregations))


def _name_values(
    values: Values,
    families: tuple[Family, ...],
    facts: RegionFacts,
    settings: RadiomicsSettings,
    unit: str,
    filter_name: str,
) -> Iterator[Feature]:
    """Give every number its names and every NaN its reason."""
    for family in settings.families:
        if family not in families:
            continue
        for aggregation in _aggregations_of(family, settings):
            units = [resolve_unit(d.unit, unit) for d in DEFINITIONS[family]]
            numbers = values[family, aggregation].tolist()
            for definition, value, code in zip(DEFINITIONS[family], numbers, units, strict=True):
                defined = math.isfinite(value)
                yield Feature(
                    name=definition.name,
                    ibsi_code=definition.ibsi_code,
                    family=family,
                    aggregation=aggregation,
                    filter=filter_name,
                    value=value if defined else math.nan,
                    unit=code,
                    reason="" if defined else explain(family, definition.tag, facts),
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
