"""Issue 6, must show 2: no leaks, C near 0.5 under the null, planted effects recovered.

And fusion beats single modalities exactly where it should.
"""

from dataclasses import replace

import numpy as np
import pytest

from engine.training.cohort import Cohort, Column
from engine.training.concordance import harrell_c
from engine.training.cox import fit_cox
from engine.training.outcome import Outcome
from engine.training.preparation import univariate_scores
from engine.training.recipe import PreparationSpec, StrategySpec, ValidationSpec
from engine.training.resampling import difference_interval
from engine.training.runs import fit_function
from engine.training.strategies import MODELS, fit_tuned
from engine.training.validation import FittedStrategy, HeldOut, cross_validate

TIMES = np.array([12.0, 24.0])
CHECK = ValidationSpec(folds=5, repeats=1, inner_folds=3, seed=1, bootstrap=100)
FAST = {
    "forest": {"trees": 8},
    "lasso_forest": {"trees": 8},
    "boosting": {"trees": 25},
    "path_tree": {"leaf_size": 20},
}


def cohort_of(
    patients: int, effects: dict[str, tuple[float, ...]], *, seed: int, missing: float = 0.0
) -> Cohort:
    """Normal predictors per modality with planted log hazard ratios."""
    random = np.random.default_rng(seed)
    columns = tuple(
        Column(name=f"{m}_{k}", modality=m) for m, e in effects.items() for k in range(len(e))
    )
    values = random.normal(size=(patients, len(columns)))
    log_hazard = values @ np.concatenate([np.array(e) for e in effects.values()])
    time = random.exponential(20.0 / np.exp(log_hazard))
    end = random.uniform(6, 60, patients)
    for m in effects:
        own = [k for k, c in enumerate(columns) if c.modality == m]
        values[np.ix_(random.random(patients) < missing, own)] = np.nan
    return Cohort(
        name="planted",
        columns=columns,
        values=values,
        outcome=Outcome(np.minimum(time, end), time <= end),
        patients=np.arange(patients),
        strata=np.zeros(patients, np.int64),
    )


def strategy(
    model: str, *, modalities: tuple[str, ...] = (), bases: tuple[str, ...] = (), **settings: object
) -> StrategySpec:
    return StrategySpec(
        name="+".join((model, *modalities)),
        model=model,
        preparation=PreparationSpec(missing="mean", modalities=modalities),
        settings=dict(settings),
        bases=bases,
    )


def held_out(spec: StrategySpec, cohort: Cohort) -> HeldOut:
    def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, object]]:
        return fit_tuned(spec, train, inner_folds=3, seed=seed)[0], {}

    return cross_validate([(spec.name, fit)], cohort, CHECK, TIMES)[0]


@pytest.mark.parametrize("model", sorted(MODELS))
def test_shuffled_outcomes_give_a_concordance_near_one_half(model: str) -> None:
    """Permutation null: no strategy finds anything where nothing is."""
    found = []
    for seed in range(3):
        cohort = cohort_of(120, {"clinical": (0.8, -0.6, 0.4, 0.0)}, seed=seed)
        order = np.random.default_rng(100 + seed).permutation(120)
        shuffled = replace(cohort, outcome=cohort.outcome.take(order))
        spec = strategy(model, **FAST.get(model, {}))
        found.append(held_out(spec, shuffled).pairs().concordance())
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_screening_inside_the_folds_finds_nothing_in_noise() -> None:
    """The classic leak: picking the best of 1,500 noise columns on all rows fakes a high C."""
    cohort = cohort_of(100, {"rna": (0.0,) * 1500}, seed=3)
    inside = replace(
        strategy("ridge", ridge=1.0), preparation=PreparationSpec(missing="mean", screen=10)
    )
    honest = held_out(inside, cohort).pairs().concordance()
    best = np.argsort(-np.abs(univariate_scores(cohort.values, cohort.outcome)))[:10]
    leaked = replace(
        cohort,
        values=cohort.values[:, best],
        columns=tuple(cohort.columns[k] for k in best),
    )
    cheated = held_out(strategy("ridge", ridge=1.0), leaked).pairs().concordance()
    assert abs(honest - 0.5) < 0.08
    assert cheated > honest + 0.12


