# ruff: noqa: ANN401
"""Real peers and a real node on loopback for tests and for the commands beside them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROOT = Path(__file__).parents[2]
RECORDED_ENGINE = Path(__file__).with_name("recorded_engine.py")
RECORDED_WORK = Path(__file__).with_name("recorded_work.py")
NODE_TITLE, ORTHANC_TITLE = "HEPATOCAST", "TESTPACS"

ROUTE_LUA = """
function OnStableStudy(studyId, tags, metadata, origin)
   local study = ParseJson(RestApiGet('/studies/' .. studyId, false))
   local send = {}
   for _, sid in pairs(study['Series']) do
      local s = ParseJson(RestApiGet('/series/' .. sid, false))
      if s['MainDicomTags']['Modality'] == 'CT' then table.insert(send, sid) end
   end
   if #send > 0 then
      local job = {}
      job['Asynchronous'] = true
      job['Permissive'] = true
      job['Resources'] = send
      RestApiPost('/modalities/node/store', DumpJson(job, true), false)
   end
end
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"Not within {seconds} s: {what}")


def make_ct(
    *, slices: int = 4, size: int = 16, study_uid: str | None = None, patient: str = "P1"
) -> list[Dataset]:
    """A small axial CT series; every pixel differs from study to study."""
    study, series, frame = study_uid or generate_uid(), generate_uid(), generate_uid()
    rng = np.random.default_rng(abs(hash(study)) % 2**32)
    made = []
    for number in range(slices):
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PatientID, ds.PatientName, ds.PatientSex = patient, "Test^Case", "M"
        ds.PatientBirthDate, ds.StudyDate, ds.StudyTime = "19600101", "20260314", "092653"
        ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = "A1", "1", ""
        ds.Modality, ds.StudyDescription, ds.BodyPartExamined = "CT", "CT LIVER", "ABDOMEN"
        ds.SeriesNumber, ds.InstanceNumber = 2, number + 1
        ds.ImagePositionPatient = [0, 0, 3.0 * number]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [0.75, 0.75], 3.0
        ds.Rows = ds.Columns = size
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = 16
        ds.HighBit, ds.PixelRepresentation = 15, 1
        ds.RescaleIntercept, ds.RescaleSlope = 0, 1
        ds.PixelData = rng.integers(-1000, 1000, (size, size), np.int16).tobytes()
        ds["PixelData"].VR = "OW"
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        made.append(ds)
    return made


def write_files(datasets: list[Dataset], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for dataset in datasets:
        path = folder / f"{len(paths):04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def store(port: int, files: list[Path], *, called: str, calling: str = ORTHANC_TITLE) -> int:
    """Send with DCMTK's storescu; its exit status."""
    command = ["storescu", "-aet", calling, "-aec", called, "-R", "127.0.0.1", str(port)]
    environment = {**os.environ, "TCP_NODELAY": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, env=environment, timeout=120, check=False
    )
    return done.returncode


class Orthanc:
    """A real Orthanc that auto-routes stable CT studies to the node."""

    def __init__(self, folder: Path, node_port: int, *, route: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.dicom_port, self.http_port = free_port(), free_port()
        script = folder / "route.lua"
        script.write_text(ROUTE_LUA if route else "")
        self._settings = folder / "orthanc.json"
        self._settings.write_text(json.dumps(self._configuration(folder, node_port, script)))
        self._log = folder / "orthanc.log"
        self.process: subprocess.Popen[bytes] | None = None

    def _configuration(self, folder: Path, node_port: int, script: Path) -> dict[str, Any]:
        node = {"AET": NODE_TITLE, "Host": "127.0.0.1", "Port": node_port}
        return {
            "Name": ORTHANC_TITLE,
            "StorageDirectory": str(folder / "db"),
            "IndexDirectory": str(folder / "db"),
            "HttpPort": self.http_port,
            "HttpBindAddresses": ["127.0.0.1"],
            "AuthenticationEnabled": False,
            "RemoteAccessAllowed": False,
            "DicomAet": ORTHANC_TITLE,
            "DicomPort": self.dicom_port,
            "DicomCheckCalledAet": False,
            "DicomAlwaysAllowFind": True,
            "UnknownSopClassAccepted": True,
            "StableAge": 1,
            "OverwriteInstances": False,
            "StorageCommitmentReportsSize": 1000,
            "DicomModalities": {"node": {**node, "AllowStorageCommitment": True}},
            "LuaScripts": [str(script)],
            "Plugins": [],
        }

    def start(self) -> "Orthanc":
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/Orthanc", str(self._settings)],
                stdout=log,
                stderr=log,
                env={**os.environ, "TCP_NODELAY": "1"},
            )
        wait_until(self._is_up, seconds=30, what="Orthanc answers")
        return self

    def _is_up(self) -> bool:
        try:
            return bool(self.get("/system"))
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.http_port}{path}", timeout=10
        ) as answer:
            return json.load(answer)

    def post(self, path: str, data: bytes) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def modalities(self, study_uid: str | None = None) -> list[str]:
        """Modality of every instance (of one study)."""
        found = []
        for series in self.get("/series?expand"):
            study = self.get(f"/series/{series['ID']}/study")
            if study_uid in (None, study["MainDicomTags"]["StudyInstanceUID"]):
                found += [series["MainDicomTags"]["Modality"]] * len(series["Instances"])
        return sorted(found)

    def instance_uids(self) -> list[str]:
        return [i["MainDicomTags"]["SOPInstanceUID"] for i in self.get("/instances?expand")]


