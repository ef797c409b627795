"""Other right answers for the tasks of sheet 06, what is particular to its checks, and the stored study of lesson 06."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from eqcourse import datasets
from eqcourse.checks import find_task, named_representation, verdict
from eqcourse.equivariance import equivariance_error, group_average
from eqcourse.tasks import sheet_06

ROOMS = "S_3 permutes 3 numbers"


def copies_by_matrices(in_name, out_name, x, y):
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    return [(rho_in.matrix(g) @ x, rho_out.matrix(g) @ y) for g in rho_in.group.elements()]


def copies_in_another_order(in_name, out_name, x, y):
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    group = rho_in.group
    back = [group.inverse(g) for g in group.elements()]
    return [[rho_in.act(g, torch.tensor(x)).tolist(), rho_out.act(g, torch.tensor(y)).tolist()] for g in back[::-1]]


def residual_by_pairs(weights, in_name, out_name, inputs):
    """The largest difference of two answers that were brought back."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    found = []
    for x in inputs:
        answers = []
        for g in rho_in.group.elements():
            y = sheet_06.network(weights, rho_in.act(g, torch.tensor(x, dtype=torch.float64)))
            answers.append(rho_out.matrix(g).T @ y)
        found.append(max((a - b).abs().max().item() for a, b in itertools.product(answers, repeat=2)))
    return found


def residual_in_numpy(weights, in_name, out_name, inputs):
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    A, b, C = map(np.array, weights)
    found = []
    for x in inputs:
        answers = np.array(
            [
                rho_out.matrix(g).numpy().T @ C @ np.maximum(A @ rho_in.matrix(g).numpy() @ np.array(x) + b, 0)
                for g in rho_in.group.elements()
            ]
        )
        found.append(np.ptp(answers, axis=0).max())
    return np.array(found)


def runs_by_table(learner, group, n, examples, epochs):
    poses = math.prod(range(1, n + 1)) if group == "permutations" else n
    once = examples * epochs
    return {
        "plain": (once, 1),
        "random copy": (once, 1),
        "all copies": (once * poses, 1),
        "averaged": (once * poses, poses),
    }[learner]


def runs_by_loop(learner, group, n, examples, epochs):
    poses = n if group == "shifts" else math.factorial(n)
    training = 0
    for _ in range(epochs):
        training += examples * (poses if learner[:1] == "a" else 1)
    return [training, poses if learner == "averaged" else 1]


