"""Issue 5: `hepatocast clinical show` prints what would be used and why, from every source."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_store import Hl7Store, check_message
from tests.phantoms.fhir_people import make_condition, make_observation, make_patient, post
from tests.phantoms.hl7_messages import oru

pytestmark = pytest.mark.peer

ROOT = Path(__file__).parents[3]
WHO = ("--patient", "9001", "--birth-date", "19610504", "--sex", "M", "--date", "2024-03-01")


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's entry points as an installation has them, from pyproject.toml."""
    folder = tmp_path_factory.mktemp("site")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    group = "hepatocast.clinical_sources"
    lines = [f"{name} = {target}" for name, target in project["entry-points"][group].items()]
    info = folder / "hepatocast-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hepatocast\nVersion: 0\n")
    (info / "entry_points.txt").write_text("\n".join((f"[{group}]", *lines, "")))
    return folder


def _show(site_packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine.cli", "clinical", "show", *WHO, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{site_packages}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _row(text: str, analyte: str) -> list[str]:
    """Cells of the analyte's row."""
    lines = [line.strip() for line in text.splitlines()]
    (line,) = [x for x in lines if x.startswith(f"{analyte} ") and ("FHIR" in x or "HL7" in x)]
    return [cell.strip() for cell in line.split("  ") if cell]


def test_a_fhir_server_is_shown(fhir_server: str, site_packages: Path) -> None:
    subject = post(fhir_server, make_patient("9001", "urn:hosp-a"))
    told = [("1975-2", 1.2, "mg/dL", "2024-02-21"), ("1751-7", 4.0, "g/L", "2024-02-20")]
    keys = [post(fhir_server, make_observation(subject, row)) for row in told]
    post(fhir_server, make_condition(subject, "389026000", "refuted"))
    done = _show(
        site_packages, "--source", fhir_server,
        "--issuer", "HOSP_A", "--issuer-system", "HOSP_A=urn:hosp-a",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert _row(done.stdout, "bilirubin_total") == [
        "bilirubin_total", "20.5247 umol/L", "1.2 mg/dL", "2024-02-21", "9 d", "final",
        f"FHIR Observation/{keys[0]}",
    ]  # fmt: skip
    albumin = _row(done.stdout, "albumin")
    assert albumin[1] == "implausible"
    assert albumin[-1] == f"FHIR Observation/{keys[1]}"
    assert _row(done.stdout, "ascites")[1] == "absent"


def test_the_messages_of_a_listener_are_shown(tmp_path: Path, site_packages: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    content = oru("NM|1834-1^AFP^LN||100|[IU]/mL|||||F", patient="9001^^^HOSP_A").encode()
    store.put(content, check_message(content))
    store.close()
    done = _show(site_packages, "--source", f"hl7:{tmp_path / 'hl7.sqlite'}", "--issuer", "HOSP_A")
    assert done.returncode == 0, done.stderr
    assert _row(done.stdout, "afp")[1:3] == ["121 ng/mL", "100 [IU]/mL"]


def test_everything_a_node_would_ask_is_shown_and_what_is_down_is_said(
    tmp_path: Path, site_packages: Path
) -> None:
    Hl7Store(tmp_path / "hl7.sqlite").close()
    config = tmp_path / "node.toml"
    config.write_text(
        f"""
[storage]
folder = "{tmp_path}"
[[clinical.fhir]]
name = "EHR"
base_url = "http://127.0.0.1:9/fhir"
attempts = 1
[clinical.hl7]
port = 2575
"""
    )
    done = _show(site_packages, "--source", f"node:{config}")
    assert done.returncode == 1
    assert "EHR: clinical data not available: no connection (ConnectError)" in done.stdout
    assert "HL7 feed: refused: no message about the patient" in done.stdout
    assert "Used: nothing" in done.stdout
