"""A bundle's own inference configuration tells how its network is fed."""

import json
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.foreign import AxisAdapter
from engine.model_package.monai_config import read_bundle
from tests.phantoms.monai_bundle import METADATA, changed, write_bundle


def test_a_bundle_becomes_a_spec_on_the_standard_axes(tmp_path: Path) -> None:
    network = read_bundle(write_bundle(tmp_path))
    assert network.adapter == AxisAdapter(flipped=(1, 2), order=(2, 1, 0))
    assert network.spec.spacing_mm == (2.0, 1.4, 1.5)
    assert network.spec.patch == network.spec.divisor == (8, 12, 16)
    assert (network.spec.channels, network.spec.activation) == ((0, 1, 2), "softmax")
    assert network.spec.overlap == 0.5


def test_intensities_map_the_window_to_the_bundles_range(tmp_path: Path) -> None:
    spec = read_bundle(write_bundle(tmp_path, inference=changed('"b_min": 0', '"b_min": -1'))).spec
    low, high = spec.window_hu
    scaled = [(hu - spec.mean_hu) / spec.scale_hu for hu in (low, high)]
    assert (low, high) == (-57.0, 164.0)
    assert scaled == pytest.approx([-1.0, 1.0])


@pytest.mark.parametrize(
    ("axcodes", "flipped", "order"),
    [("LPS", (), (2, 1, 0)), ("SPL", (), (0, 1, 2)), ("IRA", (0, 1, 2), (0, 2, 1))],
)
def test_every_orientation_has_its_adapter(
    tmp_path: Path, axcodes: str, flipped: tuple[int, ...], order: tuple[int, int, int]
) -> None:
    network = read_bundle(write_bundle(tmp_path, inference=changed('"RAS"', f'"{axcodes}"')))
    assert network.adapter == AxisAdapter(flipped=flipped, order=order)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Orientationd", "Flipd", "Orientation is needed"),
        ("Spacingd", "Resized", "Spacing is needed"),
        ("ScaleIntensityRanged", "NormalizeIntensityd", "ScaleIntensityRange is needed"),
        ('"RAS"', '"RAX"', "do not name three axes"),
        ("[1.5, 1.4, 2.0]", '"$import os"', "must be a plain value"),
        ('"@window"', '"@absent"', "must be a plain value"),
        ("[1.5, 1.4, 2.0]", "[1.5, 0, 2.0]", "3 numbers above 0"),
        ('"clip": true', '"clip": false', "must rise and clip"),
    ],
)
def test_what_cannot_be_read_without_running_it_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ModelPackageError, match=message):
        read_bundle(write_bundle(tmp_path, inference=changed(old, new)))


def test_a_bundle_without_liver_is_refused(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path)
    text = json.dumps(METADATA).replace('"liver"', '"spleen"')
    (folder / "configs" / "metadata.json").write_text(text)
    with pytest.raises(ModelPackageError, match=r"a label .* is needed"):
        read_bundle(folder)
