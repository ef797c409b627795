"""Make `reflections.json`: the trainings of lesson 04, each from ten seeds, since one training says little about a few percent.

Lesson 04 trains each network once and prints this table beside it. To remake the file (about five minutes on one core):

    OMP_NUM_THREADS=1 python eqcourse/data/make_reflections.py

Digits and pictures are those of `eqcourse.datasets`; networks, number of epochs and learning rates are those of the lesson. Other
processors round differently, so that the numbers come out a little different there.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eqcourse import datasets
from eqcourse.training import cross_entropy, fit

SEEDS = range(10)


def mirror(x: Tensor) -> Tensor:
    return x.flip(-1)


class MirrorConv(nn.Module):
    """A 3 × 3 convolution whose kernels are their own mirror images: two of three columns are free."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        start = nn.Conv2d(inputs, outputs, 3)  # draws first weights of a good size
        self.free = nn.Parameter(start.weight[..., :2].detach().clone())
        self.bias = start.bias

    def forward(self, x: Tensor) -> Tensor:
        kernel = torch.cat([self.free, self.free[..., :1]], -1)
        return nn.functional.conv2d(x, kernel, self.bias, padding=1)


class ColumnMean(nn.Module):
    """(batch, channels, height, width) -> (batch, channels · height): the mean of each row."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(-1).flatten(1)


class Combined(nn.Module):
    """A network and what is made of it."""

    def __init__(self, f: nn.Module, rule: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.f, self.rule = f, rule

    def forward(self, x: Tensor) -> Tensor:
        return self.rule(self.f, x)


def plain_conv(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def classifier(conv: Callable[[int, int], nn.Module] = plain_conv) -> nn.Module:
    return nn.Sequential(
        *(conv(1, 12), nn.ReLU(), conv(12, 24), nn.ReLU(), nn.MaxPool2d(2), conv(24, 24), nn.ReLU()),
        *(ColumnMean(), nn.Linear(96, 10)),
    )


def segmenter(conv: Callable[[int, int], nn.Module] = plain_conv) -> nn.Module:
    return nn.Sequential(
        *(conv(3, 8), nn.ReLU(), conv(8, 8), nn.ReLU(), conv(8, 8), nn.ReLU(), nn.Conv2d(8, 2, 1)),
    )


CLASSIFIERS: dict[str, Callable[[], nn.Module]] = {
    "plain": classifier,
    "averaged": lambda: Combined(classifier(), lambda f, x: (f(x) + f(mirror(x))) / 2),
    "mirror kernels": lambda: classifier(MirrorConv),
    "averaged input": lambda: Combined(classifier(), lambda f, x: f((x + mirror(x)) / 2)),
}
SEGMENTERS: dict[str, Callable[[], nn.Module]] = {
    "plain": segmenter,
    "averaged": lambda: Combined(segmenter(), lambda f, x: (f(x) + mirror(f(mirror(x)))) / 2),
    "mirror kernels": lambda: segmenter(MirrorConv),
    "mask not mirrored": lambda: Combined(segmenter(), lambda f, x: (f(x) + f(mirror(x))) / 2),
}


def confusion(model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """(10, 10): how many images of a digit (row) were read as a digit (column)."""
    with torch.no_grad():
        read = model(x).argmax(1)
    return torch.bincount(10 * labels + read, minlength=100).view(10, 10)


def overlap(model: nn.Module, x: Tensor, masks: Tensor) -> float:
    """Pixels in both the predicted and the true masks, divided by those in at least one of them."""
    with torch.no_grad():
        found = model(x).argmax(1) == 1
    return (found & masks).sum().item() / (found | masks).sum().item()


def study() -> dict[str, Any]:
    images, labels = datasets.digits()
    images = images[:, None]
    train, (x, y) = (images[:1200], labels[:1200]), (images[1200:], labels[1200:])
    result: dict[str, Any] = {"classifiers": {}, "segmenters": {}}
    for name, make in CLASSIFIERS.items():
        tables = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            model = make()
            fit(model, cross_entropy, train, epochs=12, learning_rate=4e-3, seed=seed)
            tables.append([confusion(model, x, y), confusion(model, mirror(x), y)])
            print(name, seed, *(float(table.trace() / len(y)) for table in tables[-1]), flush=True)
        outside, inside = (torch.stack(side) for side in zip(*tables, strict=True))
        result["classifiers"][name] = {
            "parameters": sum(p.numel() for p in model.parameters()),
            "outside": [round(float(table.trace() / len(y)), 4) for table in outside],
            "inside": [round(float(table.trace() / len(y)), 4) for table in inside],
            "confusion_outside": outside.sum(0).tolist(),
            "confusion_inside": inside.sum(0).tolist(),
        }
    x, masks, _ = datasets.digits_on_photos(0, 600)
    x_test, masks_test, _ = datasets.digits_on_photos(1, 300, "test")
    for name, make in SEGMENTERS.items():
        sides = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            model = make()
            fit(model, cross_entropy, (x, masks.long()), epochs=10, batch_size=20, learning_rate=1e-2, seed=seed)
            sides.append([overlap(model, x_test, masks_test), overlap(model, mirror(x_test), mirror(masks_test))])
            print(name, seed, *sides[-1], flush=True)
        result["segmenters"][name] = {
            "parameters": sum(p.numel() for p in model.parameters()),
            "outside": [round(side[0], 4) for side in sides],
            "inside": [round(side[1], 4) for side in sides],
        }
    return result


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = Path(__file__).with_name("reflections.json")
    path.write_text(json.dumps(study()) + "\n", encoding="utf-8")
    print(f"wrote {path.name}")
