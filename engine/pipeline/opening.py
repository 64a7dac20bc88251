"""What is opened once and used for many studies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.deep_features.extraction import OpenEncoder
from engine.errors import RegionError
from engine.inference.networks import open_networks
from engine.inference.providers import Device
from engine.inference.session import Session
from engine.pipeline.phases import PhaseScope
from engine.prognosis.prediction import OpenRiskPackage
from engine.radiomics import RadiomicsSettings
from engine.values.model import SegmentationPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedModel:
    """A verified package with its networks opened on a device."""

    package: SegmentationPackage
    sessions: Mapping[str, Session] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSettings:
    """What the user chose.

    Attributes:
        clinical_file: Spreadsheet with clinical values; None for images only.
        radiomics: How features are extracted.
        include_unconfirmed_scores: Also compute scores with coefficients that no
            source confirmed.
        risk_packages: Opened risk packages to predict with.
        phases: Whether features are taken from the reference phase only or from all.
        ring_mm: Width of the peritumoral ring; 0 for none.
        whole_liver: Also describe the whole liver.
        encoders: Opened encoders for deep features of the lesions.
    """

    clinical_file: Path | None = None
    radiomics: RadiomicsSettings = field(default_factory=RadiomicsSettings)
    include_unconfirmed_scores: bool = False
    risk_packages: tuple[OpenRiskPackage, ...] = ()
    phases: PhaseScope = PhaseScope.ALL
    ring_mm: float = 10.0
    whole_liver: bool = True
    encoders: tuple[OpenEncoder, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.ring_mm <= 50:
            raise RegionError(f"A ring may be 0 to 50 mm wide, got {self.ring_mm:g} mm")


def open_model(package: SegmentationPackage, device: Device) -> OpenedModel:
    """Open a package's networks once; keep the result for many studies."""
    return OpenedModel(package=package, sessions=open_networks(package, device=device))
