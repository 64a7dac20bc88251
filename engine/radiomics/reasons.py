"""Why a feature has no value."""

from dataclasses import dataclass

from engine.radiomics.catalog import Family

ONE_VOXEL = "the region has a single voxel"
FLAT = "all intensities of the region are equal"
NO_PAIRS = "no two voxels of the region are neighbors"
ONE_LEVEL = "the region or its voxel pairs have one gray level only"
MEAN_ZERO = "the mean intensity is zero"
QUARTILES_CANCEL = "the sum of the first and third quartile is zero"
WEIGHTS_CANCEL = "the intensities add up to zero"
NO_EXTENT = "the region has no extent along one of its axes"
TOO_LARGE = "the region's box has more voxels than the autocorrelation limit"
TOO_MANY_LEVELS = "the image has more gray levels than the limit"
UNDEFINED = "the feature's definition divides by zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFacts:
    """What decides whether a feature is defined.

    Attributes:
        voxels: Voxels of the intensity mask.
        flat: Whether they all have the same intensity.
        above_autocorrelation_limit: Whether spatial autocorrelation was left out.
        above_gray_level_limit: Whether texture was left out.
    """

    voxels: int
    flat: bool
    above_autocorrelation_limit: bool
    above_gray_level_limit: bool


_BY_TAG = {
    "stat_cov": MEAN_ZERO,
    "stat_qcod": QUARTILES_CANCEL,
    "morph_com": WEIGHTS_CANCEL,
    "morph_pca_elongation": NO_EXTENT,
    "morph_pca_flatness": NO_EXTENT,
    "morph_vol_dens_aee": NO_EXTENT,
    "morph_area_dens_aee": NO_EXTENT,
}
_BY_FAMILY = {
    Family.COOCCURRENCE: NO_PAIRS,
    Family.TONE_DIFFERENCE: NO_PAIRS,
    Family.HISTOGRAM: ONE_LEVEL,
}
_TEXTURE = frozenset(
    {
        Family.COOCCURRENCE,
        Family.RUN_LENGTH,
        Family.SIZE_ZONE,
        Family.DISTANCE_ZONE,
        Family.TONE_DIFFERENCE,
        Family.DEPENDENCE,
    }
)


def explain(family: Family, tag: str, facts: RegionFacts) -> str:
    """Say why a feature of a region is NaN."""
    if facts.above_gray_level_limit and (family in _TEXTURE or family is Family.HISTOGRAM):
        return TOO_MANY_LEVELS
    if tag in {"morph_moran_i", "morph_geary_c"} and facts.above_autocorrelation_limit:
        return TOO_LARGE
    if tag not in _BY_TAG and facts.flat:
        return ONE_VOXEL if facts.voxels == 1 else FLAT
    if tag in {"cm_corr", "cm_info_corr1"}:
        return ONE_LEVEL
    return _BY_TAG.get(tag, _BY_FAMILY.get(family, UNDEFINED))
