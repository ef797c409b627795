"""Other right answers for the tasks of sheet 08, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from eqcourse.checks import find_task, verdict
from eqcourse.nn import SetLinear
from eqcourse.tasks import sheet_08


def weights_by_fit(W):
    """Least squares on I and 11ᵀ."""
    W = np.array(W, dtype=float)
    n = len(W)
    basis = np.stack([np.eye(n).ravel(), np.ones(n * n)], 1)
    return np.linalg.lstsq(basis, W.ravel(), rcond=None)[0]


def weights_by_action(W):
    """What W makes of [1, −1, 0, …] and of all ones."""
    W = torch.tensor(W, dtype=torch.float32)
    difference = torch.zeros(len(W))
    difference[0], difference[1] = 1, -1
    own = (W @ difference)[0]
    return own, ((W @ torch.ones(len(W)))[0] - own) / len(W)


def tied_by_search(n, permutations, pair):
    todo, found = [tuple(pair)], set()
    while todo:
        i, j = todo.pop()
        if (i, j) in found:
            continue
        found.add((i, j))
        todo += [(pi[i], pi[j]) for pi in permutations]
    return sorted(found)


def tied_by_group(n, permutations, pair):
    """All products first, then the orbit; with the inverses of the permutations."""
    group = {tuple(range(n))}
    while True:
        more = group | {tuple(np.argsort(pi)[list(g)]) for g in group for pi in permutations}
        if more == group:
            return sorted(
                [int(g[pair[0]]), int(g[pair[1]])] for g in {(g[pair[0]], g[pair[1]]): g for g in group}.values()
            )
        group = more


def layer_by_others(weights, x, c_out):
    """The orbit basis: each item's own values, and the sum over the *other* items; as a tensor."""
    x = torch.tensor(x, dtype=torch.float64)
    w = torch.tensor(weights, dtype=torch.float64).reshape(2, c_out, len(x))
    return w[0] @ x + w[1] @ (x.sum(1, keepdim=True) - x) + (w[1] @ x if x.shape[1] == 1 else 0)


def layer_by_library(weights, x, c_out):
    """The mean instead of the sum, in float32, weights placed otherwise."""
    layer = SetLinear(len(x), c_out, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights).reshape(c_out, len(x), 2))
        return layer(torch.tensor(x, dtype=torch.float32)[None])[0]


def layer_by_numpy(weights, x, c_out):
    x = np.array(x, dtype=float)
    a, b = np.array(weights, dtype=float).reshape(2, len(x), c_out)
    return np.einsum("ci,co->oi", x, a) + np.einsum("ci,co->o", x, b)[:, None]


def mask_by_tensors(x, mask, w_id, w_mean):
    x, mask = torch.tensor(x), torch.tensor(mask)
    real = x.masked_fill(~mask, 0.0)
    return (w_id * real + w_mean * real.sum() / mask.sum().clamp(min=1)).masked_fill(~mask, 0.0)


def mask_by_numpy(x, mask, w_id, w_mean):
    out = np.zeros(len(x))
    kept = np.array(x)[np.array(mask)]
    if len(kept):
        out[np.array(mask)] = w_id * kept + w_mean * kept.mean()
    return out


def answer_by_pairs(kind, x, y, other):
    if kind == "verdict":
        return y if sorted(x) == sorted(other) else "anything"
    if len(y) != len(x):
        return "impossible"
    label = {}
    for item, own in zip(x, y, strict=True):
        if label.setdefault(item, own) != own:
            return "impossible"
    return tuple(label[item] for item in other) if sorted(x) == sorted(other) else "anything"


def answer_by_all_orders(kind, x, y, other):
    """Apply every permutation that makes ``other`` of x: all have to agree."""
    orders = list(itertools.permutations(range(len(x))))
    fixed = [p for p in orders if [x[i] for i in p] == x]
    if kind == "labels" and (len(x) != len(y) or any([y[i] for i in p] != y for p in fixed)):
        return "impossible"
    for p in orders:
        if [x[i] for i in p] == other:
            return y if kind == "verdict" else np.array(y)[list(p)]
    return "anything"


