"""plans.json and dataset.json tell how an nnU-Net is fed."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ModelPackageError
from engine.model_package.foreign import AxisAdapter
from engine.model_package.nnunet_plans import read_plan
from tests.phantoms.nnunet_folder import changed_configuration, write_nnunet_folder


def test_a_configuration_becomes_a_spec(tmp_path: Path) -> None:
    plan = read_plan(write_nnunet_folder(tmp_path), "3d_fullres")
    spec = plan.network.spec
    assert (spec.spacing_mm, spec.patch) == ((1.0, 0.77, 0.78), (8, 16, 24))
    assert spec.divisor == (2, 4, 4)
    assert (spec.window_hu, spec.mean_hu, spec.scale_hu) == ((-15.0, 197.0), 99.5, 37.1)
    assert (spec.channels, spec.activation) == ((0, 1, 2), "softmax")
    assert (plan.class_name, plan.heads) == ("PlainConvUNet", 3)
    assert plan.network.adapter == AxisAdapter()


def test_a_transposed_plan_is_sorted_to_the_standard_axes(tmp_path: Path) -> None:
    folder = write_nnunet_folder(tmp_path, plans={"transpose_forward": [2, 0, 1]})
    spec = read_plan(folder, "3d_fullres").network.spec
    assert spec.spacing_mm == (0.77, 0.78, 1.0)
    assert (spec.patch, spec.divisor) == ((16, 24, 8), (4, 4, 2))


def test_a_reader_that_reorients_flips_rows_and_columns(tmp_path: Path) -> None:
    folder = write_nnunet_folder(tmp_path, plans={"image_reader_writer": "NibabelIOWithReorient"})
    assert read_plan(folder, "3d_fullres").network.adapter.flipped == (1, 2)


def test_labels_are_ordered_by_value_and_other_organs_are_background(tmp_path: Path) -> None:
    labels = {"background": 0, "tumor": 3, "spleen": 1, "liver": 2, "ignore": 4}
    plan = read_plan(write_nnunet_folder(tmp_path, dataset={"labels": labels}), "3d_fullres")
    assert (plan.network.spec.channels, plan.heads) == ((0, 0, 1, 2), 4)


def test_regions_are_sigmoid_channels_without_background(tmp_path: Path) -> None:
    labels = {"background": 0, "whole liver": [1, 2], "tumor": 2}
    plan = read_plan(write_nnunet_folder(tmp_path, dataset={"labels": labels}), "3d_fullres")
    assert (plan.network.spec.channels, plan.network.spec.activation) == ((1, 2), "sigmoid")
    assert plan.heads == 2


def test_a_configuration_inherits(tmp_path: Path) -> None:
    plans = changed_configuration()
    plans["configurations"]["3d_fast"] = {"inherits_from": "3d_fullres", "patch_size": [4, 8, 8]}
    spec = read_plan(write_nnunet_folder(tmp_path, plans=plans), "3d_fast").network.spec
    assert (spec.patch, spec.spacing_mm) == ((4, 8, 8), (1.0, 0.77, 0.78))


def test_plans_of_early_releases_are_understood(tmp_path: Path) -> None:
    plans = changed_configuration(
        architecture=None,
        UNet_class_name="PlainConvUNet",
        UNet_base_num_features=4,
        unet_max_num_features=8,
        n_conv_per_stage_encoder=[2, 2, 2],
        n_conv_per_stage_decoder=[2, 2],
        conv_kernel_sizes=[[1, 3, 3], [3, 3, 3], [3, 3, 3]],
        pool_op_kernel_sizes=[[1, 1, 1], [1, 2, 2], [2, 2, 2]],
    )
    plan = read_plan(write_nnunet_folder(tmp_path, plans=plans), "3d_fullres")
    assert plan.arguments["features_per_stage"] == [4, 8, 8]
    assert plan.arguments["n_conv_per_stage"] == [2, 2, 2]
    assert plan.network.spec.divisor == (2, 4, 4)


@pytest.mark.parametrize(
    ("plans", "dataset", "message"),
    [
        ({}, {"channel_names": {"0": "CT", "1": "PET"}}, "one input channel"),
        ({}, {"labels": {"background": 0, "spleen": 1}}, "a label .* is needed"),
        (changed_configuration(normalization_schemes=["ZScoreNormalization"]), {}, "CTNorm"),
        (changed_configuration(patch_size=[64, 64]), {}, "a 3D configuration"),
        (changed_configuration(previous_stage="3d_lowres"), {}, "without a previous stage"),
        (changed_configuration(inherits_from="3d_fullres"), {}, "inherits from itself"),
        (
            changed_configuration(architecture={"network_class_name": "x.Primus"}),
            {},
            "network Primus; known: PlainConvUNet",
        ),
        ({"image_reader_writer": "Tiff3DIO"}, {}, "reader Tiff3DIO"),
        ({"foreground_intensity_properties_per_channel": {"0": {}}}, {}, "'percentile_00_5'"),
    ],
)
def test_what_does_not_convert_is_refused_with_the_reason(
    tmp_path: Path, plans: dict[str, Any], dataset: dict[str, Any], message: str
) -> None:
    folder = write_nnunet_folder(tmp_path, plans=plans, dataset=dataset)
    with pytest.raises(ModelPackageError, match=message):
        read_plan(folder, "3d_fullres")


def test_an_unknown_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="'3d_huge' is missing; found 3d_fullres"):
        read_plan(write_nnunet_folder(tmp_path), "3d_huge")
