"""Lesson and sheet 18: steerable kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Misconception, ValueTask
from ..groups import CyclicGroup
from ..representations import Representation
from .common import Family, FamilyTask, accept_yes_no, same_word, yes_if

Image = list[list[float]]


def _tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _turn(x: Tensor, times: int) -> Tensor:
    """Quarter turns, counter-clockwise, of the last two axes."""
    return torch.rot90(x, times, (-2, -1))


# ---- in the lesson: the kernels of lifting and of a group convolution ------------------------------------------------


def lift(w: Image) -> Any:
    return torch.stack([_turn(_tensor(w), g) for g in range(4)])


def group_kernel(
    w: list[Image], label: Callable[[int, int], int] = lambda g, h: h - g, times: Callable[[int], int] = lambda g: g
) -> Any:
    return torch.stack(
        [torch.stack([_turn(_tensor(w[label(g, h) % 4]), times(g)) for h in range(4)]) for g in range(4)]
    )


def _lift_cases(hidden: bool) -> list[tuple[Any, ...]]:
    one, two = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[0, -1, 0], [0, 0, 2], [0, 0, 0]]
    large = [[float((7 * i + 3 * j * j) % 11) for j in range(5)] for i in range(5)]
    return [(large,), (two,)] if hidden else [(one,), (two,)]


def _group_cases(hidden: bool) -> list[tuple[Any, ...]]:
    numbers = [[[float(h + 1)]] for h in range(4)]
    small = [[[float(9 * h + 3 * i + j) for j in range(3)] for i in range(3)] for h in range(4)]
    one_label = [[[float(h == 1 and (i, j) == (0, 1)) for j in range(3)] for i in range(3)] for h in range(4)]
    mixed = [[[float((5 * h + 7 * i * i + 3 * j + h * j) % 13) for j in range(5)] for i in range(5)] for h in range(4)]
    return [(small,), (mixed,)] if hidden else [(numbers,), (one_label,), (small,)]


# ---- task 1: all kernels, seen at one pixel --------------------------------------------------------------------------

Layer = Callable[[list[float], Any, str, str], Any]


def layer(recipe: Callable[[Tensor, Tensor, str, str], Tensor]) -> Layer:
    """A layer from lists; the recipe gives y (labels,) from kernels with the input's labels and the patch."""

    def forward(weights: list[float], x: Any, ins: str, outs: str) -> Any:
        patch, w = _tensor(x), _tensor(weights)
        patch = patch if ins == "regular" else patch[None]
        y = recipe(w, patch, ins, outs)
        return y.tolist()

    return forward


def _kernels(w: Tensor, patch: Tensor) -> Tensor:
    """The weights as one kernel for each input label; a short list is filled up with zeros."""
    padded = torch.zeros(patch.numel(), dtype=torch.float64)
    padded[: len(w)] = w[: patch.numel()]
    return padded.reshape(patch.shape)


def _own_copies(w: Tensor, size: int) -> Tensor:
    """A kernel that turns leave alone: one weight for each orbit of pixels."""
    k = torch.zeros(size, size, dtype=torch.float64)
    for number, orbit in enumerate(_pixel_orbits(size)):
        if number < len(w):
            for i, j in orbit:
                k[i, j] = w[number]
    return k


