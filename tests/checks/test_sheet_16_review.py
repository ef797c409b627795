"""Other right answers for the tasks of the review sheet after lesson 16, and what is particular to its checks."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from eqcourse import intertwiner_dimension, nn
from eqcourse.checks import find_task, verdict
from eqcourse.groups import SO, O, PermutationGroup
from eqcourse.tasks import sheet_16_review as sheet

NUMBERS = {"A": 3, "B": 4, "C": 1, "D": 1, "E": 0, "F": 2, "G": 3, "H": 1, "I": 1, "J": 36}
GROUPS = {"SO(3)": SO(3), "O(3)": O(3)}


def model_by_table(letter):
    """Positions in the list, and numbers by hand."""
    inputs = dict(zip("ABCDEFGHIJ", [5, 6, 7, 0, 1, 12, 15, 20, 19, 21], strict=True))
    outputs = dict(zip("ABCDEFGHIJ", [5, 6, 9, 1, 2, 12, 15, 18, 16, 21], strict=True))
    return sheet.CHOICES[inputs[letter]], sheet.CHOICES[outputs[letter]], NUMBERS[letter]


def model_by_layer(letter):
    on_input, on_output, _ = sheet.model(letter)
    if on_input == sheet.NO_SYMMETRY:
        return [on_input, on_output, 36]
    layer = nn.EquivariantLinear(sheet.action(on_input), sheet.action(on_output), bias=False)
    return [on_input, on_output, layer.weight.numel()]


def parameters_by_schur(group, ins, outs, in_channels, out_channels):
    """Irreps and their types, without any matrix."""
    count = sheet.schur(sheet.split, lambda group: 1 if group == "O(2)" else 2)
    return count(group, ins, outs, in_channels, out_channels)


def parameters_by_characters(group, ins, outs, in_channels, out_channels):
    """Means of traces, over enough turns; for O(2) the mirrored elements are half of all, and a vector has trace 0 there."""
    n = int(group.removeprefix("C_")) if group.startswith("C_") else 60

    def trace(frequencies, t):
        return sum(2 * math.cos(2 * math.pi * k * t / n) if k else 1 for k in frequencies)

    def mean(one, other):
        turned = sum(trace(one, t) * trace(other, t) for t in range(n)) / n
        return round((turned + one.count(0) * other.count(0)) / 2 if group == "O(2)" else turned)

    return [mean(ins, outs) * in_channels * out_channels, mean([0], outs) * out_channels]


def parameters_by_layer(group, ins, outs, in_channels, out_channels):
    layer = nn.EquivariantLinear(sheet.turned(group, ins), sheet.turned(group, outs), in_channels, out_channels)
    return [layer.weight.numel(), 0 if layer.bias is None else layer.bias.numel()]


def generate(generators):
    elements = [tuple(range(len(generators[0])))]
    for g in elements:
        elements += {tuple(h[i] for i in g) for h in generators} - set(elements)
    return elements


def enough_by_orbits(whole, part, k):
    groups = [generate(whole), generate(part)]
    tuples = list(itertools.product(range(len(whole[0])), repeat=k))
    orbits = [{frozenset(tuple(g[i] for i in t) for g in group) for t in tuples} for group in groups]
    return [set(groups[0]) == set(groups[1]), len(orbits[0]) == len(orbits[1])]


def enough_by_burnside(whole, part, k):
    groups = [generate(whole), generate(part)]
    means = [sum(sum(i == j for i, j in enumerate(g)) ** k for g in group) / len(group) for group in groups]
    return len(groups[0]) == len(groups[1]), means[0] == means[1]


def possible_by_rank(group, kind, vectors, y):
    vectors, y = torch.tensor(vectors).double(), torch.tensor(y).double()
    rank = int(torch.linalg.matrix_rank(vectors))
    if rank == 3 or (rank == 2 and group == "SO(3)"):
        return True
    if group == "SO(3)" or kind == "R":
        return int(torch.linalg.matrix_rank(torch.vstack([vectors, y]))) == rank
    return not (vectors @ y).any() if rank == 2 else not y.any()


def possible_by_chance(group, kind, vectors, y):
    """Random elements that leave the inputs alone: rotations and mirrors of what lies across them."""
    vectors, y = torch.tensor(vectors).double(), torch.tensor(y).double()
    rank = int(torch.linalg.matrix_rank(vectors))
    across = torch.linalg.svd(vectors)[2][rank:].T
    if not across.shape[1]:
        return True
    for seed in range(8):
        small = O(across.shape[1]).sample(seed) if across.shape[1] > 1 else torch.tensor([[(-1.0) ** seed]]).double()
        R = torch.eye(3).double() + across @ (small - torch.eye(len(small)).double()) @ across.T
        sign = torch.linalg.det(R)
        if group == "SO(3)" and sign < 0:
            continue
        if not torch.allclose((sign if kind == "det(R) R" else 1) * R @ y, y, atol=1e-6):
            return False
    return True


RIGHT = {
    "16_review.situations": [model_by_table, model_by_layer],
    "16_review.frequencies": [parameters_by_schur, parameters_by_characters, parameters_by_layer],
    "16_review.enough": [enough_by_orbits, enough_by_burnside],
    "16_review.possible": [possible_by_rank, possible_by_chance],
}


def test_every_name_is_an_action():
    for name in sheet.CHOICES:
        assert name == sheet.NO_SYMMETRY or sheet.action(name).dim
    for letter in sheet.SITUATIONS:
        assert set(sheet.model(letter)[:2]) <= set(sheet.CHOICES)
        assert sheet.model(letter)[2] == NUMBERS[letter]


def test_unknown_names_are_explained():
    with pytest.raises(KeyError, match="there are: S_3"):
        sheet.action("S_9")


def test_what_the_situations_say():
    """The map of villages has no automorphism, the cup is no square, and Ohm's law is the one map from voltages to currents."""
    roads = {frozenset(edge) for edge in [(0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (2, 5)]}
    kept = [g for g in itertools.permutations(range(6)) if {frozenset(g[i] for i in edge) for edge in roads} == roads]
    assert kept == [tuple(range(6))]
    degrees = [sum(node in road for road in roads) for node in range(6)]
    assert [degrees[i] for i in (4, 2, 1, 5, 0, 3)] == degrees
    cup = {frozenset({0, 1}), frozenset({2, 3})}
    elements = generate([[1, 0, 2, 3], [2, 3, 0, 1]])
    assert len(elements) == 8
    assert all({frozenset(g[i] for i in pair) for pair in cup} == cup for g in elements)
    voltages, currents = (sheet.action(name) for name in sheet.model("D")[:2])
    ohm = torch.tensor([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]).double()
    for g in voltages.group.elements():
        assert torch.equal(ohm @ voltages.matrix(g), currents.matrix(g) @ ohm)


def test_two_cars():
    """The example of the first task: a swap that changes both signs."""
    swap = torch.tensor([[0.0, -1], [-1, 0]])
    assert torch.equal(torch.tensor([1.0, -1]) @ swap, torch.tensor([1.0, -1]))
    assert not torch.equal(torch.tensor([1.0, 1]) @ swap, torch.tensor([1.0, 1]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["S_3 permutes 3 numbers", "S_4 permutes 4 numbers", 1], "one group acts on both sides"),
        (["SO(3) turns a vector in space", "O(3) turns and mirrors a vector in space", 1], "one group acts on both"),
        (["no symmetry", "S_3 leaves a number alone", 1], "both are"),
        (["S_3", "S_3", 2], "two names from CHOICES"),
        (["no symmetry", "no symmetry"], "two names from CHOICES"),
        ("no symmetry", "two names from CHOICES"),
        (["no symmetry", "no symmetry", "36"], "number of weights"),
        (["S_3 permutes 3 numbers ", "S_3 leaves a number alone", 1], 'meant to be "S_3 permutes 3 numbers"'),
    ],
)
def test_answers_of_another_form(wrong, words):
    result = verdict("16_review.situations", lambda letter: wrong)
    assert result.status == "not yet"
    assert words in result.message


