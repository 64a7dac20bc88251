"""What is opened once and used for many studies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.inference.networks import open_networks
from engine.inference.providers import Device
from engine.inference.session import Session
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
    """

    clinical_file: Path | None = None
    radiomics: RadiomicsSettings = field(default_factory=RadiomicsSettings)
    include_unconfirmed_scores: bool = False
    risk_packages: tuple[OpenRiskPackage, ...] = ()


def open_model(package: SegmentationPackage, device: Device) -> OpenedModel:
    """Open a package's networks once; keep the result for many studies."""
    return OpenedModel(package=package, sessions=open_networks(package, device=device))
