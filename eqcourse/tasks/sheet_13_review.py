"""The mixed review sheet after lesson 13: which group, which actions, how many weights?"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Misconception
from ..groups import CyclicGroup, DirectProduct, Group, SymmetricGroup
from ..representations import Representation, outer
from ..solvers import intertwiner_dimension
from ..solvers.partitions import bell
from .common import NO_SYMMETRY, Situations, SituationsTask, all_entries

# ---- actions by name -------------------------------------------------------------------------------------------------


def _table(rows: Group, columns: Group) -> Representation:
    return outer(*(g.defining() if isinstance(g, SymmetricGroup) else g.regular() for g in (rows, columns)))


def _rows(rows: int, columns: Group) -> Representation:
    """The rows alone, of the group that moves rows and columns."""
    return DirectProduct(SymmetricGroup(rows), columns).pullback(0, SymmetricGroup(rows).defining())


def _order(k: int, n: int) -> Representation:
    return SymmetricGroup(n).defining() ** k


#: What the tasks call an action.
ACTIONS: dict[str, Callable[[], Representation]] = {
    "S_4 permutes 4 numbers": lambda: _order(1, 4),
    "S_4 permutes both axes of a 4 × 4 table alike": lambda: _order(2, 4),
    "S_4 leaves a number alone": lambda: SymmetricGroup(4).trivial(),
    "S_4 × S_4 permutes rows and columns of a 4 × 4 table": lambda: _table(SymmetricGroup(4), SymmetricGroup(4)),
    "S_4 × S_4 permutes 4 numbers, one for each row": lambda: _rows(4, SymmetricGroup(4)),
    "S_3 × S_4 permutes rows and columns of a 3 × 4 table": lambda: _table(SymmetricGroup(3), SymmetricGroup(4)),
    "S_3 × S_4 permutes 3 numbers, one for each row": lambda: _rows(3, SymmetricGroup(4)),
    "S_3 × C_4 permutes rows and shifts columns of a 3 × 4 table": lambda: _table(SymmetricGroup(3), CyclicGroup(4)),
    "S_3 × C_4 permutes 3 numbers, one for each row": lambda: _rows(3, CyclicGroup(4)),
    "S_6 permutes 6 numbers": lambda: _order(1, 6),
    "S_6 leaves a number alone": lambda: SymmetricGroup(6).trivial(),
    "C_6 shifts 6 numbers": lambda: CyclicGroup(6).regular(),
    "C_6 leaves a number alone": lambda: CyclicGroup(6).trivial(),
    "C_4 × C_6 shifts both axes of a 4 × 6 table": lambda: _table(CyclicGroup(4), CyclicGroup(6)),
    "S_3 permutes 3 numbers": lambda: _order(1, 3),
    "S_3 permutes both axes of a 3 × 3 table alike": lambda: _order(2, 3),
    "S_2 permutes both axes of a 2 × 2 table alike": lambda: _order(2, 2),
    "S_100 permutes both axes of a 100 × 100 table alike": lambda: _order(2, 100),
    "S_2 × S_3 × S_4 permutes the axes of a 2 × 3 × 4 array": lambda: outer(*(_order(1, n) for n in (2, 3, 4))),
}
#: The actions to choose from in task 1.
CHOICES = [*list(ACTIONS)[:14], NO_SYMMETRY]


@lru_cache
def action(name: str) -> Representation:
    """A representation by its name. Raises ``KeyError`` that lists the names.

    >>> action("C_6 shifts 6 numbers")
    R⁶ of C_6
    """
    return _SITUATIONS.action(name)


# ---- task 1: situations ----------------------------------------------------------------------------------------------

#: letter -> what goes in and what comes out
SITUATIONS: dict[str, str] = {
    "A": "Four pupils say how much they trust each other, and themselves: a 4 × 4 table. "
    "Wanted: for each entry, what they will say next year.",
    "B": "The same table of trust. Wanted: for each pupil, how popular they are.",
    "C": "Four pupils answer four exam questions that come in no particular order: a 4 × 4 table of points. "
    "Wanted: the same table for a second try.",
    "D": "Three shops sell four kinds of fruit; both come in no particular order. In: a 3 × 4 table of crates. "
    "Wanted: how many customers each shop has.",
    "E": "Six buoys on a canal that forms a ring, alike all round, where the water flows clockwise. In: six temperatures. "
    "Wanted: the same an hour later.",
    "F": "The same canal. Wanted: how much heat it gives off, which may depend on which warm places are neighbours.",
    "G": "Six cards in a hand, in no particular order, each with a value. "
    "Wanted: for each card, how good it would be to play it.",
    "H": "Three runners, in no particular order, on a round track with four marks; any mark may be called the first. "
    "In: a 3 × 4 table of speeds. Wanted: the same in the next lap.",
    "I": "Six temperatures of one morning, from six to eleven o'clock. Wanted: the temperature at noon.",
    "J": "A cloth repeats a pattern of 4 × 6 threads in both directions. In: how bright each thread of one pattern is. "
    "Wanted: the same after washing.",
}
S4_PAIRS, S4 = "S_4 permutes both axes of a 4 × 4 table alike", "S_4 permutes 4 numbers"
S4_S4 = "S_4 × S_4 permutes rows and columns of a 4 × 4 table"
S4_ROWS = "S_4 × S_4 permutes 4 numbers, one for each row"
S3_S4 = "S_3 × S_4 permutes rows and columns of a 3 × 4 table"
S3_ROWS = "S_3 × S_4 permutes 3 numbers, one for each row"
S3_C4, C6, S6 = (
    "S_3 × C_4 permutes rows and shifts columns of a 3 × 4 table",
    "C_6 shifts 6 numbers",
    "S_6 permutes 6 numbers",
)
C6_ALONE, S6_ALONE = "C_6 leaves a number alone", "S_6 leaves a number alone"
C4_C6 = "C_4 × C_6 shifts both axes of a 4 × 6 table"
S100_PAIRS = "S_100 permutes both axes of a 100 × 100 table alike"

_RIGHT: dict[str, tuple[str, str]] = {
    "A": (S4_PAIRS, S4_PAIRS),
    "B": (S4_PAIRS, S4),
    "C": (S4_S4, S4_S4),
    "D": (S3_S4, S3_ROWS),
    "E": (C6, C6),
    "F": (C6, C6_ALONE),
    "G": (S6, S6),
    "H": (S3_C4, S3_C4),
    "I": (NO_SYMMETRY, NO_SYMMETRY),
    "J": (C4_C6, C4_C6),
}

_SITUATIONS = Situations(
    ACTIONS,
    CHOICES,
    _RIGHT,
    entries=6,  # of situation I: six numbers in, one out
    hint="Ask which things are the same on two axes, which stand in a ring, and which have an order.",
)
model, _with = _SITUATIONS.model, _SITUATIONS.choosing


# ---- task 2: count ---------------------------------------------------------------------------------------------------


def _dimensions(in_name: str, out_name: str) -> tuple[int, int]:
    rho_in, rho_out = action(in_name), action(out_name)
    return intertwiner_dimension(rho_in, rho_out), intertwiner_dimension(rho_out.group.trivial(), rho_out)


def parameters(in_name: str, out_name: str, in_channels: int, out_channels: int) -> list[int]:
    """Weights for each pair of channels, invariant vectors for each output channel."""
    maps, vectors = _dimensions(in_name, out_name)
    return [maps * in_channels * out_channels, vectors * out_channels]


def _order_of(name: str) -> int | None:
    """How many axes one permutation moves, if that is what a name says."""
    return 2 if "alike" in name else 1 if name in (S4, "S_3 permutes 3 numbers", S6) else None


def _bell_always(in_name: str, out_name: str, in_channels: int, out_channels: int) -> list[int]:
    orders = _order_of(in_name), _order_of(out_name)
    weights, biases = parameters(in_name, out_name, in_channels, out_channels)
    if orders[0] is None or orders[1] is None:
        return [weights, biases]
    return [bell(orders[0] + orders[1]) * in_channels * out_channels, biases]


def _own_permutation(in_name: str, out_name: str, in_channels: int, out_channels: int) -> list[int]:
    """Where one permutation acts on both axes, each axis is given its own."""
    if "alike" not in in_name or in_name != out_name:
        return parameters(in_name, out_name, in_channels, out_channels)
    return [4 * in_channels * out_channels, out_channels]


def _channels_forgotten(in_name: str, out_name: str, in_channels: int, out_channels: int) -> list[int]:
    return list(_dimensions(in_name, out_name))


def _one_bias(in_name: str, out_name: str, in_channels: int, out_channels: int) -> list[int]:
    return [parameters(in_name, out_name, in_channels, out_channels)[0], out_channels]


def _entries(in_name: str, out_name: str, in_channels: int, out_channels: int) -> list[int]:
    d_in, d_out = action(in_name).dim, action(out_name).dim
    return [d_in * d_out * in_channels * out_channels, d_out * out_channels]


def _parameter_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3_PAIRS, S2_PAIRS = (
        "S_3 permutes both axes of a 3 × 3 table alike",
        "S_2 permutes both axes of a 2 × 2 table alike",
    )
    if hidden:
        return [
            (S2_PAIRS, S2_PAIRS, 2, 1),
            ("S_2 × S_3 × S_4 permutes the axes of a 2 × 3 × 4 array",) * 2 + (1, 2),
            (S3_S4, S3_ROWS, 4, 1),
            (S4_PAIRS, S4, 2, 2),
            (S3_PAIRS, S3_PAIRS, 1, 2),
            (C4_C6, C4_C6, 1, 3),
            ("S_3 × C_4 permutes 3 numbers, one for each row", S3_C4, 1, 1),
            (S100_PAIRS, S100_PAIRS, 2, 3),
        ]
    return [
        (S3_PAIRS, S3_PAIRS, 1, 1),
        (C6, C6_ALONE, 3, 2),
        (S4, S4_PAIRS, 1, 3),
        (S4_PAIRS, S4_PAIRS, 1, 1),
        (S3_S4, S3_S4, 2, 5),
        (S3_C4, S3_C4, 1, 1),
        (S100_PAIRS, S100_PAIRS, 1, 2),
    ]


# ---- task 3: told apart ----------------------------------------------------------------------------------------------


def _tensor(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


def _orbit(name: str, x: Any) -> Tensor:
    """All g▷x, flat: (elements, dim)."""
    rho = action(name)
    return torch.stack([rho.act(g, _tensor(x)).flatten() for g in rho.group.elements()])


def told_apart(name: str, x: Any, y: Any) -> list[bool]:
    """Whether a linear invariant map, and whether any invariant map, gives different answers for x and y."""
    linear = not torch.allclose(_orbit(name, x).mean(0), _orbit(name, y).mean(0))
    return [linear, not bool((_orbit(name, x) == _tensor(y).flatten()).all(1).any())]


def _only_the_total(name: str, x: Any, y: Any) -> list[bool]:
    return [bool(_tensor(x).sum() != _tensor(y).sum()), told_apart(name, x, y)[1]]


def _sorted_entries(name: str, x: Any, y: Any) -> list[bool]:
    one, other = (_tensor(v).flatten().sort().values for v in (x, y))
    return [told_apart(name, x, y)[0], not torch.equal(one, other)]


def _other_place(name: str, x: Any, y: Any) -> list[bool]:
    return [told_apart(name, x, y)[0], not torch.equal(_tensor(x), _tensor(y))]


def _apart_cases(hidden: bool) -> list[tuple[Any, ...]]:
    S3_PAIRS = "S_3 permutes both axes of a 3 × 3 table alike"
    nothing = [0, 0, 0, 0]
    if hidden:
        return [
            (S4, [3, 1, 0, 0], [2, 2, 0, 0]),
            (S4, [3, 1, 0, 2], [0, 1, 2, 3]),
            (C6, [5, 0, 1, 0, 0, 0], [5, 1, 0, 0, 0, 0]),
            (C6, [5, 0, 1, 0, 0, 0], [0, 0, 5, 0, 1, 0]),
            (C6, [1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]),
            (S3_PAIRS, [[2, 0, 0], [0, 0, 1], [0, 0, 0]], [[1, 0, 0], [0, 0, 2], [0, 0, 0]]),
            (S3_PAIRS, [[0, 4, 0], [0, 0, 0], [4, 0, 0]], [[0, 4, 4], [0, 0, 0], [0, 0, 0]]),
            (S3_S4, [[7, 0, 0, 0], [0, 7, 0, 0], nothing], [[7, 7, 0, 0], nothing, nothing]),
            (S3_C4, [[1, 2, 0, 0], nothing, nothing], [nothing, nothing, [0, 0, 2, 1]]),
        ]
    return [
        (S4, [1, 2, 3, 4], [4, 3, 2, 1]),
        (S4, [1, 1, 0, 0], [2, 0, 0, 0]),
        (S4, [1, 2, 3, 4], [1, 2, 3, 5]),
        (C6, [1, 2, 3, 0, 0, 0], [0, 0, 1, 2, 3, 0]),
        (C6, [1, 2, 3, 0, 0, 0], [3, 2, 1, 0, 0, 0]),
        (S3_PAIRS, [[1, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 0], [0, 0, 0]]),
        (S3_PAIRS, [[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[0, 1, 1], [0, 0, 0], [0, 0, 0]]),
        (S3_S4, [[1, 1, 0, 0], nothing, nothing], [[1, 0, 0, 0], [1, 0, 0, 0], nothing]),
        (S3_S4, [[1, 2, 0, 0], nothing, nothing], [nothing, [0, 0, 2, 1], nothing]),
    ]


# ---- task 4: shifts that are left ------------------------------------------------------------------------------------


def _convolve(x: Tensor) -> Tensor:
    return x + 2 * x.roll(1) + 4 * x.roll(2)


def _zero_padded(x: Tensor) -> Tensor:
    longer = torch.cat([x.new_zeros(2), x])
    return longer[2:] + 2 * longer[1:-1] + 4 * longer[:-2]


def _by_threes(x: Tensor) -> Tensor:
    """The numbers in rows of three."""
    if len(x) % 3:
        raise ValueError(f"this layer takes signals whose length is a multiple of 3; got {len(x)} numbers")
    return x.unflatten(0, (-1, 3))


#: Layers on a signal of N numbers, by name; the output may be shorter.
LAYERS: dict[str, Callable[[Tensor], Tensor]] = {
    "circular convolution": _convolve,
    "convolution, zeros beyond the ends": _zero_padded,
    "circular convolution with stride 2": lambda x: _convolve(x)[::2],
    "sums of neighbours, with stride 3": lambda x: _by_threes(x).sum(1),
    "ReLU": lambda x: x.clamp(min=0),
    "running total": lambda x: x.cumsum(0),
    "multiply by 1, 2, 3, 1, 2, 3, …": lambda x: (_by_threes(x) * torch.tensor([1.0, 2.0, 3.0]).to(x)).flatten(),
    "reverse the order": lambda x: x.flip(0),
}


def layer(name: str) -> Callable[[Tensor], Tensor]:
    """A layer by its name: from a tensor of N numbers to a tensor. Raises ``KeyError`` that lists the names.

    >>> layer("running total")(torch.tensor([1.0, 2.0, 3.0]))
    tensor([1., 3., 6.])
    """
    if name not in LAYERS:
        raise KeyError(f"there is no layer named {name!r}; there are: {'; '.join(LAYERS)}")
    return LAYERS[name]


def shifts(name: str, n: int) -> list[int]:
    """The t in 0 … n − 1 with f(x shifted by t) = f(x) shifted by t · (length of f(x)) / n."""
    f = layer(name)
    inputs = torch.randn(3, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kept = []
    for t in range(n):
        length = len(f(inputs[0]))
        by, rest = divmod(t * length, n)
        if rest == 0 and all(torch.allclose(f(x.roll(t)), f(x).roll(by)) for x in inputs):
            kept.append(t)
    return kept


def _always(*names: str) -> Callable[[str, int], list[int]]:
    """Somebody who believes that these layers commute with every shift."""
    return lambda name, n: list(range(n)) if name in names else shifts(name, n)


def _all_or_nothing(name: str, n: int) -> list[int]:
    found = shifts(name, n)
    return found if len(found) == n else [0]


def _shift_cases(hidden: bool) -> list[tuple[Any, ...]]:
    return [(name, n) for n in ((12, 15, 18) if hidden else (6, 9, 12)) for name in LAYERS]


# ---- the tasks -------------------------------------------------------------------------------------------------------

TASKS = [
    SituationsTask(
        id="13_review.situations",
        outcome="find the group, its actions and the number of weights in a situation",
        points=4,
        minutes=18,
        name="model",
        reference=model,
        cases=lambda hidden: [(letter,) for letter in SITUATIONS],
        accept=_SITUATIONS.accept,
        count_only=True,
        shown="All ten are right, actions and numbers, the one without a symmetry among them.",
        misconceptions=(
            Misconception(
                "each axis has its own permutation",
                _with(A=(S4_S4, S4_S4), B=(S4_S4, S4_ROWS)),
                "Where rows and columns stand for the same things, a permutation of these things moves both axes at once.",
            ),
            Misconception(
                "equal lengths are the same things",
                _with(C=(S4_PAIRS, S4_PAIRS)),
                "Two axes may be equally long and yet stand for different things: then their orders change independently.",
            ),
            Misconception(
                "a ring is a set",
                _with(E=(S6, S6), F=(S6, S6_ALONE), H=(S3_S4, S3_S4)),
                "You let all permutations act on what stands in a ring. Neighbours stay neighbours there.",
            ),
            Misconception(
                "a set is a ring",
                _with(G=(C6, C6)),
                "What has no neighbours does not stand in a ring: there any order means the same.",
            ),
            Misconception(
                "every situation has a symmetry",
                _with(I=(C6, C6_ALONE)),
                "One of the situations has no symmetry: its numbers have a first and a last one.",
            ),
            Misconception(
                "every entry is a weight",
                _SITUATIONS.counting(all_entries),
                "Your actions are right, and your numbers are those of all entries. Entries of one orbit share a weight.",
            ),
        ),
    ),
    FunctionTask(
        id="13_review.parameters",
        outcome="count weights and biases of a layer, with channels and for small N",
        points=4,
        minutes=14,
        name="parameters",
        reference=parameters,
        cases=_parameter_cases,
        shown="Weights and biases are right for sets, tables, orders and rings, with channels, for small N too.",
        misconceptions=(
            Misconception(
                "the Bell number for every N",
                _bell_always,
                "You count all set partitions. N places have room for at most N blocks: a partition into more gives no orbit.",
            ),
            Misconception(
                "each axis has its own permutation",
                _own_permutation,
                "You count 4 for two axes. That is right if their permutations are independent; here one permutation moves both.",
            ),
            Misconception(
                "channels do not count",
                _channels_forgotten,
                "Each pair of an input and an output channel has weights of its own, and each output channel has biases.",
            ),
            Misconception(
                "only the output channels count",
                lambda *args: [_dimensions(*args[:2])[0] * args[3], parameters(*args)[1]],
                "Your biases are right. Each pair of an input and an output channel has weights of its own: multiply by both numbers.",
            ),
            Misconception(
                "a bias for each place",
                lambda *args: [parameters(*args)[0], action(args[1]).dim * args[3]],
                "Your weights are right. A bias stays the same when the output is moved: on a ring all its places are equal.",
            ),
            Misconception(
                "biases for the input channels too",
                lambda *args: [parameters(*args)[0], parameters(*args)[1] * args[2]],
                "Your weights are right. A bias is added to an output channel: the input channels have no part in it.",
            ),
            Misconception(
                "one bias for each channel",
                _one_bias,
                "Your weights are right. A bias is an invariant vector: of a table with one permutation on both axes there are two.",
            ),
            Misconception(
                "every entry is a weight",
                _entries,
                "You count the entries of W and of b. Entries of one orbit share a weight.",
            ),
        ),
    ),
    FunctionTask(
        id="13_review.told-apart",
        outcome="say which inputs linear and other invariant maps tell apart",
        points=3,
        minutes=12,
        name="told_apart",
        reference=told_apart,
        cases=_apart_cases,
        shown="Linear invariant maps see the mean over the orbit; some invariant map tells any two orbits apart.",
        misconceptions=(
            Misconception(
                "what no linear map sees, no map sees",
                lambda *args: [told_apart(*args)[0]] * 2,
                "Some invariant map is 1 on the orbit of x and 0 elsewhere. It need not be linear.",
            ),
            Misconception(
                "linear maps tell all orbits apart",
                lambda *args: [told_apart(*args)[1]] * 2,
                "A linear invariant map gives the same for x as for the mean of all g▷x. Other orbits may have the same mean.",
            ),
            Misconception(
                "the total is the only linear invariant",
                _only_the_total,
                "You compare totals. Where one permutation moves both axes of a table, the sum of the diagonal is invariant as well.",
            ),
            Misconception(
                "the sorted entries decide",
                _sorted_entries,
                "You compare sorted entries. That is right for all permutations of the entries, and this group may hold fewer.",
            ),
            Misconception(
                "any two inputs can be told apart",
                _other_place,
                "An invariant map gives the same for all g▷x. If y is one of them, nothing tells the two apart.",
            ),
        ),
    ),
    FunctionTask(
        id="13_review.shifts",
        outcome="say which part of a symmetry a layer keeps",
        points=2,
        minutes=9,
        name="shifts",
        reference=shifts,
        cases=_shift_cases,
        shown="All shifts, every second, every third, two of them, or none but 0: each layer keeps a subgroup.",
        misconceptions=(
            Misconception(
                "a convolution keeps every shift",
                _always(*(name for name in LAYERS if "convolution" in name)),
                "Not every convolution keeps every shift: a shift moves numbers over the edge, or between the places that a stride takes.",
            ),
            Misconception(
                "zeros beyond the ends do no harm",
                _always("convolution, zeros beyond the ends"),
                "On a ring the numbers that leave at one end come in at the other. With zeros beyond the ends they are lost.",
            ),
            Misconception(
                "stride keeps every shift",
                _always("circular convolution with stride 2", "sums of neighbours, with stride 3"),
                "With stride 2 a shift by 1 takes the numbers between: the output has no half places. If N is odd, look at t·m/N.",
            ),
            Misconception(
                "all or nothing",
                _all_or_nothing,
                "You return all shifts or 0 alone. A layer may keep some: try each shift.",
            ),
            Misconception(
                "reversing keeps every shift",
                _always("reverse the order"),
                "After reversing, a shift to the right has become one to the left. For which t are the two the same?",
            ),
        ),
    ),
]