def test_a_target_encoding_made_inside_the_fold_does_not_help() -> None:
    """A predictor made of the training outcome: each patient's own, noise when held out.

    The column holds the outcome for training rows of a fold and is unknown (missing) for
    held-out rows, as any quantity made of the outcome is at prediction.
    """
    cohort = cohort_of(200, {"clinical": (0.5, 0.0)}, seed=5)
    leak = -np.log1p(cohort.outcome.time)

    def leaking(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, object]]:
        own = replace(train, values=np.column_stack((train.values, leak[train.patients])))
        own = replace(own, columns=(*train.columns, Column(name="leak", modality="clinical")))
        model = fit_tuned(strategy("ridge", ridge=1.0), own, inner_folds=3, seed=seed)[0]
        return _Blind(model), {}

    clean = held_out(strategy("ridge", ridge=1.0), cohort).pairs().concordance()
    leaked = cross_validate([("leak", leaking)], cohort, CHECK, TIMES)[0].pairs().concordance()
    assert leaked <= clean + 0.02
    assert leaked < 0.75


class _Blind:
    """A model trained with one column more than a held-out patient has."""

    def __init__(self, model: FittedStrategy) -> None:
        self._model = model

    def risk(self, values: np.ndarray) -> np.ndarray:
        return self._model.risk(self._wide(values))

    def survival(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        return self._model.survival(self._wide(values), times)

    @staticmethod
    def _wide(values: np.ndarray) -> np.ndarray:
        return np.column_stack((values, np.full(len(values), np.nan)))


def test_patients_never_sit_on_both_sides() -> None:
    """Six rows per patient with a patient fingerprint: memorizing patients must not help."""
    random = np.random.default_rng(2)
    patients = np.repeat(np.arange(60), 6)
    time = np.repeat(random.exponential(20, 60), 6)
    event = np.repeat(random.random(60) < 0.8, 6)
    fingerprint = np.repeat(random.normal(size=(60, 3)), 6, axis=0)
    cohort = Cohort(
        name="repeated",
        columns=tuple(Column(name=f"f{k}", modality="clinical") for k in range(3)),
        values=fingerprint,
        outcome=Outcome(time, event),
        patients=patients,
        strata=np.tile(np.arange(6), 60),
    )
    memorizing = held_out(strategy("forest", trees=20, leaf_size=1), cohort)
    assert memorizing.pairs().concordance() == pytest.approx(0.5, abs=0.12)


def test_planted_hazard_ratios_are_recovered_within_their_intervals() -> None:
    truth = np.array([0.8, -0.6, 0.4, 0.0])
    cohort = cohort_of(1500, {"clinical": tuple(truth)}, seed=7)
    fit = fit_cox(cohort.values, cohort.outcome)
    error = np.sqrt(np.diag(np.linalg.inv(fit.information)))
    assert (np.abs(fit.coefficients - truth) < 3 * error).all()


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_recovers_a_planted_effect(model: str) -> None:
    """Held-out C within reach of the true hazard's C."""
    effects = (1.0, -0.8, 0.0)
    cohort = cohort_of(300, {"clinical": effects}, seed=9)
    truth = harrell_c(cohort.values @ np.array(effects), cohort.outcome)
    spec = strategy(model, **FAST.get(model, {}))
    assert held_out(spec, cohort).pairs().concordance() > truth - 0.09


FUSIONS = [
    ("late_fusion", {"rule": "average"}),
    ("late_fusion", {"rule": "stack"}),
    ("late_fusion", {"rule": "weighted"}),
    ("gated_attention", {"decay": 0.02, "copies": 1}),
    ("tensor_fusion", {"decay": 0.02, "copies": 1}),
]


def fused_against_best_single(
    effects: dict[str, tuple[float, ...]], model: str, settings: dict[str, object]
) -> tuple[float, float]:
    """Bounds of the paired difference: fusion minus the best single modality."""
    cohort = cohort_of(500, effects, seed=13, missing=0.15)
    singles = tuple(strategy("ridge", modalities=(m,), ridge=10.0) for m in effects)
    fusion = strategy(
        model,
        modalities=tuple(effects),
        bases=tuple(s.name for s in singles),
        **settings,
    )
    recipe = _Recipe((*singles, fusion))
    held = cross_validate(
        [(s.name, fit_function(recipe, s)) for s in recipe.strategies],  # type: ignore[arg-type]
        cohort,
        CHECK,
        TIMES,
    )
    best = max(held[:-1], key=lambda h: h.pairs().concordance())
    gap = difference_interval(
        held[-1].pairs(), best.pairs(), cohort.patients, resamples=100, seed=1
    )
    return gap.lower, gap.upper


class _Recipe:
    """The two fields of a recipe that fitting a strategy needs."""

    def __init__(self, strategies: tuple[StrategySpec, ...]) -> None:
        self.strategies = strategies
        self.validation = CHECK


@pytest.mark.parametrize(("model", "settings"), FUSIONS)
def test_fusion_beats_single_modalities_where_both_carry_signal(
    model: str, settings: dict[str, object]
) -> None:
    lower, _ = fused_against_best_single(
        {"ct": (0.7, 0.0), "clinical": (0.7, 0.0)}, model, settings
    )
    assert lower > 0


@pytest.mark.parametrize(("model", "settings"), FUSIONS)
def test_fusion_does_not_beat_the_only_modality_with_signal(
    model: str, settings: dict[str, object]
) -> None:
    lower, _ = fused_against_best_single(
        {"ct": (0.9, 0.0), "clinical": (0.0, 0.0)}, model, settings
    )
    assert lower <= 0


LATER = {
    "multiple imputation": StrategySpec(
        name="multiple",
        model="ridge",
        preparation=PreparationSpec(missing="multiple", imputations=3),
    ),
    "recurrent network": StrategySpec(
        name="recurrent",
        model="recurrent",
        preparation=PreparationSpec(missing="mean"),
        settings={"units": 2, "steps": 15, "intervals": 3, "decay": 3.0},
    ),
    "Fine–Gray": StrategySpec(name="fg", model="fine_gray", preparation=PreparationSpec()),
    "best of two": StrategySpec(
        name="best",
        model="best_of",
        preparation=PreparationSpec(),
        bases=("ridge", "svm"),
    ),
}


@pytest.mark.parametrize("name", sorted(LATER))
def test_shuffled_outcomes_leave_the_later_strategies_nothing_either(name: str) -> None:
    """Imputation sees the training outcome and choosing sees inner folds; neither may leak."""
    found = []
    for seed in range(3):
        cohort = cohort_of(120, {"clinical": (0.8, -0.6, 0.4, 0.0)}, seed=seed)
        gaps = np.random.default_rng(seed).random(cohort.values.shape) < 0.2
        columns = tuple(Column(name=f"x@{k}", modality="clinical") for k in range(4))
        order = np.random.default_rng(100 + seed).permutation(120)
        outcome = cohort.outcome.take(order)
        shuffled = replace(
            cohort,
            outcome=outcome,
            columns=columns,
            values=np.where(gaps, np.nan, cohort.values),
            cause=np.where(outcome.event, 1, 2 * (np.arange(120) % 2))
            if name == "Fine–Gray"
            else None,
        )
        recipe = _Recipe((strategy("ridge"), strategy("svm"), LATER[name]))
        fit = fit_function(recipe, LATER[name])  # type: ignore[arg-type]
        held = cross_validate([(name, fit)], shuffled, CHECK, TIMES)[0]
        found.append(held.pairs().concordance())
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)
