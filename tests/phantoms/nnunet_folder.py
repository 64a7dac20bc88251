"""A tiny folder in the form that nnU-Net v2 leaves after training."""

# ruff: noqa: ANN401 - JSON values have any type

import copy
import json
from pathlib import Path
from typing import Any

DATASET = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "liver": 1, "tumor": 2},
    "numTraining": 2,
    "file_ending": ".nii.gz",
}
ARGUMENTS = {
    "n_stages": 3,
    "features_per_stage": [4, 8, 8],
    "conv_op": "torch.nn.modules.conv.Conv3d",
    "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
    "n_conv_per_stage": [2, 2, 2],
    "n_conv_per_stage_decoder": [2, 2],
    "conv_bias": True,
    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
    "norm_op_kwargs": {"eps": 1e-05, "affine": True},
    "dropout_op": None,
    "dropout_op_kwargs": None,
    "nonlin": "torch.nn.LeakyReLU",
    "nonlin_kwargs": {"inplace": True},
}
PLANS = {
    "dataset_name": "Dataset003_Liver",
    "plans_name": "nnUNetPlans",
    "transpose_forward": [0, 1, 2],
    "transpose_backward": [0, 1, 2],
    "image_reader_writer": "SimpleITKIO",
    "foreground_intensity_properties_per_channel": {
        "0": {"mean": 99.5, "std": 37.1, "percentile_00_5": -15.0, "percentile_99_5": 197.0}
    },
    "configurations": {
        "3d_fullres": {
            "spacing": [1.0, 0.77, 0.78],
            "patch_size": [8, 16, 24],
            "normalization_schemes": ["CTNormalization"],
            "architecture": {
                "network_class_name": (
                    "dynamic_network_architectures.architectures.unet.PlainConvUNet"
                ),
                "arch_kwargs": ARGUMENTS,
                "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
            },
        }
    },
}


def write_nnunet_folder(
    root: Path, *, plans: dict[str, Any] | None = None, dataset: dict[str, Any] | None = None
) -> Path:
    """Write plans.json and dataset.json, changed at their first level; no checkpoint."""
    folder = root / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps({**PLANS, **(plans or {})}))
    (folder / "dataset.json").write_text(json.dumps({**DATASET, **(dataset or {})}))
    return folder


def changed_configuration(**changes: Any) -> dict[str, Any]:
    """The "configurations" of PLANS with changes to 3d_fullres; None removes a key."""
    configurations = copy.deepcopy(PLANS["configurations"])
    settings = configurations["3d_fullres"]
    settings.update(changes)
    for key in [key for key, value in settings.items() if value is None]:
        del settings[key]
    return {"configurations": configurations}
