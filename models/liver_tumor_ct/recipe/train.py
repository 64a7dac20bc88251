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


def main() -> None:
    """Train until the minutes are over."""
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
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(2)
    settings = SETTINGS[arguments.role]
    merge = arguments.role == "localizer"
    cases = [
        load_case(path, merge=merge)
        for path in sorted((arguments.data / arguments.role).glob("train_*.npz"))
    ]
    phantoms: list[Case] = []
    if arguments.phantoms:
        phantoms = [
            load_case(path, merge=merge)
            for path in sorted((arguments.phantoms / arguments.role).glob("*.npz"))
        ]
    model = CompactUNet(settings["widths"], 2 if merge else 3)
    if arguments.resume:
        model.load_state_dict(torch.load(arguments.resume, weights_only=True))
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.rate, weight_decay=1e-3)
    augmenter = Augmenter(
        settings["patch"], settings["spacing"], arguments.seed, lesions=not merge
    )
    start, saved, step, running = time.time(), time.time(), 0, 0.0
    average = {k: v.detach().clone() for k, v in model.state_dict().items()}
    while (elapsed := (time.time() - start) / 60) < arguments.minutes:
        progress = elapsed / arguments.minutes
        warm = min(1.0, (step + 1) / 50)
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * warm * (1 - progress) ** 0.9
        batch = []
        for _ in range(arguments.batch):
            pool = cases
            if phantoms and augmenter.uniform(0, 1) < arguments.phantom_share:
                pool = phantoms
            batch.append(augmenter.draw(*pool[int(augmenter.uniform(0, len(pool)))]))
        image = torch.stack([b[0] for b in batch])[:, None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(image)
        loss = loss_of(
            logits, torch.stack([b[1] for b in batch]), torch.stack([b[2] for b in batch])
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        with torch.no_grad():
            decay = min(0.995, (1 + step) / (10 + step))
            for key, value in model.state_dict().items():
                average[key].lerp_(value, 1 - decay)
        step += 1
        running = 0.97 * running + 0.03 * loss.item() if step > 1 else loss.item()
        if step % 20 == 0:
            print(f"step {step} minute {elapsed:.1f} loss {running:.4f}", flush=True)  # noqa: T201
        if time.time() - saved > 300:
            torch.save(average, arguments.out)
            saved = time.time()
    torch.save(average, arguments.out)


if __name__ == "__main__":
    main()