def test_only_a_count_is_told():
    result = verdict("16_review.situations", lambda letter: sheet.model("A" if letter == "B" else letter))
    assert "Right: 9 of 10" in result.message
    assert "B" not in result.message.split(".", 1)[1]


def test_right_actions_with_a_wrong_number():
    result = verdict("16_review.situations", lambda letter: [*sheet.model(letter)[:2], NUMBERS[letter] + 1])
    assert "the number of weights is not" in result.message


def test_one_slip_is_explained():
    """A misconception is named where it explains all that is wrong, one letter or several; not where something else is wrong too."""
    task = find_task("16_review.situations")
    for held in task.misconceptions:
        for slip in sheet.SITUATIONS:
            if held.answer(slip) != sheet.model(slip):
                one = verdict(
                    task.id, lambda letter, s=slip, h=held: (h.answer if letter == s else sheet.model)(letter)
                )
                assert one.misconception == held.name
                assert held.message in one.message


def test_two_mistakes_are_both_explained():
    """Also where something else is wrong that nothing explains."""
    two = {"F": [sheet.O2, sheet.O2, 1], "J": [sheet.SET_6, sheet.SET_6, 2]}
    for wrong, right in ((two, 8), (two | {"A": [sheet.SQUARE, sheet.SQUARE, 99]}, 7)):
        result = verdict("16_review.situations", lambda letter, w=wrong: w.get(letter, sheet.model(letter)))
        assert result.misconception == "mirrors are always allowed; every situation has a symmetry"
        assert f"Right: {right} of 10" in result.message
        assert "You allow a mirror" in result.message
        assert "One of the situations has no symmetry" in result.message
    result = verdict(
        "16_review.situations", lambda letter: [sheet.SQUARE] * 2 + [99] if letter == "A" else sheet.model(letter)
    )
    assert result.misconception is None


