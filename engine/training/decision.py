"""Decision curve with censoring and reclassification at a horizon."""

from dataclasses import dataclass

import numpy as np

from engine.training.outcome import Booleans, Floats, Outcome, check_horizons, kaplan_meier


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """Net benefit per patient of treating those above a threshold risk.

    Attributes:
        thresholds: Threshold probabilities, shape (k,).
        model, treat_all: Net benefit, shape (k,); treating nobody is 0.
    """

    thresholds: Floats
    model: Floats
    treat_all: Floats


def decision_curve(
    risk: Floats, outcome: Outcome, horizon: float, thresholds: Floats
) -> DecisionCurve:
    """Net benefit with Kaplan–Meier inside the treated (doi:10.1186/1472-6947-8-53).

    Args:
        risk: Predicted probability of the event by the horizon, shape (n,).
        outcome: The patients' outcomes.
        horizon: Months.
        thresholds: Threshold probabilities inside 0..1.

    Raises:
        HorizonError: The horizon lies beyond follow-up.
    """
    check_horizons(outcome, (horizon,))
    odds = thresholds / (1.0 - thresholds)
    model = [
        _net_benefit(risk >= t, outcome, horizon, o) for t, o in zip(thresholds, odds, strict=True)
    ]
    everyone = np.ones(len(outcome), bool)
    treat_all = [_net_benefit(everyone, outcome, horizon, o) for o in odds]
    return DecisionCurve(thresholds, np.array(model), np.array(treat_all))


def _net_benefit(treated: Booleans, outcome: Outcome, horizon: float, odds: float) -> float:
    if not treated.any():
        return 0.0
    failing = 1.0 - float(kaplan_meier(outcome.take(treated))(horizon))
    share = float(treated.mean())
    return share * (failing - (1.0 - failing) * odds)


@dataclass(frozen=True, slots=True)
class Reclassification:
    """Continuous net reclassification of a new risk against an old one.

    Attributes:
        events: P(up | event) - P(down | event).
        nonevents: P(down | no event) - P(up | no event).
    """

    events: float
    nonevents: float

    @property
    def total(self) -> float:
        """Net reclassification improvement, -2..2."""
        return self.events + self.nonevents


def reclassification(
    new: Floats, old: Floats, outcome: Outcome, horizon: float
) -> Reclassification:
    """Category-free NRI with Kaplan–Meier for censoring (doi:10.1002/sim.4085).

    Args:
        new, old: Risks by the horizon on any common ordering, shape (n,); only the
            direction of the difference counts.
        outcome: The patients' outcomes.
        horizon: Months.
    """
    check_horizons(outcome, (horizon,))
    up, down = new > old, new < old
    overall = 1.0 - float(kaplan_meier(outcome)(horizon))
    moved = {}
    for name, members in (("up", up), ("down", down)):
        share = float(members.mean())
        failing = (
            1.0 - float(kaplan_meier(outcome.take(members))(horizon)) if members.any() else 0.0
        )
        moved[name] = (share * failing, share * (1.0 - failing))
    return Reclassification(
        events=(moved["up"][0] - moved["down"][0]) / overall if overall > 0 else float("nan"),
        nonevents=(moved["down"][1] - moved["up"][1]) / (1.0 - overall)
        if overall < 1
        else float("nan"),
    )
