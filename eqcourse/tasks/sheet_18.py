"""Lesson and sheet 18: steerable kernels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Verdict, Wrong, same_answer, show
from ..groups import CyclicGroup
from ..representations import Representation
from .common import Family, FamilyTask, same_word, yes_if

Image = list[list[float]]
Accept = Callable[[tuple[Any, ...], Any, Any], None]


def _tensor(values: Any) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


def _turn(x: Tensor, times: int) -> Tensor:
    """Quarter turns, counter-clockwise, of the last two axes."""
    return torch.rot90(x, times, (-2, -1))


def _shape(table: Any) -> tuple[int, ...] | None:
    """The shape of nested lists of numbers, None for anything else."""
    try:
        return tuple(_tensor(table).shape)
    except (TypeError, ValueError, RuntimeError):
        return None


def same_pictures(name: str, *labels: str) -> Accept:
    """Compare pictures with labels, and show the first one that differs. The labels name the axes before the pixels."""

    def accept(args: tuple[Any, ...], got: Any, expected: Any) -> None:
        call = f"{name}({', '.join(map(show, args))})"
        shape, found = _shape(expected), _shape(got)
        if found is None:
            raise Wrong(f"{call} gave {show(got)}; expected numbers of shape {shape}")
        if found != shape:
            raise Wrong(f"{call} gave numbers of shape {found}; expected shape {shape}")
        for place in itertools.product(range(4), repeat=len(labels)):
            mine, theirs = got, expected
            for label in place:
                mine, theirs = mine[label], theirs[label]
            if not same_answer(mine, theirs):
                where = ", ".join(f"{label} {number}" for label, number in zip(labels, place, strict=True))
                raise Wrong(f"{call}, {where}\n  gave     {show(mine)}\n  expected {show(theirs)}")

    return accept


# ---- in the lesson: the kernels of lifting and of a group convolution ------------------------------------------------


def lift(w: Image) -> Any:
    return torch.stack([_turn(_tensor(w), g) for g in range(4)])


Rule = Callable[[int, int], int]


def group_kernel(w: list[Image], label: Rule = lambda g, h: h - g, times: Rule = lambda g, h: g) -> Any:
    """Which of the kernels stands at output g and input h, and how many times it is turned."""
    return torch.stack(
        [torch.stack([_turn(_tensor(w[label(g, h) % 4]), times(g, h)) for h in range(4)]) for g in range(4)]
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

Kernels = Callable[[Tensor, int, str, str], Tensor]


@dataclass(frozen=True)
class Layer:
    """A layer by its kernels: (outputs, inputs, size, size) from weights, a size and the names of the fields."""

    kernels: Kernels

    def __call__(self, weights: list[float], x: Any, ins: str, outs: str) -> Any:
        patch = _tensor(x)
        k = _built(self.kernels, tuple(weights), patch.shape[-1], ins, outs)
        return (k @ patch.flatten()).tolist()


@lru_cache(maxsize=256)
def _built(kernels: Kernels, weights: tuple[float, ...], size: int, ins: str, outs: str) -> Tensor:
    """The matrix of a layer. A check asks for one on many patches, one after the other."""
    return kernels(_tensor(weights), size, ins, outs).flatten(1)


def _labels(field: str) -> int:
    return 4 if field == "regular" else 1


def _own_copies(w: Tensor, size: int, mirrors: bool = False) -> Tensor:
    """A kernel that turns leave alone: one weight for each orbit of pixels."""
    k = torch.zeros(size, size, dtype=torch.float64)
    for number, orbit in enumerate(_pixel_orbits(size, mirrors)):
        if number < len(w):
            for i, j in orbit:
                k[i, j] = w[number]
    return k


@cache
def _pixel_orbits(size: int, mirrors: bool) -> tuple[tuple[tuple[int, int], ...], ...]:
    orbits: list[tuple[tuple[int, int], ...]] = []
    seen: set[tuple[int, int]] = set()
    for i in range(size):
        for j in range(size):
            if (i, j) not in seen:
                orbit = {(i, j), (size - 1 - j, i), (size - 1 - i, size - 1 - j), (j, size - 1 - i)}
                orbit |= {(b, a) for a, b in orbit} if mirrors else set()
                seen |= orbit
                orbits.append(tuple(sorted(orbit)))
    return tuple(orbits)


def _patterns(
    label: Rule = lambda g, h: h - g, times: Callable[[int], int] = lambda g: g, mirrors: bool = False
) -> Layer:
    def kernels(w: Tensor, size: int, ins: str, outs: str) -> Tensor:
        if ins == outs == "trivial":
            return _own_copies(w, size, mirrors)[None, None]
        if ins == outs == "regular":
            return group_kernel(list(w.reshape(4, size, size)), label, lambda g, h: times(g))
        copies = torch.stack([_turn(w.reshape(size, size), times(g)) for g in range(4)])
        return copies[:, None] if outs == "regular" else copies[None]  # reading out: k_h = h▷w

    return Layer(kernels)


forward = _patterns()


def _own_copy_each(w: Tensor, size: int, ins: str, outs: str) -> Tensor:
    """Every kernel is its own turned copy, and all labels are treated alike."""
    return _own_copies(w, size).expand(_labels(outs), _labels(ins), size, size)


def _free(w: Tensor, size: int, ins: str, outs: str) -> Tensor:
    """A plain convolution: one free kernel for each input label, the same for each output label."""
    k = torch.zeros(_labels(ins) * size**2, dtype=torch.float64)
    k[: len(w)] = w[: len(k)]
    return k.reshape(_labels(ins), size, size).expand(_labels(outs), -1, -1, -1)


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
            family("trivial", "trivial", 7, 13),
            family("regular", "trivial", 3, 9),
            family("regular", "regular", 3, 36),
        ]
    return [
        family("trivial", "trivial", 3, 3),
        family("trivial", "trivial", 5, 7),
        family("regular", "regular", 1, 4),
        family("trivial", "regular", 3, 9),
        family("regular", "trivial", 3, 9),
        family("regular", "regular", 3, 36),
    ]


class PairsTask(FamilyTask):
    """Families of fields, judged one by one: an answer may be written pair by pair, and each pair has its own hint."""

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        whole = super().judge(answer, hidden)
        if whole.status == "passed" or whole.misconception or self._refuse(answer) is not None:
            return whole
        families = self.families(hidden)
        single = [FamilyTask.judge(replace(self, families=self._only(family)), answer, hidden) for family in families]
        by_status: dict[str, list[Family]] = {}
        for family, result in zip(families, single, strict=True):
            by_status.setdefault(result.status, []).append(family)
        if list(by_status) == ["not attempted"]:
            return whole
        lines = [
            f"{words}: {', '.join(map(self._pair, by_status[status]))}."
            for status, words in (("passed", "Right"), ("not attempted", "Not written yet"))
            if status in by_status
        ]
        for family, result in zip(families, single, strict=True):
            if result.status in ("not yet", "error"):
                lines += [f"Look at {self._pair(family)}, with {family.weights} weights:", result.message]
                return self._verdict(result.status, "\n".join(lines))
        return self._verdict("not yet", "\n".join(lines))

    def _maps_of(self, held: Misconception, family: Family) -> Tensor:
        assert isinstance(held.answer, Layer)
        units = torch.eye(family.weights, dtype=torch.float64)
        size = family.rho_in.axes[-1]
        return torch.stack([held.answer.kernels(w, size, *family.extra).flatten(1) for w in units])

    @staticmethod
    def _only(family: Family) -> Callable[[bool], list[Family]]:
        return lambda hidden: [family]

    @staticmethod
    def _pair(family: Family) -> str:
        size = family.rho_in.axes[-1]
        return f"{family.extra[0]} → {family.extra[1]} on {size}×{size}"

    def _call(self, args: tuple[Any, ...]) -> str:
        """Long lists of weights are almost always one 1 among zeros."""
        weights, x, ins, outs = args
        shown = show(weights)
        if len(weights) > 9:
            ones = [place for place, weight in enumerate(weights) if weight]
            shown = f"{len(weights)} weights"
            shown = f"[{shown}: 1 at place {ones[0]}, else 0]" if len(ones) == 1 else f"[{shown}]"
        return f'{self.name}({shown}, {show(x)}, "{ins}", "{outs}")'


# ---- task 2: lift, ReLU, convolve over the group ---------------------------------------------------------------------


def network(
    x: Image,
    w: Image,
    v: list[Image],
    label: Rule = lambda g, h: h - g,
    first: int = 1,
    times: Rule = lambda g, h: g,
    relu: bool = True,
    flip: bool = False,
) -> Any:
    """Four output pictures. ``first`` says how far the lifting kernel is turned for each step of g."""
    kernels = torch.stack([_turn(_tensor(w), first * g) for g in range(4)])[:, None]
    both = group_kernel(v, label, times)
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


COPIES = "seen from some sides"
# What a missed "no" is about, without its letter.
MISSED = {
    COPIES: "Not every response that you call unchanged is, among those seen from many sides: try an angle between two copies.",
    "": "Not every response of a single kernel that you call unchanged is: put one dot at the top and turn it.",
}


def _accept_angles(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """["yes", None], or ["no", [angle, dots]] with a witness that is named, and changes the response."""
    letter = args[0]
    call = f'classify("{letter}")'
    if not isinstance(got, list) or len(got) != 2 or got[0] not in ("yes", "no"):
        raise Malformed(f'{call} gave {show(got)}; expected ["yes", None] or ["no", [angle, dots]]')
    word, witness = got
    if word == "yes":
        if witness is not None:
            raise Malformed(f'{call} gave {show(got)}; a "yes" has no witness: ["yes", None]')
        if expected[0] == "no":
            raise Wrong(MISSED[COPIES if letter in "DEFGJ" else ""])
        return
    dots = witness[1] if isinstance(witness, list) and len(witness) == 2 else None
    if not isinstance(dots, list) or not all(isinstance(dot, list) and len(dot) == 3 for dot in dots):
        raise Wrong(f"{call}: the witness {show(witness)} is not [angle, list of dots [up, left, brightness]]")
    values = [witness[0], *(value for dot in dots for value in dot)]
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        raise Wrong(f"{call}: the witness {show(witness)} is not made of numbers")
    if not all(math.isfinite(value) and abs(value) <= 1e6 for value in values):
        raise Wrong(f"{call}: take numbers up to a million in the witness {show(witness)}")
    angle, claimed = witness[0], SETTINGS[letter][1]
    if claimed is not None and abs(angle / claimed - round(angle / claimed)) > 1e-9:
        raise Wrong(f"{call}: {show(angle)}° is not among the angles named for {letter}, the multiples of {claimed:g}°")
    if not _breaks(letter, angle, dots):
        raise Wrong(f"{call}: the witness {show(witness)} changes the response by less than a millionth")


def _breaks(letter: str, angle: float, dots: Dots) -> bool:
    """Whether a turn changes the response by more than a millionth of what the brightest dots could give (or of 1)."""
    response = SETTINGS[letter][0]
    before, after = response(dots), response(turn_dots(dots, angle))
    return abs(before - after) > 1e-6 * max([1.0, *(abs(b) * math.hypot(up, left) for up, left, b in dots)])


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


def _mirrors_halve(group: str, m: int, n: int, size: int) -> int:
    return count_kernels("SO(2)", m, n, size) // (1 if group == "SO(2)" else 2)


def _signed_difference(group: str, m: int, n: int, size: int) -> int:
    each, _ = _ring(group, m, n)
    return sum(each for f in {n - m, n + m} for radius in range(size // 2 + 1) if f <= 2 * radius)


def _always_two_frequencies(group: str, m: int, n: int, size: int) -> int:
    each = 2 if group == "SO(2)" else 1
    return sum(each for f in (abs(n - m), n + m) for radius in range(size // 2 + 1) if f <= 2 * radius)


def _no_middle(group: str, m: int, n: int, size: int) -> int:
    each, frequencies = _ring(group, m, n)
    return sum(each for f in frequencies for radius in range(1, size // 2 + 1) if f <= 2 * radius)


def _count_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ("SO(2)", 0, 0, 7),
            ("O(2)", 0, 0, 7),
            ("SO(2)", 2, 2, 5),
            ("O(2)", 3, 1, 7),
            ("SO(2)", 0, 5, 5),
            ("SO(2)", 4, 0, 7),
            ("O(2)", 2, 3, 9),
        ]
    return [
        ("SO(2)", 0, 0, 5),
        ("O(2)", 0, 0, 5),
        ("SO(2)", 0, 1, 5),
        ("SO(2)", 1, 1, 5),
        ("SO(2)", 1, 2, 5),
        ("SO(2)", 2, 1, 7),
        ("SO(2)", 3, 0, 7),
        ("O(2)", 1, 2, 5),
        ("O(2)", 2, 1, 5),
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
        accept=same_pictures("lift", "element"),
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
        accept=same_pictures("group_kernel", "output", "input"),
        shown="Each element turns the kernels and shifts their labels.",
        misconceptions=(
            Misconception(
                "labels do not shift",
                lambda w: group_kernel(w, lambda g, h: h),
                "You turn the kernels and leave their labels. The input's four numbers change places when the image turns: take w[h − g].",
            ),
            Misconception(
                "kernels do not turn",
                lambda w: group_kernel(w, times=lambda g, h: 0),
                "You shift the labels and do not turn the kernels. Pixels move as well.",
            ),
            Misconception(
                "g − h in place of h − g",
                lambda w: group_kernel(w, lambda g, h: g - h),
                "Your labels run backwards: seen from g, the label h is h − g.",
            ),
            Misconception(
                "turned clockwise",
                lambda w: group_kernel(w, times=lambda g, h: -g),
                "Your kernels turn clockwise, the labels counter-clockwise. Both have to follow g.",
            ),
            Misconception(
                "h + g in place of h − g",
                lambda w: group_kernel(w, lambda g, h: h + g),
                "You take w[h + g]. One turn takes input 1 and output 0 to input 2 and output 1: both have to use w[1].",
            ),
            Misconception(
                "turned by h",
                lambda w: group_kernel(w, times=lambda g, h: h),
                "You turn each kernel by its input's label h. It turns by the output's, g.",
            ),
            Misconception(
                "output and input exchanged",
                lambda w: group_kernel(w).transpose(0, 1),
                "Your first axis is the input h and your second the output g. The output comes first.",
            ),
        ),
    ),
    PairsTask(
        id="18.kernels",
        outcome="write all kernels that satisfy the kernel constraint of C_4",
        points=5,
        minutes=30,
        name="forward",
        reference=forward,
        families=_families,
        shown="Every kernel that C_4 allows is reached.",
        misconceptions=(
            Misconception(
                "each kernel is its own turned copy",
                Layer(_own_copy_each),
                "All your kernels look the same after a quarter turn. From number to number this is all there is. With four labels "
                "a kernel may differ from its copies, as long as all copies are there.",
            ),
            Misconception(
                "any kernel will do",
                Layer(_free),
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
            Misconception(
                "labels run the other way",
                _patterns(label=lambda g, h: h + g),
                "You take the kernel h + g. One turn takes input 1 and output 0 to input 2 and output 1: both use the kernel 1.",
            ),
            Misconception(
                "mirror images share a weight too",
                _patterns(mirrors=True),
                "From number to number, your pixels share a weight with their mirror images. C_4 has no mirrors.",
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
        accept=same_pictures("network", "element"),
        shown="Turn the image: your four pictures turn and move on by one label.",
        misconceptions=(
            Misconception(
                "labels do not shift",
                _variant(label=lambda g, h: h),
                "Your second layer turns its kernels and leaves their labels: take v[h − g].",
            ),
            Misconception(
                "kernels of the second layer do not turn",
                _variant(times=lambda g, h: 0),
                "Your second layer shifts labels and does not turn its kernels.",
            ),
            Misconception(
                "turned clockwise",
                _variant(first=-1, times=lambda g, h: -g),
                "Your kernels turn clockwise. The label 1 belongs to a quarter turn counter-clockwise.",
            ),
            Misconception(
                "only the first layer turns clockwise",
                _variant(first=-1),
                "Your lifting kernel turns clockwise. The label 1 belongs to a quarter turn counter-clockwise.",
            ),
            Misconception(
                "only the second layer turns clockwise",
                _variant(times=lambda g, h: -g),
                "Your second layer's kernels turn clockwise, your first layer's do not.",
            ),
            Misconception(
                "lifting does not turn",
                _variant(first=0),
                "Your first layer takes the same kernel four times. Turn it for each element.",
            ),
            Misconception(
                "h + g in place of h − g",
                _variant(label=lambda g, h: h + g),
                "Your second layer takes v[h + g]: take v[h − g].",
            ),
            Misconception(
                "turned by h",
                _variant(times=lambda g, h: h),
                "Your second layer turns each kernel by its input's label h. It turns by the output's, g.",
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
        minutes=20,
        name="classify",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=_accept_angles,
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
        minutes=20,
        name="count_kernels",
        reference=count_kernels,
        cases=_count_cases,
        shown="Rings, frequencies |n − m| and n + m, and the band limit together; kernel_basis finds as many.",
        misconceptions=(
            Misconception(
                "every ring carries every wave",
                _unlimited,
                "You count every frequency on every ring. A ring of radius R holds at most 2R waves.",
            ),
            Misconception(
                "mirrors cost nothing",
                _mirrors_cost_nothing,
                "You give O(2) as many kernels as SO(2). Ask which matrices k(0) the mirror allows, for each pair of fields.",
            ),
            Misconception(
                "the mirror always strikes out half",
                _mirrors_halve,
                "You halve the count for O(2) everywhere. From number to number the mirror is 1 on both sides, and asks nothing.",
            ),
            Misconception(
                "n − m with its sign",
                _signed_difference,
                "Your frequency n − m is below 0 where m > n, and passes the band limit everywhere. Waves are counted by |n − m|.",
            ),
            Misconception(
                "always two frequencies",
                _always_two_frequencies,
                "You count |n − m| and n + m as two frequencies even where m or n is 0. There they are one and the same.",
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
