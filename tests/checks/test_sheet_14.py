"""Other right answers for the tasks of sheet 14, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.checks import find_task, verdict
from eqcourse.groups import PermutationGroup, SignedPermutationGroup
from eqcourse.tasks import sheet_14


def generate_by_library(generators):
    return [g.tolist() for g in PermutationGroup(generators).elements()]


def generate_by_sets(generators):
    """Everything times everything until nothing is new; as a tensor, in float32."""
    known = {tuple(range(len(generators[0]))), *map(tuple, generators)}
    while True:
        more = known | {tuple(g[i] for i in h) for g in known for h in known}
        if more == known:
            return torch.tensor(sorted(known, reverse=True), dtype=torch.float32)
        known = more


def pattern_by_all_elements(moves_in, moves_out):
    """The least place to which any element takes an entry names its colour."""
    ins, outs = sheet_14._element_lists(moves_in, moves_out)
    rows, columns = len(moves_out[0]), len(moves_in[0])
    name = lambda i, j: str(min((h[i], g[j]) for g, h in zip(ins, outs, strict=True)))  # noqa: E731
    return [[name(i, j) for j in range(columns)] for i in range(rows)]


def pattern_by_merging(moves_in, moves_out):
    """Numpy: give both ends of each move the smaller number until nothing changes."""
    colour = np.arange(len(moves_out[0]) * len(moves_in[0])).reshape(len(moves_out[0]), -1)
    while True:
        before = colour.copy()
        for g, h in zip(moves_in, moves_out, strict=True):
            there = np.ix_(h, g)
            least = np.minimum(colour, colour[there])
            colour = least.copy()
            np.minimum.at(colour, there, least)
        if (colour == before).all():
            return colour


def colours_by_merging(generators):
    return pattern_by_merging(generators, generators)


def colours_by_solver(generators):
    rho = PermutationGroup(generators).defining()
    return intertwiners(rho, rho).pattern


def count_by_fixed_pairs(moves_in, moves_out):
    fixed = [
        sum(h[i] == i and g[j] == j for i in range(len(h)) for j in range(len(g)))
        for g, h in zip(moves_in, moves_out, strict=True)
    ]
    return np.mean(fixed)


def count_by_walking(moves_in, moves_out):
    return torch.tensor(len({c for row in pattern_by_all_elements(moves_in, moves_out) for c in row}))


def maps_by_null_space(moves_in, moves_out):
    """Solve W ρ_in = ρ_out W as linear equations: an orthonormal basis, with no zeros where one expects them."""
    equations = []
    for a, b in zip(moves_in, moves_out, strict=True):
        A, B = sheet_14._matrix_of(a), sheet_14._matrix_of(b)
        equations.append(
            torch.kron(torch.eye(len(B)).double(), A.T.contiguous()) - torch.kron(B, torch.eye(len(A)).double())
        )
    _, sizes, rows = torch.linalg.svd(torch.cat(equations))
    rank = int((sizes > 1e-9).sum())
    return rows[rank:].reshape(-1, len(B), len(A)).tolist()


def maps_by_averaging(moves_in, moves_out):
    """The mean over the group of each unit matrix; kept if it is new. As numpy arrays in float32."""
    elements = [(torch.eye(len(moves_in[0][0])).double(), torch.eye(len(moves_out[0][0])).double())]
    for A, B in elements:
        for a, b in zip(moves_in, moves_out, strict=True):
            new = sheet_14._matrix_of(a) @ A, sheet_14._matrix_of(b) @ B
            if not any(torch.equal(new[0], x) and torch.equal(new[1], y) for x, y in elements):
                elements.append(new)
    kept = []
    for i, j in itertools.product(range(len(elements[0][1])), range(len(elements[0][0]))):
        W = sum(torch.outer(B[:, i], A[:, j]) for A, B in elements) / len(elements)
        if W.abs().max() > 1e-9 and not any(torch.allclose(W.abs(), other.abs()) for other in kept):
            kept.append(W)
    return [W.float().numpy() for W in kept]


def automorphisms_by_networkx(nodes, edges):
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(nodes))
    found = nx.isomorphism.GraphMatcher(graph, graph).isomorphisms_iter()
    return [[mapping[i] for i in range(nodes)] for mapping in found]


def automorphisms_by_table(nodes, edges):
    A = np.zeros((nodes, nodes))
    for i, j in edges:
        A[i, j] = A[j, i] = 1
    return np.array([g for g in itertools.permutations(range(nodes)) if (A[np.ix_(g, g)] == A).all()])


def layer_by_solver(weights, x, edges):
    rho = PermutationGroup(automorphisms_by_networkx(len(x), edges)).defining()
    W = intertwiners(rho, rho).expand(torch.tensor(weights, dtype=torch.float64))
    return W @ torch.tensor(x, dtype=torch.float64)


def layer_in_another_basis(weights, x, edges):
    """Weights mixed and placed in another order, as a float32 array."""
    g = automorphisms_by_table(len(x), edges).tolist()
    colour = np.array(sheet_14.colours(g))
    mixed = np.cumsum(np.array(weights, dtype=np.float32))[::-1]
    return mixed[colour] @ np.array(x, dtype=np.float32)


RIGHT = {
    "14.colours": [colours_by_merging, colours_by_solver],
    "14.automorphisms": [automorphisms_by_networkx, automorphisms_by_table],
    "14.generate": [generate_by_library, generate_by_sets],
    "14.pattern": [pattern_by_all_elements, pattern_by_merging],
    "14.burnside": [count_by_fixed_pairs, count_by_walking],
    "14.signs": [maps_by_null_space, maps_by_averaging],
    "14.graph": [layer_by_solver, layer_in_another_basis],
}

BOTH = pytest.mark.parametrize("hidden", [False, True])


def wrong(task, answer, hidden):
    result = verdict(task, answer, hidden)
    assert result.status == "not yet", result
    return result


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda generators: [],
        lambda generators: generators,
        lambda generators: [[0] * len(generators[0])],
        lambda generators: [list(range(len(generators[0])))] * 3,
        lambda generators: len(sheet_14.generate(generators)),
        lambda generators: sheet_14.generate(generators) * 2,
        lambda generators: [[math.nan] * len(g) for g in sheet_14.generate(generators)],
        lambda generators: [[*g, len(g)] for g in sheet_14.generate(generators)],
        lambda generators: ["01"],
        lambda generators: [[None] * len(generators[0])],
    ],
)
def test_lazy_groups_do_not_pass(answer, hidden):
    wrong("14.generate", answer, hidden)


def test_a_missing_product_is_shown():
    message = verdict("14.generate", sheet_14._powers).message
    assert "lacks [2, 1, 0]" in message or "lacks [0, 2, 1]" in message
    assert "first [" in message


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda a, b: 0,
        lambda a, b: [[0] * len(a[0])] * len(b[0]),
        lambda a, b: [[math.inf] * len(a[0])] * len(b[0]),
        lambda a, b: [[math.nan] * len(a[0])] * len(b[0]),
        lambda a, b: [[None] * len(a[0])] * len(b[0]),
        lambda a, b: [[[0]] * len(a[0])] * len(b[0]),
        lambda a, b: sheet_14.pattern(b, a),
        lambda a, b: sheet_14.pattern(a, a),
        lambda a, b: a,
        lambda a, b: sheet_14.pattern(a, b)[:1],
    ],
)
def test_lazy_patterns_do_not_pass(answer, hidden):
    wrong("14.pattern", answer, hidden)


@BOTH
@pytest.mark.parametrize(
    "answer", [lambda g: g, lambda g: [[0] * len(g[0])] * len(g[0]), lambda g: [], lambda g: "red"]
)
def test_lazy_colours_do_not_pass(answer, hidden):
    wrong("14.colours", answer, hidden)


def test_patterns_agree_with_the_solver():
    for hidden in (False, True):
        for (generators,) in find_task("14.colours").cases(hidden):
            rho = PermutationGroup(generators).defining()
            assert intertwiners(rho, rho).pattern.tolist() == sheet_14.colours(generators)


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda a, b: 1,
        lambda a, b: math.inf,
        lambda a, b: math.nan,
        lambda a, b: len(a[0]) * len(b[0]),
        lambda a, b: sheet_14.count(b, b),
        lambda a, b: [sheet_14.count(a, b)],
        lambda a, b: sum(map(sheet_14._fix, a)) + sum(map(sheet_14._fix, b)),
    ],
)
def test_lazy_counts_do_not_pass(answer, hidden):
    wrong("14.burnside", answer, hidden)


def test_the_listed_elements_are_groups_and_counts_are_those_of_walking():
    for hidden in (False, True):
        for moves_in, moves_out in find_task("14.burnside").cases(hidden):
            pairs = set(zip(map(tuple, moves_in), map(tuple, moves_out), strict=True))
            products = {(tuple(g[i] for i in a), tuple(h[i] for i in b)) for g, h in pairs for a, b in pairs}
            assert products == pairs
            colours = {c for row in sheet_14.pattern(moves_in, moves_out) for c in row}
            assert sheet_14.count(moves_in, moves_out) == len(colours)


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda a, b: [],
        lambda a, b: 0,
        lambda a, b: [[[0.0] * len(a[0][0])] * len(b[0][0])],
        lambda a, b: [[[1.0] * len(a[0][0])] * len(b[0][0])],
        lambda a, b: [[[math.inf] * len(a[0][0])] * len(b[0][0])],
        lambda a, b: [[[math.nan] * len(a[0][0])] * len(b[0][0])],
        lambda a, b: sheet_14.maps(a, b)[:1],
        lambda a, b: sheet_14.maps(a, b) * 2,
        lambda a, b: [*sheet_14.maps(a, b), [[0] * len(a[0][0])] * len(b[0][0])],
        lambda a, b: len(sheet_14.maps(a, b)),
        lambda a, b: [np.ravel(W) for W in sheet_14.maps(a, b)],
        lambda a, b: [[[1e-9 * w for w in row] for row in W] for W in sheet_14.signed_walk(a, b, forced=False)],
    ],
)
def test_lazy_maps_do_not_pass(answer, hidden):
    wrong("14.signs", answer, hidden)


@BOTH
@pytest.mark.parametrize("size", [1e-12, 1e9])
def test_the_size_of_a_basis_does_not_matter(size, hidden):
    def scaled(a, b):
        return [[[size * w for w in row] for row in W] for W in sheet_14.maps(a, b)]

    assert verdict("14.signs", scaled, hidden).status == "passed"


@BOTH
def test_matrices_of_different_sizes_are_fine(hidden):
    def scaled(a, b):
        return [[[10.0**-k * w for w in row] for row in W] for k, W in enumerate(sheet_14.maps(a, b))]

    assert verdict("14.signs", scaled, hidden).status == "passed"


@pytest.mark.parametrize(("n", "weights"), [(2, 2), (3, 1), (4, 0), (5, 0)])
def test_from_v_to_v_with_the_sign(n, weights):
    """By the walk of the sheet, by its other answers and by the solver."""
    cycle, swap = [*range(1, n), 0], [1, 0, *range(2, n)]
    into = sheet_14._plus(swap, cycle)
    out = [(swap, [-1] * n), (cycle, [(-1) ** (n - 1)] * n)]
    for walk in (sheet_14.maps, maps_by_null_space, maps_by_averaging):
        assert len(walk(into, out)) == weights


def test_signed_moves_are_written_as_the_library_writes_them():
    for moves in (move for hidden in (False, True) for case in sheet_14._maps_cases(hidden) for move in case):
        for image, signs in moves:
            group = SignedPermutationGroup(len(image))
            assert torch.equal(group.defining().matrix((image, signs)), sheet_14._matrix_of((image, signs)))


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda nodes, edges: [],
        lambda nodes, edges: [list(range(nodes))],
        lambda nodes, edges: edges,
        lambda nodes, edges: sheet_14.automorphisms(nodes, edges) * 2,
        lambda nodes, edges: sheet_14.automorphisms(nodes, edges)[:2],
        lambda nodes, edges: len(sheet_14.automorphisms(nodes, edges)),
        lambda nodes, edges: [[math.nan] * nodes],
    ],
)
def test_lazy_automorphisms_do_not_pass(answer, hidden):
    # The path of the smallest open case has two automorphisms; other graphs have more.
    wrong("14.automorphisms", answer, hidden)


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda weights, x, edges: [0.0] * len(x),
        lambda weights, x, edges: [1.0] * len(x),
        lambda weights, x, edges: x,
        lambda weights, x, edges: [weights[0] * v for v in x],
        lambda weights, x, edges: [weights[0] * x[0]] * len(x),
        lambda weights, x, edges: [math.nan] * len(x),
        lambda weights, x, edges: sum(x),
        lambda weights, x, edges: [weights[0] * max(x)] * len(x),
        lambda weights, x, edges: sheet_14.forward(weights[:1] * len(weights), x, edges),
        lambda weights, x, edges: sheet_14.forward([*weights[:-1], 0.0], x, edges),
    ],
)
def test_lazy_layers_do_not_pass(answer, hidden):
    wrong("14.graph", answer, hidden)


def test_the_zero_layer_is_named():
    assert wrong("14.graph", lambda weights, x, edges: [0.0] * len(x), False).misconception == "the zero layer"


def test_the_layer_says_how_many_dimensions_it_reached():
    assert "Dimensions reached: 5 of 5, 10 of 10, 4 of 4." in verdict("14.graph", layer_by_solver).message
    assert "Dimensions reached: 5 of 5, 8 of 8, 4 of 4." in verdict("14.graph", layer_by_solver, hidden=True).message


def test_the_families_know_their_graphs():
    for hidden in (False, True):
        for family in sheet_14._families(hidden):
            nodes, edges = family.rho_in.dim, family.extra[0]
            group = PermutationGroup(automorphisms_by_networkx(nodes, edges))
            assert family.rho_in.group == group
            assert family.weights == family.dimension == intertwiner_dimension(group.defining(), group.defining())


def test_looking_up_the_open_graphs_fails_on_others():
    known = {str(family.extra[0]): family for family in sheet_14._families(False)}

    def memorised(weights, x, edges):
        return sheet_14.forward(weights, x, edges) if str(edges) in known else [weights[0] * v for v in x]

    assert verdict("14.graph", memorised).status == "passed"
    wrong("14.graph", memorised, True)


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("14.generate", "the cycle alone gives S_N"),
        ("14.generate", "too few generators"),
        ("14.pattern", "orbits of rows instead of pairs"),
        ("14.pattern", "too few generators"),
        ("14.burnside", "orbits of points instead of pairs"),
        ("14.signs", "colours are parameters"),
    ],
)
def test_what_the_curriculum_lists_is_named(task, name):
    assert name in [held.name for held in find_task(task).misconceptions]


def test_changing_the_input_is_reported():
    def pattern(moves_in, moves_out):
        moves_in.append(moves_in[0])
        return sheet_14.pattern(moves_in[:-1], moves_out)

    assert "changed its input" in verdict("14.pattern", pattern).message


@BOTH
@pytest.mark.parametrize("task", sorted(RIGHT))
@pytest.mark.parametrize("value", [None, 3, "word", [], [[]], [None]])
def test_other_things_than_an_answer_get_a_verdict(task, value, hidden):
    assert verdict(task, lambda *args: value, hidden).status == "not yet"


def sometimes_none(task):
    """Right in the first case, and None in all others."""
    first = str(find_task(task).cases(False)[0])
    return lambda *args: find_task(task).reference(*args) if str(args) == first else None


@pytest.mark.parametrize("task", ["14.generate", "14.automorphisms", "14.pattern", "14.signs", "14.burnside"])
def test_none_in_some_cases(task):
    assert "Is there a return?" in wrong(task, sometimes_none(task), False).message


@BOTH
def test_a_group_of_more_than_24_elements(hidden):
    """A cap at 24 elements is seen by the hidden cases."""
    answer = lambda generators: sheet_14.generate(generators)[:24]  # noqa: E731
    assert verdict("14.generate", answer, hidden).status == ("not yet" if hidden else "passed")


@BOTH
def test_elements_are_divided_by_their_number(hidden):
    def count(a, b):
        return sheet_14.count(a, b) * len(a) / len(set(map(tuple, b)))

    wrong("14.burnside", count, hidden)


@BOTH
@pytest.mark.parametrize("sides", [(True, False), (False, True)])
def test_signs_at_the_place_of_arrival_on_one_side(sides, hidden):
    def maps(a, b):
        return sheet_14.maps(*(sheet_14._on_arrival(m) if on else m for m, on in zip((a, b), sides, strict=True)))

    wrong("14.signs", maps, hidden)


@pytest.mark.parametrize(
    ("moves_in", "moves_out", "weights"),
    [
        ([[[0], [1]]], [[[1, 0], [1, -1]]], 0),
        ([[[1, 2, 0], [-1, 1, 1]]], [[[1, 2, 0], [1, 1, 1]]], 0),
        ([[[1, 2, 0], [1, 1, -1]]], [[[0], [-1]]], 1),
        ([[[1, 0], [1, -1]]], [[[1, 0], [1, -1]]], 2),
    ],
)
def test_weights_counted_by_hand(moves_in, moves_out, weights):
    for walk in (sheet_14.maps, maps_by_null_space, maps_by_averaging):
        assert len(walk(moves_in, moves_out)) == weights


@BOTH
def test_nodes_without_edges_are_nodes(hidden):
    def by_largest(nodes, edges):
        return sheet_14.automorphisms(1 + max((node for edge in edges for node in edge), default=-1), edges)

    wrong("14.automorphisms", by_largest, hidden)


@BOTH
@pytest.mark.parametrize("strict", [False, True])
def test_asking_for_too_many_weights_is_explained(strict, hidden):
    def forward(weights, x, edges):
        painted = sheet_14.colours(sheet_14._with_directions(len(x), edges))
        value = dict(zip(sorted({c for row in painted for c in row}), weights, strict=strict))
        return [sum(value[c] * v for c, v in zip(row, x, strict=True)) for row in painted]

    result = verdict("14.graph", forward, hidden)
    assert result.status == "error"
    assert "An edge has no direction." in result.message
