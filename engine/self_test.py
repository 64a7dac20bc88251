"""Run a package's reference case through the real stages."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelPackageError
from engine.inference.networks import open_networks
from engine.inference.providers import Device
from engine.model_package.manifest_reading import read_manifest
from engine.model_package.reference import (
    ReferenceVolume,
    SelfTestReport,
    compare,
    read_reference,
    write_reference,
)
from engine.segmentation.cascade import segment
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ImageReference, PatientIdentity, SeriesIdentity, StudyIdentity
from engine.values.model import SegmentationPackage
from engine.values.volume import Volume

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
REFERENCE_UID = "2.25.1"
"""Stands where a volume from the network has its DICOM identity; never leaves this module."""


def run_reference_case(
    package: SegmentationPackage, *, device: Device = "auto", threads: int | None = None
) -> SelfTestReport:
    """Segment the package's reference volume and compare with the stored labels.

    Args:
        package: Loaded, thus with verified checksums.
        device: Where to run; the report says where it ran.
        threads: CPU threads.

    Raises:
        ModelPackageError: The package has no reference case, or an unreadable one.
        DeviceError: The device that was asked for is missing.
    """
    case = read_manifest(package.folder).reference
    if case is None:
        raise ModelPackageError(
            f"{package.identity.name} {package.identity.version} has no reference case; "
            "add [reference] to its manifest and import it again"
        )
    stored = read_reference(package.folder / case.file)
    sessions = open_networks(package, device=device, threads=threads)
    volume = _as_volume(stored.voxels_hu, stored.geometry)
    found = segment(volume, package, sessions)
    return SelfTestReport(
        agreements=compare(
            stored.labels, found.labels, voxel_ml=stored.geometry.spacing.voxel_ml, case=case
        ),
        device=sessions["segmenter"].device,
    )


def record_reference_case(
    package: SegmentationPackage, voxels_hu: NDArray[np.int16], geometry: VolumeGeometry, path: Path
) -> None:
    """Segment a small volume on the CPU and store it with the labels found.

    Args:
        package: The package the case is for.
        voxels_hu: CT on the standard axes that may be given away with the package.
        geometry: Its grid; only the spacing is kept.
        path: The npz to write.
    """
    sessions = open_networks(package, device="cpu")
    found = segment(_as_volume(voxels_hu, geometry), package, sessions)
    reference = ReferenceVolume(
        voxels_hu=voxels_hu, labels=found.labels, spacing_mm=geometry.spacing.as_tuple()
    )
    write_reference(path, reference)


def _as_volume(voxels_hu: NDArray[np.int16], geometry: VolumeGeometry) -> Volume:
    source = ImageReference(sop_class_uid=CT_IMAGE_STORAGE, sop_instance_uid=REFERENCE_UID)
    return Volume(
        voxels_hu=voxels_hu,
        geometry=geometry,
        study=StudyIdentity(
            study_instance_uid=REFERENCE_UID, patient=PatientIdentity(patient_id="reference")
        ),
        series=SeriesIdentity(series_instance_uid=REFERENCE_UID),
        slice_sources=((source,),) * geometry.shape[0],
        headers=(),
    )
