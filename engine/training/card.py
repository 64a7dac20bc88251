"""The model card of a risk package, written from what was measured."""

from collections.abc import Sequence

from engine.training.judging import Judgement
from engine.training.packaging import PackagedModel
from engine.training.recipe import Recipe


def model_card(
    recipe: Recipe, models: Sequence[PackagedModel], judgements: Sequence[Judgement]
) -> str:
    """Markdown text of MODEL_CARD.md."""
    export = recipe.export
    parts = [
        f"# {export['name']} {export['version']}",
        f"**Outcome**: {recipe.outcome.name}, counted from {recipe.outcome.origin}.",
        f"**Intended use**: {export['intended_use']} Not a medical device.",
        f"**Development cohort**: {export['cohort']}. Source: {recipe.cohort.source}; license "
        f"{recipe.cohort.license}; {recipe.citation}.",
        "## Models and their internal validation",
        f"Nested {recipe.validation.folds}-fold cross-validation by patient, repeated "
        f"{recipe.validation.repeats} times; intervals from {recipe.validation.bootstrap} "
        "bootstrap samples of patients. The first model whose required values are there is used.",
        _validation_table(judgements),
        "## Calibration at the horizons (held-out)",
        _calibration_table(judgements),
        "## What a patient must bring",
        *(_inputs(m) for m in models),
        "## Where the values come from",
        _predictor_table(models),
        "## Coefficients (per standard deviation, ridge)",
        *(_coefficients(m) for m in models),
        "## Limits",
        "\n".join(f"- {limit}" for limit in export["limits"]),
        *_extra(recipe),
    ]
    return "\n\n".join(parts) + "\n"


def _validation_table(judgements: Sequence[Judgement]) -> str:
    lines = [
        "| Model | Patients | Events | Harrell C | Uno C (τ) | Brier skill over Kaplan–Meier |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {j.name} | {j.patients} | {j.events} | {j.harrell} | {j.uno} ({j.tau:g} mo) "
        f"| {j.skill} |"
        for j in judgements
    ]
    return "\n".join(lines)


def _calibration_table(judgements: Sequence[Judgement]) -> str:
    lines = [
        "| Model | Months | AUC | ICI | E90 | Slope | Intercept | Observed | Predicted |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for j in judgements:
        aucs = dict(j.auc)
        lines += [
            f"| {j.name} | {c.horizon:g} | {aucs[c.horizon]} | {c.ici:.3f} | {c.e90:.3f} "
            f"| {c.slope:.2f} | {c.intercept:+.2f} | {c.observed_risk:.3f} "
            f"| {c.mean_predicted_risk:.3f} |"
            for c in j.calibrations
        ]
    return "\n".join(lines)


def _inputs(model: PackagedModel) -> str:
    optional = [p for p in model.predictors if p not in model.required]
    line = f"- **{model.name}**: needs {', '.join(model.required)}"
    if optional:
        line += (
            f"; takes {', '.join(optional)}, missing ones are filled in by the cohort's "
            f"{model.spec.preparation.missing}"
        )
    return line + "."


def _predictor_table(models: Sequence[PackagedModel]) -> str:
    lines = ["| Predictor | Source | Unit | Code | Encoding |", "|---|---|---|---|---|"]
    seen = set()
    for model in models:
        for column in model.cohort.columns:
            spec = column.spec
            if column.name in seen or spec is None:
                continue
            seen.add(column.name)
            serve = spec.serve
            lines.append(
                f"| {spec.label or column.name} | {serve.get('source', 'measurement')}: "
                f"{serve.get('key', column.name)} | {spec.unit} "
                f"| {serve.get('code_system', '')} {serve.get('code', '')} | {_encoding(serve)} |"
            )
    return "\n".join(lines)


def _encoding(serve: dict[str, object]) -> str:
    match serve.get("encoding", "number"):
        case "ramp":
            words = f"0 up to {serve['lower']}, 1 from {serve['upper']}, rising between"
        case "words":
            words = ", ".join(f"{k} = {v}" for k, v in dict(serve["words"]).items())  # type: ignore[call-overload]  # a TOML table
        case _:
            words = "as it is"
    return f"{words}; {serve['note']}" if "note" in serve else words


def _coefficients(model: PackagedModel) -> str:
    coefficients = getattr(model.fitted.estimator, "coefficients", None)
    if coefficients is None:
        return f"- {model.name}: not a linear model"
    pairs = zip(model.fitted.preparation.names, coefficients, strict=True)
    return f"- {model.name}: " + ", ".join(f"{name} {value:+.3f}" for name, value in pairs)


def _extra(recipe: Recipe) -> list[str]:
    if not recipe.differs:
        return []
    return ["## Remarks", "\n".join(f"- {line}" for line in recipe.differs)]
