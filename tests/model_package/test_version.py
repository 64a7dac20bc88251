"""Precedence of versions (SemVer 2.0.0)."""

import pytest

from engine.errors import ModelPackageError
from engine.model_package.version import is_version, precedence


def test_the_order_of_the_specification_holds() -> None:
    """The example of item 11 of SemVer 2.0.0, then plain numbers."""
    ordered = [
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
        *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "2.0.0"),
    ]
    assert sorted([*ordered[5:], *ordered[:5]], key=precedence) == ordered


@pytest.mark.parametrize("text", ["1.0", "v1.0.0", "01.0.0", "1.0.0-", "recipe", "1.0.0\n"])
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(ModelPackageError, match="SemVer"):
        precedence(text)
