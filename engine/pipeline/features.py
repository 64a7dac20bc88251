"""Features of every region in every phase."""

from engine.errors import RegionError
from engine.pipeline.opening import AnalysisSettings
from engine.radiomics import extract_features
from engine.values.features import FeatureSet
from engine.values.lesion import LesionFindings
from engine.values.prognosis import Refusal
from engine.values.progress import Progress
from engine.values.volume import Volume


def extract_all(
    volume: Volume, findings: LesionFindings, settings: AnalysisSettings, progress: Progress
) -> tuple[tuple[FeatureSet, ...], tuple[Refusal, ...]]:
    """Features of every lesion in the reference phase, and which lesions have none."""
    sets: list[FeatureSet] = []
    refusals: list[Refusal] = []
    for lesion in findings.lesions:
        progress((lesion.number - 1) / len(findings.lesions), lesion.tracking_id)
        try:
            features = extract_features(
                volume.voxels_hu,
                findings.lesion_labels == lesion.number,
                volume.geometry,
                settings.radiomics,
                region=f"lesion {lesion.number}",
                phase=volume.series.phase,
            )
        except RegionError as error:
            refusals.append(Refusal(name=f"Radiomics of {lesion.tracking_id}", reason=str(error)))
        else:
            sets.append(features)
    return tuple(sets), tuple(refusals)