def enough_by_thought(letter):
    witnesses = {
        "B": ([20], [20, 20]),
        "C": ([11], [6, 5]),
        "F": ([12, 0], [12, 12, 0, 0]),
        "H": ([11], [11, 11]),
        "I": ([2, 2], [1, 3]),
    }
    return ("no", witnesses[letter]) if letter in witnesses else ("yes", None)


def enough_by_search(letter):
    pool, judge = (
        table[name] for table, name in zip((sheet_08.POOLS, sheet_08.VERDICTS), sheet_08.SETTINGS[letter], strict=True)
    )
    bags = [list(bag) for n in (1, 2, 4) for bag in itertools.product([0, 4, 8, 12, 16], repeat=n)]
    seen = {}
    for bag in bags:
        other = seen.setdefault(str(pool(bag)), bag)
        if judge(other) != judge(bag):
            return ["no", [bag, other]]
    return ["yes", None]


RIGHT = {
    "08.two-weights": [weights_by_fit, weights_by_action],
    "08.tied": [tied_by_search, tied_by_group],
    "08.layer": [layer_by_others, layer_by_library, layer_by_numpy],
    "08.mask": [mask_by_tensors, mask_by_numpy],
    "08.answer-for": [answer_by_pairs, answer_by_all_orders],
    "08.enough": [enough_by_thought, enough_by_search],
}


def mask_by_products(x, mask, w_id, w_mean):
    """Infinity times 0 is no number."""
    x, mask = np.array(x), np.array(mask, dtype=float)
    with np.errstate(invalid="ignore"):
        mean = (x * mask).sum() / max(mask.sum(), 1)
        return (w_id * x + w_mean * mean) * mask


def mask_with_a_whole_mean(x, mask, w_id, w_mean):
    real = [value for value, keep in zip(x, mask, strict=True) if keep]
    mean = sum(real) // len(real) if real else 0
    return [w_id * value + w_mean * mean if keep else 0 for value, keep in zip(x, mask, strict=True)]


def answer_by_sum_and_length(kind, x, y, other):
    if kind == "verdict":
        return y if (sum(x), len(x)) == (sum(other), len(other)) else "anything"
    return sheet_08.answer_for(kind, x, y, other)


def answer_of_any_length(kind, x, y, other):
    if kind == "labels" and len(y) != len(x):
        return "anything"
    return sheet_08.answer_for(kind, x, y, other)


def fails(task, answer):
    """Not passed on open and on hidden cases; the open verdict."""
    for hidden in (True, False):
        result = verdict(task, answer, hidden)
        assert result.status in ("not yet", "error"), result
    return result


def test_the_orbits_of_all_permutations_are_the_two_colours():
    for n in (2, 3, 5):
        generators = [[1, 0, *range(2, n)], [*range(1, n), 0]]
        for pair in ([0, 0], [0, 1]):
            assert sheet_08.tied()(n, generators, pair) == sheet_08._two_colours(n, generators, pair)


def test_a_zero_layer_an_identity_layer_and_a_missing_diagram_have_their_own_messages():
    told = {
        fails("08.layer", answer).message.splitlines()[-1]
        for answer in (
            lambda w, x, c_out: [[0.0] * len(x[0]) for _ in range(c_out)],
            sheet_08.layer(sheet_08._own_only),
            sheet_08.layer(sheet_08._sum_only),
            sheet_08.layer(sheet_08._no_mixing),
        )
    }
    assert len(told) == 4


