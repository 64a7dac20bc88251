"""What a model package declares about itself (manifest.toml), as frozen values."""

from dataclasses import dataclass
from pathlib import Path

from engine.values.identity import ContrastPhase
from engine.values.provenance import ModelIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedSegment:
    """One output channel's meaning: SNOMED CT (or other) property code and color."""

    label: int
    name: str
    category_code: str
    category_meaning: str
    type_code: str
    type_meaning: str
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCriteria:
    """Which series the model may be given.

    Attributes:
        modality: DICOM Modality.
        phases: Accepted contrast phases, preferred first; UNKNOWN may be listed.
        maximum_slice_mm: Largest slice spacing.
        minimum_slices: Fewest slices.
        minimum_coverage_mm: Least extent along the slice normal.
    """

    modality: str = "CT"
    phases: tuple[ContrastPhase, ...] = (
        ContrastPhase.PORTAL_VENOUS,
        ContrastPhase.LATE_ARTERIAL,
        ContrastPhase.DELAYED,
        ContrastPhase.UNKNOWN,
        ContrastPhase.NON_CONTRAST,
    )
    maximum_slice_mm: float = 5.0
    minimum_slices: int = 10
    minimum_coverage_mm: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """One ONNX graph of a segmentation package and how it wants to be fed.

    Input tensor: float32 (1, 1, slice, row, column), axes oriented so that slice index
    grows to the head (S), row index to posterior (P), column index to patient left (L).
    Output tensor: float32 logits (1, channels, slice, row, column), same spatial size.

    Attributes:
        role: "localizer" (its liver box crops the volume) or "segmenter".
        file: File name inside the package.
        sha256: Checksum of that file.
        spacing_mm: (slice, row, column) spacing the network was trained on.
        patch: (slice, row, column) window in voxels, a multiple of ``divisor``.
        divisor: Per-axis divisor the graph needs.
        overlap: Fraction of the window shared by neighbors, 0..0.9.
        window_hu: HU range that is clipped to, then scaled as
            (hu - mean_hu) / scale_hu.
        mirror_axes: Spatial axes to average over for test-time augmentation.
        input_name, output_name: Tensor names.
        channels: Label of each output channel (0 background, 1 liver, 2 tumor).
        margin_mm: For a localizer: margin around the liver box.
        activation: "softmax" or "sigmoid".
    """

    role: str
    file: str
    sha256: str
    spacing_mm: tuple[float, float, float]
    patch: tuple[int, int, int]
    divisor: tuple[int, int, int]
    overlap: float
    window_hu: tuple[float, float]
    mean_hu: float
    scale_hu: float
    input_name: str
    output_name: str
    channels: tuple[int, ...]
    margin_mm: float = 25.0
    activation: str = "softmax"
    mirror_axes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationPackage:
    """A verified segmentation package, ready to be opened by the inference room."""

    identity: ModelIdentity
    folder: Path
    networks: tuple[NetworkSpec, ...]
    segments: tuple[CodedSegment, ...]
    criteria: InputCriteria
    tumor_threshold: float = 0.5
    minimum_lesion_ml: float = 0.1
