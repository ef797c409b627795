"""Train the learners of lesson 06 at full size and write augmentation_study.json: about ten minutes on one CPU core.

    python eqcourse/data/make_augmentation_study.py

Four learners predict the largest area that four straight pieces can enclose, from the four lengths. The area does not
depend on the order of the pieces. Ten networks of each learner are trained, with their own weights and training data.
After a new run, put the new checksum into eqcourse/datasets.py. Another processor rounds differently, so that the
numbers come out a little different there.
"""

import hashlib
import itertools
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eqcourse.training import fit

NETWORKS = 10
SIZES = (10, 20, 40, 80, 160, 320, 640, 1280)
STEPS = 4000
BATCH = 32
LEARNING_RATE = 0.005
TEST_FENCES = 1000
ORDERS = torch.tensor(list(itertools.permutations(range(4))))
FAR = (1.0, 6.0)


def area(x: Tensor) -> Tensor:
    """The largest area that pieces of lengths x (..., 4) can enclose: Brahmagupta's formula."""
    half = x.sum(-1, keepdim=True) / 2
    return (half - x).prod(-1).clamp(min=0).sqrt()


def lengths(count: int, seed: int, low: float = 1.0, high: float = 3.0) -> Tensor:
    """Uniform random lengths (count, NETWORKS, 4): own ones for each network."""
    drawn = [
        low + (high - low) * torch.rand(count, 4, generator=torch.Generator().manual_seed(seed + k))
        for k in range(NETWORKS)
    ]
    return torch.stack(drawn, 1)


class Networks(nn.Module):
    """Networks side by side, which share nothing: the inputs (..., NETWORKS, first size) give (..., NETWORKS, last size)."""

    def __init__(self, sizes: Sequence[int], source: torch.Generator) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList([torch.randn(NETWORKS, a, b, generator=source) / a**0.5 for a, b in pairs])
        self.biases = nn.ParameterList([torch.zeros(NETWORKS, b) for _, b in pairs])

    def forward(self, x: Tensor) -> Tensor:
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.einsum("...ka,kab->...kb", x if number == 0 else torch.tanh(x), weight) + bias
        return x


class Plain(nn.Module):
    """Four lengths, minus 2, into a network."""

    def __init__(self, source: torch.Generator) -> None:
        super().__init__()
        self.networks = Networks([4, 16, 16, 1], source)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.networks(x - 2)[..., 0]
        return y


class Averaged(Plain):
    """The mean of the plain network over all 24 orders of the lengths."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x[..., ORDERS].movedim(-2, 0)).mean(0)


class EachAlike(nn.Module):
    """One network for each length, the same for all four; the mean of what comes out goes into another network."""

    def __init__(self, source: torch.Generator) -> None:
        super().__init__()
        self.inner, self.outer = Networks([1, 16, 8], source), Networks([8, 8, 1], source)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.outer(self.inner((x - 2)[..., None].movedim(-2, 0)).mean(0))[..., 0]
        return y


def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The sum over the networks, so that each has the gradient that it would have alone."""
    return ((model(x) - y) ** 2).mean(0).sum()


class InRandomOrders:
    """The loss with the lengths of each fence in a new random order at each step."""

    def __init__(self) -> None:
        self.source = torch.Generator().manual_seed(1)

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        drawn = ORDERS[torch.randint(len(ORDERS), x.shape[:-1], generator=self.source)]
        return loss(model, x.gather(-1, drawn), y)


def error(model: nn.Module, x: Tensor) -> list[float]:
    """The root of the mean squared error of each network, relative to the spread (standard deviation) of the areas."""
    with torch.no_grad():
        return rounded(((model(x) - area(x)) ** 2).mean(0).sqrt() / area(x).std())


def residual(model: nn.Module, x: Tensor) -> list[float]:
    """Largest minus smallest answer over the 24 orders of a fence: its mean over fences, relative to the mean answer."""
    with torch.no_grad():
        answers = model(x[..., ORDERS].movedim(-2, 0))
        return rounded((answers.amax(0) - answers.amin(0)).mean(0) / answers.mean((0, 1)).abs())


def rounded(values: Tensor) -> list[float]:
    return [float(f"{value:.3g}") for value in values.tolist()]


def train(name: str, size: int, order: str) -> tuple[nn.Module, Tensor]:
    """The trained networks of one learner, and the lengths that they were trained on."""
    x = lengths(size, seed=0)
    if order == "longest first":
        x = x.sort(-1, descending=True).values
    makers: dict[str, type[nn.Module]] = {"averaged": Averaged, "each alike": EachAlike}
    model = makers.get(name, Plain)(torch.Generator().manual_seed(0))
    batch = min(BATCH, size)
    fit(
        model,
        InRandomOrders() if name == "augmented" else loss,
        (x, area(x)),
        epochs=round(STEPS * batch / size),
        batch_size=batch,
        learning_rate=LEARNING_RATE,
        progress=False,
    )
    return model, x


def main() -> None:
    torch.set_num_threads(1)
    new, far = lengths(TEST_FENCES, seed=1000), lengths(TEST_FENCES, seed=2000, low=FAR[0], high=FAR[1])
    results: list[dict[str, Any]] = []
    parameters = {}
    for order, name, size in itertools.product(
        ("as it comes", "longest first"), ("plain", "augmented", "averaged", "each alike"), SIZES
    ):
        model, x = train(name, size, order)
        parameters[name] = sum(weight.numel() for weight in model.parameters()) // NETWORKS
        results.append(
            {
                "order": order,
                "learner": name,
                "size": size,
                "error": error(model, new),
                "error, longest first": error(model, new.sort(-1, descending=True).values),
                "residual, training": residual(model, x),
                "residual, new": residual(model, new),
                "residual, far": residual(model, far),
            }
        )
        print(results[-1], flush=True)
    content = {
        "provenance": {
            "made by": "eqcourse/data/make_augmentation_study.py",
            "torch": torch.__version__.split("+")[0],
            "machine": platform.machine(),
            "networks of each learner": NETWORKS,
            "steps": STEPS,
            "batch": BATCH,
            "learning rate": LEARNING_RATE,
            "far": list(FAR),
        },
        "sizes": list(SIZES),
        "parameters": parameters,
        "results": results,
    }
    text = json.dumps(content, indent=None, separators=(",", ":")).replace('{"order"', '\n{"order"') + "\n"
    path = Path(__file__).with_name("augmentation_study.json")
    path.write_bytes(text.encode())
    print("sha256", hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
