"""Deep features of a region."""

from pathlib import Path

import numpy as np
import pytest

from engine.deep_features.cache import FeatureCache
from engine.deep_features.extraction import (
    OpenEncoder,
    absent_deep_features,
    extract_deep_features,
)
from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.values.encoder import EncoderSpec
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from tests.deep_features.conftest import grid_of, pooled_identity, spec_of

SHAPE = (40, 30, 40)
GRID = grid_of(SHAPE, (1.0, 1.0, 1.0))


class Counting:
    """Counts the runs of a network."""

    def __init__(self, session: object) -> None:
        self._session, self.runs = session, 0

    def run_named(self, feeds: dict, outputs: tuple[str, ...]) -> dict:
        self.runs += 1
        return self._session.run_named(feeds, outputs)  # type: ignore[attr-defined]


def opened(spec: EncoderSpec, cache: Path | None = None) -> OpenEncoder:
    tap = "" if spec.layer == "features" else spec.layer
    session = Counting(open_session(spec.file, device="cpu", tap=tap))
    kept = None if cache is None else FeatureCache(folder=cache)
    return OpenEncoder(spec=spec, network=session, provider="CPU", cache=kept)


def describe(encoder: OpenEncoder) -> FeatureSet:
    voxels = np.random.default_rng(2).integers(0, 100, SHAPE).astype(np.int16)
    mask = np.zeros(SHAPE, bool)
    mask[4:36, 10:18, 20:28] = True
    return extract_deep_features(
        voxels, mask, GRID, encoder, region="lesion 1", phase=ContrastPhase.DELAYED
    )


def test_the_mean_of_a_region_of_whole_cells_is_the_images_mean(graph_2d: Path) -> None:
    """32 slices, in two batches."""
    encoder = opened(spec_of(graph_2d, 2, patch=(1, 16, 16)))
    features = describe(encoder).features
    voxels = np.random.default_rng(2).integers(0, 100, SHAPE)[4:36, 10:18, 20:28]
    assert features[0].value == pytest.approx(voxels.mean() / 100, abs=1e-5)
    assert encoder.network.runs == 2  # type: ignore[attr-defined]


def test_names_say_encoder_layer_and_channel(graph_2d: Path) -> None:
    found = describe(opened(spec_of(graph_2d, 2, patch=(1, 16, 16), layer_name="deep")))
    assert [(f.filter, f.name, f.aggregation) for f in found.features] == [
        ("pooled", "deep 0000", pooling) for pooling in ("mask mean", "mask max", "global mean")
    ]
    assert found.settings["package_sha256"] == "0" * 64
    assert found.settings["license"] == "CC0-1.0"


def test_an_inner_layer_and_the_output_are_both_at_hand(graph_3d: Path) -> None:
    """The output doubles what the inner tensor gives."""
    spec = {"patch": (40, 16, 16)}
    inner = describe(opened(spec_of(graph_3d, 3, layer="inner", **spec))).features
    outer = describe(opened(spec_of(graph_3d, 3, layer="features", **spec))).features
    assert [f.value for f in outer] == pytest.approx([2 * f.value for f in inner])


def test_the_second_time_nothing_is_computed(graph_2d: Path, tmp_path: Path) -> None:
    spec = spec_of(graph_2d, 2, patch=(1, 16, 16))
    first, second = opened(spec, tmp_path / "c"), opened(spec, tmp_path / "c")
    assert describe(first) == describe(second)
    assert second.network.runs == 0  # type: ignore[attr-defined]


def test_a_layer_of_the_wrong_rank_is_the_packages_fault(tmp_path: Path) -> None:
    flat = opened(spec_of(pooled_identity(tmp_path / "a.onnx", 1, 2), 2, patch=(1, 16, 16)))

    class Scalar:
        def run_named(self, feeds: dict, outputs: tuple[str, ...]) -> dict:
            return {outputs[0]: np.ones(3, np.float32)}

    broken = OpenEncoder(spec=flat.spec, network=Scalar(), provider="CPU")
    with pytest.raises(ModelPackageError, match="feature map"):
        describe(broken)


def test_absent_features_keep_the_names(graph_2d: Path) -> None:
    spec = spec_of(graph_2d, 2, patch=(1, 16, 16))
    real = describe(opened(spec))
    absent = absent_deep_features(
        1, spec, region="lesion 1", phase=ContrastPhase.DELAYED, reason="why"
    )
    assert [(f.name, f.aggregation) for f in absent.features] == [
        (f.name, f.aggregation) for f in real.features
    ]
    assert all(np.isnan(f.value) and f.reason == "why" for f in absent.features)
