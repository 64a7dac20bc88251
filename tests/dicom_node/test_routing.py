"""Rules: the first that fits decides, and says why the others do not."""

from typing import Any

import pytest

from dicom_node.routing import choose, explain, judge, list_images
from dicom_node.settings import Configuration, Rule, Storage


def instance(**values: Any) -> dict[str, Any]:  # noqa: ANN401
    base = {"modality": "CT", "source": "PACS", "body_part": "LIVER"}
    return {**base, "is_own": False, "is_conflict": False, **values}


STUDY = {"study_description": "CT Abdomen 3 phase"}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Rule(name="r", modalities=("MR",)), "0 instances of MR, at least 1 needed"),
        (Rule(name="r", minimum_instances=20), "3 instances of CT, at least 20 needed"),
        (Rule(name="r", sources=("OTHER",)), "sent by none of OTHER"),
        (Rule(name="r", description_contains=("thorax",)), "Study Description has none of thorax"),
        (Rule(name="r", body_parts=("HEAD",)), "Body Part Examined is none of HEAD"),
    ],
)
def test_a_rule_that_does_not_fit_says_why(rule: Rule, reason: str) -> None:
    verdict = judge(rule, STUDY, [instance()] * 3)  # type: ignore[arg-type]
    assert verdict.reasons == (reason,)


def test_a_rule_fits_whatever_the_letters_case() -> None:
    rule = Rule(name="r", description_contains=("ABDOMEN",), body_parts=("liver",))
    assert judge(rule, STUDY, [instance()]).fits  # type: ignore[arg-type,list-item]


def test_our_own_results_and_conflicting_copies_are_not_images() -> None:
    """A result that is routed back never starts an analysis."""
    rows = [instance(), instance(is_own=True), instance(is_conflict=True), instance(modality="SR")]
    assert list_images(Rule(name="r"), rows) == rows[:1]  # type: ignore[arg-type]


def test_the_first_fitting_rule_wins(tmp_path: Any) -> None:  # noqa: ANN401
    rules = tuple(Rule(name=n, minimum_instances=m) for n, m in (("a", 9), ("b", 1), ("c", 1)))
    configuration = Configuration(storage=Storage(folder=tmp_path), rule=rules)
    assert choose(configuration, STUDY, [instance()]).rule.name == "b"  # type: ignore[arg-type,list-item]
    fits = [v.fits for v in explain(configuration, STUDY, [instance()])]  # type: ignore[arg-type,list-item]
    assert fits == [False, True, True]


def test_without_rules_every_ct_is_analyzed(configuration: Configuration) -> None:
    assert choose(configuration, STUDY, [instance()]).fits  # type: ignore[arg-type,list-item]
    assert not choose(configuration, STUDY, [instance(modality="MR")]).fits  # type: ignore[arg-type,list-item]
