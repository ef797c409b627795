"""Lesson and sheet 02: invariant and equivariant maps."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..checks import (
    FunctionTask,
    Malformed,
    Misconception,
    ValueTask,
    Wrong,
    named_map,
    named_representation,
    plain,
    same_answer,
    show,
)
from ..equivariance import equivariance_error
from ..representations import Representation
from .common import accept_yes_no, same_word, yes_if

Map = Callable[[Tensor], Tensor]


def _vector(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


# ---- task 1: measure ------------------------------------------------------------------------------------------------

Paths = Callable[[Map, Representation, Representation, Any, Tensor], tuple[Tensor, Tensor]]


def _both_paths(f: Map, rho_in: Representation, rho_out: Representation, g: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    return f(rho_in.act(g, x)), rho_out.act(g, f(x))


def _largest(difference: Tensor) -> float:
    return difference.abs().max().item()


def differences(
    paths: Paths = _both_paths, size: Callable[[Tensor], float] = _largest
) -> Callable[..., list[tuple[float, Any, Any]]]:
    """The size of left − right for each element and input, with that element and input."""

    def of(map_name: str, in_name: str, out_name: str, elements: list[Any], inputs: list[Any]) -> list[Any]:
        f, rho_in, rho_out = named_map(map_name), named_representation(in_name), named_representation(out_name)
        found = []
        for g, x in itertools.product(elements, inputs):
            left, right = paths(f, rho_in, rho_out, g, _vector(x))
            found.append((size(left - right), g, x))
        return found

    return of


def worst(found: list[tuple[float, Any, Any]]) -> tuple[float, Any, Any]:
    return max(found, key=lambda entry: entry[0])


def largest_difference(*args: Any) -> float:
    return worst(differences()(*args))[0]


def error(*args: Any) -> list[Any]:
    size, g, x = worst(differences()(*args))
    return [size, g, x]


def _accept_error(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """The right size, and a place where it is reached."""
    map_name, in_name, out_name, elements, inputs = args
    call = f"error({show(map_name)}, {show(in_name)}, {show(out_name)}, {show(elements)}, {show(inputs)})"
    if not isinstance(got, list) or len(got) != 3 or not isinstance(got[0], (int, float)):
        raise Malformed(f"{call} gave {show(got)}; expected [size, g, x]")
    if not same_answer(got[0], expected[0]):
        raise Wrong(f"{call}\n  gave the size {show(got[0])}\n  expected      {show(expected[0])}")
    sizes = [size for size, g, x in differences()(*args) if same_answer(got[1:], plain([g, x]))]
    if not sizes or not same_answer(sizes[0], expected[0]):
        reached = f"{show(got[1:])}, but the size {show(expected[0])} is not reached there"
        raise Wrong(f"{call}\n  gave the place {reached} (0 can be the largest size: start below it)")


def _same_size(a: Any, b: Any) -> bool:
    return isinstance(a, list) and isinstance(b, list) and same_answer(a[:1], b[:1])


def _act_if_it_fits(rho: Representation, g: Any, x: Tensor) -> Tensor:
    return rho.act(g, x) if tuple(x.shape) == rho.axes else x


# name, what is measured, message
_MEASURING: list[tuple[str, Callable[..., list[tuple[float, Any, Any]]], str]] = [
    (
        "equivariant means that the output does not change",
        differences(lambda f, rho_in, rho_out, g, x: (f(rho_in.act(g, x)), f(x))),
        "You compare f(g▷x) with f(x). That tests invariance. For equivariance the output has to move along: "
        "compare with g▷f(x).",
    ),
    (
        "the same action on both sides",
        differences(lambda f, rho_in, rho_out, g, x: (f(rho_in.act(g, x)), _act_if_it_fits(rho_in, g, f(x)))),
        "You act on the output with the input's action. Each side has its own: ρ_in on x, ρ_out on f(x).",
    ),
    (
        "the output's action on both sides",
        differences(lambda f, rho_in, rho_out, g, x: (f(_act_if_it_fits(rho_out, g, x)), rho_out.act(g, f(x)))),
        "You act on the input with the output's action. Each side has its own: ρ_in on x, ρ_out on f(x).",
    ),
    (
        "one element is enough",
        lambda *args: differences()(*args[:3], args[3][:1], args[4]),
        "You try only the first element. The size is the largest over all elements of the list.",
    ),
    (
        "one input is enough",
        lambda *args: differences()(*args[:4], args[4][:1]),
        "You try only the first input. The size is the largest over all inputs of the list.",
    ),
    (
        "only the last pair counts",
        lambda *args: differences()(*args)[-1:],
        "You return what the last pair gives. Keep the largest: worst = max(worst, …).",
    ),
    (
        "the sign is kept",
        differences(size=lambda difference: difference.max().item()),
        "You take the largest difference with its sign. An entry of −30 counts as 30: take the absolute value first.",
    ),
    (
        "the mean instead of the largest",
        differences(size=lambda difference: difference.abs().mean().item()),
        "You take the mean over the entries. One wrong entry among many would hardly show: take the largest.",
    ),
    (
        "the inverse on the way out",
        differences(
            lambda f, rho_in, rho_out, g, x: (f(rho_in.act(g, x)), rho_out.act(rho_out.group.inverse(g), f(x)))
        ),
        "You act on the output with g⁻¹. The same g acts on both sides.",
    ),
]


def _measuring(answer: Callable[[tuple[float, Any, Any]], Any]) -> tuple[Misconception, ...]:
    """The misconceptions about measuring, with answers of a task's form."""

    def of(measured: Callable[..., list[tuple[float, Any, Any]]]) -> Callable[..., Any]:
        return lambda *args: answer(worst(measured(*args)))

    return tuple(Misconception(name, of(measured), message) for name, measured, message in _MEASURING)