def fit_by_average_of_basis(in_name, out_name, x, y):
    """A basis of the averaged matrices, and least squares in it."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    rows, columns = rho_out.dim, rho_in.dim
    averaged = []
    for i, j in itertools.product(range(rows), range(columns)):
        E = torch.zeros(rows, columns, dtype=torch.float64)
        E[i, j] = 1
        terms = [rho_out.matrix(g) @ E @ rho_in.matrix(g).T for g in rho_in.group.elements()]
        averaged.append(torch.stack(terms).mean(0))
    basis = torch.stack(averaged)
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    columns_of_fit = torch.stack([(x @ B.T).flatten() for B in basis], dim=1)
    weights = torch.linalg.pinv(columns_of_fit) @ y.flatten()
    return torch.einsum("k,kij->ij", weights, basis)


def fit_by_copies_in_numpy(in_name, out_name, x, y):
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    elements = list(rho_in.group.elements())
    xs = np.concatenate([np.array(x) @ rho_in.matrix(g).numpy().T for g in elements])
    ys = np.concatenate([np.array(y) @ rho_out.matrix(g).numpy().T for g in elements])
    return np.linalg.lstsq(xs, ys, rcond=None)[0].T


def exact_by_the_library(letter):
    rho = named_representation(ROOMS)
    result = equivariance_error(sheet_06.trained(letter), rho, rho)
    if result.passed:
        return "yes", None
    return "no", (result.counterexample.element, result.counterexample.input)


def exact_by_thought(letter):
    return ["yes", None] if letter in "BEJ" else ["no", [[2, 1, 0], [1, 5, 20]]]


RIGHT = {
    "06.whole-orbit": [copies_by_matrices, copies_in_another_order],
    "06.residual": [residual_by_pairs, residual_in_numpy],
    "06.runs": [runs_by_table, runs_by_loop],
    "06.constrained-fit": [fit_by_average_of_basis, fit_by_copies_in_numpy],
    "06.exact": [exact_by_the_library, exact_by_thought],
}


def wrong(task, answer):
    for hidden in (False, True):
        result = verdict(task, answer, hidden)
        assert result.status in ("not yet", "error"), result
    return result


def test_the_networks_are_equivariant_on_the_orbit_of_their_training_input_only():
    for hidden in (False, True):
        for args in find_task("06.residual").cases(hidden):
            on, *off = sheet_06.residual()(*args)
            assert on < 0.02
            assert max(off) > 0.5
    assert any(sheet_06.residual()(*args)[0] > 0 for args in find_task("06.residual").cases(True))


@pytest.mark.parametrize(
    "answer",
    [
        lambda *args: [0.0, *residual_by_pairs(*args)[1:]],
        lambda *args: [float(round(error)) for error in residual_by_pairs(*args)],
        lambda *args: [round(error, 2) for error in residual_by_pairs(*args)],
    ],
)
def test_a_small_error_on_the_training_orbit_may_not_be_taken_for_zero(answer):
    assert verdict("06.residual", answer, True).status == "not yet"


@pytest.mark.parametrize("name", ["06.whole-orbit", "06.constrained-fit"])
def test_equal_copies_may_not_be_dropped(name):
    task = find_task(name)
    held = next(m for m in task.misconceptions if m.name.startswith("an orbit is a set"))
    for hidden in (False, True):
        assert "even if two are equal" in verdict(name, held.answer, hidden).message


def test_the_wrong_action_on_the_output_is_a_wrong_copy_and_no_exception():
    def answer(in_name, out_name, x, y):
        return copies_by_matrices(in_name, in_name, x, y)

    result = verdict("06.whole-orbit", answer)
    assert (result.status, result.misconception) == ("not yet", "the same action on both sides")


def test_one_pair_is_not_called_pairs():
    message = verdict("06.whole-orbit", lambda *args: copies_by_matrices(*args)[:1]).message
    assert "gave 1 pair;" in message


def test_trained_maps_take_lists():
    for letter in sheet_06.TRAININGS:
        x = [1, 2, 4]
        assert torch.equal(sheet_06.trained(letter)(x), sheet_06.trained(letter)(torch.tensor(x)))


def test_the_residual_error_belongs_to_the_orbit():
    for args in find_task("06.residual").cases(False):
        weights, in_name, out_name, inputs = args
        rho = named_representation(in_name)
        for g in rho.group.elements():
            moved = [rho.act(g, torch.tensor(x)).tolist() for x in inputs]
            assert sheet_06.residual()(weights, in_name, out_name, moved) == sheet_06.residual()(*args)


@pytest.mark.parametrize(
    "answer",
    [
        lambda weights, a, b, inputs: [0.0] * len(inputs),
        lambda weights, a, b, inputs: residual_by_pairs(weights, a, b, inputs)[:1],
        lambda weights, a, b, inputs: [r / 2 for r in residual_by_pairs(weights, a, b, inputs)],
        lambda weights, a, b, inputs: max(residual_by_pairs(weights, a, b, inputs)),
    ],
)
def test_other_wrong_residuals_do_not_pass(answer):
    wrong("06.residual", answer)


def test_inputs_may_not_be_changed():
    def answer(weights, in_name, out_name, inputs):
        found = residual_by_pairs(weights, in_name, out_name, inputs)
        inputs.reverse()
        return found

    assert "changed its input" in wrong("06.residual", answer).message


@pytest.mark.parametrize(
    "answer",
    [
        lambda *args: [1, 1],
        lambda *args: runs_by_table(*args)[0],
        lambda *args: runs_by_table(*args)[::-1],
        lambda learner, group, n, examples, epochs: runs_by_table("averaged", group, n, examples, epochs),
    ],
)
def test_other_wrong_counts_do_not_pass(answer):
    wrong("06.runs", answer)


def test_an_equivariant_matrix_that_is_not_the_best_is_told_so():
    def zero(in_name, out_name, x, y):
        return [[0] * len(x[0]) for _ in y[0]]

    assert "another equivariant W" in wrong("06.constrained-fit", zero).message


def test_a_matrix_that_is_not_equivariant_is_shown_an_element():
    def rounded(in_name, out_name, x, y):
        W = fit_by_copies_in_numpy(in_name, out_name, x, y)
        W[0, 0] += 0.001
        return W

    assert "not equivariant" in wrong("06.constrained-fit", rounded).message


def test_a_transposed_fit_does_not_pass():
    wrong("06.constrained-fit", lambda *args: fit_by_copies_in_numpy(*args).T)


def test_copies_and_constraint_give_the_same_fit_on_random_data():
    for seed, name in itertools.product(range(5), (ROOMS, "C_4 shifts 4 numbers", "Z_2 reverses 3 numbers")):
        size = named_representation(name).dim
        source = torch.Generator().manual_seed(seed)
        x, y = torch.randn(2, 6, size, dtype=torch.float64, generator=source).tolist()
        by_copies = torch.from_numpy(fit_by_copies_in_numpy(name, name, x, y))
        assert torch.allclose(by_copies, fit_by_average_of_basis(name, name, x, y), atol=1e-10)


@pytest.mark.parametrize("letter", sheet_06.TRAININGS)
def test_what_is_called_exact_is_so_by_far(letter):
    """No training lies near the line between exact and not: rounding elsewhere changes no verdict."""
    rho = named_representation(ROOMS)
    size = float(equivariance_error(sheet_06.trained(letter), rho, rho))
    assert size < 1e-12 if letter in "BEJ" else size > 1e-6


def test_a_witness_has_to_hold():
    def answer(letter):
        right = exact_by_thought(letter)
        return ["no", [[0, 1, 2], [1, 5, 20]]] if right[0] == "no" else right

    assert "the two paths agree up to rounding" in wrong("06.exact", answer).message
    assert "Right: 3 of 10" in wrong("06.exact", answer).message


@pytest.mark.parametrize(
    "witness", [None, 3, [[0, 0, 0], [1, 2, 3]], [[1, 0, 2], [1, 2]], [[1, 0, 2], [1, 2, math.nan]]]
)
def test_a_broken_witness_is_not_taken(witness):
    wrong("06.exact", lambda letter: exact_by_thought(letter) if letter in "BEJ" else ["no", witness])


@pytest.mark.parametrize("word", ["yes", "no"])
def test_one_word_for_all_does_not_pass(word):
    wrong("06.exact", lambda letter: [word, None if word == "yes" else [[2, 1, 0], [1, 5, 20]]])


def test_averaging_an_averaged_map_changes_nothing():
    """Training J is what lesson 02's average gives."""
    rho = named_representation(ROOMS)
    f = sheet_06.trained("J")
    x = torch.tensor([1.0, 5.0, 20.0], dtype=torch.float64)
    assert torch.allclose(group_average(f, rho, rho)(x), f(x))


