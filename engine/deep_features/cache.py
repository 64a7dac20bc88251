"""Pooled features kept on disk, known by the content they came from."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.deep_features.patches import Patches
from engine.values.encoder import EncoderSpec

SUFFIX = ".npy"
POOLING_VERSION = 1
"""Raised whenever the same patches would be pooled to other numbers."""


def content_key(patches: Patches, spec: EncoderSpec, provider: str) -> str:
    """SHA-256 over what the encoder sees, the region in it, the package and the provider."""
    digest = hashlib.sha256()
    what = [spec.as_dict(), provider, POOLING_VERSION, patches.images.shape]
    digest.update(json.dumps(what, sort_keys=True).encode())
    digest.update(patches.images.tobytes())
    digest.update(patches.share.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCache:
    """A folder of pooled features.

    Attributes:
        folder: Made when first written to; it holds numbers and no identity of a patient.
        maximum_bytes: The files unused for longest go when the folder is larger.
    """

    folder: Path
    maximum_bytes: int = 256 << 20

    def get(self, key: str) -> NDArray[np.float64] | None:
        """The kept features, or None; a damaged file counts as absent."""
        path = self.folder / (key + SUFFIX)
        try:
            values = np.load(path, allow_pickle=False)
            os.utime(path)
        except (OSError, ValueError, EOFError):
            return None
        good = isinstance(values, np.ndarray) and values.ndim == 2 and np.isfinite(values).all()
        return values if good else None

    def put(self, key: str, values: NDArray[np.float64]) -> None:
        """Keep features; a folder that cannot be written costs time and no result."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                np.save(file, values)
            Path(file.name).replace(self.folder / (key + SUFFIX))
            self._shrink()
        except OSError:
            return

    def _shrink(self) -> None:
        """Remove the oldest files until the folder fits."""
        kept = [(path.stat(), path) for path in self.folder.glob("*" + SUFFIX)]
        total = sum(stat.st_size for stat, _ in kept)
        for stat, path in sorted(kept, key=lambda pair: pair[0].st_mtime):
            if total <= self.maximum_bytes:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size
