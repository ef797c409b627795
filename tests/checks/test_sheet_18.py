"""Other right answers for the tasks of sheet 18, and what is particular to its checks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.checks import verdict
from eqcourse.groups import SO, CyclicGroup, O
from eqcourse.nn import AtEachPixel, GroupConv, LiftingConv, Pointwise, harmonic, kernel_basis
from eqcourse.tasks import sheet_18

C4 = CyclicGroup(4)


def lift_by_numpy(w):
    return np.stack([np.rot90(np.array(w), g) for g in range(4)])


def lift_by_library(w):
    layer = LiftingConv(C4, 1, 1, len(w), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(w))
        return layer.kernel()[0, :, 0, 0]


def group_kernel_by_library(w):
    layer = GroupConv(C4, 1, 1, len(w[0]), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(w))
        return layer.kernel()[0, :, 0]


def group_kernel_by_numpy(w):
    """The kernels for one element follow from those of the element before."""
    rows = [np.array(w, dtype=np.float32)]
    for _ in range(3):
        rows.append(np.rot90(np.roll(rows[-1], 1, axis=0), axes=(-2, -1)))
    return np.stack(rows)


def kernels_by_solver(weights, x, ins, outs):
    x = np.array(x)
    rho_in, rho_out = sheet_18._field(ins, x.shape[-1]), C4.regular() if outs == "regular" else C4.trivial()
    space = intertwiners(rho_in.flatten(), rho_out.flatten())
    return np.einsum("n,noi,i->o", np.array(weights), space.basis.numpy(), x.ravel())


def kernels_by_library(weights, x, ins, outs):
    """Weights backwards and mixed; float32."""
    x = torch.tensor(x)
    fields = {"regular": C4.regular(), "trivial": C4.trivial()}
    basis = kernel_basis(fields[ins], fields[outs], x.shape[-1]).float()
    mixed = torch.tensor(weights).flip(0).cumsum(0)
    return torch.einsum("n,noihw,ihw->o", mixed, basis, x.reshape(-1, *x.shape[-2:]))


def network_by_library(x, w, v):
    first, second = LiftingConv(C4, 1, 1, len(w), bias=False), GroupConv(C4, 1, 1, len(v[0]), bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor(w))
        second.weight.copy_(torch.tensor(v))
        relu = AtEachPixel(Pointwise(torch.relu, C4.regular()))
        return second(relu(first(torch.tensor(x)[None, None, None])))[0, 0]


def network_by_turning_the_image(x, w, v):
    """The output for g: turn the image back by g, take the output for 0, turn it by g."""
    x, w, v = (np.array(part) for part in (x, w, v))

    def slide(image, kernel):
        padded = np.pad(image, 1)
        return sum(kernel[i, j] * padded[i : i + len(image), j : j + len(image)] for i in range(3) for j in range(3))

    def first(image):
        features = [np.maximum(slide(image, np.rot90(w, h)), 0) for h in range(4)]
        return sum(slide(f, k) for f, k in zip(features, v, strict=True))

    return [np.rot90(first(np.rot90(x, -g)), g).tolist() for g in range(4)]


def classify_with_other_witnesses(letter):
    if letter in "ABDFH":
        return ["yes", None]
    angle = {"C": 135, "E": 45, "G": 330, "I": 180, "J": 3.7}[letter]
    return ("no", (np.float32(angle), [(2, 1, 3)]))


def classify_by_search(letter):
    claimed = sheet_18.SETTINGS[letter][1]
    generator = np.random.default_rng(0)
    for step in range(1, 40):
        angle = step * (claimed or 7.3)
        dots = generator.normal(size=(2, 3)).tolist()
        if abs(sheet_18.respond(letter, dots) - sheet_18.respond(letter, sheet_18.turn_dots(dots, angle))) > 1e-3:
            return ["no", [angle, dots]]
    return ["yes", None]


def count_by_library(group, m, n, size):
    G = SO(2) if group == "SO(2)" else O(2)
    return torch.tensor(len(kernel_basis(harmonic(G, m), harmonic(G, n), size)))


def count_by_characters(group, m, n, size):
    """Solve for each frequency, and count the rings that carry it."""
    G = SO(2) if group == "SO(2)" else O(2)
    number = 0
    for frequency in range(size):
        solutions = intertwiner_dimension(harmonic(G, frequency) * harmonic(G, m), harmonic(G, n))
        number += solutions * (size // 2 + 1 - (frequency + 1) // 2)
    return float(number)


RIGHT = {
    "18.lift": [lift_by_numpy, lift_by_library],
    "18.group-kernel": [group_kernel_by_numpy, group_kernel_by_library],
    "18.kernels": [kernels_by_solver, kernels_by_library],
    "18.network": [network_by_library, network_by_turning_the_image],
    "18.angles": [classify_with_other_witnesses, classify_by_search],
    "18.count": [count_by_library, count_by_characters],
}

BOTH = pytest.mark.parametrize("hidden", [False, True])


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda weights, x, ins, outs: [0.0] * (1 if outs == "trivial" else 4),
        lambda weights, x, ins, outs: [1.0] * (1 if outs == "trivial" else 4),
        lambda weights, x, ins, outs: (weights * 4)[: 1 if outs == "trivial" else 4],
        lambda weights, x, ins, outs: sheet_18.forward(weights[:1] + [0.0] * (len(weights) - 1), x, ins, outs),
        lambda weights, x, ins, outs: sheet_18.forward([w * w for w in weights], x, ins, outs),
        lambda weights, x, ins, outs: [1.0, 2.0],
    ],
    ids=["zero", "constant", "weights", "one weight only", "squares", "too short"],
)
def test_lazy_layers(answer, hidden):
    result = verdict("18.kernels", answer, hidden)
    assert result.status == "not yet"
    assert result.misconception in (None, "the zero layer")


@BOTH
def test_dimensions_of_the_families(hidden):
    for family in sheet_18._families(hidden):
        assert family.dimension == family.weights


def only(*pairs, otherwise):
    """Right for these pairs of fields."""

    def answer(weights, x, ins, outs):
        given = sheet_18.forward if (ins, outs) in pairs else otherwise
        return given(weights, x, ins, outs)

    return answer


def own_copy_by_mirrors(weights, x, ins, outs):
    """Equal under mirrors too: 6 of 7 kernels on 5×5."""
    x = torch.tensor(x)
    middle = len(x) // 2
    i = (torch.arange(len(x)) - middle).abs()
    near, far = torch.minimum(i[:, None], i), torch.maximum(i[:, None], i)
    _, number = (near + far * (far + 1) // 2).unique(return_inverse=True)
    return [float((torch.tensor(weights)[number] * x).sum())]


def fixed_at_3(weights, x, ins, outs):
    table = [[0, 1, 0], [1, 2, 1], [0, 1, 0]]
    return [
        sum(weights[table[i][j]] * x[i][j] for i in range(3) for j in range(3)) if len(x) == 3 else 0.0,
    ]


@BOTH
@pytest.mark.parametrize(
    ("otherwise", "misconception", "said"),
    [
        (own_copy_by_mirrors, "mirror images share a weight too", "C_4 has no mirrors"),
        (fixed_at_3, None, "every weight gives the zero map"),
    ],
)
def test_from_number_to_number_at_more_than_one_size(otherwise, misconception, said, hidden):
    others = [("trivial", "regular"), ("regular", "trivial"), ("regular", "regular")]
    result = verdict("18.kernels", only(*others, otherwise=otherwise), hidden)
    assert (result.status, result.misconception) == ("not yet", misconception)
    assert said in result.message


def not_written(weights, x, ins, outs):
    raise NotImplementedError


def test_pairs_of_fields_are_judged_one_by_one():
    result = verdict("18.kernels", only(("trivial", "trivial"), otherwise=not_written))
    assert result.status == "not yet"
    assert result.message == (
        "Right: trivial → trivial on 3×3, trivial → trivial on 5×5.\n"
        "Not written yet: regular → regular on 1×1, trivial → regular on 3×3, regular → trivial on 3×3, regular → regular on 3×3."
    )
    clockwise = sheet_18._patterns(times=lambda g: -g)
    result = verdict("18.kernels", only(("trivial", "trivial"), ("regular", "regular"), otherwise=clockwise))
    assert (result.status, result.misconception) == ("not yet", None)  # half of the answer is right
    assert "Look at trivial → regular on 3×3, with 9 weights:" in result.message
    assert "Your kernels turn clockwise." in result.message
    result = verdict("18.kernels", lambda weights, x, ins, outs: [weights[7]])
    assert result.status == "error"
    assert "Look at trivial → trivial on 3×3, with 3 weights:" in result.message
    assert verdict("18.kernels", "no function").status == "not yet"


def test_long_lists_of_weights_are_not_printed():
    others = [("trivial", "trivial"), ("trivial", "regular"), ("regular", "trivial")]
    result = verdict("18.kernels", only(*others, otherwise=sheet_18._patterns(times=lambda g: -g)))
    assert "[36 weights: 1 at place 0, else 0]" in result.message


def test_pictures_are_compared_one_by_one():
    small = sheet_18._group_cases(False)[2][0]

    def one_wrong(w):
        kernel = sheet_18.group_kernel(w)
        kernel[2, 3] += w == small
        return kernel

    assert "output 2, input 3\n  gave     [[" in verdict("18.group-kernel", one_wrong).message
    assert "numbers of shape (4, 1, 3, 3); expected shape (4, 3, 3)" in (
        verdict("18.lift", lambda w: sheet_18.lift(w)[:, None]).message
    )
    assert "expected numbers of shape (4, 3, 3)" in verdict("18.lift", lambda w: [[1], [2, 3]]).message


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda x, w, v: [x] * 4,
        lambda x, w, v: 0,
        lambda x, w, v: [[[0.0] * len(x)] * len(x)] * 4,
        lambda x, w, v: sheet_18.network(x, w, v)[0],
        lambda x, w, v: sheet_18.network(x, w, v)[:, :-1, :-1],
        lambda x, w, v: sheet_18.network(x, w, v).roll(1, 0),
        lambda x, w, v: [sheet_18.network(x, w, v)[0].rot90(g) for g in range(4)],
        lambda x, w, v: sheet_18.network(x, w, v).float() + 0.01,
    ],
    ids=["identity", "zero", "zeros", "first only", "cut", "another label first", "one picture turned", "off"],
)
def test_lazy_networks(answer, hidden):
    assert verdict("18.network", answer, hidden).status == "not yet"


def test_a_network_that_knows_the_open_cases_only():
    known = sheet_18._network_cases(False)

    def special(x, w, v):
        return sheet_18.network(x, w, v) if (x, w, v) in known else [x] * 4

    assert verdict("18.network", special).status == "passed"
    assert verdict("18.network", special, hidden=True).status == "not yet"


@pytest.mark.parametrize(
    ("witness", "said"),
    [
        ([0, [[1, 0, 1]]], "by less than a millionth"),  # no turn
        ([30, [[1, 0, 1]]], "30° is not among the angles named for E, the multiples of 45°"),
        ([0.785, [[1, 0, 1]]], "0.785° is not among the angles"),  # radians
        ([45, []], "by less than a millionth"),
        ([45, [[0, 0, 1]]], "by less than a millionth"),  # the middle
        ([45, [[1, 0, 0]]], "by less than a millionth"),  # no light
        ([float("nan"), [[1, 0, 1]]], "up to a million"),
        ([45, [[1, 0, float("nan")]]], "up to a million"),
        ([45, [[float("inf"), 0, 1]]], "up to a million"),
        ([45, [[1e9, 0, 1]]], "up to a million"),
        ([True, [[1, 0, 1]]], "not made of numbers"),
        (["45", [[1, 0, 1]]], "not made of numbers"),
        ([45, [[1, 0]]], "not [angle, list of dots"),
        ([45, [1, 0, 1]], "not [angle, list of dots"),
        ([[[1, 0, 1]], 45], "not [angle, list of dots"),
        ([45], "not [angle, list of dots"),
        (None, "not [angle, list of dots"),
        ("45", "not [angle, list of dots"),
    ],
)
def test_false_witnesses(witness, said):
    def answer(letter):
        return ["no", witness] if letter == "E" else sheet_18.classify(letter)

    result = verdict("18.angles", answer)
    assert result.status == "not yet"
    assert said in result.message
    assert "Right: 9 of 10 (10 without the witnesses)." in result.message


@pytest.mark.parametrize(
    ("letter", "said"), [("G", "between two copies"), ("J", "between two copies"), ("I", "one dot")]
)
def test_one_missed_no_gets_an_idea_and_no_letter(letter, said):
    def answer(asked):
        return ["yes", None] if asked == letter else sheet_18.classify(asked)

    message = verdict("18.angles", answer).message
    assert said in message
    assert f'"{letter}"' not in message


def test_an_angle_that_is_not_named_is_said_before_the_paths_are_compared():
    answer = lambda letter: ["no", [45, [[1, 0, 1]]]] if letter == "B" else sheet_18.classify(letter)  # noqa: E731
    message = verdict("18.angles", answer).message
    assert "45° is not among the angles named for B, the multiples of 90°" in message


def test_every_yes_stands_and_every_no_is_shown():
    generator = np.random.default_rng(1)
    for letter, (_, claimed) in sheet_18.SETTINGS.items():
        word, witness = sheet_18.classify(letter)
        if word == "no":
            assert sheet_18._breaks(letter, *witness)
            continue
        for step in range(1, 20):
            angle = step * claimed if claimed else float(generator.uniform(0, 360))
            assert not sheet_18._breaks(letter, angle, generator.normal(size=(3, 3)).tolist())


def test_a_true_no_cannot_be_given_for_what_stays():
    answer = lambda letter: ["no", [90, [[1, 0, 1]]]] if letter == "D" else sheet_18.classify(letter)  # noqa: E731
    assert verdict("18.angles", answer).status == "not yet"


def test_the_misconception_of_the_curriculum_is_named():
    def believes(letter):
        return ["yes", None] if letter in "CE" else sheet_18.classify(letter)

    for hidden in (False, True):
        assert verdict("18.angles", believes, hidden).misconception == "a C_4 net handles 45°"


def test_counts_agree_with_the_library():
    for group, m, n, size in itertools.product(("SO(2)", "O(2)"), range(4), range(4), (1, 3, 5, 7)):
        assert sheet_18.count_kernels(group, m, n, size) == count_by_library(group, m, n, size)


def rings(group, m, n, size, half=2, frequency=abs):
    """Halved for O(2) everywhere, which is wrong from number to number; with other arguments, right or wrong otherwise."""
    frequencies = {frequency(n - m), n + m}
    per_wave = 1 if m == n == 0 else 2
    found = sum(per_wave for f in frequencies for radius in range(size // 2 + 1) if f <= 2 * radius)
    return found if group == "SO(2)" else found // half


def half_for_all(group, m, n, size):
    """Half of 3 is 1.5."""
    return count_by_library("SO(2)", m, n, size).item() / (1 if group == "SO(2)" else 2)


def no_absolute_value(group, m, n, size):
    return rings(group, m, n, size, half=1 if m == n == 0 else 2, frequency=int)


@BOTH
@pytest.mark.parametrize("wrong", [rings, half_for_all, no_absolute_value])
def test_wrong_counts_that_once_passed(wrong, hidden):
    assert verdict("18.count", wrong, hidden).status == "not yet"


def test_their_misconceptions():
    assert verdict("18.count", rings).misconception == "the mirror always strikes out half"
    assert verdict("18.count", no_absolute_value).misconception == "n − m with its sign"


def test_the_right_count_in_a_few_lines():
    assert verdict("18.count", lambda *args: rings(*args, half=1 if args[1:3] == (0, 0) else 2)).status == "passed"


@BOTH
@pytest.mark.parametrize("task", ["18.lift", "18.group-kernel", "18.network", "18.angles", "18.count"])
@pytest.mark.parametrize(
    "answer",
    [lambda *args: 0, lambda *args: [], lambda *args: args[0], lambda *args: "2", lambda *args: None],
    ids=["zero", "empty", "identity", "a word", "nothing"],
)
def test_lazy_answers(task, answer, hidden):
    assert verdict(task, answer, hidden).status == "not yet"
