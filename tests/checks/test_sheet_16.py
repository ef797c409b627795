"""Other right answers for the tasks of sheet 16, and what is particular to its checks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.checks import find_task, verdict
from eqcourse.groups import SO, Lorentz, MatrixGroup, O
from eqcourse.tasks import sheet_16


def as_double(x):
    return torch.tensor(x, dtype=torch.float64)


def exponential_by_squaring(A):
    """exp(A) = exp(A/1024)^1024, as an array."""
    small = np.array(A, dtype=float) / 1024
    return np.linalg.matrix_power(np.eye(len(small)) + small + small @ small / 2 + small @ small @ small / 6, 1024)


def exponential_by_terms(A):
    A = as_double(A)
    return sum(torch.linalg.matrix_power(A, k) / float(math.factorial(k)) for k in range(25)).float()


def product_by_einsum(A, B):
    n, m = len(A), len(B)
    total = np.einsum("ij,kl->ikjl", np.array(A), np.eye(m)) + np.einsum("ij,kl->ikjl", np.eye(n), np.array(B))
    return total.reshape(n * m, n * m)


def product_by_derivative(A, B):
    """The derivative at 0, by autograd."""
    A, B = as_double(A), as_double(B)
    zero = torch.zeros((), dtype=torch.float64)

    def moved(t):
        return torch.kron(torch.matrix_exp(t * A), torch.matrix_exp(t * B))

    return torch.autograd.functional.jacobian(moved, zero)


def constraint_by_columns(pairs):
    """What the equations do to each unit matrix, as float32; rows in another order and some of them twice."""
    n, m = len(pairs[0][0]), len(pairs[0][1])
    columns = []
    for place in range(n * m):
        W = torch.zeros(n * m)
        W[place] = 1
        W = W.reshape(n, m)
        columns.append(
            torch.cat([(torch.tensor(A).float() @ W - W @ torch.tensor(B).float()).flatten() for A, B in pairs])
        )
    C = torch.stack(columns, 1)
    return torch.cat([C.flip(0), 3 * C[:1]])


def constraint_by_loops(pairs):
    """Row by row in plain Python."""
    rows = []
    for A, B in pairs:
        n, m = len(A), len(B)
        for i in range(n):
            for j in range(m):
                row = [0] * (n * m)
                for k in range(n):
                    row[k * m + j] += A[i][k]
                for k in range(m):
                    row[i * m + k] -= B[k][j]
                rows.append(row)
    return rows


def null_space_by_numpy(C):
    C = np.array(C, dtype=float)
    _, s, vt = np.linalg.svd(C)
    s = np.concatenate([s, np.zeros(C.shape[1] - len(s))])
    s = s / (s.max() or 1)
    return "In doubt" if ((s >= 1e-9) & (s < 1e-5)).any() else vt[s < 1e-9][::-1] * 7


def null_space_mixed(C):
    """The same space with another basis, and the doubt decided first."""
    C = as_double(C)
    values = torch.linalg.svdvals(C)
    if any(1e-9 <= v / values[0] < 1e-5 for v in values):
        return "in doubt"
    keep = torch.linalg.svd(C)[2]
    rank = sum(1 for v in values if v > 0 and v / values[0] >= 1e-9)
    rest = keep[rank:]
    return torch.cumsum(rest, 0)


def lie_by_derivative(A, kind):
    """The derivative at 0 of the group's action."""
    A = as_double(A)
    zero = torch.zeros((), dtype=torch.float64)
    return torch.autograd.functional.jacobian(lambda t: sheet_16.acts(torch.matrix_exp(t * A), kind), zero)


def lie_by_library(A, kind):
    group = MatrixGroup(lie=[A])

    def built(kind):
        if isinstance(kind, str):
            return {"1": group.trivial(), "V": group.defining(), "V*": group.defining().dual}[kind]
        word, one, other = kind
        if word == "sum":
            return built(one).flatten() + built(other).flatten()
        return built(one).flatten() * built(other).flatten()

    return built(kind).lie_matrix(group.lie_algebra[0]).float().numpy()


def invariants_by_library(algebra, generators, k):
    group = MatrixGroup(generators, algebra)
    basis = intertwiners(group.trivial(), group.defining() ** k, method="nullspace").basis.flatten(1)
    return basis.flip(0).cumsum(0).float()


