"""TRIPOD+AI checklist filled from a run (Collins et al., BMJ 2024;385:e078378).

Item numbers follow the statement; the words are ours. What a run cannot know is marked
"to be written by the authors", never invented.
"""

from dataclasses import dataclass

import numpy as np

from engine.training.runs import RecipeRun
from engine.training.sample_size import minimum_sample_size

AUTHORS = "To be written by the authors."


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One item: number, topic, what this run says, and whether the run could answer."""

    number: str
    topic: str
    answer: str

    @property
    def answered(self) -> bool:
        """False where only the authors can answer."""
        return self.answer != AUTHORS


def checklist(run: RecipeRun) -> tuple[ChecklistItem, ...]:
    """Fill the checklist."""
    items = [*_design(run), *_methods(run), *_results(run)]
    return tuple(ChecklistItem(*item) for item in items)


def _design(run: RecipeRun) -> list[tuple[str, str, str]]:
    recipe = run.recipe
    outcome = recipe.outcome
    modalities = sorted({c.modality for c in run.cohort.columns})
    return [
        ("1", "Title", f"Development and internal validation: {recipe.title}."),
        ("2", "Abstract", AUTHORS),
        ("3", "Background, target population, inequalities", AUTHORS),
        (
            "4",
            "Objectives",
            f"Predict {outcome.name.lower()}; compare "
            f"{len(recipe.strategies)} strategies on the same splits.",
        ),
        (
            "5",
            "Data sources and dates",
            f"{recipe.cohort.source or recipe.cohort.table} "
            f"({recipe.data} data; license {recipe.cohort.license or 'not stated'}). Dates: "
            "see the source.",
        ),
        ("6", "Participants: setting, eligibility, treatments", _selection(run)),
        (
            "7",
            "Data preparation",
            "Inside every training fold: transforms, filling in, "
            "standardization, screening and components as the recipe declares.",
        ),
        (
            "8",
            "Outcome",
            f"{outcome.name}, from {outcome.origin}; column {outcome.event} = "
            f"{outcome.event_value}, time {outcome.time} in {outcome.unit}.",
        ),
        (
            "9",
            "Predictors",
            f"{len(run.cohort.columns)} columns of {', '.join(modalities)}; "
            "listed in the recipe with units, codes and ranges.",
        ),
    ]


def _methods(run: RecipeRun) -> list[tuple[str, str, str]]:
    recipe, check = run.recipe, run.recipe.validation
    policies = sorted({s.preparation.missing for s in recipe.strategies})
    return [
        ("10", "Sample size", _sample_size(run)),
        ("11", "Missing data", f"{_missing_share(run)}; policy: {', '.join(policies)}."),
        (
            "12",
            "Analytical methods",
            f"{check.folds}-fold cross-validation by patient, repeated "
            f"{check.repeats} times; tuning in {check.inner_folds} inner folds; "
            f"{check.bootstrap} bootstrap samples of patients for every interval.",
        ),
        ("13", "Class imbalance", "None corrected: survival models keep the observed rates."),
        ("14", "Fairness", _fairness(run)),
        ("15", "Model output", "Survival probability over time, linear predictor, risk group."),
        ("16", "Training against evaluation data", "Same cohort; no external validation here."),
        ("17", "Ethical approval", "See the source of the cohort."),
        ("18", "Open science", "Recipe, code and seeds reproduce the run; data as licensed."),
        ("19", "Patient and public involvement", AUTHORS),
    ]


def _results(run: RecipeRun) -> list[tuple[str, str, str]]:
    cohort, best = run.cohort, run.best
    patients = len(np.unique(cohort.patients))
    median = float(np.median(cohort.outcome.time[~cohort.outcome.event]))
    slopes = ", ".join(f"{c.slope:.2f} at {c.horizon:g}" for c in best.calibrations)
    return [
        (
            "20",
            "Participants",
            f"{patients} patients, {int(cohort.outcome.event.sum())} events, "
            f"median follow-up of the censored {median:.0f} months. {' '.join(cohort.notes)}",
        ),
        (
            "21",
            "Model development",
            "; ".join(f"{h.name}: {len(h.chosen)} outer fits" for h in run.held),
        ),
        (
            "22",
            "Model specification",
            "Exported as an ONNX package with coefficients in its card."
            if run.recipe.export
            else "Not exported: this recipe compares strategies.",
        ),
        (
            "23",
            "Model performance",
            f"Best: {best.name}, C {best.harrell}, Brier skill "
            f"{best.skill}; calibration slope {slopes} months.",
        ),
        ("24", "Model updating", "None."),
        ("25", "Interpretation", AUTHORS),
        ("26", "Limitations", " ".join(run.recipe.differs) or AUTHORS),
        (
            "27",
            "Usability",
            "Predictors that are missing lead to a declared subset model, a "
            "declared filling-in or a refusal; research use only.",
        ),
    ]


def _selection(run: RecipeRun) -> str:
    where = ", ".join(f"{c} in {'/'.join(v)}" for c, v in run.recipe.cohort.where)
    return f"Rows with {where}." if where else "All rows of the table with an outcome."


def _sample_size(run: RecipeRun) -> str:
    horizon = run.judgements[0].calibrations[-1].horizon
    size = minimum_sample_size(
        run.cohort.outcome, parameters=len(run.cohort.columns), horizon=horizon
    )
    return (
        f"{len(run.cohort)} rows with {len(run.cohort.columns)} candidate columns; the criteria "
        f"of Riley et al. ask for {size.needed} (shrinkage {size.shrinkage}, optimism "
        f"{size.optimism}, overall risk {size.overall_risk})."
    )


def _missing_share(run: RecipeRun) -> str:
    return f"{100 * float(np.isnan(run.cohort.values).mean()):.1f} % of the predictor cells missing"


def _fairness(run: RecipeRun) -> str:
    if not run.recipe.subgroups:
        return "No subgroup declared in the recipe."
    return f"Subgroups judged: {', '.join(run.recipe.subgroups)}."
