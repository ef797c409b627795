"""Other right answers for the tasks of sheet 12, and what is particular to its checks."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.checks import find_task, named_representation, verdict
from eqcourse.groups import MatrixGroup
from eqcourse.nn import InvariantPool
from eqcourse.representations import from_generators
from eqcourse.tasks import sheet_12


def walked_orbit(name, place):
    """As in the lesson."""
    rho = named_representation(name)
    numbers = torch.arange(rho.dim)
    reached = [place]
    for here in reached:
        for g in rho.group.generators:
            there = rho.act(g, numbers).tolist().index(here)
            if there not in reached:
                reached.append(there)
    return sorted(reached)


def orbit_by_elements(name, place):
    rho = named_representation(name)
    return sorted({int(rho.act(g, torch.eye(rho.dim)[place]).argmax()) for g in rho.group.elements()})


def pool_by_library(name, x, how):
    layer = InvariantPool(named_representation(name), how)
    return layer(torch.tensor(x, dtype=torch.float64)[None, None])[0, 0]


def pool_by_walking(name, x, how):
    places = sorted({tuple(walked_orbit(name, place)) for place in range(len(x))})
    pooled = [getattr(np, how)([x[i] for i in orbit]) for orbit in places]
    return np.array(pooled)


def count_by_library(name, elements, outputs):
    """The elements generate a group of matrices: the solver counts its invariants."""
    rho = named_representation(name)
    group = MatrixGroup(discrete=[rho.matrix(g) for g in elements])
    return intertwiner_dimension(group.defining(), group.trivial(outputs))


def count_by_averaging(name, elements, outputs):
    """The trace of the projection onto what the elements leave alone, by powers of a mean."""
    rho = named_representation(name)
    mean = torch.stack([torch.eye(rho.dim, dtype=torch.float64), *map(rho.matrix, elements)]).mean(0)
    return round(torch.linalg.matrix_power((mean + mean.T) / 2, 2**14).trace().item()) * outputs


def layer_by_solver(weights, x, name, outputs):
    rho = named_representation(name)
    W = intertwiners(rho, rho.group.trivial(outputs)).expand(torch.tensor(weights, dtype=torch.float64))
    return W @ torch.tensor(x, dtype=torch.float64)


def layer_in_another_basis(weights, x, name, outputs):
    """Weights mixed, in float32, as a numpy array."""
    pooled = np.asarray(pool_by_walking(name, x, "mean"), dtype=np.float32)
    W = np.array(weights, dtype=np.float32).reshape(len(pooled), outputs).T
    return np.cumsum(W @ pooled)


def classify_by_thought(letter):
    witnesses = {
        "C": [[1, 0, 0, 0], [0, 0, 0, 1]],
        "E": [[0, 0, 0, 0], [0, 0, 0, 0]],
        "F": [1, [1, 0, 0, 0]],
        "I": [[1, 0, 2, 3], [1, 2, 3, 4]],
        "J": [-1, [1, 1, 1]],
    }
    return ["no", witnesses[letter]] if letter in witnesses else ["yes", None]


def classify_with_tensors(letter):
    said, witness = classify_by_thought(letter)
    if witness is None:
        return said, None
    claim = sheet_12.statement(letter)[1]
    first = torch.tensor(witness[0], dtype=torch.float64) if claim == "linear" else witness[0]
    return said, (first, np.array(witness[1], dtype=float))


def power_spectrum(x):
    n = len(x)
    waves = [[cmath.exp(-2j * math.pi * k * i / n) for i in range(n)] for k in range(n)]
    return [abs(sum(w * v for w, v in zip(wave, x, strict=True))) ** 2 for wave in waves]


def smallest_shift(x):
    """A form that all shifts of a ring share."""
    return min(x[t:] + x[:t] for t in range(len(x)))


def spectrum_in_float32(x):
    return torch.fft.fft(torch.tensor(x, dtype=torch.float32)).abs()


def last_conflict(how, bags, labels):
    """Another pair, the other way round."""
    read = {"sum": np.sum, "mean": np.mean, "max": np.max}[how]
    for i in reversed(range(len(bags))):
        for j in range(i):
            if labels[i] != labels[j] and np.isclose(read(bags[i]), read(bags[j])):
                return i, j
    return None


def conflict_by_dictionary(how, bags, labels):
    seen = {}
    for i, (bag, label) in enumerate(zip(bags, labels, strict=True)):
        value = float(getattr(torch.tensor(bag, dtype=torch.float64), how)())
        for j in seen.get(value, []):
            if labels[j] != label:
                return torch.tensor([j, i])
        seen.setdefault(value, []).append(i)
    return None


RIGHT = {
    "12.orbit": [walked_orbit, orbit_by_elements],
    "12.pool": [pool_by_library, pool_by_walking],
    "12.count": [count_by_library, count_by_averaging],
    "12.layer": [layer_by_solver, layer_in_another_basis],
    "12.classify": [classify_by_thought, classify_with_tensors],
    "12.invariants": [power_spectrum, smallest_shift, spectrum_in_float32],
    "12.readout": [last_conflict, conflict_by_dictionary],
}


def orbit_with_some_generators(some):
    def orbit(name, place):
        rho = named_representation(name)
        numbers = torch.arange(rho.dim)
        reached = [place]
        for here in reached:
            for g in rho.group.generators[some]:
                there = rho.act(g, numbers).tolist().index(here)
                if there not in reached:
                    reached.append(there)
        return sorted(reached)

    return orbit


FIRST, LATER = orbit_with_some_generators(slice(1)), orbit_with_some_generators(slice(-1, None))


def orbits_with(orbit, name, size):
    return sorted({tuple(orbit(name, place)) for place in range(size)})


@pytest.mark.parametrize("orbit", [FIRST, LATER], ids=["first", "last"])
def test_one_generator_is_not_enough(orbit):
    def pool(name, x, how):
        combine = {"sum": sum, "mean": lambda v: sum(v) / len(v), "max": max}[how]
        return [combine([x[i] for i in places]) for places in orbits_with(orbit, name, len(x))]

    def forward(weights, x, name, outputs):
        pooled = pool(name, x, "sum")
        return [
            sum(weights[(k * len(pooled) + i) % len(weights)] * p for i, p in enumerate(pooled)) for k in range(outputs)
        ]

    assert verdict("12.orbit", orbit).status == "not yet"
    assert verdict("12.pool", pool).status == "not yet"
    assert verdict("12.layer", forward).status == "not yet"


def test_walking_on_the_spot_ends():
    """The lesson's skeleton with the wrong place added stops with its message."""

    def orbit(name, place):
        rho = named_representation(name)
        numbers = torch.arange(rho.dim)
        reached = [place]
        for here in reached:
            assert len(reached) <= rho.dim, "a place was added twice"
            for g in rho.group.generators:
                there = rho.act(g, numbers).tolist().index(here)
                if there not in reached:
                    reached.append(here)
        return sorted(reached)

    result = verdict("12.orbit", orbit)
    assert result.status == "error"
    assert "a place was added twice" in result.message


