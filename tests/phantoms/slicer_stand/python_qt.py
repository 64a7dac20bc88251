"""PySide6 made to behave like PythonQt, as far as scripted modules rely on it.

Properties are attributes, ``name`` is the object name, ``connect("clicked(bool)", slot)``
works, and setting an attribute that does not exist raises, as PythonQt does.
"""

import functools
import sys
import types
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

MODULES = (QtWidgets, QtGui, QtCore)
PLAIN = {"QApplication", "QCoreApplication", "QObject"}
made: dict[str, Any] = {}
loading: list[bool] = []


@functools.cache
def properties_of(kind: type) -> frozenset[str]:
    """Names of all Qt properties of a class."""
    meta = kind.staticMetaObject
    return frozenset(meta.property(n).name() for n in range(meta.propertyCount()))


class PythonQtMixin:
    """Attribute access the PythonQt way."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            if name == "connect":
                return functools.partial(PythonQtMixin._connect_named, self)
            if name == "name":
                return QtCore.QObject.objectName(self)
            if name in properties_of(type(self)):
                return QtCore.QObject.property(self, name)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in properties_of(type(self)):
            if not QtCore.QObject.setProperty(self, name, value):
                raise TypeError(f"{type(self).__name__}.{name} = {value!r}: wrong type")
        elif loading:
            return  # QUiLoader sets children as attributes; PythonQt does not
        elif name.startswith("_"):
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"PythonQt: {type(self).__name__} has no property {name!r}")

    def _connect_named(self, signature: str, slot: Any) -> bool:
        name = signature.partition("(")[0]
        wanted = QtCore.QMetaObject.normalizedSignature(signature).data().decode()
        meta = QtCore.QObject.metaObject(self)
        if meta.indexOfSignal(wanted) < 0:
            raise ValueError(f"PythonQt: {type(self).__name__} has no signal {wanted}")
        super().__getattribute__(name).connect(slot)
        return True

    def className(self) -> str:
        """Qt class name."""
        return type(self).__name__

    def findChildren(self, kind: Any, *more: Any) -> Any:
        """Children by Qt class."""
        return super().findChildren(getattr(kind, "_base", kind), *more)


def qt_class(name: str) -> Any:
    """A Qt class with PythonQt manners; AttributeError for a name Qt does not have."""
    if name not in made:
        base = next((getattr(m, name) for m in MODULES if hasattr(m, name)), None)
        if base is None:
            raise AttributeError(f"module 'qt' has no attribute {name!r}")
        dressed = isinstance(base, type) and issubclass(base, QtCore.QObject) and name not in PLAIN
        kind = type(QtCore.QObject)
        made[name] = kind(name, (PythonQtMixin, base), {"_base": base}) if dressed else base
    return made[name]


class LazyQt(types.ModuleType):
    """``import qt``: every class on first use."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return qt_class(name)


def install_qt() -> Any:
    """Make ``qt`` importable and start the one application, off screen."""
    instance = QtWidgets.QApplication.instance()
    application = instance or QtWidgets.QApplication(["test", "-platform", "offscreen"])
    application.setOrganizationName("HepatoCast tests")
    application.setApplicationName("SlicerStand")
    sys.modules["qt"] = LazyQt("qt")
    return application
