"""Other right answers for the tasks of sheet 02, and what is particular to its checks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from eqcourse.checks import find_task, named_map, named_representation, verdict
from eqcourse.equivariance import equivariance_error, group_average
from eqcourse.tasks import sheet_02


def loop_difference(map_name, in_name, out_name, elements, inputs):
    f, rho_in, rho_out = named_map(map_name), named_representation(in_name), named_representation(out_name)
    worst = 0
    for g in elements:
        for x in inputs:
            x = torch.tensor(x, dtype=torch.float64)
            for a, b in zip(f(rho_in.act(g, x)), rho_out.act(g, f(x)), strict=True):
                worst = max(worst, abs(a - b))
    return worst


def matrix_difference(map_name, in_name, out_name, elements, inputs):
    """With explicit matrices, all inputs at once."""
    f, rho_in, rho_out = named_map(map_name), named_representation(in_name), named_representation(out_name)
    x = torch.tensor(inputs, dtype=torch.float64)
    sides = [(f(x @ rho_in.matrix(g).T), f(x) @ rho_out.matrix(g).T) for g in elements]
    return np.max([(a - b).abs().max() for a, b in sides])


def last_worst_place(map_name, in_name, out_name, elements, inputs):
    """The last place where the size is reached, as a tuple with tensors."""
    arguments = (map_name, in_name, out_name)
    size = loop_difference(*arguments, elements, inputs)
    places = [(g, x) for g in elements for x in inputs if loop_difference(*arguments, [g], [x]) == size]
    return size, torch.tensor(places[-1][0]), places[-1][1]


def first_worst_place(map_name, in_name, out_name, elements, inputs):
    pairs = list(itertools.product(elements, inputs))
    sizes = [float(matrix_difference(map_name, in_name, out_name, [g], [x])) for g, x in pairs]
    place = int(np.argmax(sizes))
    return [sizes[place], *pairs[place]]


def classify_with_the_library(letter):
    f, rho_in, rho_out = sheet_02.setting(letter)
    size = rho_in.dim
    inputs = [torch.tensor([3.0, -1.0, 4.0, -2.0][:size]), torch.tensor([1.0, 500.0, 2.0, 7.0][:size])]
    result = equivariance_error(f, rho_in, rho_out, inputs=inputs, elements="all")
    return ("yes", None) if result.passed else ("no", [result.counterexample.element, result.counterexample.input])


def classify_by_thought(letter):
    witnesses = {
        "A": [-1, [1.0, 1.0, 1.0]],
        "H": [[1, 0, 2, 3], [1, 2, 3, 4]],
        "I": [[1, 0, 2], [101, 1, 1]],
        "J": [[2, 1, 0], [1, 2, 4]],
    }
    return ["no", witnesses[letter]] if letter in witnesses else ["yes", None]


def last_that_fits(map_name, in_name, candidates):
    return [name for name in candidates if sheet_02.fits(map_name, in_name, name)][-1]


def output_action_by_library(map_name, in_name, candidates):
    f, rho_in = named_map(map_name), named_representation(in_name)
    for name in candidates:
        rho_out = named_representation(name)
        if rho_out.axes == tuple(f(torch.ones(rho_in.axes)).shape) and equivariance_error(f, rho_in, rho_out).passed:
            return name
    return None


def average_by_library(in_name, out_name, W):
    """Column by column, with the library's average of the map."""
    W = torch.tensor(W, dtype=torch.float64)
    f = group_average(lambda x: W @ x, named_representation(in_name), named_representation(out_name))
    return torch.stack([f(e) for e in torch.eye(W.shape[1], dtype=torch.float64)], dim=1)


