"""Other right answers for the tasks of sheet 01, and what is particular to its checks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from eqcourse.checks import verdict
from eqcourse.tasks import sheet_01


def numpy_compose(g, h):
    return np.array(g)[h], np.argsort(g)


def matrix_compose(g, h):
    matrices = [torch.eye(len(g))[:, p] for p in (g, h)]
    return (matrices[0] @ matrices[1]).argmax(0), matrices[0].argmax(1)


def torch_act(g, x):
    """On one list or on a batch of lists."""
    x = torch.tensor(x, dtype=torch.float64)
    moved = torch.empty_like(x)
    moved[..., g] = x
    return moved


def sorted_act(g, x):
    return [entry for _, entry in sorted(zip(g, x, strict=True))]


def matrix_act(g, batch):
    return np.array(batch) @ np.eye(len(g))[g]


def complex_turn(degrees, points):
    z = np.array([complex(x, y) for x, y in points])
    # Mirroring left and right is minus the conjugate.
    turned = np.exp(1j * math.radians(degrees)) * np.stack([z, -z.conj()])
    return np.stack([turned.real, turned.imag], axis=-1)


def matrix_turn(degrees, points):
    a = math.radians(degrees)
    rotation = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]], dtype=torch.float64)
    x = torch.tensor(points, dtype=torch.float64)
    return [x @ rotation.T, x @ torch.diag(torch.tensor([-1.0, 1.0]).double()) @ rotation.T]


def judge_by_search(name):
    """Looks for witnesses in another order and on another input than the reference."""
    move, x = sheet_01.candidate(name), [2.0, 7.0, 1.0]
    for g in reversed(sheet_01.S3):
        for h in reversed(sheet_01.S3):
            if not np.allclose(move(g, move(h, x)), move(sheet_01.compose(g, h), x)):
                return "composition", (g, h, x)
    return ("action", None) if move([0, 1, 2], x) == x else ("identity", x)


def judge_from_a_table(name):
    no = {"A": ["composition", [[1, 2, 0], [1, 0, 2], [1, 2, 3]]], "E": ["identity", [1, 2, 4]]}
    no["F"] = ["composition", [[1, 0, 2], [1, 0, 2], [0, 0, 0]]]
    return no.get(name[0], ["action", None])


RIGHT = {
    "01.compose": [numpy_compose, matrix_compose],
    "01.look-up": [torch_act, sorted_act, lambda g, x: [x[g.index(i)] for i in range(len(x))]],
    "01.act": [torch_act, matrix_act, lambda g, batch: [sorted_act(g, x) for x in batch]],
    "01.shift": [lambda t, x: np.roll(x, t), lambda t, x: [x[(i - t) % len(x)] for i in range(len(x))]],
    "01.turn": [complex_turn, matrix_turn],
    "01.impostors": [judge_by_search, judge_from_a_table],
}


def test_a_wrong_answer_is_shown_the_smallest_counterexample():
    message = verdict("01.look-up", lambda g, x: x).message
    assert message.splitlines() == [
        "look_up([1, 2, 0], [10, 20, 30])",
        "  gave     [10, 20, 30]",
        "  expected [30, 10, 20]",
    ]


def test_a_swap_cannot_show_the_wrong_convention():
    """Why the cases of 01.act hold a cycle: on swaps x[g] is right."""
    for swap in ([1, 0, 2], [2, 1, 0], [0, 2, 1]):
        assert [[10, 20, 30][i] for i in swap] == sheet_01.act(swap, [10, 20, 30])


def test_each_impostor_breaks_exactly_one_axiom():
    x = [10, 20, 30]
    for move, kind in sheet_01.CANDIDATES.values():
        keeps_identity = move([0, 1, 2], x) == x
        keeps_composition = all(
            move(g, move(h, x)) == move(sheet_01.compose(g, h), x) for g in sheet_01.S3 for h in sheet_01.S3
        )
        assert (
            kind
            == {(True, True): "action", (False, True): "identity", (True, False): "composition"}[
                keeps_identity, keeps_composition
            ]
        )


def test_one_impostor_survives_single_swaps():
    swaps = [[1, 0, 2], [2, 1, 0], [0, 2, 1]]
    survivors = [
        name
        for name, (move, kind) in sheet_01.CANDIDATES.items()
        if kind == "composition" and all(move(s, move(s, [10, 20, 30])) == [10, 20, 30] for s in swaps)
    ]
    assert [name[0] for name in survivors] == ["A"]


def test_a_false_witness_is_not_taken():
    def judge(name):
        word, witness = sheet_01.judge(name)
        # E breaks the identity, but not at an x that is its own mean.
        return [word, [5, 5, 5]] if name.startswith("E") else [word, witness]

    result = verdict("01.impostors", judge)
    assert result.status == "not yet"
    assert "Right: 5 of 6" in result.message


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_witness_of_nan_or_infinity_is_not_taken(number):
    """NaN is not even near itself, so that every map seems to change it."""
    for witness in (["identity", [number] * 3], ["composition", [[1, 0, 2], [1, 2, 0], [number, 1, 2]]]):
        result = verdict("01.impostors", lambda name, witness=witness: witness)
        assert result.status == "not yet"


def test_changing_the_input_is_reported():
    def shift_in_place(t, x):
        for _ in range(t % len(x)):
            x.insert(0, x.pop())
        return x

    result = verdict("01.shift", shift_in_place)
    assert result.status == "not yet"
    assert "changed its input" in result.message


def test_an_exception_is_shown_as_an_error():
    result = verdict("01.compose", lambda g, h: g[99])
    assert result.status == "error"
    assert "IndexError" in result.message


def test_an_answer_of_the_wrong_form_is_told_the_form():
    message = verdict("01.impostors", lambda name: "action").message
    assert message.startswith("judge(")  # and not with a count of right answers
    assert 'expected ["action", None]' in message
