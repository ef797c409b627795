"""Other right answers for the tasks of the review sheet after lesson 13, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from eqcourse import nn
from eqcourse.checks import verdict
from eqcourse.tasks import sheet_13_review as sheet

NUMBERS = {"A": 15, "B": 5, "C": 4, "D": 2, "E": 6, "F": 1, "G": 2, "H": 8, "I": 6, "J": 24}


def model_by_table(letter):
    """Positions in the list, and numbers by hand."""
    inputs = dict(zip("ABCDEFGHIJ", [1, 1, 3, 5, 11, 11, 9, 7, 14, 13], strict=True))
    outputs = dict(zip("ABCDEFGHIJ", [1, 0, 3, 6, 11, 12, 9, 7, 14, 13], strict=True))
    return sheet.CHOICES[inputs[letter]], sheet.CHOICES[outputs[letter]], NUMBERS[letter]


def model_by_layer(letter):
    on_input, on_output, _ = sheet.model(letter)
    if on_input == sheet.NO_SYMMETRY:
        return [on_input, on_output, 6]
    layer = nn.EquivariantLinear(sheet.action(on_input), sheet.action(on_output), bias=False)
    return [on_input, on_output, layer.weight.numel()]


def parameters_by_layer(in_name, out_name, in_channels, out_channels):
    if in_name == sheet.S100_PAIRS:  # 10⁸ entries: too large to build
        return [15 * in_channels * out_channels, 2 * out_channels]
    layer = nn.EquivariantLinear(sheet.action(in_name), sheet.action(out_name), in_channels, out_channels)
    return [layer.weight.numel(), layer.bias.numel()]


def parameters_by_null_space(in_name, out_name, in_channels, out_channels):
    """The equations of the generators, for W and for b."""
    if in_name == sheet.S100_PAIRS:
        return [sheet.bell(4) * in_channels * out_channels, sheet.bell(2) * out_channels]
    rho_in, rho_out = sheet.action(in_name), sheet.action(out_name)
    rows, biases = [], []
    for g in rho_in.group.generators:
        A, B = rho_in.matrix(g), rho_out.matrix(g)
        rows.append(torch.kron(A.T.contiguous(), torch.eye(len(B))) - torch.kron(torch.eye(len(A)), B))
        biases.append(B - torch.eye(len(B)))
    free = [m.shape[1] - int(torch.linalg.matrix_rank(m, tol=1e-8)) for m in (torch.cat(rows), torch.cat(biases))]
    return [free[0] * in_channels * out_channels, free[1] * out_channels]


def apart_by_sets(name, x, y):
    rho = sheet.action(name)
    x, y = torch.tensor(x), torch.tensor(y)
    orbits = [{tuple(rho.act(g, v).flatten().tolist()) for g in rho.group.elements()} for v in (x, y)]
    means = [[sum(column) / len(orbit) for column in zip(*sorted(orbit), strict=True)] for orbit in orbits]
    linear = any(not math.isclose(a, b, abs_tol=1e-9) for a, b in zip(*means, strict=True))
    return [linear, orbits[0] != orbits[1]]


def apart_by_functionals(name, x, y):
    """The rows of all invariant matrices with one row, tried on both; the smallest member of each orbit, compared."""
    rho = sheet.action(name)
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    rows = torch.stack([rho.matrix(g) for g in rho.group.elements()]).double().mean(0)
    smallest = [min(rho.act(g, v).flatten().tolist() for g in rho.group.elements()) for v in (x, y)]
    return [not torch.allclose(rows @ x.flatten(), rows @ y.flatten()), smallest[0] != smallest[1]]


def shifts_by_units(name, n):
    """Inputs by hand; the output is read off at the shifted places."""
    f = sheet.layer(name)
    x = torch.tensor([float((-1) ** i * (i * i + 1)) for i in range(n)])
    y = f(x).tolist()
    m = len(y)
    return [
        t
        for t in range(n)
        if (t * m) % n == 0
        and f(torch.tensor([x[(i - t) % n] for i in range(n)])).tolist() == [y[(i - t * m // n) % m] for i in range(m)]
    ]


def shifts_by_thought(name, n):
    steps = {
        "circular convolution": 1,
        "convolution, zeros beyond the ends": n,
        "circular convolution with stride 2": 2 if n % 2 == 0 else n,
        "sums of neighbours, with stride 3": 3,
        "ReLU": 1,
        "running total": n,
        "multiply by 1, 2, 3, 1, 2, 3, …": 3,
        "reverse the order": n // 2 if n % 2 == 0 else n,
    }
    return range(0, n, steps[name])


RIGHT = {
    "13_review.situations": [model_by_table, model_by_layer],
    "13_review.parameters": [parameters_by_layer, parameters_by_null_space],
    "13_review.told-apart": [apart_by_sets, apart_by_functionals],
    "13_review.shifts": [shifts_by_units, shifts_by_thought],
}


def test_every_name_is_an_action():
    for name in sheet.CHOICES:
        assert name == sheet.NO_SYMMETRY or sheet.action(name).dim
    for letter in sheet.SITUATIONS:
        assert set(sheet.model(letter)[:2]) <= set(sheet.CHOICES)
        assert sheet.model(letter)[2] == NUMBERS[letter]


def test_unknown_names_are_explained():
    with pytest.raises(KeyError, match="there are: S_4"):
        sheet.action("S_9")
    with pytest.raises(KeyError, match="there are: circular"):
        sheet.layer("pool")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["S_4 permutes 4 numbers", "C_6 leaves a number alone", 1], "one group acts on both sides"),
        (["no symmetry", "S_4 leaves a number alone", 1], "both are"),
        (["S_4", "S_4", 2], "two names from CHOICES"),
        (["no symmetry", "no symmetry"], "two names from CHOICES"),
        ("no symmetry", "two names from CHOICES"),
        (["no symmetry", "no symmetry", "6"], "number of weights"),
    ],
)
def test_answers_of_another_form(wrong, words):
    result = verdict("13_review.situations", lambda letter: wrong)
    assert result.status == "not yet"
    assert words in result.message


def test_only_a_count_is_told():
    result = verdict("13_review.situations", lambda letter: sheet.model("A" if letter == "B" else letter))
    assert "Right: 9 of 10" in result.message
    assert "B" not in result.message.split(".", 1)[1]


def test_right_actions_with_a_wrong_number():
    result = verdict("13_review.situations", lambda letter: [*sheet.model(letter)[:2], NUMBERS[letter] + 1])
    assert "the number of weights is not" in result.message


def test_tempting_groups_have_other_numbers():
    """Where somebody takes the wrong group, the number of weights is wrong too (but for one readout, which has one weight either way)."""
    task = next(t for t in sheet.TASKS if t.id == "13_review.situations")
    for held in task.misconceptions:
        for letter in sheet.SITUATIONS:
            answer, right = held.answer(letter), sheet.model(letter)
            assert answer == right or answer[2] != right[2] or letter == "F"


@pytest.mark.parametrize("answer", [False, True, None, 0, [0], [True, True], [False, True], [], math.nan], ids=str)
def test_one_answer_for_all_does_not_pass(answer):
    tasks = ("13_review.told-apart", "13_review.parameters", "13_review.shifts")
    for task, hidden in itertools.product(tasks, (False, True)):
        assert verdict(task, lambda *args: answer, hidden).status == "not yet"


def test_a_table_of_shifts_for_six_places_does_not_pass():
    known = {name: sheet.shifts(name, 6) for name in sheet.LAYERS}
    lookup = lambda name, n: known[name]  # noqa: E731
    assert verdict("13_review.shifts", lookup).status == "not yet"


def test_a_length_that_does_not_fit_is_explained():
    for name in ("sums of neighbours, with stride 3", "multiply by 1, 2, 3, 1, 2, 3, …"):
        with pytest.raises(ValueError, match="multiple of 3; got 7"):
            sheet.layer(name)(torch.ones(7))


def test_hints_do_not_point_at_a_situation():
    task = next(t for t in sheet.TASKS if t.id == "13_review.situations")
    told = " ".join(held.message for held in task.misconceptions).lower()
    things = (
        "pupil",
        "trust",
        "question",
        "fruit",
        "shop",
        "buoy",
        "canal",
        "card",
        "runner",
        "track",
        "o'clock",
        "cloth",
    )
    assert not [thing for thing in things if thing in told]


def test_even_shifts_for_everything_do_not_pass():
    for step, hidden in itertools.product((1, 2, 3), (False, True)):
        assert verdict("13_review.shifts", lambda name, n, s=step: list(range(0, n, s)), hidden).status == "not yet"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a, b, c, d: [sheet.parameters(a, b, c, d)[0], 0],  # no bias
        lambda a, b, c, d: [sheet.parameters(a, b, 1, 1)[0] * (c + d), sheet.parameters(a, b, c, d)[1]],
        lambda a, b, c, d: [sheet.parameters(a, b, c, d)[0], sheet.parameters(a, b, c, d)[1] * c],
        lambda a, b, c, d: sheet.parameters(a, b, c, d)[::-1],
    ],
)
def test_other_wrong_counts(wrong):
    assert verdict("13_review.parameters", wrong).status == "not yet"
    assert verdict("13_review.parameters", wrong, hidden=True).status == "not yet"
