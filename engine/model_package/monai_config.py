"""metadata.json and inference.json of a MONAI bundle → how the network is fed.

MONAI is Apache-2.0; only its file format is read here (MONAI Bundle Specification).
"""

from collections.abc import Iterator
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

METADATA = "configs/metadata.json"
INFERENCE = "configs/inference.json"
AXIS_OF_LETTER = {"S": 0, "I": 0, "P": 1, "A": 1, "L": 2, "R": 2}
AGAINST_STANDARD = "IAR"
"""Letters that point against the standard axes (head, posterior, left)."""


def read_bundle(folder: Path) -> ForeignNetwork:
    """Read how the bundle's own inference feeds its network.

    Raises:
        ModelPackageError: A file is missing, a transform that is needed is missing or is
            computed by an expression, or no channel is the liver.
    """
    metadata, inference = read_json(folder / METADATA), read_json(folder / INFERENCE)
    parts = {_name_of(part): part for part in _walk(inference)}
    orientation = _part(parts, "Orientation")
    adapter = _adapter(str(_value(inference, orientation, "axcodes")))
    intensity = _part(parts, "ScaleIntensityRange")
    inferer = _part(parts, "SlidingWindowInferer")
    pixdim = _three(_value(inference, _part(parts, "Spacing"), "pixdim"), "pixdim")
    roi = _three(_value(inference, inferer, "roi_size"), "roi_size")
    patch = adapter.to_standard((int(roi[0]), int(roi[1]), int(roi[2])))
    names = _channel_names(metadata)
    activations = parts.get("Activations", {})
    spec = NetworkSpec(
        role="segmenter",
        file=ONNX_FILE,
        sha256="",
        spacing_mm=adapter.to_standard(pixdim),
        patch=patch,
        divisor=patch,  # a bundle does not name one; its own window is always right
        overlap=float(_value(inference, inferer, "overlap", 0.25)),
        input_name=INPUT_NAME,
        output_name=OUTPUT_NAME,
        channels=channels_of(names, where=METADATA),
        activation="sigmoid" if activations.get("sigmoid") else "softmax",
        **_intensities(inference, intensity),
    )
    return ForeignNetwork(spec=spec, adapter=adapter)


def _walk(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Every {"_target_": …} that is not disabled, wherever it lies."""
    if isinstance(value, dict):
        if "_target_" in value and value.get("_disabled_") is not True:
            yield value
        for inner in value.values():
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def _name_of(part: dict[str, Any]) -> str:
    """Class name; the dictionary form of a transform ends in d, D or Dict."""
    name = str(part["_target_"]).rpartition(".")[2]
    return name.removesuffix("Dict").removesuffix("d").removesuffix("D")


def _part(parts: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in parts:
        raise ModelPackageError(
            f"{INFERENCE}: {name} is needed, found {', '.join(sorted(parts)) or 'nothing'}; "
            "export to ONNX yourself and import that"
        )
    return parts[name]


def _value(config: dict[str, Any], part: dict[str, Any], key: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON
    """A literal value; "@name" is looked up in the file, "$expression" is never run."""
    value = part.get(key, default)
    for _ in range(8):
        if not (isinstance(value, str) and value.startswith("@")):
            break
        value = config.get(value[1:])
    if value is None or (isinstance(value, str) and value.startswith(("$", "@"))):
        raise ModelPackageError(
            f"{INFERENCE}: {key} of {part['_target_']} must be a plain value, found "
            f"{part.get(key)!r}; write the value into the file"
        )
    return value


def _adapter(axcodes: str) -> AxisAdapter:
    axes = [AXIS_OF_LETTER.get(letter, -1) for letter in axcodes]
    if sorted(axes) != [0, 1, 2]:
        raise ModelPackageError(f"{INFERENCE}: axcodes {axcodes!r} do not name three axes")
    flipped = sorted(AXIS_OF_LETTER[letter] for letter in axcodes if letter in AGAINST_STANDARD)
    return AxisAdapter(flipped=tuple(flipped), order=(axes[0], axes[1], axes[2]))


def _three(value: Any, key: str) -> tuple[float, float, float]:  # noqa: ANN401 - JSON
    if not isinstance(value, list) or len(value) != 3 or min(value) <= 0:
        raise ModelPackageError(f"{INFERENCE}: {key} must be 3 numbers above 0, found {value!r}")
    return (float(value[0]), float(value[1]), float(value[2]))


def _intensities(config: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Clip to [a_min, a_max], then map to [b_min, b_max]."""
    low, high, to_low, to_high = (
        float(_value(config, part, key)) for key in ("a_min", "a_max", "b_min", "b_max")
    )
    if _value(config, part, "clip", False) is not True or high <= low or to_high <= to_low:
        raise ModelPackageError(f"{INFERENCE}: ScaleIntensityRange must rise and clip")
    scale = (high - low) / (to_high - to_low)
    return {"window_hu": (low, high), "mean_hu": low - to_low * scale, "scale_hu": scale}


def _channel_names(metadata: dict[str, Any]) -> list[str]:
    data_format = field_of(metadata, "network_data_format", METADATA)
    (image, *others) = field_of(data_format, "inputs", METADATA).values()
    if others or image.get("num_channels") != 1:
        raise ModelPackageError(f"{METADATA}: one input with one channel (CT) needed")
    output = next(iter(field_of(data_format, "outputs", METADATA).values()))
    definition = field_of(output, "channel_def", METADATA)
    return [str(definition[key]) for key in sorted(definition, key=int)]
