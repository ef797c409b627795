"""Makes molecule_study.json, the full-size results that lesson 05 shows beside its own short training.

    python eqcourse/data/make_molecule_study.py          about 5 minutes on one core

Three energy models of comparable size, forces by autograd, for three molecules and three seeds: a plain network on centred
coordinates, one on all pair distances, one on sums of bumps over the pairs of each two elements. Errors are mean lengths of
the differences of the forces, in eV/Å, on the 100 test frames whose turned copies are shipped.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eqcourse import datasets, training

RATES, EPOCHS, BATCH, SEEDS = (1e-2, 3e-3, 1e-3), 50, 50, (0, 1, 2)
FILE = Path(__file__).parent / "molecule_study.json"
CENTRES, WIDTH = torch.linspace(0.8, 4.2, 8), 0.5


def features(kind: str, symbols: tuple[str, ...]) -> Callable[[Tensor], Tensor]:
    """What a model is given instead of the positions (batch, n, 3)."""
    first, second = torch.triu_indices(len(symbols), len(symbols), 1)
    names = ["".join(sorted(symbols[i] + symbols[j])) for i, j in zip(first.tolist(), second.tolist(), strict=True)]
    kinds = sorted(set(names))
    same = torch.tensor([[name == kind for name in names] for kind in kinds]).float()

    def distances(x: Tensor) -> Tensor:
        return (x[:, first] - x[:, second]).norm(dim=-1)

    def sums(x: Tensor) -> Tensor:
        bumps = torch.exp(-(((distances(x)[..., None] - CENTRES) / WIDTH) ** 2))
        return (same @ bumps).flatten(1)

    return {"plain": lambda x: (x - x.mean(1, keepdim=True)).flatten(1), "distances": distances, "sums": sums}[kind]


class Energy(nn.Module):
    """A network on features that are brought to mean 0 and size 1."""

    def __init__(self, given: Callable[[Tensor], Tensor], examples: Tensor, seed: int) -> None:
        super().__init__()
        self.given = given
        values = given(examples)
        self.mean, self.size = values.mean(0), values.std(0).clamp(min=0.02)
        torch.manual_seed(seed)
        self.net = nn.Sequential(
            nn.Linear(values.shape[1], 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net((self.given(x) - self.mean) / self.size)
        return out[:, 0]


def forces(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.detach().requires_grad_()
    energy = model(x)
    return energy, -torch.autograd.grad(energy.sum(), x, create_graph=True)[0]


def loss(model: nn.Module, x: Tensor, energy: Tensor, force: Tensor) -> Tensor:
    e, f = forces(model, x)
    return ((e - energy) ** 2).mean() + ((f - force) ** 2).mean()


def study(name: str, kind: str) -> dict[str, Any]:
    data = datasets.conformations(name)
    mean = data.energies[data.train].mean()
    train = [part[data.train].float() for part in (data.positions, data.energies - mean, data.forces)]
    turned = data.rotated
    found: dict[str, Any] = {"parameters": 0, "as they are": [], "turned": []}
    for seed in SEEDS:
        model = Energy(features(kind, data.symbols), train[0], seed)
        for rate in RATES:
            training.fit(model, loss, train, epochs=EPOCHS, batch_size=BATCH, learning_rate=rate, seed=seed)
        found["parameters"] = sum(p.numel() for p in model.parameters())
        places = {
            "as they are": (data.positions[turned.frames], data.forces[turned.frames]),
            "turned": (turned.positions, turned.forces),
        }
        for where, (x, force) in places.items():
            error = (forces(model, x.float())[1].detach() - force).norm(dim=-1).mean()
            found[where].append(round(float(error), 3))
    print(name, kind, found)
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    settings = {"epochs": EPOCHS * len(RATES), "batch_size": BATCH, "learning_rates": RATES, "seeds": SEEDS}
    results = {
        name: {kind: study(name, kind) for kind in ("plain", "distances", "sums")}
        for name in ("ethanol", "methylamine", "ammonia")
    }
    content = {"made_by": "eqcourse/data/make_molecule_study.py", "settings": settings, "results": results}
    FILE.write_text(json.dumps(content, indent=1) + "\n")
