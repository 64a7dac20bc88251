"""The opened networks of a segmentation package."""

from engine.errors import ModelPackageError
from engine.inference.providers import Device
from engine.inference.session import Session, open_session
from engine.values.model import NetworkSpec, SegmentationPackage

SPATIAL_RANK = 5


def open_networks(
    package: SegmentationPackage, *, device: Device = "auto", threads: int | None = None
) -> dict[str, Session]:
    """Open every network of a package.

    Returns:
        Session by role ("localizer", "segmenter").

    Raises:
        DeviceError: The device that was asked for is missing.
        ModelPackageError: A graph does not have the tensors its manifest names.
    """
    return {spec.role: _open(package, spec, device, threads) for spec in package.networks}


def _open(
    package: SegmentationPackage, spec: NetworkSpec, device: Device, threads: int | None
) -> Session:
    session = open_session(package.folder / spec.file, device=device, threads=threads)
    check_signature(session, spec)
    return session


def check_signature(session: Session, spec: NetworkSpec) -> None:
    """Hold a graph's tensors against what its manifest says.

    Raises:
        ModelPackageError: Names, element types, rank or channel count differ.
    """
    found_input, found_output = session.inputs[0], session.outputs[0]
    where = f"Network {spec.role} ({spec.file})"
    if [i.name for i in session.inputs] != [spec.input_name]:
        names = ", ".join(i.name for i in session.inputs)
        raise ModelPackageError(f"{where}: one input {spec.input_name!r} needed, found: {names}")
    if found_output.name != spec.output_name:
        raise ModelPackageError(
            f"{where}: first output {spec.output_name!r} needed, found {found_output.name!r}"
        )
    for tensor, channels in ((found_input, 1), (found_output, len(spec.channels))):
        right_channels = len(tensor.shape) == SPATIAL_RANK and tensor.shape[1] in (channels, None)
        if tensor.element_type != "tensor(float)" or not right_channels:
            raise ModelPackageError(
                f"{where}: tensor {tensor.name!r} must be float32 (1, {channels}, slice, row, "
                f"column), found {tensor.element_type} {tensor.shape}"
            )
