"""The judging that sheets share: a family of maps has to be linear, equivariant and complete, however its weights are chosen."""

import math

import pytest
import torch

from eqcourse.checks import FunctionTask, Malformed, Misconception, Wrong
from eqcourse.groups import CyclicGroup, SymmetricGroup
from eqcourse.tasks.common import Family, FamilyTask, accept_yes_no, same_word


def on_sets(hidden):
    return [
        Family(SymmetricGroup(n).defining(), SymmetricGroup(n).defining(), 2) for n in ((5, 6) if hidden else (2, 3))
    ]


def layer(weights, x):
    return [weights[0] * entry + weights[1] * sum(x) for entry in x]


def identity(weights, x):
    return [weights[0] * entry for entry in x]


TASK = FamilyTask(
    id="00.family",
    reference=layer,
    families=on_sets,
    shown="Every one.",
    misconceptions=(Misconception("each entry alone", identity, "The others are missing."),),
)


@pytest.mark.parametrize(
    "other",
    [
        lambda w, x: torch.tensor(x) * (w[0] - w[1]) + w[1] * torch.tensor(x).mean(),
        lambda w, x: [(w[0] + w[1]) * e + 5 * w[1] * (sum(x) - e) for e in x],
        lambda w, x: (torch.tensor(w[0]) * torch.tensor(x) + 1e-3 * w[1] * sum(x)).numpy(),
    ],
)
def test_any_choice_of_weights_passes(other):
    for hidden in (False, True):
        result = TASK.judge(other, hidden)
        assert (result.status, result.message) == ("passed", "Every one. Dimensions reached: 2 of 2, 2 of 2.")


def test_zero_identity_and_too_few():
    zero = TASK.judge(lambda w, x: [0] * len(x), False)
    assert (zero.status, zero.misconception) == ("not yet", "the zero layer")
    assert "every weight gives the zero map" in zero.message
    found = TASK.judge(lambda w, x: [(w[0] + 3 * w[1]) * e for e in x], True)
    assert (found.status, found.misconception) == ("not yet", "each entry alone")
    assert "span 1 of 2 dimensions" in found.message
    assert "The others are missing." in found.message


def test_weights_that_are_multiplied_with_each_other_are_no_zero_layer():
    """Each weight alone gives zero, all together do not: the layer is not linear in its weights."""
    rho = CyclicGroup(3).regular()
    task = FamilyTask(id="00.c", families=lambda hidden: [Family(rho, rho, 3)])
    for product in (
        lambda w, x: [w[0] * w[1] * e for e in x],
        lambda w, x: [w[0] * x[i] * x[i - 1] for i in range(3)],
    ):
        found = task.judge(product, False)
        assert (found.status, found.misconception) == ("not yet", None)
        assert "linear in its weights" in found.message
        assert "forgets its input" not in found.message


def test_a_yes_has_no_witness():
    accept = accept_yes_no("classify", lambda letter, g, x: True, "Not every one is.")
    accept(("A",), ["yes", None], ["yes", None])
    accept(("A",), ["no", [1, [1]]], ["no", [1, [2]]])
    for right in (["yes", None], ["no", [1, [2]]]):
        with pytest.raises(Malformed, match="has no witness"):
            accept(("A",), ["yes", [1, [1]]], right)
    with pytest.raises(Wrong, match="Not every one is"):
        accept(("A",), ["yes", None], ["no", [1, [2]]])


def test_words_and_witnesses_are_counted_apart():
    def right(letter):
        return ["no", [1, [2]]] if letter == "A" else ["yes", None]

    task = FunctionTask(
        id="00.words",
        name="classify",
        reference=right,
        cases=lambda hidden: [("A",), ("B",), ("C",)],
        accept=accept_yes_no("classify", lambda letter, g, x: g != 0, "Not every one is."),
        same=same_word,
        count_only=True,
    )
    assert "Right: 2 of 3. Not every one" in task.judge(lambda letter: ["yes", None], False).message
    message = task.judge(lambda letter: ["no", [0, [2]]] if letter == "A" else right(letter), False).message
    assert message.startswith('Right: 2 of 3 (3 without the witnesses). classify("A")')


