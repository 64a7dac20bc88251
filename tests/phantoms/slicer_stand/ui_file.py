"""Loads a .ui file and collects everything real Slicer would stumble over."""

import xml.etree.ElementTree as ET
from typing import Any

import qt
from PySide6 import QtCore, QtUiTools
from tests.phantoms.slicer_stand.python_qt import loading, made, properties_of, qt_class
from tests.phantoms.slicer_stand.widgets import WIDGETS, OfScene, qMRMLWidget

strict: list[str] = []
alive: list[Any] = []


class StrictUiLoader(QtUiTools.QUiLoader):
    """QUiLoader that knows our widgets and complains about unknown names."""

    def createWidget(self, kind: str, parent: Any = None, name: str = "") -> Any:
        """A widget of this class, ours or Qt's."""
        try:
            widget = (WIDGETS.get(kind) or qt_class(kind))(parent)
        except AttributeError:
            strict.append(f"unknown widget class {kind} ({name})")
            widget = qt_class("QWidget")(parent)
        QtCore.QObject.setObjectName(widget, name)
        self._made[name] = widget
        return widget

    def load(self, file: Any, parent: Any = None) -> Any:
        """The root widget with its children and connections."""
        self._made: dict[str, Any] = {}
        root = ET.fromstring(bytes(file.readAll()))  # noqa: S314 - our own file
        section = root.find("connections")
        connections = []
        if section is not None:
            connections = [{part.tag: part.text or "" for part in line} for line in section]
            root.remove(section)
        self._check_properties(root)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.ReadOnly)
        loading.append(True)
        try:
            widget = super().load(buffer, parent)
        finally:
            loading.pop()
        alive.append((widget, self._made))
        self._connect(connections)
        return widget

    def _check_properties(self, root: ET.Element) -> None:
        for widget in root.iter("widget"):
            kind = WIDGETS.get(widget.get("class", ""))
            if kind is None and hasattr(QtUiTools, "QUiLoader"):
                try:
                    kind = qt_class(widget.get("class", ""))
                except AttributeError:
                    continue
            for item in widget.findall("property"):
                name = item.get("name", "")
                if item.get("stdset") != "0" and name not in properties_of(kind):
                    strict.append(f"{widget.get('name')}: no property {name}")

    def _connect(self, connections: list[dict[str, str]]) -> None:
        wired = set()
        for line in connections:
            sender, receiver = (self._made.get(line[end]) for end in ("sender", "receiver"))
            if sender is None or receiver is None:
                strict.append(f"connection of an unknown object: {line}")
                continue
            signal, slot = (line[end].partition("(")[0] for end in ("signal", "slot"))
            if not hasattr(sender, signal) or not hasattr(receiver, slot):
                strict.append(f"connection of an unknown signal or slot: {line}")
                continue
            getattr(sender, signal).connect(getattr(receiver, slot))
            wired.add(line["receiver"])
        for name, widget in self._made.items():
            needs = isinstance(widget, OfScene) and not isinstance(widget, qMRMLWidget)
            if needs and name not in wired:
                strict.append(f"{name}: setMRMLScene is not connected in the .ui file")


def install_loader() -> None:
    """Let ``slicer.util.loadUI`` use the strict loader."""
    made["QUiLoader"] = StrictUiLoader
    qt.QUiLoader = StrictUiLoader
