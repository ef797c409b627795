"""Other right answers for the tasks of sheet 09, and what is particular to its checks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.checks import find_task, verdict
from eqcourse.groups import SymmetricGroup
from eqcourse.nn import TensorLinear
from eqcourse.solvers.partitions import set_partitions
from eqcourse.tasks import sheet_09
from eqcourse.tasks.sheet_09 import DIAGRAMS, RECIPES, diagram, forward_with


def table_by_loops(pi, x):
    y = [[None] * len(x) for _ in x]
    for i, row in enumerate(x):
        for j, entry in enumerate(row):
            y[pi[i]][pi[j]] = entry
    return y


def table_by_matrices(pi, x):
    P = np.zeros((len(pi), len(pi)))
    P[pi, range(len(pi))] = 1
    return P @ np.array(x) @ P.T


def vectors_by_numpy(x):
    x = np.array(x)
    one = np.ones(len(x))
    return np.diag(x), x @ one, one @ x, np.trace(x) * one, x.sum() * one


def vectors_by_library(x):
    x = torch.tensor(x, dtype=torch.float64)
    layer = TensorLinear(2, 1, 1, 5, bias=False, normalize="sum", dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(5).unsqueeze(1))
    return layer(x[None, None])[0]


def act_by_library(pi, x):
    x = torch.tensor(x)
    V = SymmetricGroup(len(pi)).defining()
    return (V**x.ndim).act(pi, x) if x.ndim else x


def act_by_numpy(pi, x):
    x = np.array(x)
    inverse = np.argsort(pi)
    return x[np.ix_(*[inverse] * x.ndim)] if x.ndim else x


def act_by_recursion(pi, x):
    if not isinstance(x, list):
        return x
    y = [None] * len(x)
    for i, part in enumerate(x):
        y[pi[i]] = act_by_recursion(pi, part)
    return y


def entries_by_choosing(partition, N):
    """Choose a different index for each part; last ones first, as tuples."""
    chosen = itertools.permutations(range(N), max(partition) + 1)
    return [tuple(indices[part] for part in partition) for indices in chosen][::-1]


def entries_by_orbit(partition, N):
    """Move one entry by all permutations."""
    if max(partition) >= N:
        return []
    return np.array(sorted({tuple(g[p] for p in partition) for g in itertools.permutations(range(N))}))


def entries_as_a_set(partition, N):
    return set(entries_by_choosing(partition, N))


def dimension_by_orbits(p, q, N):
    def name(t):
        return tuple(t.index(i) for i in t)

    return len({name(t) for t in itertools.product(range(N), repeat=p + q)})


def dimension_by_library(p, q, N):
    V = SymmetricGroup(N).defining()
    return torch.tensor(intertwiner_dimension(V**p, V**q))


def forward_by_library(weights, x):
    """Means instead of sums, and in float32: the same span."""
    layer = TensorLinear(2, 2, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights))
        return layer(torch.tensor(x, dtype=torch.float32)[None, None])[0, 0]


def forward_by_hand(weights, x):
    """2·2 + 3·3 + 2·1, with numpy."""
    x = np.array(x)
    n = len(x)
    ones, eye = np.ones((n, n)), np.eye(n)
    numbers = [np.trace(x), x.sum()]
    vectors = [np.diag(x), x.sum(0), x.sum(1)]
    tables = [n * form for n in numbers for form in (ones, eye)]
    tables += [form for v in vectors for form in (ones * v, (ones * v).T, np.diag(v))]
    tables += [x, x.T]
    return sum(w * table for w, table in zip(weights, tables, strict=True))


def forward_by_colours(weights, x):
    """Orbits instead of diagrams: slow, with the matrix, and right; below N = 4 some weights do nothing."""
    n = len(x)
    V = SymmetricGroup(n).defining()
    space = intertwiners(V * V, V * V)
    W = space.expand(torch.tensor(weights[: space.dim], dtype=torch.float64))
    return (W @ torch.tensor(x, dtype=torch.float64).flatten()).reshape(n, n)


RIGHT = {
    "09.permute-table": [table_by_loops, table_by_matrices],
    "09.five-vectors": [vectors_by_numpy, vectors_by_library],
    "09.act": [act_by_library, act_by_numpy, act_by_recursion],
    "09.entries": [entries_by_choosing, entries_by_orbit, entries_as_a_set],
    "09.dimension": [dimension_by_orbits, dimension_by_library],
    "09.forward": [forward_by_library, forward_by_hand, forward_by_colours],
}


def test_the_lesson_s_numbers():
    dimension = find_task("09.dimension").reference
    assert [dimension(2, 2, n) for n in (1, 2, 3, 4, 5)] == [1, 8, 14, 15, 15]
    assert (dimension(1, 1, 5), dimension(2, 3, 5), dimension(3, 3, 6)) == (2, 52, 203)


def test_the_recipes_say_what_the_diagrams_do():
    x = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [100.0, 200.0, 300.0]])
    rows, columns, diagonal, one = x.sum(1), x.sum(0), x.diagonal(), torch.ones(3)
    said = {
        (0, 0, 0, 0): diagonal.diag(),
        (0, 0, 0, 1): rows.diag(),
        (0, 0, 1, 0): columns.diag(),
        (0, 0, 1, 1): x.trace() * torch.eye(3),
        (0, 0, 1, 2): x.sum() * torch.eye(3),
        (0, 1, 0, 0): torch.outer(diagonal, one),
        (0, 1, 0, 1): x,
        (0, 1, 0, 2): torch.outer(rows, one),
        (0, 1, 1, 0): x.T,
        (0, 1, 1, 1): torch.outer(one, diagonal),
        (0, 1, 1, 2): torch.outer(one, rows),
        (0, 1, 2, 0): torch.outer(columns, one),
        (0, 1, 2, 1): torch.outer(one, columns),
        (0, 1, 2, 2): x.trace() * torch.ones(3, 3),
        (0, 1, 2, 3): x.sum() * torch.ones(3, 3),
    }
    assert set(RECIPES) == set(DIAGRAMS) == set(said)
    assert all(torch.equal(diagram(p, x), table) for p, table in said.items())


def test_diagrams_are_those_of_the_library():
    x = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer = TensorLinear(2, 2, 1, 15, bias=False, normalize="sum", dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(15).unsqueeze(1))
    assert torch.allclose(layer(x[None, None])[0], torch.stack([diagram(p, x) for p in set_partitions(4, 4)]))


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    ("answer", "misconception"),
    [
        (lambda w, x: np.zeros((len(x), len(x))), "the zero layer"),
        (lambda w, x: w[0] * np.array(x), "the identity layer"),
        (lambda w, x: sum(w) * np.array(x), "the identity layer"),
        (
            lambda w, x: w[3] * np.array(x) + w[1] * np.array(x).sum() + w[2] * np.array(x).sum(0)[None, :]
            + w[0] * np.array(x).mean(1)[:, None],
            "the axes are permuted independently",
        ),
        (lambda w, x: forward_by_hand([*w[:14], 0], x), "diagrams are missing"),
        (lambda w, x: forward_by_hand([0, *w[:14]], x), "diagrams are missing"),
        (lambda w, x: forward_by_hand([w[0], w[0], *w[2:]], x), None),  # two weights tied: no single diagram is missing
    ],
)  # fmt: skip
def test_incomplete_layers_get_their_own_messages(answer, misconception, hidden):
    result = verdict("09.forward", answer, hidden)
    assert (result.status, result.misconception) == ("not yet", misconception)


@pytest.mark.parametrize("hidden", [False, True])
def test_missing_diagrams_are_listed(hidden):
    """One, two or five of them by name; from six on it is only said how many dimensions are reached."""
    for left_out in [DIAGRAMS[:1], DIAGRAMS[8:9], DIAGRAMS[14:], DIAGRAMS[3:5], DIAGRAMS[8:13]]:
        result = verdict("09.forward", forward_with([p for p in DIAGRAMS if p not in left_out]), hidden)
        assert (result.status, result.misconception) == ("not yet", "diagrams are missing")
        listed = [p for p in DIAGRAMS if f"{''.join(map(str, p))}: {RECIPES[p]}" in result.message]
        assert listed == list(left_out)
    assert verdict("09.forward", forward_with(DIAGRAMS[:9]), hidden).misconception is None


def cumulative_from(n_wrong):
    def forward(weights, x):
        y = torch.as_tensor(forward_by_hand(weights, x))
        return y.cumsum(0) if len(x) in n_wrong else y

    return forward


def test_each_size_is_looked_at():
    """A layer that is wrong at one N only: each N of the open check, and of the hidden one."""
    for hidden, sizes in ((False, (2, 3, 5)), (True, (4, 6))):
        for n in sizes:
            assert verdict("09.forward", cumulative_from([n]), hidden).status == "not yet"
    # At N = 3 the 15 maps have one relation, so that any 14 of them span all there are; 13 do not.
    x_missing = lambda w, x: forward_by_hand([*w[:13], 0, 0] if len(x) == 3 else w, x)  # noqa: E731
    assert "13 of 14" in verdict("09.forward", x_missing).message


@pytest.mark.parametrize("answer", [lambda w, x: x, lambda w, x: np.array(x).T, lambda w, x: np.array(x) * 15])
def test_weights_that_are_not_used(answer):
    for hidden in (False, True):
        result = verdict("09.forward", answer, hidden)
        assert result.status == "not yet"
        assert "weights are not used" in result.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda w, x: [[w[0] * entry for entry in row] for row in x[::-1]], "of 8"),
        (lambda w, x: (w[0] * np.array(x) + np.outer(range(len(x)), range(len(x)))).tolist(), "linear"),
        (lambda w, x: np.maximum(0, forward_by_hand(w, x)), "linear"),
        (lambda w, x: np.full((len(x), len(x)), np.nan), "finite"),
        (lambda w, x: [0.0] * len(x), "2 × 2"),
        (lambda w, x: (w[0] * np.array(x).cumsum(0)).tolist(), "not equivariant"),
    ],
)
def test_layers_that_are_no_layers(answer, said):
    for hidden in (False, True):
        result = verdict("09.forward", answer, hidden)
        assert result.status == "not yet"
        assert said in result.message or hidden


def test_a_passed_layer_is_told_its_dimensions():
    assert "8 of 8, 14 of 14, 15 of 15" in verdict("09.forward", forward_by_hand).message
    assert "15 of 15, 15 of 15" in verdict("09.forward", forward_by_hand, hidden=True).message


def test_a_layer_that_changes_its_input():
    def forward(weights, x):
        y = forward_with(DIAGRAMS)(weights, x)
        x[0][0] += 1
        return y

    assert "changed its input" in verdict("09.forward", forward).message


@pytest.mark.parametrize(
    "answer",
    [
        lambda pi, x: x,
        lambda pi, x: 0,
        lambda pi, x: [x[i] for i in pi] if isinstance(x, list) else x,
        lambda pi, x: act_by_recursion(pi, x) if np.ndim(x) == 2 else x,  # tables only
        lambda pi, x: np.sort(np.array(x).flatten()).reshape(np.shape(x)),
        lambda pi, x: np.roll(x, 1, tuple(range(np.ndim(x)))) if np.ndim(x) else x,
        lambda pi, x: np.array(x)[np.ix_(*[np.array(pi)[pi]] * np.ndim(x))] if np.ndim(x) else x,  # π twice
        lambda pi, x: act_by_library(pi, x) if len(pi) < 4 else np.array(x)[np.ix_(*[pi] * np.ndim(x))],
        lambda pi, x: np.array(x)[np.ix_(*[np.argsort(pi)] * 3, range(2))] if np.ndim(x) == 4 else act_by_numpy(pi, x),
    ],
)
def test_other_wrong_actions_do_not_pass(answer):
    for hidden in (False, True):
        assert verdict("09.act", answer, hidden).status == "not yet"


@pytest.mark.parametrize(
    "answer",
    [
        lambda partition, N: [],
        lambda partition, N: [list(t) for t in itertools.product(range(N), repeat=len(partition))],
        lambda partition, N: entries_by_choosing(partition, N) * 2,  # twice
        lambda partition, N: entries_by_choosing(partition, N)[:1],
        lambda partition, N: len(entries_by_choosing(partition, N)),
        lambda partition, N: ["".join(map(str, t)) for t in entries_by_choosing(partition, N)],
        lambda partition, N: [[i + 1 for i in t] for t in entries_by_choosing(partition, N)],
        lambda partition, N: [[None] * len(partition)],
    ],
)
def test_other_wrong_lists_of_entries_do_not_pass(answer):
    for hidden in (False, True):
        assert verdict("09.entries", answer, hidden).status == "not yet"


@pytest.mark.parametrize(
    "answer",
    [
        lambda p, q, N: 15,
        lambda p, q, N: [15],
        lambda p, q, N: "15",
        lambda p, q, N: N,
        lambda p, q, N: len(set_partitions(p + q, N)) if p == q else 0,
        lambda p, q, N: len(set_partitions(p + q, N)) + 1e-3,
        lambda p, q, N: {2: 8, 3: 14}.get(N, 15),  # what the lesson says of tables
        lambda p, q, N: len(set_partitions(p + q, min(N, 4))),
        lambda p, q, N: len(set_partitions(p + q, N)) if p + q else 0,
        lambda p, q, N: {0: 1, 1: 1, 2: 2, 3: 5, 4: 15, 5: 52, 6: 203}[p + q] - (N == 3) * (p + q == 4),
    ],
)
def test_other_wrong_counts_do_not_pass(answer):
    for hidden in (False, True):
        assert verdict("09.dimension", answer, hidden).status == "not yet"


def test_order_2_needs_both_axes():
    """Moving one axis only is caught on tables, and cannot be on sets."""
    (_, on_set) = sheet_09._act_cases(False)[:2]
    first_only = next(m for m in find_task("09.act").misconceptions if m.name == "only the first axis")
    assert first_only.answer(*on_set) == find_task("09.act").reference(*on_set)


@pytest.mark.parametrize(
    ("task", "answer", "status", "said"),
    [
        ("09.recall-2", [3, 1, 2], "passed", "2 and 3"),
        ("09.recall-2", {1, 2, 3}, "passed", "2 and 3"),
        ("09.recall-2", (1, 2), "not yet", "one place is missing"),
        ("09.recall-2", [0, 1, 2, 3], "not yet", "one place is too many"),
        ("09.recall-2", 3, "not yet", "list"),
        ("09.recipe", ["0102", "0101"], "not yet", "3 colours are missing"),
        ("09.recipe", [[0, 0, 0, 0], [0, 1, 0, 2], [0, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1]], "passed", "i = k"),
        ("09.recipe", {0, 1, 5, 6, 7}, "passed", "i = k"),
        ("09.recipe", ["0102", "0101", "0100", "0001", "0000", "0123"], "not yet", "one colour is too many"),
        ("09.colour-names", ["0110", "0102", "0123"], "passed", "crosswise"),
        ("09.colour-names", [(0, 1, 1, 0), (0, 1, 2, 0), (0, 1, 2, 3)], "not yet", "Not yet right: W_20,24."),
        ("09.colour-names", ["0110", "0102"], "not yet", "four numbers"),
        ("09.colour-names", [0, 1, 1], "not yet", "four numbers"),
        ("09.colour-names", "0110", "not yet", "four numbers"),
    ],
)
def test_typed_answers(task, answer, status, said):
    result = verdict(task, answer)
    assert (result.status, said in result.message) == (status, True), result


@pytest.mark.parametrize(
    ("changed", "value", "said"),
    [
        (0, lambda x: x.sum(0), "These are 010, the sums of the columns"),
        (2, lambda x: x.diagonal(), "These are 000, the diagonal"),
        (4, lambda x: x.sum(), "one number, 37. Copy it"),
    ],
)
def test_one_of_five_vectors_is_another(changed, value, said):
    def five_vectors(x):
        x = torch.tensor(x)
        vectors = list(sheet_09.five_vectors(x.tolist()))
        vectors[changed] = value(x)
        return vectors

    result = verdict("09.five-vectors", five_vectors)
    assert result.status == "not yet"
    assert said in result.message