def test_a_map_that_is_not_equivariant_gets_the_first_counterexample():
    found = TASK.judge(lambda w, x: [w[0] * x[0] + w[1] * x[1], *x[1:]], False)
    assert found.status == "not yet"
    assert "is not the sum" in found.message  # the entries that no weight multiplies
    found = TASK.judge(lambda w, x: [w[0] * x[0] + w[1] * x[1], *(w[0] * e for e in x[1:])], False)
    assert "forward([0, 1], [1, 0]) = [0, 0]" in found.message
    assert "The two differ" in found.message


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda w, x: 3, "expected a list of 2 finite numbers"),
        (lambda w, x: [[1, 2]], "expected a list of 2 finite numbers"),
        (lambda w, x: [math.nan] * len(x), "expected a list of 2 finite numbers"),
        (lambda w, x: "ab", "expected a list of 2 finite numbers"),
        (lambda w, x: [w[0] * e * e for e in x], "is not the sum"),
        (lambda w, x: [w[0] * w[1] * e for e in x], "is not the sum"),
        (lambda w, x: [e + 1 for e in x], "is not the sum"),
    ],
)
def test_other_wrong_answers(wrong, said):
    result = TASK.judge(wrong, False)
    assert result.status == "not yet"
    assert said in result.message


@pytest.mark.parametrize("number", [1, -3])
def test_without_weights_nothing_is_left(number):
    """All weights zero: a layer that answers something else then is found, though each weight alone does what it should."""
    found = TASK.judge(lambda w, x: layer(w, x) if any(w) else [number] * len(x), False)
    assert (found.status, found.misconception) == ("not yet", None)
    assert f"forward([0, 0], [10, -20]) = [{number}, {number}]" in found.message
    assert "is not zero, though all weights are" in found.message


def test_stub_error_and_changed_input():
    def stub(weights, x):
        raise NotImplementedError

    def changes(weights, x):
        x[0] = 0.0
        return x

    assert TASK.judge(stub, False).status == "not attempted"
    assert TASK.judge(None, False).status == "not attempted"
    assert TASK.judge(lambda w, x: x[17], False).status == "error"
    assert "changed its input" in TASK.judge(changes, False).message


def test_arrays_and_sizes_after_x():
    """A family between arrays gets and gives nested lists; ``extra`` follows x."""
    N = 4
    rho = SymmetricGroup(N).defining()
    task = FamilyTask(
        id="00.rows",
        reference=lambda w, x, n: [
            w[0] * x[i][i] + w[1] * sum(x[i]) + w[2] * sum(x[j][i] for j in range(n)) for i in range(n)
        ],
        families=lambda hidden: [Family(rho**2, rho, 5, (N,))],
    )
    partial = task.judge(task.reference, False)
    assert "span 3 of 5 dimensions" in partial.message

    def whole(w, x, n):
        x = torch.tensor(x)
        return w[3] * x.sum() + w[4] * x.trace() + torch.tensor(task.reference(w, x.tolist(), n))

    assert task.judge(whole, False).message == "Dimensions reached: 5 of 5."


def test_circulants_need_every_shift():
    rho = CyclicGroup(5).regular()
    task = FamilyTask(id="00.c", families=lambda hidden: [Family(rho, rho, 5)])
    correlation = lambda w, x: [sum(w[k] * x[(i + k) % 5] for k in range(5)) for i in range(5)]  # noqa: E731
    assert task.judge(correlation, False).status == "passed"
    short = lambda w, x: [sum(w[k] * x[(i - k) % 5] for k in range(3)) for i in range(5)]  # noqa: E731
    assert "span 3 of 5" in task.judge(short, False).message
    padded = lambda w, x: [sum(w[k] * x[i - k] for k in range(5) if i >= k) for i in range(5)]  # noqa: E731
    assert "not equivariant" in task.judge(padded, False).message
