"""Where opened models come from: anew for one study, or kept for many."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from engine.errors import DeviceError
from engine.inference.batching import DeviceQueue, SharedSession, default_batch
from engine.inference.providers import Device
from engine.pipeline import OpenedModel, open_model
from engine.prognosis.manifest import load_risk_package
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package
from engine.values.model import SegmentationPackage

KEPT = 4
"""Packages of each kind that stay open; the one unused for longest goes first."""

Opened = TypeVar("Opened")


class ModelSource(Protocol):
    """Opens what an analysis needs."""

    def open_model(self, package: SegmentationPackage, device: Device) -> OpenedModel:
        """The networks of a verified package.

        Raises:
            DeviceError, ModelPackageError: They cannot be opened.
        """

    def open_risk_package(self, folder: Path) -> OpenRiskPackage:
        """A risk package, verified.

        Raises:
            ModelPackageError: It cannot be used.
        """


class FreshModels:
    """Opens everything anew: one process, one study."""

    def open_model(self, package: SegmentationPackage, device: Device) -> OpenedModel:
        """The networks of a verified package."""
        return open_model(package, device)

    def open_risk_package(self, folder: Path) -> OpenRiskPackage:
        """A risk package, verified."""
        return open_risk_package(folder)


class WarmModels:
    """Opens a package once on the one device this process owns; for many threads.

    A package is verified for every study and known by its checksum, so one that was
    changed or replaced on disk is never served from memory.
    """

    def __init__(self, device: Device, *, batch: int | None = None) -> None:
        """Own a device.

        Args:
            device: The only device studies may ask for.
            batch: Most windows in one run; None leaves it to the kind of device.
        """
        self._device, self._batch = device, batch
        self._queue = DeviceQueue()
        self._lock = threading.Lock()
        self._models: OrderedDict[str, OpenedModel] = OrderedDict()
        self._risk: OrderedDict[str, OpenRiskPackage] = OrderedDict()

    def open_model(self, package: SegmentationPackage, device: Device) -> OpenedModel:
        """The networks of a verified package, opened now or before.

        Raises:
            DeviceError: Another device is asked for than the one this process owns.
            ModelPackageError: The networks cannot be opened.
        """
        if device != self._device:
            raise DeviceError(
                f"This process owns the device {self._device!r}, the study asks for {device!r}; "
                "send it to a process of that device"
            )
        key = f"{package.identity.sha256} {package.folder}"
        return self._keep(self._models, key, lambda: self._share(open_model(package, device)))

    def open_risk_package(self, folder: Path) -> OpenRiskPackage:
        """A risk package, verified now, opened now or before."""
        package = load_risk_package(folder)
        key = f"{package.identity.sha256} {package.folder}"
        return self._keep(self._risk, key, lambda: OpenRiskPackage(package))

    def _share(self, model: OpenedModel) -> OpenedModel:
        sessions = {}
        for role, session in model.sessions.items():
            most = self._batch or default_batch(session.device.execution_provider)
            sessions[role] = SharedSession(session, self._queue, most=most)
        return OpenedModel(package=model.package, sessions=sessions)

    def _keep(
        self, kept: "OrderedDict[str, Opened]", key: str, make: Callable[[], Opened]
    ) -> Opened:
        with self._lock:  # two studies that begin together open the package once
            if key not in kept:
                kept[key] = make()
            kept.move_to_end(key)
            while len(kept) > KEPT:
                kept.popitem(last=False)
            return kept[key]
