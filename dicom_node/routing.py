"""Which studies are analyzed, how and for whom: the first rule that fits decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.index import Row
from dicom_node.settings import Configuration, Rule

EVERY_CT = Rule(name="every CT")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one study; ``reasons`` is empty when it fits."""

    rule: Rule
    reasons: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the rule takes the study."""
        return not self.reasons


def list_images(rule: Rule, instances: Sequence[Row]) -> list[Row]:
    """The instances a rule would analyze: its modalities, first copy of each, not our own."""
    return [
        row
        for row in instances
        if row["modality"] in rule.modalities and not row["is_own"] and not row["is_conflict"]
    ]


def judge(rule: Rule, study: Row, instances: Sequence[Row]) -> Verdict:
    """Compare one rule with one study and say why it does not fit."""
    images = list_images(rule, instances)
    reasons = []
    if len(images) < max(rule.minimum_instances, 1):
        reasons.append(
            f"{len(images)} instances of {'/'.join(rule.modalities)}, "
            f"at least {max(rule.minimum_instances, 1)} needed"
        )
    if rule.sources and not {row["source"] for row in images} & set(rule.sources):
        reasons.append(f"sent by none of {', '.join(rule.sources)}")
    description = study["study_description"].casefold()
    words = rule.description_contains
    if words and not any(word.casefold() in description for word in words):
        reasons.append(f"Study Description has none of {', '.join(words)}")
    parts = {row["body_part"].upper() for row in images}
    if rule.body_parts and not parts & {part.upper() for part in rule.body_parts}:
        reasons.append(f"Body Part Examined is none of {', '.join(rule.body_parts)}")
    return Verdict(rule, tuple(reasons))


def describe_plan(configuration: Configuration, rule: Rule) -> str:
    """What happens to a study that this rule decides over, in one line."""
    if not rule.analyze:
        return "kept, not analyzed"
    names = rule.destinations or tuple(d.name for d in configuration.destination)
    model = rule.model or configuration.analysis.model or "the engine's own model"
    told = [f"analyzed with {model}", f"priority {rule.priority}"]
    if rule.shadow:
        told.append("result kept here (shadow)")
    else:
        told.append(f"delivered to {', '.join(names) or 'nobody: no destination is configured'}")
    if rule.priors:
        told.append(f"earlier studies by {rule.priors!r}")
    return "; ".join(told)


def explain(configuration: Configuration, study: Row, instances: Sequence[Row]) -> list[Verdict]:
    """Every rule's verdict, in order."""
    return [judge(rule, study, instances) for rule in configuration.rule or (EVERY_CT,)]


def choose(configuration: Configuration, study: Row, instances: Sequence[Row]) -> Verdict:
    """The first rule that fits; otherwise the last verdict, which says why nothing did."""
    verdicts = explain(configuration, study, instances)
    return next((verdict for verdict in verdicts if verdict.fits), verdicts[-1])
