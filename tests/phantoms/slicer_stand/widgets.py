"""The ctk and qMRML widgets of the panel: plain Qt above, real MRML nodes below."""

from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal
from tests.phantoms.slicer_stand.python_qt import PythonQtMixin


def stored(kind: Any, name: str, default: Any, on: Any = None) -> Any:
    """A Qt property that keeps its value, and perhaps acts on it."""

    def get(self: Any) -> Any:
        return self.__dict__.get(f"_{name}", default)

    def put(self: Any, value: Any) -> None:
        self.__dict__[f"_{name}"] = value
        if on is not None:
            on(self, value)

    return Property(kind, get, put)


class OfScene:
    """Knows a MRML scene."""

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene."""
        self.__dict__["_scene"] = scene
        self._scene_changed(scene)

    def _scene_changed(self, scene: Any) -> None:
        pass


def collapse(box: Any, collapsed: bool) -> None:
    """Hide or show what lies directly below a section."""
    direct = QtCore.Qt.FindDirectChildrenOnly
    for child in QtWidgets.QGroupBox.findChildren(box, QtWidgets.QWidget, "", direct):
        QtWidgets.QWidget.setVisible(child, not collapsed)


class ctkCollapsibleButton(PythonQtMixin, QtWidgets.QGroupBox):
    """A section with a title."""

    collapsed = stored(bool, "collapsed", False, on=collapse)
    text = Property(str, QtWidgets.QGroupBox.title, QtWidgets.QGroupBox.setTitle)


class ctkPathLineEdit(PythonQtMixin, QtWidgets.QLineEdit):
    """A path."""

    currentPathChanged = Signal(str)

    def _put(self, path: str) -> None:
        changed = path != QtWidgets.QLineEdit.text(self)
        QtWidgets.QLineEdit.setText(self, path)
        if changed:
            self.currentPathChanged.emit(path)

    currentPath = Property(str, QtWidgets.QLineEdit.text, _put)


class qMRMLWidget(PythonQtMixin, QtWidgets.QWidget, OfScene):
    """The root of a module's panel."""

    mrmlSceneChanged = Signal(object)

    def _scene_changed(self, scene: Any) -> None:
        self.mrmlSceneChanged.emit(scene)


def refresh(selector: Any, *_: Any) -> None:
    """Read the scene's nodes again."""
    selector.refresh()


class qMRMLNodeComboBox(PythonQtMixin, QtWidgets.QComboBox, OfScene):
    """Chooses a node of the wanted classes."""

    currentNodeChanged = Signal(object)
    nodeTypes = stored("QStringList", "nodeTypes", [], on=refresh)
    noneEnabled = stored(bool, "noneEnabled", False, on=refresh)
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True, on=refresh)
    addEnabled = stored(bool, "addEnabled", True)
    removeEnabled = stored(bool, "removeEnabled", True)

    def _scene_changed(self, scene: Any) -> None:
        if scene is not None:
            kind = slicer.vtkMRMLScene
            for event in (
                kind.NodeAddedEvent,
                kind.NodeRemovedEvent,
                kind.EndCloseEvent,
            ):
                scene.AddObserver(event, lambda *_: self.refresh())
        self.refresh()

    def nodes(self) -> list[Any]:
        """All nodes that may be chosen."""
        scene = self.__dict__.get("_scene")
        if scene is None:
            return []
        found = [n for kind in self.nodeTypes for n in slicer.util.getNodesByClass(kind, scene)]
        exact = not self.showChildNodeTypes
        return [n for n in found if not exact or n.GetClassName() in self.nodeTypes]

    def refresh(self) -> None:
        """Read the scene's nodes again."""
        try:
            QtCore.QObject.objectName(self)
        except RuntimeError:
            return  # the widget is gone, its observer is not
        old, nodes = self.currentNode(), self.nodes()
        current = old if old in nodes else None
        if current is None and nodes and not self.noneEnabled:
            current = nodes[0]
        QtWidgets.QComboBox.clear(self)
        QtWidgets.QComboBox.addItems(self, ["None", *(node.GetName() for node in nodes)])
        self._choose(current, nodes)

    def _choose(self, node: Any, nodes: list[Any]) -> None:
        old = self.currentNode()
        self.__dict__["_current"] = node
        index = 0 if node is None else nodes.index(node) + 1
        QtWidgets.QComboBox.setCurrentIndex(self, index)
        if node is not old:
            self.currentNodeChanged.emit(node)

    def currentNode(self) -> Any:
        """The chosen node or None."""
        return self.__dict__.get("_current")

    def setCurrentNode(self, node: Any) -> None:
        """Choose a node that is in the list."""
        nodes = self.nodes()
        if node is not None and node not in nodes:
            raise ValueError(f"{node.GetClassName()} is none of {self.nodeTypes}")
        if node is not None or self.noneEnabled:
            self._choose(node, nodes)