def _error_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, shifts = "S_3 permutes 3 numbers", "C_4 shifts 4 numbers"
    flips, alone = "Z_2 flips the sign of 3 numbers", "Z_2 leaves 3 numbers alone"
    if hidden:
        return [
            ("difference to the left neighbour", S3, S3, [[0, 2, 1], [2, 0, 1]], [[1, 5, 2]]),
            ("ReLU", flips, flips, [1, -1], [[1, -2, 4], [3, 0, 0]]),
            ("square", flips, alone, [1, -1], [[1, -2, 3]]),
            ("softmax", flips, alone, [1, -1, 1], [[0, 0, 0], [0, -1, 2], [1, 1, 1]]),
            ("multiply by 1, 2, 3, …", shifts, shifts, [0, 1], [[1, 0, 2, 5]]),
            ("running total", S3, S3, [[2, 1, 0], [0, 2, 1]], [[4, 1, 9], [50, 7, 1]]),
        ]
    return [
        ("double", S3, S3, [[1, 2, 0]], [[10, 20, 30]]),
        ("running total", S3, S3, [[1, 0, 2]], [[30, 10, 0]]),
        ("running total", S3, S3, [[0, 1, 2], [1, 0, 2], [1, 2, 0]], [[10, 20, 30], [0, 5, 1]]),
        ("square", flips, alone, [1, -1], [[1, 2, 3]]),
        # Two different actions, the worst place neither first nor last, and not in entry 0.
        ("ReLU", flips, alone, [1, -1, 1], [[0, 0, 0], [0, -2, 7], [0, 1, 0]]),
        ("sum", flips, "Z_2 leaves a number alone", [-1, 1], [[0, 1, 0], [1, 2, 3]]),
        ("subtract the mean", shifts, shifts, [1, 2], [[1, 2, 3, 6]]),
    ]


# ---- task 2: classify ------------------------------------------------------------------------------------------------

