"""The error tree, sorted by who can put it right.

EngineError
├── InputError                  the sender's: images or record cannot be used as sent
│   ├── UnreadableStudyError    nothing in the input can be read as DICOM
│   ├── MixedPatientsError      more than one patient in one study
│   ├── NoEligibleSeriesError   no series fits the model; one reason per series
│   ├── InvalidGeometryError    the slices do not form one regular volume
│   ├── PixelDataError          pixel data missing, truncated or not decodable
│   ├── NoLiverError            the network sees no liver in the volume
│   ├── CorrectionError         a corrected segmentation cannot be used as sent
│   ├── ComparisonError         two results cannot be compared with each other
│   └── ClinicalDataError       a clinical value cannot be used as sent
├── ModelPackageError           the installer's: package missing, tampered or unfit
├── DeviceError                 the installer's: asked-for execution provider is missing
├── GeometryGateError           ours: a result does not lie where the engine measured it
└── OutputError                 the operator's: the result cannot be written
"""

from dataclasses import dataclass


class EngineError(Exception):
    """Base of every error the engine raises on purpose."""


class InputError(EngineError):
    """The images or the clinical record cannot be used as sent."""


class UnreadableStudyError(InputError):
    """Nothing in the input can be read as DICOM."""


class MixedPatientsError(InputError):
    """Images of more than one patient or study came in one input."""


@dataclass(frozen=True, slots=True)
class SeriesRefusal:
    """Why one series was not used."""

    series_instance_uid: str
    reason: str


class NoEligibleSeriesError(InputError):
    """No series fits the model's input criteria.

    Attributes:
        refusals: One reason per series that was looked at.
    """

    def __init__(self, study_instance_uid: str, refusals: tuple[SeriesRefusal, ...]) -> None:
        self.study_instance_uid = study_instance_uid
        self.refusals = refusals
        reasons = "; ".join(f"{r.series_instance_uid}: {r.reason}" for r in refusals)
        super().__init__(f"No eligible series in study {study_instance_uid} ({reasons})")


class InvalidGeometryError(InputError):
    """The slices do not form one regular volume."""


class PixelDataError(InputError):
    """Pixel data is missing, truncated or not decodable."""


class NoLiverError(InputError):
    """The network sees no liver in the volume."""


class RegistrationError(InputError):
    """Two phases of one study cannot be lined up well enough to be compared.

    Attributes:
        edge_correlation: Quality of the refused fit, −1..1; None when there is none.
    """

    def __init__(self, message: str, edge_correlation: float | None = None) -> None:
        self.edge_correlation = edge_correlation
        super().__init__(message)


class RegionError(InputError):
    """A region of interest cannot be measured as given (empty, off its grid, not finite)."""


class CorrectionError(InputError):
    """A corrected segmentation cannot be used as sent."""


class ComparisonError(InputError):
    """Two results cannot be compared with each other."""


class ClinicalDataError(InputError):
    """A clinical value or record cannot be used as sent."""


class InstallationError(EngineError):
    """A compiled part or an optional extra of HepatoCast is missing on this machine."""


class ModelPackageError(EngineError):
    """A model package is missing, tampered with or unfit for the task."""


class DeviceError(EngineError):
    """The execution provider that was asked for is not available."""


class GeometryGateError(EngineError):
    """A result object does not lie where the engine measured it."""


class OutputError(EngineError):
    """The result cannot be written."""
