"""A Slicer without windows: real MRML, segmentations, markups and tables of slicer-core."""

import ctypes
import sys
import tempfile
import types
from typing import Any

import slicer
import vtk

LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Units": "vtkSlicerUnitsLogic",
}
IN_HIERARCHY = (
    "vtkMRMLDisplayableNode",
    "vtkMRMLTableNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLTextNode",
)


def outlive_lost_references() -> None:
    """Give None spare references: slicer-core loses some, which aborts Python 3.11.

    Slicer itself runs Python 3.12, whose None is immortal (PEP 683).
    """
    if sys.version_info < (3, 12):
        spare = [None] * 1_000_000
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(spare))


class HeadlessSlicer:
    """Sets up ``slicer.mrmlScene``, ``slicer.app``, ``slicer.modules`` and their logics."""

    def __init__(self) -> None:
        outlive_lost_references()
        self.folder = tempfile.TemporaryDirectory(prefix="slicer-headless-")
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.logic.SetMRMLScene(self.scene)
        colors = self.logic.GetColorLogic()
        colors.SetMRMLScene(self.scene)
        colors.AddDefaultColorNodes()
        self.logic.SetSliceLogics(vtk.vtkCollection())
        self.logic.SetViewLogics(vtk.vtkCollection())
        modules = types.SimpleNamespace()
        self.logics = {name: self._start(name, kind, modules) for name, kind in LOGICS.items()}
        self._start_file_reading()
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        self.scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._list_node)
        slicer.mrmlScene, slicer.modules = self.scene, modules
        slicer.app = types.SimpleNamespace(
            mrmlScene=lambda: self.scene,
            applicationLogic=lambda: self.logic,
            temporaryPath=self.folder.name,
            testingEnabled=lambda: True,
        )

    def _start(self, name: str, kind: str, modules: types.SimpleNamespace) -> Any:
        logic = getattr(slicer, kind)()
        if hasattr(logic, "SetModuleShareDirectory"):
            logic.SetModuleShareDirectory(self.folder.name)
        logic.SetMRMLApplicationLogic(self.logic)
        logic.SetMRMLScene(self.scene)
        self.logic.SetModuleLogic(name, logic)
        setattr(modules, name.lower(), types.SimpleNamespace(logic=lambda: logic, name=name))
        return logic

    def _start_file_reading(self) -> None:
        """Reading a scene bundle (.mrb) needs a data manager with a cache folder."""
        self.remote = slicer.vtkMRMLRemoteIOLogic()
        self.remote.SetMRMLScene(self.scene)
        self.remote.SetMRMLApplicationLogic(self.logic)
        self.remote.GetCacheManager().SetRemoteCacheDirectory(self.folder.name)
        self.files = slicer.vtkDataIOManagerLogic()
        self.files.SetMRMLApplicationLogic(self.logic)
        self.files.SetMRMLScene(self.scene)
        self.files.SetAndObserveDataIOManager(self.remote.GetDataIOManager())
        self.remote.AddDataIOToScene()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _list_node(self, _caller: Any, _event: str, node: Any) -> None:
        """What the subject hierarchy's Qt plugins do for plain nodes."""
        if node is None or node.GetHideFromEditors() or not any(map(node.IsA, IN_HIERARCHY)):
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)
        if not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
