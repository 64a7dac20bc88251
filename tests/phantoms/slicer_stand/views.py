"""Slicer's own slice and 3D views of the scene, drawn off screen into PNG files."""

from pathlib import Path
from typing import Any

import slicer
import vtk

SLICE_MANAGERS = (
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
)
VIEW_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
)


class OffScreen:
    """One render window without a screen.

    Args:
        size: Width and height in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(*size)
        self.renderer = vtk.vtkRenderer()
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)

    def show(self, factory: Any, managers: tuple[str, ...], node: Any, application: Any) -> Any:
        """Let Slicer's displayable managers draw what a view node shows."""
        factory.SetMRMLApplicationLogic(application)
        for name in managers:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        group = factory.InstantiateDisplayableManagers(self.renderer)
        group.SetMRMLDisplayableNode(node)
        return group

    def save(self, path: Path) -> None:
        """Render and write a PNG."""
        self.window.Render()
        grabbed = vtk.vtkWindowToImageFilter()
        grabbed.SetInput(self.window)
        grabbed.ReadFrontBufferOff()
        grabbed.Update()
        writer = vtk.vtkPNGWriter()
        writer.SetFileName(str(path))
        writer.SetInputConnection(grabbed.GetOutputPort())
        writer.Write()


def save_slice(
    volume: Any,
    position_ras: tuple[float, float, float],
    path: Path,
    application: Any,
    *,
    orientation: str = "Axial",
    size: tuple[int, int] = (640, 520),
) -> None:
    """One slice view through a point, with segments and rulers as Slicer draws them."""
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(slicer.mrmlScene)
    node = logic.AddSliceNode(f"HepatoCast{orientation}")
    logic.ResizeSliceNode(*size)
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevel(350.0, 70.0)
    node.SetOrientation(orientation)
    logic.FitSliceToAll(*size)
    node.JumpSliceByOffsetting(*position_ras)
    logic.UpdatePipeline()
    view = OffScreen(size)
    mapper = vtk.vtkImageMapper()
    mapper.SetInputConnection(logic.GetImageDataConnection())
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    picture = vtk.vtkActor2D()
    picture.SetMapper(mapper)
    view.renderer.AddViewProp(picture)
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    group = view.show(factory, SLICE_MANAGERS, node, application)
    view.save(path)
    group.SetMRMLDisplayableNode(None)
    slicer.mrmlScene.RemoveNode(node)


def save_three(
    segmentation: Any, path: Path, application: Any, *, size: tuple[int, int] = (640, 520)
) -> None:
    """The 3D view of a segmentation; the liver lets its lesions shine through."""
    segmentation.CreateClosedSurfaceRepresentation()
    segmentation.GetDisplayNode().SetSegmentOpacity3D("liver", 0.35)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLViewNode", "HepatoCast3D")
    node.SetLayoutName("HepatoCast3D")
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    node.SetBackgroundColor(1.0, 1.0, 1.0)
    node.SetBackgroundColor2(1.0, 1.0, 1.0)
    view = OffScreen(size)
    factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
    group = view.show(factory, VIEW_MANAGERS, node, application)
    view.window.Render()
    view.renderer.ResetCamera()
    view.renderer.GetActiveCamera().Zoom(1.4)
    view.save(path)
    group.SetMRMLDisplayableNode(None)
    slicer.mrmlScene.RemoveNode(node)