@pytest.mark.parametrize("hidden", [False, True])
def test_integer_means_do_not_pass(hidden):
    def conflict(how, bags, labels):
        read = {"sum": sum, "mean": lambda v: sum(v) // len(v), "max": max}[how]
        return last_conflict_by(read, bags, labels)

    def pool(name, x, how):
        combine = {"sum": sum, "mean": lambda v: sum(v) // len(v), "max": max}[how]
        return [combine([x[i] for i in places]) for places in orbits_with(walked_orbit, name, len(x))]

    assert verdict("12.readout", conflict, hidden).status == "not yet"
    assert verdict("12.pool", pool, hidden).status == "not yet"


def last_conflict_by(read, bags, labels, pairs=None):
    everything = [(i, j) for j in range(len(bags)) for i in range(j)]
    for i, j in everything if pairs is None else pairs(everything):
        if labels[i] != labels[j] and abs(read(bags[i]) - read(bags[j])) < 1e-9:
            return [i, j]
    return None


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    "kept",
    [lambda i, j: j == i + 1, lambda i, j: i == 0, lambda i, j: j == i + 1 or i == 0],
    ids=["neighbours", "with the first", "both"],
)
def test_some_pairs_are_not_enough(kept, hidden):
    def conflict(how, bags, labels):
        read = {"sum": sum, "mean": lambda v: sum(v) / len(v), "max": max}[how]
        return last_conflict_by(read, bags, labels, lambda pairs: [p for p in pairs if kept(*p)])

    assert verdict("12.readout", conflict, hidden).status == "not yet"


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("wrong", [None, "last"])
def test_no_misconception_is_laid_to_other_mistakes(wrong, hidden):
    """Always None, and the last entry for the maximum."""

    def conflict(how, bags, labels):
        read = {"sum": sum, "mean": lambda v: sum(v) / len(v), "max": lambda v: v[-1]}[how]
        return last_conflict_by(read, bags, labels) if wrong else None

    result = verdict("12.readout", conflict, hidden)
    assert result.status == "not yet"
    assert result.misconception in ("", None)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        lambda weights, x, name, outputs: [0.0] * outputs,
        lambda weights, x, name, outputs: [1.0] * outputs,
        lambda weights, x, name, outputs: [math.nan] * outputs,
        lambda weights, x, name, outputs: [weights[0] * x[0]] * outputs,
        lambda weights, x, name, outputs: [weights[0] * max(x)] * outputs,
        lambda weights, x, name, outputs: [sum(x)] * outputs,
        lambda weights, x, name, outputs: sum(x),
        lambda weights, x, name, outputs: x,
        lambda weights, x, name, outputs: [w * sum(x) for w in weights],
    ],
    ids=["zero", "constant", "NaN", "first", "max", "no weights", "a number", "identity", "too many"],
)
def test_lazy_layers_do_not_pass(answer, hidden):
    assert verdict("12.layer", answer, hidden).status == "not yet"