def test_tempting_actions_have_other_numbers():
    """Where somebody chooses wrong, the number of weights is wrong too, but for these."""
    same = [
        (held.name, letter)
        for held in find_task("16_review.situations").misconceptions
        for letter in sheet.SITUATIONS
        if held.answer(letter) != sheet.model(letter) and held.answer(letter)[2] == sheet.model(letter)[2]
    ]
    assert same == [
        ("four places are a square", "A"),
        ("the sign goes to the other side", "D"),
        ("input and output move alike", "C"),
        ("a reversed output lets mirrors in", "I"),
        ("continuous groups have no mirrors", "H"),
    ]


def test_three_cars_on_a_round_track():
    """When two of them meet depends on the largest difference; the mirror image changes signs, and a plain swap is no symmetry."""

    def fastest(v):
        return max(v[0] - v[1], v[1] - v[2], v[2] - v[0])

    v = torch.tensor([1.0, 5, -2])
    signed = sheet.action(sheet.SIGNED_3)
    assert all(fastest(signed.act(g, v)) == fastest(v) for g in signed.group.elements())
    assert fastest(v[[1, 0, 2]]) != fastest(v)


def test_symmetric_tables_have_fewer_weights():
    """The numbers that somebody finds who has only symmetric tables in mind."""
    two, three = O(2).trivial() + O(2).irrep(2), O(3).trivial() + O(3).irrep((2, 1))
    held = next(m for m in find_task("16_review.situations").misconceptions if m.name == "every table is symmetric")
    assert held.answer("G")[2] == intertwiner_dimension(two, two)
    assert held.answer("H")[2] == intertwiner_dimension(three, sheet.action(sheet.O3_REVERSED))
    turns = SO(3).trivial() + SO(3).irrep(2)
    assert held.answer("I")[2] == intertwiner_dimension(turns, SO(3).defining())


def test_hints_do_not_point_at_a_situation():
    told = " ".join(held.message for held in find_task("16_review.situations").misconceptions).lower()
    things = "cup player leg microphone tetrahedron wire current voltage track disc magnet rubber ball liquid drift village road"
    assert not [thing for thing in things.split() if thing in told]


def test_all_turns_have_the_frequencies_that_finite_groups_mix_up():
    """The parts that Schur's lemma counts are those that the library finds."""
    for n, k in itertools.product((2, 3, 4, 5, 6, 8), range(1, 12)):
        rho = sheet.turned(f"C_{n}", [k])
        parts = sheet.split(f"C_{n}", k)
        assert intertwiner_dimension(rho.group.trivial(), rho) == parts.count("stays")
        assert intertwiner_dimension(rho, rho) == (2 if len(parts) == 1 else 4)


def test_each_part_lies_in_its_whole():
    for hidden in (False, True):
        for whole, part, _ in find_task("16_review.enough").cases(hidden):
            group = PermutationGroup(whole)
            assert all(group.element(g).tolist() == g for g in part)


def test_cases_of_enough_have_all_answers():
    for hidden in (False, True):
        answers = [tuple(sheet.enough(*args)) for args in find_task("16_review.enough").cases(hidden)]
        assert {(True, True), (False, True), (False, False)} == set(answers)


def test_a_reason_is_an_element_of_the_group():
    """What a message shows leaves the inputs alone and moves y; and where nothing does, an equivariant map exists."""
    for hidden in (False, True):
        for group, kind, vectors, y in find_task("16_review.possible").cases(hidden):
            R = sheet._mover(group, kind, vectors, y)
            assert (R is None) == sheet.possible(group, kind, vectors, y)
            if R is not None:
                GROUPS[group].element(R)
                inputs, target = torch.tensor(vectors).double(), torch.tensor(y).double()
                assert torch.allclose(inputs @ R.T, inputs)
                sign = torch.linalg.det(R) if kind == "det(R) R" else 1
                assert not torch.allclose(sign * R @ target, target)


