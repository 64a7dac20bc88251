"""The panel's controls: clicks to the presenter, view states to the screen. Only Qt here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk

from HepatoCastLib import history, outputs
from HepatoCastLib.clinical_table import ClinicalTable
from HepatoCastLib.correcting import Review, lesions_of
from HepatoCastLib.courier import Courier
from HepatoCastLib.errors import PanelError
from HepatoCastLib.followup import FollowUp
from HepatoCastLib.installation import Engine
from HepatoCastLib.models import ModelList
from HepatoCastLib.parameters import Parameters
from HepatoCastLib.presenter import Presenter, ViewState
from HepatoCastLib.previews import pictures_of
from HepatoCastLib.pump import StepPump
from HepatoCastLib.result import Result
from HepatoCastLib.review import ReviewTable
from HepatoCastLib.run import BackgroundRun
from HepatoCastLib.staging import Choices
from HepatoCastLib.warm import WarmEngine

PYTHON_SETTING = "HepatoCast/Python"
WHEELHOUSE_SETTING = "HepatoCast/Wheelhouse"
DESTINATION_SETTING = "HepatoCast/Destination"
EDITOR_TAG = "HepatoCast.SegmentEditor"
NODES_OF_TABLES = (
    ("lesionTable", "lesions"),
    ("burdenTable", "burden"),
    ("featureTable", "features"),
    ("scoreTable", "scores"),
    ("changeTable", "changes"),
    ("sentTable", "sent"),
    ("followupTable", "followup"),
    ("responseTable", "response"),
)


class Panel:
    """Binds one loaded .ui to one presenter.

    Args:
        ui: Child widgets by name.
        new_parameters: Gives the scene's parameter node, a fresh one after a scene closed.
    """

    def __init__(self, ui: Any, new_parameters: Callable[[], Parameters]) -> None:
        self.ui = ui
        self.parameters: Parameters | None = None
        self.engine = Engine(ask=confirm)
        self.run, self.pump = BackgroundRun(), StepPump()
        self.courier = Courier(BackgroundRun(), self.engine)
        self.followup = FollowUp(BackgroundRun(), self.engine)
        self.models = ModelList(BackgroundRun(), self.engine)
        self.clinical, self.warm = ClinicalTable(ui.clinicalTable), WarmEngine()
        self.presenter = Presenter(self.run, self.pump, self.engine, find_dicom_file)
        self._new_parameters = new_parameters
        self.review = ReviewTable(ui.decisionTable)
        self._correctable = False
        self._assessed: Path | None = None
        self._pictures: list[str] = []
        self._page = 0
        self._watched: Any = None
        self._segment_tags: list[Any] = []
        self._gui_tag: Any = None
        self._node_tag: Any = None
        self._connect()
        self.open_scene()

    def _connect(self) -> None:
        ui = self.ui
        self.presenter.changed.connect(self._render)
        self.presenter.shown.connect(self._show_nodes)
        ui.applyButton.connect("clicked(bool)", lambda *_: self.apply())
        ui.cancelButton.connect("clicked(bool)", lambda *_: self.presenter.cancel())
        ui.reportButton.connect("clicked(bool)", lambda *_: self._open_report())
        ui.previousButton.connect("clicked(bool)", lambda *_: self._turn_page(-1))
        ui.nextButton.connect("clicked(bool)", lambda *_: self._turn_page(1))
        ui.updateButton.connect("clicked(bool)", lambda *_: self.update())
        ui.sendButton.connect("clicked(bool)", lambda *_: self.send())
        ui.destinationEdit.text = str(qt.QSettings().value(DESTINATION_SETTING) or "")
        ui.destinationEdit.connect("textChanged(QString)", lambda *_: self._name_destination())
        self.courier.changed.connect(self._render_sending)
        ui.compareButton.connect("clicked(bool)", lambda *_: self.compare())
        self.followup.changed.connect(self._render_comparison)
        self.clinical.changed.connect(self._assess)
        self.warm.told.connect(self._render_assessment)
        self.models.changed.connect(self._list_models)
        ui.modelSelector.connect("currentIndexChanged(int)", lambda *_: self._choose_model())
        for edit, setting in self._settings():
            edit.currentPath = str(qt.QSettings().value(setting) or "")
            edit.connect("currentPathChanged(QString)", lambda *_: self._keep_settings())
        self._keep_settings()

    def _settings(self) -> tuple[tuple[Any, str], ...]:
        return (
            (self.ui.pythonEdit, PYTHON_SETTING),
            (self.ui.wheelhouseEdit, WHEELHOUSE_SETTING),
        )

    def _keep_settings(self) -> None:
        """The engine's place belongs to the machine, not to the scene."""
        for edit, setting in self._settings():
            qt.QSettings().setValue(setting, edit.currentPath)
        self.engine.python = self.ui.pythonEdit.currentPath
        self.engine.wheelhouse = self.ui.wheelhouseEdit.currentPath
        self.models.read()

    def _list_models(self) -> None:
        """The packages the engine has; the parameter stays what it was."""
        listed = [f"{model.name} {model.version}" for model in self.models.models]
        selector = self.ui.modelSelector
        selector.blockSignals(True)
        selector.clear()
        selector.addItems(listed)
        selector.blockSignals(False)
        self._show_model()

    def _show_model(self) -> None:
        """The selector and the text below it follow the parameter."""
        if self.parameters is None:
            return
        place = self.models.find(self.parameters.model)
        selector = self.ui.modelSelector
        selector.enabled = bool(self.models.models)
        if selector.currentIndex != place:
            selector.blockSignals(True)
            selector.setCurrentIndex(place)
            selector.blockSignals(False)
        self.ui.modelText.text = self.models.describe(self.parameters.model)

    def _choose_model(self) -> None:
        place = self.ui.modelSelector.currentIndex
        if self.parameters is not None and 0 <= place < len(self.models.models):
            self.parameters.model = self.models.models[place].exact

    def open_scene(self) -> None:
        """Bind to the scene's parameter node and to a result that the scene brought along."""
        self.parameters = self._new_parameters()
        self._gui_tag = self.parameters.connectGui(self.ui)
        self._node_tag = self.parameters.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda *_: self._select()
        )
        if self.parameters.inputVolume is None:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            self.parameters.inputVolume = first
        self._select()
        self._show_nodes()
        self._render(self.presenter.state)

    def close_scene(self) -> None:
        """Let go of everything that lives in the scene."""
        self.presenter.close_scene()
        if self.parameters is not None:
            self.parameters.disconnectGui(self._gui_tag)
            self.parameters.RemoveObserver(self._node_tag)
        self.parameters = None
        self._correctable = False
        self._list_lesions()
        self.clinical.clear()
        self.warm.close()
        self._assessed = None
        for edit in (self.ui.observerEdit, self.ui.organizationEdit):
            edit.text = ""  # the next scene may be another person's
        self.ui.segmentEditor.setSegmentationNode(None)
        for name, _ in NODES_OF_TABLES:
            getattr(self.ui, name).setMRMLTableNode(None)

    def clean_up(self) -> None:
        """The module's panel is destroyed."""
        self.pump.stop()
        self.presenter.clean_up()
        self.courier.clean_up()
        self.followup.clean_up()
        self.models.clean_up()
        self.warm.close()
        self.close_scene()

    def apply(self) -> None:
        """One click: run with what the controls say."""
        if self.parameters is not None:
            self.presenter.apply(self._choices())

    def update(self) -> None:
        """Measure again on the edited segments, with the decisions and the observer typed."""
        if self.parameters is None:
            return
        review = Review(
            observer=self.ui.observerEdit.text.strip(),
            organization=self.ui.organizationEdit.text.strip(),
            decisions=self.review.decisions(),
        )
        self.presenter.update(self.parameters.segmentation, self._choices(), review)

    def send(self) -> None:
        """The one place that lets anything leave this machine."""
        report = self.presenter.state.report
        if report:
            self.courier.send(Path(report).parent, self.ui.destinationEdit.text.strip())

    def compare(self) -> None:
        """Hold the result in the scene against an earlier one."""
        report = self.presenter.state.report
        earlier = self.ui.earlierEdit.currentPath
        if not (report and earlier):
            self.ui.compareStatus.text = "Name an earlier result's folder; run or update first"
            return
        self.followup.compare(Path(earlier), Path(report).parent)

    def _render_comparison(self, status: str) -> None:
        self.ui.compareStatus.text = status
        self.ui.compareButton.enabled = not self.followup.busy
        for name, role in (("followupTable", "followup"), ("responseTable", "response")):
            table = outputs.find_node("vtkMRMLTableNode", role)
            getattr(self.ui, name).setMRMLTableNode(table)

    def _assess(self, rows: list[dict[str, str]]) -> None:
        """Scores and risk on the values typed; the engine stays warm beside the panel."""
        report = self.presenter.state.report
        if not report:
            self.ui.clinicalStatus.text = "Run or update first; then values count at once"
            return
        folder = Path(report).parent
        if folder != self._assessed:
            try:
                self.warm.open(*self.engine.locate(), folder)
            except PanelError as error:
                self.ui.clinicalStatus.text = str(error)
                return
            self._assessed = folder
        self.warm.ask(rows)

    def _render_assessment(self, message: dict[str, Any]) -> None:
        if message.get("event") == "assess-refused":
            self.ui.clinicalStatus.text = f"Not used: {message['reason']}"
        elif message.get("event") == "assessed":
            outputs.show_scores(message["scores"])
            outputs.show_risk(message["predictions"])
            told = [f"{r['analyte']} not used: {r['reason']}" for r in message["rejections"]]
            computed = sum(score["value"] is not None for score in message["scores"])
            told.append(f"{computed} scores, {len(message['predictions'])} risk curves")
            self.ui.clinicalStatus.text = "; ".join(told) + ". Not in the report: run with a file."
            table = outputs.find_node("vtkMRMLTableNode", "scores")
            self.ui.scoreTable.setMRMLTableNode(table)

    def _name_destination(self) -> None:
        """The button says where a click sends to."""
        destination = self.ui.destinationEdit.text.strip()
        text = f"Send to {destination}" if destination else "Send"
        if self.ui.sendButton.text != text:
            self.ui.sendButton.text = text
            qt.QSettings().setValue(DESTINATION_SETTING, destination)
        ready = bool(destination) and bool(self.presenter.state.report)
        self.ui.sendButton.enabled = ready and not self.courier.busy

    def _render_sending(self, status: str) -> None:
        self.ui.sendStatus.text = status
        self._name_destination()
        self.ui.sentTable.setMRMLTableNode(outputs.find_node("vtkMRMLTableNode", "sent"))

    def _choices(self) -> Choices:
        return Choices(
            model=self.parameters.model,
            force_cpu=self.parameters.forceCpu,
            clinical_file=self.parameters.clinicalFile,
        )

    def _list_lesions(self) -> None:
        """The decision rows follow the segments, also those that the user adds or removes."""
        segmentation = None if self.parameters is None else self.parameters.segmentation
        held = None if segmentation is None else segmentation.GetSegmentation()
        if held is not self._watched:
            if self._watched is not None:
                for tag in self._segment_tags:
                    self._watched.RemoveObserver(tag)
            events = (held.SegmentAdded, held.SegmentRemoved) if held is not None else ()
            self._segment_tags = [
                held.AddObserver(event, lambda *_: self._list_lesions()) for event in events
            ]
            self._watched = held
        self.review.show([] if held is None else lesions_of(segmentation))

    def _select(self) -> None:
        if self.parameters is None:
            return
        chosen = (self.parameters.inputVolume, self.parameters.secondVolume)
        volumes = tuple(volume for volume in chosen if volume is not None)
        self.presenter.select(volumes if chosen[0] is not None else ())
        self._show_model()

    def _render(self, state: ViewState) -> None:
        ui = self.ui
        ui.applyButton.visible = not state.busy
        ui.applyButton.enabled = state.can_apply
        ui.applyButton.toolTip = state.hint
        ui.cancelButton.visible = state.busy
        ui.progressBar.visible = state.busy
        ui.progressBar.value = state.percent
        ui.statusLabel.text = state.status or state.hint
        ui.deviceLabel.text = state.device or "not run yet"
        ui.limitsLabel.text = state.limits
        ui.reportButton.enabled = bool(state.report)
        self._preview(state)
        ui.inputs.enabled = not state.busy
        self._name_destination()
        ui.updateButton.enabled = self._correctable and not state.busy
        text = "\n".join(state.log)
        if ui.logView.plainText != text:
            ui.logView.plainText = text

    def _show_nodes(self, _result: Result | None = None) -> None:
        """Hand the result's nodes to the views and to the Segment Editor."""
        segmentation = outputs.find_node("vtkMRMLSegmentationNode", "segmentation")
        self._correctable = bool(history.kept_packs())
        if segmentation is None or self.parameters is None:
            self._list_lesions()
            return
        self.parameters.segmentation = segmentation
        if _result is not None:
            self.review.forget()
            if not self.models.models:
                self.models.read()  # this run may have installed the engine
        self._list_lesions()
        self.ui.updateButton.enabled = self._correctable and not self.presenter.state.busy
        for name, role in NODES_OF_TABLES:
            table = outputs.find_node("vtkMRMLTableNode", role)
            getattr(self.ui, name).setMRMLTableNode(table)
        self.ui.segmentsTable.setSegmentationNode(segmentation)
        self.ui.show3DButton.setSegmentationNode(segmentation)
        editor = self.ui.segmentEditor
        editor.setMRMLSegmentEditorNode(editor_node())
        editor.setSegmentationNode(segmentation)
        editor.setSourceVolumeNode(segmentation.GetNodeReference(outputs.VOLUME_REFERENCE))

    def _preview(self, state: ViewState) -> None:
        """Show the pages once a result is whole; nothing of it while another is made."""
        pictures = [] if state.busy else pictures_of(state.report)
        if pictures != self._pictures:
            self._pictures, self._page = pictures, 0
            self._turn_page(0)

    def _turn_page(self, step: int) -> None:
        """Show the key image a step further; the report's PDF is the button's."""
        ui, count = self.ui, len(self._pictures)
        self._page = min(max(self._page + step, 0), max(count - 1, 0))
        ui.pageLabel.text = f"Key image {self._page + 1} of {count}" if count else "No key images"
        picture = qt.QPixmap(self._pictures[self._page]) if count else qt.QPixmap()
        ui.previewLabel.setPixmap(picture)
        ui.previousButton.enabled = self._page > 0
        ui.nextButton.enabled = self._page + 1 < count

    def _open_report(self) -> None:
        report = self.presenter.state.report
        if report and Path(report).is_file():
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(report))


def editor_node() -> Any:
    """A Segment Editor that never erases the liver below a tumor (segments may overlap)."""
    node = slicer.mrmlScene.GetSingletonNode(EDITOR_TAG, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(EDITOR_TAG)
        node = slicer.mrmlScene.AddNode(node)
    node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
    return node


def confirm(question: str) -> bool:
    """Ask before anything is installed."""
    return bool(slicer.util.confirmYesNoDisplay(question))


def find_dicom_file(sop_instance_uid: str) -> str:
    """File of an image, from Slicer's DICOM database."""
    return str(slicer.dicomDatabase.fileForInstance(sop_instance_uid) or "")
