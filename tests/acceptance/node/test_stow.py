"""STOW-RS into Orthanc's DICOMweb: stored, shown by QIDO-RS, whole after a kill in mid-body."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from dicom_node.errors import PeerError
from dicom_node.settings import WebServer
from dicom_node.web_client import WebClient
from tests.acceptance.node.conftest import Site
from tests.acceptance.node.viewer_site import DICOMWEB_PLUGIN
from tests.dicom_node.testbed import Node, Orthanc, make_ct, store, wait_until, write_files

pytestmark = pytest.mark.peer


class WebArchive(Orthanc):
    """Orthanc with its DICOMweb plugin."""

    def _configuration(self, folder: Path, node_port: int, script: Path) -> dict[str, Any]:
        base = super()._configuration(folder, node_port, script)
        return {**base, "Plugins": [DICOMWEB_PLUGIN]}


@pytest.fixture
def web_site(tmp_path: Path) -> Iterator[Site]:
    node = Node(tmp_path / "node")
    pacs = WebArchive(tmp_path / "pacs", node.port, route=False).start()
    extra = f"""
[[web]]
name = "archive"
url = "http://127.0.0.1:{pacs.http_port}/dicom-web"
answer_seconds = 10.0
[[destination]]
name = "by web"
web = "archive"
first_retry_seconds = 0.5
maximum_retry_seconds = 1.0
[[rule]]
name = "all"
destinations = ["by web"]
"""
    try:
        node.configure(pacs.dicom_port, extra=extra, dashboard="enabled = false")
        yield Site(pacs, node, tmp_path)
    finally:
        node.stop()
        pacs.stop(signal.SIGKILL)


def receive(site: Site) -> str:
    images = make_ct()
    study = str(images[0].StudyInstanceUID)
    files = write_files(images, site.folder / study)
    assert store(site.node.port, files, called="HEPATOCAST") == 0
    return study


def test_a_result_goes_by_stow_and_is_found_by_qido(web_site: Site) -> None:
    """And once more after the server was killed while it held the request."""
    web_site.node.start()
    study = receive(web_site)
    wait_until(
        lambda: web_site.node.job_states().get(study) == "delivered", seconds=60, what="delivered"
    )
    assert web_site.pacs.modalities(study) == ["DOC", "OT", "SEG", "SR"]
    assert web_site.pacs.process is not None
    web_site.pacs.process.send_signal(signal.SIGSTOP)
    second = receive(web_site)
    wait_until(
        lambda: web_site.node.job_states().get(second) == "delivering", seconds=60, what="trying"
    )
    web_site.pacs.stop(signal.SIGKILL)
    web_site.pacs.start()
    wait_until(
        lambda: web_site.node.job_states().get(second) == "delivered", seconds=60, what="delivered"
    )
    assert web_site.pacs.modalities(second) == ["DOC", "OT", "SEG", "SR"]
    uids = web_site.pacs.instance_uids()
    assert len(uids) == len(set(uids)) == 8


def test_a_server_killed_in_mid_body_loses_and_doubles_nothing(web_site: Site) -> None:
    """64 MB are on the way when Orthanc stops reading and dies; the second try is whole."""
    (image,) = make_ct(slices=1)
    image.Rows = image.Columns = 5792
    image.PixelData = np.zeros((5792, 5792), np.int16).tobytes()
    (large,) = write_files([image], web_site.folder / "large")
    base = f"http://127.0.0.1:{web_site.pacs.http_port}/dicom-web"
    client = WebClient(WebServer(name="archive", url=base, answer_seconds=60.0))
    assert web_site.pacs.process is not None
    web_site.pacs.process.send_signal(signal.SIGSTOP)
    errors: list[PeerError] = []

    def send() -> None:
        try:
            client.store([large])
        except PeerError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(1.0)
    assert thread.is_alive(), "the whole body fitted into the buffers of the connection"
    web_site.pacs.stop(signal.SIGKILL)
    thread.join(20)
    assert len(errors) == 1
    web_site.pacs.start()
    study = str(image.StudyInstanceUID)
    assert client.find_instances(study) == set()
    answer = client.store([large])
    assert list(answer.stored) == [image.SOPInstanceUID]
    assert client.find_instances(study) == {str(image.SOPInstanceUID)}
    back: list[Path] = []

    def keep(chunks: Iterator[bytes]) -> None:
        back.append(web_site.folder / "back.dcm")
        back[0].write_bytes(b"".join(chunks))

    assert client.retrieve_series(study, str(image.SeriesInstanceUID), keep) == 1
    assert dcmread(back[0]).PixelData == image.PixelData