@cache
def _pixel_orbits(size: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    orbits: list[tuple[tuple[int, int], ...]] = []
    seen: set[tuple[int, int]] = set()
    for i in range(size):
        for j in range(size):
            if (i, j) not in seen:
                orbit = {(i, j), (size - 1 - j, i), (size - 1 - i, size - 1 - j), (j, size - 1 - i)}
                seen |= orbit
                orbits.append(tuple(sorted(orbit)))
    return tuple(orbits)


def _patterns(
    label: Callable[[int, int], int] = lambda g, h: h - g, times: Callable[[int], int] = lambda g: g
) -> Layer:
    def recipe(w: Tensor, patch: Tensor, ins: str, outs: str) -> Tensor:
        size = patch.shape[-1]
        if ins == outs == "trivial":
            return (_own_copies(w, size) * patch[0]).sum()[None]
        if outs == "trivial":  # k_h = h▷w
            k = w.reshape(size, size)
            return torch.stack([(_turn(k, times(h)) * patch[h]).sum() for h in range(4)]).sum()[None]
        k = w.reshape(len(patch), size, size)
        sources = range(len(patch))
        terms = [
            [(_turn(k[label(g, h) % 4 if len(patch) == 4 else 0], times(g)) * patch[h]).sum() for h in sources]
            for g in range(4)
        ]
        return _tensor([[float(term) for term in row] for row in terms]).sum(1)

    return layer(recipe)


forward = _patterns()


def _own_copy_each(w: Tensor, patch: Tensor, ins: str, outs: str) -> Tensor:
    """Every kernel is its own turned copy, and all labels are treated alike."""
    y = (_own_copies(w, patch.shape[-1]) * patch.sum(0)).sum()[None]
    return y.repeat(4 if outs == "regular" else 1)


def _free(w: Tensor, patch: Tensor, ins: str, outs: str) -> Tensor:
    """A plain convolution: one free kernel, the same for each output label."""
    return (_kernels(w, patch) * patch).sum()[None].repeat(4 if outs == "regular" else 1)


@cache
def _field(name: str, size: int) -> Representation:
    group = CyclicGroup(4)
    pixels = group.on_grid(size, size)
    return group.regular() * pixels if name == "regular" else pixels


def _families(hidden: bool) -> list[Family]:
    def family(ins: str, outs: str, size: int, weights: int) -> Family:
        group = CyclicGroup(4)
        rho_out = group.regular() if outs == "regular" else group.trivial()
        return Family(_field(ins, size), rho_out, weights, (ins, outs))

    if hidden:
        return [
            family("regular", "trivial", 1, 1),
            family("trivial", "regular", 3, 9),
            family("trivial", "trivial", 5, 7),
            family("regular", "trivial", 3, 9),
            family("regular", "regular", 3, 36),
        ]
    return [
        family("trivial", "trivial", 3, 3),
        family("regular", "regular", 1, 4),
        family("trivial", "regular", 3, 9),
        family("regular", "trivial", 3, 9),
        family("regular", "regular", 3, 36),
    ]


# ---- task 2: lift, ReLU, convolve over the group ---------------------------------------------------------------------


def network(
    x: Image,
    w: Image,
    v: list[Image],
    label: Callable[[int, int], int] = lambda g, h: h - g,
    first: int = 1,
    second: int = 1,
    relu: bool = True,
    flip: bool = False,
) -> Any:
    """Four output pictures. ``first`` and ``second`` say how far the kernels are turned for each step of g."""
    kernels = torch.stack([_turn(_tensor(w), first * g) for g in range(4)])[:, None]
    both = group_kernel(v, label, lambda g: second * g)
    if flip:
        kernels, both = kernels.flip(-1, -2), both.flip(-1, -2)
    hidden = torch.nn.functional.conv2d(_tensor(x)[None, None], kernels, padding="same")
    hidden = hidden.relu() if relu else hidden
    return torch.nn.functional.conv2d(hidden, both, padding="same")[0]


def _variant(**how: Any) -> Callable[..., Any]:
    return lambda x, w, v: network(x, w, v, **how)


def _network_cases(hidden: bool) -> list[tuple[Any, ...]]:
    x, edge = [[0.0, 0, 0], [0, 1, 2], [0, 0, 0]], [[0.0, 0, 0], [-1, 0, 1], [0, 0, 0]]
    points = [[[float(h + 1 if (i, j) == (1, 1) else 0) for j in range(3)] for i in range(3)] for h in range(4)]
    mixed = [
        [[float((5 * h + 2 * i * i + 3 * j + h * j) % 7 - 3) for j in range(3)] for i in range(3)] for h in range(4)
    ]
    bent = [[1.0, 0, -2], [0, 1, 0], [3, 0, 0]]
    larger = [[float((3 * i * i + 5 * j + i * j) % 6) for j in range(4)] for i in range(4)]
    if hidden:
        return [(larger, bent, mixed), (x, bent, points), (bent, edge, mixed)]
    return [(x, edge, points), (x, bent, mixed), (larger, edge, mixed)]


# ---- task 3: which angles --------------------------------------------------------------------------------------------

Dots = list[list[float]]
Response = Callable[[Dots], float]


def _wave(frequency: int, phase: float, dots: Dots) -> float:
    """Σ brightness · radius · cos(frequency · θ − phase)."""
    return sum(b * math.hypot(up, left) * math.cos(frequency * math.atan2(left, up) - phase) for up, left, b in dots)


def _one_sided(phase: float, dots: Dots) -> float:
    """A kernel with no symmetry: waves of frequency 1, 2, 3 and 5, turned by ``phase``."""
    return sum(_wave(f, f * phase, dots) / f for f in (1, 2, 3, 5))


def _seen_from(copies: int) -> Response:
    return lambda dots: max(_one_sided(2 * math.pi * k / copies, dots) for k in range(copies))


SETTINGS: dict[str, tuple[Response, float | None]] = {
    "A": (lambda dots: _wave(0, 0, dots), None),
    "B": (lambda dots: _wave(4, 0, dots), 90),
    "C": (lambda dots: _wave(4, 0, dots), 45),
    "D": (_seen_from(4), 90),
    "E": (_seen_from(4), 45),
    "F": (_seen_from(8), 45),
    "G": (_seen_from(8), 30),
    "H": (lambda dots: math.hypot(_wave(1, 0, dots), _wave(1, math.pi / 2, dots)), None),
    "I": (lambda dots: _one_sided(0, dots), 90),
    "J": (_seen_from(36), None),
}


def respond(letter: str, dots: Dots) -> float:
    """The response of setting ``letter`` to an image of dots [up, left, brightness]."""
    return SETTINGS[letter][0](dots)


def turn_dots(dots: Dots, degrees: float) -> Dots:
    """Each dot turned counter-clockwise about the middle of the image."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [[c * up - s * left, s * up + c * left, b] for up, left, b in dots]


def _breaks(letter: str, angle: Any, dots: Any) -> bool:
    response, claimed = SETTINGS[letter]
    values = [angle, *(value for dot in dots for value in dot)]
    if any(isinstance(value, bool) or not math.isfinite(value) or abs(value) > 1e6 for value in values):
        raise ValueError("not finite")
    if claimed is not None and abs(angle / claimed - round(angle / claimed)) > 1e-9:
        return False
    before, after = response(dots), response(turn_dots(dots, angle))
    return abs(before - after) > 1e-6 * max(1.0, *(abs(b) * math.hypot(up, left) for up, left, b in dots))


def classify(letter: str) -> list[Any]:
    witnesses: dict[str, list[Any]] = {"C": [45, [[1, 0, 1]]], "E": [45, [[1, 0, 1]]], "G": [30, [[1, 0, 1]]]}
    witnesses |= {"I": [90, [[1, 0, 1]]], "J": [5, [[1, 0, 1]]]}
    return ["no", witnesses[letter]] if letter in witnesses else ["yes", None]


# ---- task 4: how many kernels with rings and waves -------------------------------------------------------------------


def count_kernels(group: str, m: int, n: int, size: int) -> int:
    each, frequencies = _ring(group, m, n)
    return sum(each for f in frequencies for radius in range(size // 2 + 1) if f <= 2 * radius)


def _ring(group: str, m: int, n: int) -> tuple[int, list[int]]:
    """Free numbers for each frequency, and the frequencies on a ring."""
    if m == n == 0:
        return 1, [0]
    each = 2 if group == "SO(2)" else 1
    return each, [m + n] if 0 in (m, n) else [abs(n - m), n + m]


def _unlimited(group: str, m: int, n: int, size: int) -> int:
    each, frequencies = _ring(group, m, n)
    return each * len(frequencies) * (size // 2 + 1)


def _mirrors_cost_nothing(group: str, m: int, n: int, size: int) -> int:
    return count_kernels("SO(2)", m, n, size)


def _difference_only(group: str, m: int, n: int, size: int) -> int:
    each, _ = _ring(group, m, n)
    return sum(each for radius in range(size // 2 + 1) if abs(n - m) <= 2 * radius)


def _always_pairs(group: str, m: int, n: int, size: int) -> int:
    if m == n == 0:
        return (2 if group == "SO(2)" else 1) * (size // 2 + 1)
    return count_kernels(group, m, n, size)


def _no_middle(group: str, m: int, n: int, size: int) -> int:
    each, frequencies = _ring(group, m, n)
    return sum(each for f in frequencies for radius in range(1, size // 2 + 1) if f <= 2 * radius)


def _count_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [("SO(2)", 0, 0, 7), ("SO(2)", 2, 2, 5), ("O(2)", 3, 1, 7), ("SO(2)", 0, 5, 5), ("O(2)", 2, 3, 9)]
    return [
        ("SO(2)", 0, 0, 5),
        ("SO(2)", 0, 1, 5),
        ("SO(2)", 1, 1, 5),
        ("SO(2)", 1, 2, 5),
        ("O(2)", 1, 2, 5),
        ("O(2)", 0, 3, 7),
        ("O(2)", 2, 2, 3),
    ]


# ---- the tasks -------------------------------------------------------------------------------------------------------

HANDLES_45 = "a C_4 net handles 45°"

TASKS = [
    ValueTask(
        id="18.recall-1",
        outcome="count the equivariant linear maps between vectors of the plane",
        accepted=(2,),
        why="a1 + bJ: turns of the plane commute with each other.",
        feedback={
            1: "1 is right with mirrors, for O(2). Without them a quarter turn commutes too.",
            4: "4 are all entries. Most matrices do not commute with turns.",
        },
    ),
    ValueTask(
        id="18.recall-2",
        outcome="apply the regular representation of a cyclic group",
        accepted=([40, 10, 20, 30],),
        why="The number at label h moves to label 1 + h; the last one goes round to 0.",
        feedback={
            (20, 30, 40, 10): "This is the inverse. The number at label 0 moves to label 1.",
            (10, 20, 30, 40): "Only the identity leaves them in place.",
        },
    ),
    FunctionTask(
        id="18.lift",
        outcome="turn a kernel to all elements of C_4",
        minutes=3,
        name="lift",
        reference=lift,
        cases=_lift_cases,
        shown="Four views of one kernel, counter-clockwise, the first one not turned.",
        misconceptions=(
            Misconception(
                "turned clockwise",
                lambda w: torch.stack([_turn(_tensor(w), -g) for g in range(4)]),
                "Your copies turn clockwise. Element 1 turns counter-clockwise, as the features' labels do.",
            ),
            Misconception(
                "the same kernel four times",
                lambda w: torch.stack([_tensor(w)] * 4),
                "Four equal kernels look from one side only. Turn the kernel for each element.",
            ),
        ),
    ),
    FunctionTask(
        id="18.group-kernel",
        outcome="write the kernels of a group convolution",
        minutes=6,
        name="group_kernel",
        reference=group_kernel,
        cases=_group_cases,
        shown="Each element turns the kernels and shifts their labels.",
        misconceptions=(
            Misconception(
                "labels do not shift",
                lambda w: group_kernel(w, lambda g, h: h),
                "You turn the kernels and leave their labels. The input's four numbers change places when the image turns: take w[h − g].",
            ),
            Misconception(
                "kernels do not turn",
                lambda w: group_kernel(w, times=lambda g: 0),
                "You shift the labels and do not turn the kernels. Pixels move as well.",
            ),
            Misconception(
                "g − h in place of h − g",
                lambda w: group_kernel(w, lambda g, h: g - h),
                "Your labels run backwards: seen from g, the label h is h − g.",
            ),
            Misconception(
                "turned clockwise",
                lambda w: group_kernel(w, times=lambda g: -g),
                "Your kernels turn clockwise, the labels counter-clockwise. Both have to follow g.",
            ),
        ),
    ),
    FamilyTask(
        id="18.kernels",
        outcome="write all kernels that satisfy the kernel constraint of C_4",
        points=5,
        minutes=20,
        name="forward",
        reference=forward,
        families=_families,
        shown="Every kernel that C_4 allows is reached.",
        misconceptions=(
            Misconception(
                "each kernel is its own turned copy",
                layer(_own_copy_each),
                "All your kernels look the same after a quarter turn. From number to number this is all there is. With four labels "
                "a kernel may differ from its copies, as long as all copies are there.",
            ),
            Misconception(
                "any kernel will do",
                layer(_free),
                "You leave the kernel free and give all labels the same answer, as a plain convolution does. Turn the patch: the kernel "
                "does not turn along.",
            ),
            Misconception(
                "labels do not shift",
                _patterns(label=lambda g, h: h),
                "You turn the kernels and leave the input's labels. When a field turns, its labels change places too.",
            ),
            Misconception(
                "kernels do not turn",
                _patterns(times=lambda g: 0),
                "You do not turn the kernels. The label g of the output looks from another side.",
            ),
            Misconception(
                "turned clockwise",
                _patterns(times=lambda g: -g),
                "Your kernels turn clockwise. The labels follow counter-clockwise turns.",
            ),
        ),
    ),
    FunctionTask(
        id="18.network",
        outcome="lift an image and convolve over the group",
        points=4,
        minutes=15,
        name="network",
        reference=network,
        cases=_network_cases,
        shown="Turn the image: your four pictures turn and move on by one label.",
        misconceptions=(
            Misconception(
                "labels do not shift",
                _variant(label=lambda g, h: h),
                "Your second layer turns its kernels and leaves their labels: take v[h − g].",
            ),
            Misconception(
                "kernels of the second layer do not turn",
                _variant(second=0),
                "Your second layer shifts labels and does not turn its kernels.",
            ),
            Misconception(
                "turned clockwise",
                _variant(first=-1, second=-1),
                "Your kernels turn clockwise. The label 1 belongs to a quarter turn counter-clockwise.",
            ),
            Misconception(
                "no ReLU",
                _variant(relu=False),
                "The ReLU between the layers is missing.",
            ),
            Misconception(
                "kernels are flipped",
                _variant(flip=True),
                "You flip the kernels, as a convolution in the strict sense does. Here they lie on the image as they are written.",
            ),
        ),
    ),
    FunctionTask(
        id="18.angles",
        outcome="say which angles a response respects exactly",
        points=4,
        minutes=15,
        name="classify",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=accept_yes_no("classify", _breaks, "Not every response that you call unchanged is."),
        same=same_word,
        count_only=True,
        shown="All ten are right, and each witness changes the response.",
        misconceptions=(
            Misconception(
                HANDLES_45,
                yes_if("ABCDEFH", classify),
                "You say that four turned copies, or four waves, handle 45°. Only turns by multiples of 90° carry the copies into each "
                "other: put one dot at the top, turn it by 45° and compute.",
            ),
            Misconception(
                "many copies handle every angle",
                yes_if("ABDFGHJ", classify),
                "You say that many copies handle angles between them. They come close, and are exact only for the angles of the copies.",
            ),
            Misconception(
                "only quarter turns can be exact",
                lambda letter: classify(letter) if letter in "BCDEGIJ" else ["no", [1, [[1, 0, 1]]]],
                "You refuse everything but quarter turns. On the pixels of an image that is so. In the plane, eight copies handle "
                "45° and a ring, or the length of a pair of waves, every angle.",
            ),
            Misconception(
                "any network handles turns",
                yes_if("ABCDEFGHIJ", classify),
                "You say yes to everything. Put one dot at the top, turn it, and compute.",
            ),
        ),
    ),
    FunctionTask(
        id="18.count",
        outcome="count ring-and-wave kernels with a band limit",
        points=4,
        minutes=15,
        name="count_kernels",
        reference=count_kernels,
        cases=_count_cases,
        shown="Rings, frequencies n − m and n + m, and the band limit together; kernel_basis finds as many.",
        misconceptions=(
            Misconception(
                "every ring carries every wave",
                _unlimited,
                "You count every frequency on every ring. A ring of radius R holds at most 2R waves.",
            ),
            Misconception(
                "mirrors cost nothing",
                _mirrors_cost_nothing,
                "You give O(2) as many kernels as SO(2). The mirror through a point of the ring strikes out half.",
            ),
            Misconception(
                "only the difference of the frequencies",
                _difference_only,
                "You count the waves with frequency |n − m|. There are those with n + m, too.",
            ),
            Misconception(
                "waves always come in pairs",
                _always_pairs,
                "You count two kernels for frequency 0 from number to number. A constant has no sine.",
            ),
            Misconception(
                "the middle pixel is no ring",
                _no_middle,
                "You leave out radius 0. The middle pixel carries the frequency 0.",
            ),
        ),
    ),
]
