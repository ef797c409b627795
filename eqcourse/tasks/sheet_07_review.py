"""The mixed review sheet after lesson 07: which group, which actions, how many parameters?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, Wrong, named_representation, show
from ..solvers import intertwiner_dimension


def _vector(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


# ---- task 1: situations ---------------------------------------------------------------------------------------------

NO_SYMMETRY = "no symmetry"

#: letter -> what goes in and what comes out
SITUATIONS: dict[str, str] = {
    "A": "Three referees give marks, in no particular order. Wanted: the final mark.",
    "B": "Three referees give marks, in no particular order. Wanted: for each of them, how far off they are.",
    "C": "Four microphones stand in a ring. In: four volumes. Wanted: for each one, how much louder it is than its two neighbours.",
    "D": "Four microphones stand in a ring. In: four volumes. Wanted: how loud it is at the loudest pair of neighbours.",
    "E": "Temperatures at three even steps along a uniform rod, read from either end. Wanted: the three temperatures a minute later.",
    "F": "The same rod, read from either end. Wanted: the heat that flows from the end that is read first to the other one.",
    "G": "Three voltages of a circuit of resistors; exchanging all poles changes their signs. Wanted: the heat that the circuit gives off.",
    "H": "Three voltages of a circuit of resistors; exchanging all poles changes their signs. Wanted: the current in one wire.",
    "I": "The wind over the open sea, a vector in the plane. Wanted: the velocity of a drifting buoy.",
    "J": "The wind over the open sea, a vector in the plane. Wanted: the power of the wind.",
    "K": "A patient's temperature in the morning, at noon and in the evening. Wanted: the temperature tomorrow morning.",
}
#: The actions to choose from, on inputs and on outputs.
ACTIONS = [
    "S_3 permutes 3 numbers",
    "S_3 leaves a number alone",
    "S_4 permutes 4 numbers",
    "S_4 leaves a number alone",
    "C_4 shifts 4 numbers",
    "C_4 leaves a number alone",
    "Z_2 reverses 3 numbers",
    "Z_2 flips the sign of 3 numbers",
    "Z_2 flips the sign of a number",
    "Z_2 leaves a number alone",
    "SO(2) turns a vector",
    "SO(2) leaves a number alone",
    "SO(2) leaves 2 numbers alone",
    NO_SYMMETRY,
]

_RIGHT: dict[str, tuple[str, str]] = {
    "A": ("S_3 permutes 3 numbers", "S_3 leaves a number alone"),
    "B": ("S_3 permutes 3 numbers", "S_3 permutes 3 numbers"),
    "C": ("C_4 shifts 4 numbers", "C_4 shifts 4 numbers"),
    "D": ("C_4 shifts 4 numbers", "C_4 leaves a number alone"),
    "E": ("Z_2 reverses 3 numbers", "Z_2 reverses 3 numbers"),
    "F": ("Z_2 reverses 3 numbers", "Z_2 flips the sign of a number"),
    "G": ("Z_2 flips the sign of 3 numbers", "Z_2 leaves a number alone"),
    "H": ("Z_2 flips the sign of 3 numbers", "Z_2 flips the sign of a number"),
    "I": ("SO(2) turns a vector", "SO(2) turns a vector"),
    "J": ("SO(2) turns a vector", "SO(2) leaves a number alone"),
    "K": (NO_SYMMETRY, NO_SYMMETRY),
}


def model(letter: str, other: dict[str, tuple[str, str]] | None = None) -> list[str]:
    """The actions on input and output; ``other`` are the letters where a misconception answers otherwise."""
    return list({**_RIGHT, **(other or {})}[letter])


def _with(**other: tuple[str, str]) -> Callable[[str], list[str]]:
    return lambda letter: model(letter, other)


_ALONE = {letter: f"{_RIGHT[letter][0].split()[0]} leaves a number alone" for letter in "FH"}


def _accept_model(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    letter = args[0]
    if not isinstance(got, list) or len(got) != 2 or any(name not in ACTIONS for name in got):
        raise Malformed(f'model("{letter}") gave {show(got)}; expected two names from ACTIONS')
    if (NO_SYMMETRY in got) and got[0] != got[1]:
        raise Malformed(f'model("{letter}") gave {show(got)}; without a symmetry both are "{NO_SYMMETRY}"')
    if NO_SYMMETRY not in got and named_representation(got[0]).group != named_representation(got[1]).group:
        raise Malformed(f'model("{letter}") gave {show(got)}: one group acts on both sides')
    if got != expected:
        raise Wrong(
            "Ask of each situation what may change without changing what it means, and what the answer does then."
        )


# ---- task 2: count --------------------------------------------------------------------------------------------------

Count = Callable[[str, str], list[int]]


def parameters(in_name: str, out_name: str) -> list[int]:
    """The dimensions of the equivariant matrices and of the invariant vectors."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    return [intertwiner_dimension(rho_in, rho_out), intertwiner_dimension(rho_out.group.trivial(), rho_out)]