#: letter -> (map, representation on inputs, representation on outputs)
SETTINGS: dict[str, tuple[str, str, str]] = {
    "A": ("absolute value", "Z_2 flips the sign of 3 numbers", "Z_2 flips the sign of 3 numbers"),
    "B": ("cosine", "Z_2 flips the sign of 3 numbers", "Z_2 leaves 3 numbers alone"),
    "C": ("sum", "Z_2 flips the sign of 3 numbers", "Z_2 flips the sign of a number"),
    "D": ("reverse the order", "Z_2 reverses 3 numbers", "Z_2 reverses 3 numbers"),
    "E": ("subtract the smallest entry", "S_3 permutes 3 numbers", "S_3 permutes 3 numbers"),
    "F": ("largest minus smallest entry", "S_3 permutes 3 numbers", "S_3 leaves a number alone"),
    "G": ("mean of the two neighbours on a ring", "C_4 shifts 4 numbers", "C_4 shifts 4 numbers"),
    "H": ("mean of the two neighbours on a ring", "S_4 permutes 4 numbers", "S_4 permutes 4 numbers"),
    "I": ("add 1; if the first entry exceeds 100, add 2", "S_3 permutes 3 numbers", "S_3 permutes 3 numbers"),
    "J": ("add the third entry to the first two", "S_3 permutes 3 numbers", "S_3 permutes 3 numbers"),
}


def setting(letter: str) -> tuple[Map, Representation, Representation]:
    """The map and the two representations of one of the ten settings of task 02.classify.

    >>> f, rho_in, rho_out = setting("F")
    >>> rho_in, rho_out
    (R³ of S_3, 1 of S_3)
    """
    map_name, in_name, out_name = SETTINGS[letter]
    return named_map(map_name), named_representation(in_name), named_representation(out_name)


def _breaks(letter: str, g: Any, x: Any) -> bool:
    size = setting(letter)[1].dim
    if len(x) != size:
        raise Wrong(f'classify("{letter}"): the x of a witness needs {size} numbers here, {show(x)} has {len(x)}')
    left, right = _both_paths(*setting(letter), g, _vector(x))
    return bool((left - right).abs().max() > 1e-9)


def classify(letter: str) -> list[Any]:
    """Search all elements and a few inputs, one of them with large entries."""
    group = setting(letter)[1].group
    size = setting(letter)[1].dim
    inputs = [[10, 20, 30, 40][:size], [1, -2, 5, -7][:size], [200, 3, 50, 7][:size]]
    for x, g in itertools.product(inputs, group.elements()):
        if _breaks(letter, g, x):
            return ["no", [g.tolist() if isinstance(g, Tensor) else g, x]]
    return ["yes", None]


# ---- task 3: find the output action ------------------------------------------------------------------------------------


def fits(map_name: str, in_name: str, out_name: str) -> bool:
    """Whether a named map is equivariant on asymmetric inputs of both signs, for several elements."""
    f, rho_in, rho_out = named_map(map_name), named_representation(in_name), named_representation(out_name)
    if rho_out.group != rho_in.group or tuple(f(torch.ones(rho_in.axes).double()).shape) != rho_out.axes:
        return False
    return equivariance_error(f, rho_in, rho_out, inputs=_probes(rho_in.dim)).passed


def _probes(size: int) -> list[Tensor]:
    return [_vector([1, -2, 5, -7][:size]), _vector([-3, 20, 8, 1][:size])]


def output_action(map_name: str, in_name: str, candidates: list[str]) -> str:
    return next(name for name in candidates if fits(map_name, in_name, name))


