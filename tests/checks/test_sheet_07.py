"""Other right answers for the tasks of sheet 07, and what is particular to its checks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from eqcourse import intertwiners, nn
from eqcourse.checks import find_task, named_map, named_representation, verdict
from eqcourse.equivariance import equivariance_error, group_average
from eqcourse.tasks import sheet_07


def block_by_numpy(A, B):
    A, B = np.array(A), np.array(B)
    return np.block([[A, np.zeros((len(A), len(B)))], [np.zeros((len(B), len(A))), B]])


def chain_by_library(layers):
    """Build longer and longer chains until the library refuses one."""
    functions = {"ReLU": torch.relu, "tanh": torch.tanh}
    built = []
    for number, layer in enumerate(layers):
        try:
            if layer[0] == "linear":
                built.append(nn.EquivariantLinear(*map(named_representation, layer[1:])))
            else:
                built.append(nn.Pointwise(functions[layer[0]]))
            nn.EquivariantSequential(*built)
        except ValueError:
            return number
    return -1


def chain_by_matrices(layers):
    """Compare matrices of the types; allow functions by what they do to a moved vector."""
    rho = named_representation(layers[0][1])
    for number, layer in enumerate(layers):
        if layer[0] == "linear":
            before = named_representation(layer[1])
            if before.group != rho.group or before.dim != rho.dim:
                return number
            if any(not torch.equal(before.matrix(g), rho.matrix(g)) for g in before.group.generators):
                return number
            rho = named_representation(layer[2])
        elif not equivariance_error(named_map(layer[0]), rho, rho).passed:
            return number
    return -1


def apply_by_library(function, rep_name, x):
    f, rho = named_map(function), named_representation(rep_name)
    x = torch.tensor(x, dtype=torch.float64)
    try:
        return nn.Pointwise(f, rho)(x[None, None])[0, 0]
    except ValueError:
        return nn.NormNonlinearity(rho, function=f, dtype=torch.float64)(x[None, None])[0, 0]


def apply_by_thought(function, rep_name, x):
    odd = function == "tanh"
    entrywise = "turns" not in rep_name and ("flips" not in rep_name or odd)
    if entrywise:
        return [float(named_map(function)(torch.tensor(value))) for value in x]
    length = math.hypot(*x)
    return [named_map(function)(torch.tensor(length, dtype=torch.float64)).item() * value / length for value in x]


def bias_by_basis(rep_name, b):
    rho = named_representation(rep_name)
    basis = intertwiners(rho.group.trivial(), rho).basis.flatten(1).double()
    if not len(basis):
        return torch.zeros(len(b))
    coefficients = torch.linalg.lstsq(basis.T, torch.tensor(b, dtype=torch.float64)[:, None]).solution
    return (basis.T @ coefficients)[:, 0]


def bias_by_average(rep_name, b):
    """The average of a constant map."""
    rho = named_representation(rep_name)
    constant = torch.tensor(b, dtype=torch.float64)
    return group_average(lambda x: constant, rho.group.trivial(), rho)(torch.zeros(1, dtype=torch.float64))


def factors_by_scaling(in_name, hidden_name, out_name, W):
    """W1 scales the places differently, W2 undoes it."""
    scale = torch.arange(1.0, len(W[0]) + 1, dtype=torch.float64)
    return torch.diag(scale), torch.tensor(W, dtype=torch.float64) / scale


def factors_by_chance(in_name, hidden_name, out_name, W):
    W1 = np.random.default_rng(0).normal(size=(len(W[0]), len(W[0])))
    return [W1, np.array(W) @ np.linalg.inv(W1)]


def layers_by_thought(letter):
    quarter_turn = [[0, -1], [1, 0]]
    x = [[1, 2], [0, 5], [-3, 1]]
    witnesses = {"C": [quarter_turn, x], "D": [[1, 0, 2], x], "F": [[1, 2, 0], x], "I": [quarter_turn, x]}
    return ["no", witnesses[letter]] if letter in witnesses else ["yes", None]


def layers_by_search(letter):
    f, rho = sheet_07.setting(letter)
    x = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for seed in range(10):
        g = rho.group.sample(seed)
        if not torch.allclose(f(rho.act(g, x)), rho.act(g, f(x))):
            return ("no", (g, x))
    return ("yes", None)


RIGHT = {
    "07.block-diagonal": [block_by_numpy, lambda A, B: torch.block_diag(torch.tensor(A), torch.tensor(B))],
    "07.chain": [chain_by_library, chain_by_matrices],
    "07.nonlinearity": [apply_by_library, apply_by_thought],
    "07.bias": [bias_by_basis, bias_by_average],
    "07.factors": [factors_by_scaling, factors_by_chance],
    "07.layers": [layers_by_thought, layers_by_search],
}


allowed = sheet_07._allows


def last_misfit(layers):
    """Where a layer fits what comes before it, whatever was wrong earlier: the last one that does not."""
    found, current = -1, layers[0][1]
    for number, layer in enumerate(layers):
        if layer[0] == "linear":
            found = found if layer[1] == current else number
            current = layer[2]
        elif not allowed(layer[0], current):
            found = number
    return found


@pytest.mark.parametrize(
    "chain",
    [
        lambda layers: -1,
        lambda layers: 0,
        lambda layers: len(layers) - 1,
        lambda layers: None,
        lambda layers: -1 if sheet_07.first_misfit(layers) == -1 else 1,
        # ReLU on a turned vector; the last misfit; "alone and flips" taken for a permutation, and for no type that takes tanh.
        lambda layers: sheet_07.first_misfit(
            layers, allows=lambda f, t: ("flips" not in t and f == "ReLU") or allowed(f, t)
        ),
        lambda layers: last_misfit(layers),
        lambda layers: sheet_07.first_misfit(layers, allows=lambda f, t: "alone and flips" in t or allowed(f, t)),
        lambda layers: sheet_07.first_misfit(layers, allows=lambda f, t: "alone and" not in t and allowed(f, t)),
    ],
)
def test_lazy_answers_about_chains_do_not_pass(chain):
    assert all(verdict("07.chain", chain, hidden).status == "not yet" for hidden in (False, True))


def by_names(function, rep_name, x, wrong_function, wrong_type):
    entrywise = function == wrong_function and wrong_type in rep_name
    return named_map(function)(torch.tensor(x)) if entrywise else sheet_07.applied()(function, rep_name, x)


@pytest.mark.parametrize(
    "apply",
    [
        lambda function, rep_name, x: x,
        lambda function, rep_name, x: [0.0] * len(x),
        lambda function, rep_name, x: sheet_07.applied()(function, rep_name, x)[:1],
        lambda function, rep_name, x: [-value for value in sheet_07.applied()(function, rep_name, x)],
        # By names alone: square is odd where something stays; cosine may flip; tanh may act on part of a vector.
        lambda function, rep_name, x: by_names(function, rep_name, x, "square", "alone and flips"),
        lambda function, rep_name, x: by_names(function, rep_name, x, "cosine", "flips the sign"),
        lambda function, rep_name, x: by_names(function, rep_name, x, "tanh", "alone and turns"),
    ],
)
def test_lazy_nonlinearities_do_not_pass(apply):
    # The open inputs already refuse each of them.
    assert verdict("07.nonlinearity", apply).status == "not yet"


@pytest.mark.parametrize(
    "repair",
    [
        lambda rep_name, b: sheet_07.nearest_invariant(rep_name, b)[:1],
        lambda rep_name, b: [2 * value for value in sheet_07.nearest_invariant(rep_name, b)],
        lambda rep_name, b: [b[0]] * len(b),
        lambda rep_name, b: [math.nan] * len(b),
        lambda rep_name, b: [float(round(value)) for value in sheet_07.nearest_invariant(rep_name, b)],
    ],
)
def test_other_biases_do_not_pass(repair):
    assert all(verdict("07.bias", repair, hidden).status == "not yet" for hidden in (False, True))


def test_a_mean_over_random_turns_is_not_exact():
    def repair(rep_name, b):
        rho = named_representation(rep_name)
        group, b = rho.group, torch.tensor(b, dtype=torch.float64)
        finite = math.isfinite(group.order)
        elements = group.elements() if finite else [group.sample(seed) for seed in range(200)]
        return torch.stack([rho.act(g, b) for g in elements]).mean(0)

    result = verdict("07.bias", repair)
    assert result.status == "not yet"
    assert "not invariant" in result.message


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda W, n: [torch.zeros(n, n), W], "W2 W1"),
        (lambda W, n: [2 * torch.eye(n), W / 2], "equivariant itself"),
        (lambda W, n: [torch.eye(n) + 1e-9 * torch.diag(torch.arange(n)), W], "equivariant itself"),
        (lambda W, n: [torch.full((n, n), math.inf), W], "finite"),
        (lambda W, n: [2 * torch.eye(n), W / 2], "Change another entry of W1"),
        (lambda W, n: [W], "expected [W1, W2]"),
        (lambda W, n: [torch.eye(n + 1), W], "expected [W1, W2]"),
    ],
)
def test_factors_that_do_not_do(make, words):
    def factors(in_name, hidden_name, out_name, W):
        return make(torch.tensor(W), len(W[0]))

    for hidden in (False, True):
        result = verdict("07.factors", factors, hidden)
        assert result.status == "not yet"
        assert words in result.message


@pytest.mark.parametrize(("letter", "g"), [("D", [0, 1, 2]), ("C", [[1, 0], [0, 1]]), ("A", [1, 0, 2])])
def test_false_witnesses_are_not_taken(letter, g):
    def layers(asked):
        return ["no", [g, [[1, 2], [3, 5], [8, 4]]]] if asked == letter else sheet_07.classify(asked)

    result = verdict("07.layers", layers)
    assert result.status == "not yet"
    assert "Right: 9 of 10" in result.message
    assert "the two paths agree" in result.message


@pytest.mark.parametrize(
    ("witness", "words"),
    [
        (None, "not a pair"),
        ([[2, 0, 0], [[1, 2], [3, 4], [5, 7]]], "not a pair"),
        ([[1, 0, 2], [1, 2, 3]], "three rows of two finite numbers"),
        ([[1, 0, 2], [[math.nan, 2], [3, 4], [5, 7]]], "three rows of two finite numbers"),
    ],
)
def test_witnesses_of_another_form(witness, words):
    result = verdict("07.layers", lambda letter: ["no", witness] if letter == "D" else sheet_07.classify(letter))
    assert result.status == "not yet"
    assert words in result.message


@pytest.mark.parametrize(
    ("witness", "words"),
    [
        ([[[2, 0], [0, 1]], [[1, 2], [3, 5], [8, 4]]], "is no turn"),
        ([[[1, 0], [0, -1]], [[1, 2], [3, 5], [8, 4]]], "is no turn"),
        ([[[math.nan, 0], [0, 1]], [[1, 2], [3, 5], [8, 4]]], "finite numbers"),
        ([[0, 1], [[1, 2], [3, 5], [8, 4]]], "2 × 2 matrix"),
        ([[[0, -1], [1, 0]], [[1e-8, 2e-8], [3e-8, 5e-8], [8e-8, 4e-8]]], "differ too little to tell"),
    ],
)
def test_witnesses_with_another_turn(witness, words):
    result = verdict("07.layers", lambda letter: ["no", witness] if letter == "I" else sheet_07.classify(letter))
    assert result.status == "not yet"
    assert words in result.message


@pytest.mark.parametrize("task", ["07.chain", "07.nonlinearity", "07.bias"])
def test_a_table_of_the_open_inputs_does_not_pass(task):
    found = find_task(task)
    table = {repr(args): found.reference(*args) for args in found.cases(False)}

    def look_up(*args):
        return table.get(repr(args), found.reference(*found.cases(False)[0]))

    assert verdict(task, look_up).status == "passed"
    assert verdict(task, look_up, hidden=True).status == "not yet"


def test_a_constant_input_divides_layer_norm_by_zero():
    def layers(letter):
        return ["no", [[[0, -1], [1, 0]], [[1, 1]] * 3]] if letter == "C" else sheet_07.classify(letter)

    assert "divides by zero" in verdict("07.layers", layers).message


def test_what_the_settings_show():
    """The answers, measured anew on other inputs."""
    yes = {letter for letter in sheet_07.SETTINGS if equivariance_error(*_layer(letter), seed=7).passed}
    assert yes == set("ABEGHJ")


def _layer(letter):
    f, rho = sheet_07.setting(letter)
    return f, rho, rho


def test_the_lesson_has_its_three_typed_answers():
    assert find_task("07.second-weight").accepted == (-3,)
    assert verdict("07.recall-1", "No.").status == "passed"
    assert verdict("07.recall-2", 0).status == "passed"
