"""Recipes: what is accepted, and what is refused with its place."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.training.recipe import RecipeError, parse_recipe, read_recipe

MODELS = Path(__file__).parents[2] / "models"
SHIPPED = sorted((MODELS / "recipes").glob("*.toml")) + sorted(MODELS.glob("*/recipe/recipe.toml"))


def content() -> dict[str, Any]:
    return tomllib.loads(
        """
        format = 1
        name = "r"
        title = "R"
        citation = ""
        data = "real"
        [cohort]
        table = "t.csv"
        id = "p"
        where = { sex = ["M"] }
        join = [{ table = "u.csv", on = "q" }]
        [outcome]
        name = "Overall survival"
        short = "OS"
        time = "t"
        event = "e"
        [preparation]
        missing = "indicator"
        [[predictor]]
        name = "age"
        column = "Age"
        range = [10, 100]
        [[strategy]]
        name = "a"
        model = "ridge"
        tune = { ridge = [1.0, 10.0] }
        [[strategy]]
        name = "b"
        model = "forest"
        preparation = { missing = "mean" }
        """
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.parent.parent.name + "/" + p.stem)
def test_every_shipped_recipe_is_valid_and_named_like_its_place(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == (path.parent.parent.name if path.stem == "recipe" else path.stem)
    assert recipe.data == "real" or recipe.cohort.synthetic is not None


def test_strategies_inherit_the_preparation_and_may_override_it() -> None:
    recipe = parse_recipe(content(), origin="test")
    assert [s.preparation.missing for s in recipe.strategies] == ["indicator", "mean"]
    assert recipe.strategies[0].tune == {"ridge": (1.0, 10.0)}
    assert recipe.cohort.join == (("u.csv", "q"),)
    assert recipe.cohort.where == (("sex", ("M",)),)


def change(path: str, value: object) -> dict[str, Any]:
    """The content with one key set; "a.b" goes into a table, "a.0.b" into a list."""
    root = content()
    at: Any = root
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    return root


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", 2, "needs format = 1"),
        ("colour", "red", "unknown keys colour"),
        ("outcome.horizon", 3, "unknown keys in outcome: horizon"),
        ("strategy.0.preparation", {"mising": "mean"}, "strategy a, preparation: mising"),
        ("strategy.0.preparation", {"missing": "guess"}, "missing must be one of"),
        ("strategy.0.preparation", {"modalities": ["ct"]}, r"unknown modalities \['ct'\]"),
        ("strategy.1.name", "a", "strategy names are not unique"),
        ("strategy.0.bases", ["c"], r"fuses unknown strategies \['c'\]"),
        ("predictor.0.pattern", "x*", "needs either column or pattern"),
        ("predictor.0.transform", "sqrt", "unknown transform sqrt"),
        ("predictor", [], "no predictor"),
        ("data", "synthetic", "belong together"),
        ("validation", {"folds": 1}, "at least 2 folds"),
        ("cohort", {"table": "t.csv"}, "not complete"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_place(path: str, value: object, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe(change(path, value), origin="test")


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "r.toml"
    broken.write_text("format = [")
    with pytest.raises(RecipeError, match=r"r\.toml cannot be read"):
        read_recipe(broken)
