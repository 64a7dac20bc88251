"""Radiomic features in the report, with IBSI codes, per finding, region and contrast phase.

They stand apart from the findings' own groups, because viewers write every number of those
beside the outline, and two hundred features would bury the image. A lesion is told in full in
the phase it was segmented in; the liver, the lesion's ring and the other phases by the features
that describe intensity, since all in full would make the report ten times as large.
features.json has everything.
"""

from pydicom.dataset import Dataset

from engine.coding import dicom, ibsi, own, ucum
from engine.reporting.feature_choice import choose_features
from engine.reporting.seg import LIVER_SEGMENT
from engine.reporting.sr_content import CONTAINS, HAS_CONCEPT_MOD, make_num, make_text
from engine.reporting.sr_groups import LARGEST_3D_DIAMETER, Evidence, Finding, segment_group
from engine.values.features import Feature
from engine.values.identity import ContrastPhase
from engine.values.result import AnalysisResult

INTENSITY = ("Q4LE", "ECT3", "KE2A", "IPH6", "QG58", "8DWT", "TLU2")
"""Mean, variance, skewness, kurtosis, 10th and 90th percentile, entropy."""


def radiomics_groups(result: AnalysisResult, finding: Finding, evidence: Evidence) -> list[Dataset]:
    """The groups of one finding: itself in its phase first, then other phases, then its ring."""
    region = "liver" if finding.segment == LIVER_SEGMENT else f"lesion {finding.segment - 1}"
    reference = result.reference.series.phase
    places = dict.fromkeys(
        (features.region, features.phase)
        for features in result.features
        if _belongs(features.region, region)
    )
    groups = []
    for name, phase in sorted(places, key=lambda p: (p[0].casefold() != region, p[1] != reference)):
        chosen = choose_features(result, name, phase)
        whole = (name.casefold(), phase) == (region, reference)
        if not whole or finding.segment == LIVER_SEGMENT:
            chosen = {code: chosen[code] for code in INTENSITY if code in chosen}
        # The largest diameter is among the finding's measurements already.
        numbers = [_feature(f) for code, f in chosen.items() if code != LARGEST_3D_DIAMETER]
        if numbers:
            about = _about(name, phase)
            groups.append(segment_group(result, finding, evidence, numbers=[*about, *numbers]))
    return groups


def _belongs(name: str, region: str) -> bool:
    """Tell whether features are of a finding or of the ring around it."""
    folded = name.casefold()
    return folded == region or folded.startswith(f"{region} ring ")


def _about(region: str, phase: ContrastPhase) -> list[Dataset]:
    return [
        make_text(own.REGION, region, HAS_CONCEPT_MOD),
        make_text(dicom.CONTRAST_PHASE, phase.value, HAS_CONCEPT_MOD),
    ]


def _feature(feature: Feature) -> Dataset:
    concept = ibsi.name_feature(feature.ibsi_code, feature.name)
    if concept is None:
        concept = own.named(feature.name, feature.name)
    modifiers = []
    if feature.aggregation:
        modifiers = [make_text(own.AGGREGATION, feature.aggregation, HAS_CONCEPT_MOD)]
    return make_num(concept, feature.value, ucum.unit(feature.unit), CONTAINS, modifiers)
