"""Other right answers for the tasks of sheet 10, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math
from functools import reduce

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners, nn
from eqcourse.checks import find_task, verdict
from eqcourse.groups import SymmetricGroup
from eqcourse.representations import outer
from eqcourse.tasks import sheet_10


def act_with_numpy(pi, sigma, x):
    return np.array(x)[np.argsort(pi)][:, np.argsort(sigma)]


def act_with_the_library(pi, sigma, x):
    rho = outer(SymmetricGroup(len(pi)).defining(), SymmetricGroup(len(sigma)).defining())
    return rho.act((pi, sigma), torch.tensor(x))


def colour_by_cases(row, column):
    if row[0] == column[0]:
        return 0 if row[1] == column[1] else 1
    return 2 if row[1] == column[1] else 3


def colour_by_the_solver(row, column):
    return int(solver_pattern()[4 * row[0] + row[1], 4 * column[0] + column[1]])


def solver_pattern():
    table = outer(SymmetricGroup(3).defining(), SymmetricGroup(4).defining())
    return intertwiners(table, table).pattern


def kron_by_blocks(A, B):
    return np.block([[a * np.array(B) for a in row] for row in A])


def layer_with_numpy(weights, x):
    x = np.array(x, dtype=float)
    w0, w1, w2, w3 = weights
    return w0 * x + (w1 * x.mean(1))[:, None] + w2 * x.mean(0) + w3 * x.mean()


def layer_in_float32(weights, x):
    x = torch.tensor([[x]]).float()
    mine = nn.ArrayLinear(2, 1, 1, bias=False)
    with torch.no_grad():
        mine.weight.copy_(torch.tensor(weights).float())
        return mine(x)[0, 0]


def count_by_the_library(sizes, in_channels, out_channels):
    axes = [SymmetricGroup(n).defining() for n in sizes if n > 1] or [SymmetricGroup(1).defining()]
    one = axes[0] if len(axes) == 1 else outer(*axes)
    return intertwiner_dimension(one, one) * in_channels * out_channels


def count_by_multiplying(sizes, in_channels, out_channels):
    return in_channels * out_channels * math.prod(min(n, 2) for n in sizes)


def matrix_by_columns(sizes, weights):
    """What the layer makes of each basis vector."""
    columns = []
    for e in torch.eye(math.prod(sizes), dtype=torch.float64):
        columns.append(torch.tensor(sheet_10._means()(weights, e.reshape(sizes))).flatten())
    return torch.stack(columns, 1)


def matrix_with_numpy(sizes, weights):
    total = 0
    for k, weight in enumerate(weights):
        digits = [k >> (len(sizes) - 1 - axis) & 1 for axis in range(len(sizes))]
        factors = [np.full((n, n), 1 / n) if d else np.eye(n) for n, d in zip(sizes, digits, strict=True)]
        total = total + weight * reduce(np.kron, factors)
    return total


def forward_with_sums(weights, x):
    """Sums instead of means, the weights in another order, numpy."""
    x = np.array(x)
    subsets = [s for r in range(x.ndim + 1) for s in itertools.combinations(range(x.ndim), r)]
    return sum(w * x.sum(s, keepdims=True) for w, s in zip(weights, subsets, strict=True)) + 0 * x


def forward_other_places(weights, x):
    """The colours: for each axis the entry itself, or the sum over all other places. In float32."""
    total = torch.zeros(torch.tensor(x).shape)
    for weight, different in zip(weights, itertools.product([0, 1], repeat=total.ndim), strict=True):
        y = torch.tensor(x, dtype=torch.float32)
        for axis, other in enumerate(different):
            if other:
                y = y.sum(axis, keepdim=True) - y
        total = total + weight * y
    return total


def forward_mixed_weights(weights, x):
    """Weights that each move several of the terms."""
    mixed = np.tril(np.ones((len(weights), len(weights)))) @ np.array(weights)
    return forward_with_sums(mixed.tolist(), x)


def axes_by_thought(letter):
    x = [[1, 2, 4], [8, 16, 32], [64, 128, 256]]
    swap, same = [1, 0, 2], [0, 1, 2]
    if letter in "AEG":
        return ["two", None]
    if letter in "BDF":
        return ["one", [swap, same, x]]
    return ["none", [swap, swap, [[3, 1, 2], [1, 2, 0], [5, 4, 9]]]]


def axes_with_the_library(letter):
    f = sheet_10.setting(letter)
    V = SymmetricGroup(3).defining()
    x = torch.tensor([[1, 7, 3], [10, 2, 5], [4, 8, 0.5]], dtype=torch.float64)
    for word, rho in (("none", V * V), ("one", outer(V, V))):
        for g in rho.group.elements():
            if not torch.allclose(f(rho.act(g, x)), rho.act(g, f(x))):
                return (word, [g, g, x] if word == "none" else [*g, x])
    return "two", None


def fill_with_numpy(table):
    x = np.array([[np.nan if v is None else v for v in row] for row in table], dtype=float)
    known = ~np.isnan(x)
    overall = x[known].mean()
    z = np.where(known, x, 0)
    rows = np.where(known.any(1), z.sum(1) / np.maximum(known.sum(1), 1), overall)
    columns = np.where(known.any(0), z.sum(0) / np.maximum(known.sum(0), 1), overall)
    return np.where(known, x, rows[:, None] + columns - overall)


def fill_in_float32(table):
    mask = torch.tensor([[float(v is not None) for v in row] for row in table])
    x = torch.tensor([[0.0 if v is None else float(v) for v in row] for row in table])
    overall = x.sum() / mask.sum()
    centred = (x - overall) * mask
    rows = centred.sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
    columns = centred.sum(0) / mask.sum(0).clamp(min=1)
    return torch.where(mask > 0, x, overall + rows + columns)


RIGHT = {
    "10.act": [act_with_numpy, act_with_the_library],
    "10.colour": [colour_by_cases, colour_by_the_solver],
    "10.kron": [kron_by_blocks, lambda A, B: torch.kron(torch.tensor(A), torch.tensor(B))],
    "10.layer": [layer_with_numpy, layer_in_float32],
    "10.count": [count_by_the_library, count_by_multiplying],
    "10.kronecker": [matrix_by_columns, matrix_with_numpy],
    "10.means": [forward_with_sums, forward_other_places, forward_mixed_weights],
    "10.axes": [axes_by_thought, axes_with_the_library],
    "10.fill": [fill_with_numpy, fill_in_float32],
}

BOTH = pytest.mark.parametrize("hidden", [False, True])


def test_the_matrix_of_the_sheet_is_the_matrix_of_the_library():
    """The weights of task 10.kronecker are those of nn.ArrayLinear."""
    mine = nn.ArrayLinear(3, 1, 1, bias=False, dtype=torch.float64, generator=0)
    W = torch.tensor(
        find_task("10.kronecker").reference([2, 3, 2], mine.weight.flatten().tolist()), dtype=torch.float64
    )
    assert torch.allclose(mine.expanded(2, 3, 2).matrix().reshape(12, 12), W)


def wrong_layers():
    def constant(weights, x):
        return torch.ones_like(torch.tensor(x))

    def nonlinear(weights, x):
        return sheet_10._means()(
            weights, [[v * abs(v) for v in row] if not isinstance(row[0], list) else row for row in x]
        )

    def transposed_mean(weights, x):
        """Row means put along the columns as far as they reach."""
        t = torch.tensor(x)
        row = t.flatten(1).mean(1)
        return torch.tensor(sheet_10._means()(weights, x)) + weights[1] * row[0] * torch.ones_like(t)

    def first_weight_only(weights, x):
        return weights[0] * torch.tensor(x)

    def only_the_mean(weights, x):
        return sum(weights) * torch.tensor(x).mean() * torch.ones_like(torch.tensor(x))

    def rows_only(weights, x):
        t = torch.tensor(x)
        return weights[0] * t + weights[1] * t.mean(0, keepdim=True)

    def cumulative(weights, x):
        return torch.tensor(sheet_10._means()(weights, torch.tensor(x).cumsum(1)))

    def nan(weights, x):
        return torch.tensor(x) * math.nan

    def ones_without_weights(weights, x):
        return sheet_10._means()(weights, x) if any(weights) else torch.ones_like(torch.tensor(x))

    def small_arrays_only(weights, x):
        t = torch.tensor(x)
        return sheet_10._means()(weights, x) if t.numel() <= 30 else torch.zeros_like(t)

    return [
        *(constant, nonlinear, transposed_mean, first_weight_only, only_the_mean, rows_only, cumulative, nan),
        *(ones_without_weights, small_arrays_only),
    ]


@BOTH
@pytest.mark.parametrize("answer", wrong_layers(), ids=lambda answer: answer.__name__)
def test_wrong_layers_do_not_pass(answer, hidden):
    assert verdict("10.means", answer, hidden).status == "not yet"


@BOTH
def test_layers_that_are_equivariant_and_too_small_have_their_own_messages(hidden):
    zero = verdict("10.means", lambda weights, x: 0 * torch.tensor(x), hidden)
    assert zero.misconception == "the zero layer"
    assert "zero map" in zero.message
    identity = verdict("10.means", lambda weights, x: sum(weights) * torch.tensor(x), hidden)
    assert identity.misconception == "the identity layer"
    missing = verdict("10.means", sheet_10._means(lambda pooled: not all(pooled)), hidden)
    assert missing.misconception == "the overall mean is missing"
    assert "3 of 4" in missing.message
    assert len({zero.message, identity.message, missing.message}) == 3


@BOTH
def test_a_mean_over_no_axis_is_for_torch_a_mean_over_all(hidden):
    def answer(weights, x):
        x = torch.tensor(x)
        subsets = [[a for a in range(x.ndim) if k >> a & 1] for k in range(2**x.ndim)]
        return sum(w * x.mean(axes, keepdim=True) for w, axes in zip(weights, subsets, strict=True)) + 0 * x

    result = verdict("10.means", answer, hidden)
    assert result.misconception == "the entry itself is missing"
    assert "x.mean([])" in result.message


@BOTH
def test_a_counterexample_names_the_permutation(hidden):
    result = verdict("10.means", wrong_layers()[2], hidden)
    assert "moved by g" in result.message


def test_the_words_of_the_nine_maps():
    words = {letter: sheet_10.axes(letter)[0] for letter in sheet_10.SETTINGS}
    assert words == dict(
        zip("ABCDEFGHI", ["two", "one", "none", "one", "two", "one", "two", "none", "none"], strict=True)
    )


@pytest.mark.parametrize("word", ["two", "one", "none"])
@BOTH
def test_one_word_for_all_maps_does_not_pass(word, hidden):
    witness = [[1, 0, 2], [1, 0, 2] if word == "none" else [0, 1, 2], [[1, 7, 3], [10, 2, 5], [4, 8, 0]]]
    result = verdict("10.axes", lambda letter: [word, None if word == "two" else witness], hidden)
    assert result.status == "not yet"


def one_changed(letter, changed):
    return lambda asked: changed if asked == letter else sheet_10.axes(asked)


X = [[1, 7, 3], [10, 2, 5], [4, 8, 0]]


@pytest.mark.parametrize(
    ("letter", "changed", "said"),
    [
        ("A", ["one", [[1, 0, 2], [0, 1, 2], X]], "the two paths agree"),
        ("B", ["one", [[1, 0, 2], [1, 0, 2], X]], "the two paths agree"),
        ("B", ["none", [[1, 0, 2], [0, 1, 2], X]], "the same permutation on both axes"),
        ("C", ["one", [[1, 0, 2], [1, 2, 0], X]], "even one permutation"),
        ("B", ["one", None], "is not a list"),
        ("B", ["one", [[1, 0, 2], X]], "is not a list"),
        ("A", ["two", [[1, 0, 2], [0, 1, 2], X]], '"two" has no witness'),
        ("B", ["one", [[1, 0, 0], [0, 1, 2], X]], 'axes("B"): [1, 0, 0] and [0, 1, 2] are not both permutations'),
        (
            "B",
            ["one", [[1, 0, 2], [0, 1, 2], [[1, 2], [3, 4]]]],
            'axes("B"): the table [[1, 2], [3, 4]] of the witness',
        ),
        ("B", ["one", [[1, 0, 2], [0, 1, 2], [[math.nan] * 3] * 3]], "not 3 × 3"),
        ("B", ["one", [[1.0, 0.0, 2.0], "abc", X]], "is not a list"),
        ("C", ["both", None], "expected"),
        ("C", "none", "expected"),
    ],
)
def test_false_witnesses_are_not_taken(letter, changed, said):
    result = verdict("10.axes", one_changed(letter, changed))
    assert result.status == "not yet"
    assert said in result.message


def lazy_fills():
    return [
        lambda table: [[0 if v is None else v for v in row] for row in table],
        lambda table: table,
        lambda table: [[3 if v is None else v for v in row] for row in table],
        lambda table: [
            [sheet_10._mean([v for r in table for v in r], 0) if v is None else v for v in row] for row in table
        ],
    ]


@BOTH
@pytest.mark.parametrize("number", range(4))
def test_lazy_fills_do_not_pass(number, hidden):
    assert verdict("10.fill", lazy_fills()[number], hidden).status == "not yet"


@BOTH
def test_truth_values_in_place_of_is_not_none_do_not_pass(hidden):
    """Each of the places where ``if v`` may stand for ``if v is not None``."""

    def answer(in_overall, in_means, in_places):
        def fill(table):
            known = lambda v, careless: bool(v) if careless else v is not None  # noqa: E731
            mean = lambda values: sum(values) / len(values) if values else overall  # noqa: E731
            overall = mean([v for row in table for v in row if known(v, in_overall)])
            rows = [mean([v for v in row if known(v, in_means)]) for row in table]
            columns = [mean([v for v in column if known(v, in_means)]) for column in zip(*table, strict=True)]
            return [
                [v if known(v, in_places) else rows[u] + columns[i] - overall for i, v in enumerate(row)]
                for u, row in enumerate(table)
            ]

        return fill

    assert verdict("10.fill", answer(False, False, False), hidden).status == "passed"
    for careless in list(itertools.product([False, True], repeat=3))[1:]:
        assert verdict("10.fill", answer(*careless), hidden).status == "not yet", careless
    assert "0 is a rating, None is a gap" in verdict("10.fill", answer(True, True, True), hidden).message


@BOTH
def test_dividing_by_nothing_is_an_error_of_the_answer(hidden):
    def answer(table):
        rows = [sum(v for v in row if v is not None) / sum(v is not None for v in row) for row in table]
        columns = [sum(v for v in c if v is not None) / sum(v is not None for v in c) for c in zip(*table, strict=True)]
        known = [v for row in table for v in row if v is not None]
        overall = sum(known) / len(known)
        return [
            [rows[u] + columns[i] - overall if v is None else v for i, v in enumerate(r)] for u, r in enumerate(table)
        ]

    result = verdict("10.fill", answer, hidden)
    assert result.status == "error"
    assert "ZeroDivisionError" in result.message


def test_a_table_that_is_changed_in_place_is_reported():
    def answer(table):
        filled = sheet_10.fill(table)
        for row, new in zip(table, filled, strict=True):
            row[:] = new
        return table

    result = verdict("10.fill", answer)
    assert result.status == "not yet"
    assert "changed its input" in result.message


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda *a: 4,
        lambda *a: 8,
        lambda s, a, b: 4 * a * b,
        lambda s, a, b: 2 ** len(s) * (a + b),
        lambda s, a, b: a * b * 2 ** (len(s) - (1 in s)),
        lambda s, a, b: a * b * 2 ** sum(n > 1 for n in s) * (set(s) != {1}),
        lambda s, a, b: a * b * max(2, 2 ** sum(n > 1 for n in s)),
    ],
)
def test_other_counts_do_not_pass(answer, hidden):
    assert verdict("10.count", answer, hidden).status == "not yet"


@BOTH
def test_other_matrices_do_not_pass(hidden):
    def zero(sizes, weights):
        return torch.zeros(math.prod(sizes), math.prod(sizes))

    def one_product(sizes, weights):
        """Kronecker products of sums, which reach three dimensions of four."""
        factors = [torch.eye(n) * weights[0] + weights[-1] * torch.ones(n, n) / n for n in sizes]
        return reduce(torch.kron, factors)

    def diagonal_only(sizes, weights):
        return weights[0] * torch.eye(math.prod(sizes))

    for answer in (zero, one_product, diagonal_only):
        assert verdict("10.kronecker", answer, hidden).status == "not yet"
