"""A tiny MONAI bundle; the form is that of the bundle specification."""

import json
from pathlib import Path
from typing import Any

METADATA = {
    "network_data_format": {
        "inputs": {"image": {"type": "image", "num_channels": 1, "spatial_shape": [16, 12, 8]}},
        "outputs": {
            "pred": {"channel_def": {"0": "background", "1": "liver", "2": "tumor"}},
        },
    }
}
INFERENCE = {
    "window": [16, 12, 8],
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.4, 2.0]},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "image",
                "a_min": -57,
                "a_max": 164,
                "b_min": 0,
                "b_max": 1,
                "clip": True,
            },
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "@window", "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [{"_target_": "Activationsd", "keys": "pred", "softmax": True}],
    },
}


def write_bundle(root: Path, *, inference: dict[str, Any] | None = None) -> Path:
    """Write the configuration of a bundle, without its network."""
    folder = root / "bundle"
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "metadata.json").write_text(json.dumps(METADATA))
    (folder / "configs" / "inference.json").write_text(json.dumps(inference or INFERENCE))
    return folder


def changed(old: str, new: str) -> dict[str, Any]:
    """INFERENCE with a piece of its text replaced."""
    text = json.dumps(INFERENCE)
    if old not in text:
        raise KeyError(old)
    loaded: dict[str, Any] = json.loads(text.replace(old, new))
    return loaded