def invariants_by_random_elements(algebra, generators, k):
    """Group elements at angles that no finite subgroup contains."""
    elements = [torch.matrix_exp(angle * as_double(A)) for A in algebra for angle in (1.0, 0.37)]
    elements += [as_double(s) for s in generators]
    rows = []
    for g in elements:
        power = g
        for _ in range(k - 1):
            power = torch.kron(power, g)
        rows.append(power - torch.eye(len(power)).double())
    _, values, vectors = torch.linalg.svd(torch.cat(rows))
    return vectors[values < 1e-9].tolist()


def laws_by_inversion(letter):
    """Through the point reflection, and a turn by 45° about x."""
    inversion = (-torch.eye(3)).tolist()
    witnesses = {
        "B": [inversion, [[1, 0, 0], [0, 1, 0], [0, 0, 0]]],
        "D": [inversion, torch.eye(3)],
        "G": [SO(3).rotation(math.pi / 4, 0), [[0, 1, 0], [0, 0, 0], [0, 0, 0]]],
    }
    return ("no", witnesses[letter]) if letter in witnesses else ("yes", None)


def laws_by_search(letter):
    group = {"O(3)": O(3), "SO(3)": SO(3)}[sheet_16.LAWS[letter][1]]
    for seed in range(8):
        x = torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)).double()
        g = group.sample(seed)
        if sheet_16._breaks(letter, g, x):
            return ["no", [g.numpy().round(4), x]]
    return ["yes", None]


RIGHT = {
    "16.exponential": [exponential_by_squaring, exponential_by_terms],
    "16.product": [product_by_einsum, product_by_derivative],
    "16.constraint": [constraint_by_columns, constraint_by_loops],
    "16.null-space": [null_space_by_numpy, null_space_mixed],
    "16.algebra": [lie_by_derivative, lie_by_library],
    "16.invariants": [invariants_by_library, invariants_by_random_elements],
    "16.laws": [laws_by_inversion, laws_by_search],
}

BOTH = pytest.mark.parametrize("hidden", [False, True])
FUNCTIONS = ["16.exponential", "16.product", "16.constraint", "16.null-space", "16.algebra", "16.invariants", "16.laws"]


@BOTH
@pytest.mark.parametrize("task", FUNCTIONS)
@pytest.mark.parametrize(
    "answer",
    [
        lambda *args: 0,
        lambda *args: [],
        lambda *args: args[0],
        lambda *args: [[1]],
        lambda *args: [[0.0] * 4] * 4,
        lambda *args: [[math.nan] * 4] * 4,
        lambda *args: "in doubt",
        lambda *args: ["yes", None],
        lambda *args: None,
        lambda *args: [[1j]],
        lambda *args: [[1], [1, 2]],
    ],
    ids=["zero", "empty", "identity", "one", "zeros", "nan", "a word", "yes", "nothing", "complex", "ragged"],
)
def test_lazy_answers(task, answer, hidden):
    assert verdict(task, answer, hidden).status == "not yet"


@pytest.mark.parametrize("task", FUNCTIONS[:-1])
def test_an_answer_that_is_right_on_the_open_cases_only(task):
    known = find_task(task)
    open_cases = known.cases(False)

    def special(*args):
        return known.reference(*args) if args in open_cases else [[1.0]]

    assert verdict(task, special).status == "passed"
    assert verdict(task, special, hidden=True).status == "not yet"


def test_the_misconceptions_of_the_curriculum_are_named():
    def quarter_turns(algebra, generators, k):
        elements = [torch.matrix_exp(torch.pi / 2 * as_double(A)) for A in algebra]
        group = MatrixGroup([*elements, *generators])
        return intertwiners(group.trivial(), group.defining() ** k, method="nullspace").basis.flatten(1)

    def no_mirror(algebra, generators, k):
        n = len((algebra + generators)[0])
        return invariants_by_library(algebra, [], k) if algebra else torch.eye(n**k)

    def product(A, kind):
        if isinstance(kind, str):
            return sheet_16.lie(A, kind)
        one, other = product(A, kind[1]), product(A, kind[2])
        return torch.block_diag(one, other) if kind[0] == "sum" else torch.kron(one.contiguous(), other.contiguous())

    for hidden in (False, True):
        result = verdict("16.invariants", quarter_turns, hidden)
        assert result.misconception == sheet_16.FINITE
        assert "You give 8 tensors" in result.message or hidden
        assert verdict("16.invariants", no_mirror, hidden).misconception == sheet_16.SAME
        assert verdict("16.algebra", product, hidden).misconception == sheet_16.PRODUCT


