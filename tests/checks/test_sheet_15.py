"""Other right answers for the tasks of sheet 15, and what is particular to its checks."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension
from eqcourse.checks import find_task, named_representation, verdict
from eqcourse.groups import SO, CyclicGroup, O, SymmetricGroup
from eqcourse.solvers import character, character_inner_product, decompose
from eqcourse.tasks import sheet_15
from eqcourse.tasks.common import Family, FamilyTask


def conjugated(Q, M):
    return np.array(Q) @ np.array(M) @ np.linalg.inv(Q)


def column_by_column(Q, M):
    Q, M = torch.tensor(Q, dtype=torch.float64), torch.tensor(M, dtype=torch.float64)
    return torch.stack([Q @ (M @ row) for row in Q], 1)


def inner_by_library(one, other):
    return character_inner_product(named_representation(one), named_representation(other))


def inner_by_maps(one, other):
    """Formula (3): the number of equivariant maps."""
    return float(intertwiner_dimension(named_representation(one), named_representation(other)))


def multiplicities_in_float32(sizes, kind, a, b, irreps):
    weights, one, two = (torch.tensor(values, dtype=torch.float32) for values in (sizes, a, b))
    chi = one + two if kind == "sum" else one * two
    table = torch.tensor(irreps, dtype=torch.float32)
    return (table * weights) @ chi / ((table**2) @ weights)


def multiplicities_one_by_one(sizes, kind, a, b, irreps):
    """Element by element, and the irreps one after the other, as numpy numbers."""
    chi = [p + q if kind == "sum" else p * q for p, q in zip(a, b, strict=True)]
    everyone = np.repeat(chi, sizes)
    found = []
    for psi in irreps:
        psi = np.repeat(psi, sizes)
        found.append(np.dot(everyone, psi) // np.dot(psi, psi))
    return np.array(found)


def multiplicities_in_fractions(sizes, kind, a, b, irreps):
    chi = [p + q if kind == "sum" else p * q for p, q in zip(a, b, strict=True)]
    return [Fraction(sheet_15._mean(sizes, chi, psi)) / Fraction(sheet_15._mean(sizes, psi, psi)) for psi in irreps]


def count_in_fractions(m, n, irreps):
    return Fraction(sheet_15.count_maps(m, n, irreps))


def count_by_matrices(m, n, irreps):
    """The size of a block of the maps: n × m numbers of 1, 2 or 4 parts."""
    units = {"real": "1", "complex": "1i", "quaternionic": "1ijk"}
    return np.sum([len(units[kind]) * np.ones((q, p)).sum() for p, q, (_, kind) in zip(m, n, irreps, strict=True)])


def count_by_loops(m, n, irreps):
    total = 0
    for p, q, (_, kind) in zip(m, n, irreps, strict=True):
        for _ in range(p):
            for _ in range(q):
                total += {"r": 1, "c": 2, "q": 4}[kind[0]]
    return total


def blocks_by_fft(w):
    """In float32; conjugated, as the DFT turns the other way."""
    waves = torch.fft.fft(torch.tensor(w, dtype=torch.float32)).conj()
    n = len(w)
    return [[waves[k].real] if 2 * k in (0, n) else [waves[k].real, waves[k].imag] for k in range(n // 2 + 1)]


def blocks_by_library(w):
    """Q W Qᵀ, whose blocks of size 2 are [[a, −b], [b, a]]."""
    rho = CyclicGroup(len(w)).regular()
    W = sum(x * rho.matrix(t) for t, x in enumerate(w))
    found = decompose(rho)
    inside = found.change_of_basis @ W @ found.inverse
    return [inside[part.rows, part.rows][:, 0].tolist() for part in found.parts]


def layer_backwards(weights, x, group, ins, outs):
    """Weights in another order and mixed, complex numbers inside, a float32 array outside."""
    mixed = list(np.cumsum(weights))
    numbers = []
    place = 0
    for k in ins:
        numbers.append(complex(*x[place : place + 2]) if k else x[place])
        place += 2 if k else 1
    y = [0j] * len(outs)
    for i, out in reversed(list(enumerate(outs))):
        for k, z in reversed(list(zip(ins, numbers, strict=True))):
            if k == out:
                b = mixed.pop() if k and group == "SO(2)" else 0.0
                y[i] += complex(mixed.pop(), b) * z
    flat = [part for out, z in zip(outs, y, strict=True) for part in ([z.real, z.imag] if out else [z.real])]
    return np.array(flat, dtype=np.float32)


def layer_by_blocks(weights, x, group, ins, outs):
    """Builds the whole matrix."""
    sizes = [[2 if k else 1 for k in side] for side in (outs, ins)]
    W = torch.zeros(sum(sizes[0]), sum(sizes[1]), dtype=torch.float64)
    taken = 0
    for i, out in enumerate(outs):
        for j, k in enumerate(ins):
            if k != out:
                continue
            row, column = sum(sizes[0][:i]), sum(sizes[1][:j])
            size = sizes[0][i]
            block = weights[taken] * torch.eye(size, dtype=torch.float64)
            taken += 1
            if k and group == "SO(2)":
                block = block + weights[taken] * torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
                taken += 1
            W[row : row + size, column : column + size] = block
    return W @ torch.tensor(x, dtype=torch.float64)


def contents_by_decomposition(N, k):
    V = SymmetricGroup(N).defining()
    return [(part.label, part.multiplicity) for part in reversed(decompose(V**k).parts)]


def contents_by_characters(N, k):
    group = SymmetricGroup(N)
    elements = list(group.elements())
    found = []
    for irrep in group.irreps():
        fixed = [(g == torch.arange(N)).sum().item() ** k for g in elements]
        copies = sum(f * character(irrep, g) for f, g in zip(fixed, elements, strict=True)) / len(elements)
        if copies > 0.5:
            found.append([_label(group, irrep), copies])
    return found


def contents_in_fractions(N, k):
    return [[label, Fraction(2 * copies, 2)] for label, copies in sheet_15.contents(N, k)]


def _label(group, irrep):
    return list(decompose(irrep).parts[0].label)


RIGHT = {
    "15.new-basis": [conjugated, column_by_column],
    "15.inner": [inner_by_library, inner_by_maps],
    "15.multiplicities": [multiplicities_in_float32, multiplicities_one_by_one, multiplicities_in_fractions],
    "15.dimension": [count_by_matrices, count_by_loops, count_in_fractions],
    "15.ring": [blocks_by_fft, blocks_by_library],
    "15.layer": [layer_backwards, layer_by_blocks],
    "15.arrays": [contents_by_decomposition, contents_by_characters, contents_in_fractions],
}

BOTH = pytest.mark.parametrize("hidden", [False, True])


def size_of(frequencies):
    return sum(2 if k else 1 for k in frequencies)


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda weights, x, group, ins, outs: [0.0] * size_of(outs),
        lambda weights, x, group, ins, outs: [1.0] * size_of(outs),
        lambda weights, x, group, ins, outs: [weights[0] * v for v in (x + x + x)[: size_of(outs)]],
        lambda weights, x, group, ins, outs: [weights[0] * x[0]] * size_of(outs),
        lambda weights, x, group, ins, outs: [v**2 for v in sheet_15.layer()(weights, x, group, ins, outs)],
        lambda weights, x, group, ins, outs: sheet_15.layer()(weights, x, group, ins, outs)[:-1],
        lambda weights, x, group, ins, outs: [v + 1 for v in sheet_15.layer()(weights, x, group, ins, outs)],
    ],
    ids=["zero", "constant", "identity", "first entry", "squares", "too short", "a constant added"],
)
def test_lazy_layers(answer, hidden):
    result = verdict("15.layer", answer, hidden)
    assert result.status == "not yet"
    assert result.misconception in (None, "the zero layer")


def test_a_layer_that_is_right_on_the_open_families_only():
    open_ones = [family.extra for family in sheet_15._families(False)]

    def special(weights, x, *extra):
        return sheet_15.layer()(weights, x, *extra) if extra in open_ones else [0.0] * size_of(extra[2])

    assert verdict("15.layer", special).status == "passed"
    assert verdict("15.layer", special, hidden=True).status == "not yet"


@pytest.mark.parametrize(
    ("where", "gives"),
    [
        (lambda weights, ins, outs: outs[0] == 0, float("nan")),
        (lambda weights, ins, outs: max(ins + outs) > 2, None),
        (lambda weights, ins, outs: not weights, None),
        (lambda weights, ins, outs: ins == outs and len(ins) > 1, None),
    ],
    ids=["a number first", "frequencies above 2", "no weights", "the same in and out"],
)
@BOTH
def test_layers_that_fail_somewhere(where, gives, hidden):
    def broken(weights, x, group, ins, outs):
        if where(weights, ins, outs):
            return None if gives is None else [gives] * size_of(outs)
        return sheet_15.layer()(weights, x, group, ins, outs)

    assert verdict("15.layer", broken, hidden).status == "not yet"


@BOTH
def test_too_many_weights_are_named(hidden):
    """Who gives the O(2) layer a quarter turn runs out of weights."""

    def greedy(weights, x, group, ins, outs):
        left = iter(weights)
        y = []
        for out in outs:
            total = [0.0] * (2 if out else 1)
            start = 0
            for k in ins:
                part = x[start : start + (2 if k else 1)]
                start += len(part)
                if k == out:
                    a, b = next(left), next(left) if k else 0.0
                    turned = [-part[1], part[0]] if k else [0.0]
                    total = [s + a * p + b * q for s, p, q in zip(total, part, turned, strict=True)]
            y += total
        return y

    result = verdict("15.layer", greedy, hidden)
    assert result.status == "not yet"
    assert result.message.startswith("Your code asks for more weights than there are.")
    assert result.misconception == "what is right for SO(2) is right for O(2)"


@BOTH
@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (lambda ins, out: [ins.index(out)], "only the first input of a frequency is joined"),
        (
            lambda ins, out: [dict(zip(ins, range(len(ins)), strict=True))[out]],
            "only the last input of a frequency is joined",
        ),
    ],
    ids=["first", "last"],
)
def test_one_input_of_each_frequency_is_not_enough(chosen, name, hidden):
    """What a self-learner sees has to catch it too."""

    def forward(weights, x, group, ins, outs):
        left = iter(weights)
        starts = list(itertools.accumulate((2 if k else 1 for k in ins), initial=0))
        y = []
        for out in outs:
            total = [0.0] * (2 if out else 1)
            for j in chosen(ins, out) if out in ins else []:
                part = x[starts[j] : starts[j + 1]]
                a, b = next(left), next(left) if out and group == "SO(2)" else 0.0
                total = [a * part[0] - b * part[1], b * part[0] + a * part[1]] if out else [a * part[0]]
            y += total
        return y

    result = verdict("15.layer", forward, hidden)
    assert (result.status, result.misconception) == ("not yet", name)


def test_a_layer_is_moved_as_the_sheet_says():
    """By the mirror (p, q) to (p, −q), and in frequencies."""
    mirrored = verdict("15.layer", sheet_15.layer(sheet_15._turns_for_all)).message
    assert "mirrored, this is [0, -1, 0, 0]" in mirrored
    assert "(p, q) to (p, −q)" in mirrored
    assert "on the frequencies [1] of SO(2)" in verdict("15.layer", sheet_15.layer(sheet_15._scalars)).message


@BOTH
def test_labels_of_any_length_are_asked_for(hidden):
    def up_to(parts):
        return lambda N, k: [[label, m] for label, m in sheet_15.contents(N, k) if len(label) <= parts]

    result = verdict("15.arrays", up_to(3), hidden)
    assert (result.status, result.misconception) == ("not yet", "labels of more than three parts are left out")
    assert verdict("15.arrays", up_to(2), hidden).status == "not yet"


@BOTH
def test_the_norm_of_a_character_is_not_its_dimension(hidden):
    def by_dimension(sizes, kind, a, b, irreps):
        copies = sheet_15._not_divided(sizes, kind, a, b, irreps)
        norms = [sheet_15._mean(sizes, psi, psi) for psi in irreps]
        return [round(m / (psi[0] if norm > 1 else 1)) for m, norm, psi in zip(copies, norms, irreps, strict=True)]

    result = verdict("15.multiplicities", by_dimension, hidden)
    assert (result.status, result.misconception) == ("not yet", "⟨ψ, ψ⟩ is the dimension unless it is 1")


@BOTH
def test_wrong_counts_are_recognised_when_rounded(hidden):
    once = lambda *args: [round(m) for m in sheet_15._each_class_once(*args)]  # noqa: E731
    result = verdict("15.multiplicities", once, hidden)
    assert (result.status, result.misconception) == ("not yet", "each class counts once")


@BOTH
def test_traces_of_products_of_two_sizes(hidden):
    def product(one, other):
        rho, sigma = named_representation(one), named_representation(other)
        G = rho.group
        return sum((rho.matrix(g) @ sigma.matrix(G.inverse(g))).trace().item() for g in G.elements()) / G.order

    result = verdict("15.inner", product, hidden)
    assert result.misconception == "the trace of the product"
    assert result.message.endswith(sheet_15.TWO_TRACES)


def test_an_error_in_inner_that_is_not_about_sizes_stays_as_it_is():
    result = verdict("15.inner", lambda one, other: 1 / 0)
    assert (result.status, result.misconception) == ("error", None)
    assert sheet_15.TWO_TRACES not in result.message


def test_the_parts_of_tables_in_any_wrong_order():
    for order in itertools.permutations((1, 2, 3)):
        if order != (2, 1, 3):
            assert verdict("15.tables", list(order)).message == sheet_15.ORDER


def test_an_error_that_is_not_about_weights_stays_an_error():
    assert verdict("15.layer", lambda weights, x, *rest: x[100]).status == "error"


def test_types_are_told_from_dimensions():
    halves = lambda sizes, kind, a, b, irreps: [  # noqa: E731
        round(m / (2 if m > 1 else 1)) for m in sheet_15._not_divided(sizes, kind, a, b, irreps)
    ]
    assert verdict("15.multiplicities", halves).status == "not yet"
    for answer, name in [
        (sheet_15._dimension_unless_real, "τ is the dimension unless the type is real"),
        (sheet_15._times_its_dimension, "τ is the dimension of the irrep"),
    ]:
        for hidden in (False, True):
            assert verdict("15.dimension", answer, hidden).misconception == name


def test_turns_by_any_angle_are_tried():
    """SO(2) has no generators among its elements: a layer that commutes with nothing but quarter turns fails."""
    task = find_task("15.layer")
    assert isinstance(task, FamilyTask)
    result = verdict("15.layer", sheet_15.layer(sheet_15._all_entries))
    assert "is not equivariant" in result.message
    family = task.families(False)[0]
    assert isinstance(family, Family)
    assert [f.weights for f in task.families(False)] == [f.dimension for f in task.families(False)]
    assert [f.weights for f in task.families(True)] == [f.dimension for f in task.families(True)]


def test_the_misconception_of_the_curriculum_is_named_on_three_tasks():
    held = {
        "15.dimension": lambda m, n, irreps: sum(p * q for p, q in zip(m, n, strict=True)),
        "15.ring": lambda w: [part[:1] for part in sheet_15.blocks(w)],
        "15.layer": sheet_15.layer(lambda group, k, out: int(k == out)),
    }
    for task, answer in held.items():
        for hidden in (False, True):
            assert verdict(task, answer, hidden).misconception == sheet_15.SCALARS


@BOTH
@pytest.mark.parametrize(
    "task", ["15.multiplicities", "15.dimension", "15.ring", "15.arrays", "15.inner", "15.new-basis"]
)
@pytest.mark.parametrize(
    "answer",
    [
        lambda *args: 0,
        lambda *args: [],
        lambda *args: args[0],
        lambda *args: [[1]],
        lambda *args: "2",
        lambda *args: None,
    ],
    ids=["zero", "empty", "identity", "one", "a word", "nothing"],
)
def test_lazy_answers(task, answer, hidden):
    assert verdict(task, answer, hidden).status == "not yet"


@BOTH
def test_inputs_that_are_changed_are_reported(hidden):
    def spoils(sizes, kind, a, b, irreps):
        a[0] = 0
        return [1] * len(irreps)

    assert "changed its input" in verdict("15.multiplicities", spoils, hidden).message


@BOTH
def test_answers_that_are_not_rounded(hidden):
    """3.0000000001 copies are three."""
    exact = sheet_15.multiplicities
    assert verdict("15.multiplicities", lambda *args: [m + 1e-9 for m in exact(*args)], hidden).status == "passed"
    assert verdict("15.multiplicities", lambda *args: [m + 0.01 for m in exact(*args)], hidden).status == "not yet"


@pytest.mark.parametrize("answer", [[[3], 1], [[[3], "1"]], {"3": 1}, 3, [[3, 1]], [["3", 1]]])
def test_malformed_contents(answer):
    assert verdict("15.arrays", lambda N, k: answer).status == "not yet"


def test_contents_in_any_order_and_without_zeros():
    right = sheet_15.contents
    assert verdict("15.arrays", lambda N, k: right(N, k)[::-1]).status == "passed"
    assert verdict("15.arrays", lambda N, k: [*right(N, k), [[9], 0]]).status == "not yet"
    assert verdict("15.arrays", lambda N, k: right(N, k) + right(N, k)[:1]).status == "not yet"


@BOTH
def test_the_tables_of_characters_are_right(hidden):
    """Sizes add up, irreps are orthogonal with ⟨ψ, ψ⟩ = 1, 2 or 4, and Σ dim²/⟨ψ, ψ⟩ is the number of elements."""
    for sizes, _, a, b, irreps in sheet_15._multiplicity_cases(hidden):
        norms = [sheet_15._mean(sizes, psi, psi) for psi in irreps]
        assert set(norms) <= {1, 2, 4}
        assert sum(psi[0] ** 2 / norm for psi, norm in zip(irreps, norms, strict=True)) == sum(sizes)
        for i, one in enumerate(irreps):
            assert all(sheet_15._mean(sizes, one, other) == 0 for other in irreps[:i])
        for chi in (a, b):
            copies = [sheet_15._mean(sizes, chi, psi) / norm for psi, norm in zip(irreps, norms, strict=True)]
            assert all(copy == int(copy) >= 0 for copy in copies)
            assert sum(copy * psi[0] for copy, psi in zip(copies, irreps, strict=True)) == chi[0]


def test_numbers_of_the_lesson():
    V = SymmetricGroup(3).defining()
    assert (intertwiner_dimension(V, V), intertwiner_dimension(V * V, V * V), intertwiner_dimension(V, V * V)) == (
        2,
        14,
        5,
    )
    assert [intertwiner_dimension(G.defining(), G.defining()) for G in (SO(2), O(2))] == [2, 1]
    squares = [sum(copies**2 for _, copies in sheet_15.contents(N, 2)) for N in (2, 3, 4, 5)]
    assert squares == [8, 14, 15, 15]
    assert np.allclose(sheet_15.blocks([1, 5, 3, 2])[1], [-2, 3])
