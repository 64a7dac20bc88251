"""Stand-ins for Slicer's pure Python layer: documented behavior only, strict about names."""

import enum
import inspect
import sys
import types
import typing
import unittest
from pathlib import Path
from typing import Any

import slicer
import vtk

GUI = {
    "QCheckBox": ("checked", "toggled"),
    "QLineEdit": ("text", "textChanged"),
    "qMRMLNodeComboBox": ("", "currentNodeChanged"),
}


class ScriptedLoadableModule:
    """A module's description."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """A module's panel."""

    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.layout = parent.layout()

    def resourcePath(self, name: str) -> str:
        """Path below Resources."""
        return str(Path(inspect.getfile(type(self))).parent / "Resources" / name)

    def setup(self) -> None:
        """Build nothing."""


class ScriptedLoadableModuleLogic:
    """Gives the module's parameter node."""

    def getParameterNode(self) -> Any:
        """The scene's one node of this module."""
        name = type(self).__name__.removesuffix("Logic")
        node = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(name)
            node.SetModuleName(name)
            node.SetName(name)
            node = slicer.mrmlScene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's self test."""

    def runTest(self) -> None:
        """Test nothing."""


def read_parameter(node: Any, name: str, kind: Any, default: Any) -> Any:
    """A field's value from the node."""
    if inspect.isclass(kind) and issubclass(kind, vtk.vtkObject):
        return node.GetNodeReference(name)
    if name not in node.GetParameterNames():
        return default
    text = node.GetParameter(name)
    return text == "True" if kind is bool else kind(text)


def write_parameter(node: Any, name: str, kind: Any, value: Any) -> None:
    """A field's value into the node, of its own type only."""
    if inspect.isclass(kind) and issubclass(kind, vtk.vtkObject):
        node.SetNodeReferenceID(name, None if value is None else value.GetID())
        return
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected {kind.__name__}, got {value!r}")
    node.SetParameter(name, value.name if isinstance(value, enum.Enum) else str(value))


class BoundNode:
    """What the decorator adds to a class of parameters."""

    _fields: typing.ClassVar[dict[str, Any]] = {}

    def __init__(self, node: Any) -> None:
        object.__setattr__(self, "parameterNode", node)
        object.__setattr__(self, "_bound", {})

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no parameter {name}")
        write_parameter(self.parameterNode, name, self._fields[name], value)

    def AddObserver(self, event: Any, call: Any) -> int:
        """Observe the node."""
        return int(self.parameterNode.AddObserver(event, call))

    def RemoveObserver(self, tag: int) -> None:
        """Stop observing."""
        self.parameterNode.RemoveObserver(tag)

    def connectGui(self, ui: Any) -> int:
        """Bind every widget with a SlicerParameterName, both ways."""
        bound = []
        for widget in vars(ui).values():
            name = widget.property("SlicerParameterName") if hasattr(widget, "property") else None
            if not name:
                continue
            if name not in self._fields:
                raise RuntimeError(f"{widget.name}: {name} is not a parameter")
            bound.append(self._bind(widget, name))
        for put, *_ in bound:
            put()
        tag = self.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda *_: [put() for put, *_rest in bound]
        )
        self._bound[tag] = bound
        return tag

    def _bind(self, widget: Any, name: str) -> tuple[Any, Any, Any]:
        attribute, signal_name = GUI[widget.className()]
        signal = getattr(widget, signal_name)

        def get() -> Any:
            return getattr(widget, attribute) if attribute else widget.currentNode()

        def put() -> None:
            value = getattr(self, name)
            if get() == value:
                return
            if attribute:
                setattr(widget, attribute, value)
            else:
                widget.setCurrentNode(value)

        def take(*_: Any) -> None:
            if getattr(self, name) != get():
                setattr(self, name, get())

        signal.connect(take)
        return put, signal, take

    def disconnectGui(self, tag: int) -> None:
        """Undo connectGui."""
        for _, signal, take in self._bound.pop(tag):
            signal.disconnect(take)
        self.RemoveObserver(tag)


def parameter_node_wrapper(declared: type) -> type:
    """The class with its annotated fields kept in a MRML node."""
    fields = typing.get_type_hints(declared)
    members: dict[str, Any] = {"_fields": fields}
    for name, kind in fields.items():
        default = getattr(declared, name, None)
        members[name] = property(
            lambda self, name=name, kind=kind, default=default: read_parameter(
                self.parameterNode, name, kind, default
            )
        )
    return type(declared.__name__, (BoundNode,), members)


def install() -> types.SimpleNamespace:
    """Put the stand-ins where modules import them; returns what they recorded."""
    record = types.SimpleNamespace(installed=[], answers=[], has_engine=True, files={})
    _module("slicer.i18n", tr=lambda text: text, translate=lambda _context, text: text)
    kinds = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    _module("slicer.ScriptedLoadableModule", **{kind.__name__: kind for kind in kinds})
    _module("slicer.parameterNodeWrapper", parameterNodeWrapper=parameter_node_wrapper)
    _module(
        "slicer.packaging",
        pip_check=lambda _requirement: record.has_engine,
        pip_install=record.installed.append,
    )
    slicer.dicomDatabase = types.SimpleNamespace(
        fileForInstance=lambda uid: record.files.get(uid, "")
    )
    return record


def _module(name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    setattr(slicer, name.rpartition(".")[2], module)