def test_quarter_turns_leave_eight_tensors_and_eighths_six():
    assert len(sheet_16._quarter_turns([sheet_16.J], [], 4)) == 8
    eighth = torch.matrix_exp(torch.pi / 4 * as_double(sheet_16.J)).tolist()
    assert len(sheet_16._invariants([], [eighth], 4)) == 6
    assert len(sheet_16.invariants([sheet_16.J], [], 4)) == 6
    assert len(sheet_16._quarter_turns(sheet_16.TURNS, [], 4)) == 4  # of the question in words
    assert len(sheet_16._quarter_turns(sheet_16.TURNS, [], 2)) == 1


@BOTH
@pytest.mark.parametrize("task", ["16.invariants", "16.null-space"])
def test_a_vector_too_few_or_twice(task, hidden):
    reference = find_task(task).reference

    def fewer(*args):
        right = reference(*args)
        return right if isinstance(right, str) else right[:-1]

    def twice(*args):
        right = reference(*args)
        return right if isinstance(right, str) else right + right[:1]

    def with_zero(*args):
        right = reference(*args)
        return right if isinstance(right, str) else right + [[0.0] * len(row) for row in right[:1]]

    for answer in (fewer, twice, with_zero):
        assert verdict(task, answer, hidden).status == "not yet"
    assert "not independent" in verdict(task, twice, hidden).message


@BOTH
def test_columns_in_place_of_rows(hidden):
    """Where Vᵀ is symmetric, its columns would do."""

    def columns(C):
        right = find_task("16.null-space").reference(C)
        return right if isinstance(right, str) else torch.linalg.svd(as_double(C))[2][:, -len(right) or 9 :].T

    def as_columns(C):
        right = find_task("16.null-space").reference(C)
        return right if isinstance(right, str) or not right else np.array(right).T

    assert verdict("16.null-space", columns, hidden).misconception == "columns of Vᵀ"
    assert "Each vector is one list" in verdict("16.null-space", as_columns, hidden).message


@BOTH
def test_tiny_numbers_are_shown(hidden):
    def absolute(C):
        return sheet_16._null_space(C, relative=False)

    message = verdict("16.null-space", absolute, hidden).message
    assert "e-1" in message.split(" gave ")[0]
    assert "e-1" in message.split("C times it is ")[1]


def test_single_precision_lifts_a_zero_into_the_band():
    def single(C):
        _, values, vectors = torch.linalg.svd(torch.tensor(C).float())
        sizes = torch.nn.functional.pad(values, (0, len(vectors) - len(values))) / (values.max() or 1)
        return "in doubt" if ((sizes >= 1e-9) & (sizes < 1e-5)).any() else vectors[sizes < 1e-9]

    for hidden in (False, True):
        assert "float32" in verdict("16.null-space", single, hidden).message


@BOTH
def test_numbers_that_nearly_agree_are_shown_apart(hidden):
    """A difference quotient is close, and the message shows by how much it is off."""

    def quotient(A, kind):
        step = 1e-4
        moved = sheet_16.acts(torch.matrix_exp(step * as_double(A)), kind)
        return (moved - torch.eye(len(moved)).double()) / step

    message = verdict("16.algebra", quotient, hidden).message
    mine, rest = message.split("yours has ")[1].split(" in row")
    assert mine != rest.split("ρ(g) has ")[1].split(":")[0]


@BOTH
def test_errors_come_with_what_is_particular_to_the_input(hidden):
    def short_mask(C):
        _, values, vectors = torch.linalg.svd(as_double(C))
        return vectors[values < 1e-9]

    def one_size(A, kind):
        if isinstance(kind, str):
            return sheet_16.lie(A, kind)
        first, second = one_size(A, kind[1]), one_size(A, kind[2])
        one = torch.eye(len(A)).double()
        if kind[0] == "sum":
            return torch.block_diag(first, second)
        return sheet_16._kron(first, one) + sheet_16._kron(one, second)

    def transposed(pairs):
        return torch.cat([torch.kron(as_double(A).T, as_double(B)) for A, B in pairs])

    for task, answer, hint in [
        ("16.null-space", short_mask, "Vᵀ has"),
        ("16.constraint", transposed, ".contiguous()"),
        ("16.algebra", one_size, "a kind stands in a kind"),
        ("16.invariants", lambda algebra, *rest: len(algebra[0]) and sheet_16.invariants(algebra, *rest), "is empty"),
    ]:
        result = verdict(task, answer, hidden)
        assert result.status == "error"
        assert hint in result.message.splitlines()[-1]


