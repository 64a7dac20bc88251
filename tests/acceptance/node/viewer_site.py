"""OHIF behind nginx over a real Orthanc with DICOMweb, as the testbed lays it out."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from tests.dicom_node.testbed import ROOT, Orthanc, free_port, wait_until

SHARED_CONF = ROOT / ".." / "shared" / "testbed" / "conf"
PEERS = ROOT / ".peers"
OHIF = "@ohif/app@3.13.2"
DICOMWEB_PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"


def install_ohif() -> Path:
    """OHIF's built pages from the npm package, kept in .peers."""
    dist = PEERS / "ohif" / "package" / "dist"
    if not dist.is_dir():
        (PEERS / "ohif").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", OHIF], check=True, cwd=PEERS / "ohif", capture_output=True)
        (archive,) = (PEERS / "ohif").glob("*.tgz")
        subprocess.run(["tar", "xzf", archive], check=True, cwd=PEERS / "ohif")
    return dist


def install_playwright() -> None:
    """playwright-core from npm, kept in .peers; it drives the installed Chromium."""
    if not (PEERS / "node_modules" / "playwright-core").is_dir():
        PEERS.mkdir(exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", PEERS, "playwright-core"], check=True)


class WebOrthanc(Orthanc):
    """Orthanc with the DICOMweb plugin, named after the public origin of the viewer."""

    def __init__(self, folder: Path, node_port: int, *, route: bool = True) -> None:
        self.viewer_port = free_port()
        super().__init__(folder, node_port, route=route)

    def _configuration(self, folder: Path, node_port: int, script: Path) -> dict[str, Any]:
        base = super()._configuration(folder, node_port, script)
        web = json.loads((SHARED_CONF / "orthanc.json").read_text())["DicomWeb"]
        web["Host"] = f"127.0.0.1:{self.viewer_port}"
        return {**base, "Plugins": [DICOMWEB_PLUGIN], "DicomWeb": web, "StableAge": 4}


class Viewer:
    """nginx with OHIF and Orthanc's DICOMweb on one origin."""

    def __init__(self, folder: Path, pacs: WebOrthanc) -> None:
        self.folder, self.pacs = folder, pacs
        self.base = f"http://127.0.0.1:{pacs.viewer_port}"
        for name in ("conf", "logs", "nginx_tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        text = (SHARED_CONF / "nginx.conf").read_text()
        text = text.replace("@TESTBED@/ohif/package/dist", str(install_ohif()))
        text = text.replace("daemon on;", "daemon off;")
        text = text.replace("18080", str(pacs.viewer_port)).replace("18042", str(pacs.http_port))
        # nginx as root would give its work to a user that may not read our folders
        user = "user root;\n" if os.geteuid() == 0 else ""
        self._conf = folder / "conf" / "nginx.conf"
        self._conf.write_text(user + text.replace("@TESTBED@", str(folder)))
        (folder / "conf" / "app-config.js").write_text((SHARED_CONF / "app-config.js").read_text())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Viewer":
        """Start nginx in the foreground of a process of ours."""
        self._process = subprocess.Popen(
            ["nginx", "-c", self._conf, "-e", self.folder / "logs" / "error.log",
             "-g", "master_process off;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self._is_up, seconds=20, what="nginx answers")
        return self

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/dicom-web/studies", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Stop nginx."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
