"""Lesson and sheet 07: equivariant networks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..checks import (
    FunctionTask,
    Malformed,
    Misconception,
    ValueTask,
    Wrong,
    gave_expected,
    named_map,
    named_representation,
    same_answer,
    show,
)
from ..equivariance import equivariance_error
from ..groups import SO, Group, ReflectionGroup, SymmetricGroup
from ..nn.nonlinear import action_on_entries
from ..representations import Representation
from ..solvers import intertwiners
from .common import accept_yes_no, same_word, yes_if

Map = Callable[[Tensor], Tensor]


def _vector(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


def _elements(group: Group) -> list[Any]:
    """All elements of a finite group, some of an infinite one."""
    return list(group.elements()) if math.isfinite(group.order) else [group.sample(seed) for seed in range(8)]


# ---- in the lesson: the matrix of a direct sum ----------------------------------------------------------------------

Matrix = list[list[float]]


def block_diagonal(A: Matrix, B: Matrix) -> Matrix:
    a, b = len(A), len(B)
    return [row + [0] * b for row in A] + [[0] * a + row for row in B]


def _added(A: Matrix, B: Matrix) -> Matrix:
    """A + B entry by entry, the smaller one filled with zeros."""
    size = max(len(A), len(B))

    def entry(M: Matrix, i: int, j: int) -> float:
        return M[i][j] if i < len(M) and j < len(M) else 0

    return [[entry(A, i, j) + entry(B, i, j) for j in range(size)] for i in range(size)]


def _multiplied(A: Matrix, B: Matrix) -> Matrix:
    return torch.kron(_vector(A), _vector(B)).tolist()


def _block_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([[0, 2, 0], [3, 0, 1], [0, 0, 5]], [[7]]), ([[4]], [[0, 1], [1, 0]])]
    return [([[2]], [[3]]), ([[1]], [[0, 5], [6, 0]]), ([[1, 2], [3, 4]], [[5, 6], [7, 8]])]


# ---- task 1: a typed chain ------------------------------------------------------------------------------------------

# Which entrywise functions a type allows, by what its group does to the entries.
_ALLOWED = {"permutes": ("ReLU", "tanh"), "flips": ("tanh",), "mixes": ()}

Fits = Callable[[str, str], bool]
Allows = Callable[[str, str], bool]


def _allows(function: str, type_name: str) -> bool:
    return function in _ALLOWED[action_on_entries(named_representation(type_name))]


def _same_shape(one: str, other: str) -> bool:
    return named_representation(one).dim == named_representation(other).dim


def _same_group(one: str, other: str) -> bool:
    return named_representation(one).group == named_representation(other).group


def first_misfit(
    layers: list[list[str]], fits: Fits = lambda one, other: one == other, allows: Allows = _allows
) -> int:
    """The number of the first layer that does not fit, −1 if all do; misconceptions differ in what they take to fit."""
    current = layers[0][1]
    for number, layer in enumerate(layers):
        if layer[0] == "linear":
            if not fits(current, layer[1]):
                return number
            current = layer[2]
        elif not allows(layer[0], current):
            return number
    return -1


def _only_linear(layers: list[list[str]]) -> int:
    """Every layer must have the type of the first one on both sides."""
    wanted = layers[0][1]
    for number, layer in enumerate(layers):
        if layer[0] == "linear" and layer[1:] != [wanted, wanted]:
            return number
        if layer[0] != "linear" and not _allows(layer[0], wanted):
            return number
    return -1


def _chain_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, alone_S3 = "S_3 permutes 3 numbers", "S_3 leaves 3 numbers alone"
    flips, reverses = "Z_2 flips the sign of 3 numbers", "Z_2 reverses 3 numbers"
    alone, one_alone, one_flip = (
        "Z_2 leaves 3 numbers alone",
        "Z_2 leaves a number alone",
        "Z_2 flips the sign of a number",
    )
    turns, alone_2 = "SO(2) turns a vector", "SO(2) leaves 2 numbers alone"
    mixed, gate = "Z_2 leaves a number alone and flips another", "SO(2) leaves a number alone and turns a vector"
    relu, tanh = ["ReLU"], ["tanh"]
    if hidden:
        return [
            ([["linear", turns, turns], relu],),
            ([["linear", turns, turns], tanh, ["linear", turns, turns]],),
            ([["linear", alone, reverses], tanh, ["linear", flips, one_flip]],),
            ([["linear", reverses, flips], tanh, ["linear", flips, one_flip]],),
            ([["linear", reverses, flips], relu, ["linear", reverses, one_alone]],),
            ([["linear", alone_S3, S3], relu, ["linear", alone, alone]],),
            ([["linear", reverses, alone], tanh, ["linear", alone, flips], tanh],),
            ([["linear", reverses, reverses], relu],),
            ([["linear", flips, mixed], tanh, ["linear", mixed, mixed], relu, ["linear", flips, flips]],),
            ([["linear", turns, gate], tanh, ["linear", gate, turns]],),
            *((_drawn_chain(random.Random(seed)),) for seed in (1, 2)),
        ]
    return [
        ([["linear", S3, S3], relu, ["linear", S3, S3]],),
        ([["linear", reverses, flips], ["linear", reverses, one_alone]],),
        ([["linear", reverses, flips], relu, ["linear", flips, one_flip]],),
        ([["linear", flips, flips], tanh, ["linear", flips, one_flip]],),
        ([["linear", turns, turns], tanh],),
        ([["linear", alone_2, alone_2], relu, ["linear", alone_2, turns]],),
        (
            [
                ["linear", reverses, reverses],
                relu,
                tanh,
                ["linear", reverses, alone],
                relu,
                ["linear", alone, one_alone],
            ],
        ),
        ([["linear", S3, alone_S3], relu, ["linear", alone, one_alone]],),
        ([["linear", turns, turns], relu],),
        ([["linear", reverses, flips], relu, ["linear", flips, reverses], ["linear", flips, one_flip]],),
        ([["linear", reverses, mixed], relu, ["linear", mixed, one_flip]],),
        ([["linear", reverses, mixed], tanh, ["linear", mixed, one_flip]],),
    ]


def _drawn_chain(source: random.Random) -> list[list[str]]:
    """Eight layers on three numbers; about one in six starts from another type than the one before it ends in."""
    names = [
        "Z_2 flips the sign of 3 numbers",
        "Z_2 reverses 3 numbers",
        "Z_2 leaves 3 numbers alone",
        "Z_2 leaves a number alone and flips another",
    ]
    current = source.choice(names)
    layers: list[Any] = []
    for _ in range(4):
        start = source.choice(names) if layers and source.random() < 1 / 6 else current
        current = source.choice(names)
        layers += [["linear", start, current], [source.choice(["tanh", "tanh", "ReLU"])]]
    return layers


# ---- task 2: a nonlinearity -----------------------------------------------------------------------------------------

Entrywise = Callable[[str, Representation], bool]


def _is_allowed(function: str, rho: Representation) -> bool:
    """Whether an entrywise function is equivariant, by what the group does to entries."""
    action = action_on_entries(rho)
    t = torch.linspace(0.3, 3.0, 10, dtype=torch.float64)
    f = named_map(function)
    return action == "permutes" or (action == "flips" and torch.allclose(f(-t), -f(t)))


def _by_length(function: str, x: Tensor) -> Tensor:
    length = x.norm()
    return named_map(function)(length) * x / length


def _entrywise(function: str, x: Tensor) -> Tensor:
    return named_map(function)(x)


def applied(
    entrywise: Entrywise = _is_allowed, otherwise: Callable[[str, Tensor], Tensor] = _by_length
) -> Callable[..., list[float]]:
    """Entrywise where this is allowed, otherwise by the length; the variants are what misconceptions compute."""

    def apply(function: str, rep_name: str, x: list[float]) -> list[float]:
        chosen = _entrywise if entrywise(function, named_representation(rep_name)) else otherwise
        return chosen(function, _vector(x)).tolist()

    return apply


def _nonlinearity_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, flips, turns = "S_3 permutes 3 numbers", "Z_2 flips the sign of 3 numbers", "SO(2) turns a vector"
    reverses, shifts = "Z_2 reverses 3 numbers", "C_4 shifts 4 numbers"
    mixed, gate = "Z_2 leaves a number alone and flips another", "SO(2) leaves a number alone and turns a vector"
    if hidden:
        source = random.Random(3)
        return [
            ("square", shifts, [1.0, -1.0, 0.0, 2.0]),
            ("tanh", flips, [0.0, -1.0, 2.0]),
            ("ReLU", turns, [-5.0, 12.0]),
            ("tanh", turns, [0.6, 0.8]),
            ("cosine", flips, [2.0, -2.0, 1.0]),
            ("ReLU", reverses, [-1.0, 4.0, -2.0]),
            ("ReLU", mixed, [-1.0, 0.75]),
            ("tanh", mixed, [-1.0, 0.75]),
            ("square", gate, [1.0, 2.0, -2.0]),
            ("cosine", turns, [round(source.uniform(0.3, 2), 2) for _ in range(2)]),
            ("tanh", reverses, [round(source.uniform(-2, 2), 2) for _ in range(3)]),
        ]
    return [
        ("ReLU", S3, [10.0, -20.0, 30.0]),
        ("square", turns, [3.0, -4.0]),
        ("ReLU", flips, [-1.0, 2.0, -2.0]),
        ("tanh", flips, [1.0, -2.0, 2.0]),
        ("tanh", turns, [-3.0, 4.0]),
        ("square", reverses, [1.0, -2.0, 3.0]),
        ("square", flips, [2.0, -1.0, 2.0]),
        ("cosine", flips, [1.0, -2.0, 2.0]),
        ("square", mixed, [-4.0, 3.0]),
        ("tanh", gate, [2.0, -1.0, 2.0]),
    ]


def _accept_nonlinearity(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    function, rep_name, x = args
    if same_answer(got, expected):
        return
    call = f"apply({show(function)}, {show(rep_name)}, {show(x)})"
    allowed = _is_allowed(function, named_representation(rep_name))
    how = (
        f"{function} of each number is equivariant here"
        if allowed
        else f"{function} of each number is not equivariant here: take the length of the whole vector"
    )
    raise Wrong(f"{call}\n{gave_expected(got, expected)}\n  ({how})")


# ---- task 3: a bias -------------------------------------------------------------------------------------------------


def nearest_invariant(rep_name: str, b: list[float]) -> list[float]:
    """The projection of b to the invariant vectors, from the solver: no average over an infinite group is needed."""
    rho = named_representation(rep_name)
    space = intertwiners(rho.group.trivial(), rho)
    return space.project(_vector(b)[:, None])[:, 0].tolist()


def _mean_everywhere(rep_name: str, b: list[float]) -> list[float]:
    return [sum(b) / len(b)] * len(b)


def _sum_over_group(rep_name: str, b: list[float]) -> list[float]:
    group = named_representation(rep_name).group
    return [(group.order if math.isfinite(group.order) else 2) * value for value in nearest_invariant(rep_name, b)]


def _one_move(rep_name: str, b: list[float]) -> list[float]:
    """The mean of b and of what the first generator (or some rotation) makes of it."""
    rho = named_representation(rep_name)
    g = rho.group.generators[0] if math.isfinite(rho.group.order) else rho.group.sample(0)
    return ((_vector(b) + rho.act(g, _vector(b))) / 2).tolist()


def _bias_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, flips, turns = "S_3 permutes 3 numbers", "Z_2 flips the sign of 3 numbers", "SO(2) turns a vector"
    mixed, gate = "Z_2 leaves a number alone and flips another", "SO(2) leaves a number alone and turns a vector"
    if hidden:
        source = random.Random(4)
        return [
            ("C_4 shifts 4 numbers", [1.0, 2.0, 3.0, 10.0]),
            (gate, [-4.0, 1.0, 2.0]),
            ("Z_2 reverses 3 numbers", [5.0, 1.0, 0.0]),
            (mixed, [3.0, 8.0]),
            ("D_4 moves the corners of a square", [4.0, 0.0, 0.0, 8.0]),
            (S3, [round(source.uniform(-9, 9), 2) for _ in range(3)]),
            (gate, [round(source.uniform(-9, 9), 2) for _ in range(3)]),
        ]
    return [
        (S3, [10.0, 20.0, 60.0]),
        (flips, [1.0, 2.0, 6.0]),
        ("Z_2 reverses 3 numbers", [1.0, 20.0, 6.0]),
        (mixed, [5.0, 7.0]),
        (turns, [3.0, 1.0]),
        (gate, [2.0, 3.0, 1.0]),
        ("Z_2 leaves 3 numbers alone", [1.0, 2.0, 6.0]),
    ]


def _accept_bias(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    rep_name, b = args
    if same_answer(got, expected):
        return
    call = f"repair_bias({show(rep_name)}, {show(b)})"
    why = ""
    if isinstance(got, list) and len(got) == len(b) and all(isinstance(v, (int, float)) for v in got):
        rho = named_representation(rep_name)
        moved = [rho.act(g, _vector(got)).tolist() for g in _elements(rho.group)]
        broken = next((c for c in moved if not same_answer(c, [float(v) for v in got])), None)
        why = (
            f"\n  (not invariant: some g moves it to {show(broken)})"
            if broken
            else "\n  (invariant, but not the nearest one)"
        )
    raise Wrong(f"{call}\n{gave_expected(got, expected)}{why}")


# ---- task 4: W2 W1 ---------------------------------------------------------------------------------------------------


def factors(in_name: str, hidden_name: str, out_name: str, W: Matrix) -> list[Matrix]:
    """An invertible matrix without symmetry, and W times its inverse."""
    n = len(W[0])
    A = torch.eye(n, dtype=torch.float64)
    A[0, -1] = 1.0
    return [A.tolist(), (_vector(W) @ torch.linalg.inv(A)).tolist()]


def _matrix_of_shape(value: Any, rows: int, columns: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == rows
        and all(isinstance(row, list) and len(row) == columns for row in value)
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for row in value for v in row)
        and bool(_vector(value).isfinite().all())
    )


def _broken_by(W: Tensor, rho_in: Representation, rho_out: Representation) -> bool:
    size = W.abs().max().item()
    return any(
        bool(((W @ rho_in.matrix(g) - rho_out.matrix(g) @ W).abs() > 1e-3 * size).any())
        for g in _elements(rho_in.group)
    )


def _accept_factors(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    in_name, hidden_name, out_name, W = args
    rho_in, rho_hidden, rho_out = map(named_representation, (in_name, hidden_name, out_name))
    call = f"factors({show(in_name)}, {show(hidden_name)}, {show(out_name)}, {show(W)})"
    shapes = [(rho_hidden.dim, rho_in.dim), (rho_out.dim, rho_hidden.dim)]
    fit = isinstance(got, list) and len(got) == 2
    if not fit or not all(_matrix_of_shape(part, *shape) for part, shape in zip(got, shapes, strict=True)):
        wanted = " and ".join(f"{rows} × {columns}" for rows, columns in shapes)
        raise Malformed(
            f"{call} gave {show(got)}; expected [W1, W2], lists of rows, of shapes {wanted}, with finite numbers"
        )
    W1, W2 = map(_vector, got)
    if not same_answer((W2 @ W1).tolist(), [[float(v) for v in row] for row in W]):
        raise Wrong(
            f"{call}\n  gave W1 = {show(got[0])}, W2 = {show(got[1])}\n  W2 W1 =  {show(W2 @ W1)}\n  expected {show(W)}"
        )
    for name, part, before, after in [("W1", W1, rho_in, rho_hidden), ("W2", W2, rho_hidden, rho_out)]:
        if not _broken_by(part, before, after):
            raise Wrong(
                f"{call}\n  W2 W1 is right, but {name} = {show(part)} is equivariant itself (to one part in a thousand). "
                f"Change another entry of W1, or change it by another amount"
            )


def _identity_first(in_name: str, hidden_name: str, out_name: str, W: Matrix) -> list[Matrix]:
    return [torch.eye(len(W[0])).tolist(), W]


def _arbitrary_first(in_name: str, hidden_name: str, out_name: str, W: Matrix) -> list[Matrix]:
    return [factors(in_name, hidden_name, out_name, W)[0], W]


def _without_inverse(in_name: str, hidden_name: str, out_name: str, W: Matrix) -> list[Matrix]:
    A = _vector(factors(in_name, hidden_name, out_name, W)[0])
    return [A.tolist(), (_vector(W) @ A).tolist()]


def _factor_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3, reverses, flips = "S_3 permutes 3 numbers", "Z_2 reverses 3 numbers", "Z_2 flips the sign of 3 numbers"
    if hidden:
        return [
            ("C_4 shifts 4 numbers",) * 3
            + ([[1.0, 4.0, 3.0, 2.0], [2.0, 1.0, 4.0, 3.0], [3.0, 2.0, 1.0, 4.0], [4.0, 3.0, 2.0, 1.0]],),
            (S3, S3, "S_3 leaves a number alone", [[2.0, 2.0, 2.0]]),
            (reverses, reverses, "Z_2 flips the sign of a number", [[3.0, 0.0, -3.0]]),
        ]
    return [
        (S3, S3, S3, [[5.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 5.0]]),
        (reverses, reverses, reverses, [[1.0, 2.0, 3.0], [4.0, 5.0, 4.0], [3.0, 2.0, 1.0]]),
        (reverses, reverses, "Z_2 leaves a number alone", [[1.0, 7.0, 1.0]]),
        (reverses, reverses, flips, [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [0.0, 0.0, 0.0]]),
    ]


# ---- task 5: which layer respects what ------------------------------------------------------------------------------

_MEAN = _vector([[1.0, -2.0], [0.5, 0.0], [3.0, 1.0]])
_SPREAD = _vector([[1.0, 2.0], [4.0, 0.5], [2.0, 1.0]])
_CODE = _vector([[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]])
_QUERY, _KEY, _VALUE = (
    _vector([[1.0, 0.5], [0.0, 1.0]]),
    _vector([[0.5, 0.0], [1.0, 1.0]]),
    _vector([[2.0, 1.0], [0.0, -1.0]]),
)


def _attention(x: Tensor) -> Tensor:
    return ((x @ _QUERY) @ (x @ _KEY).mT).softmax(-1) @ (x @ _VALUE)


#: Layers on three items with two features each, arrays (3, 2), by the names that the sheet uses.
LAYERS: dict[str, Map] = {
    "LayerNorm of the whole input": lambda x: (x - x.mean()) / x.std(),
    "divide by the root mean square": lambda x: x / x.square().mean().sqrt(),
    "BatchNorm per coordinate": lambda x: (x - _MEAN) / _SPREAD,
    "BatchNorm per feature": lambda x: (x - _MEAN[0]) / _SPREAD[0],
    "positional encoding": lambda x: x + _CODE,
    "attention without positions": _attention,
    "attention with positions": lambda x: _attention(x + _CODE),
}
_GROUPS: dict[str, Callable[[], Representation]] = {
    "S_3 permutes the items": lambda: SymmetricGroup(3).defining() * SymmetricGroup(3).trivial(2),
    "Z_2 flips all signs": lambda: ReflectionGroup().trivial(3) * (2 * ReflectionGroup().sign()),
    "SO(2) turns the features": lambda: SO(2).trivial(3) * SO(2).defining(),
}
#: letter -> (layer, action)
SETTINGS: dict[str, tuple[str, str]] = {
    "A": ("LayerNorm of the whole input", "S_3 permutes the items"),
    "B": ("LayerNorm of the whole input", "Z_2 flips all signs"),
    "C": ("LayerNorm of the whole input", "SO(2) turns the features"),
    "D": ("BatchNorm per coordinate", "S_3 permutes the items"),
    "E": ("BatchNorm per feature", "S_3 permutes the items"),
    "F": ("positional encoding", "S_3 permutes the items"),
    "G": ("attention without positions", "S_3 permutes the items"),
    "H": ("attention without positions", "Z_2 flips all signs"),
    "I": ("attention without positions", "SO(2) turns the features"),
    "J": ("divide by the root mean square", "SO(2) turns the features"),
}


def setting(letter: str) -> tuple[Map, Representation]:
    """The layer and the representation (on its input and on its output) of a setting of task 07.layers.

    >>> f, rho = setting("C")
    >>> rho.axes, f(torch.eye(3, 2)).shape
    ((3, 2), torch.Size([3, 2]))
    """
    layer, action = SETTINGS[letter]
    return LAYERS[layer], _GROUPS[action]()


def classify(letter: str) -> list[Any]:
    f, rho = setting(letter)
    found = equivariance_error(f, rho, rho).counterexample
    if found is None:
        return ["yes", None]
    g = found.element
    return ["no", [g.tolist() if isinstance(g, Tensor) else g, found.input.tolist()]]


def _breaks(letter: str, g: Any, x: Any) -> bool:
    f, rho = setting(letter)
    if not _matrix_of_shape(x, 3, 2):
        raise Wrong(f'layers("{letter}"): the x of a witness is three rows of two finite numbers, got {show(x)}')
    x = _vector(x)
    if isinstance(rho.group, SO):
        if not _matrix_of_shape(g, 2, 2):
            raise Wrong(f'layers("{letter}"): a turn is a 2 × 2 matrix of finite numbers, got {show(g)}')
        try:
            g = rho.group.element(_vector(g))
        except ValueError:
            raise Wrong(f'layers("{letter}"): the matrix {show(g)} is no turn') from None
    else:
        g = rho.group.element(g)
    left, right = f(rho.act(g, x)), rho.act(g, f(x))
    if not bool(left.isfinite().all() and right.isfinite().all()):
        raise Wrong(
            f'layers("{letter}"): for the x of your witness {SETTINGS[letter][0]} divides by zero; take another x'
        )
    size = max(1.0, left.abs().max().item())
    difference = (left - right).abs().max().item()
    if 1e-12 * size < difference <= 1e-6 * size:
        raise Wrong(f'layers("{letter}"): for your witness the two paths differ too little to tell; take a larger x')
    return difference > 1e-6 * size


# ---- the tasks -------------------------------------------------------------------------------------------------------

TASKS = [
    ValueTask(
        id="07.recall-1",
        outcome="say where training on poses leaves an error",
        accepted=("no",),
        why="Training made its error small near the data. Elsewhere nothing holds it.",
        feedback={"yes": "What was learned holds near the training data. Away from them, a residual error is left."},
    ),
    ValueTask(
        id="07.recall-2",
        outcome="use that an output has every symmetry of its input",
        accepted=(0,),
        why="The swap leaves x alone, so f(x) = f(g▷x) = −f(x): only 0 is its own negative.",
        feedback={
            5: "The swap changes nothing in x, so the output must stay, and it must flip its sign: f(x) = −f(x).",
            10: "A sum does not flip its sign when the entries are exchanged. Use f(x) = f(g▷x) = −f(x).",
        },
    ),
    ValueTask(
        id="07.second-weight",
        outcome="solve the constraint on a small linear layer",
        accepted=(-3,),
        why="3·x₁ + w·x₀ has to be −(3·x₀ + w·x₁) for all x: w = −3. Such a layer takes a difference.",
        feedback={
            3: "With [3, 3] the output is 3·(x₀ + x₁): it stays when the inputs are exchanged. It has to flip its sign.",
            0: "With [3, 0] the output is 3·x₀ before and 3·x₁ after the exchange: that is not a flip of the sign.",
        },
    ),
    FunctionTask(
        id="07.block-diagonal",
        outcome="build the matrix of a direct sum",
        points=0,
        minutes=4,
        name="block_diagonal",
        reference=block_diagonal,
        cases=_block_cases,
        shown="A and B stand on the diagonal, zeros elsewhere: each part acts on its own entries.",
        misconceptions=(
            Misconception(
                "the direct sum adds the matrices",
                _added,
                "You add A and B. In a direct sum they act on different entries, side by side: the sizes "
                "add, not the entries.",
            ),
            Misconception(
                "the other order",
                lambda A, B: block_diagonal(B, A),
                "You put B first. The first entries belong to the first part, A.",
            ),
            Misconception(
                "every entry of A times B",
                _multiplied,
                "You multiply each entry of A by the whole of B. That is another construction (lesson 09):"
                " in a direct sum the sizes add.",
            ),
        ),
    ),
    FunctionTask(
        id="07.chain",
        outcome="say which layers may follow each other, by their types",
        points=3,
        minutes=10,
        name="first_misfit",
        reference=first_misfit,
        cases=_chain_cases,
        shown="You compare types, not shapes, and let each type decide which nonlinearity it takes.",
        misconceptions=(
            Misconception(
                "equal shapes compose",
                lambda layers: first_misfit(layers, fits=_same_shape),
                "You let layers follow each other when their shapes are equal. The same group must act in the same way: three numbers "
                "that flip do not go into a layer that expects three numbers in reversed order.",
            ),
            Misconception(
                "the same group is enough",
                lambda layers: first_misfit(layers, fits=lambda a, b: _same_group(a, b) and _same_shape(a, b)),
                "You ask for equal shapes and the same group. One group can act on the same numbers in "
                "several ways: the whole type has to be equal.",
            ),
            Misconception(
                "ReLU is always fine",
                lambda layers: first_misfit(layers, allows=lambda f, t: f == "ReLU" or _allows(f, t)),
                "You let ReLU through everywhere. On a number that flips its sign, ReLU(−2) = 0 and "
                "−ReLU(2) = −2; a turned vector loses its direction.",
            ),
            Misconception(
                "any entrywise function is fine",
                lambda layers: first_misfit(layers, allows=lambda f, t: True),
                "You let every entrywise function through. It is always fine only where entries are "
                "permuted or left alone.",
            ),
            Misconception(
                "odd functions are always fine",
                lambda layers: first_misfit(layers, allows=lambda f, t: f == "tanh" or _allows(f, t)),
                "You let tanh through everywhere. It respects a flip of signs. A turn mixes the entries, "
                "and there no entrywise nonlinearity is left.",
            ),
            Misconception(
                "no entrywise function where signs flip",
                lambda layers: first_misfit(
                    layers, allows=lambda f, t: action_on_entries(named_representation(t)) == "permutes"
                ),
                "You refuse tanh where signs flip. tanh(−t) = −tanh(t), so it is fine there.",
            ),
            Misconception(
                "all layers have one type",
                _only_linear,
                "You ask that the type never changes. A layer may lead from one type to another; the next "
                "one has to start from there.",
            ),
        ),
    ),
    FunctionTask(
        id="07.nonlinearity",
        outcome="choose and repair a nonlinearity",
        points=3,
        minutes=12,
        name="apply",
        reference=applied(),
        cases=_nonlinearity_cases,
        accept=_accept_nonlinearity,
        shown="Entrywise where the group only permutes, or flips signs and the function is odd; by the length elsewhere.",
        misconceptions=(
            Misconception(
                "ReLU is always fine",
                applied(lambda function, rho: function == "ReLU" or _is_allowed(function, rho)),
                "You apply ReLU entrywise everywhere. It is not equivariant on numbers that flip their "
                "signs, nor on a turned vector.",
            ),
            Misconception(
                "any entrywise function is fine",
                applied(lambda function, rho: True),
                "You apply every function entrywise. That is equivariant only where entries are permuted, "
                "or for odd functions where signs flip.",
            ),
            Misconception(
                "odd functions are always fine",
                applied(lambda function, rho: function == "tanh" or _is_allowed(function, rho)),
                "You apply tanh entrywise to a turned vector. Being odd helps against a flip of signs, not"
                " against a turn.",
            ),
            Misconception(
                "no entrywise function where signs flip",
                applied(lambda function, rho: action_on_entries(rho) == "permutes"),
                "You use the length wherever signs flip. For an odd function such as tanh the entrywise "
                "way is equivariant there, and was asked for.",
            ),
            Misconception(
                "always the length",
                applied(lambda function, rho: False),
                "You always use the length. That is equivariant here, but the task asks for the entrywise "
                "way wherever it is allowed.",
            ),
            Misconception(
                "the vector is not divided by its length",
                applied(otherwise=lambda function, x: named_map(function)(x.norm()) * x),
                "You compute f(‖x‖)·x. Divide by ‖x‖, so that the result has the length |f(‖x‖)|.",
            ),
            Misconception(
                "the length instead of a vector",
                applied(otherwise=lambda function, x: named_map(function)(x.norm().reshape(1)).expand_as(x)),
                "You put f(‖x‖) into every entry. That is invariant, and it has lost the direction: multiply by x/‖x‖.",
            ),
        ),
    ),
    FunctionTask(
        id="07.bias",
        outcome="repair a bias",
        points=3,
        minutes=10,
        name="repair_bias",
        reference=nearest_invariant,
        cases=_bias_cases,
        accept=_accept_bias,
        shown="The nearest invariant vector for every type, those of an infinite group among them.",
        misconceptions=(
            Misconception(
                "any bias is fine",
                lambda rep_name, b: b,
                "You return b as it is. Adding b is equivariant only if every g leaves b alone.",
            ),
            Misconception(
                "the same number everywhere",
                _mean_everywhere,
                "You put the mean into every entry. That is right if the group can move each entry to each"
                " other one, without signs, and wrong elsewhere.",
            ),
            Misconception(
                "no bias at all",
                lambda rep_name, b: [0.0] * len(b),
                "You return zero. Zero is always invariant, but seldom the nearest invariant vector.",
            ),
            Misconception(
                "a sum instead of a mean",
                _sum_over_group,
                "You add up over the group and do not divide by the number of elements.",
            ),
            Misconception(
                "one element is enough",
                _one_move,
                "You average b with what one element makes of it. Average over all elements.",
            ),
        ),
    ),
    FunctionTask(
        id="07.factors",
        outcome="build an equivariant map from factors that are not equivariant",
        points=3,
        minutes=12,
        name="factors",
        reference=factors,
        cases=_factor_cases,
        accept=_accept_factors,
        shown="W₂W₁ is equivariant in every case, and neither factor is: not every layer has to be.",
        misconceptions=(
            Misconception(
                "every layer must be equivariant",
                _identity_first,
                "You take the identity and W, which are both equivariant. It is the product that has to "
                "be: what W₁ does wrong, W₂ can undo.",
            ),
            Misconception(
                "the last layer decides",
                _arbitrary_first,
                "You put any W₁ before W. An equivariant last layer does not repair the first one: W₂W₁ has to be W.",
            ),
            Misconception(
                "the inverse is left out",
                _without_inverse,
                "You multiply W by W₁ again. W₂ has to undo it: W₂ = W A⁻¹ if W₁ = A.",
            ),
        ),
    ),
    FunctionTask(
        id="07.layers",
        outcome="say to which action a common layer is equivariant, with a witness for each no",
        points=4,
        minutes=18,
        name="layers",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=accept_yes_no("layers", _breaks, "Not every layer that you call equivariant is."),
        same=same_word,
        count_only=True,
        shown="All ten are right, and each witness makes the two paths differ.",
        misconceptions=(
            Misconception(
                "normalisation is always equivariant",
                yes_if("ABCDEGHJ", classify),
                "You say yes to every normalisation. Stored constants for each place do not move along, "
                "and a mean over features that are turned is not invariant.",
            ),
            Misconception(
                "an equivariant layer respects every action",
                yes_if("ABCEGHIJ", classify),
                "You give each layer one answer for all actions. The same layer can respect one action and"
                " break another.",
            ),
            Misconception(
                "attention knows the order of the items",
                yes_if("ABEHJ", classify),
                "You say that attention without positions breaks under permutations. Nothing in it knows a"
                " place: the positional encoding is what brings the order in.",
            ),
            Misconception(
                "a positional encoding moves along with its item",
                yes_if("ABEFGHJ", classify),
                "You say that adding a code for each place is equivariant to permutations. The code "
                "belongs to the place and stays there when the items move.",
            ),
            Misconception(
                "no layer respects a turn",
                yes_if("ABEGH", classify),
                "One of the layers respects turns of the features: it uses them only through lengths, "
                "which no turn changes.",
            ),
            Misconception(
                "BatchNorm is never equivariant",
                yes_if("ABGHJ", classify),
                "You refuse both BatchNorms. With one mean and one spread for each feature, the same for "
                "all items, it treats all items alike.",
            ),
            Misconception(
                "a mean is subtracted, so flips break it",
                yes_if("AEGHJ", classify),
                "You say that LayerNorm breaks under a flip of signs. Its mean is computed from the input:"
                " it flips its sign, and the spread stays.",
            ),
        ),
    ),
]
