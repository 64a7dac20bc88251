"""What manifest.toml says, as one frozen value."""

from dataclasses import dataclass, field

from engine.values.model import CodedSegment, InputCriteria, NetworkSpec

MANIFEST_FILE = "manifest.toml"
MANIFEST_FORMAT = 1
SEGMENTATION = "segmentation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licenses:
    """Terms of each part (SPDX expressions where one exists).

    Attributes:
        code: Of the code that trained and converted the networks.
        weights: Of the ONNX files.
        data: Of each data set the weights learned from, "name: terms".
    """

    code: str
    weights: str
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One measured number.

    Attributes:
        data: Data set and split.
        cases: Number of cases behind the number.
        measure: "Dice, liver, mean over cases".
        value: The number.
        lower, upper: Interval bounds, or None; ``interval`` says which.
    """

    data: str
    cases: int
    measure: str
    value: float
    lower: float | None = None
    upper: float | None = None
    interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceCase:
    """A small volume with the labels this package gave it when it was made.

    Attributes:
        file: npz inside the package; its form is defined in engine.self_test.
        description: Where the images come from and their terms.
        minimum_dice: Least Dice per label between the stored and the new labels.
        volume_tolerance: Largest relative difference of each label's volume.
    """

    file: str
    description: str
    minimum_dice: float = 0.98
    volume_tolerance: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A segmentation package as its manifest.toml describes it.

    Attributes:
        name: Lower-case letters, digits and underscores; also the folder's name.
        version: Semantic version; also the inner folder's name.
        title: For people.
        intended_use: One sentence; every report carries it.
        population: Whom the training and evaluation cases represent.
        limits: Sentences every report carries.
        files: Checksum (SHA-256, hex) of every file but the manifest, by path inside
            the package.
    """

    name: str
    version: str
    title: str
    intended_use: str
    population: str
    limits: tuple[str, ...]
    licenses: Licenses
    criteria: InputCriteria
    networks: tuple[NetworkSpec, ...]
    segments: tuple[CodedSegment, ...]
    tumor_threshold: float
    minimum_lesion_ml: float
    evaluation: tuple[Evaluation, ...] = ()
    reference: ReferenceCase | None = None
    files: dict[str, str] = field(default_factory=dict)