def test_the_zero_layer_is_named():
    result = verdict("12.layer", lambda weights, x, name, outputs: [0.0] * outputs)
    assert result.misconception == "the zero layer"


def test_the_layer_says_how_many_dimensions_it_reached():
    assert "Dimensions reached: 1 of 1, 3 of 3, 4 of 4, 2 of 2." in verdict("12.layer", layer_by_solver).message
    assert "Dimensions reached: 3 of 3, 6 of 6, 2 of 2." in verdict("12.layer", layer_by_solver, hidden=True).message


def test_max_pooling_is_no_linear_layer():
    def forward(weights, x, name, outputs):
        pooled = sheet_12.pool(name, x, "max")
        return [sum(weights[k * len(pooled) + i] * p for i, p in enumerate(pooled)) for k in range(outputs)]

    result = verdict("12.layer", forward)
    assert result.status == "not yet"


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        lambda name, elements, outputs: 0,
        lambda name, elements, outputs: 1,
        lambda name, elements, outputs: math.inf,
        lambda name, elements, outputs: outputs * len(elements),
        lambda name, elements, outputs: sheet_12.count(name, elements[:1], outputs) + (len(elements) > 1),
        lambda name, elements, outputs: max(0, sheet_12._equations_added(name, elements, outputs)),
        lambda name, elements, outputs: (
            0 if "flip" in name or "turn" in name else sheet_12.count(name, elements, outputs)
        ),
    ],
)
def test_lazy_counts_do_not_pass(answer, hidden):
    assert verdict("12.count", answer, hidden).status == "not yet"


def test_counts_agree_with_the_solver():
    """For the listed elements, and for whole groups of named representations."""
    for hidden in (False, True):
        for args in find_task("12.count").cases(hidden):
            assert sheet_12.count(*args) == count_by_library(*args)
    half_turn = from_generators(named_representation(sheet_12.PAIR).group, indices=[[2, 3, 0, 1]])
    assert intertwiner_dimension(half_turn, half_turn.group.trivial()) == sheet_12.count(sheet_12.RING, [2], 1) == 2


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        lambda x: [0],
        lambda x: 7,
        lambda x: [],
        lambda x: [max(x)],
        lambda x: [x[0]],
        lambda x: x[::-1],
        lambda x: [math.nan],
        lambda x: [math.inf] * len(x),
        lambda x: "ring",
        lambda x: [sum(v**p for v in x) for p in range(1, 6)],
        lambda x: np.fft.fft(x),
        lambda x: hash(tuple(x)) % 1000,
    ],
)
def test_lazy_invariants_do_not_pass(answer, hidden):
    assert verdict("12.invariants", answer, hidden).status == "not yet"