def _sizes(in_name: str, out_name: str) -> tuple[int, int]:
    return named_representation(in_name).dim, named_representation(out_name).dim


def _no_constraint(in_name: str, out_name: str) -> list[int]:
    rows, columns = _sizes(in_name, out_name)
    return [rows * columns, columns]


def _free_bias(in_name: str, out_name: str) -> list[int]:
    return [parameters(in_name, out_name)[0], _sizes(in_name, out_name)[1]]


def _one_bias(in_name: str, out_name: str) -> list[int]:
    return [parameters(in_name, out_name)[0], 1]


def _half(in_name: str, out_name: str) -> list[int]:
    rows, columns = _sizes(in_name, out_name)
    return [rows * columns // 2, parameters(in_name, out_name)[1]]


def _one_weight(in_name: str, out_name: str) -> list[int]:
    return [1, parameters(in_name, out_name)[1]]


def _parameter_cases(hidden: bool) -> list[tuple[Any, ...]]:
    gate, mixed = "SO(2) leaves a number alone and turns a vector", "Z_2 leaves a number alone and flips another"
    reverses, flips = "Z_2 reverses 3 numbers", "Z_2 flips the sign of 3 numbers"
    S4, shifts = "S_4 permutes 4 numbers", "C_4 shifts 4 numbers"
    if hidden:
        return [
            (reverses, mixed),
            (shifts, "C_4 leaves a number alone"),
            ("S_3 permutes 3 numbers", "S_3 leaves 3 numbers alone"),
            ("SO(2) turns a vector", gate),
            (flips, reverses),
            ("SO(2) turns a vector", "SO(2) leaves 2 numbers alone"),
            ("Z_2 leaves 3 numbers alone", flips),
        ]
    return [
        (mixed, mixed),
        (reverses, "Z_2 flips the sign of a number"),
        (reverses, reverses),
        (flips, "Z_2 leaves 3 numbers alone"),
        (S4, S4),
        (shifts, shifts),
        (gate, "SO(2) turns a vector"),
        ("SO(2) turns a vector", "SO(2) turns a vector"),
    ]


# ---- task 3: powers -------------------------------------------------------------------------------------------------

FLIP, STAY = "Z_2 flips the sign of a number", "Z_2 leaves a number alone"


def powers(degree: int, in_name: str, out_name: str) -> list[int]:
    """The powers that a polynomial between two types may contain."""
    if in_name == STAY:
        return list(range(degree + 1)) if out_name == STAY else []
    return list(range(0 if out_name == STAY else 1, degree + 1, 2))


def _power_cases(hidden: bool) -> list[tuple[Any, ...]]:
    degrees = (5, 2, 0) if hidden else (4, 7, 1)
    return [(degree, one, other) for degree in degrees for one in (FLIP, STAY) for other in (FLIP, STAY)]


# ---- task 4: possible outputs -----------------------------------------------------------------------------------------

Moves = list[tuple[bool, bool]]


def _moves(in_name: str, out_name: str, x: Any, y: Any) -> Moves:
    """For each element: does it leave x alone, does it leave y alone."""
    rho_in, rho_out = named_representation(in_name), named_representation(out_name)
    x, y = _vector(x), _vector(y)
    return [(torch.equal(rho_in.act(g, x), x), torch.equal(rho_out.act(g, y), y)) for g in rho_in.group.elements()]


def possible(in_name: str, out_name: str, x: list[float], y: list[float]) -> bool:
    """Whether some equivariant f has f(x) = y: all that leaves x alone has to leave y alone."""
    return all(keeps_y for keeps_x, keeps_y in _moves(in_name, out_name, x, y) if keeps_x)


def _tied_like_input(in_name: str, out_name: str, x: list[float], y: list[float]) -> bool:
    """Equal entries of x need equal entries of y, whatever the group."""
    if len(x) != len(y):
        return possible(in_name, out_name, x, y)
    places = range(len(x))
    return all(y[i] == y[j] for i in places for j in places if x[i] == x[j])


def _possible_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, S4, shifts = "S_3 permutes 3 numbers", "S_4 permutes 4 numbers", "C_4 shifts 4 numbers"
    reverses, flips = "Z_2 reverses 3 numbers", "Z_2 flips the sign of 3 numbers"
    if hidden:
        return [
            (S4, S4, [2, 2, 7, 7], [1, 1, 0, 0]),
            (S4, S4, [2, 2, 7, 7], [1, 0, 0, 0]),
            (shifts, shifts, [3, 3, 8, 9], [0, 1, 2, 3]),
            (reverses, FLIP, [5, 2, 5], [0]),
            (reverses, FLIP, [5, 2, 5], [4]),
            (flips, STAY, [1, 2, 0], [-7]),
            (flips, flips, [0, 0, 0], [0, 1, 0]),
            (S3, S3, [1, 2, 3], [4, 4, 4]),
            (shifts, shifts, [1, 6, 1, 6], [2, 3, 2, 3]),
            (S3, S3, [1, 5, 5], [2, 2, 9]),  # equally much symmetry, another one
            (S3, S3, [1, 5, 1], [2, 9, 3]),
            (flips, STAY, [0, 0, 0], [4]),
        ]
    return [
        (S3, S3, [5, 5, 1], [2, 2, 9]),
        (S3, S3, [5, 5, 1], [2, 3, 9]),
        (S3, S3, [5, 5, 1], [4, 4, 4]),
        (S3, "S_3 leaves a number alone", [5, 5, 1], [8]),
        (shifts, shifts, [1, 1, 2, 3], [7, 0, 0, 0]),
        (reverses, FLIP, [10, 20, 10], [3]),
        (reverses, FLIP, [10, 20, 30], [3]),
        (flips, flips, [0, 1, 0], [1, 2, 3]),
        (shifts, shifts, [1, 2, 1, 2], [5, 6, 7, 6]),
        (S3, S3, [5, 5, 1], [9, 2, 2]),  # equally much symmetry, another one
        (S3, S3, [5, 5, 5], [2, 2, 9]),
        (S3, S3, [5, 1, 5], [2, 9, 3]),
        (flips, STAY, [1, 2, 3], [8]),  # no linear map, but an equivariant one
        (flips, flips, [0, 0, 0], [1, 0, 0]),
    ]


# ---- the tasks --------------------------------------------------------------------------------------------------------

TASKS = [
    FunctionTask(
        id="07_review.situations",
        outcome="find the group and its actions in a situation",
        points=4,
        minutes=15,
        name="model",
        reference=model,
        cases=lambda hidden: [(letter,) for letter in SITUATIONS],
        accept=_accept_model,
        count_only=True,
        shown="All eleven are right, the one without a symmetry among them.",
        misconceptions=(
            Misconception(
                "every situation has a symmetry",
                _with(K=("S_3 permutes 3 numbers", "S_3 leaves a number alone")),
                "One of the situations has no symmetry: exchanging morning and evening changes what the numbers mean.",
            ),
            Misconception(
                "a ring is a set",
                _with(
                    C=("S_4 permutes 4 numbers", "S_4 permutes 4 numbers"),
                    D=("S_4 permutes 4 numbers", "S_4 leaves a number alone"),
                ),
                "You let all permutations act on the ring. The table may be turned; its neighbours stay neighbours.",
            ),
            Misconception(
                "a rod is a set",
                _with(
                    E=("S_3 permutes 3 numbers", "S_3 permutes 3 numbers"),
                    F=("S_3 permutes 3 numbers", "S_3 leaves a number alone"),
                ),
                "You let all permutations act on the rod. Its middle stays the middle: only reading it "
                "from the other end changes nothing.",
            ),
            Misconception(
                "one number is always invariant",
                _with(F=(_RIGHT["F"][0], _ALONE["F"]), H=(_RIGHT["H"][0], _ALONE["H"])),
                "You leave every single number alone. A flow or a current is one number too, and it "
                "changes its sign with the direction.",
            ),
            Misconception(
                "outputs never move",
                lambda letter: {
                    "B": ["S_3 permutes 3 numbers", "S_3 leaves a number alone"],
                    "C": ["C_4 shifts 4 numbers", "C_4 leaves a number alone"],
                    "E": ["Z_2 reverses 3 numbers", "Z_2 leaves a number alone"],
                    "F": ["Z_2 reverses 3 numbers", "Z_2 leaves a number alone"],
                    "H": ["Z_2 flips the sign of 3 numbers", "Z_2 leaves a number alone"],
                    "I": ["SO(2) turns a vector", "SO(2) leaves a number alone"],
                }.get(letter, model(letter)),
                "You ask for invariance everywhere. Some of these answers have to move with their input.",
            ),
        ),
    ),
    FunctionTask(
        id="07_review.parameters",
        outcome="count the weights and biases of an equivariant linear layer",
        points=4,
        minutes=15,
        name="parameters",
        reference=parameters,
        cases=_parameter_cases,
        shown="Weights and biases are right for every pair of types, direct sums and an infinite group among them.",
        misconceptions=(
            Misconception(
                "all entries are free",
                _no_constraint,
                "You count the entries of W and of b. The equations W ρ_in(g) = ρ_out(g) W and ρ_out(g) b "
                "= b leave fewer.",
            ),
            Misconception(
                "any bias is fine",
                _free_bias,
                "Your weights are right. A bias has to be an invariant vector: count those.",
            ),
            Misconception(
                "one bias always",
                _one_bias,
                "Your weights are right. One number for the bias holds where the group can move each entry"
                " to each other one, without signs.",
            ),
            Misconception(
                "half always",
                _half,
                "You halve the number of entries. How many are left depends on both actions.",
            ),
            Misconception(
                "one weight always",
                _one_weight,
                "You allow multiples of one map only. Collect all equivariant maps: from three numbers "
                "that are reversed to themselves there are five.",
            ),
        ),
    ),
    FunctionTask(
        id="07_review.powers",
        outcome="say which powers a polynomial between two types may contain",
        points=2,
        minutes=6,
        name="powers",
        reference=powers,
        cases=_power_cases,
        shown="Even powers, odd powers, all, or none: each pair of types has its own.",
        misconceptions=(
            Misconception(
                "only the output's type counts",
                lambda degree, in_name, out_name: list(range(0 if out_name == STAY else 1, degree + 1, 2)),
                "You look at the output only. Where the input is left alone, every power is left alone as well.",
            ),
            Misconception(
                "only the input's type counts",
                lambda degree, in_name, out_name: list(
                    range(1 if in_name == FLIP else 0, degree + 1, 2 if in_name == FLIP else 1)
                ),
                "You look at the input only. From a number that flips to one that stays lead the even powers.",
            ),
            Misconception(
                "a number that stays can learn to flip",
                lambda degree, in_name, out_name: (
                    list(range(degree + 1)) if in_name == STAY else powers(degree, in_name, out_name)
                ),
                "From a number that stays to one that flips there is only 0: the polynomial does not "
                "change, and its sign would have to.",
            ),
            Misconception(
                "an odd polynomial has a constant",
                lambda degree, in_name, out_name: (
                    [0, *powers(degree, in_name, out_name)]
                    if (in_name, out_name) == (FLIP, FLIP)
                    else powers(degree, in_name, out_name)
                ),
                "You allow a constant where the sign has to flip. A constant is a bias, and only an "
                "invariant vector can be one.",
            ),
            Misconception(
                "the degree itself is left out",
                lambda degree, in_name, out_name: powers(degree - 1, in_name, out_name),
                "A polynomial of degree 4 has the power 4 as well: range(5).",
            ),
        ),
    ),
    FunctionTask(
        id="07_review.possible",
        outcome="say which outputs an equivariant map can have for an input",
        points=3,
        minutes=12,
        name="possible",
        reference=possible,
        cases=_possible_cases,
        shown="An output is possible if every element that leaves x alone leaves y alone too.",
        misconceptions=(
            Misconception(
                "an equivariant map can do anything at one input",
                lambda *args: True,
                "You say yes everywhere. If g▷x = x, then g▷f(x) = f(x): the output has every symmetry of the input.",
            ),
            Misconception(
                "the output has to be invariant",
                lambda in_name, out_name, x, y: all(keeps_y for _, keeps_y in _moves(in_name, out_name, x, y)),
                "You ask that every element leaves y alone. Only those have to that leave x alone.",
            ),
            Misconception(
                "the output has no more symmetry than the input",
                lambda in_name, out_name, x, y: all(a == b for a, b in _moves(in_name, out_name, x, y)),
                "You refuse outputs with more symmetry than the input. They are allowed: a constant has "
                "every symmetry.",
            ),
            Misconception(
                "equal entries always have equal outputs",
                _tied_like_input,
                "You compare equal entries. What counts is whether an element of the group leaves all of x"
                " alone and moves y.",
            ),
        ),
    ),
]
