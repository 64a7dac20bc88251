"""Train the localizer or the segmenter on CPU; writes a checkpoint every 5 minutes.

    python train.py segmenter DATA OUT.pt --minutes 60 [--resume IN.pt] [--phantoms DIR]

Cases with unmarked tumors enter the loss through the sum of liver and tumor
probability wherever the smoothed liver is darker than its median by 12 HU or more;
everything brighter counts as certainly liver.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from augment import Augmenter, blur
from network import CompactUNet
from torch.nn import functional

SETTINGS = {
    "localizer": {"patch": (48, 80, 96), "spacing": (4.0, 4.0, 4.0), "widths": (16, 32, 64, 96)},
    "segmenter": {"patch": (48, 80, 96), "spacing": (2.5, 2.0, 2.0), "widths": (16, 32, 64, 128)},
}
SAVE_SECONDS = 300
Case = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def load_case(path: Path, *, merge: bool) -> Case:
    """Read one prepared case; ``merge`` folds tumors into the liver."""
    stored = np.load(path)
    hu = torch.from_numpy(stored["hu"])
    label = torch.from_numpy(stored["label"])
    if merge:
        return hu, (label > 0).to(torch.uint8), torch.ones_like(label, dtype=torch.bool)
    exact = torch.ones_like(label, dtype=torch.bool)
    if not bool(stored["marked"]):
        smooth = blur(hu.float(), 1.5)
        median = smooth[label > 0].median()
        exact = (label == 0) | (smooth > median - 12)
    return hu, label, exact


def loss_of(logits: torch.Tensor, label: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """Cross entropy plus soft Dice of organ and tumor, honoring inexact voxels."""
    log = functional.log_softmax(logits.float(), 1)
    own = log.gather(1, label[:, None])[:, 0]
    if logits.shape[1] > 2:
        organ = torch.logsumexp(log[:, 1:], 1)
        own = torch.where(exact, own, organ)
        weight = torch.where(label == 2, 3.0, 1.0)
        entropy = -(own * weight).sum() / weight.sum()
    else:
        entropy = -own.mean()
    probability = log.exp()
    organ_p, organ_t = 1 - probability[:, 0], (label > 0).float()
    loss = entropy + 1 - soft_dice(organ_p, organ_t)
    if logits.shape[1] > 2:
        keep = exact.float()
        loss = loss + 1 - soft_dice(probability[:, 2] * keep, (label == 2).float() * keep)
    return loss


def soft_dice(probability: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Soft Dice over the batch, smoothed so that an empty target costs little."""
    smooth = 50.0
    both = (probability * target).sum()
    return (2 * both + smooth) / (probability.sum() + target.sum() + smooth)


class Trainer:
    """Optimizer, schedule and the exponential average of the weights.

    The learning rate warms up over 50 steps and falls to 0 as the minutes run out.
    """

    def __init__(self, model: CompactUNet, rate: float) -> None:
        self.model, self.rate, self.step = model, rate, 0
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-3)
        self.average = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def learn(self, batch: list[Case], progress: float) -> float:
        """One step on a batch of patches; gives its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * min(1.0, (self.step + 1) / 50) * (1 - progress) ** 0.9
        image = torch.stack([b[0] for b in batch])[:, None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.model(image)
        label, exact = (torch.stack([b[i] for b in batch]) for i in (1, 2))
        loss = loss_of(logits, label, exact)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        with torch.no_grad():
            decay = min(0.995, (1 + self.step) / (10 + self.step))
            for key, value in self.model.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)
        self.step += 1
        return loss.item()


class Pools:
    """Real cases and phantoms, drawn by share."""

    def __init__(self, arguments: argparse.Namespace, augmenter: Augmenter) -> None:
        merge = arguments.role == "localizer"
        self.augmenter, self.share = augmenter, arguments.phantom_share
        folder = arguments.data / arguments.role
        self.cases = [load_case(p, merge=merge) for p in sorted(folder.glob("train_*.npz"))]
        self.phantoms: list[Case] = []
        if arguments.phantoms:
            found = sorted((arguments.phantoms / arguments.role).glob("*.npz"))
            self.phantoms = [load_case(p, merge=merge) for p in found]

    def draw(self) -> Case:
        """One augmented patch."""
        use_phantom = self.phantoms and self.augmenter.uniform(0, 1) < self.share
        pool = self.phantoms if use_phantom else self.cases
        return self.augmenter.draw(*pool[int(self.augmenter.uniform(0, len(pool)))])


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=sorted(SETTINGS))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--phantoms", type=Path, help="folder of further prepared cases")
    parser.add_argument("--phantom-share", type=float, default=0.3)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Train until the minutes are over."""
    arguments = parse()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(2)
    settings = SETTINGS[arguments.role]
    is_localizer = arguments.role == "localizer"
    model = CompactUNet(settings["widths"], 2 if is_localizer else 3)
    if arguments.resume:
        model.load_state_dict(torch.load(arguments.resume, weights_only=True))
    augmenter = Augmenter(
        settings["patch"], settings["spacing"], arguments.seed, lesions=not is_localizer
    )
    pools, trainer = Pools(arguments, augmenter), Trainer(model, arguments.rate)
    start, saved, running = time.time(), time.time(), 0.0
    while (elapsed := (time.time() - start) / 60) < arguments.minutes:
        batch = [pools.draw() for _ in range(arguments.batch)]
        loss = trainer.learn(batch, elapsed / arguments.minutes)
        running = 0.97 * running + 0.03 * loss if trainer.step > 1 else loss
        if trainer.step % 20 == 0:
            print(f"step {trainer.step} minute {elapsed:.1f} loss {running:.4f}", flush=True)
        if time.time() - saved > SAVE_SECONDS:
            torch.save(trainer.average, arguments.out)
            saved = time.time()
    torch.save(trainer.average, arguments.out)


if __name__ == "__main__":
    main()
