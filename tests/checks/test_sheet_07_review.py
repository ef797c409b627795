"""Other right answers for the tasks of the review sheet after lesson 07, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from eqcourse import nn
from eqcourse.checks import named_representation, verdict
from eqcourse.tasks import sheet_07_review as sheet


def model_by_table(letter):
    """Written another way: the group and whether the output moves."""
    inputs = dict(zip("ABCDEFGHIJK", [0, 0, 4, 4, 6, 6, 7, 7, 10, 10, 13], strict=True))
    outputs = dict(zip("ABCDEFGHIJK", [1, 0, 4, 5, 6, 8, 9, 8, 10, 11, 13], strict=True))
    return sheet.ACTIONS[inputs[letter]], sheet.ACTIONS[outputs[letter]]


def model_in_words(letter):
    numbers = {"A": (3, 1), "B": (3, 3)}
    if letter in numbers:
        return ["S_3 permutes 3 numbers", "S_3 permutes 3 numbers" if letter == "B" else "S_3 leaves a number alone"]
    return sheet.model(letter)


def parameters_by_layer(in_name, out_name):
    layer = nn.EquivariantLinear(named_representation(in_name), named_representation(out_name))
    return [layer.weight.numel(), 0 if layer.bias is None else layer.bias.numel()]


def _elements(group):
    return list(group.elements()) if math.isfinite(group.order) else [group.sample(seed) for seed in range(5)]


def parameters_by_null_space(in_name, out_name):
    """Columns of W one below the other: the equations are (ρ_in(g)ᵀ ⊗ 1 − 1 ⊗ ρ_out(g)) w = 0."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    rows, biases = [], []
    for g in _elements(rho_in.group):
        A, B = rho_in.matrix(g), rho_out.matrix(g)
        rows.append(torch.kron(A.T.contiguous(), torch.eye(len(B))) - torch.kron(torch.eye(len(A)), B))
        biases.append(B - torch.eye(len(B)))
    systems = [torch.cat(rows), torch.cat(biases)]
    return [system.shape[1] - int(torch.linalg.matrix_rank(system, tol=1e-8)) for system in systems]


def powers_by_trial(degree, in_name, out_name):
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    x = torch.tensor([2.0], dtype=torch.float64)
    return [n for n in range(degree + 1) if torch.equal(rho_in.act(-1, x) ** n, rho_out.act(-1, x**n))]


def powers_by_cases(degree, in_name, out_name):
    cases = {
        (sheet.FLIP, sheet.FLIP): range(1, degree + 1, 2),
        (sheet.FLIP, sheet.STAY): range(0, degree + 1, 2),
        (sheet.STAY, sheet.STAY): range(degree + 1),
        (sheet.STAY, sheet.FLIP): range(0),
    }
    return cases[in_name, out_name]


def possible_by_orbit(in_name, out_name, x, y):
    """Is (g▷x → g▷y) a function?"""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    x, y = torch.tensor(x).double(), torch.tensor(y).double()
    images = {}
    for g in rho_in.group.elements():
        # + 0.0 turns −0 into 0
        images.setdefault(tuple((rho_in.act(g, x) + 0.0).tolist()), set()).add(
            tuple((rho_out.act(g, y) + 0.0).tolist())
        )
    return all(len(found) == 1 for found in images.values())


def possible_by_average(in_name, out_name, x, y):
    """The mean of g▷y over what leaves x alone is y itself."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    x, y = torch.tensor(x).double(), torch.tensor(y).double()
    kept = [rho_out.act(g, y) for g in rho_in.group.elements() if torch.equal(rho_in.act(g, x), x)]
    return bool(torch.allclose(torch.stack(kept).mean(0), y))


RIGHT = {
    "07_review.situations": [model_by_table, model_in_words],
    "07_review.parameters": [parameters_by_layer, parameters_by_null_space],
    "07_review.powers": [powers_by_trial, powers_by_cases],
    "07_review.possible": [possible_by_orbit, possible_by_average],
}


def test_every_name_is_one_of_the_registry():
    for name in sheet.ACTIONS:
        assert name == sheet.NO_SYMMETRY or named_representation(name).dim


def test_each_situation_has_its_own_answer_in_the_list():
    for letter in sheet.SITUATIONS:
        assert set(sheet.model(letter)) <= set(sheet.ACTIONS)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["S_3 permutes 3 numbers", "Z_2 leaves a number alone"], "one group acts on both sides"),
        (["no symmetry", "S_3 leaves a number alone"], "both are"),
        (["S_3", "S_3"], "two names from ACTIONS"),
        ("no symmetry", "two names from ACTIONS"),
    ],
)
def test_answers_of_another_form(wrong, words):
    result = verdict("07_review.situations", lambda letter: wrong)
    assert result.status == "not yet"
    assert words in result.message


def test_only_a_count_is_told():
    result = verdict("07_review.situations", lambda letter: sheet.model("A" if letter == "B" else letter))
    assert "Right: 10 of 11" in result.message
    assert "B" not in result.message.split(".", 1)[1]


@pytest.mark.parametrize("answer", [False, None, 1, math.nan])
def test_one_answer_for_all_does_not_pass(answer):
    for task, hidden in itertools.product(("07_review.possible", "07_review.parameters", "07_review.powers"), (0, 1)):
        assert verdict(task, lambda *args: answer, bool(hidden)).status == "not yet"


def orbit_size(name, x):
    rho = named_representation(name)
    x = torch.tensor(x, dtype=torch.float64)
    return len({tuple(rho.act(g, x).tolist()) for g in rho.group.elements()})


@pytest.mark.parametrize(
    "wrong",
    [
        lambda one, other, x, y: orbit_size(other, y) <= orbit_size(one, x),
        lambda one, other, x, y: orbit_size(one, x) % orbit_size(other, y) == 0,
    ],
    ids=["not larger", "divides"],
)
def test_comparing_the_sizes_of_symmetries_is_not_enough(wrong):
    assert verdict("07_review.possible", wrong).status == "not yet"
