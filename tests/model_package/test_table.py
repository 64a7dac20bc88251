"""A strict table takes what it asks for and refuses the rest."""

from collections.abc import Callable

import pytest

from engine.errors import ModelPackageError
from engine.model_package.table import Table


def table(**values: object) -> Table:
    return Table(values, "manifest.toml")


def test_values_come_out_with_their_types() -> None:
    asked = table(a="x", b=1, c=[1, 2], d=[0.5, 1], e=["p"], f={"k": "v"})
    assert (asked.text("a"), asked.number("b"), asked.integers("c")) == ("x", 1.0, (1, 2))
    assert (asked.numbers("d", 2), asked.texts("e"), asked.text_map("f")) == (
        (0.5, 1.0),
        ("p",),
        {"k": "v"},
    )
    asked.finish()


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    asked = table(spacing_m=[1, 1, 1])
    with pytest.raises(ModelPackageError, match=r"'spacing_mm' is missing \(found 'spacing_m'\)"):
        asked.numbers("spacing_mm", 3)
    with pytest.raises(ModelPackageError, match="did you mean 'spacing_mm'"):
        asked.finish()


@pytest.mark.parametrize(
    ("value", "ask", "needed"),
    [
        ("", lambda t: t.text("k"), "a string that is not empty"),
        (3, lambda t: t.text("k"), "a string"),
        ("red", lambda t: t.choice("k", ("a", "b")), "one of 'a', 'b'"),
        (True, lambda t: t.number("k"), "a number"),
        (float("nan"), lambda t: t.number("k"), "a number"),
        (-1, lambda t: t.number("k", least=0), "at least 0"),
        ([1, 2], lambda t: t.numbers("k", 3), "3 numbers"),
        ([1, 0, 1], lambda t: t.numbers("k", 3, positive=True), "above 0"),
        ([1.5], lambda t: t.integers("k"), "whole numbers"),
        ([-1], lambda t: t.integers("k"), "whole numbers"),
        ([1], lambda t: t.integers("k", count=3), "3 whole numbers"),
        ([1], lambda t: t.texts("k"), "a list of strings"),
        (1, lambda t: t.table("k"), "a table"),
        ({"a": 1}, lambda t: t.text_map("k"), "a table of strings"),
        ({"a": 1}, lambda t: t.tables("k"), "a list of tables"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_what_was_needed(
    value: object, ask: Callable[[Table], object], needed: str
) -> None:
    with pytest.raises(ModelPackageError, match=rf"manifest\.toml: k must be .*{needed}"):
        ask(table(k=value))


def test_too_few_tables_are_refused() -> None:
    with pytest.raises(ModelPackageError, match=r"at least 1 \[\[networks\]\]"):
        table().tables("networks", at_least=1)


def test_a_table_inside_names_its_place() -> None:
    with pytest.raises(ModelPackageError, match=r"manifest\.toml \[\[networks\]\] 2: key 'role'"):
        table(networks=[{"role": "a"}, {}]).tables("networks")[1].text("role")
