"""Reports show each feature once, from the segmented phase."""

from dataclasses import replace

from engine.reporting.feature_choice import choose_features
from engine.values.identity import ContrastPhase
from engine.values.result import AnalysisResult


def test_case_does_not_matter_in_region_names(result: AnalysisResult) -> None:
    assert choose_features(result, "Lesion 1").keys() == choose_features(result, "lesion 1").keys()
    assert "QCFX" in choose_features(result, "LESION 2")


def test_failed_and_filtered_features_are_left_out(result: AnalysisResult) -> None:
    first = result.features[0]
    filtered = replace(first.features[0], ibsi_code="", name="Wavelet volume", filter="wavelet")
    told = replace(result, features=(replace(first, features=(*first.features, filtered)),))
    assert {"Ring contrast", "Wavelet volume"}.isdisjoint(choose_features(told, "lesion 1"))


def test_the_first_aggregation_stands_for_a_feature(result: AnalysisResult) -> None:
    first = result.features[0]
    again = replace(first.features[1], value=0.5, aggregation="3D, merged")
    told = replace(result, features=(replace(first, features=(*first.features, again)),))
    assert choose_features(told, "lesion 1")["QCFX"].value == 0.91


def test_other_phases_are_left_out(result: AnalysisResult) -> None:
    told = replace(
        result,
        features=tuple(replace(f, phase=ContrastPhase.DELAYED) for f in result.features),
    )
    assert choose_features(told, "lesion 1") == {}
