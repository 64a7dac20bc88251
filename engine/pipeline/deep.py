"""Deep features of every lesion in every phase."""

from pathlib import Path

from engine.deep_features.cache import FeatureCache
from engine.deep_features.extraction import (
    OpenEncoder,
    absent_deep_features,
    extract_deep_features,
)
from engine.deep_features.pooling import Pooling
from engine.errors import RegionError
from engine.inference.onnx_tap import find_bottleneck
from engine.inference.providers import Device
from engine.inference.session import open_session
from engine.pipeline.phases import AlignedPhase
from engine.values.encoder import EncoderChannel, EncoderSpec
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.lesion import LesionFindings
from engine.values.model import SegmentationPackage
from engine.values.prognosis import Refusal
from engine.values.progress import Progress
from engine.values.volume import Volume

BOTTLENECK = "bottleneck"
"""Name of the embedded encoder: the inside of the segmentation network."""


def bottleneck_of(package: SegmentationPackage) -> EncoderSpec:
    """The segmentation network's own bottleneck as an encoder.

    Raises:
        ModelPackageError: The network is no U-Net.
    """
    network = next(spec for spec in package.networks if spec.role == "segmenter")
    low, high = network.window_hu
    channel = EncoderChannel(
        low_hu=low,
        high_hu=high,
        mean=(network.mean_hu - low) / (high - low),
        deviation=network.scale_hu / (high - low),
    )
    file = package.folder / network.file
    return EncoderSpec(
        name=f"{package.identity.name} {BOTTLENECK}",
        version=package.identity.version,
        package_sha256=package.identity.sha256,
        file=file,
        dimensions=3,
        input_name=network.input_name,
        layer=find_bottleneck(file.read_bytes()),
        layer_name=BOTTLENECK,
        channels=(channel,),
        spacing_mm=network.spacing_mm,
        patch=network.patch,
        license="as the segmentation package",
    )


def open_encoder(spec: EncoderSpec, device: Device, cache: Path | None) -> OpenEncoder:
    """Open an encoder's graph with its layer among the outputs.

    Raises:
        ModelPackageError: The graph cannot be opened or has no such tensor.
        DeviceError: The device is missing.
    """
    session = open_session(spec.file, device=device)
    if spec.layer not in {output.name for output in session.outputs}:
        session = open_session(spec.file, device=device, tap=spec.layer)
    return OpenEncoder(
        spec=spec,
        network=session,
        provider=session.device.execution_provider,
        cache=None if cache is None else FeatureCache(folder=cache),
    )


def extract_deep(
    images: tuple[tuple[Volume, AlignedPhase | None], ...],
    findings: LesionFindings,
    encoders: tuple[OpenEncoder, ...],
    progress: Progress,
) -> tuple[tuple[FeatureSet, ...], tuple[Refusal, ...]]:
    """Deep features of the lesions; a lesion without any keeps the names and says why."""
    jobs = [(e, les, i) for e in encoders for les in findings.lesions for i in images]
    sets: list[FeatureSet | _Missing] = []
    refusals = []
    for number, (encoder, lesion, (volume, phase)) in enumerate(jobs):
        region = f"lesion {lesion.number}"
        progress(number / len(jobs), f"{encoder.spec.name}, {region}, {volume.series.phase}")
        mask = findings.lesion_labels == lesion.number
        try:
            inside = mask if phase is None else phase.inside(mask)
            sets.append(
                extract_deep_features(
                    volume.voxels_hu,
                    inside,
                    volume.geometry,
                    encoder,
                    region=region,
                    phase=volume.series.phase,
                )
            )
        except RegionError as error:
            sets.append(_Missing(encoder.spec, region, volume.series.phase, str(error)))
            name = f"{encoder.spec.name} of {region}, {volume.series.phase} phase"
            refusals.append(Refusal(name=name, reason=str(error)))
    known = [s for s in sets if isinstance(s, FeatureSet)]
    channels = {s.settings["encoder"]: len(s.features) // len(Pooling) for s in known}
    filled = [s if isinstance(s, FeatureSet) else s.fill(channels) for s in sets]
    return tuple(s for s in filled if s.features), tuple(refusals)


class _Missing:
    """A lesion without features; how many are missing is known when another has them."""

    def __init__(self, spec: EncoderSpec, region: str, phase: ContrastPhase, reason: str) -> None:
        self._spec, self._region, self._phase, self._reason = spec, region, phase, reason

    def fill(self, channels: dict[str, int]) -> FeatureSet:
        """The names with NaN; none when no lesion has features of this encoder."""
        count = channels.get(self._spec.name, 0)
        return absent_deep_features(
            count, self._spec, region=self._region, phase=self._phase, reason=self._reason
        )
