"""Training and evaluation end to end on a small synthetic recipe."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import OutputError
from engine.prognosis.prediction import open_risk_package
from engine.training.commands import evaluate, train, train_all

RECIPE = """
format = 1
name = "small"
title = "Small synthetic comparison"
citation = ""
data = "synthetic"
subgroups = ["clinical_1"]

[cohort]
table = "synthetic:small"
id = "patient"

[cohort.synthetic]
patients = 160
seed = 3
modalities = [
  { name = "ct", columns = 3, signal = 2, effect = 0.8, missing = 0.1 },
  { name = "clinical", columns = 2, signal = 1, effect = 0.6 },
]

[outcome]
name = "Recurrence-free survival (synthetic)"
short = "RFS"
time = "time"
event = "event"
horizons_months = [12, 24, 600]

[preparation]
missing = "mean"

[validation]
folds = 3
repeats = 1
inner_folds = 2
bootstrap = 20

[[predictor]]
name = "ct"
pattern = "ct_*"
modality = "ct"

[[predictor]]
name = "clinical"
pattern = "clinical_*"

[[strategy]]
name = "ct"
model = "ridge"
preparation = { modalities = ["ct"] }

[[strategy]]
name = "clinical"
model = "ridge"
preparation = { modalities = ["clinical"] }
paper = "C 0.70"

[[strategy]]
name = "fused"
model = "late_fusion"
bases = ["ct", "clinical"]
settings = { rule = "stack" }

[export]
name = "small"
version = "0.1.0"
strategy = "clinical"
intended_use = "Tests."
cohort = "160 synthetic patients"
limits = ["Synthetic."]
limit_months = 36
resamples = 20
models = [{ name = "clinical", predictors = ["clinical_1", "clinical_2"] }]
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "small.toml").write_text(RECIPE)
    return train_all(folder / "recipes", folder, folder / "out"), folder / "out" / "small"


def test_the_table_compares_all_strategies_and_refuses_far_horizons(
    result: tuple[str, Path],
) -> None:
    table, out = result
    assert (out / "comparison.txt").read_text().strip() == table
    for text in ("ct", "clinical", "fused", "C of fused minus ct:", "600 months refused"):
        assert text in table


def test_results_hold_every_number(result: tuple[str, Path]) -> None:
    content = json.loads((result[1] / "results.json").read_text())
    fused = next(s for s in content["strategies"] if s["name"] == "fused")
    low, high = fused["harrell_c"][1:]
    assert low < fused["harrell_c"][0] < high
    assert fused["harrell_c"][0] > 0.6
    assert set(fused["auc"]) == {"12", "24"}


def test_the_html_report_stands_alone_and_says_that_data_is_synthetic(
    result: tuple[str, Path],
) -> None:
    html = (result[1] / "report.html").read_text()
    for text in (
        "SYNTHETIC DATA",
        "For research use only",
        "TRIPOD+AI",
        "ct + clinical",
        "clinical_1 ≤",
        "C 0.70",
        "At risk",
    ):
        assert text in html
    assert html.count("<svg") == 7
    assert "src=" not in html
    assert 'href="http' not in html


def test_the_pdf_report_is_a_pdf_with_pages(result: tuple[str, Path]) -> None:
    content = (result[1] / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") >= 3


def test_the_card_prints_our_figure_beside_the_papers(result: tuple[str, Path]) -> None:
    card = (result[1] / "card.md").read_text()
    row = next(line for line in card.splitlines() if line.startswith("| clinical"))
    assert row.endswith("| C 0.70 |")


def test_the_exported_package_loads_and_its_card_has_its_interval(
    result: tuple[str, Path],
) -> None:
    folder = result[1] / "small" / "0.1.0"
    package = open_risk_package(folder).package
    found = package.models[0].discrimination
    assert (
        f"{found.value:.3f} ({found.lower:.3f} to {found.upper:.3f})"
        in (folder / "MODEL_CARD.md").read_text()
    )


def test_a_package_is_judged_on_other_patients(result: tuple[str, Path], tmp_path: Path) -> None:
    """A new cohort of the same kind, a fifth of it without the predictors."""
    random = np.random.default_rng(1)
    values = random.normal(size=(200, 2))
    time = random.exponential(20 * np.exp(-0.6 * values[:, 0]))
    lines = ["patient,time_months,event,clinical_1,clinical_2"]
    for k in range(200):
        cells = ("", "") if k % 5 == 0 else (f"{values[k, 0]:.4f}", f"{values[k, 1]:.4f}")
        lines.append(f"{k},{min(time[k], 50):.3f},{int(time[k] < 50)},{cells[0]},{cells[1]}")
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    text = evaluate(result[1] / "small" / "0.1.0", tmp_path / "new.csv", tmp_path / "judged")
    assert "clinical: 40 patients refused" in text
    content = json.loads((tmp_path / "judged" / "evaluation.json").read_text())
    assert content[0]["patients"] == 160
    assert content[0]["harrell_c"][0] > 0.55


def test_an_unwritable_folder_is_the_operators_error(
    result: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")
    recipe = result[1].parents[1] / "recipes" / "small.toml"
    with pytest.raises(OutputError, match="Cannot write"):
        train(recipe, tmp_path, tmp_path / "taken")
