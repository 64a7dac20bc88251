"""Sizes that fast Fourier transforms are fast at."""


def smooth_size(least: int, *, even: bool = False) -> int:
    """Least size of at least ``least`` whose only prime factors are 2, 3 and 5."""
    size = max(2 if even else 1, least)
    while not (_is_smooth(size) and (size % 2 == 0 or not even)):
        size += 1
    return size


def _is_smooth(size: int) -> bool:
    for prime in (2, 3, 5):
        while size % prime == 0:
            size //= prime
    return size == 1
