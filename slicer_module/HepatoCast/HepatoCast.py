"""HepatoCast in 3D Slicer: liver, tumors, measurements and risk with one click."""

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HepatoCast(ScriptedLoadableModule):
    """What Slicer's module list shows."""

    def __init__(self, parent: object) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "HepatoCast"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["HepatoCast contributors"]
        parent.helpText = _(
            "Segments liver and tumors in CT, measures them and forecasts recurrence and "
            "survival after surgery for hepatocellular carcinoma. Research use only."
        )
        parent.acknowledgementText = _("Not a medical device; not cleared by any authority.")


class HepatoCastLogic(ScriptedLoadableModuleLogic):
    """Gives the scene's parameter node; all work is the presenter's."""

    def parameters(self) -> object:
        """The parameter node of the current scene."""
        from HepatoCastLib.parameters import Parameters

        return Parameters(self.getParameterNode())


class HepatoCastWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the .ui and follows the scene; the panel does the rest."""

    def __init__(self, parent: object = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.panel = None

    def setup(self) -> None:
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from HepatoCastLib.widget import Panel

        widget = slicer.util.loadUI(self.resourcePath("UI/HepatoCast.ui"))
        self.layout.addWidget(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = HepatoCastLogic()
        self.panel = Panel(slicer.util.childWidgetVariables(widget), self.logic.parameters)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, lambda *_: self.panel.close_scene())
        self.addObserver(scene, scene.EndCloseEvent, lambda *_: self._reopen())
        self.addObserver(scene, scene.EndImportEvent, lambda *_: self._reopen())

    def _reopen(self) -> None:
        if self.panel.parameters is not None:
            self.panel.close_scene()
        self.panel.open_scene()

    def cleanup(self) -> None:
        """Slicer closes, or the module is reloaded."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.clean_up()


class HepatoCastTest(ScriptedLoadableModuleTest):
    """Self test inside Slicer: Testing/Python holds the same steps for CTest."""

    def runTest(self) -> None:
        """Build the panel and select a volume; no engine needed."""
        import numpy as np

        slicer.mrmlScene.Clear(0)
        panel = slicer.util.getModuleWidget("HepatoCast").panel
        self.assertFalse(panel.ui.applyButton.enabled)
        voxels = np.zeros((4, 8, 8), np.int16)
        panel.parameters.inputVolume = slicer.util.addVolumeFromArray(voxels)
        qt.QCoreApplication.processEvents()
        self.assertTrue(panel.ui.applyButton.enabled)
