"""The provider chain is explicit; a missing provider is an error."""

import pytest

from engine.errors import DeviceError
from engine.inference.providers import CPU, CUDA, TENSORRT, Device, choose_providers

EVERYTHING = [TENSORRT, CUDA, CPU]


@pytest.mark.parametrize(
    ("device", "available", "chain"),
    [
        ("cpu", EVERYTHING, [CPU]),
        ("auto", [CPU], [CPU]),
        ("auto", EVERYTHING, [CUDA, CPU]),
        ("cuda", EVERYTHING, [CUDA, CPU]),
        ("tensorrt", EVERYTHING, [TENSORRT, CUDA, CPU]),
    ],
)
def test_the_chain_holds_what_was_asked_for_and_ends_on_the_cpu(
    device: Device, available: list[str], chain: list[str]
) -> None:
    assert [name for name, _ in choose_providers(device, available)] == chain


@pytest.mark.parametrize(("device", "available"), [("cuda", [CPU]), ("tensorrt", [CUDA, CPU])])
def test_a_missing_provider_is_an_error_that_says_what_to_install(
    device: Device, available: list[str]
) -> None:
    with pytest.raises(DeviceError, match=r"hepatocast\[gpu\]"):
        choose_providers(device, available)


def test_an_unknown_device_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DeviceError, match="auto, cpu, cuda, tensorrt"):
        choose_providers("gpu", EVERYTHING)  # type: ignore[arg-type]


def test_tf32_is_off_so_that_gpu_and_cpu_agree() -> None:
    options = dict(choose_providers("cuda", EVERYTHING))[CUDA]
    assert options["use_tf32"] == "0"
