"""Lesson and sheet 10: products of permutations."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Wrong, same_answer, show
from ..groups import SymmetricGroup
from ..representations import outer
from ..solvers.partitions import count_partitions
from .common import Family, FamilyTask, same_word

Rows = list[list[Any]]


def _tensor(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


# ---- in the lesson: two permutations, colours, the Kronecker product, the layer --------------------------------------


def act(pi: list[int], sigma: list[int], x: Rows) -> Rows:
    """Row u goes to place pi[u], column i to place sigma[i]."""
    moved = [[0.0] * len(sigma) for _ in pi]
    for u, i in itertools.product(range(len(pi)), range(len(sigma))):
        moved[pi[u]][sigma[i]] = x[u][i]
    return moved


def _inverse(pi: list[int]) -> list[int]:
    return sorted(range(len(pi)), key=lambda i: pi[i])


def _act_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([2, 0, 1], [0, 2, 1], [[1, 0, 4], [0, 7, 2], [5, 3, 0]]),
            ([1, 0], [3, 0, 1, 2], [[1, 2, 3, 4], [5, 6, 7, 8]]),
            ([0, 2, 1], [1, 2, 0], [[9, 8, 7], [6, 5, 4], [3, 2, 1]]),
            ([2, 0, 1], [3, 0, 1, 2], [[0, 5, 1, 6], [7, 2, 8, 3], [4, 9, 5, 1]]),
        ]
    return [
        ([1, 0], [1, 2, 0], [[10, 20, 30], [40, 50, 60]]),
        ([1, 2, 0], [1, 0, 2], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        ([0, 1, 2], [2, 0, 1], [[1, 0, 0], [0, 2, 0], [5, 0, 3]]),
        ([1, 2, 0], [1, 2, 3, 0], [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]),
    ]


def colour(row: list[int], column: list[int]) -> int:
    """0: same user, same film; 1: another film; 2: another user; 3: both differ."""
    (u, i), (v, j) = row, column
    return 2 * (u != v) + (i != j)


def _colour_cases(hidden: bool) -> list[tuple[Any, ...]]:
    pairs = [([0, 0], [0, 0]), ([0, 1], [0, 3]), ([2, 1], [0, 1]), ([1, 2], [0, 3]), ([1, 2], [2, 1]), ([1, 0], [0, 1])]
    pairs += [([1, 1], [2, 0]), ([1, 1], [2, 2])]
    if hidden:
        return [(b, a) for a, b in reversed(pairs)] + [([2, 3], [2, 3]), ([2, 2], [2, 0]), ([2, 0], [0, 2])]
    return pairs


def kron(A: Rows, B: Rows) -> Rows:
    """The block matrix of a · B for all entries a of A."""
    return [[a * b for a in row_a for b in row_b] for row_a in A for row_b in B]


def _kron_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([[2, 5]], [[0, 1], [3, 0]]), ([[0, 1, 0], [2, 0, 4]], [[1, 7], [0, 2]])]
    return [([[1, 2]], [[10, 20]]), ([[1, 2], [3, 4]], [[0, 5], [6, 7]]), ([[0, 1], [1, 0]], [[1, 2, 3], [0, 1, 0]])]


def _side_by_side(A: Rows, B: Rows) -> Rows:
    a, b = len(A[0]), len(B[0])
    return [row + [0] * b for row in A] + [[0] * a + row for row in B]


def layer(weights: list[float], x: Rows) -> Rows:
    """w0·entry + w1·user's mean + w2·film's mean + w3·overall mean."""
    t = _tensor(x)
    means = [t, t.mean(1, keepdim=True), t.mean(0, keepdim=True), t.mean()]
    return sum((w * mean for w, mean in zip(weights, means, strict=True)), torch.zeros_like(t)).tolist()


def _layer_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([2, 1, -3, 5], [[0, 4, 1, 7], [2, 2, 9, 3], [1, 0, 6, 1]]), ([1, 2, 3, 4], [[5], [1]])]
    return [
        ([0, 0, 0, 1], [[10, 20, 60]]),
        ([0, 0, 1, 0], [[10, 20, 60], [30, 0, 0]]),
        ([1, 10, 100, 1000], [[1, 2, 3], [5, 7, 0]]),
    ]


# ---- task 1: how many weights ----------------------------------------------------------------------------------------


def count_weights(sizes: list[int], in_channels: int, out_channels: int) -> int:
    return in_channels * out_channels * 2 ** sum(n > 1 for n in sizes)


def _one_permutation_count(sizes: list[int], in_channels: int, out_channels: int) -> int:
    """As if one permutation moved all axes; where their lengths differ that cannot be thought."""
    if len(set(sizes)) > 1:
        return count_weights(sizes, in_channels, out_channels)
    return in_channels * out_channels * count_partitions(2 * len(sizes), sizes[0])


def _count_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([5, 2], 1, 1),
            ([5, 5], 1, 1),
            ([2, 3, 2, 4], 2, 3),
            ([1, 6, 1], 4, 2),
            ([3, 3, 3], 1, 5),
            ([1], 2, 3),
            ([1, 1, 1], 1, 2),
        ]
    return [
        ([3, 4], 1, 1),
        ([4, 4], 1, 1),
        ([2, 3, 4], 1, 1),
        ([40, 25], 2, 12),
        ([7, 1], 1, 1),
        ([1, 5, 1], 1, 1),
        ([1, 1], 1, 1),
    ]


# ---- task 2: the Kronecker construction ------------------------------------------------------------------------------

Factor = Callable[[int, bool], Tensor]


def _keep_or_mean(n: int, pooled: bool) -> Tensor:
    return torch.full((n, n), 1 / n, dtype=torch.float64) if pooled else torch.eye(n, dtype=torch.float64)


def _keep_or_sum(n: int, pooled: bool) -> Tensor:
    return torch.ones(n, n, dtype=torch.float64) if pooled else torch.eye(n, dtype=torch.float64)


def _same_or_different(n: int, pooled: bool) -> Tensor:
    eye = torch.eye(n, dtype=torch.float64)
    return 1 - eye if pooled else eye


def table_matrix(
    factor: Factor = _keep_or_mean, digits_reversed: bool = False, factors_reversed: bool = False
) -> Callable[[list[int], list[float]], Rows]:
    """Σ_k weights[k] · the Kronecker product over the axes; the variants are what misconceptions compute."""

    def of(sizes: list[int], weights: list[float]) -> Rows:
        total = torch.zeros(math.prod(sizes), math.prod(sizes), dtype=torch.float64)
        for pooled, weight in zip(itertools.product([False, True], repeat=len(sizes)), weights, strict=True):
            digits = pooled[::-1] if digits_reversed else pooled
            factors = [factor(n, digit) for n, digit in zip(sizes, digits, strict=True)]
            total += weight * reduce(torch.kron, factors[::-1] if factors_reversed else factors)
        return total.tolist()

    return of


def _only_single_axes(sizes: list[int], weights: list[float]) -> Rows:
    """What keeps everything and what pools one axis; combinations are left out."""
    kept = [w if bin(k).count("1") <= 1 else 0.0 for k, w in enumerate(weights)]
    return table_matrix()(sizes, kept)


def _matrix_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([3, 2], [0.0, 6.0, 0.0, 1.0]),
            ([2, 4], [1.0, -4.0, 2.0, 8.0]),
            ([3, 1, 2], [float(k * k) for k in range(8)]),
        ]
    return [
        ([2, 3], [0.0, 3.0, 0.0, 0.0]),
        ([2, 3], [1.0, 30.0, 200.0, 6000.0]),
        ([2, 2, 3], [1.0, 0.0, 0.0, 6.0, 2.0, 0.0, 0.0, 12.0]),
    ]


# ---- task 3: the efficient layer -------------------------------------------------------------------------------------


def _means(keeps: Callable[[tuple[bool, ...]], bool] = lambda pooled: True) -> Callable[[list[float], Any], Any]:
    """forward(weights, x): one weight for the mean over each set of axes, of those that ``keeps`` admits."""

    def forward(weights: list[float], x: Any) -> Any:
        t = _tensor(x)
        total = torch.zeros_like(t)
        for weight, pooled in zip(weights, itertools.product([False, True], repeat=t.ndim), strict=True):
            if keeps(pooled):
                axes = [axis for axis in range(t.ndim) if pooled[axis]]
                total = total + weight * (t.mean(axes, keepdim=True) if axes else t)
        return total.tolist()

    return forward


def _families(hidden: bool) -> list[Family]:
    sizes = [(4, 2), (2, 3, 3)] if hidden else [(2, 3), (3, 2, 2)]
    sizes.append((7, 6) if hidden else (6, 7))  # a rule for small arrays only does not do
    tables = [outer(*(SymmetricGroup(n).defining() for n in axes)) for axes in sizes]
    return [Family(table, table, 2 ** len(table.axes)) for table in tables]


# ---- task 4: two permutations, one, or none --------------------------------------------------------------------------

TABLE_MAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "subtract from each entry the mean of its row": lambda x: x - x.mean(1, keepdim=True),
    "add the transposed table": lambda x: x + x.T,
    "sort each row": lambda x: x.sort(1).values,
    "double the diagonal": lambda x: x + x.diagonal().diag(),
    "largest entry of its row plus largest entry of its column": lambda x: x.amax(1, keepdim=True) + x.amax(0),
    "the matrix product x x": lambda x: x @ x,
    "the matrix product x xᵀ x": lambda x: x @ x.T @ x,
    "running total down each column": lambda x: x.cumsum(0),
    "add 1 to the first row; nothing else": lambda x: x + torch.eye(3, dtype=x.dtype)[:, :1],
}

#: The letters of task 10.axes.
SETTINGS: dict[str, str] = dict(zip("ABCDEFGHI", TABLE_MAPS, strict=True))


def setting(letter: str) -> Callable[[Tensor], Tensor]:
    """The map of 3 × 3 tables that a letter of task 10.axes stands for.

    >>> setting("B")(torch.tensor([[1, 2, 3], [0, 0, 0], [0, 0, 0]])).tolist()
    [[2, 2, 3], [2, 0, 0], [3, 0, 0]]
    """
    return TABLE_MAPS[SETTINGS[letter]]


def _moved(letter: str, pi: Any, sigma: Any, x: Tensor) -> Tensor:
    rows, columns = torch.as_tensor(pi), torch.as_tensor(sigma)
    if not all(sorted(p.tolist()) == [0, 1, 2] for p in (rows, columns)):
        raise Wrong(f'axes("{letter}"): {show(pi)} and {show(sigma)} are not both permutations of 0, 1, 2')
    return x[rows.argsort()][:, columns.argsort()]


def _differ(letter: str, pi: Any, sigma: Any, x: Any) -> bool:
    f, table = setting(letter), _tensor(x)
    if tuple(table.shape) != (3, 3) or not table.isfinite().all():
        raise Wrong(f'axes("{letter}"): the table {show(x)} of the witness is not 3 × 3 finite numbers')
    left, right = f(_moved(letter, pi, sigma, table)), _moved(letter, pi, sigma, f(table))
    return bool((left - right).abs().max() > 1e-6 * max(1.0, right.abs().max().item()))


_TABLES = [[[1, 7, 3], [10, 2, 5], [4, 8, 0]], [[0, -1, 4], [9, 2, -6], [5, 3, 1]]]
_PERMUTATIONS = [list(p) for p in itertools.permutations(range(3))]
Pairs = list[tuple[list[int], list[int]]]
_ALL_PAIRS: Pairs = [(p, q) for p in _PERMUTATIONS for q in _PERMUTATIONS]
_ALIKE: Pairs = [(p, p) for p in _PERMUTATIONS]


def _first_break(letter: str, pairs: Pairs) -> list[Any] | None:
    for x, (pi, sigma) in itertools.product(_TABLES, pairs):
        if _differ(letter, pi, sigma, x):
            return [pi, sigma, x]
    return None


def axes(letter: str) -> list[Any]:
    """["two", None], or ["one", witness], or ["none", witness with one permutation on both axes]."""
    return _classified(letter, _ALL_PAIRS, _ALIKE)


def _classified(letter: str, pairs: Pairs, alike: Pairs) -> list[Any]:
    if (broken := _first_break(letter, alike)) is not None:
        return ["none", broken]
    if (broken := _first_break(letter, pairs)) is not None:
        return ["one", broken]
    return ["two", None]


_E = [0, 1, 2]
_ROWS_ONLY: Pairs = [(p, _E) for p in _PERMUTATIONS]
_COLUMNS_ONLY: Pairs = [(_E, p) for p in _PERMUTATIONS]


def _rows_only(letter: str) -> list[Any]:
    return ["two", None] if _first_break(letter, _ROWS_ONLY) is None else axes(letter)


def _columns_only(letter: str) -> list[Any]:
    return ["two", None] if _first_break(letter, _COLUMNS_ONLY) is None else axes(letter)


def _alike_is_enough(letter: str) -> list[Any]:
    right = axes(letter)
    return ["two", None] if right[0] == "one" else right


def _only_linear(letter: str) -> list[Any]:
    """Somebody who takes products and maxima for maps that respect nothing."""
    return ["none", [_E, _E, _TABLES[0]]] if letter in "EFG" else axes(letter)


def _accept_axes(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    letter = args[0]
    if not isinstance(got, list) or len(got) != 2 or got[0] not in ("two", "one", "none"):
        raise Malformed(
            f'axes("{letter}") gave {show(got)}; expected ["two", None], ["one", [pi, sigma, x]] or ["none", [pi, pi, x]]'
        )
    word, witness = got
    if word == "two":
        if witness is not None:
            raise Malformed(f'axes("{letter}") gave {show(got)}; "two" has no witness: ["two", None]')
        if expected[0] != "two":
            raise Wrong("Not every map for which you say two respects two independent permutations.")
        return
    try:
        pi, sigma, x = witness
        stands = _differ(letter, pi, sigma, x)
        alike = same_answer(list(pi), list(sigma))
    except (TypeError, ValueError, RuntimeError, IndexError):
        raise Wrong(f'axes("{letter}"): the witness {show(witness)} is not a list [pi, sigma, x]') from None
    if not stands:
        raise Wrong(f'axes("{letter}"): for the witness {show(witness)} the two paths agree')
    if word == "none" and not alike:
        raise Wrong(f'axes("{letter}"): a witness for none has the same permutation on both axes')
    if word != expected[0]:
        raise Wrong("One of the maps for which you say one does not respect even one permutation on both axes.")


# ---- task 5: fill the gaps -------------------------------------------------------------------------------------------


def _mean(values: list[Any], otherwise: float) -> float:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else otherwise


def fill(
    table: Rows,
    empty: float | None = None,
    as_zero: bool = False,
    combine: Callable[[float, float, float], float] = lambda row, column, overall: row + column - overall,
    keep: bool = True,
    mean_of_means: bool = False,
    zero_is_gap: tuple[str, ...] = (),
) -> Rows:
    """Row mean + column mean − overall mean in each gap; the variants are what misconceptions compute.

    ``zero_is_gap``: a known 0 is left out of the means ("means"), overwritten ("places"), or both.
    """
    counted = [[0 if v is None and as_zero else v for v in row] for row in table]
    if "means" in zero_is_gap:
        counted = [[v or None for v in row] for row in counted]
    overall = _mean([v for row in counted for v in row], 0.0)
    if mean_of_means:
        overall = _mean([_mean(row, math.nan) for row in counted if any(v is not None for v in row)], 0.0)
    instead = overall if empty is None else empty
    rows = [_mean(row, instead) for row in counted]
    columns = [_mean([row[i] for row in counted], instead) for i in range(len(table[0]))]
    return [
        [
            v if v is not None and keep and (v or "places" not in zero_is_gap) else combine(rows[u], columns[i], overall)
            for i, v in enumerate(row)
        ]
        for u, row in enumerate(table)
    ]  # fmt: skip


def _fill_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        source = random.Random(10)
        drawn = [[source.randint(1, 5) if source.random() < 0.6 else None for _ in range(5)] for _ in range(4)]
        drawn[2] = [None] * 5
        return [
            ([[2, None, 7], [None, 4, 9]],),
            ([[None, 3], [None, 8], [None, None], [None, 1]],),
            (drawn,),
            ([[None, 0], [-3, 6], [0, None]],),
        ]
    return [
        ([[1, 2], [4, None]],),
        ([[5, None, 2], [1, 3, None], [None, 4, 1]],),
        ([[5, 1, None], [None, None, None], [3, None, 2]],),
        ([[4, None], [1, None]],),
        ([[0, 3, None], [-2, None, 4], [None, 5, 1]],),
    ]


TASKS = [
    ValueTask(
        id="10.recall-1",
        outcome="count the weights of a layer between arrays of order 2",
        accepted=(15,),
        why="Two axes in and two out give four indices, and four points have 15 set partitions. Keep this number in mind.",
        feedback={
            2: "Two weights are what a set has: one axis in, one axis out. Here there are two axes in and two out.",
            625: "25 · 25 = 625 is the number of entries. Equivariance ties most of them.",
            4: "Four is the number of indices, two in and two out. The weights are their set partitions.",
        },
    ),
    ValueTask(
        id="10.recall-2",
        outcome="repair a bias",
        accepted=([3, 3, 3],),
        why="Each place gets the mean of all three: averaged over all orders, no place is special.",
        feedback={
            0: "A bias does not have to vanish here: [b, b, b] is left alone by all permutations.",
            3: "The number is right. The bias is a list with one number for each of the three places.",
        },
    ),
    FunctionTask(
        id="10.act",
        outcome="move rows and columns of a table, each by its own permutation",
        minutes=4,
        name="act",
        reference=act,
        cases=_act_cases,
        shown="Rows move by π and columns by σ, each on its own.",
        misconceptions=(
            Misconception(
                "only the rows move",
                lambda pi, sigma, x: act(pi, list(range(len(sigma))), x),
                "Only the rows have moved. σ has to move the columns too.",
            ),
            Misconception(
                "the inverse on the columns",
                lambda pi, sigma, x: act(pi, _inverse(sigma), x),
                "The columns moved by the inverse of σ. Column i of x goes to place σ(i).",
            ),
            Misconception(
                "the inverse on both axes",
                lambda pi, sigma, x: act(_inverse(pi), _inverse(sigma), x),
                "Rows and columns moved by the inverses of π and σ. The entry at place (u, i) goes to place (π(u), σ(i)), and x[π(u)] "
                "fetches it from there.",
            ),
            Misconception(
                "the moved table transposed",
                lambda pi, sigma, x: [list(column) for column in zip(*act(pi, sigma, x), strict=True)],
                "The right table comes out transposed: its columns stand where its rows belong.",
            ),
            Misconception(
                "the permutations on the wrong axes",
                lambda pi, sigma, x: act(sigma, pi, x) if len(pi) == len(sigma) else act(pi, sigma, x),
                "On square tables σ has moved the rows and π the columns. Nothing complains there: the lengths fit.",
            ),
            Misconception(
                "one permutation for both axes",
                lambda pi, sigma, x: act(pi, pi, x) if len(pi) == len(sigma) else act(pi, sigma, x),
                "On square tables π has moved both axes. That is the action of lesson 09; here the columns have their own permutation.",
            ),
        ),
    ),
    FunctionTask(
        id="10.colour",
        outcome="say which entries of W are tied",
        minutes=4,
        name="colour",
        reference=colour,
        cases=_colour_cases,
        shown="Same or different, once for each axis: four colours.",
        misconceptions=(
            Misconception(
                "only whether the places are equal",
                lambda row, column: 0 if row == column else 3,
                "You compare the two places as a whole, so that two colours are left. Compare users with users and films with films.",
            ),
            Misconception(
                "one number for all different places",
                lambda row, column: int(row != column),
                "You give one number to all pairs of different places. Ask twice: is it another user, and is it another film?",
            ),
            Misconception(
                "a place's two numbers compared with each other",
                lambda row, column: 2 * (row[0] != row[1]) + (column[0] != column[1]),
                "You compare the two numbers of one place, a user with a film. Compare the output's user with the input's user, row[0] "
                "with column[0], and the films, row[1] with column[1].",
            ),
            Misconception(
                "how many differ",
                lambda row, column: (row[0] != column[0]) + (row[1] != column[1]),
                "You count how many of the two differ. Another user with the same film is not the same as another film of the same user: "
                "no permutation of rows and columns makes the one into the other.",
            ),
            Misconception(
                "the two axes exchanged",
                lambda row, column: (row[0] != column[0]) + 2 * (row[1] != column[1]),
                "The four cases are told apart, but colours 1 and 2 are exchanged: 1 is another film, 2 another user.",
            ),
        ),
    ),
    FunctionTask(
        id="10.kron",
        outcome="build a Kronecker product",
        minutes=5,
        name="kron",
        reference=kron,
        cases=_kron_cases,
        shown="Each entry of A became a block: that entry times B.",
        misconceptions=(
            Misconception(
                "the factors exchanged",
                lambda A, B: kron(B, A),
                "Your blocks are copies of A. In A ⊗ B each entry of A multiplies a copy of B.",
            ),
            Misconception(
                "the direct sum",
                _side_by_side,
                "You put A and B side by side on the diagonal: the direct sum of lesson 07. Here each entry of A becomes a block.",
            ),
        ),
    ),
    FunctionTask(
        id="10.layer",
        outcome="write the layer with four means",
        minutes=4,
        name="layer",
        reference=layer,
        cases=_layer_cases,
        shown="Entry, user's mean, film's mean, overall mean: four weights for a table of any size.",
        misconceptions=(
            Misconception(
                "the overall mean is missing",
                lambda weights, x: layer([*weights[:3], 0], x),
                "The last weight does nothing. It belongs to the mean of all entries.",
            ),
            Misconception(
                "sums instead of means",
                lambda weights, x: layer(
                    [weights[0], weights[1] * len(x[0]), weights[2] * len(x), weights[3] * len(x) * len(x[0])], x
                ),
                "You add up and do not divide. Means keep their size when users or films are added.",
            ),
            Misconception(
                "the user's mean once more",
                lambda weights, x: layer([weights[0], weights[1] + weights[2], 0, weights[3]], x),
                "You take the user's mean (along a row) where the film's mean (down a column) is asked for.",
            ),
        ),
    ),
    FunctionTask(
        id="10.count",
        outcome="count the weights of a layer on an array with several axes",
        points=2,
        minutes=8,
        name="count_weights",
        reference=count_weights,
        cases=_count_cases,
        shown="Each axis of two or more places says same or different, for each pair of channels: the sizes do not matter.",
        misconceptions=(
            Misconception(
                "one permutation for both axes",
                _one_permutation_count,
                "Where all axes have one length you count as in lesson 09, with one permutation for all of them. "
                "Here each axis has its own, whatever the lengths are.",
            ),
            Misconception(
                "an axis of length 1 counts too",
                lambda sizes, a, b: a * b * 2 ** len(sizes),
                "You count a factor 2 for axes of length 1 too. With one place only there is no different place.",
            ),
            Misconception(
                "two weights for each axis, added",
                lambda sizes, a, b: a * b * 2 * sum(n > 1 for n in sizes),
                "You add the choices of the axes. Same or different is said for each axis, whatever the others say: multiply.",
            ),
            Misconception(
                "no weights are shared",
                lambda sizes, a, b: a * b * math.prod(sizes) ** 2,
                "You count all entries of W. Entries that the group moves to each other share one weight.",
            ),
            Misconception(
                "channels are left out",
                lambda sizes, a, b: 2 ** sum(n > 1 for n in sizes),
                "You leave out the channels. The group leaves them alone: each pair of an input and an output channel has its own weights.",
            ),
        ),
    ),
    FunctionTask(
        id="10.kronecker",
        outcome="build the weight matrix of a layer from Kronecker products",
        points=4,
        minutes=15,
        name="table_matrix",
        reference=table_matrix(),
        cases=_matrix_cases,
        shown="Each weight multiplies a Kronecker product with one factor for each axis, I or the mean.",
        misconceptions=(
            Misconception(
                "the factors exchanged",
                table_matrix(factors_reversed=True),
                "Your factors stand in the opposite order. In row-major order the first axis is the leftmost factor.",
            ),
            Misconception(
                "the digits read backwards",
                table_matrix(digits_reversed=True),
                "Your weights belong to other sets of axes: the digit of the first axis is the highest one.",
            ),
            Misconception(
                "a sum instead of a mean",
                table_matrix(_keep_or_sum),
                "Your factor for a pooled axis adds up. The mean divides by the length of that axis: J/N.",
            ),
            Misconception(
                "the other places instead of all",
                table_matrix(_same_or_different),
                "You take the colours same and different, I and J − I. They span the same matrices, but asked for are I and the mean over "
                "all places, J/N.",
            ),
            Misconception(
                "only one axis at a time",
                _only_single_axes,
                "You leave out the matrices that pool several axes at once. They belong to digits with more than one 1.",
            ),
        ),
    ),
    FamilyTask(
        id="10.means",
        outcome="write the efficient layer for any number of axes",
        points=4,
        minutes=15,
        name="forward",
        reference=_means(),
        families=_families,
        shown="Means over all sets of axes: every equivariant linear map, and no matrix was built.",
        misconceptions=(
            Misconception(
                "the identity layer",
                _means(lambda pooled: not any(pooled)),
                "Your layer only multiplies its input by a number. Entries have to hear of the others: add means.",
            ),
            Misconception(
                "only one axis at a time",
                _means(lambda pooled: sum(pooled) <= 1),
                "Your layer pools at most one axis at a time. Means over two or more axes at once, up to the overall mean, are missing.",
            ),
            Misconception(
                "the overall mean is missing",
                _means(lambda pooled: not all(pooled)),
                "The mean over all axes at once is missing. It is not a combination of the others.",
            ),
            Misconception(
                "only the entry and the overall mean",
                _means(lambda pooled: all(pooled) or not any(pooled)),
                "You treat the array as one large set of entries. Then a user's own ratings count no more than anybody else's: means over "
                "single axes are missing.",
            ),
            Misconception(
                "the entry itself is missing",
                _means(any),
                "Only means are left in your layer: the entry itself is missing, the mean over no axis. (For torch, x.mean([]) over an "
                "empty list of axes is the mean over all axes.)",
            ),
        ),
    ),
    FunctionTask(
        id="10.axes",
        outcome="tell two independent permutations from one on both axes",
        points=4,
        minutes=15,
        name="axes",
        reference=axes,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=_accept_axes,
        same=same_word,
        count_only=True,
        shown="All nine are right, and each witness makes the two paths differ.",
        misconceptions=(
            Misconception(
                "one permutation for both axes",
                _alike_is_enough,
                "You say two wherever one permutation on both axes is respected. Transposing, the diagonal and x x compare a row with the "
                "column of the same number: that survives π on both axes and not π and σ.",
            ),
            Misconception(
                "only the rows are moved",
                _rows_only,
                "You say two for a map that survives every move of the rows and fails when columns move.",
            ),
            Misconception(
                "only the columns are moved",
                _columns_only,
                "You say two for a map that survives every move of the columns and fails when rows move.",
            ),
        ),
    ),
    FunctionTask(
        id="10.fill",
        outcome="complete a table of users and films never seen, also with an empty row",
        points=3,
        minutes=12,
        name="fill",
        reference=fill,
        cases=_fill_cases,
        shown="No user and no film has a weight of its own: the rule works on any table, and an empty row falls back to the film's mean.",
        misconceptions=(
            Misconception(
                "a gap counts as zero",
                lambda table: fill(table, as_zero=True),
                "You count gaps as zeros. A rating that is not known says nothing: divide by the number of known ones.",
            ),
            Misconception(
                "a known 0 is a gap",
                lambda table: fill(table, zero_is_gap=("means", "places")),
                "You take a known rating 0 for a gap: 0 is a rating, None is a gap. Ask whether v is None, for 0 counts as false.",
            ),
            Misconception(
                "a known 0 is left out of the means",
                lambda table: fill(table, zero_is_gap=("means",)),
                "Your means leave out known ratings 0: 0 is a rating, None is a gap. Ask whether v is None, for 0 counts as false.",
            ),
            Misconception(
                "a known 0 is overwritten",
                lambda table: fill(table, zero_is_gap=("places",)),
                "You write over known ratings 0: 0 is a rating, None is a gap. Ask whether v is None, for 0 counts as false.",
            ),
            Misconception(
                "an empty row has the mean 0",
                lambda table: fill(table, empty=0.0),
                "Somebody without ratings gets the mean 0 from you, which is a very bad rating. Nothing is known: take the overall mean.",
            ),
            Misconception(
                "the user's mean alone",
                lambda table: fill(table, combine=lambda row, column, overall: row),
                "You fill gaps with the user's mean and do not look at the film.",
            ),
            Misconception(
                "the film's mean alone",
                lambda table: fill(table, combine=lambda row, column, overall: column),
                "You fill gaps with the film's mean and do not look at the user.",
            ),
            Misconception(
                "the overall mean is not subtracted",
                lambda table: fill(table, combine=lambda row, column, overall: row + column),
                "You add the two means, so that what is common to all ratings counts twice: subtract the overall mean.",
            ),
            Misconception(
                "known ratings are overwritten",
                lambda table: fill(table, keep=False),
                "You replace known ratings too. Fill gaps only.",
            ),
            Misconception(
                "the overall mean is the mean of the users' means",
                lambda table: fill(table, mean_of_means=True),
                "Your overall mean is the mean of the users' means. Users with few ratings then weigh too much: take all known ratings.",
            ),
        ),
    ),
]