def test_tables_are_not_maps():
    """At rank 2 the maps V → V are other tables, unless the group keeps lengths."""

    def maps(algebra, generators, k):
        if k != 2:
            return sheet_16.invariants(algebra, generators, k)
        pairs = [[M, M] for M in algebra + generators]
        return sheet_16._null_rows(sheet_16.constraint(pairs))

    for hidden in (False, True):
        assert verdict("16.invariants", maps, hidden).status == "not yet"


def test_the_dual_in_place_of_the_action():
    """Transposed, with either sign; what is only negated solves the same equations."""
    for sign in (1, -1):

        def transposed(algebra, generators, k, sign=sign):
            duals = [(sign * as_double(A).T).tolist() for A in algebra]
            return sheet_16._invariants(duals, [as_double(s).T.tolist() for s in generators], k)

        def negated(algebra, generators, k, sign=sign):
            return sheet_16._invariants([(sign * as_double(A)).tolist() for A in algebra], generators, k)

        for hidden in (False, True):
            assert verdict("16.invariants", transposed, hidden).misconception == "the tensors are made of gradients"
            assert verdict("16.invariants", negated, hidden).status == "passed"


@BOTH
def test_a_constraint_that_says_too_little_or_too_much(hidden):
    def less(pairs):
        return sheet_16.constraint(pairs)[1:]

    def more(pairs):
        C = sheet_16.constraint(pairs)
        return torch.cat([C, torch.eye(C.shape[1]).double()[:1]])

    assert "gives A W ≠ W B" in verdict("16.constraint", less, hidden).message
    assert "is not zero" in verdict("16.constraint", more, hidden).message


@BOTH
def test_tiny_rows_are_rows(hidden):
    """A constraint counts whatever number it is multiplied by."""
    assert verdict("16.constraint", lambda pairs: 1e-8 * sheet_16.constraint(pairs), hidden).status == "passed"


@BOTH
def test_inputs_that_are_changed_are_reported(hidden):
    def spoils(pairs):
        pairs[0][0][0][0] = 99
        return [[1.0]]

    assert "changed its input" in verdict("16.constraint", spoils, hidden).message


@pytest.mark.parametrize(
    ("letter", "witness"),
    [
        ("A", [(-torch.eye(3)).tolist(), sheet_16.INPUT]),  # not in SO(3)
        ("B", [[[2, 0, 0], [0, 1, 0], [0, 0, 1]], sheet_16.INPUT]),  # stretches
        ("B", [torch.eye(3).tolist(), sheet_16.INPUT]),
        ("B", [sheet_16.MIRROR_3, [[0, 0, 0]] * 3]),
        ("B", [sheet_16.MIRROR_3, [[math.inf, 0, 0]] * 3]),
        ("E", [sheet_16.MIRROR_3, sheet_16.INPUT]),
        ("F", [sheet_16.TILT, sheet_16.INPUT]),
        ("G", [[[0, -1, 0], [1, 0, 0], [0, 0, 1]], sheet_16.INPUT]),
        ("H", [sheet_16.MIRROR_3, sheet_16.INPUT]),
        ("B", [3, 4]),
        ("B", "no"),
        ("B", None),
    ],
)
def test_witnesses_that_show_nothing(letter, witness):
    def answer(asked):
        return ["no", witness] if asked == letter else sheet_16.classify(asked)

    result = verdict("16.laws", answer)
    assert result.status == "not yet"
    assert "Right: 7 of 8" in result.message


def test_right_words_with_no_witness_are_counted():
    result = verdict("16.laws", lambda letter: [sheet_16.classify(letter)[0], None])
    assert result.status == "not yet"


def test_numbers_of_the_lesson():
    def counts(group, ranks):
        return [intertwiner_dimension(group.trivial(), group.defining() ** k) for k in ranks]

    assert counts(SO(3), range(7)) == [1, 0, 1, 1, 3, 6, 15]
    assert counts(O(3), range(7)) == [1, 0, 1, 0, 3, 0, 15]
    assert counts(SO(2), (2, 4, 6)) == [2, 6, 20]
    assert counts(O(2), (2, 4, 6)) == [1, 3, 10]
    assert [counts(Lorentz(kind), [4]) for kind in ("restricted", "full")] == [[4], [3]]
    for turns in range(3, 9):
        group = MatrixGroup([SO(2).rotation(2 * math.pi / turns)])
        assert counts(group, range(1, turns)) == counts(SO(2), range(1, turns))
        assert counts(group, [turns]) != counts(SO(2), [turns])
    assert [intertwiner_dimension(G.defining() ** 2, G.defining()) for G in (SO(3), O(3))] == [1, 0]
