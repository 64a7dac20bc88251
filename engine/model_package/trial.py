"""Try the networks of a package before anyone relies on them."""

import numpy as np

from engine.errors import ModelPackageError
from engine.inference.networks import open_networks
from engine.values.model import SegmentationPackage

TRIAL_DIVISORS = 4
"""Side of the trial input in divisors, at most the patch."""


def try_networks(package: SegmentationPackage) -> None:
    """Open every network on the CPU and run it on a small random input.

    Raises:
        ModelPackageError: A graph does not open, does not have the tensors the manifest
            names, changes the spatial size or gives numbers that are not finite.
    """
    sessions = open_networks(package, device="cpu")
    for spec in package.networks:
        sides = [
            min(patch, TRIAL_DIVISORS * divisor)
            for patch, divisor in zip(spec.patch, spec.divisor, strict=True)
        ]
        image = np.random.default_rng(0).normal(size=(1, 1, *sides)).astype(np.float32)
        logits = sessions[spec.role].run(image)
        expected = (1, len(spec.channels), *sides)
        if logits.shape != expected or not np.isfinite(logits).all():
            raise ModelPackageError(
                f"Network {spec.role} ({spec.file}): finite logits {expected} needed for an "
                f"input {image.shape}, found {logits.shape}"
                f"{'' if np.isfinite(logits).all() else ' with NaN or infinity'}; "
                "check divisor and channels in the manifest"
            )
