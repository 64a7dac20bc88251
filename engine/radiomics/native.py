"""The compiled core, loaded once, behind functions with NumPy types.

The library is compiled at installation (``hatch_build.py``) or, in a source checkout, by
``python -m engine.radiomics.build``. On x86-64 there are two builds of the same sources; the
faster one is loaded when the processor has its instructions. Both give the same bits.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InstallationError
from engine.radiomics.compilation import host_target, library_names

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]
FOLDER = Path(__file__).parent

_SIGNATURES: dict[str, Any] = {
    "supports_x86_64_v3": ctypes.c_int,
    "count_texture": ctypes.c_int32,
    "count_neighbors": ctypes.c_int,
    "fill_levels": None,
    "fill_join_table": None,
    "gather_region": None,
    "measure_border_distance": None,
    "describe_cooccurrence": ctypes.c_int,
    "describe_count_matrices": ctypes.c_int,
    "describe_zones": ctypes.c_int,
    "count_zone_distances": None,
    "describe_tone_differences": None,
    "describe_intensities": ctypes.c_int,
    "count_levels": None,
    "describe_histogram": ctypes.c_int,
    "describe_volume_histogram": None,
    "describe_volume_levels": None,
    "sum_neighborhoods": None,
    "sum_pairs": ctypes.c_int,
    "find_box": ctypes.c_int,
    "sum_positions": None,
    "weigh_positions": None,
    "count_surface_cells": None,
    "measure_hull": ctypes.c_int,
    "interpolate_axis": None,
    "prefilter_slices": None,
    "resample_planes": ctypes.c_int,
    "correlate_axis": None,
    "filter_laplacian": None,
}
"""Every function of the core and its return type."""


@cache
def load_core() -> ctypes.CDLL:
    """Load the compiled core.

    Raises:
        InstallationError: It was not compiled, or not for this machine.
    """
    names = library_names(host_target())
    portable = FOLDER / names[0]
    if not portable.exists():
        raise InstallationError(
            f"The radiomics core {portable.name} is missing beside {FOLDER.name}/native.py: "
            "reinstall HepatoCast, or in a source checkout run `python -m engine.radiomics.build`"
        )
    core = _load(portable)
    faster = FOLDER / names[-1]
    if faster != portable and faster.exists() and core.supports_x86_64_v3():
        return _load(faster)
    return core


def _load(path: Path) -> ctypes.CDLL:
    try:
        core = ctypes.CDLL(str(path))
    except OSError as error:
        raise InstallationError(
            f"The radiomics core {path.name} cannot be loaded: {error}"
        ) from None
    for name, result in _SIGNATURES.items():
        try:
            getattr(core, name).restype = result
        except AttributeError:
            raise InstallationError(
                f"The radiomics core {path.name} is older than the sources: it lacks {name}; "
                "compile it again with `python -m engine.radiomics.build`"
            ) from None
    return core


Argument = Any
"""What ctypes takes for a pointer."""


class _Address(ctypes.c_void_p):
    """Address of an array's data that keeps the array alive as long as itself."""

    array: NDArray[Any]


def pointer(array: NDArray[Any]) -> Argument:
    """An array's data as an argument; it stays alive as long as the argument.

    The array must be C-contiguous. Every image of a region needs dozens of these, so the buffer
    protocol is asked first: NumPy takes several times as long to describe an array.
    """
    if not array.flags.c_contiguous:
        raise ValueError(f"The core needs a contiguous array, got strides {array.strides}")
    if array.flags.writeable and array.size:
        return ctypes.byref(ctypes.c_char.from_buffer(array.data))
    return start_of(array)


def start_of(array: NDArray[Any]) -> Argument:
    """The first entry of an array of any strides as an argument."""
    argument = _Address(array.__array_interface__["data"][0])
    argument.array = array
    return argument


def address(array: NDArray[Any]) -> int:
    """Address of an array's data for a field of a structure; the array must outlive the call."""
    if not array.flags.c_contiguous:
        raise ValueError(f"The core needs a contiguous array, got strides {array.strides}")
    if array.flags.writeable and array.size:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    return int(array.__array_interface__["data"][0])


def length(array: NDArray[Any]) -> ctypes.c_int64:
    """Number of entries along the first axis as the core takes it."""
    return ctypes.c_int64(len(array))


def shape_of(array: NDArray[Any]) -> ctypes.Array[ctypes.c_int64]:
    """Shape of a volume as the core takes it."""
    return size_triple(array.shape)


def size_triple(sizes: tuple[int, ...]) -> ctypes.Array[ctypes.c_int64]:
    """Three sizes as the core takes them."""
    return (ctypes.c_int64 * 3)(*sizes)


def find_box(mask: Mask) -> tuple[tuple[int, int], ...] | None:
    """First and last index of the set voxels along each axis; None for an empty mask."""
    voxels = np.ascontiguousarray(mask).view(np.uint8)
    box = np.empty((3, 2), np.int64)
    if not load_core().find_box(pointer(voxels), shape_of(voxels), pointer(box)):
        return None
    return tuple((int(first), int(last)) for first, last in box)


def triple(values: tuple[float, float, float]) -> ctypes.Array[ctypes.c_double]:
    """Three numbers as the core takes them."""
    return (ctypes.c_double * 3)(*values)


def require_memory(done: int, what: str) -> None:
    """Turn a failed allocation inside the core into Python's own error.

    Raises:
        MemoryError: The core returned 0 or a negative number.
    """
    if done <= 0:
        raise MemoryError(f"The radiomics core ran out of memory for {what}")
