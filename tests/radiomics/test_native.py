"""The compiled core: found, complete, the same on every processor."""

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
    """The portable and the fast library, on the same numbers."""
    if not native.load_core().supports_x86_64_v3():
        pytest.skip("this processor runs the portable library only")
    values = np.sort(np.random.default_rng(1).normal(50, 20, 1001))
    results = []
    for name in library_names(host_target()):
        out = np.empty(18)
        core = native._load(native.FOLDER / name)
        core.describe_intensities(
            native.pointer(values), native.length(values), native.pointer(out)
        )
        results.append(out.tobytes())
    assert len(results) == 2
    assert results[0] == results[1]


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