def test_a_wrong_yes_shows_what_moves_y():
    result = verdict("16_review.possible", lambda *args: True)
    assert "R = [[-1" in result.message or "R = [[1" in result.message
    assert "leaves the inputs alone, and R moves y" in result.message
    result = verdict("16_review.possible", lambda *args: False)
    assert "leaves y alone" in result.message


@pytest.mark.parametrize("answer", [False, True, None, 0, [0], [True, True], [False, True], [], math.nan], ids=str)
def test_one_answer_for_all_does_not_pass(answer):
    tasks = ("16_review.frequencies", "16_review.enough", "16_review.possible")
    for task, hidden in itertools.product(tasks, (False, True)):
        assert verdict(task, lambda *args: answer, hidden).status == "not yet"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda g, a, b, c, d: [sheet.parameters(g, a, b, 1, 1)[0] * (c + d), sheet.parameters(g, a, b, c, d)[1]],
        lambda g, a, b, c, d: [sheet.parameters(g, a, b, c, d)[0], sheet.parameters(g, a, b, c, d)[1] * c],
        lambda g, a, b, c, d: sheet.parameters("SO(2)", a, b, c, d),
        lambda g, a, b, c, d: sheet.parameters(g, sorted({*a}), sorted({*b}), c, d),  # each frequency once
    ],
)
def test_other_wrong_counts(wrong):
    assert verdict("16_review.frequencies", wrong).status == "not yet"
    assert verdict("16_review.frequencies", wrong, hidden=True).status == "not yet"


def _without_modulo(group, k):
    return [min(k, int(group[2:]) - k) or "stays"] if k and group[0] == "C" else [k or "stays"]


def _two_copies_for_c4_only(group, k):
    return sheet.split(group, k) if (group, k) == ("C_4", 2) else sheet._planes_stay_planes(group, k)


@pytest.mark.parametrize(
    "wrong",
    [
        sheet.schur(_without_modulo, lambda group: 1 if group == "O(2)" else 2),
        sheet.schur(_two_copies_for_c4_only, lambda group: 1 if group == "O(2)" else 2),
        lambda g, *rest: [sheet.parameters(g, *rest)[0], 0 if g == "O(2)" else sheet.parameters(g, *rest)[1]],
        lambda g, *rest: sheet.parameters(g[:2] + g[-1] if g[0] == "C" else g, *rest),  # C_12 read as C_2
    ],
)
def test_the_shown_cases_of_frequencies_refuse(wrong):
    assert verdict("16_review.frequencies", wrong).status == "not yet"


def closed_after_two(whole, part, k):
    """Products of two moves, and no longer ones."""
    sizes = [len({*map(tuple, m), *(tuple(g[i] for i in h) for g in m for h in m)}) for m in (whole, part)]
    return [sizes[0] == sizes[1], sheet.enough(whole, part, k)[1]]


@pytest.mark.parametrize(
    "wrong",
    [
        closed_after_two,
        lambda whole, part, k: sheet.enough(whole, part, max(k - 1, 1)),
        lambda whole, part, k: [sheet.enough(whole, part, k)[0], sheet.enough(whole, part, k + 1 if k < 4 else k)[1]],
    ],
)
def test_other_wrong_ideas_get_no_wrong_hint(wrong):
    for hidden in (False, True):
        result = verdict("16_review.enough", wrong, hidden)
        assert (result.status, result.misconception) == ("not yet", None)


@pytest.mark.parametrize("answer", [["yes", "no"], ["True", "False"], [True], [1, 2], True])
def test_enough_needs_two_truth_values(answer):
    assert "each True or False" in verdict("16_review.enough", lambda *args: answer).message


def test_shown_and_hidden_cases_differ():
    for task in ("16_review.frequencies", "16_review.enough", "16_review.possible"):
        shown, hidden = (find_task(task).cases(h) for h in (False, True))
        assert not [args for args in shown if args in hidden]


@pytest.mark.parametrize(
    ("allowed", "hidden"),
    [
        (lambda vectors, y: math.hypot(*y) <= sum(math.hypot(*v) for v in vectors), False),
        (lambda vectors, y: math.hypot(*y) >= sum(math.hypot(*v) for v in vectors), False),
        (lambda vectors, y: math.hypot(*y) <= 10, True),
        (lambda vectors, y: len(vectors) > 1 or sum(a * b for a, b in zip(vectors[0], y, strict=True)) >= 0, False),
    ],
)
def test_the_length_of_y_is_free(allowed, hidden):
    result = verdict("16_review.possible", lambda g, k, v, y: sheet.possible(g, k, v, y) and allowed(v, y), hidden)
    assert (result.status, result.misconception) == ("not yet", None)