@pytest.mark.parametrize(
    "answer",
    [
        lambda w, x, c_out: x,  # does not depend on the weights
        lambda w, x, c_out: [[w[0]] * len(x[0]) for _ in range(c_out)],  # does not depend on x
        lambda w, x, c_out: [[w[0] * v + w[1] * max(x[0]) for v in x[0]] for _ in range(c_out)],  # not linear
        lambda w, x, c_out: [[w[0] * x[0][0]] * len(x[0]) for _ in range(c_out)],  # the first item
        lambda w, x, c_out: [[math.nan] * len(x[0]) for _ in range(c_out)],
        lambda w, x, c_out: [[math.inf] * len(x[0]) for _ in range(c_out)],
        lambda w, x, c_out: sheet_08.set_layer(w, x, c_out)[0],  # one channel
        lambda w, x, c_out: "zero",
        lambda w, x, c_out: [[a + 1 for a in row] for row in sheet_08.set_layer(w, x, c_out)],  # with a bias
        # adds up six items at most
        lambda w, x, c_out: sheet_08.layer(
            lambda w, o, c, i, j, n, c_in: w[o * c_in + c] * (i == j) + w[len(w) // 2 + o * c_in + c] * (j < 6)
        )(w, x, c_out),
        lambda w, x, c_out: sheet_08.set_layer([abs(a) for a in w], x, c_out),  # not linear in the weights
    ],
)
def test_other_wrong_layers_do_not_pass(answer):
    fails("08.layer", answer)


def test_a_layer_for_the_open_sizes_only_does_not_pass():
    def answer(w, x, c_out):
        known = (len(x[0]), len(x), c_out) in [(3, 1, 1), (1, 1, 2), (3, 2, 2), (4, 2, 3), (9, 1, 1)]
        return sheet_08.set_layer(w, x, c_out) if known else [[0.0] * len(x[0]) for _ in range(c_out)]

    assert verdict("08.layer", answer).status == "passed"
    assert verdict("08.layer", answer, hidden=True).status == "not yet"


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("08.two-weights", lambda W: [0, 0]),
        ("08.two-weights", lambda W: W[0][:2]),
        ("08.two-weights", lambda W: W[0][0] - W[0][1]),
        ("08.two-weights", lambda W: [math.nan, W[0][1]]),
        ("08.two-weights", lambda W: [abs(W[0][0] - W[0][1]), W[0][1]]),
        ("08.tied", lambda n, permutations, pair: []),
        ("08.tied", lambda n, permutations, pair: [pair]),
        ("08.tied", lambda n, permutations, pair: list(itertools.product(range(n), range(n)))),
        ("08.tied", lambda *args: sheet_08.tied()(*args)[::-1]),
        ("08.tied", lambda *args: sheet_08.tied()(*args) * 2),
        ("08.tied", lambda *args: [[float(i), float(j)] for i, j in sheet_08.tied()(*args)]),
        ("08.tied", lambda n, permutations, pair: "diagonal"),
        ("08.mask", lambda x, mask, w_id, w_mean: x),
        ("08.mask", lambda x, mask, w_id, w_mean: [0.0] * len(x)),
        ("08.mask", lambda *args: sheet_08.masked_layer(*args)[:1]),
        ("08.mask", lambda *args: [v for v, keep in zip(sheet_08.masked_layer(*args), args[1], strict=True) if keep]),
        (
            "08.mask",
            lambda x, mask, a, b: [
                a * v + b * sum(v for v, m in zip(x, mask, strict=True) if m) / sum(mask) for v in x
            ],
        ),
        ("08.mask", lambda *args: [abs(v) for v in sheet_08.masked_layer(*args)]),
        ("08.mask", mask_by_products),
        ("08.mask", mask_with_a_whole_mean),
        ("08.answer-for", answer_by_sum_and_length),
        ("08.answer-for", answer_of_any_length),
        ("08.answer-for", lambda kind, x, y, other: y),
        ("08.answer-for", lambda kind, x, y, other: "anything"),
        ("08.answer-for", lambda kind, x, y, other: "impossible"),
        ("08.answer-for", lambda kind, x, y, other: sorted(y) if kind == "labels" else y),
        ("08.enough", lambda letter: ["yes", None]),
        ("08.enough", lambda letter: ["no", [[1], [2]]]),
        ("08.enough", lambda letter: "yes"),
        ("08.enough", lambda letter: None),
    ],
)
def test_other_wrong_answers_do_not_pass(task, answer):
    fails(task, answer)


