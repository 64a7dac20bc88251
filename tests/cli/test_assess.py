"""`hepatocast assess` says what `hepatocast analyze` says on the same values."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from tests.phantoms.packages import write_threshold_package
from tests.phantoms.visits import Visit, ball, visit

CSV = """patient_id,birth_date,sex,analyte,value,unit,date
PHANTOM-7,1960-02-29,F,afp,40,ng/mL,2024-01-05
PHANTOM-7,1960-02-29,F,albumin,41,g/L,2024-01-05
PHANTOM-7,1960-02-29,F,bilirubin_total,14,umol/L,2024-01-05
"""
TYPED = [
    {"analyte": "afp", "value": "40", "unit": "ng/mL", "date": "2024-01-05"},
    {"analyte": "albumin", "value": "4.1", "unit": "g/dL", "date": "2024-01-05"},
    {"analyte": "bilirubin_total", "value": "14", "unit": "umol/L", "date": "2024-01-05"},
]


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    folder = tmp_path_factory.mktemp("assess")
    model = write_threshold_package(folder / "models")
    lesions = (ball((-70.0, -15.0, 3.0), 16.0),)
    made = visit(folder / "one", model, "20240110", lesions, clinical=CSV)
    command = ["analyze", str(made.study), "--out", str(made.result), "--model", str(model)]
    assert main([*command, "--clinical", str(folder / "one" / "values.csv")]) == 0
    return made


def watch(
    analyzed: Visit,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> list[dict[str, Any]]:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))
    capsys.readouterr()
    assert main(["assess", str(analyzed.result), "--watch", "--json-lines"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_typed_values_give_what_the_file_gave(
    analyzed: Visit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready, told = watch(analyzed, [json.dumps({"values": TYPED})], monkeypatch, capsys)
    document = json.loads((analyzed.result / "result.json").read_text())
    assert ready["event"] == "assess-ready"
    assert document["predictions"]
    assert [p["survival"] for p in told["predictions"]] == [
        p["survival"] for p in document["predictions"]
    ]
    computed = {s["name"]: s["value"] for s in told["scores"]}
    assert computed["ALBI"] == pytest.approx(-2.734, abs=0.01)
    assert computed == pytest.approx(
        {s["name"]: s["value"] for s in document["scores"]}, nan_ok=True
    )


def test_a_bad_value_is_told_and_the_next_line_is_answered(
    analyzed: Visit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [{"analyte": "afp", "value": "40", "unit": "furlongs", "date": "2024-01-05"}]
    lines = ["nonsense", json.dumps({"values": bad}), json.dumps({"values": TYPED})]
    told = watch(analyzed, lines, monkeypatch, capsys)
    assert told[1]["event"] == "assess-refused"
    assert told[2]["event"] in {"assess-refused", "assessed"}
    assert "furlongs" in json.dumps(told[2])
    assert told[3]["event"] == "assessed"
    assert told[3]["seconds"] < 2.0


def test_once_from_a_file_for_people(analyzed: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    values = analyzed.study.parent / "values.csv"
    assert main(["assess", str(analyzed.result), "--clinical", str(values)]) == 0
    assert "ALBI" in capsys.readouterr().out


def test_a_folder_that_is_no_result_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assess", str(tmp_path)]) == 2
    assert "is no analysis of HepatoCast" in capsys.readouterr().err
