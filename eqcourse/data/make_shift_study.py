"""Train the networks of lesson 11 at full size and write shift_study.json: about ten minutes on one CPU core.

    OMP_NUM_THREADS=1 python eqcourse/data/make_shift_study.py

Five learners name the digit of an MNIST-1D signal. Each is trained from five seeds, which give its first weights, the
order of its batches and its 500 signals for validation. The epoch is chosen on these, and for each learner one learning
rate of three, by their mean. "training" is the share of its 3500 training signals that the network names right, as they
are. "as they are" and "shifted" are shares of the 1000 test signals that are named right: as they are, and each shifted
round the ring by a random number of places. After a new run, put the new checksum into eqcourse/datasets.py. Another
processor rounds differently, so that the numbers come out a little different there.
"""

import hashlib
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eqcourse import datasets
from eqcourse.nn import CircularConv
from eqcourse.training import cross_entropy, fit

SEEDS = range(5)
LEARNING_RATES = (1e-3, 3e-3, 1e-2)
EPOCHS = 60
BATCH = 100
VALIDATION = 500
CHANNELS, KERNEL = 16, 5
NARROW, WIDE = 33, 640  # as many parameters, and as many hidden numbers, as the circulant network


class Mean(nn.Module):
    """The mean over the places: (batch, channels, N) -> (batch, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(-1)


def circulant() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs in (1, CHANNELS, CHANNELS):
        layers += [CircularConv(inputs, CHANNELS, KERNEL), nn.ReLU()]
    return nn.Sequential(*layers, Mean(), nn.Linear(CHANNELS, 10))


def zero_padding() -> nn.Module:
    """The same with zeros beyond the ends; first weights of the same size."""
    layers: list[nn.Module] = []
    for inputs in (1, CHANNELS, CHANNELS):
        layer = nn.Conv1d(inputs, CHANNELS, KERNEL, padding=KERNEL // 2)
        nn.init.normal_(layer.weight, std=(inputs * KERNEL) ** -0.5)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers, Mean(), nn.Linear(CHANNELS, 10))


def dense(hidden: int) -> nn.Module:
    layers = [nn.Linear(40, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10)]
    return nn.Sequential(nn.Flatten(), *layers)


def shifted(x: Tensor, source: torch.Generator) -> Tensor:
    """Each signal of (batch, 1, N), shifted round the ring by a random number of places."""
    size = x.shape[-1]
    by = torch.randint(size, (len(x), 1), generator=source)
    return x[:, 0].gather(1, (torch.arange(size) - by) % size)[:, None]


class OnShifted:
    """The loss on signals that are shifted anew at each step."""

    def __init__(self, seed: int) -> None:
        self.source = torch.Generator().manual_seed(100 + seed)

    def __call__(self, model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(model, shifted(x, self.source), labels)


def share_right(model: nn.Module, x: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return (model(x).argmax(1) == labels).double().mean().item()


def train(
    make: Callable[[], nn.Module], augment: bool, seed: int, learning_rate: float
) -> tuple[nn.Module, float, float]:
    """The trained network, and the shares of its validation and of its training signals that it names right."""
    x, labels = datasets.mnist1d("train")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    kept, rest = order[:VALIDATION], order[VALIDATION:]
    torch.manual_seed(seed)
    model = make()
    fit(
        model,
        OnShifted(seed) if augment else cross_entropy,
        (x[rest, None], labels[rest]),
        validation=(x[kept, None], labels[kept]),
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=learning_rate,
        seed=seed,
        progress=False,
    )
    return model, share_right(model, x[kept, None], labels[kept]), share_right(model, x[rest, None], labels[rest])


def main() -> None:
    torch.set_num_threads(1)
    learners: dict[str, tuple[Callable[[], nn.Module], bool]] = {
        "circulant": (circulant, False),
        "zero padding": (zero_padding, False),
        "dense, equal parameters": (lambda: dense(NARROW), False),
        "dense, equal width": (lambda: dense(WIDE), False),
        "dense, equal width, shifted copies": (lambda: dense(WIDE), True),
    }
    x, labels = datasets.mnist1d("test")
    x = x[:, None]
    moved = shifted(x, torch.Generator().manual_seed(1))
    results: list[dict[str, Any]] = []
    for name, (make, augment) in learners.items():
        tried = {rate: [train(make, augment, seed, rate) for seed in SEEDS] for rate in LEARNING_RATES}
        rate = max(tried, key=lambda rate: sum(validation for _, validation, _ in tried[rate]))
        models = [model for model, _, _ in tried[rate]]
        results.append(
            {
                "learner": name,
                "parameters": sum(weight.numel() for weight in models[0].parameters()),
                "learning rate": rate,
                "training": [round(training, 4) for _, _, training in tried[rate]],
                "as they are": [round(share_right(model, x, labels), 4) for model in models],
                "shifted": [round(share_right(model, moved, labels), 4) for model in models],
            }
        )
        print(results[-1], flush=True)
    content = {
        "provenance": {
            "made by": "eqcourse/data/make_shift_study.py",
            "torch": torch.__version__.split("+")[0],
            "machine": platform.machine(),
            "seeds": len(SEEDS),
            "epochs": EPOCHS,
            "batch": BATCH,
            "learning rates": list(LEARNING_RATES),
        },
        "results": results,
    }
    text = json.dumps(content, separators=(",", ":")).replace('{"learner"', '\n{"learner"') + "\n"
    path = Path(__file__).with_name("shift_study.json")
    path.write_bytes(text.encode())
    print("sha256", hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