def _accept_output_action(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    map_name, in_name, candidates = args
    if got not in candidates:
        raise Wrong(f"output_action({show(map_name)}, …) gave {show(got)}, which is not among the candidates")
    f, rho_in, rho_out = named_map(map_name), named_representation(in_name), named_representation(got)
    size = len(f(torch.ones(rho_in.axes).double()))
    if size != rho_out.dim:
        raise Wrong(f"{show(map_name)} gives {size} number{'s' * (size != 1)}; {show(got)} moves {rho_out.dim}")
    if not fits(map_name, in_name, got):
        found = equivariance_error(f, rho_in, rho_out, inputs=_probes(rho_in.dim)).counterexample
        raise Wrong(f"{show(map_name)} is not equivariant if the output is acted on by {show(got)}:\n{found}")


_S3 = ["S_3 permutes 3 numbers", "S_3 leaves 3 numbers alone", "S_3 leaves a number alone"]
_FLIPS = [
    "Z_2 flips the sign of 3 numbers",
    "Z_2 leaves 3 numbers alone",
    "Z_2 flips the sign of a number",
    "Z_2 leaves a number alone",
]
_TURNS = ["SO(2) turns a vector", "SO(2) leaves 2 numbers alone", "SO(2) leaves a number alone"]


def _output_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, flips, turns = _S3[0], _FLIPS[0], _TURNS[0]
    if hidden:
        return [
            ("softmax", S3, _S3[::-1]),
            ("max", S3, _S3[::-1]),
            ("subtract the mean", flips, _FLIPS[::-1]),
            ("length", flips, _FLIPS[::-1]),
            ("sum", flips, _FLIPS[::-1]),
            ("sort", S3, _S3[::-1]),
        ]
    return [
        ("double", flips, _FLIPS),
        ("square", flips, _FLIPS),
        ("sum", flips, _FLIPS),
        ("sort", S3, _S3),
        ("max", S3, _S3),
        ("unit vector", turns, _TURNS),
        ("length", turns, _TURNS),
    ]


def _of_right_size(wanted: Callable[[str], bool]) -> Callable[..., str]:
    """The first candidate of the map's output size that is wanted; otherwise the first of that size."""

    def answer(map_name: str, in_name: str, candidates: list[str]) -> str:
        size = tuple(named_map(map_name)(torch.ones(named_representation(in_name).axes)).shape)
        sized = [name for name in candidates if named_representation(name).axes == size]
        return next((name for name in sized if wanted(name)), sized[0])

    return answer


# ---- task 4: average ---------------------------------------------------------------------------------------------------

Term = Callable[[Tensor, Tensor, Tensor], Tensor]


def averaged(term: Term = lambda out, W, back: out @ W @ back, mean: bool = True) -> Callable[..., list[Any]]:
    """The mean over all g of a term in ρ_out(g), W and ρ_in(g⁻¹); the variants are what misconceptions compute."""

    def average_matrix(in_name: str, out_name: str, W: list[list[float]]) -> list[Any]:
        rho_in, rho_out = named_representation(in_name), named_representation(out_name)
        group, matrix = rho_in.group, torch.tensor(W, dtype=torch.float64)
        terms = torch.stack(
            [term(rho_out.matrix(g), matrix, rho_in.matrix(group.inverse(g))) for g in group.elements()]
        )
        return (terms.mean(0) if mean else terms.sum(0)).tolist()

    return average_matrix


def _average_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, S4, shifts = "S_3 permutes 3 numbers", "S_4 permutes 4 numbers", "C_4 shifts 4 numbers"
    if hidden:
        return [
            (S4, "S_4 leaves a number alone", [[3.0, 5.0, 1.0, 0.0]]),
            (S3, S3, [[1.0, 5.0, 2.0], [0.0, 7.0, 3.0], [4.0, 4.0, 9.0]]),
            (shifts, shifts, [[1.0, 2.0, 0.0, 4.0], [5.0, 0.0, 1.0, 2.0], [3.0, 1.0, 4.0, 1.0], [5.0, 9.0, 2.0, 6.0]]),
        ]
    return [
        (S3, "S_3 leaves a number alone", [[10.0, 20.0, 60.0]]),
        (S3, S3, [[9.0, 0.0, 0.0], [0.0, 0.0, 12.0], [0.0, 0.0, 0.0]]),
        (shifts, shifts, [[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 8.0], [0.0, 0.0, 0.0, 0.0]]),
    ]


# ---- task 5: ties ------------------------------------------------------------------------------------------------------


def tied(rep_name: str, x: list[float], most: int | None = None, exchanged: bool = False) -> list[list[int]]:
    """Places i < j such that an element moves i to j and leaves x as it is.

    Misconceptions look at the first ``most`` such elements only, or ask that i and j are ``exchanged``.
    """
    rho, size = named_representation(rep_name), len(x)
    fixing = [g for g in rho.group.elements() if torch.equal(rho.act(g, _vector(x)), _vector(x))]
    places = torch.arange(size)
    moves = [rho.act(g, places).tolist() for g in fixing[:most]]  # moves[.][j] is the place whose entry arrives at j
    pairs = itertools.combinations(range(size), 2)
    return [[i, j] for i, j in pairs if any(m[j] == i and (m[i] == j or not exchanged) for m in moves)]


def _tie_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S4, shifts, corners = "S_4 permutes 4 numbers", "C_4 shifts 4 numbers", "D_4 moves the corners of a square"
    if hidden:
        return [
            (shifts, [2, 9, 2, 9]),
            (S4, [4, 4, 4, 1]),
            (corners, [1, 1, 2, 2]),
            (shifts, [7, 7, 1, 1]),
            (corners, [3, 1, 1, 1]),
            (shifts, [6, 6, 6, 6]),
        ]
    return [
        (S4, [5, 5, 1, 2]),
        (shifts, [1, 2, 1, 2]),
        (shifts, [1, 1, 2, 3]),
        (corners, [1, 2, 3, 2]),
        (S4, [5, 5, 5, 2]),
        (shifts, [1, 1, 1, 1]),
    ]


TASKS = [
    ValueTask(
        id="02.recall-1",
        outcome="recall lesson 01",
        minutes=1,
        accepted=([30, 10, 20],),
        why="The entry at place i goes to place g[i]: 10 to place 1, 20 to place 2, 30 to place 0.",
        feedback={(20, 30, 10): "That is x[g], which looks up at g. The entry 10, at place 0, goes to place g[0] = 1."},
    ),
    ValueTask(
        id="02.recall-2",
        outcome="recall lesson 00",
        minutes=1,
        accepted=("place",),
        why="One scorer for all places gives a blip and its moved copy the same score.",
        feedback={"shape": "Up first or down first is what the sliding model could tell, anywhere."},
    ),
    FunctionTask(
        id="02.largest-difference",
        outcome="measure how far a map is from equivariant",
        minutes=5,
        name="largest_difference",
        reference=largest_difference,
        cases=_error_cases,
        shown="You compare f(g▷x) with g▷f(x), each side with its own action, over all elements and all inputs.",
        misconceptions=_measuring(lambda found: found[0]),
    ),
    FunctionTask(
        id="02.error",
        outcome="measure how far a map is from equivariant, and where",
        points=3,
        minutes=8,
        name="error",
        reference=error,
        cases=_error_cases,
        accept=_accept_error,
        same=_same_size,
        shown="You compare f(g▷x) with g▷f(x), each side with its own action, and find where they differ most.",
        misconceptions=_measuring(list),
    ),
    FunctionTask(
        id="02.classify",
        outcome="tell equivariant maps from others, with a witness for each no",
        points=4,
        minutes=15,
        name="classify",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=accept_yes_no("classify", _breaks, "Not every map that you call equivariant is."),
        same=same_word,
        count_only=True,
        shown="All ten are right, and each witness makes the two paths differ.",
        misconceptions=(
            Misconception(
                "sampled inputs prove it",
                yes_if("BCDEFGI", classify),
                "One of the maps that you call equivariant fails only on inputs of a particular kind. Small test inputs cannot show it: "
                "read what the maps do, and choose inputs that reach every branch.",
            ),
            Misconception(
                "one arbitrary element is enough",
                yes_if("BCDEFGJ", classify),
                "One of the maps that you call equivariant survives the swap of the first two entries and fails for other elements. "
                "One element is enough only if its powers give the whole group.",
            ),
            Misconception(
                "equivariant means that the output does not change",
                yes_if("ABF", classify),
                "You say yes exactly where f(g▷x) = f(x). Where the output is acted on, it has to move along.",
            ),
            Misconception(
                "both sides have the same action",
                yes_if("DEG", classify),
                "You say yes only where input and output have the same action. They may differ: read the third entry of each setting.",
            ),
            Misconception(
                "invariant is not a case of equivariant",
                yes_if("CDEG", classify),
                "A map to a number that no element changes is equivariant too: its output has the trivial action.",
            ),
        ),
    ),
    FunctionTask(
        id="02.output-action",
        outcome="find the output action under which a map is equivariant; see invariance as the special case",
        points=3,
        minutes=8,
        name="output_action",
        reference=output_action,
        cases=_output_cases,
        accept=_accept_output_action,
        shown="Each map has an output action that makes it equivariant; where that is the trivial one, the map is invariant.",
        misconceptions=(
            Misconception(
                "the output moves like the input",
                _of_right_size(lambda name: "leaves" not in name),
                "You always let the output move. Some maps forget the move: there the output's action is the trivial one.",
            ),
            Misconception(
                "the output never moves",
                _of_right_size(lambda name: "leaves" in name),
                "You always take the trivial action, so you ask whether the map is invariant. Some of these maps move with their input.",
            ),
        ),
    ),
    FunctionTask(
        id="02.average",
        outcome="make a linear map equivariant by averaging its matrix over the group",
        points=3,
        minutes=10,
        name="average_matrix",
        reference=averaged(),
        cases=_average_cases,
        shown="The mean of ρ_out(g) W ρ_in(g⁻¹) over all g: act back, map, act forward.",
        misconceptions=(
            Misconception(
                "the inverse is left out",
                averaged(lambda out, W, back: out @ W @ torch.linalg.inv(back)),
                "You average ρ_out(g) W ρ_in(g). The input has to be moved back by g⁻¹, so that g on the output undoes it.",
            ),
            Misconception(
                "the output is not acted on",
                averaged(lambda out, W, back: W @ back),
                "You average W ρ_in(g⁻¹) and leave the output as it is. The result is invariant, whatever ρ_out is.",
            ),
            Misconception(
                "the input is not acted on",
                averaged(lambda out, W, back: out @ W),
                "You average ρ_out(g) W. The input has to be moved back first, by ρ_in(g⁻¹) on the right of W.",
            ),
            Misconception(
                "a sum instead of a mean",
                averaged(mean=False),
                "You add up and do not divide by the number of elements. A W that is equivariant already would not come out "
                "as it is.",
            ),
        ),
    ),
    FunctionTask(
        id="02.ties",
        outcome="say which outputs of an equivariant map must be equal",
        points=3,
        minutes=15,
        name="tied",
        reference=tied,
        cases=_tie_cases,
        shown="If g▷x = x, then g▷f(x) = f(x): places that such a g moves onto each other have equal outputs, for every equivariant f.",
        misconceptions=(
            Misconception(
                "an equivariant map can break ties",
                lambda rep_name, x: [],
                "You say that no outputs have to be equal. But if g▷x = x, then g▷f(x) = f(g▷x) = f(x): the output has "
                "the input's symmetry.",
            ),
            Misconception(
                "one element that leaves x alone is enough",
                lambda rep_name, x: tied(rep_name, x, most=2),
                "You use one element that leaves x as it is. There may be more of them: collect the pairs of all.",
            ),
            Misconception(
                "only places that are exchanged",
                lambda rep_name, x: tied(rep_name, x, exchanged=True),
                "You tie places that some g exchanges. It is enough that g moves one of them to the other: a shift of "
                "[1, 1, 1, 1] moves place 0 to place 1 and exchanges nothing.",
            ),
            Misconception(
                "equal entries always have equal outputs",
                lambda rep_name, x: [[i, j] for i, j in itertools.combinations(range(len(x)), 2) if x[i] == x[j]],
                "You tie places with equal entries. What counts is an element of the group that leaves all of x as it is "
                "and moves one of the places to the other: in [1, 1, 2, 3] no shift does.",
            ),
        ),
    ),
]
