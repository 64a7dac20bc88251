"""The onnxruntime module, whichever of its two distributions is installed."""

from types import ModuleType

from engine.errors import DeviceError

INSTALL_CPU = "install it with: pip install 'hepatocast[cpu]'"
INSTALL_GPU = (
    "install it with: pip uninstall onnxruntime && pip install 'hepatocast[gpu]' "
    "(needs an NVIDIA driver; CUDA and cuDNN as the onnxruntime-gpu release asks for)"
)


def load_runtime() -> ModuleType:
    """Give the onnxruntime module.

    The import waits until a network is opened: ``onnxruntime`` and ``onnxruntime-gpu``
    both install it, neither is a base requirement, and the commands that open no network
    start without it.

    Raises:
        DeviceError: Neither distribution is installed.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - see the docstring
    except ImportError as error:
        raise DeviceError(f"onnxruntime is not installed; {INSTALL_CPU}") from error
    module: ModuleType = onnxruntime
    return module