@pytest.mark.parametrize("hidden", [False, True])
def test_looking_up_the_listed_rings_fails_on_others(hidden):
    """Each check has pairs that are not on the sheet."""
    listed = [moved for pair in sheet_12._pairs(False)[:3] for moved in sheet_12._shifts(pair[0])]
    assert verdict("12.invariants", lambda x: [float(x in listed)], hidden).status == "not yet"


@pytest.mark.parametrize("hidden", [False, True])
def test_products_of_neighbours_are_not_enough(hidden):
    def invariants(x):
        return [sum(x), sum(v * v for v in x), sheet_12.autocorrelation(x)[1]]

    assert verdict("12.invariants", invariants, hidden).status == "not yet"


def test_the_pairs_are_neither_shifts_nor_mirror_images():
    for hidden in (False, True):
        for x, y in sheet_12._pairs(hidden):
            assert y not in sheet_12._shifts(x)
            assert y[::-1] not in sheet_12._shifts(x)
            assert not sheet_12._equal(sheet_12.autocorrelation(x), sheet_12.autocorrelation(y))


def test_invariants_that_change_with_a_shift_get_a_counterexample():
    message = verdict("12.invariants", lambda x: [x[0]]).message
    assert "invariants([1, 1, 0, 0])" in message or "invariants([0, 1, 1, 0])" in message
    assert "shifted" in message


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        lambda how, bags, labels: None,
        lambda how, bags, labels: [0, 1],
        lambda how, bags, labels: [0, 0],
        lambda how, bags, labels: [len(bags) - 2, len(bags) - 1],
        lambda how, bags, labels: [math.nan, 1],
        lambda how, bags, labels: [0, 99],
        lambda how, bags, labels: [],
    ],
)
def test_lazy_conflicts_do_not_pass(answer, hidden):
    assert verdict("12.readout", answer, hidden).status == "not yet"


def test_a_missed_conflict_is_shown():
    message = verdict("12.readout", lambda how, bags, labels: None).message
    assert "the sum is the same for [1, 2] with the label" in message


@pytest.mark.parametrize(
    ("letter", "witness"),
    [
        ("C", [[1, 0, 0, 0], [1, 0, 0, 0]]),  # the two sides agree
        ("C", [[1, 0, 0], [0, 1, 0]]),  # too short
        ("C", [[math.nan, 0, 0, 0], [0, 1, 0, 0]]),
        ("E", [[1e308, 0, 0, 0], [1e308, 0, 0, 0]]),
        ("F", [2, [1, 0, 0, 0]]),
        ("F", ["1", [1, 0, 0, 0]]),
        ("I", [[1, 2, 3, 0], [1, 2, 3, 4]]),
        ("J", [1, [1, 1, 1]]),
        ("J", 5),
        ("J", None),
    ],
)
def test_false_witnesses_are_not_taken(letter, witness):
    result = verdict("12.classify", lambda a: ["no", witness] if a == letter else classify_by_thought(a))
    assert result.status == "not yet"
    assert "Right: 9 of 10" in result.message


def test_yes_to_everything_and_no_to_everything_do_not_pass():
    assert verdict("12.classify", lambda letter: ["yes", None]).status == "not yet"
    assert verdict("12.classify", lambda letter: ["no", [1, [1, 2, 3, 4]]]).status == "not yet"


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("12.count", "each of the N weights is free"),
        ("12.count", "a bigger group has more invariants"),
        ("12.layer", "each of the N weights is free"),
        ("12.classify", "max-pooling is linear"),
        ("12.classify", "a bigger group has more invariants"),
    ],
)
def test_what_the_curriculum_lists_is_named(task, name):
    assert name in [held.name for held in find_task(task).misconceptions]


def test_changing_the_input_is_reported():
    def invariants(x):
        x.sort()
        return x

    assert "changed its input" in verdict("12.invariants", invariants).message