class qMRMLTableView(PythonQtMixin, QtWidgets.QTableWidget, OfScene):
    """Shows a table node."""

    def setMRMLTableNode(self, node: Any) -> None:
        """Show this node, or nothing."""
        self.__dict__["_node"] = node
        view, kind = self, QtWidgets.QTableWidget
        kind.clear(view)
        rows, columns = (node.GetNumberOfRows(), node.GetNumberOfColumns()) if node else (0, 0)
        kind.setRowCount(view, rows)
        kind.setColumnCount(view, columns)
        titles = [node.GetColumnName(column) for column in range(columns)]
        kind.setHorizontalHeaderLabels(view, titles)
        for row in range(rows):
            for column in range(columns):
                text = node.GetCellText(row, column)
                kind.setItem(view, row, column, QtWidgets.QTableWidgetItem(text))

    def mrmlTableNode(self) -> Any:
        """The node shown."""
        return self.__dict__.get("_node")


class OfSegmentation(OfScene):
    """Knows a segmentation node."""

    def setSegmentationNode(self, node: Any) -> None:
        """Take the node, or let go of it."""
        if node is not None and not node.IsA("vtkMRMLSegmentationNode"):
            raise TypeError(f"Not a segmentation: {node.GetClassName()}")
        self.__dict__["_segmentation"] = node

    def segmentationNode(self) -> Any:
        """The node taken."""
        return self.__dict__.get("_segmentation")


class qMRMLSegmentsTableView(PythonQtMixin, QtWidgets.QTableWidget, OfSegmentation):
    """Lists segments with their colors."""

    def setSegmentationNode(self, node: Any) -> None:
        """List this node's segments."""
        OfSegmentation.setSegmentationNode(self, node)
        held = node.GetSegmentation() if node else None
        count = held.GetNumberOfSegments() if held else 0
        kind = QtWidgets.QTableWidget
        kind.setRowCount(self, count)
        kind.setColumnCount(self, 1)
        for row in range(count):
            name = held.GetNthSegment(row).GetName()
            kind.setItem(self, row, 0, QtWidgets.QTableWidgetItem(name))


class qMRMLSegmentationShow3DButton(PythonQtMixin, QtWidgets.QPushButton, OfSegmentation):
    """Makes surfaces on a click."""


class qMRMLSegmentEditorWidget(PythonQtMixin, QtWidgets.QFrame, OfSegmentation):
    """Edits segments."""

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        """Take the editor's settings."""
        self.__dict__["_editor"] = node

    def mrmlSegmentEditorNode(self) -> Any:
        """The editor's settings."""
        return self.__dict__.get("_editor")

    def setSourceVolumeNode(self, node: Any) -> None:
        """Take the image to edit on."""
        if self.segmentationNode() is not None and node is None:
            raise ValueError("The Segment Editor needs a source volume to edit on")
        self.__dict__["_volume"] = node

    def sourceVolumeNode(self) -> Any:
        """The image to edit on."""
        return self.__dict__.get("_volume")


WIDGETS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        ctkCollapsibleButton,
        ctkPathLineEdit,
        qMRMLWidget,
        qMRMLNodeComboBox,
        qMRMLTableView,
        qMRMLSegmentsTableView,
        qMRMLSegmentationShow3DButton,
        qMRMLSegmentEditorWidget,
    )
}
