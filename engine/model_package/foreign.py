"""What the readers of foreign model formats share: JSON, and what a conversion needs."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import ModelPackageError
from engine.values.model import NetworkSpec

ONNX_FILE = "segmenter.onnx"
INPUT_NAME, OUTPUT_NAME = "image", "logits"


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisAdapter:
    """How a network's spatial axes follow from the standard axes.

    Attributes:
        flipped: Standard axes that run backwards in the network, flipped first.
        order: For network axis 0, 1, 2 the standard axis that supplies it.
    """

    flipped: tuple[int, ...] = ()
    order: tuple[int, int, int] = (0, 1, 2)

    def to_standard(self, values: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        """Sort values per network axis into standard order."""
        first, second, third = (values[self.order.index(axis)] for axis in range(3))
        return (first, second, third)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignNetwork:
    """A network to convert: how it will be fed, and how its axes lie."""

    spec: NetworkSpec
    adapter: AxisAdapter


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ModelPackageError: Missing, not JSON, or not an object.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelPackageError(
            f"{path.name} cannot be read as JSON ({type(error).__name__}); is the folder complete?"
        ) from error
    if not isinstance(value, dict):
        raise ModelPackageError(f"{path.name}: a JSON object is needed, found {type(value)}")
    return value


def field_of(values: dict[str, Any], key: str, where: str) -> Any:  # noqa: ANN401 - JSON
    """Give a field that must be there.

    Raises:
        ModelPackageError: It is not.
    """
    if key not in values:
        raise ModelPackageError(f"{where}: {key!r} is missing; found {', '.join(values) or 'none'}")
    return values[key]


def load_torch_export() -> ModuleType:
    """Give the module that converts with torch; torch is an extra and slow to import.

    Raises:
        ModelPackageError: The extra is not installed.
    """
    try:
        from engine.model_package import torch_export  # noqa: PLC0415 - see the docstring
    except ImportError as error:
        raise ModelPackageError(
            f"Converting needs {error.name or 'torch'}; "
            "install it with: pip install 'hepatocast[convert]'"
        ) from error
    return torch_export
