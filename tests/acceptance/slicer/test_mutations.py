"""The list of planted bugs does not rot (issue 7, must show 2; ``mutations.py`` runs it)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutations", HERE / "mutations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutations"] = module
    spec.loader.exec_module(module)
    return module


MUTATIONS = load()


def test_there_are_enough_bugs() -> None:
    assert len({bug.name for bug in MUTATIONS.BUGS}) >= 12


@pytest.mark.parametrize("bug", MUTATIONS.BUGS, ids=lambda bug: bug.name)
def test_a_bug_can_still_be_planted(bug: object) -> None:
    text = (MUTATIONS.ROOT / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.text) == 1
    assert (MUTATIONS.ROOT / bug.tests.partition("::")[0]).exists()
