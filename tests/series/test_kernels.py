"""Kernel names of the large vendors."""

import pytest

from engine.series.kernels import is_soft_tissue


@pytest.mark.parametrize(
    "kernel", ["", "B30f", "Br40d", "I31f", "STANDARD", "SOFT", "B", "FC08", "FC13"]
)
def test_soft_tissue_kernels_pass(kernel: str) -> None:
    assert is_soft_tissue(kernel)


@pytest.mark.parametrize(
    "kernel", ["B70f", "Bl57", "I70f\\3", "Br64", "LUNG", "BONEPLUS", "BONE", "YA", "FC30", "FC52"]
)
def test_lung_and_bone_kernels_do_not(kernel: str) -> None:
    assert not is_soft_tissue(kernel)
