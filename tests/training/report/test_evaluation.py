"""The report of an evaluation without anything to judge still says so."""

from pathlib import Path

from engine.prognosis.package import RiskPackage
from engine.training.external import Evaluation
from engine.training.report.evaluation import evaluation_sections
from engine.values.provenance import ModelIdentity


def test_a_package_nobody_fits_has_a_report_of_one_section() -> None:
    identity = ModelIdentity(name="m", version="1.0.0", sha256="0", intended_use="t", limits=())
    package = RiskPackage(
        identity=identity, folder=Path(), outcome="Survival", outcome_short="OS", origin="surgery",
        times_months=(12.0,), predictors=(), models=(), cohort="nobody",
    )  # fmt: skip
    found = Evaluation(package=package, table="t.csv", models=(), remarks=("all: only 2",))
    (section,) = evaluation_sections(found)
    assert section.heading == "m 1.0.0 on other patients"
    assert "all: only 2" in section.paragraphs
