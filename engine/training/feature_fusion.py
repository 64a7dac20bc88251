"""Feature-level fusion networks: low-rank tensor fusion and gated attention.

Both keep one part per modality, know which modalities a row has, and are trained with the
Cox loss by L-BFGS with exact gradients. Modality dropout shows every training row again
with modalities hidden at random, so that a patient with fewer modalities can be served.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from engine.training.cohort import Cohort
from engine.training.cox import breslow_baseline
from engine.training.fusion import available
from engine.training.networks import CoxLoss
from engine.training.outcome import Booleans, Floats, Integers, Outcome, StepFunction
from engine.training.preparation import Preparation, fit_preparation
from engine.training.recipe import PreparationSpec, RecipeError, StrategySpec

KINDS = ("tensor_fusion", "gated_attention")


class Architecture(Protocol):
    """A network on one block of predictors per modality."""

    size: int

    def start(self, random: np.random.Generator) -> Floats:
        """Initial weights, shape (size,)."""
        ...

    def forward(self, weights: Floats, blocks: list[Floats], present: Booleans) -> Floats:
        """Risk, shape (n,)."""
        ...

    def backward(
        self, weights: Floats, blocks: list[Floats], present: Booleans, slope: Floats
    ) -> Floats:
        """Gradient of the loss in the weights given its slope in the risk."""
        ...


class TensorFusion:
    """Low-rank tensor fusion (doi:10.18653/v1/P18-1209).

    risk = Σ_rank Σ_unit Π_modality ([x_m, 1] W_m); an absent modality contributes factor 1.
    """

    def __init__(self, widths: list[int], *, units: int, rank: int) -> None:
        self.widths, self.cells = widths, units * rank
        self.size = sum((w + 1) * self.cells for w in widths) + self.cells

    def start(self, random: np.random.Generator) -> Floats:
        """Factors near 1, so that the product starts almost additive."""
        parts = []
        for width in self.widths:
            parts.append(random.normal(scale=0.1 / np.sqrt(width), size=width * self.cells))
            parts.append(np.ones(self.cells))
        parts.append(random.normal(scale=0.5, size=self.cells))
        return np.concatenate(parts)

    def split(self, weights: Floats) -> tuple[list[Floats], list[Floats], Floats]:
        """Matrices (width, cells), constants (cells,) and the output weights (cells,)."""
        matrices, constants, at = [], [], 0
        for width in self.widths:
            edge = at + width * self.cells
            matrices.append(weights[at:edge].reshape(width, self.cells))
            constants.append(weights[edge : edge + self.cells])
            at = edge + self.cells
        return matrices, constants, weights[at:]

    def factors(self, weights: Floats, blocks: list[Floats], present: Booleans) -> list[Floats]:
        """One factor per modality, shape (n, cells); 1 where it is absent."""
        matrices, constants, _ = self.split(weights)
        return [
            np.where(present[:, [m]], blocks[m] @ matrices[m] + constants[m], 1.0)
            for m in range(len(blocks))
        ]

    def forward(self, weights: Floats, blocks: list[Floats], present: Booleans) -> Floats:
        """Risk, shape (n,)."""
        product = np.prod(self.factors(weights, blocks, present), axis=0)
        return np.asarray(product @ self.split(weights)[2], np.float64)

    def backward(
        self, weights: Floats, blocks: list[Floats], present: Booleans, slope: Floats
    ) -> Floats:
        """Exact gradient."""
        output = self.split(weights)[2]
        factors = self.factors(weights, blocks, present)
        parts = []
        for m, block in enumerate(blocks):
            others = np.prod([f for k, f in enumerate(factors) if k != m], axis=0)
            back = slope[:, None] * output * others * present[:, [m]]
            parts += [(block.T @ back).ravel(), back.sum(axis=0)]
        return np.concatenate((*parts, np.prod(factors, axis=0).T @ slope))


class GatedAttention:
    """Embeddings per modality, mixed by a softmax gate over the modalities present."""

    def __init__(self, widths: list[int], *, units: int) -> None:
        self.widths, self.units = widths, units
        self.size = sum((w + 1) * units for w in widths) + 2 * units

    def start(self, random: np.random.Generator) -> Floats:
        """Small random embeddings, flat gates."""
        parts = []
        for width in self.widths:
            parts.append(random.normal(scale=0.5 / np.sqrt(width), size=width * self.units))
            parts.append(np.zeros(self.units))
        parts += [np.zeros(self.units), random.normal(scale=0.5, size=self.units)]
        return np.concatenate(parts)

    def split(self, weights: Floats) -> tuple[list[Floats], list[Floats], Floats, Floats]:
        """Matrices (width, units), biases (units,), gate (units,) and output (units,)."""
        matrices, biases, at = [], [], 0
        for width in self.widths:
            edge = at + width * self.units
            matrices.append(weights[at:edge].reshape(width, self.units))
            biases.append(weights[edge : edge + self.units])
            at = edge + self.units
        return matrices, biases, weights[at : at + self.units], weights[at + self.units :]

    def _state(
        self, weights: Floats, blocks: list[Floats], present: Booleans
    ) -> tuple[Floats, Floats]:
        """Embeddings (n, M, units) and gates (n, M)."""
        matrices, biases, gate, _ = self.split(weights)
        embedded = np.stack(
            [np.tanh(b @ w + c) for b, w, c in zip(blocks, matrices, biases, strict=True)], axis=1
        )
        score = np.where(present, embedded @ gate, -np.inf)
        top = score.max(axis=1, keepdims=True)
        relative = np.exp(score - np.where(np.isfinite(top), top, 0.0))
        total = relative.sum(axis=1, keepdims=True)
        return embedded, relative / np.where(total > 0, total, 1.0)

    def forward(self, weights: Floats, blocks: list[Floats], present: Booleans) -> Floats:
        """Risk, shape (n,)."""
        embedded, share = self._state(weights, blocks, present)
        output = self.split(weights)[3]
        return np.asarray((share * (embedded @ output)).sum(axis=1), np.float64)

    def backward(
        self, weights: Floats, blocks: list[Floats], present: Booleans, slope: Floats
    ) -> Floats:
        """Exact gradient."""
        _, _, gate, output = self.split(weights)
        embedded, share = self._state(weights, blocks, present)
        score = embedded @ output
        mean = (share * score).sum(axis=1, keepdims=True)
        to_gate = slope[:, None] * share * (score - mean)
        to_score = slope[:, None] * share
        back = (to_score[:, :, None] * output + to_gate[:, :, None] * gate) * (1 - embedded**2)
        parts = []
        for m, block in enumerate(blocks):
            parts += [(block.T @ back[:, m]).ravel(), back[:, m].sum(axis=0)]
        gate_slope = np.einsum("nm,nmu->u", to_gate, embedded)
        output_slope = np.einsum("nm,nmu->u", to_score, embedded)
        return np.concatenate((*parts, gate_slope, output_slope))


@dataclass(frozen=True, slots=True)
class FeatureFusedModel:
    """Preparations per modality and the network behind them."""

    preparations: tuple[Preparation, ...]
    columns: tuple[Integers, ...]
    network: TensorFusion | GatedAttention
    weights: Floats
    baseline: StepFunction

    def risk(self, values: Floats) -> Floats:
        """Linear predictor from raw values, shape (n,); higher means higher risk."""
        blocks = [p.apply(values) for p in self.preparations]
        return self.network.forward(self.weights, blocks, available(values, self.columns))

    def survival(self, values: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        return np.exp(-self.baseline(times)[None, :] * np.exp(self.risk(values))[:, None])


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionSettings:
    """Hyperparameters of the fusion networks.

    Attributes:
        units: Embedding width.
        rank: Rank of the tensor (tensor fusion only).
        decay: Weight decay.
        dropout: Chance that a modality is hidden in each repeated copy of a row.
        copies: Repeated copies of the training rows with hidden modalities.
    """

    units: int = 4
    rank: int = 2
    decay: float = 0.1
    dropout: float = 0.3
    copies: int = 2
    steps: int = 150
    seed: int = 0


def fit_feature_fused(spec: StrategySpec, cohort: Cohort) -> FeatureFusedModel:
    """Fit a fusion network on training rows.

    Raises:
        RecipeError: Unknown kind or setting, or fewer than two modalities.
    """
    modalities = spec.preparation.modalities or tuple(
        dict.fromkeys(c.modality for c in cohort.columns)
    )
    if len(modalities) < 2:
        raise RecipeError(f"Strategy {spec.name}: fusion needs two modalities or more")
    try:
        settings = FusionSettings(**spec.settings)
    except TypeError as error:
        raise RecipeError(f"Strategy {spec.name}: {error}") from error
    columns = tuple(cohort.of_modalities((m,)) for m in modalities)
    present = available(cohort.values, columns)
    preparations = tuple(
        fit_preparation(_own(spec.preparation, m), cohort.take(present[:, k]))
        for k, m in enumerate(modalities)
    )
    blocks = [p.apply(cohort.values) for p in preparations]
    widths = [b.shape[1] for b in blocks]
    network: TensorFusion | GatedAttention = (
        TensorFusion(widths, units=settings.units, rank=settings.rank)
        if spec.model == "tensor_fusion"
        else GatedAttention(widths, units=settings.units)
    )
    weights = _train(network, blocks, present, cohort.outcome, settings)
    risk = network.forward(weights, blocks, present)
    return FeatureFusedModel(
        preparations, columns, network, weights, breslow_baseline(risk, cohort.outcome)
    )


def _own(spec: PreparationSpec, modality: str) -> PreparationSpec:
    return PreparationSpec(
        missing=spec.missing,
        screen=spec.screen,
        components=spec.components,
        modalities=(modality,),
    )


def _train(
    network: Architecture,
    blocks: list[Floats],
    present: Booleans,
    outcome: Outcome,
    settings: FusionSettings,
) -> Floats:
    random = np.random.default_rng(settings.seed)
    masks = [present, *(_hidden(present, settings, random) for _ in range(settings.copies))]
    loss = CoxLoss(outcome)

    def objective(weights: Floats) -> tuple[float, Floats]:
        total, gradient = 0.0, settings.decay * weights
        for mask in masks:
            value, slope = loss(network.forward(weights, blocks, mask))
            total += value / len(masks)
            gradient = gradient + network.backward(weights, blocks, mask, slope) / len(masks)
        return total + 0.5 * settings.decay * float(weights @ weights), gradient

    found = minimize(
        objective,
        network.start(random),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": settings.steps},
    )
    return np.asarray(found.x, np.float64)


def _hidden(present: Booleans, settings: FusionSettings, random: np.random.Generator) -> Booleans:
    """Hide modalities at random, but leave every row at least one."""
    mask = present & (random.random(present.shape) >= settings.dropout)
    empty = ~mask.any(axis=1)
    mask[empty] = present[empty]
    return mask
