"""The compiled core: found, complete, the same on every processor."""

import weakref
from ctypes import CDLL, c_int64
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InstallationError
from engine.radiomics import native
from engine.radiomics.compilation import CoreBuildError, compile_core, host_target, library_names


def test_a_missing_core_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do is in the message."""
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    native.load_core.cache_clear()
    with pytest.raises(InstallationError, match=r"python -m engine\.radiomics\.build"):
        native.load_core()
    native.load_core.cache_clear()


def test_a_broken_core_is_an_installation_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A truncated library is not a crash."""
    (tmp_path / library_names(host_target())[0]).write_bytes(b"not a library")
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    native.load_core.cache_clear()
    with pytest.raises(InstallationError, match="cannot be loaded"):
        native.load_core()
    native.load_core.cache_clear()


def test_the_builds_for_one_machine_give_the_same_bits() -> None:
    """Every library that this processor can run, and the one that is loaded, on one image."""
    names = library_names(host_target())
    portable = native._load(native.FOLDER / names[0])
    runnable = names if portable.supports_x86_64_v3() else names[:1]
    image = np.random.default_rng(1).normal(50, 20, (30, 31, 33))
    cores = [native._load(native.FOLDER / name) for name in runnable]
    results = {_filter_and_describe(core, image) for core in (*cores, native.load_core())}
    assert len(results) == 1


def _filter_and_describe(core: CDLL, image: native.Real) -> bytes:
    kernel, out = np.array([0.1, -0.7, 0.9, 0.3]), np.empty((30, 31, 30))
    core.correlate_axis(
        native.pointer(image), native.shape_of(image), 2, native.pointer(kernel), 4,
        c_int64(1), 0, native.pointer(out),
    )  # fmt: skip
    values, features = out.reshape(-1), np.empty(18)
    assert core.describe_intensities(
        native.pointer(values), native.length(values), native.pointer(features)
    )
    fields = np.stack([image > 40, image - 50, (image - 50) ** 2]).astype(float)
    sums = np.empty(3)
    assert core.sum_pairs(
        native.pointer(fields), native.shape_of(image), native.size_triple((60, 64, 72)),
        native.triple((1.0, 0.7, 0.7)), native.pointer(sums),
    )  # fmt: skip
    return out.tobytes() + features.tobytes() + sums.tobytes()


def test_arrays_with_gaps_are_refused() -> None:
    """A strided view would be read as garbage."""
    with pytest.raises(ValueError, match="contiguous"):
        native.pointer(np.zeros((4, 4))[:, ::2])


def test_the_box_of_a_mask_is_found() -> None:
    """First and last index along each axis; None without voxels."""
    mask = np.zeros((5, 6, 7), bool)
    assert native.find_box(mask) is None
    mask[1, 4, 2] = mask[3, 2, 6] = True
    assert native.find_box(mask) == ((1, 3), (2, 4), (2, 6))


def test_an_unknown_target_is_a_build_error(tmp_path: Path) -> None:
    """The compiler's words are passed on."""
    with pytest.raises(CoreBuildError, match="nowhere"):
        compile_core(tmp_path, "nowhere-linux-gnu")


@pytest.mark.parametrize("writeable", [True, False])
def test_an_argument_keeps_its_array_alive(writeable: bool) -> None:
    """A temporary array must not be freed before the core reads it."""
    array = np.full(100_000, 7.0)
    array.setflags(write=writeable)
    gone = weakref.ref(array)
    argument = native.pointer(array)
    del array
    assert gone() is not None
    features = np.empty(18)
    assert native.load_core().describe_intensities(
        argument, c_int64(100_000), native.pointer(features)
    )
    assert features[0] == 7
    del argument
    assert gone() is None
