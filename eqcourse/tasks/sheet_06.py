"""Lesson and sheet 06: augmentation or construction."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from ..checks import (
    FunctionTask,
    Malformed,
    Misconception,
    ValueTask,
    Wrong,
    gave_expected,
    named_representation,
    plain,
    same_answer,
    show,
)
from ..representations import Representation

Pair = tuple[Tensor, Tensor]
# One copy of an example (x, y) for a group element.
Copy = Callable[[Representation, Representation, Any, Tensor, Tensor], Pair]


def _vector(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


def _act_if_it_fits(rho: Representation, g: Any, x: Tensor) -> Tensor:
    return rho.act(g, x) if tuple(x.shape) == rho.axes else x


# ---- in the lesson: all copies of an example ------------------------------------------------------------------------


def _moved(rho_in: Representation, rho_out: Representation, g: Any, x: Tensor, y: Tensor) -> Pair:
    return rho_in.act(g, x), rho_out.act(g, y)


def _kept(rho_in: Representation, rho_out: Representation, g: Any, x: Tensor, y: Tensor) -> Pair:
    return rho_in.act(g, x), y


def _back(rho_in: Representation, rho_out: Representation, g: Any, x: Tensor, y: Tensor) -> Pair:
    return rho_in.act(g, x), rho_out.act(rho_out.group.inverse(g), y)


def _like_input(rho_in: Representation, rho_out: Representation, g: Any, x: Tensor, y: Tensor) -> Pair:
    return rho_in.act(g, x), _act_if_it_fits(rho_in, g, y)


def _input_kept(rho_in: Representation, rho_out: Representation, g: Any, x: Tensor, y: Tensor) -> Pair:
    return x, rho_out.act(g, y)


_KEPT_NAME = "invariance = augmentation: the copies keep their outputs"
_KEPT = (
    "Your copies move the input and keep the output. That teaches f(g▷x) = f(x), invariance, and is right only where "
    "the output is left alone. A copy of (x, y) is (g▷x, g▷y), each with its own action."
)
_DROPPED_NAME = "an orbit is a set: equal copies are dropped"
_DROPPED = (
    "You drop copies that are equal. Here a copy belongs to each element: one copy for each element, even if two are "
    "equal. Otherwise examples with a symmetry of their own weigh less than the others."
)
_BACK = "You move the output by g⁻¹. A copy of (x, y) is (g▷x, g▷y): the same g on both."


def copies(copy: Copy = _moved) -> Callable[..., list[Any]]:
    def whole_orbit(in_name: str, out_name: str, x: list[float], y: list[float]) -> list[Any]:
        rho_in, rho_out = named_representation(in_name), named_representation(out_name)
        return [
            [part.tolist() for part in copy(rho_in, rho_out, g, _vector(x), _vector(y))]
            for g in rho_in.group.elements()
        ]

    return whole_orbit


def _without_repeats(pairs: Iterable[Pair]) -> list[Pair]:
    kept: dict[Any, Pair] = {}
    for pair in pairs:
        kept.setdefault(tuple(tuple(part.tolist()) for part in pair), pair)
    return list(kept.values())


def _different_copies(in_name: str, out_name: str, x: list[float], y: list[float]) -> list[Any]:
    pairs = _pairs(in_name, out_name, [x], [y], _moved)
    return [[part.tolist() for part in pair] for pair in _without_repeats(pairs)]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _in_order(pairs: Any) -> Any:
    """The pairs of an answer in an order of their own: any order is right."""
    return sorted(pairs, key=lambda pair: [round(entry, 6) for part in pair for entry in part])


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(part, list) and all(isinstance(entry, (int, float)) for entry in part) for part in pair)
        for pair in value
    )


def _same_pairs(a: Any, b: Any) -> bool:
    return _is_pairs(a) and _is_pairs(b) and same_answer(_in_order(a), _in_order(b))


def _accept_copies(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"whole_orbit({', '.join(map(show, args))})"
    if not _is_pairs(got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of pairs, such as [[[20, 10], [2, 1]], …]")
    if len(got) != len(expected):
        expectation = f"expected one copy for each element of the group, {len(expected)}"
        if any(same_answer(a, b) for a, b in itertools.combinations(expected, 2)):
            expectation += ", even if two are equal"
        raise Wrong(f"{call}\n  gave {_count(len(got), 'pair')}; {expectation}")
    if not _same_pairs(got, expected):
        missing = [pair for pair in expected if not any(same_answer(pair, mine) for mine in got)]
        reason = f"the copy {show(missing[0])} is missing" if missing else "not each copy occurs as often as it should"
        raise Wrong(f"{call}\n  gave {show(got)}\n  {reason}")


def _copies_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ("C_4 shifts 4 numbers", "C_4 shifts 4 numbers", [1, 2, 3, 7], [5, 0, 1, 2]),
            ("Z_2 reverses 3 numbers", "Z_2 flips the sign of a number", [1, 2, 4], [3]),
            ("S_3 permutes 3 numbers", "S_3 leaves a number alone", [1, 2, 4], [9]),
            ("S_3 permutes 3 numbers", "S_3 permutes 3 numbers", [4, 0, 0], [3, 1, 1]),
        ]
    # Both sides have three numbers, so that a copy made with the wrong action is a wrong answer and no exception.
    return [
        ("S_3 permutes 3 numbers", "S_3 permutes 3 numbers", [10, 20, 30], [1, 2, 4]),
        ("Z_2 reverses 3 numbers", "Z_2 flips the sign of 3 numbers", [10, 20, 30], [4, 1, 5]),
        ("S_3 permutes 3 numbers", "S_3 permutes 3 numbers", [1, 1, 0], [2, 2, 5]),
    ]


_COPY_MISCONCEPTIONS: list[tuple[str, Copy, str]] = [
    (_KEPT_NAME, _kept, _KEPT),
    ("the inverse on the output", _back, _BACK),
    (
        "the same action on both sides",
        _like_input,
        "You move the output by the input's action. Each side has its own: rho_in for x, rho_out for y.",
    ),
    (
        "the copies keep their inputs",
        _input_kept,
        "Your copies move the output and keep the input. They ask for several answers to one input. A copy of (x, y) "
        "is (g▷x, g▷y).",
    ),
]


# ---- task 1: the residual error -------------------------------------------------------------------------------------

Weights = list[Any]


def network(weights: Weights, x: Any) -> Tensor:
    """The network of task 06.residual: C · ReLU(A x + b) for the weights [A, b, C] and an input x (a list or tensor).

    >>> network([[[1, 1, 1], [1, 0, 0]], [0, -5], [[1, 1]]], [8, 6, 9])
    tensor([26.], dtype=torch.float64)
    """
    A, b, C = map(_vector, weights)
    return C @ (A @ _vector(x) + b).clamp(min=0)


# What is made of the answer to g▷x, and how the answers for all g become one number.
Bring = Callable[[Representation, Any, Tensor], Tensor]


def _bring_back(rho: Representation, g: Any, y: Tensor) -> Tensor:
    return rho.act(rho.group.inverse(g), y)


def _spread(answers: Tensor) -> float:
    return (answers.amax(0) - answers.amin(0)).max().item()


def _spread_of_all(answers: Tensor) -> float:
    return (answers.max() - answers.min()).item()


def _from_first(answers: Tensor) -> float:
    return (answers - answers[0]).abs().max().item()  # the first element is the identity


def residual(bring: Bring = _bring_back, size: Callable[[Tensor], float] = _spread) -> Callable[..., list[float]]:
    def of(weights: Weights, in_name: str, out_name: str, inputs: list[Any]) -> list[float]:
        rho_in, rho_out = named_representation(in_name), named_representation(out_name)
        group = rho_in.group
        elements = sorted(group.elements(), key=lambda g: group.key(g) != group.key(group.identity))
        return [
            size(torch.stack([bring(rho_out, g, network(weights, rho_in.act(g, _vector(x)))) for g in elements]))
            for x in inputs
        ]

    return of


def _trained_input_only(weights: Weights, in_name: str, out_name: str, inputs: list[Any]) -> list[float]:
    return residual()(weights, in_name, out_name, inputs[:1]) * len(inputs)


def _residual_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, alone = "S_3 permutes 3 numbers", "S_3 leaves a number alone"
    shifts, flips = "C_4 shifts 4 numbers", "Z_2 flips the sign of 3 numbers"
    eye = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    if hidden:
        return [
            ([[[1, 1, 1], [0, 2, 0]], [0, -9], [[2, -1]]], S3, alone, [[1, 4, 2], [8, 1, 3], [2, 2, 2]]),
            (
                [[*eye, [1, -1, 0]], [0, 0, 0, -4], [[1, 0, 0, 3], [0, 1, 0, 0], [0, 0, 1, -1]]],
                S3,
                S3,
                [[1, 2, 4], [9, 1, 0], [3, 0, 20]],
            ),
            (
                [
                    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]],
                    [0, 0, 0, 0, -8, -8],
                    [[1, 0, 0, 0, 1, -2], [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 2]],
                ],
                shifts,
                shifts,
                [[1, 5, 2, 8], [9, 1, 2, 3], [11, 0, 12, 1]],
            ),
            # Nearly equivariant on the training orbit: a small error, and not zero.
            (
                [[[1, 1, 1], [1, 0, 0], [0, 1, 0]], [0, -6, -1], [[1, 1, 0.004]]],
                S3,
                alone,
                [[1, 2, 4], [9, 6, 7]],
            ),
        ]
    return [
        ([[[1, 1, 1], [1, 0, 0]], [0, -5], [[1, 1]]], S3, alone, [[1, 2, 4], [8, 6, 9]]),
        (
            [[*eye, [1, 0, 0]], [0, 0, 0, -5], [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, -1]]],
            S3,
            S3,
            [[1, 2, 4], [6, 1, 8], [30, 10, 20]],
        ),
        # f(x) = |x₀| + |x₁| + |x₂| + ReLU(x₀ − 3) − ReLU(−x₀ − 4): the identity's answer lies between two others elsewhere.
        (
            [
                [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [1, 0, 0], [-1, 0, 0]],
                [0, 0, 0, 0, -3, -4],
                [[1, -1, 0, 0, 1, -2], [0, 0, 1, -1, 0, 0], [0, 0, 1, -1, 0, 1]],
            ],
            flips,
            flips,
            [[1, 2, 3], [5, 1, 0]],
        ),
    ]


# ---- task 2: what it costs ------------------------------------------------------------------------------------------

LEARNERS = ("plain", "random copy", "all copies", "averaged")
GROUPS = ("permutations", "shifts")


def _size(group: str, n: int) -> int:
    return math.factorial(n) if group == "permutations" else n


def runs(
    training: Callable[[str, int], int] = lambda learner, size: size if learner in ("all copies", "averaged") else 1,
    prediction: Callable[[str, int], int] = lambda learner, size: size if learner == "averaged" else 1,
    size: Callable[[str, int], int] = _size,
    epochs_count: bool = True,
) -> Callable[..., list[int]]:
    """Runs of the network in training and for a prediction; the variants are what misconceptions compute."""

    def of(learner: str, group: str, n: int, examples: int, epochs: int) -> list[int]:
        poses = size(group, n)
        return [
            training(learner, poses) * examples * (epochs if epochs_count else 1),
            prediction(learner, poses),
        ]

    return of


def _runs_cases(hidden: bool) -> list[tuple[Any, ...]]:
    n, m, examples, epochs = (5, 7, 20, 4) if hidden else (3, 4, 10, 2)
    cases = [(learner, "permutations", n, examples, epochs) for learner in LEARNERS]
    cases += [(learner, "shifts", m, examples, epochs) for learner in LEARNERS]
    return [*cases, ("averaged", "permutations", 12 if hidden else 10, 1, 1)]


# ---- task 3: the constrained fit ------------------------------------------------------------------------------------


def _least_squares(xs: Iterable[Tensor], ys: Iterable[Tensor]) -> Tensor:
    """The matrix W with the least sum of |W x − y|²; of several, the one with the smallest entries."""
    return (torch.linalg.pinv(torch.stack(list(xs))) @ torch.stack(list(ys))).T


def _pairs(in_name: str, out_name: str, x: list[Any], y: list[Any], copy: Copy, elements: Any = None) -> list[Pair]:
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    chosen = list(rho_in.group.elements()) if elements is None else elements(rho_in.group)
    return [copy(rho_in, rho_out, g, _vector(a), _vector(b)) for a, b in zip(x, y, strict=True) for g in chosen]


def augmented_fit(copy: Copy = _moved, elements: Any = None) -> Callable[..., Tensor]:
    return lambda in_name, out_name, x, y: _least_squares(
        *zip(*_pairs(in_name, out_name, x, y, copy, elements), strict=True)
    )


def _fit_of_different_copies(in_name: str, out_name: str, x: list[Any], y: list[Any]) -> Tensor:
    return _least_squares(*zip(*_without_repeats(_pairs(in_name, out_name, x, y, _moved)), strict=True))


def _plain_fit(in_name: str, out_name: str, x: list[Any], y: list[Any]) -> Tensor:
    return _least_squares(map(_vector, x), map(_vector, y))


def _averaged_after(in_name: str, out_name: str, x: list[Any], y: list[Any]) -> Tensor:
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    W, group = _plain_fit(in_name, out_name, x, y), rho_in.group
    return torch.stack([rho_out.matrix(group.inverse(g)) @ W @ rho_in.matrix(g) for g in group.elements()]).mean(0)


def _accept_fit(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"constrained_fit({', '.join(map(show, args))})"
    rows, columns = len(expected), len(expected[0])
    is_matrix = isinstance(got, list) and all(
        isinstance(row, list) and all(isinstance(entry, (int, float)) for entry in row) for row in got
    )
    if not is_matrix or [len(row) for row in got] != [columns] * rows:
        size = f"{_count(rows, 'row')} of {_count(columns, 'number')}"
        raise Malformed(f"{call} gave {show(got)}; expected {size}: W maps x to y = W x")
    if same_answer(got, expected):
        return
    rho_in, rho_out = named_representation(args[0]), named_representation(args[1])
    W = _vector(got)
    for g in rho_in.group.elements():
        off = (W @ rho_in.matrix(g) - rho_out.matrix(g) @ W).abs().max().item()
        if not off < 1e-6:
            raise Wrong(
                f"{call}\n  gave {show(got)}\n  which is not equivariant: W ρ(g) and ρ(g) W differ by {show(off)} "
                f"for g = {show(plain(g))}"
            )
    raise Wrong(
        f"{call}\n{gave_expected(got, expected)}\n  Yours is equivariant; another equivariant W fits the data better."
    )


def _fit_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, alone = "S_3 permutes 3 numbers", "S_3 leaves a number alone"
    shifts, reverse, sign = "C_4 shifts 4 numbers", "Z_2 reverses 3 numbers", "Z_2 flips the sign of a number"
    if hidden:
        return [
            (S3, S3, [[2, 1, 0], [1, 4, 2], [0, 3, 5]], [[1, 0, 2], [3, 1, 1], [2, 2, 7]]),
            (reverse, sign, [[1, 0, 3], [2, 5, 1], [4, 1, 1]], [[2], [0], [5]]),
            (shifts, shifts, [[1, 0, 0, 2], [3, 1, 0, 1]], [[0, 1, 4, 2], [1, 1, 0, 5]]),
            (S3, alone, [[1, 2, 5], [4, 0, 1]], [[3], [7]]),
            (S3, S3, [[0, 2, 2], [1, 5, 0]], [[4, 1, 1], [3, 2, 6]]),
        ]
    return [
        (S3, alone, [[10, 20, 60]], [[9]]),
        (S3, S3, [[1, 0, 0], [0, 2, 1], [3, 1, 1]], [[4, 1, 0], [2, 6, 3], [1, 5, 9]]),
        (reverse, sign, [[3, 1, 0], [1, 2, 7]], [[4], [1]]),
        (shifts, shifts, [[1, 2, 0, 0], [0, 1, 5, 3]], [[3, 1, 0, 0], [2, 0, 7, 1]]),
        (S3, S3, [[1, 1, 0], [3, 1, 2]], [[2, 2, 5], [1, 4, 2]]),
    ]


# ---- task 4: exactly? -----------------------------------------------------------------------------------------------

#: letter -> how the learner was trained
TRAININGS: dict[str, str] = {
    "A": "least squares on the four examples",
    "B": "least squares on all six copies of each example",
    "C": "least squares on two copies of each example: as it is, and with rooms 0 and 1 exchanged",
    "D": "400 small steps from W = 0, each on one copy in a random order",
    "E": "400 small steps from W = 0, each on all six copies of all examples",
    "F": "400 small steps from a random W, each on all six copies of all examples",
    "G": "least squares on all six copies of each example; the outputs of the copies are left as they are",
    "H": "least squares on the three copies of each example that the turns 0 → 1 → 2 → 0 make",
    "I": "a network with tanh, 400 small steps from random weights, each on all six copies of all examples",
    "J": "400 small steps from a random W, each on one copy in a random order; W is averaged over the group in the model",
}
EXAMPLES = (
    [[10.0, 0.0, 2.0], [1.0, 8.0, 3.0], [4.0, 5.0, 9.0], [7.0, 2.0, 6.0]],
    [[6.5, 2.0, 3.0], [3.0, 5.0, 4.5], [5.5, 5.0, 7.5], [5.0, 4.5, 6.0]],
)
_ROOMS = "S_3 permutes 3 numbers"


def trained(letter: str) -> Callable[[Any], Tensor]:
    """The map that one of the trainings of task 06.exact has learned, from three temperatures (a list or tensor) to three.

    >>> f = trained("B")
    >>> x = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    >>> bool((f(x[[1, 0, 2]]) - f(x)[[1, 0, 2]]).abs().max() < 1e-9)
    True
    """
    return _trained(letter)


@functools.cache
def _trained(letter: str) -> Callable[[Any], Tensor]:
    if letter not in TRAININGS:
        raise KeyError(f"there is no training {letter!r}; there are {', '.join(TRAININGS)}")
    x, y = map(_vector, EXAMPLES)
    orders = torch.tensor(list(itertools.permutations(range(3))))
    chosen = {"A": orders[:1], "C": orders[[0, 2]], "H": orders[[0, 3, 4]]}.get(letter, orders)
    xs = x[:, chosen].flatten(0, 1)
    ys = y[:, chosen].flatten(0, 1) if letter != "G" else y.repeat_interleave(6, 0)
    source = torch.Generator().manual_seed(0)
    if letter == "I":
        return _trained_network(xs, ys, source)
    if letter in "DEFJ":
        W = torch.zeros(3, 3, dtype=torch.float64)
        if letter in "FJ":
            W = torch.randn(3, 3, dtype=torch.float64, generator=source)
        for _ in range(400):
            one = torch.randint(len(xs), (1,), generator=source)
            a, b = (xs[one], ys[one]) if letter in "DJ" else (xs, ys)
            used = _averaged(W) if letter == "J" else W
            W = W - 0.002 * (used @ a.T - b.T) @ a / len(a)
        W = _averaged(W) if letter == "J" else W
    else:
        W = torch.linalg.lstsq(xs, ys).solution.T
    return lambda v: _vector(v) @ W.T


def _averaged(W: Tensor) -> Tensor:
    rho = named_representation(_ROOMS)
    return torch.stack([rho.matrix(g).T @ W @ rho.matrix(g) for g in rho.group.elements()]).mean(0)


def _trained_network(xs: Tensor, ys: Tensor, source: torch.Generator) -> Callable[[Any], Tensor]:
    A = torch.randn(3, 8, dtype=torch.float64, generator=source) / 5
    C = torch.randn(8, 3, dtype=torch.float64, generator=source) / 5
    for _ in range(400):
        hidden = torch.tanh(xs @ A)
        off = (hidden @ C - ys) / len(xs)
        A, C = A - 0.02 * xs.T @ (off @ C.T * (1 - hidden**2)), C - 0.02 * hidden.T @ off
    return lambda v: torch.tanh(_vector(v) @ A) @ C


def _difference(letter: str, g: Any, x: Any) -> float:
    """How far f(g▷x) and g▷f(x) are apart."""
    rho = named_representation(_ROOMS)
    f, x = trained(letter), _vector(x)
    return float((f(rho.act(g, x)) - rho.act(g, f(x))).abs().max())


def _breaks(letter: str, g: Any, x: Any) -> bool:
    return _difference(letter, g, x) > 1e-9 * float(_vector(x).abs().max())


def exact(letter: str) -> list[Any]:
    x = [10, 20, 60]
    for g in named_representation(_ROOMS).group.elements():
        if _breaks(letter, g, x):
            return ["no", [g.tolist(), x]]
    return ["yes", None]


def _accept_exact(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f'exact("{args[0]}")'
    if not isinstance(got, list) or len(got) != 2 or got[0] not in ("yes", "no"):
        raise Malformed(f'{call} gave {show(got)}; expected ["yes", None] or ["no", [g, x]]')
    word, witness = got
    if word == "yes":
        if expected[0] == "no":
            raise Wrong("Not every training that you call exact is.")
        return
    try:
        g, x = witness
        if len(x) != 3 or not all(math.isfinite(entry) for entry in x):
            raise Wrong(f"{call}: the x of a witness has three finite numbers, {show(x)} has not")
        stands = _breaks(args[0], g, x)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{call}: the witness {show(witness)} is not a pair [g, x] of an element and an input") from None
    if not stands:
        raise Wrong(
            f"{call}: for the witness {show(witness)} the two paths agree up to rounding (difference "
            f"{_difference(args[0], g, x):.0e}). If the training is not exact, other elements or inputs show it."
        )


def _same_word(a: Any, b: Any) -> bool:
    return isinstance(a, list) and isinstance(b, list) and a[:1] == b[:1]


def _yes_if(letters: str) -> Callable[[str], list[Any]]:
    """Somebody who says yes to these letters (with a true witness for each no that has one)."""

    def answer(letter: str) -> list[Any]:
        right = exact(letter)
        return ["yes", None] if letter in letters else right if right[0] == "no" else ["no", [[0, 1, 2], [0, 0, 0]]]

    return answer


TASKS = [
    ValueTask(
        id="06.recall-1",
        outcome="recall lesson 05",
        minutes=1,
        accepted=("no",),
        why="A molecule and its mirror image have the same distances, so that the model gives them the same answer.",
        feedback={"yes": "All distances stay the same in a mirror. What the model does not get it cannot use."},
    ),
    ValueTask(
        id="06.recall-2",
        outcome="recall lesson 02",
        minutes=1,
        accepted=(24,),
        why="One run for each of the 4! = 24 permutations.",
        feedback={
            4: "That is the number of shifts of four places. There are 4 · 3 · 2 · 1 permutations of four numbers.",
            16: "That is 4 · 4. Permutations are 4 · 3 · 2 · 1: after the first choice three numbers are left.",
        },
    ),
    FunctionTask(
        id="06.whole-orbit",
        outcome="make all copies of an example",
        minutes=4,
        name="whole_orbit",
        reference=copies(),
        cases=_copies_cases,
        accept=_accept_copies,
        same=_same_pairs,
        shown="Your copies are [g▷x, g▷y] for all g: each side is moved by its own action.",
        misconceptions=(
            *(Misconception(name, copies(copy), message) for name, copy, message in _COPY_MISCONCEPTIONS),
            Misconception(_DROPPED_NAME, _different_copies, _DROPPED),
        ),
    ),
    FunctionTask(
        id="06.residual",
        outcome="measure the residual equivariance error, on a training orbit and off it",
        points=3,
        minutes=10,
        name="residual",
        reference=residual(),
        cases=_residual_cases,
        shown="You bring all answers of an orbit back and take their spread. The networks here are equivariant, or nearly "
        "so, on the orbit of their training input, and not on others.",
        misconceptions=(
            Misconception(
                "augmented nets are equivariant everywhere",
                _trained_input_only,
                "You measure on the orbit of the training input and say the same of the others. There the network was "
                "taught the symmetry. Elsewhere it was taught nothing: measure each input.",
            ),
            Misconception(
                "the answers are not brought back",
                residual(bring=lambda rho, g, y: y),
                "You compare the answers f(g▷x) as they are. That tests invariance. An equivariant answer has moved along: bring "
                "it back, g⁻¹▷f(g▷x), before you compare.",
            ),
            Misconception(
                "g instead of its inverse",
                residual(bring=lambda rho, g, y: rho.act(g, y)),
                "You compare g▷f(g▷x). To bring an answer back takes g⁻¹. (For a sign flip both are the same.)",
            ),
            Misconception(
                "only the distance from f(x)",
                residual(size=_from_first),
                "You take the largest distance from f(x). Two answers can lie on different sides of it: take the largest minus the "
                "smallest, so that every member of an orbit gets the same number.",
            ),
            Misconception(
                "all entries together",
                residual(size=_spread_of_all),
                "You take the largest of all entries minus the smallest of all. Different entries are different questions: "
                "take largest minus smallest for each entry, then the largest of these.",
            ),
        ),
    ),
    FunctionTask(
        id="06.runs",
        outcome="count what augmentation and averaging cost",
        points=3,
        minutes=8,
        name="runs",
        reference=runs(),
        cases=_runs_cases,
        shown="Random copies cost nothing extra; all copies cost in training only; averaging costs in training and at "
        "every prediction: N! runs for permutations, N for shifts.",
        misconceptions=(
            Misconception(
                "a random copy costs as much as all",
                runs(training=lambda learner, size: 1 if learner == "plain" else size),
                "You count all copies for the learner that draws one. It trains on as many inputs as the plain one; they are "
                "only moved.",
            ),
            Misconception(
                "augmentation costs at predictions too",
                runs(prediction=lambda learner, size: size if learner in ("all copies", "averaged") else 1),
                "You count copies at a prediction. Augmentation ends with the training: an augmented network is run once.",
            ),
            Misconception(
                "averaging is free once trained",
                runs(prediction=lambda learner, size: 1),
                "You count one run for a prediction of the averaged model. It is a mean over the whole group each time.",
            ),
            Misconception(
                "averaging is for predictions only",
                runs(training=lambda learner, size: size if learner == "all copies" else 1),
                "You train the averaged model without averaging. The average is part of the model, as in lesson 03: fit inside "
                "the constraint, not outside and then in.",
            ),
            Misconception(
                "N! for every group",
                runs(size=lambda group, n: math.factorial(n)),
                "You take N! for both groups. A ring of N places has N shifts.",
            ),
            Misconception(
                "N instead of N!",
                runs(size=lambda group, n: n),
                "You take N for both groups. N things have N! = N · (N − 1) ⋯ 1 orders.",
            ),
            Misconception(
                "one epoch only",
                runs(epochs_count=False),
                "You count one epoch. In each epoch every example is used again.",
            ),
        ),
    ),
    FunctionTask(
        id="06.constrained-fit",
        outcome="get the constrained fit exactly, by copies or by construction",
        points=4,
        minutes=12,
        name="constrained_fit",
        reference=augmented_fit(),
        cases=_fit_cases,
        accept=_accept_fit,
        shown="Your W is equivariant, and of all equivariant ones the best on the examples. Least squares on whole orbits and a "
        "fit inside the constraint give the same.",
        misconceptions=(
            Misconception(_KEPT_NAME, augmented_fit(_kept), _KEPT),
            Misconception("the inverse on the output", augmented_fit(_back), _BACK),
            Misconception(
                "the data suffice",
                _plain_fit,
                "That is the plain fit. It knows nothing of the symmetry.",
            ),
            Misconception(
                "average after the fit",
                _averaged_after,
                "You average the plain fit. The result is equivariant and not the best one: its weights were chosen together "
                "with others that are gone now. Add all copies first, or fit inside the constraint.",
            ),
            Misconception(
                "some copies do as well as all",
                augmented_fit(elements=lambda group: [group.identity, *group.generators]),
                "You add copies for the identity and the generators only. For a test of equivariance generators are enough; here each "
                "missing copy weighs: the sum is the same for W and for the moved W only if it runs over the whole group.",
            ),
            Misconception(_DROPPED_NAME, _fit_of_different_copies, _DROPPED),
        ),
    ),
    FunctionTask(
        id="06.exact",
        outcome="say which trainings end with exact equivariance, with a witness for each no",
        points=4,
        minutes=15,
        name="exact",
        reference=exact,
        cases=lambda hidden: [(letter,) for letter in TRAININGS],
        accept=_accept_exact,
        same=_same_word,
        count_only=True,
        shown="All ten are right. Exact are least squares on whole orbits, steps on whole orbits from an equivariant start, "
        "and whatever is built in.",
        misconceptions=(
            Misconception(
                "augmented nets are equivariant everywhere",
                _yes_if("BCDEFHIJ"),
                "You call everything exact that was trained on moved copies. Copies make the error small where they are; only some "
                "trainings make it zero.",
            ),
            Misconception(
                "invariance = augmentation: the copies keep their outputs",
                _yes_if("BEGJ"),
                "You say yes to copies whose outputs stay as they are. They teach invariance, and here the outputs have to move "
                "along with the rooms.",
            ),
            Misconception(
                "some copies do as well as all",
                _yes_if("BCEHJ"),
                "You say yes to fits on some of the copies. Such a fit knows at most the moves that were used.",
            ),
            Misconception(
                "steps end where least squares ends",
                _yes_if("BDEFIJ"),
                "You take training by steps for least squares. Steps stop before the end, and random copies keep pushing the "
                "weights about: look at where each of them starts and what each step sees.",
            ),
            Misconception(
                "all copies in every step are enough",
                _yes_if("BEFIJ"),
                "You forget the start. If every step treats all orders alike, weights that were equivariant stay so. "
                "Random ones only come closer.",
            ),
            Misconception(
                "nothing that is trained by steps is exact",
                _yes_if("B"),
                "You say no to everything that is trained by steps. Two of these have an equivariant W at the start and at every step.",
            ),
        ),
    ),
]
