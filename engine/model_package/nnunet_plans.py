"""plans.json and dataset.json of an nnU-Net v2 folder → how the network is fed and built.

nnU-Net is Apache-2.0 (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z). Only its file
format is read here.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from engine.errors import ModelPackageError
from engine.model_package.foreign import (
    INPUT_NAME,
    ONNX_FILE,
    OUTPUT_NAME,
    AxisAdapter,
    ForeignNetwork,
    field_of,
    read_json,
)
from engine.model_package.label_names import channels_of
from engine.values.model import NetworkSpec

CLASSES = ("PlainConvUNet", "ResidualEncoderUNet")
PLANS, DATASET = "plans.json", "dataset.json"
OVERLAP = 0.5
READERS = {
    "SimpleITKIO": (),
    "NibabelIO": (),
    "SimpleITKIOWithReorient": (1, 2),
    "NibabelIOWithReorient": (1, 2),
}
"""Standard axes that run backwards for each reader: the plain ones keep the file's axes,
taken here as slices to the head, rows to posterior, columns to the left, the axes of a
NIfTI file written from a supine CT by ITK; the others turn to right, anterior, superior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NnunetPlan:
    """One configuration of a trained folder.

    Attributes:
        network: How it is fed.
        class_name: "PlainConvUNet" or "ResidualEncoderUNet".
        arguments: Constructor arguments, names of torch classes as strings.
        imported: Arguments that name a torch class.
        heads: Output channels.
    """

    network: ForeignNetwork
    class_name: str
    arguments: dict[str, Any]
    imported: tuple[str, ...]
    heads: int


def read_plan(folder: Path, configuration: str) -> NnunetPlan:
    """Read one configuration.

    Args:
        folder: The trained folder with plans.json and dataset.json.
        configuration: "3d_fullres", "3d_lowres", …

    Raises:
        ModelPackageError: Unreadable, not 3D, not one CT channel, cascaded, an unknown
            architecture, or no label for the liver.
    """
    plans, dataset = read_json(folder / PLANS), read_json(folder / DATASET)
    settings = _resolve(plans, configuration)
    _check_input(dataset, settings, configuration)
    architecture = settings.get("architecture") or _old_architecture(settings)
    class_name = str(field_of(architecture, "network_class_name", PLANS)).rpartition(".")[2]
    if class_name not in CLASSES:
        raise ModelPackageError(f"{PLANS}: network {class_name}; known: {', '.join(CLASSES)}")
    names, activation = _heads(dataset)
    adapter = _adapter(plans)
    arguments = dict(field_of(architecture, "arch_kwargs", PLANS))
    divisor = [prod(step[axis] for step in arguments["strides"]) for axis in range(3)]
    spec = NetworkSpec(
        role="segmenter",
        file=ONNX_FILE,
        sha256="",
        spacing_mm=adapter.to_standard(_three(settings, "spacing", float)),
        patch=adapter.to_standard(_three(settings, "patch_size", int)),
        divisor=adapter.to_standard((divisor[0], divisor[1], divisor[2])),
        overlap=OVERLAP,
        input_name=INPUT_NAME,
        output_name=OUTPUT_NAME,
        channels=channels_of(names, where=DATASET),
        activation=activation,
        **_intensities(plans),
    )
    return NnunetPlan(
        network=ForeignNetwork(spec=spec, adapter=adapter),
        class_name=class_name,
        arguments=arguments,
        imported=tuple(architecture.get("_kw_requires_import", ())),
        heads=len(names),
    )


def _resolve(plans: dict[str, Any], name: str) -> dict[str, Any]:
    """Follow inherits_from to the whole configuration."""
    configurations = field_of(plans, "configurations", PLANS)
    chain: list[dict[str, Any]] = []
    seen: set[str] = set()
    while name:
        if name in seen:
            raise ModelPackageError(f"{PLANS}: configuration {name!r} inherits from itself")
        seen.add(name)
        chain.insert(0, field_of(configurations, name, f"{PLANS} configurations"))
        name = chain[0].get("inherits_from", "")
    return {key: value for part in chain for key, value in part.items()}


def _check_input(dataset: dict[str, Any], settings: dict[str, Any], configuration: str) -> None:
    channels = dataset.get("channel_names") or dataset.get("modality") or {}
    if len(channels) != 1:
        raise ModelPackageError(f"{DATASET}: one input channel (CT) needed, found {channels}")
    if settings.get("normalization_schemes") != ["CTNormalization"]:
        raise ModelPackageError(
            f"{PLANS}: normalization CTNormalization needed, found "
            f"{settings.get('normalization_schemes')}"
        )
    if len(field_of(settings, "patch_size", PLANS)) != 3 or settings.get("previous_stage"):
        raise ModelPackageError(
            f"{PLANS}: a 3D configuration without a previous stage is needed, found "
            f"{configuration}; import the folder of 3d_fullres or 3d_lowres"
        )


def _heads(dataset: dict[str, Any]) -> tuple[list[str], str]:
    """Names of the output channels in order, and their activation."""
    labels: dict[str, Any] = field_of(dataset, "labels", DATASET)
    named = {name: value for name, value in labels.items() if name != "ignore"}
    if any(isinstance(value, list) for value in named.values()):
        return [name for name in named if name != "background"], "sigmoid"
    return sorted(named, key=lambda name: int(named[name])), "softmax"


def _adapter(plans: dict[str, Any]) -> AxisAdapter:
    reader = str(plans.get("image_reader_writer", "SimpleITKIO"))
    if reader not in READERS:
        raise ModelPackageError(f"{PLANS}: reader {reader}; known: {', '.join(READERS)}")
    first, second, third = plans.get("transpose_forward", (0, 1, 2))
    return AxisAdapter(flipped=READERS[reader], order=(first, second, third))


def _intensities(plans: dict[str, Any]) -> dict[str, Any]:
    """CTNormalization: clip to the foreground's 0.5 and 99.5 percentiles, z-score."""
    table = plans.get("foreground_intensity_properties_per_channel") or plans.get(
        "foreground_intensity_properties_by_modality", {}
    )
    values = field_of(table, "0", f"{PLANS} foreground_intensity_properties_per_channel")
    low, high, mean, scale = (
        float(field_of(values, key, PLANS))
        for key in ("percentile_00_5", "percentile_99_5", "mean", "std")
    )
    return {"window_hu": (low, high), "mean_hu": mean, "scale_hu": max(scale, 1e-8)}


def _three(settings: dict[str, Any], key: str, kind: type) -> tuple[Any, Any, Any]:
    first, second, third = (kind(value) for value in field_of(settings, key, PLANS))
    return (first, second, third)


def _old_architecture(settings: dict[str, Any]) -> dict[str, Any]:
    """Architecture of plans written before nnU-Net 2.4 named it explicitly."""
    class_name = field_of(settings, "UNet_class_name", PLANS)
    convolutions = field_of(settings, "n_conv_per_stage_encoder", PLANS)
    base, most = settings["UNet_base_num_features"], settings["unet_max_num_features"]
    per_stage = "n_conv_per_stage" if class_name == "PlainConvUNet" else "n_blocks_per_stage"
    return {
        "network_class_name": class_name,
        "arch_kwargs": {
            "n_stages": len(convolutions),
            "features_per_stage": [min(base * 2**n, most) for n in range(len(convolutions))],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": settings["conv_kernel_sizes"],
            "strides": settings["pool_op_kernel_sizes"],
            per_stage: convolutions,
            "n_conv_per_stage_decoder": settings["n_conv_per_stage_decoder"],
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