def average_the_other_way_round(in_name, out_name, W):
    """The mean of ρ_out(g⁻¹) W ρ_in(g) runs over the same terms."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    total = 0
    for g in rho_in.group.elements():
        total = total + rho_out.matrix(rho_in.group.inverse(g)).numpy() @ np.array(W) @ rho_in.matrix(g).numpy()
    return total / rho_in.group.order


def tied_by_experiment(rep_name, x):
    """Average random functions of the place and all entries; outputs that always agree are tied."""
    rho = named_representation(rep_name)
    x = torch.tensor(x, dtype=torch.float64)
    outputs = []
    for seed in range(6):
        weights = torch.randn(len(x), len(x), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        outputs.append(group_average(lambda v, w=weights: torch.tanh(w @ v) + w @ v**2, rho, rho)(x))
    outputs = torch.stack(outputs)
    pairs = itertools.combinations(range(len(x)), 2)
    return [(i, j) for i, j in pairs if torch.allclose(outputs[:, i], outputs[:, j])]


def tied_by_matrices(rep_name, x):
    rho, x = named_representation(rep_name), np.array(x, dtype=float)
    matrices = [rho.matrix(g).numpy() for g in rho.group.elements()]
    joined = sum(m for m in matrices if np.array_equal(m @ x, x))
    return [[i, j] for i in range(len(x)) for j in range(i + 1, len(x)) if joined[i, j]]


RIGHT = {
    "02.largest-difference": [loop_difference, matrix_difference],
    "02.error": [last_worst_place, first_worst_place],
    "02.classify": [classify_with_the_library, classify_by_thought],
    "02.output-action": [last_that_fits, output_action_by_library],
    "02.average": [average_by_library, average_the_other_way_round],
    "02.ties": [tied_by_experiment, tied_by_matrices],
}


def test_the_first_generator_alone_misses_one_map():
    """Setting J survives the swap of the first two entries and fails for another element."""
    f, rho_in, rho_out = sheet_02.setting("J")
    swap = rho_in.group.generators[0]
    x = torch.tensor([10.0, 20.0, 30.0])
    assert torch.equal(f(rho_in.act(swap, x)), rho_out.act(swap, f(x)))
    assert not equivariance_error(f, rho_in, rho_out).passed


def test_small_inputs_miss_one_map():
    f, rho_in, rho_out = sheet_02.setting("I")
    small = [torch.randn(3, generator=torch.Generator().manual_seed(seed)) for seed in range(50)]
    assert equivariance_error(f, rho_in, rho_out, inputs=small).passed
    assert not equivariance_error(f, rho_in, rho_out, inputs=[torch.tensor([200.0, 3.0, 50.0])]).passed


def test_false_witnesses_are_not_taken():
    def classify(letter):
        right = sheet_02.classify(letter)
        return ["no", [[0, 1, 2], [1, 2, 3]]] if letter == "A" else right

    result = verdict("02.classify", classify)
    assert result.status == "not yet"
    assert "Right: 9 of 10" in result.message


def test_a_right_size_at_a_wrong_place_does_not_pass():
    def error(map_name, in_name, out_name, elements, inputs):
        size = loop_difference(map_name, in_name, out_name, elements, inputs)
        return [size, elements[0], inputs[0]]

    result = verdict("02.error", error)
    assert result.status == "not yet"
    assert "is not reached there" in result.message


def test_the_average_of_a_matrix_has_two_values():
    """What task 02.average shows in passing: one value on the diagonal, one off it, with W's trace and sum of entries."""
    S3 = "S_3 permutes 3 numbers"
    W = torch.tensor(find_task("02.average").reference(S3, S3, [[9, 0, 0], [0, 0, 12], [0, 0, 0]]))
    assert torch.allclose(W, torch.full((3, 3), 2.0).fill_diagonal_(3.0))


def sizes_by(rule):
    """An answer to 02.largest-difference from a rule for the size of one pair."""

    def answer(map_name, in_name, out_name, elements, inputs):
        f, rho_in, rho_out = named_map(map_name), named_representation(in_name), named_representation(out_name)
        return rule(f, rho_in, rho_out, elements, [torch.tensor(x, dtype=torch.float64) for x in inputs])

    return answer


def pair_size(f, rho_in, rho_out, g, x):
    return (f(rho_in.act(g, x)) - rho_out.act(g, f(x))).abs().max().item()


@pytest.mark.parametrize(
    "rule",
    [
        lambda f, a, b, gs, xs: max(abs((f(a.act(g, x)) - b.act(g, f(x)))[0]) for g in gs for x in xs),  # entry 0 only
        lambda f, a, b, gs, xs: max(pair_size(f, a, b, gs[-1], x) for x in xs),  # last element only
        lambda f, a, b, gs, xs: max(pair_size(f, a, b, g, xs[-1]) for g in gs),  # last input only
        lambda f, a, b, gs, xs: sum(pair_size(f, a, b, g, x) for g in gs for x in xs),  # a sum
        lambda f, a, b, gs, xs: max((f(a.act(g, x)) - b.act(g, f(x))).norm().item() for g in gs for x in xs),
    ],
)
def test_other_wrong_measures_do_not_pass(rule):
    for hidden in (False, True):
        assert verdict("02.largest-difference", sizes_by(rule), hidden).status == "not yet"


def test_a_measure_that_fits_equal_sizes_only_raises():
    def answer(map_name, in_name, out_name, elements, inputs):
        return loop_difference(map_name, in_name, in_name, elements, inputs)

    assert verdict("02.largest-difference", answer).status == "error"