# ---- the stored study: what lesson 06 says about it in words ------------------------------------------------------------


def stored(learner, key="error", order="as it comes"):
    """The medians over the networks, by size."""
    study = datasets.augmentation_study()
    return {
        r["size"]: float(np.median(r[key])) for r in study["results"] if (r["learner"], r["order"]) == (learner, order)
    }


def test_the_study_is_complete():
    study = datasets.augmentation_study()
    assert len(study["results"]) == 2 * 4 * len(study["sizes"])
    assert study["parameters"] == {"plain": 369, "augmented": 369, "averaged": 369, "each alike": 249}
    for record in study["results"]:
        assert all(len(values) == 10 for values in record.values() if isinstance(values, list))


def test_with_few_fences_both_ways_are_several_times_better_than_plain():
    for other in ("augmented", "averaged", "each alike"):
        assert stored("plain")[10] > 3 * stored(other)[10]
    assert all(stored("augmented")[size] < stored("averaged")[size] for size in (10, 20))
    assert stored("plain")[40] < 1.2 * stored("augmented")[10]
    for size in (10, 20):  # the bands of the two overlap
        bands = {
            r["learner"]: (min(r["error"]), max(r["error"]))
            for r in datasets.augmentation_study()["results"]
            if (r["size"], r["order"]) == (size, "as it comes")
        }
        assert bands["averaged"][0] < bands["augmented"][1]
        assert bands["augmented"][0] < bands["averaged"][1]


def test_with_many_fences_augmentation_gains_nothing():
    for size in (320, 640, 1280):
        assert stored("plain")[size] < 1.2 * stored("augmented")[size]
        assert 1.6 < stored("plain")[size] / stored("averaged")[size] < 2.4
        assert stored("each alike")[size] > 1.2 * stored("plain")[size]


def test_in_a_fixed_order_plain_is_as_good_and_in_others_useless():
    plain, augmented = (stored(name, "error, longest first", "longest first")[1280] for name in ("plain", "augmented"))
    assert plain < 1.1 * augmented
    assert stored("plain", "error", "longest first")[1280] > 0.9


def test_residual_errors_on_and_off_the_training_orbits():
    for size in (40, 160, 640):
        on, far = (stored("augmented", f"residual, {place}")[size] for place in ("training", "far"))
        assert 0.005 < on < 0.02
        assert far > 5 * on
        assert all(stored(name, "residual, far")[size] < 1e-6 for name in ("averaged", "each alike"))