@pytest.mark.parametrize(
    ("witness", "says"),
    [
        ([[], [1]], "is no bag"),
        ([[21], [20]], "is no bag"),
        ([[math.nan], [1]], "is no bag"),
        ([[True], [1]], "is no bag"),
        ([[10], [10 + 1e-12]], "whole numbers"),
        ([20, 20], "is no bag"),
        ([[20], [19]], "can tell them apart"),
        ([[20], [20]], "the same verdict"),
        ([[20]], "not a pair"),
        (None, "not a pair"),
    ],
)
def test_false_witnesses_are_not_taken(witness, says):
    def answer(letter):
        return ["no", witness] if letter == "B" else sheet_08.enough(letter)

    result = verdict("08.enough", answer)
    assert result.status == "not yet"
    assert "Right: 9 of 10" in result.message
    assert says in result.message


def test_a_mutated_input_is_reported():
    def answer(x, mask, w_id, w_mean):
        right = sheet_08.masked_layer(x, mask, w_id, w_mean)
        x[0] = -1.0
        return right

    assert "changed its input" in verdict("08.mask", answer).message


def test_an_empty_bag_that_divides_by_zero_is_reported_with_its_line():
    def answer(x, mask, w_id, w_mean):
        mean = sum(v for v, keep in zip(x, mask, strict=True) if keep) / sum(mask)
        return [w_id * v + w_mean * mean if keep else 0 for v, keep in zip(x, mask, strict=True)]

    result = verdict("08.mask", answer)
    assert result.status == "error"
    assert "ZeroDivisionError" in result.message


def test_right_pairs_in_another_order_are_told_so():
    result = verdict("08.tied", lambda *args: sheet_08.tied()(*args)[::-1])
    assert "give them sorted" in result.message


def test_a_wrong_bag_of_labels_is_shown():
    result = verdict("08.answer-for", lambda kind, x, y, other: y)
    assert "expected [5, 5, 3, 3]" in result.message


@pytest.mark.parametrize(
    "colours", [[[0, 1, 1], [1, 0, 1], [1, 1, 0]], torch.tensor([[0, 1, 1], [1, 0, 1], [1, 1, 0]])]
)
def test_colours(colours):
    assert verdict("08.colours", colours).status == "passed"


def test_colours_of_other_groups_are_explained():
    told = {verdict("08.colours", wrong).message for wrong in find_task("08.colours").feedback}
    assert len(told) == len(find_task("08.colours").feedback)


@pytest.mark.parametrize("names", ["ab", (1, 0), (5, 7), (0.5, 2)])
def test_right_classes_under_other_names_are_told_so(names):
    same, rest = names
    colours = [[same if i == j else rest for j in range(3)] for i in range(3)]
    assert "Number them in order" in verdict("08.colours", colours).message


@pytest.mark.parametrize("colours", [0, [0, 1, 1], [[0, 1], [1, 0]], [[0, 1, 1], [1, 0, 1]], "two"])
def test_colours_of_another_form_are_told_so(colours):
    result = verdict("08.colours", colours)
    assert result.status == "not yet"
    assert "three rows of three" in result.message


def test_a_yes_with_a_witness_is_not_taken():
    def answer(letter):
        word, witness = sheet_08.enough(letter)
        return [word, witness or [[1], [1]]]

    result = verdict("08.enough", answer)
    assert result.status == "not yet"
    assert "a yes has no witness" in result.message


def test_a_missing_map_is_placed_in_words():
    message = fails("08.layer", sheet_08.layer(sheet_08._no_mixing)).message
    assert "channel, N = 1" in message
    assert "⊗" not in message
