"""Figures of a recipe's run, as vector graphics."""

from collections.abc import Callable, Sequence
from io import BytesIO, StringIO

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.training.judging import Judgement
from engine.training.outcome import Floats, Integers, Outcome
from engine.training.truth import Truth
from engine.training.validation import HeldOut

COLORS = ("#0072b2", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#000000")
SIZE_INCHES = (6.4, 4.4)
AT_RISK_ROWS = 7


def draw(paint: Callable[[Axes], None], *, height: float = SIZE_INCHES[1]) -> Figure:
    """A figure with one axes, painted by a function below."""
    figure = Figure(figsize=(SIZE_INCHES[0], height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    paint(axes)
    return figure


def to_svg(figure: Figure) -> str:
    """SVG text without a date, the same for the same figure."""
    with mpl.rc_context({"svg.hashsalt": "hepatocast", "svg.fonttype": "none"}):
        stream = StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def to_png(figure: Figure) -> bytes:
    """PNG for the PDF report."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=180, metadata={"Software": None})
    return stream.getvalue()


def risk_groups(held: HeldOut, *, groups: int = 3) -> Integers:
    """Groups by the out-of-fold risk's rank inside each fold of the first repeat, shape (n,)."""
    number = np.zeros(len(held.outcome), np.int64)
    for fold in np.unique(held.groups[0]):
        rows = np.flatnonzero(held.groups[0] == fold)
        rank = np.argsort(np.argsort(held.risk[0][rows], kind="stable"), kind="stable")
        number[rows] = rank * groups // len(rows)
    return number


def paint_kaplan_meier(
    axes: Axes, truth: Truth, groups: Integers, names: Sequence[str], end: float
) -> None:
    """Observed curves with the numbers at risk below the axis.

    Kaplan–Meier, or 1 - Aalen–Johansen under competing risks.
    """
    ticks = np.linspace(0, end, AT_RISK_ROWS)
    for k, name in enumerate(names):
        members = truth.take(groups == k)
        own = members.observed
        jumps = np.unique(own.time[own.event & (own.time <= end)])
        times = np.concatenate(([0.0], jumps, [end]))
        free = members.event_free(times)
        axes.step(times, free, where="post", color=COLORS[k], label=name)
        _mark_censored(axes, own, members.event_free(own.time), end, COLORS[k])
        for tick in ticks:
            left = int((own.time >= tick).sum())
            axes.annotate(
                str(left),
                (tick, 0),
                xytext=(0, -44 - 13 * k),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                color=COLORS[k],
                fontsize=8,
                annotation_clip=False,
            )
    axes.annotate(
        "At risk",
        (0, 0),
        xytext=(-52, -44),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        annotation_clip=False,
    )
    axes.set(xlim=(0, end), ylim=(0, 1.02), ylabel="Event-free", xticks=np.round(ticks))
    axes.set_xlabel("Months", labelpad=2)
    axes.legend(frameon=False, loc="upper right")


def _mark_censored(axes: Axes, outcome: Outcome, height: Floats, end: float, color: str) -> None:
    shown = ~outcome.event & (outcome.time <= end)
    axes.plot(outcome.time[shown], height[shown], "|", color=color, markersize=4, alpha=0.6)


def paint_calibration(axes: Axes, judgement: Judgement) -> None:
    """Smoothed observed against predicted risk per horizon, with fifths as dots."""
    axes.plot([0, 1], [0, 1], ":", color="gray", linewidth=1)
    for k, found in enumerate(judgement.calibrations):
        color = COLORS[k]
        label = f"{found.horizon:g} months (ICI {found.ici:.3f}, slope {found.slope:.2f})"
        axes.plot(found.predicted, found.observed, color=color, label=label)
        dots = np.array(found.groups)
        axes.plot(dots[:, 0], dots[:, 1], "o", color=color, markersize=4)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Predicted risk", ylabel="Observed risk")
    axes.set_aspect("equal")
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def paint_decision(
    axes: Axes, judgements: Sequence[Judgement], horizon: float, best: Judgement
) -> None:
    """Net benefit of each strategy against treating everybody or nobody; a band for the best."""
    at = [h for h, _ in best.decisions].index(horizon)
    low, high = best.decision_bands[at]
    axes.fill_between(best.decisions[at][1].thresholds, low, high, color="0.85", linewidth=0)
    first = dict(judgements[0].decisions)[horizon]
    axes.axhline(0, color="gray", linewidth=1, label="nobody")
    axes.plot(first.thresholds, first.treat_all, color="gray", linestyle="--", label="everybody")
    for k, judgement in enumerate(judgements):
        curve = dict(judgement.decisions)[horizon]
        axes.plot(curve.thresholds, curve.model, color=COLORS[k % 7], label=judgement.name)
    top = float(max(first.treat_all.max(), 0.05)) * 1.1
    axes.set(
        ylim=(-0.05, top), xlim=(0, 1), xlabel="Threshold risk", ylabel="Net benefit per patient"
    )
    axes.set_title(f"By {horizon:g} months", fontsize=10)
    axes.legend(frameon=False, fontsize=7)


def paint_auc(axes: Axes, judgements: Sequence[Judgement]) -> None:
    """Cumulative/dynamic AUC over the horizons, intervals slightly shifted per strategy."""
    for k, judgement in enumerate(judgements):
        at = np.array([h for h, _ in judgement.auc])
        values = [v for _, v in judgement.auc]
        middle = np.array([v.value for v in values])
        bars = np.array([[v.value - v.lower, v.upper - v.value] for v in values]).T
        shift = 0.6 * (k - (len(judgements) - 1) / 2)
        axes.errorbar(
            at + shift,
            middle,
            np.maximum(bars, 0),
            color=COLORS[k % 7],
            marker="o",
            markersize=3,
            linewidth=1,
            label=judgement.name,
        )
    axes.axhline(0.5, color="gray", linewidth=0.8, linestyle=":")
    axes.set(xlabel="Months", ylabel="Cumulative/dynamic AUC", ylim=(0.4, 1.0))
    axes.legend(frameon=False, fontsize=7, ncols=2)


def paint_forest(axes: Axes, judgements: Sequence[Judgement]) -> None:
    """Harrell's C with its interval, one line per strategy."""
    for k, judgement in enumerate(reversed(judgements)):
        c = judgement.harrell
        axes.plot([c.lower, c.upper], [k, k], color=COLORS[0])
        axes.plot(c.value, k, "s", color=COLORS[0], markersize=5)
        axes.annotate(
            str(c), (1.02, k), xycoords=("axes fraction", "data"), va="center", fontsize=8
        )
    axes.axvline(0.5, color="gray", linestyle=":", linewidth=0.8)
    axes.set(
        yticks=range(len(judgements)),
        yticklabels=[j.name for j in reversed(judgements)],
        xlabel="Harrell's C (held-out)",
        ylim=(-0.6, len(judgements) - 0.4),
    )
    axes.tick_params(axis="y", labelsize=8)
