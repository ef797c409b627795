"""Lesson and sheet 12: invariant projections."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..checks import (
    FunctionTask,
    Malformed,
    Misconception,
    ValueTask,
    Verdict,
    Wrong,
    named_representation,
    plain,
    same_answer,
    show,
)
from ..representations import Representation
from .common import CLOSE, Family, FamilyTask, accept_yes_no, same_word, yes_if

RING, PAIR = "C_4 shifts 4 numbers", "C_2 shifts 4 numbers by 2"
REVERSAL, STEPS = "Z_2 reverses 3 numbers", "C_3 shifts 6 numbers by 2"
FEW = "S_3 permutes the first 3 of 5 numbers"
TABLE = "S_3 permutes a 3×3 table"
FLIPS, TURNS = "Z_2 flips the sign of 3 numbers", "SO(2) turns a vector"
QUARTER = [[0, -1], [1, 0]]


def _vector(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


# ---- in the lesson: the orbits of places, and pooling over them ------------------------------------------------------


def orbit(name: str, place: int) -> list[int]:
    """All places to which the entry at a place can come."""
    return next(places for places in _orbits(name) if place in places)


def _orbits(name: str) -> list[list[int]]:
    """The orbits of places, in the order of their first places."""
    rho = named_representation(name)
    joined = sum(rho.matrix(g) for g in rho.group.elements())
    assert isinstance(joined, Tensor)
    return [list(places) for places in sorted({tuple(row.nonzero().flatten().tolist()) for row in joined})]


def _one_step(name: str, place: int) -> list[int]:
    """The place itself, and where each generator takes it."""
    rho = named_representation(name)
    return sorted({place, *(int(rho.matrix(g)[:, place].argmax()) for g in rho.group.generators)})


def _walk_with_one(name: str, place: int) -> list[int]:
    """Where the first generator alone takes an entry, in one step or in many."""
    rho = named_representation(name)
    matrix = rho.matrix(rho.group.generators[0])
    reached = [place]
    for here in reached:
        there = int(matrix[:, here].argmax())
        if there not in reached:
            reached.append(there)
    return sorted(reached)


def _orbit_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [(FEW, 1), (FEW, 4), ("C_5 shifts 5 numbers", 4), ("D_4 moves the corners of a square", 2)]
    return [(REVERSAL, 0), (REVERSAL, 1), (PAIR, 1), (RING, 2), (STEPS, 3), (FEW, 2), (TABLE, 1)]


_COMBINE: dict[str, Callable[[list[float]], float]] = {"sum": sum, "mean": lambda v: sum(v) / len(v), "max": max}


def pool(name: str, x: list[float], how: str) -> list[float]:
    return [_COMBINE[how]([x[i] for i in places]) for places in _orbits(name)]


def _mean_over_all(name: str, x: list[float], how: str) -> list[float]:
    if how != "mean":
        return pool(name, x, how)
    return [total / len(x) for total in pool(name, x, "sum")]


def _pool_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            (FEW, [1, 5, 3, -2, 4], "sum"),
            (FEW, [1, 5, 3, -2, 4], "mean"),
            (PAIR, [-3, -5, -1, -8], "max"),
            ("D_4 moves the corners of a square", [1, 2, 3, 5], "mean"),
        ]
    return [
        (RING, [10, 20, 60, 30], "sum"),
        (REVERSAL, [10, 20, 60], "sum"),
        (REVERSAL, [10, 20, 15], "mean"),
        (REVERSAL, [-10, 20, -60], "max"),
        (STEPS, [1, 2, 3, 4, 5, 9], "mean"),
        (STEPS, [1, 9, 3, 4, 5, 2], "max"),
        (TABLE, [1, 2, 3, 4, 5, 6, 7, 8, 90], "sum"),
    ]


# ---- task 1: count ---------------------------------------------------------------------------------------------------

Matrices = Callable[[Representation, list[Any]], list[Tensor]]


def _of_these(rho: Representation, elements: list[Any]) -> list[Tensor]:
    return [rho.matrix(g) for g in elements]


def _of_the_whole_group(rho: Representation, elements: list[Any]) -> list[Tensor]:
    group = rho.group
    more = list(group.generators) or [group.sample(seed) for seed in range(3)]
    return _of_these(rho, elements) + _of_these(rho, more)


def _without_signs(rho: Representation, elements: list[Any]) -> list[Tensor]:
    return [matrix.abs() for matrix in _of_these(rho, elements)]


def _free(matrices: list[Tensor]) -> int:
    """How many rows w with w M = w for all these matrices are independent."""
    size = len(matrices[0])
    equations = torch.cat([M.mT - torch.eye(size, dtype=M.dtype) for M in matrices])
    return size - int(torch.linalg.matrix_rank(equations, atol=1e-9))


def count(name: str, elements: list[Any], outputs: int, matrices: Matrices = _of_these) -> int:
    return outputs * _free(matrices(named_representation(name), elements))


def _equations_added(name: str, elements: list[Any], outputs: int) -> int:
    """As if the equations of different elements were independent."""
    rho = named_representation(name)
    return outputs * (rho.dim - sum(rho.dim - _free([rho.matrix(g)]) for g in elements))


def _generated(name: str, elements: list[Any], outputs: int) -> int:
    """One weight for each element that these elements generate, in each row."""
    given = _of_these(named_representation(name), elements)
    found = [torch.eye(len(given[0]), dtype=torch.float64)]
    for matrix in found:
        for g in given:
            if not any(torch.allclose(g @ matrix, known) for known in found):
                found.append(g @ matrix)
    return outputs * len(found)


def _count_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ("C_5 shifts 5 numbers", [2], 3),
            ("D_4 moves the corners of a square", [[0, 1]], 1),
            (STEPS, [1], 3),
            ("S_4 permutes 4 numbers", [[1, 2, 0, 3]], 2),
            ("S_3 permutes 3 numbers", [[1, 0, 2], [0, 2, 1]], 2),
            ("Z_2 leaves a number alone and flips another", [-1], 2),
            ("SO(2) leaves a number alone and turns a vector", [QUARTER], 2),
            (FLIPS, [1], 1),
            ("C_5 shifts 5 numbers", [1, 2], 2),
            ("SO(2) leaves a number alone and turns a vector", [QUARTER], 2),
        ]
    return [
        (RING, [1], 1),
        (RING, [1], 3),
        (RING, [2], 1),
        (RING, [0], 2),
        ("S_4 permutes 4 numbers", [[1, 0, 2, 3], [0, 1, 3, 2]], 3),
        (FLIPS, [-1], 2),
        (TURNS, [QUARTER], 1),
        (RING, [1, 2], 1),
        ("Z_2 leaves a number alone and flips another", [-1], 1),
    ]


# ---- task 2: a layer -------------------------------------------------------------------------------------------------

Weights = list[float]
Entry = Callable[[Weights, int, int, list[list[int]], int], float]


def _entry(weights: Weights, row: int, column: int, orbits: list[list[int]], outputs: int) -> float:
    number = next(i for i, places in enumerate(orbits) if column in places)
    return weights[row * len(orbits) + number]


def _shared_by_outputs(weights: Weights, row: int, column: int, orbits: list[list[int]], outputs: int) -> float:
    return _entry(weights, 0, column, orbits, outputs)


def _total_only(weights: Weights, row: int, column: int, orbits: list[list[int]], outputs: int) -> float:
    return weights[row]


def _one_for_each_place(weights: Weights, row: int, column: int, orbits: list[list[int]], outputs: int) -> float:
    size = sum(map(len, orbits))
    return weights[(row * size + column) % len(weights)]


def _first_place_only(weights: Weights, row: int, column: int, orbits: list[list[int]], outputs: int) -> float:
    first = any(places[0] == column for places in orbits)
    return _entry(weights, row, column, orbits, outputs) if first else 0.0


def layer(entry: Entry = _entry) -> Callable[..., list[float]]:
    """y = W x for a matrix with such entries."""

    def forward(weights: Weights, x: list[float], name: str, outputs: int) -> list[float]:
        orbits = _orbits(name)
        return [
            sum(entry(weights, row, column, orbits, outputs) * value for column, value in enumerate(x))
            for row in range(outputs)
        ]

    return forward


def _families(hidden: bool) -> list[Family]:
    cases = (
        [(FEW, 1), (STEPS, 3), ("S_4 permutes 4 numbers", 2)]
        if hidden
        else [(RING, 1), (RING, 3), (REVERSAL, 2), (TABLE, 1)]
    )
    families = []
    for name, outputs in cases:
        rho = named_representation(name)
        trivial = rho.group.trivial(outputs)
        families.append(Family(rho, trivial, outputs * len(_orbits(name)), (name, outputs)))
    return families


# ---- task 3: which are linear, which are invariant? ------------------------------------------------------------------

_POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "the sum": lambda x: x.sum(-1),
    "the mean": lambda x: x.mean(-1),
    "the maximum": lambda x: x.amax(-1),
    "the sum, plus 1": lambda x: x.sum(-1) + 1,
    "x₀ − x₁ + x₂ − x₃": lambda x: x[..., 0] - x[..., 1] + x[..., 2] - x[..., 3],
    "x₀x₁ + x₁x₂ + x₂x₃ + x₃x₀": lambda x: (x * x.roll(-1, -1)).sum(-1),
}

#: letter -> (map from a list to one number, "linear" or the name of a representation under which it may be invariant)
STATEMENTS: dict[str, tuple[str, str]] = {
    "A": ("the sum", "linear"),
    "B": ("the mean", "linear"),
    "C": ("the maximum", "linear"),
    "D": ("the maximum", RING),
    "E": ("the sum, plus 1", "linear"),
    "F": ("x₀ − x₁ + x₂ − x₃", RING),
    "G": ("x₀ − x₁ + x₂ − x₃", PAIR),
    "H": ("x₀x₁ + x₁x₂ + x₂x₃ + x₃x₀", RING),
    "I": ("x₀x₁ + x₁x₂ + x₂x₃ + x₃x₀", "S_4 permutes 4 numbers"),
    "J": ("the sum", FLIPS),
}


def statement(letter: str) -> tuple[Callable[[Tensor], Tensor], str, Representation | None]:
    """The map of a statement, what is said about it ("linear" or "invariant"), and for "invariant" the representation.

    >>> f, said, rho = statement("D")
    >>> f(torch.tensor([1.0, 5.0, 2.0, 0.0])), said, rho
    (tensor(5.), 'invariant', R⁴ of C_4)
    """
    map_name, claim = STATEMENTS[letter]
    if claim == "linear":
        return _POOLS[map_name], "linear", None
    return _POOLS[map_name], "invariant", named_representation(claim)


def _breaks(letter: str, first: Any, second: Any) -> bool:
    """Whether a witness [x, y] or [g, x] shows that the statement is wrong."""
    f, _, rho = statement(letter)
    size = 4 if rho is None else rho.dim
    inputs = [first, second] if rho is None else [second]
    for x in inputs:
        if not isinstance(x, list) or len(x) != size or not bool(_vector(x).isfinite().all()):
            raise Wrong(f'classify("{letter}"): an input of your witness has to be a list of {size} finite numbers')
    if rho is None:
        x, y = _vector(first), _vector(second)
        left, right = f(x + y), f(x) + f(y)
        agree = f'classify("{letter}"): for your witness f(x + y) and f(x) + f(y) agree'
    else:
        x = _vector(second)
        left, right = f(rho.act(first, x)), f(x)
        agree = f'classify("{letter}"): for your witness f(g▷x) and f(x) agree'
    if not bool(left.isfinite() and right.isfinite()):
        raise Wrong(f'classify("{letter}"): take smaller numbers in your witness')
    if (left - right).abs() <= 1e-6 * max(1.0, left.abs().item(), right.abs().item()):
        raise Wrong(agree)
    return True


def classify(letter: str) -> list[Any]:
    """A search over pairs of small inputs, or over all elements and a few inputs."""
    rho = statement(letter)[2]
    inputs = [[1, 0, 0, 0], [0, 1, 0, 0], [3, -1, 5, 2]]
    if rho is None:
        candidates = list(itertools.product(inputs, inputs))
    else:
        candidates = list(itertools.product(rho.group.elements(), [x[: rho.dim] for x in inputs]))
    for a, b in candidates:
        try:
            if _breaks(letter, plain(a), b):
                return ["no", [plain(a), b]]
        except Wrong:
            continue
    return ["yes", None]


# ---- task 4: invariants that tell rings apart ------------------------------------------------------------------------

Ring = list[float]


@dataclass(frozen=True)
class InvariantsTask(FunctionTask):
    """A function of one ring that has to be invariant under shifts, and has to tell the rings of each pair apart."""

    pairs: Callable[[bool], list[tuple[Ring, Ring]]] = lambda hidden: []

    def __post_init__(self) -> None:
        def cases(hidden: bool) -> list[tuple[Any, ...]]:
            return [(moved,) for pair in self.pairs(hidden) for x in pair for moved in _shifts(x)]

        object.__setattr__(self, "cases", cases)
        object.__setattr__(self, "same", lambda a, b: same_answer(_flat(a), _flat(b)))

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        refused = self._refuse(answer)
        if refused is not None:
            return refused
        cases = self.cases(hidden)
        answers: list[Any] = []
        for args in cases:
            got = self._ask(answer, args)
            if isinstance(got, Verdict):
                return got
            numbers = _flat(got)
            if not numbers or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in numbers):
                return self._verdict(
                    "not yet", f"{self._call(args)} gave {show(got)}; expected a list of finite numbers"
                )
            answers.append(got)
        given = {tuple(args[0]): _flat(got) for args, got in zip(cases, answers, strict=True)}
        reason = self._first_fault(given, hidden)
        if not reason:
            return self._verdict("passed", self.shown)
        held = self._recognise(cases, answers)
        if held is not None:
            return self._verdict("not yet", f"{reason}\n{held.message}", held.name)
        return self._verdict("not yet", reason)

    def _first_fault(self, given: dict[tuple[float, ...], list[float]], hidden: bool) -> str:
        """The first shift that changes the numbers, or the first pair that they do not tell apart; "" if there is none."""
        for pair in self.pairs(hidden):
            for x in pair:
                for moved in _shifts(x):
                    if not _equal(given[tuple(moved)], given[tuple(x)]):
                        return (
                            f"{self._call((x,))} = {show(given[tuple(x)])}\n"
                            f"{self._call((moved,))} = {show(given[tuple(moved)])}\n"
                            "  The second ring is the first one, shifted: the numbers have to be the same."
                        )
        for x, y in self.pairs(hidden):
            if _equal(given[tuple(x)], given[tuple(y)]):
                return (
                    f"{self._call((x,))} = {self._call((y,))} = {show(given[tuple(x)])}\n"
                    "  No shift turns one of these rings into the other: some number has to differ."
                )
        return ""


def _shifts(x: Ring) -> list[Ring]:
    return [x[-t:] + x[:-t] if t else list(x) for t in range(len(x))]


def _flat(answer: Any) -> list[Any]:
    return [v for part in answer for v in _flat(part)] if isinstance(answer, list) else [answer]


def _equal(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(abs(p - q) <= CLOSE * max(1.0, abs(p), abs(q)) for p, q in zip(a, b, strict=True))


def autocorrelation(x: Ring) -> list[float]:
    n = len(x)
    return [sum(x[i] * x[(i + k) % n] for i in range(n)) for k in range(n)]


def _pairs(hidden: bool) -> list[tuple[Ring, Ring]]:
    if hidden:
        return [
            ([1, 0, 0, 0, 1, 1], [1, 0, 1, 0, 1, 0]),
            ([1, -1, 2, 0], [1, 2, -1, 0]),
            ([1, 0, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]),
            ([5, 1, 1], [4, 2, 1]),
        ]
    return [
        ([1, 0, 0, 1], [1, 0, 1, 0]),
        ([1, 2, 3, 0, 0], [1, 2, 0, 3, 0]),
        ([1, 0, 1, 0, 0], [1, 0, 0, 0, 0]),
        # Not on the sheet: sum, sum of squares and products of neighbours agree here.
        ([3, 0, 1, 0, 0, 0], [3, 0, 0, 1, 0, 0]),
        ([2, 1, 0, 1, 0, 0], [2, 1, 0, 0, 1, 0]),
    ]


# ---- task 5: what a readout forgets ----------------------------------------------------------------------------------

Readout = Callable[[list[float]], Any]
Bags = list[list[float]]


def conflict(
    how: str, bags: Bags, labels: list[str], readouts: dict[str, Readout] | None = None, any_label: bool = False
) -> list[int] | None:
    """The first pair with equal readouts and different labels; misconceptions differ in what they read out."""
    read = (readouts or _COMBINE)[how]
    for i, j in itertools.combinations(range(len(bags)), 2):
        if (any_label or labels[i] != labels[j]) and same_answer(read(bags[i]), read(bags[j])):
            return [i, j]
    return None


def _believing(**changed: Readout) -> Callable[..., list[int] | None]:
    return lambda how, bags, labels: conflict(how, bags, labels, {**_COMBINE, **changed})


def _conflict_cases(hidden: bool) -> list[tuple[Any, ...]]:
    counts = ["one", "two", "three"]
    if hidden:
        return [
            ("mean", [[4, 0], [3], [2]], ["a", "a", "b"]),
            ("mean", [[3, 3, 3], [1], [3, 3]], counts[::-1]),
            ("sum", [[3, 3, 3], [1], [3, 3]], counts[::-1]),
            ("max", [[6], [6, 6], [2, 1]], counts),
            ("max", [[-1, -4], [-1, -2], [-3]], ["a", "a", "b"]),
            ("sum", [[1, -1], [5], [2, -2, 0]], ["a", "a", "b"]),
            ("sum", [[9], [1, 2], [4], [3]], ["a", "a", "b", "b"]),
            ("max", [[6], [8, 1], [7], [3, 8]], ["a", "a", "b", "b"]),
            ("mean", [[1, 2], [1], [4]], ["a", "b", "c"]),
            ("mean", [[5, 2], [6], [2, 5]], ["a", "b", "b"]),
        ]
    return [
        ("sum", [[1, 2], [3]], ["a", "b"]),
        ("sum", [[2], [2, 2]], counts[:2]),
        ("mean", [[2], [2, 2]], counts[:2]),
        ("max", [[5, 1], [5, 4], [2]], ["a", "a", "b"]),
        ("max", [[7, 0], [1, 7, 3], [4]], ["a", "b", "b"]),
        ("mean", [[1, 3], [3, 1], [2]], ["a", "a", "b"]),
        ("max", [[4], [7, 1], [5], [2, 7]], ["a", "a", "b", "b"]),
        ("mean", [[2, 3], [2], [5, 0]], ["a", "b", "b"]),
        ("sum", [[1, 2], [4], [2, 1]], ["a", "b", "b"]),
    ]


def _accept_conflict(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    how, bags, labels = args
    call = f"conflict({show(how)}, {show(bags)}, {show(labels)})"
    places = range(len(bags))
    if not (isinstance(got, list) and len(got) == 2 and all(type(i) is int and i in places for i in got)):
        raise Malformed(f"{call} gave {show(got)}; expected None or a pair [i, j] of places in the list of bags")
    i, j = got
    a, b = _COMBINE[how](bags[i]), _COMBINE[how](bags[j])
    if labels[i] == labels[j]:
        raise Wrong(f"{call} gave {show(got)}, but both have the label {show(labels[i])}: that is no conflict")
    if not same_answer(a, b):
        raise Wrong(f"{call} gave {show(got)}, but there the {how} is {show(a)} and {show(b)}: it tells them apart")


@dataclass(frozen=True)
class ConflictTask(FunctionTask):
    """None is an answer here: there is no conflict."""

    def _require_right(self, args: tuple[Any, ...], got: Any, expected: Any) -> None:
        call = self._call(args)
        if got is None:
            if expected is None:
                return
            i, j = expected
            bags, labels = args[1], args[2]
            raise Wrong(
                f"{call} gave None, but the {args[0]} is the same for {show(bags[i])} with the label {show(labels[i])} "
                f"and for {show(bags[j])} with the label {show(labels[j])}"
            )
        _accept_conflict(args, got, expected)


# ---- the tasks -------------------------------------------------------------------------------------------------------

TASKS = [
    ValueTask(
        id="12.recall-1",
        outcome="count the weights of an equivariant linear map on a ring",
        accepted=(8,),
        why="One weight for each distance round the ring: a circulant.",
        feedback={
            64: "Commuting with shifts ties the entries along each diagonal together.",
            2: "2 is what all permutations leave. Shifts are fewer, and leave more.",
            1: "One weight is left if the output is a number that stays. Here the output is shifted along.",
        },
    ),
    ValueTask(
        id="12.recall-2",
        outcome="say how large an orbit is",
        accepted=(2,),
        why="The shift by 2 gives [1, 0, 1, 0] again: the orbit is [1, 0, 1, 0] and [0, 1, 0, 1].",
        feedback={
            4: "There are four shifts, but two of them leave this list as it is.",
            1: "The shift by 1 gives [0, 1, 0, 1], another list.",
        },
    ),
    FunctionTask(
        id="12.orbit",
        outcome="find the places to which an entry can be moved",
        minutes=4,
        name="orbit",
        reference=orbit,
        cases=_orbit_cases,
        shown="Walking with the generators reaches the whole orbit, also where there are several.",
        misconceptions=(
            Misconception(
                "one step is enough",
                _one_step,
                "You stop after one step. From each new place the generators may lead on: add it to the list that you walk along.",
            ),
            Misconception(
                "one generator is enough",
                _walk_with_one,
                "You walk with the first generator only. A group may need several: take each of them from each place.",
            ),
            Misconception(
                "every place is reached",
                lambda name, place: list(range(named_representation(name).dim)),
                "You return all places. Some actions never bring this entry to some of them.",
            ),
            Misconception(
                "the place itself is left out",
                lambda name, place: [there for there in orbit(name, place) if there != place],
                "The identity leaves the entry where it is: its own place belongs to the orbit.",
            ),
        ),
    ),
    FunctionTask(
        id="12.pool",
        outcome="pool over each orbit",
        minutes=6,
        name="pool",
        reference=pool,
        cases=_pool_cases,
        shown="One number for each orbit of places, by sum, mean and maximum.",
        misconceptions=(
            Misconception(
                "all places are one orbit",
                lambda name, x, how: [_COMBINE[how](x)],
                "You pool over all places at once. That is right for one orbit; two orbits give two numbers.",
            ),
            Misconception(
                "always the sum",
                lambda name, x, how: pool(name, x, "sum"),
                'You always add up. The third argument says whether to take "sum", "mean" or "max".',
            ),
            Misconception(
                "the mean divides by all entries",
                _mean_over_all,
                "You divide by the number of all entries. The mean over an orbit divides by the number of its places.",
            ),
        ),
    ),
    FunctionTask(
        id="12.count",
        outcome="count the weights of a linear map to invariant numbers, for a group and for a part of it",
        points=3,
        minutes=12,
        name="count",
        reference=count,
        cases=_count_cases,
        shown="One weight for each orbit of places in each row; none for what the elements flip or turn.",
        misconceptions=(
            Misconception(
                "each of the N weights is free",
                lambda name, elements, outputs: outputs * named_representation(name).dim,
                "You count every entry of W. W ρ(g) = W ties the entries at places that g moves onto each other.",
            ),
            Misconception(
                "one weight in each row",
                lambda name, elements, outputs: outputs,
                "You give each row one weight. That holds if the elements move every entry to every place. With several orbits there "
                "are more, and where signs flip or vectors turn there may be none.",
            ),
            Misconception(
                "the outputs share their weights",
                lambda name, elements, outputs: count(name, elements, 1),
                "You count the weights of one output. Nothing ties the rows together: each has weights of its own.",
            ),
            Misconception(
                "a bigger group has more invariants",
                _generated,
                "You count one weight for each element. But each element is one more equation, and an equation never adds weights. "
                "Count the orbits of places.",
            ),
            Misconception(
                "each element has equations of its own",
                _equations_added,
                "You subtract the equations of each element from the number of entries, one element after the other. They may repeat "
                "each other: what the shift by 1 leaves alone, the shift by 2 does too. Count the equations of all elements together.",
            ),
            Misconception(
                "the whole group is always asked for",
                lambda name, elements, outputs: count(name, elements, outputs, _of_the_whole_group),
                "You ask for invariance under the whole group. Only the listed elements must leave the outputs alone: with fewer "
                "equations, more weights are free.",
            ),
            Misconception(
                "signs do not matter",
                lambda name, elements, outputs: count(name, elements, outputs, _without_signs),
                "You look only at where entries go. An entry that comes back with the other sign forces its weight to be its own "
                "negative: zero.",
            ),
        ),
    ),
    FamilyTask(
        id="12.layer",
        outcome="write all linear maps to invariant numbers",
        points=3,
        minutes=12,
        name="forward",
        reference=layer(),
        families=_families,
        shown="Every row is constant on each orbit of places, and every such matrix is reached.",
        misconceptions=(
            Misconception(
                "the outputs share their weights",
                layer(_shared_by_outputs),
                "All your outputs are equal. Each row may weigh the orbits in its own way.",
            ),
            Misconception(
                "only the total sum",
                layer(_total_only),
                "Each of your outputs is a multiple of the sum of all entries. Where there are several orbits, each may have a "
                "weight of its own.",
            ),
            Misconception(
                "each of the N weights is free",
                layer(_one_for_each_place),
                "You give places of one orbit different weights. An element moves an entry from one to the other, and the output changes.",
            ),
            Misconception(
                "one place stands for its orbit",
                layer(_first_place_only),
                "You read only one place of each orbit. What stands there changes when the entries are moved: add up the whole orbit.",
            ),
        ),
    ),
    FunctionTask(
        id="12.classify",
        outcome="say which of sum, mean and max are linear and which invariant, with a witness for each no",
        points=4,
        minutes=15,
        name="classify",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in STATEMENTS],
        accept=accept_yes_no("classify", _breaks, "Not every statement that you agree with holds."),
        same=same_word,
        count_only=True,
        shown="All ten are right, and each witness breaks its statement.",
        misconceptions=(
            Misconception(
                "max-pooling is linear",
                yes_if("ABCDGH", classify),
                "You call the maximum linear. The maximum of a sum is not the sum of the maxima: try two lists with their largest "
                "entries at different places.",
            ),
            Misconception(
                "only linear maps are invariant",
                yes_if("ABG", classify),
                "You say that what is not linear is not invariant. These are two questions: invariant means only that no element "
                "of the group changes the result.",
            ),
            Misconception(
                "the mean is not linear",
                yes_if("ADGH", classify),
                "You say that the mean is not linear. It is the sum times 1/N, and N is fixed here.",
            ),
            Misconception(
                "a constant may be added",
                yes_if("ABDEGH", classify),
                "You call a map with a constant linear. f(x + y) has the constant once, f(x) + f(y) twice.",
            ),
            Misconception(
                "invariant under shifts is invariant under everything",
                yes_if("ABDGHI", classify),
                "You take products of neighbours for invariant under all permutations. A permutation can separate neighbours.",
            ),
            Misconception(
                "a bigger group has more invariants",
                yes_if("ABDH", classify),
                "You refuse a map that the shift by 2 leaves alone, since other shifts change it. A part of a group asks for less, so "
                "more maps are invariant.",
            ),
            Misconception(
                "a sum is always invariant",
                yes_if("ABDGHJ", classify),
                "You call the sum invariant where signs are flipped. It does not care about places, but it does about signs.",
            ),
        ),
    ),
    InvariantsTask(
        id="12.invariants",
        outcome="find nonlinear invariants that tell apart what no linear invariant can",
        points=4,
        minutes=14,
        name="invariants",
        reference=autocorrelation,
        pairs=_pairs,
        shown="Your numbers stay the same under all shifts, and they tell the rings of each pair apart, also of pairs that the sheet does "
        "not list. Sums of products do this by a formula. A standard pose, such as the smallest of all shifts, would do it too.",
        misconceptions=(
            Misconception(
                "the sum is enough",
                lambda x: [sum(x)],
                "The sum is the only linear invariant of a ring. Where it agrees, you need something that is not linear.",
            ),
            Misconception(
                "sum, mean and max are enough",
                lambda x: [sum(x), sum(x) / len(x), max(x)],
                "Sum, mean and max do not know who stands beside whom. Combine an entry with its neighbours before you pool.",
            ),
            Misconception(
                "the sorted entries are enough",
                sorted,
                "The sorted list is invariant under all permutations, and so it forgets who stands beside whom. You need what shifts "
                "keep and other permutations break.",
            ),
            Misconception(
                "the list itself is invariant",
                list,
                "You return the entries in their order. A shift changes the order.",
            ),
            Misconception(
                "one distance is enough",
                lambda x: [autocorrelation(x)[1 % len(x)]],
                "You pool the products of neighbours. Take the other distances too: where no two lamps are neighbours, you see nothing.",
            ),
        ),
    ),
    ConflictTask(
        id="12.readout",
        outcome="show what a readout forgets",
        points=3,
        minutes=12,
        name="conflict",
        reference=conflict,
        cases=_conflict_cases,
        shown="Where two bags have the same readout and different labels, no layer behind the readout can be right on both.",
        misconceptions=(
            Misconception(
                "the mean can count",
                _believing(mean=sum),
                "You take the mean for as good as the sum. One 2 and two 2s have different sums and the same mean.",
            ),
            Misconception(
                "the sum cannot count",
                _believing(sum=_COMBINE["mean"]),
                "You take the sum for no better than the mean. One 2 and two 2s have the same mean and different sums.",
            ),
            Misconception(
                "the maximum can count",
                _believing(max=lambda v: [max(v), len(v)]),
                "You let the maximum know how many entries there are. It does not grow when more entries come that are no larger.",
            ),
            Misconception(
                "a readout forgets nothing",
                _believing(sum=sorted, mean=sorted, max=sorted),
                "You find a conflict only between equal bags. Compare the readouts: what they forget is gone.",
            ),
            Misconception(
                "equal labels are a conflict too",
                lambda how, bags, labels: conflict(how, bags, labels, any_label=True),
                "You report pairs with equal labels. If the answer is the same, it does no harm that the readout is.",
            ),
        ),
    ),
]
