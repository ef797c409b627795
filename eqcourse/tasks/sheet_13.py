"""Lesson 13, expand or exploit: expansion, gradients of shared weights, efficient layers, counts and crossovers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..checks import FunctionTask, Misconception, ValueTask, Wrong
from ..groups import SymmetricGroup
from ..representations import Representation, from_generators
from .common import Family, FamilyTask

Rows = list[list[float]]
Pattern = list[list[int]]

# ---- task 1: expand --------------------------------------------------------------------------------------------------


def _by_entry(pattern: Pattern, entry: Callable[[int, int, int], float]) -> Rows:
    """A matrix whose entry at (row, column) comes from its place and its colour."""
    return [[entry(i, j, colour) for j, colour in enumerate(row)] for i, row in enumerate(pattern)]


def expand(pattern: Pattern, signs: Pattern, weights: list[float]) -> Rows:
    """W[i][j] = signs[i][j] · weights[pattern[i][j]], and 0 where the colour is −1."""
    return _by_entry(pattern, lambda i, j, c: signs[i][j] * weights[c] if c >= 0 else 0)


def _share_out(pattern: Pattern, signs: Pattern, weights: list[float]) -> Rows:
    counts = [sum(row.count(c) for row in pattern) for c in range(len(weights))]
    return expand(pattern, signs, [w / max(count, 1) for w, count in zip(weights, counts, strict=True)])


def _expand_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 1, 2], [2, 0, 1]], [[1, 1, 1], [1, 1, 1]], [3.0, 50.0, 700.0]),
            ([[0], [-1], [0]], [[1], [0], [-1]], [6.0]),
            ([[-1, -1, -1], [-1, -1, -1]], [[0, 0, 0], [0, 0, 0]], []),
            ([[0, 1, -1], [1, 0, -1]], [[1, -1, 0], [1, -1, 0]], [2.0, 30.0]),
            ([[0, 1, 2], [1, 3, 1], [2, 1, 0]], [[1, 1, 1], [-1, 1, -1], [1, 1, 1]], [1.5, -2.0, 40.0, 600.0]),
        ]
    return [
        ([[0, 1, 1], [1, 0, 1]], [[1, 1, 1], [1, 1, 1]], [5.0, 1.0]),
        ([[0, -1, 0]], [[1, 0, -1]], [7.0]),
        ([[-1, -1]], [[0, 0]], []),  # no weight at all
        ([[0, 1, 0], [2, -1, 2]], [[1, 1, 1], [1, 0, -1]], [10.0, 20.0, 300.0]),
    ]


# ---- task 2: gradients -----------------------------------------------------------------------------------------------

Gradient = Callable[[Pattern, Pattern, Rows, int], list[float]]


def gradient(pattern: Pattern, signs: Pattern, entries: Rows, number: int) -> list[float]:
    """The sum over each colour of sign · ∂L/∂W."""
    return [sum(terms) for terms in _terms(pattern, signs, entries, number)]


def _terms(pattern: Pattern, signs: Pattern, entries: Rows, number: int) -> list[list[float]]:
    """What the entries of each colour contribute, row by row."""
    terms: list[list[float]] = [[] for _ in range(number)]
    for colours, row_signs, row in zip(pattern, signs, entries, strict=True):
        for colour, sign, entry in zip(colours, row_signs, row, strict=True):
            if colour >= 0:
                terms[colour].append(sign * entry)
    return terms


def _zeros_join_the_last(pattern: Pattern, signs: Pattern, entries: Rows, number: int) -> list[float]:
    total = gradient(pattern, signs, entries, number)
    total[-1] += sum(
        entry
        for colours, row in zip(pattern, entries, strict=True)
        for c, entry in zip(colours, row, strict=True)
        if c < 0
    )
    return total


def _gradient_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 1], [1, 0], [1, 1]], [[1, 1], [1, 1], [1, 1]], [[2.0, 30.0], [5.0, 7.0], [11.0, 13.0]], 2),
            ([[0], [-1], [0]], [[1], [0], [-1]], [[9.0], [100.0], [4.0]], 1),
            (
                [[0, 1, 2], [1, 3, 1], [2, 1, 0]],
                [[1, 1, 1], [-1, 1, -1], [1, 1, 1]],
                [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]],
                4,
            ),
            ([[0, 1, -1], [1, 0, -1]], [[1, -1, 0], [1, -1, 0]], [[1.0, 20.0, 300.0], [4.0, 50.0, 7.0]], 2),
        ]
    return [
        ([[0, 1, 1], [1, 0, 1]], [[1, 1, 1], [1, 1, 1]], [[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]], 2),
        ([[0, -1, 0]], [[1, 0, -1]], [[10.0, 20.0, 50.0]], 1),
        ([[0, 1, 0], [2, -1, 2]], [[1, 1, 1], [1, 0, -1]], [[1.0, 3.0, 5.0], [7.0, 11.0, 20.0]], 3),
    ]


GRADIENT_MISCONCEPTIONS = (
    Misconception(
        "gradients need special care: a mean instead of the sum",
        lambda *args: [sum(terms) / max(len(terms), 1) for terms in _terms(*args)],
        "You take the mean over each colour. If a weight grows by 1, every entry of its colour grows by 1, and their effects add up.",
    ),
    Misconception(
        "gradients need special care: one entry of a colour gets it",
        lambda *args: [terms[0] if terms else 0 for terms in _terms(*args)],
        "You take the first entry of each colour. The weight stands in all of them, and moves them all.",
    ),
    Misconception(
        "later entries overwrite earlier ones",
        lambda *args: [terms[-1] if terms else 0 for terms in _terms(*args)],
        "Only the last entry of each colour is left: the others were overwritten. Add to what is there.",
    ),
)


def gather(pattern: Pattern, entries: Rows, number: int) -> list[float]:
    """The gradient for a pattern without signs."""
    return gradient(pattern, [[1] * len(row) for row in pattern], entries, number)


def _without_signs(misconception: Misconception) -> Misconception:
    answer = misconception.answer
    return Misconception(
        misconception.name,
        lambda pattern, entries, number: answer(pattern, [[1] * len(row) for row in pattern], entries, number),
        misconception.message,
    )


def _gather_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 1, 2], [2, 0, 1]], [[3.0, 5.0, 7.0], [11.0, 13.0, 17.0]], 3),
            ([[0, 1], [1, 0], [1, 1]], [[2.0, 30.0], [5.0, 7.0], [11.0, 13.0]], 2),
            ([[1, 3], [3, 1]], [[2.0, 30.0], [5.0, 7.0]], 4),
        ]
    return [
        ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]], 2),
        ([[0, 0, 1]], [[10.0, 20.0, 40.0]], 2),
        ([[0, 2, 0]], [[10.0, 20.0, 40.0]], 3),  # a weight that stands nowhere
    ]


# ---- in the lesson: a table's weights --------------------------------------------------------------------------------


def table_weights(colours: list[float]) -> list[float]:
    """The weights of cell, row sum, column sum and total from the four colours."""
    same, row, column, neither = colours
    return [same - row - column + neither, row - neither, column - neither, neither]


# ---- task 3: matches -------------------------------------------------------------------------------------------------


@lru_cache
def matches(n: int) -> Representation:
    """S_n renames n teams, and acts on the results of all matches i–j, i < j, in the order 0–1, 0–2, …

    A result is the goals of team i minus those of team j: it changes its sign if the teams are named the other way round.

    >>> import torch
    >>> matches(3).act([1, 0, 2], torch.tensor([2, -1, 5]))
    tensor([-2,  5, -1])
    """
    group = SymmetricGroup(n)
    pairs = list(itertools.combinations(range(n), 2))
    indices, signs = [], []
    for g in group.generators:
        moved = [(int(g[i]), int(g[j])) for i, j in pairs]
        indices.append([pairs.index((min(pair), max(pair))) for pair in moved])
        signs.append([1 if pair[0] < pair[1] else -1 for pair in moved])
    return from_generators(group, indices=indices, signs=signs, name=f"results of {n} teams")


def _teams(x: list[float], n: int, sign: int = -1) -> list[float]:
    """For each team the sum of its results; ``sign`` is that of a result as the second team sees it."""
    totals = [0.0] * n
    for (i, j), result in zip(itertools.combinations(range(n), 2), x, strict=True):
        totals[i] += result
        totals[j] += sign * result
    return totals


def forward(weights: list[float], x: list[float], n: int) -> list[float]:
    """y_ij = a x_ij + b (r_i − r_j)."""
    return _with_teams(lambda r, i, j: r[i] - r[j])(weights, x, n)


def _with_teams(term: Callable[[list[float], int, int], float], sign: int = -1) -> Callable[..., list[float]]:
    def layer(weights: list[float], x: list[float], n: int) -> list[float]:
        a, b = weights
        r = _teams(x, n, sign)
        pairs = itertools.combinations(range(n), 2)
        return [a * result + b * term(r, i, j) for (i, j), result in zip(pairs, x, strict=True)]

    return layer


def _match_families(hidden: bool) -> list[Family]:
    sizes = (3, 6) if hidden else (3, 4, 5)
    return [Family(matches(n), matches(n), 2, (n,)) for n in sizes]


# ---- task 4: costs ---------------------------------------------------------------------------------------------------


def costs(n: int) -> list[list[int]]:
    """[operations, bytes] with the matrix, with one row of it at a time, and without it."""
    m = n * (n - 1) // 2
    return [[2 * m * m - m, 4 * m * m], [2 * m * m - m, 4 * m], [3 * n * n - 4 * n, 4 * n]]


def _products_only(n: int) -> list[list[int]]:
    m = n * (n - 1) // 2
    return [[operations, size] for operations, (_, size) in zip((m * m, m * m, 2 * m), costs(n), strict=True)]


def _each_pair_twice(n: int) -> list[list[int]]:
    m = n * n
    return [[2 * m * m - m, 4 * m * m], [2 * m * m - m, 4 * m], [n * (n - 2) + 4 * m, 4 * n]]


def _must_be_stored(n: int) -> list[list[int]]:
    stored, rows, efficient = costs(n)
    return [stored, [rows[0], stored[1]], efficient]


def _zeros_skipped(n: int) -> list[list[int]]:
    m = n * (n - 1) // 2
    used = 1 + 2 * (n - 2)  # the match itself and those that share one team with it
    stored, rows, efficient = costs(n)
    return [[m * (2 * used - 1), stored[1]], [m * (2 * used - 1), rows[1]], efficient]


def _sums_from_zero(n: int) -> list[list[int]]:
    stored, rows, (operations, size) = costs(n)
    return [stored, rows, [operations + n, size]]


def _one_row_only(n: int) -> list[list[int]]:
    stored, rows, efficient = costs(n)
    m = n * (n - 1) // 2
    return [stored, [2 * m - 1, rows[1]], efficient]


# ---- task 5: crossover -----------------------------------------------------------------------------------------------

LARGEST = 1000
Cost = list[Any]  # [steps, [c_0, c_1, …]]
Sizes = list[int]


def _compare(with_matrix: Cost, without: Cost, price: float) -> list[tuple[float, float]]:
    """Both costs for N = 1, …, LARGEST."""

    def total(cost: Cost, n: int) -> float:
        steps, coefficients = cost
        return float(price * steps + sum(c * n**k for k, c in enumerate(coefficients)))

    return [(total(with_matrix, n), total(without, n)) for n in range(1, LARGEST + 1)]


def _from_then_on(wins: list[bool]) -> int | None:
    """The first place, counted from 1, from which on all are true; None if the last one is not."""
    last_loss = max((n for n, win in enumerate(wins, start=1) if not win), default=0)
    return last_loss + 1 if last_loss < len(wins) else None


def crossover(with_matrix: Cost, without: Cost, price: float) -> int | None:
    """The smallest N from which on the layer without the matrix costs less."""
    return _from_then_on([b < a for a, b in _compare(with_matrix, without, price)])


def _steps_are_free(with_matrix: Cost, without: Cost, price: float) -> int | None:
    return crossover(with_matrix, without, 0)


def _price_once(with_matrix: Cost, without: Cost, price: float) -> int | None:
    return crossover([0, with_matrix[1]], [1, without[1]], price)


def _first_win(with_matrix: Cost, without: Cost, price: float) -> int | None:
    wins = [b < a for a, b in _compare(with_matrix, without, price)]
    return wins.index(True) + 1 if True in wins else None


def _tie_wins(with_matrix: Cost, without: Cost, price: float) -> int | None:
    return _from_then_on([b <= a for a, b in _compare(with_matrix, without, price)])


def _highest_power(with_matrix: Cost, without: Cost, price: float) -> int | None:
    return 1 if len(without[1]) < len(with_matrix[1]) else None


def _exchanged(with_matrix: Cost, without: Cost, price: float) -> int | None:
    return crossover(without, with_matrix, price)


@dataclass(frozen=True)
class _CrossoverTask(FunctionTask):
    """None is an answer here, not only what a function without a return gives."""

    def _require_right(self, args: tuple[Any, ...], got: Any, expected: Any) -> None:
        if got is None and expected is not None:
            raise Wrong(
                f"{self._call(args)}\n  gave None: that without W it does not cost less at N = {LARGEST}. It does, from N = {expected} on."
                "\n"
                "  If you meant to give a number: is there a return?"
            )
        super()._require_right(args, got, expected)


def _crossover_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([2, [0, 0, -1, 0, 2]], [30, [4, 18, 7]], 5000),
            ([2, [0, -1, 2]], [4, [0, 3]], 4),  # a tie at N = 3 … 4
            ([1, [60, 0, 1]], [1, [0, 20]], 30),  # ahead at first, then behind, then ahead
            ([2, [0, 3]], [9, [0, 3]], 1),
            ([3, [0, 5, 1]], [1, [0, 2]], 7),  # cheaper at once
            ([1, [2, 2]], [1, [1001, 1]], 3),  # from N = 1000 on
            ([1, [0, 1]], [1, [1000]], 3),  # from N = 1001 on: too late
            ([1, [827_700, 0, 1]], [1, [0, 1820]], 2),  # ahead, behind from 890 to 930, ahead
            ([2, [900]], [1, [0, 1]], 5),  # ahead up to 904, then behind
            ([1, [0, 0, 1]], [2, [0, 4]], 5),  # a tie at N = 5
        ]
    return [
        ([2, [0, -1, 2]], [4, [0, 3]], 0),  # a tie at N = 2
        ([2, [0, -1, 2]], [4, [0, 3]], 10),
        ([1, [50, 0, 1]], [1, [0, 20]], 100),  # ahead at first, then behind, then ahead
        ([2, [0, 2]], [5, [0, 2]], 1),
        ([2, [0, 1]], [1, [0, 1]], 3),  # cheaper at once
        ([1, [0, 1]], [1, [999]], 3),  # from N = 1000 on
        ([1, [1, 1]], [1, [1001]], 3),  # from N = 1001 on: too late
        ([1, [850]], [1, [0, 1]], 5),  # ahead up to 849, then behind
        ([2, [0, 0, -1, 0, 2]], [30, [4, 18, 7]], 1000),
    ]


# ---- the tasks -------------------------------------------------------------------------------------------------------

TASKS = [
    ValueTask(
        id="13.recall-1",
        accepted=(3,),
        why="One weight for each output: it multiplies the sum of all inputs.",
        feedback={
            24: "Every entry free: then the outputs would know which number stood where. They may use the sum only.",
            8: "Along a row all eight entries are equal: a permutation may exchange any two inputs.",
            1: "The three outputs are left alone, each by itself: nothing ties the three rows to each other.",
        },
    ),
    ValueTask(
        id="13.recall-2",
        accepted=(15,),
        why="The number of set partitions of 2 + 2 points: it does not grow with N, from N = 4 on.",
        feedback={
            4: "Four is right for two independent permutations, one for each axis. Here one permutation acts on both.",
            2: "Two is right for order 1, a list of nodes. Here both sides are tables of order 2.",
            100_000_000: "That is the number of entries. Entries in one orbit are equal.",
        },
    ),
    FunctionTask(
        id="13.gather",
        outcome="say what the gradient of a shared weight is",
        minutes=4,
        name="gather",
        reference=gather,
        cases=_gather_cases,
        shown="The gradient of a weight is the sum over all entries of its colour.",
        misconceptions=tuple(map(_without_signs, GRADIENT_MISCONCEPTIONS)),
    ),
    FunctionTask(
        id="13.table-weights",
        outcome="find the weights of a layer without its matrix",
        minutes=5,
        name="table_weights",
        reference=table_weights,
        cases=lambda hidden: (
            [([2.0, 30.0, 5.0, 7.0],), ([0.0, 1.0, 2.0, 4.0],)]
            if hidden
            else [([100.0, 10.0, 3.0, 1.0],), ([1.0, 0.0, 0.0, 0.0],), ([5.0, 4.0, 2.0, 7.0],)]
        ),
        shown="The four sums with these weights give the same table as the matrix with the four colours.",
        misconceptions=(
            Misconception(
                "the colours are the weights",
                lambda colours: colours,
                "You take the colours themselves. The total reaches every cell, so that part is already there for the rows and columns.",
            ),
            Misconception(
                "what was taken out twice is not put back",
                lambda colours: [colours[0] - colours[1] - colours[2], *table_weights(colours)[1:]],
                "Your last three are right. The row sum and the column sum both contain the cell, and so does the total: add up all four.",
            ),
            Misconception(
                "only the total is taken out",
                lambda colours: [c - colours[3] for c in colours[:3]] + [colours[3]],
                "Your last three are right. The cell is reached by its row sum and its column sum too, not only by the total.",
            ),
        ),
    ),
    FunctionTask(
        id="13.expand",
        outcome="build a matrix from a pattern, signs and weights",
        points=3,
        minutes=8,
        name="expand",
        reference=expand,
        cases=_expand_cases,
        shown="Colours, signs and forced zeros all stand where they should, for matrices of several shapes.",
        misconceptions=(
            Misconception(
                "signs are left out",
                lambda pattern, signs, weights: expand(pattern, [[1] * len(row) for row in pattern], weights),
                "Entries of one colour may differ in sign: multiply each by its sign.",
            ),
            Misconception(
                "colour −1 looks up the last weight",
                lambda pattern, signs, weights: _by_entry(
                    pattern, lambda i, j, c: (signs[i][j] or 1) * weights[c] if weights else 0
                ),
                "A colour of −1 marks an entry that has to be 0. A look-up at −1 takes the last item of the list.",
            ),
            Misconception(
                "a weight is shared out among its entries",
                _share_out,
                "You divide each weight by the number of its entries. Each entry of a colour is the whole weight.",
            ),
            Misconception(
                "rows and columns are exchanged",
                lambda pattern, signs, weights: [
                    list(column) for column in zip(*expand(pattern, signs, weights), strict=True)
                ],
                "Your matrix is the transpose of the right one. Row i of W belongs to output i.",
            ),
        ),
    ),
    FunctionTask(
        id="13.gradient",
        outcome="find the gradients of shared weights, with signs and zeros",
        points=3,
        minutes=10,
        name="gradient",
        reference=gradient,
        cases=_gradient_cases,
        shown="Gradients add up over each colour, with the signs, and forced zeros add nothing.",
        misconceptions=(
            *GRADIENT_MISCONCEPTIONS,
            Misconception(
                "signs are left out",
                lambda pattern, signs, entries, number: gather(pattern, entries, number),
                "Where the weight enters with a minus sign, raising it lowers the entry: multiply by the sign.",
            ),
            Misconception(
                "forced zeros count for the last weight",
                _zeros_join_the_last,
                "An entry of colour −1 is 0 whatever the weights are, so it adds to no gradient; −1 is not the last weight here.",
            ),
        ),
    ),
    FamilyTask(
        id="13.matches",
        outcome="write an equivariant layer without its matrix",
        points=4,
        minutes=18,
        families=_match_families,
        reference=forward,
        shown="Linear, equivariant, and complete.",
        misconceptions=(
            Misconception(
                "each match by itself",
                lambda weights, x, n: [weights[0] * result for result in x],
                "Each result is multiplied by a number. A match may also use other matches of its two teams: that diagram is missing.",
            ),
            Misconception(
                "the results of a team are added without their signs",
                _with_teams(lambda r, i, j: r[i] - r[j], sign=1),
                "For the team that is named second a result counts the other way round: a win by 2 is a loss by 2.",
            ),
            Misconception(
                "both teams count alike",
                _with_teams(lambda r, i, j: r[i] + r[j]),
                "You add the totals of both teams. If the teams change places the output has to change its sign, and a sum does not.",
            ),
            Misconception(
                "only the team named first counts",
                _with_teams(lambda r, i, j: r[i]),
                "You use the total of one team. Named the other way round, the match would use the other one.",
            ),
            Misconception(
                "the matches are a set",
                lambda weights, x, n: [weights[0] * result + weights[1] * sum(x) for result in x],
                "You add the sum of all results to each. The group renames teams: it flips signs, and does not permute matches at will.",
            ),
        ),
    ),
    FunctionTask(
        id="13.costs",
        outcome="count operations and bytes of three ways to compute one layer",
        points=3,
        minutes=12,
        name="costs",
        reference=costs,
        cases=lambda hidden: [(n,) for n in ((5, 10, 23, 100) if hidden else (2, 3, 4, 7, 40))],
        shown="Operations and bytes are right for all three ways.",
        misconceptions=(
            Misconception(
                "the expanded matrix must be stored",
                _must_be_stored,
                "Computing with one row at a time, you count the bytes of all rows. A row that has been used can be forgotten.",
            ),
            Misconception(
                "one row is all there is to compute",
                _one_row_only,
                "Your bytes are right. The operations are those of all rows: each is made, used and forgotten.",
            ),
            Misconception(
                "only products count",
                _products_only,
                "Your bytes are right. Additions count too: a row of m products has m − 1 of them.",
            ),
            Misconception(
                "products with 0 are left out",
                _zeros_skipped,
                "You leave out the products with 0. Here W is stored in full, and each of its entries takes part.",
            ),
            Misconception(
                "a sum starts with an addition to 0",
                _sums_from_zero,
                "Your bytes and the ways with W are right. A sum of n − 1 results takes n − 2 additions: the first one is there already.",
            ),
            Misconception(
                "each team plays all N",
                _each_pair_twice,
                "You count N² matches. No team plays itself, and i against j is the same match as j against i.",
            ),
            Misconception(
                "numbers are counted, not bytes",
                lambda n: [[operations, size // 4] for operations, size in costs(n)],
                "You count numbers. A number has 4 bytes here.",
            ),
        ),
    ),
    _CrossoverTask(
        id="13.crossover",
        outcome="find the size from which on a layer is cheaper without its matrix",
        points=3,
        minutes=10,
        name="crossover",
        reference=crossover,
        cases=_crossover_cases,
        shown="Crossovers with free and with dear steps, with a tie, with an early lead that is lost again, and one that never comes.",
        misconceptions=(
            Misconception(
                "steps are free",
                _steps_are_free,
                "You compare the operations. Each step costs its price as well, however small N is.",
            ),
            Misconception(
                "the price is paid once",
                _price_once,
                "You add the price once, for the way without the matrix. It is paid for each step, on both ways.",
            ),
            Misconception(
                "the first N will do",
                _first_win,
                "You stop at the first N. The way without the matrix has to cost less there and at every larger N up to 1000.",
            ),
            Misconception(
                "a tie is a win",
                _tie_wins,
                "At a tie neither way costs less.",
            ),
            Misconception(
                "the two ways are exchanged",
                _exchanged,
                "You give the N from which on the way with W costs less. The arguments are with_matrix, without, price.",
            ),
            Misconception(
                "the lower power always wins",
                _highest_power,
                "You compare the highest powers of N. They decide for large N; the question is how large.",
            ),
        ),
    ),
]
