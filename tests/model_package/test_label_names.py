"""Foreign label names are understood narrowly."""

import pytest

from engine.errors import ModelPackageError
from engine.model_package.label_names import channels_of, label_of


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("liver", 1),
        ("Liver", 1),
        ("whole_liver", 1),
        ("liver tumor", 2),
        ("Tumour", 2),
        ("HCC", 2),
        ("background", 0),
        ("spleen", 0),
        ("liver_vessel", 0),
        ("portal vein", 0),
    ],
)
def test_only_liver_and_tumor_have_a_meaning(name: str, label: int) -> None:
    assert label_of(name) == label


def test_a_network_without_liver_is_refused() -> None:
    with pytest.raises(ModelPackageError, match="found background, spleen"):
        channels_of(["background", "spleen"], where="dataset.json")
