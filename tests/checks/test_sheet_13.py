"""Other right answers for the tasks of sheet 13, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from eqcourse import equivariance_error, intertwiner_dimension, intertwiners
from eqcourse.checks import verdict
from eqcourse.tasks import sheet_13 as sheet


def gather_by_index_add(pattern, entries, number):
    total = torch.zeros(number, dtype=torch.float64)
    return total.index_add(0, torch.tensor(pattern).flatten(), torch.tensor(entries, dtype=torch.float64).flatten())


def gather_by_autograd(pattern, entries, number):
    w = torch.zeros(number, requires_grad=True)
    (w[torch.tensor(pattern)] * torch.tensor(entries)).sum().backward()
    return w.grad


def gather_by_numpy(pattern, entries, number):
    pattern, entries = np.array(pattern), np.array(entries)
    return [entries[pattern == c].sum() for c in range(number)]


def table_weights_by_equations(colours):
    """What each of the four sums reaches: the cell, its row, its column, all."""
    reach = torch.tensor([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]], dtype=torch.float64)
    return torch.linalg.solve(reach, torch.tensor(colours, dtype=torch.float64))


def table_weights_by_steps(colours):
    c = np.array(colours)
    total = c[3]
    row, column = c[1] - total, c[2] - total
    return np.array([c[0] - row - column - total, row, column, total])


def expand_with_numpy(pattern, signs, weights):
    padded = np.append(np.array(weights), 0.0)
    return np.array(signs) * padded[np.array(pattern)]


def expand_by_colours(pattern, signs, weights):
    pattern, signs = torch.tensor(pattern), torch.tensor(signs)
    return sum((w * signs * (pattern == c) for c, w in enumerate(weights)), start=0.0 * signs)


def gradient_by_differences(pattern, signs, entries, number):
    """The loss is linear in the weights: its gradient is what it is at the unit vectors."""
    return [
        float((np.array(entries) * np.array(sheet.expand(pattern, signs, list(unit)))).sum()) for unit in np.eye(number)
    ]


def gradient_by_mask(pattern, signs, entries, number):
    product = torch.tensor(signs, dtype=torch.float32) * torch.tensor(entries)
    return [product[torch.tensor(pattern) == c].sum() for c in range(number)]


def forward_by_matrix(weights, x, n):
    """The matrix is allowed: the check judges what is computed."""
    space = intertwiners(sheet.matches(n), sheet.matches(n))
    return space.expand(torch.tensor(weights, dtype=torch.float64)) @ torch.tensor(x, dtype=torch.float64)


def forward_by_table(weights, x, n):
    """Fill an antisymmetric table; other weights, in float32."""
    table = torch.zeros(n, n)
    i, j = torch.triu_indices(n, n, 1)
    table[i, j] = torch.tensor(x, dtype=torch.float32)
    table = table - table.T
    r = table.sum(1)
    return ((weights[0] + weights[1]) * table + weights[1] * (r[:, None] - r))[i, j]


def costs_by_loops(n):
    """Count as the program would go."""
    pairs = list(itertools.combinations(range(n), 2))
    product = sum(1 for _ in pairs for _ in pairs) + sum(len(pairs) - 1 for _ in pairs)
    sums = sum(sum(i in pair for pair in pairs) - 1 for i in range(n))
    return [[product, 4 * len(pairs) ** 2], [product, 4 * len(pairs)], [sums + sum(4 for _ in pairs), 4 * n]]


def costs_as_floats(n):
    m = n * (n - 1) / 2
    return np.array([[2 * m**2 - m, 4 * m**2], [2 * m**2 - m, 4 * m], [3 * n**2 - 4 * n, 4 * n]])


def crossover_from_above(with_matrix, without, price):
    def less(n):
        a, b = (price * steps + sum(c * n**k for k, c in enumerate(cs)) for steps, cs in (with_matrix, without))
        return b < a

    n = 1001
    while n > 1 and less(n - 1):
        n -= 1
    return n if n <= 1000 else None


def crossover_with_numpy(with_matrix, without, price):
    n = np.arange(1, 1001, dtype=float)
    a, b = (price * steps + np.polyval(list(reversed(cs)), n) for steps, cs in (with_matrix, without))
    losses = np.flatnonzero(b >= a)
    first = losses[-1] + 2 if len(losses) else 1
    return None if first > 1000 else int(first)


RIGHT = {
    "13.gather": [gather_by_index_add, gather_by_autograd, gather_by_numpy],
    "13.table-weights": [table_weights_by_equations, table_weights_by_steps],
    "13.expand": [expand_with_numpy, expand_by_colours],
    "13.gradient": [gradient_by_differences, gradient_by_mask],
    "13.matches": [forward_by_matrix, forward_by_table],
    "13.costs": [costs_by_loops, costs_as_floats],
    "13.crossover": [crossover_from_above, crossover_with_numpy],
}


# ---- the tasks say what is true --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "dimension"), [(2, 1), (3, 2), (4, 2), (5, 2)])
def test_matches_have_two_maps(n, dimension):
    rho = sheet.matches(n)
    assert intertwiner_dimension(rho, rho) == dimension
    layer = lambda x: torch.tensor(sheet.forward([2.0, 3.0], x.tolist(), n), dtype=x.dtype)  # noqa: E731
    assert equivariance_error(layer, rho, rho, linear=True).passed


def test_matches_that_share_no_team_are_zero():
    assert (intertwiners(sheet.matches(4), sheet.matches(4)).pattern == -1).any()


def test_table_weights_equal_the_matrix():
    """The four sums with the weights give what the matrix with the colours gives."""
    colours, (n, m) = [2.0, 30.0, 5.0, 7.0], (3, 4)
    cell, row, column, everything = sheet.table_weights(colours)
    x = torch.arange(12.0).reshape(n, m) ** 2
    y = cell * x + row * x.sum(1)[:, None] + column * x.sum(0) + everything * x.sum()
    for i, j in itertools.product(range(n), range(m)):
        entry = sum(colours[2 * (a != i) + (b != j)] * x[a, b].item() for a, b in itertools.product(range(n), range(m)))
        assert math.isclose(y[i, j].item(), entry)


# ---- wrong answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("task", [task.id for task in sheet.TASKS if not task.id.startswith("13.recall")])
@pytest.mark.parametrize("answer", [0, 1, [], [0], [[0]], math.nan, math.inf, None, "yes"], ids=str)
def test_one_answer_for_all_does_not_pass(task, answer, hidden):
    assert verdict(task, lambda *args: answer, hidden).status == "not yet"


@pytest.mark.parametrize("task", ["13.expand", "13.gradient", "13.gather", "13.crossover", "13.costs"])
def test_special_cases_for_the_open_inputs_fail_on_hidden_ones(task):
    found = next(t for t in sheet.TASKS if t.id == task)
    known = {repr(args): found.reference(*args) for args in found.cases(False)}
    lookup = lambda *args: known.get(repr(args))  # noqa: E731
    assert verdict(task, lookup).status == "passed"
    assert verdict(task, lookup, hidden=True).status == "not yet"


def test_a_changed_input_is_reported():
    def entries_in_place(pattern, signs, weights):
        weights.append(0.0)
        return sheet.expand(pattern, signs, weights)

    assert "changed its input" in verdict("13.expand", entries_in_place).message


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda w, x, n: [0.0] * len(x), "forgets its input"),
        (lambda w, x, n: x, "not the sum of what each weight"),
        (lambda w, x, n: [w[0] * r for r in x], "each match by itself"),
        (lambda w, x, n: [w[0] * sum(x)] * len(x), "not equivariant"),
        (lambda w, x, n: [abs(y) for y in sheet.forward(w, x, n)], "not the sum of what each weight"),
        (lambda w, x, n: sheet.forward([w[0], 0.0], x, n), "diagram is missing"),
        (lambda w, x, n: sheet.forward([w[0], w[0]], x, n), "equivariant maps are missing"),
        (lambda w, x, n: [math.nan] * len(x), "finite numbers"),
        (lambda w, x, n: x[:1], "expected a list of"),
        (lambda w, x, n: sheet.forward(w, x, n) if n == 3 else [w[0] * r for r in x], "1 of 2 dimensions"),
    ],
)
def test_wrong_layers(wrong, words):
    for hidden in (False, True):
        result = verdict("13.matches", wrong, hidden)
        assert result.status == "not yet"
        assert words in result.message or words == result.misconception


def test_the_same_mistake_with_other_weights_is_recognised():
    """The span counts, not how the weights are placed."""

    def swapped(weights, x, n):
        held = next(m for t in sheet.TASKS if t.id == "13.matches" for m in t.misconceptions if "set" in m.name)
        return held.answer([weights[1] - weights[0], 3 * weights[0]], x, n)

    assert verdict("13.matches", swapped).misconception == "the matches are a set"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda p, s, e, n: sum(map(sum, e)), "expected"),  # one number for all weights
        (lambda p, s, e, n: e, "expected"),  # each entry keeps its own gradient
        (lambda p, s, e, n: [x / 2 for x in sheet.gradient(p, s, e, n)], "expected"),
    ],
)
def test_other_wrong_gradients(wrong, words):
    for hidden in (False, True):
        result = verdict("13.gradient", wrong, hidden)
        assert (result.status, result.misconception) == ("not yet", None)
        assert words in result.message


def test_a_crossover_that_never_comes_is_none():
    never_none = lambda *args: sheet.crossover(*args) or 1001  # noqa: E731
    zero_none = lambda *args: sheet.crossover(*args) or 0  # noqa: E731
    for answer, hidden in itertools.product((never_none, zero_none), (False, True)):
        assert verdict("13.crossover", answer, hidden).status == "not yet"


@pytest.mark.parametrize(
    ("largest", "start"), [(100, 1), (999, 1), (1001, 1), (5000, 1), (1000, 0), (1000, 2)], ids=str
)
def test_crossover_with_other_limits(largest, start):
    def wrong(with_matrix, without, price):
        def less(n):
            a, b = (price * steps + sum(c * n**k for k, c in enumerate(cs)) for steps, cs in (with_matrix, without))
            return b < a

        sizes = list(range(start, largest + 1))
        losses = [n for n in sizes if not less(n)]
        first = losses[-1] + 1 if losses else start
        return first if first <= largest else None

    for hidden in (False, True):
        assert verdict("13.crossover", wrong, hidden).status == "not yet"


def test_crossover_that_looks_ahead_a_little():
    def wrong(with_matrix, without, price):
        wins = [b < a for a, b in sheet._compare(with_matrix, without, price)]
        return next((n + 1 for n in range(1000) if all(wins[n : n + 50])), None)

    for hidden in (False, True):
        assert verdict("13.crossover", wrong, hidden).status == "not yet"


def test_a_wrong_none_is_explained():
    message = verdict("13.crossover", lambda *args: None).message
    assert "does not cost less at N = 1000. It does, from N = 3 on" in message


def test_costs_of_large_n_count():
    assert verdict("13.costs", lambda n: sheet.costs(min(n, 20))).status == "not yet"
    known = {n: sheet.costs(n) for n in (2, 3, 4)}
    assert verdict("13.costs", lambda n: known.get(n, 0)).status == "not yet"


def test_the_first_price_only():
    """A program that knows a single price, or forgets that it multiplies the steps of both ways."""
    for wrong in (
        lambda a, b, price: sheet.crossover(a, b, 10),
        lambda a, b, price: sheet.crossover([0, a[1]], b, price),
        lambda a, b, price: sheet.crossover(a, [0, b[1]], price),
    ):
        assert verdict("13.crossover", wrong).status == "not yet"
        assert verdict("13.crossover", wrong, hidden=True).status == "not yet"