class Node:
    """A real `hepatocast-node serve` in its own processes."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.dashboard_port = free_port()
        self.path = folder / "node.toml"
        self.log = folder / "node.log"
        self.process: subprocess.Popen[bytes] | None = None

    def configure(
        self, pacs_port: int, *, behavior: str = "result", extra: str = "",
        confirm: str = "commitment", quiet_seconds: float = 1.0, state: str = "state",
        top: str = "", storage: str = "", listener: str = "", dashboard: str = "",
    ) -> "Node":  # fmt: skip
        command = json.dumps([sys.executable, str(RECORDED_ENGINE), behavior])
        warm_command = json.dumps([sys.executable, str(RECORDED_WORK), behavior])
        self.path.write_text(
            f"""
ae_title = "{NODE_TITLE}"
{top}
[storage]
folder = "{self.folder / state}"
{storage}
[listener]
port = {self.port}
{listener or "minimum_free_bytes = 100000000"}
[completeness]
quiet_seconds = {quiet_seconds}
poll_seconds = 0.2
[analysis]
command = {command}
warm_command = {warm_command}
self_test = []
retry_seconds = 0.5
[dashboard]
{dashboard}
port = {self.dashboard_port}
token = "test-token-0123456789"
stow_token = "stow-token-0123456789"
[[peer]]
name = "pacs"
ae_title = "{ORTHANC_TITLE}"
host = "127.0.0.1"
port = {pacs_port}
[[destination]]
name = "pacs"
peer = "pacs"
confirm = "{confirm}"
confirm_seconds = 20
first_retry_seconds = 0.5
maximum_retry_seconds = 2
{extra}
"""
        )
        return self

    def start(self, *arguments: str) -> "Node":
        base = [sys.executable, "-m", "dicom_node.cli", "--config", str(self.path), "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*base, *arguments],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._is_up, seconds=60, what="the node listens")
        return self

    def _is_up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def kill(self) -> None:
        """Kill -9 of the whole service: parent, listener, worker, dashboard, engine."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dicom_node.cli", "--config", str(self.path), *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def job_states(self) -> dict[str, str]:
        """Study UID → state of its latest job."""
        engine = sa.create_engine(f"sqlite:///{self.folder / 'state' / 'node.sqlite'}")
        try:
            with engine.connect() as connection:
                query = "select study_uid, state from jobs order by created_at"
                return dict(connection.execute(sa.text(query)).all())  # type: ignore[arg-type]
        except sa.exc.OperationalError:
            return {}
        finally:
            engine.dispose()
