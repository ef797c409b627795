"""The mixed review sheet after lesson 16: which group, which actions, how many weights?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, Wrong, show
from ..groups import SO, CyclicGroup, O, PermutationGroup, SymmetricGroup
from ..representations import Representation, from_generators
from ..solvers import intertwiner_dimension
from .common import NO_SYMMETRY, Situations, SituationsTask, all_entries

# ---- actions by name -------------------------------------------------------------------------------------------------


def _permutes(*generators: list[int]) -> Representation:
    return PermutationGroup(generators).defining()


#: What the first task calls an action. ⟨…⟩ is the group that the generators between the brackets produce.
ACTIONS: dict[str, Callable[[], Representation]] = {
    "S_3 permutes 3 numbers": lambda: SymmetricGroup(3).defining(),
    "S_3 permutes 3 numbers, and a swap changes all signs": lambda: (
        SymmetricGroup(3).defining() * SymmetricGroup(3).sign()
    ).flatten(),
    "S_3 leaves a number alone": lambda: SymmetricGroup(3).trivial(),
    "⟨[1, 2, 3, 0]⟩ permutes 4 numbers": lambda: _permutes([1, 2, 3, 0]),
    "⟨[1, 2, 3, 0], [1, 0, 3, 2]⟩ permutes 4 numbers": lambda: _permutes([1, 2, 3, 0], [1, 0, 3, 2]),
    "⟨[1, 0, 2, 3], [2, 3, 0, 1]⟩ permutes 4 numbers": lambda: _permutes([1, 0, 2, 3], [2, 3, 0, 1]),
    "⟨[1, 0, 3, 2], [2, 3, 0, 1]⟩ permutes 4 numbers": lambda: _permutes([1, 0, 3, 2], [2, 3, 0, 1]),
    "S_4 permutes 4 numbers": lambda: SymmetricGroup(4).defining(),
    "S_4 leaves 3 numbers alone": lambda: SymmetricGroup(4).trivial(3),
    "S_4 turns and mirrors a vector, together with a tetrahedron": lambda: SymmetricGroup(4).irrep((3, 1)),
    "⟨[4, 2, 1, 5, 0, 3]⟩ permutes 6 numbers": lambda: _permutes([4, 2, 1, 5, 0, 3]),
    "S_6 permutes 6 numbers": lambda: SymmetricGroup(6).defining(),
    "SO(2) turns a vector in the plane": lambda: SO(2).defining(),
    "O(2) turns and mirrors a vector in the plane": lambda: O(2).defining(),
    "SO(2) turns both axes of a 2 × 2 table": lambda: SO(2).defining() ** 2,
    "O(2) turns and mirrors both axes of a 2 × 2 table": lambda: O(2).defining() ** 2,
    "SO(3) turns a vector in space": lambda: SO(3).defining(),
    "O(3) turns and mirrors a vector in space": lambda: O(3).defining(),
    "O(3) turns and mirrors a vector in space, and a mirror reverses it too": lambda: (
        O(3).defining() * O(3).sign()
    ).flatten(),
    "SO(3) turns both axes of a 3 × 3 table": lambda: SO(3).defining() ** 2,
    "O(3) turns and mirrors both axes of a 3 × 3 table": lambda: O(3).defining() ** 2,
}
CHOICES = [*ACTIONS, NO_SYMMETRY]

POINTS_3, SIGNED_3, ALONE_3, RING, SQUARE, PAIRS, FLIPS, SET_4, FIXED_4, TETRAHEDRON, DEGREES, SET_6, *_REST = ACTIONS
SO2, O2, SO2_TABLE, O2_TABLE, SO3, O3, O3_REVERSED, SO3_TABLE, O3_TABLE = _REST


@lru_cache
def action(name: str) -> Representation:
    """A representation by its name. Raises ``KeyError`` that lists the names.

    >>> action("⟨[1, 2, 3, 0]⟩ permutes 4 numbers").group.order
    4
    """
    return _SITUATIONS.action(name)


# ---- task 1: situations ----------------------------------------------------------------------------------------------

#: letter -> what goes in and what comes out
SITUATIONS: dict[str, str] = {
    "A": "A cup with four players: 0 meets 1, and 2 meets 3; then the two winners meet. In: how strong each player is. "
    "Wanted: for each one, the chance to win the cup.",
    "B": "A table top, longer than it is wide, the same at both ends and on both sides, stands on four equal legs: 0 and 1 "
    "in front, left and right; 2 and 3 behind, left and right. It bends, and hands on each load to all four. In: the load on "
    "each corner. Wanted: how far each leg gives way.",
    "C": "Four equal microphones at the corners of a tetrahedron whose edges are all equally long. In: how loud it is at "
    "each. Wanted: a vector in space that points to the source, seen from the middle.",
    "D": "Three equal wires join three corners. Wire i lies opposite corner i, and the arrows on the wires lead once round "
    "the triangle. In: the voltage of each corner. Wanted: the current in each wire, counted along its arrow.",
    "E": "Three equal cars on a round track, at equal distances: 0, ahead of it 1, and ahead of that 2. In: the three "
    "velocities, all counted in the direction 0 → 1 → 2 → 0. Wanted: the time until two of them meet.",
    "F": "A flat disc of metal, alike in all directions, in the field of a magnet that pushes the moving charges to their "
    "left. In: the electric field, a vector in the disc. Wanted: the current, a vector in the disc.",
    "G": "A sheet of rubber, alike in all directions and on both faces. In: how the displacement of its points "
    "changes from place to place, a 2 × 2 table. Wanted: the tension in it, a 2 × 2 table.",
    "H": "A ball is held at its middle, and a force f pulls at its point u: two vectors in space, seen from the middle. In: the "
    "3 × 3 table with the entries uᵢ fⱼ. Wanted: how the ball starts to turn, as an arrow along the axis. Who looks at the "
    "arrow's tip sees the ball turn counter-clockwise.",
    "I": "A liquid is full of tiny screws, all of them right-handed, lying in all directions. In: how its flow changes from "
    "place to place, a 3 × 3 table. Wanted: the velocity with which the screws drift, a vector.",
    "J": "Six villages and six roads: 0–1, 1–2, 2–3, 3–4, 1–5 and 2–5. This map is known and always the same. In: how many "
    "people live in each village. Wanted: for each one, how many cars there are on a market day.",
}
_SITUATIONS = Situations(
    ACTIONS,
    CHOICES,
    right={
        "A": (PAIRS, PAIRS),
        "B": (FLIPS, FLIPS),
        "C": (SET_4, TETRAHEDRON),
        "D": (POINTS_3, SIGNED_3),
        "E": (SIGNED_3, ALONE_3),
        "F": (SO2, SO2),
        "G": (O2_TABLE, O2_TABLE),
        "H": (O3_TABLE, O3_REVERSED),
        "I": (SO3_TABLE, SO3),
        "J": (NO_SYMMETRY, NO_SYMMETRY),
    },
    entries=36,  # of situation J: six numbers in, six out
    hint="Ask after which moves nothing that the text tells looks moved, whether mirrors are among them, and what each of them "
    "does to the answer and to its sign.",
)
model, _choosing = _SITUATIONS.model, _SITUATIONS.choosing


def _count_colours(rho_in: Representation, rho_out: Representation) -> int:
    """Orbits of entries, where signs count for nothing: no orbit is zero."""
    if not (rho_in.is_signed_permutation and rho_out.is_signed_permutation):
        return intertwiner_dimension(rho_in, rho_out)
    pairs = [(rho_in.matrix(g).abs(), rho_out.matrix(g).abs()) for g in rho_in.group.elements()]
    return round(sum((a.trace() * b.trace()).item() for a, b in pairs) / len(pairs))


def _symmetric_tables(letter: str) -> list[Any]:
    """Somebody who has W_ij = W_ji in mind when reading of a table."""
    *actions, weights = model(letter)
    return [*actions, {"G": 2, "H": 0, "I": 0}.get(letter, weights)]


def _one_for_each_pair(rho_in: Representation, rho_out: Representation) -> int:
    """Schur's lemma as it holds over the complex numbers."""
    return 1 if rho_in == rho_out == SO(2).defining() else intertwiner_dimension(rho_in, rho_out)


# ---- task 2: frequencies ---------------------------------------------------------------------------------------------


def turned(group: str, frequencies: Sequence[int]) -> Representation:
    """The numbers and vectors that turns (and mirrors) move with these frequencies; 0 is a number that stays."""
    if group in ("SO(2)", "O(2)"):
        G: Any = SO(2) if group == "SO(2)" else O(2)
        parts = [G.irrep(k) if k else G.trivial() for k in frequencies]
    else:
        G = CyclicGroup(_turns(group))
        step = 2 * math.pi / G.n
        parts = [from_generators(G, matrices=[SO(2).rotation(k * step)]) if k else G.trivial() for k in frequencies]
    return sum(parts[1:], start=parts[0])


def _turns(group: str) -> int:
    """The n of C_n."""
    return int(group.removeprefix("C_"))


def parameters(group: str, ins: list[int], outs: list[int], in_channels: int, out_channels: int) -> list[int]:
    """Weights for each pair of channels, invariant vectors for each output channel."""
    maps, vectors = _dimensions(group, tuple(ins), tuple(outs))
    return [maps * in_channels * out_channels, vectors * out_channels]


@lru_cache
def _dimensions(group: str, ins: tuple[int, ...], outs: tuple[int, ...]) -> tuple[int, int]:
    """For one channel; cached, since many misconceptions ask again."""
    rho_in, rho_out = turned(group, ins), turned(group, outs)
    return intertwiner_dimension(rho_in, rho_out), intertwiner_dimension(rho_out.group.trivial(), rho_out)


Split = Callable[[str, int], list[Any]]


def split(group: str, k: int) -> list[Any]:
    """The irreps in frequency k: "stays", "flips", or the frequency of a plane, from 1 to below n/2 for C_n."""
    if k == 0 or not group.startswith("C_"):
        return [k or "stays"]
    n = _turns(group)
    k = min(k % n, -k % n)
    return ["stays"] * 2 if k == 0 else ["flips"] * 2 if 2 * k == n else [k]


def _planes_stay_planes(group: str, k: int) -> list[Any]:
    if k == 0 or not group.startswith("C_"):
        return [k or "stays"]
    return [min(k % _turns(group), -k % _turns(group))]


def _one_irrep_each(group: str, k: int) -> list[Any]:
    return split(group, k)[:1]


def _forwards_only(group: str, k: int) -> list[Any]:
    if k == 0 or not group.startswith("C_"):
        return [k or "stays"]
    n = _turns(group)
    return split(group, k) if 2 * (k % n) in (0, n) else [k % n]


def _infinitely_many(group: str, k: int) -> list[Any]:
    return [k or "stays"]


def schur(split: Split, plane: Callable[[str], int]) -> Callable[..., list[int]]:
    """Counting by Schur's lemma: ``plane`` numbers for a pair of equal planes, one for a pair of equal numbers."""

    def count(group: str, ins: list[int], outs: list[int], in_channels: int, out_channels: int) -> list[int]:
        there, here = ([part for k in ks for part in split(group, k)] for ks in (outs, ins))
        size = [1 if isinstance(a, str) else plane(group) for a in here for b in there if a == b]
        return [sum(size) * in_channels * out_channels, there.count("stays") * out_channels]

    return count


def _of_type(group: str) -> int:
    return 1 if group == "O(2)" else 2


def _size(frequencies: list[int]) -> int:
    return sum(2 if k else 1 for k in frequencies)


def _parameter_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ("SO(2)", [2, 2], [2, 1], 3, 1),
            ("O(2)", [0, 1, 2], [0, 0, 2], 1, 2),
            ("C_2", [1], [3], 2, 1),
            ("C_3", [3], [0, 3], 1, 3),
            ("C_6", [1, 3], [3, 5], 1, 2),
            ("C_8", [1, 2], [7, 6, 0], 2, 2),
            ("C_5", [2, 0], [3, 7, 10], 1, 2),
            ("C_10", [3, 5], [13, 17, 15], 1, 2),
        ]
    return [
        ("SO(2)", [1], [1], 1, 1),
        ("C_4", [1], [3], 1, 1),
        ("C_4", [2], [2], 1, 1),
        ("C_6", [3], [3], 1, 1),
        ("C_4", [1], [5, 6], 1, 1),
        ("C_4", [2], [6], 1, 1),
        ("C_3", [0], [6], 1, 1),
        ("C_12", [1], [11, 2], 1, 1),
        ("O(2)", [0, 1], [0, 1, 1], 1, 2),
        ("O(2)", [0, 1], [1, 1], 1, 2),
        ("C_4", [0, 1], [0, 4], 1, 1),
        ("SO(2)", [0, 1, 1], [0, 1, 2], 2, 3),
        ("C_3", [1, 2], [0, 1], 3, 2),
    ]


# ---- task 3: fewer elements ------------------------------------------------------------------------------------------

Moves = list[list[int]]


def enough(whole: Moves, part: Moves, k: int) -> list[bool]:
    """Whether two lists of moves generate the same group, and whether they leave the same arrays with k axes alone."""
    one, other = (_order_and_weights(tuple(map(tuple, moves)), k) for moves in (whole, part))
    return [one[0] == other[0], one[1] == other[1]]


@lru_cache
def _order_and_weights(generators: tuple[tuple[int, ...], ...], k: int) -> tuple[float, int]:
    """Cached, since each misconception asks again."""
    group = PermutationGroup(list(map(list, generators)))
    return group.order, intertwiner_dimension(group.trivial(), group.defining() ** k)


_CYCLE, _SWAP = [1, 2, 0], [1, 0, 2]
_SQUARE = [[1, 2, 3, 0], [0, 3, 2, 1]]
_PENTAGON = [[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]]
_S4, _EVEN_4 = [[1, 2, 3, 0], [1, 0, 2, 3]], [[1, 2, 0, 3], [0, 2, 3, 1]]
_S5, _LINES_5 = [[1, 2, 3, 4, 0], [1, 0, 2, 3, 4]], [[1, 2, 3, 4, 0], [0, 2, 4, 1, 3]]


_EVEN_5, _EVEN_5_TOO = [[1, 2, 3, 4, 0], [1, 2, 0, 3, 4]], [[4, 0, 1, 2, 3], [0, 1, 3, 4, 2]]


def _accept_enough(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = "enough(" + ", ".join(map(show, args)) + f") gave {show(got)}"
    if (
        not isinstance(got, list)
        or len(got) != 2
        or any(not isinstance(x, (bool, int)) or x not in (0, 1) for x in got)
    ):
        raise Malformed(f"{call}; expected two answers, each True or False")
    if got != expected:
        raise Wrong(f"{call}; expected {show(expected)}")


def _of_sets(whole: Moves, part: Moves, k: int) -> list[bool]:
    """Somebody who takes (i, j) and (j, i) for one place."""
    orbits = [_orbits_of_sets(moves, k) for moves in (whole, part)]
    return [enough(whole, part, k)[0], orbits[0] == orbits[1]]


def _orbits_of_sets(moves: Moves, k: int) -> int:
    left, found = set(itertools.combinations_with_replacement(range(len(moves[0])), k)), 0
    while left:
        found += 1
        reached = [left.pop()]
        for place in reached:
            new = {tuple(sorted(g[i] for i in place)) for g in moves} & left
            left -= new
            reached += new
    return found


def _enough_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[1, 0, 2], [0, 2, 1]], [[2, 0, 1]], 1),
            ([[1, 0, 2], [0, 2, 1]], [[2, 0, 1]], 2),
            ([[1, 0, 2], [0, 2, 1]], [[2, 0, 1]], 3),
            (_S5, _LINES_5, 2),
            (_S5, _LINES_5, 3),
            ([[1, 2, 3, 4, 5, 0]], [[5, 0, 1, 2, 3, 4]], 2),
            ([[1, 2, 3, 4, 5, 0]], [[2, 3, 4, 5, 0, 1]], 1),
            ([[1, 0, 2, 3], [0, 1, 3, 2]], [[1, 0, 3, 2]], 1),
            ([[1, 0, 2, 3], [0, 1, 3, 2]], [[1, 0, 3, 2]], 2),
            ([[2, 3, 0, 1]], [[2, 3, 0, 1], [0, 1, 2, 3]], 1),
            (_PENTAGON, [[0, 4, 3, 2, 1], [1, 0, 4, 3, 2]], 3),
            (_PENTAGON[:1], [[1, 2, 3, 4, 0], [2, 3, 4, 0, 1]], 2),
            (_S5, _PENTAGON, 2),
            (_S5, _EVEN_5_TOO, 2),
            (_S5, _EVEN_5_TOO, 3),
            (_S5, _EVEN_5_TOO, 4),
        ]
    return [
        ([_CYCLE, _SWAP], [_CYCLE], 1),
        ([_CYCLE, _SWAP], [_CYCLE], 2),
        ([_CYCLE, _SWAP], [_CYCLE], 3),
        ([_CYCLE, _SWAP], [_SWAP, [0, 2, 1]], 2),
        ([_SWAP], [[0, 1, 2]], 1),
        ([[1, 2, 3, 0]], [[1, 2, 3, 0], [2, 3, 0, 1]], 1),
        (_SQUARE, _SQUARE[:1], 2),
        (_SQUARE, [[0, 3, 2, 1], [1, 0, 3, 2]], 2),
        (_S4, _EVEN_4, 1),
        (_S4, _EVEN_4, 2),
        (_S4, _EVEN_4, 3),
        ([[1, 2, 3, 4, 0]], [[2, 3, 4, 0, 1]], 3),
        (_S4, [[1, 2, 3, 0], [2, 1, 0, 3]], 2),
        (_S5, _EVEN_5, 3),
        (_S5, _EVEN_5, 4),
    ]


# ---- task 4: what an input leaves to the output ----------------------------------------------------------------------

Vector = list[float]
PLAIN, REVERSED = "R", "det(R) R"


def possible(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    """Whether some equivariant f has f(vectors) = y: all that leaves the vectors alone leaves y alone."""
    return _mover(group, kind, vectors, y) is None


def _mover(group: str, kind: str, vectors: list[Vector], y: Vector) -> Tensor | None:
    """An element of the group that leaves the vectors alone and moves y, if there is one.

    The mirrors at right angles to the vectors, and products of two of them, are enough to try.
    """
    across = _across(vectors)
    one = torch.eye(3, dtype=torch.float64)
    mirrors = [one - 2 * torch.outer(n, n) for n in across]
    half_turns = [mirrors[i] @ mirrors[j] for i in range(len(mirrors)) for j in range(i)]
    target = _vector(y)
    for R in half_turns if group == "SO(3)" else mirrors + half_turns:
        moved = R @ target * (torch.linalg.det(R) if kind == REVERSED else 1)
        if not torch.allclose(moved, target):
            return R
    return None


def _vector(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


def _across(vectors: list[Vector]) -> list[Tensor]:
    """Directions of length 1, at right angles to each other and to the vectors, as many as there are."""
    found: list[tuple[int, Tensor]] = []
    for number, v in enumerate([*map(_vector, vectors), *torch.eye(3, dtype=torch.float64)]):
        rest = v - sum((u * (u @ v) for _, u in found), start=torch.zeros_like(v))
        if rest.norm() > 1e-6:
            found.append((number, rest / rest.norm()))
    return [u for number, u in found if number >= len(vectors)]


def _only_sums(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    return possible("O(3)", PLAIN, vectors, y)


def _counted(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    """Somebody who takes the number of vectors for the number of directions in which they point."""
    missing = min(len(vectors), 3) - (3 - len(_across(vectors))) if len(vectors) > 1 else 0
    return possible(group, kind, [*vectors, *(v.tolist() for v in _across(vectors)[:missing])], y)


def _three_are_all(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    return len(vectors) > 2 or possible(group, kind, vectors, y)


def _entry_by_entry(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    """Where y has to be a sum of multiples of the inputs, a multiple for each entry; where it has to be at right angles, likewise."""
    rank = 3 - len(_across(vectors))
    if rank == 3 or (group, rank) == ("SO(3)", 2):
        return True
    used = [any(v[i] for v in vectors) for i in range(3)]
    if (group, kind) != ("O(3)", REVERSED):
        return all(used[i] or not y[i] for i in range(3))
    return all(not y[i] for i in range(3) if used[i] or rank < 2)


def _span_by_entry(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    """The same, but right angles are seen as they are."""
    return (possible if (group, kind) == ("O(3)", REVERSED) else _entry_by_entry)(group, kind, vectors, y)


def _unmixed(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    """With two vectors and turns alone: a sum of multiples of u and v, or a multiple of u × v."""
    across = _across(vectors)
    if (group, len(across)) != ("SO(3)", 1):
        return possible(group, kind, vectors, y)
    return possible("O(3)", PLAIN, vectors, y) or possible("O(3)", REVERSED, vectors, y)


def _leaves_the_plane(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    across = _across(vectors)
    if (group, kind, len(across)) != ("O(3)", REVERSED, 1):
        return possible(group, kind, vectors, y)
    return not any(y) or bool(abs(across[0] @ _vector(y)) > 1e-6)


def _minus_one_alone(group: str, kind: str, vectors: list[Vector], y: Vector) -> bool:
    """Somebody who tries no element but −1 where zero goes in."""
    return possible(group, kind, vectors, y) or (group == "O(3)" and kind == REVERSED and len(_across(vectors)) == 3)


def _possible_cases(hidden: bool) -> list[tuple[Any, ...]]:
    x, xy, xyz = [[1, 0, 0]], [[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0], [1, 1, 1]]
    flat, yz = [[1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 1], [0, 0, 3]]
    slanted = [[1, 1, 0], [0, 1, 1]]
    if hidden:
        return [
            ("SO(3)", PLAIN, [[0, 2, 0]], [0, -70, 0]),
            ("SO(3)", PLAIN, [[0, 6, 0]], [0, 1, 0]),
            ("O(3)", REVERSED, [[0, 2, 0]], [0, -7, 0]),
            ("O(3)", REVERSED, [[0, 2, 0]], [0, 0, 0]),
            ("SO(3)", PLAIN, [[0, 2, 0]], [0, 1, 1]),
            ("SO(3)", REVERSED, [[0, 2, -1]], [0, -1, 2]),
            ("O(3)", PLAIN, slanted, [2, 0, 1]),
            ("O(3)", PLAIN, slanted, [3, 1, -2]),
            ("O(3)", REVERSED, slanted, [2, -2, 2]),
            ("SO(3)", PLAIN, slanted, [2, -1, 3]),
            ("SO(3)", PLAIN, yz, [2, 0, 0]),
            ("O(3)", PLAIN, yz, [2, 0, 0]),
            ("O(3)", PLAIN, yz, [0, 4, -1]),
            ("O(3)", REVERSED, yz, [-2, 0, 0]),
            ("O(3)", REVERSED, yz, [-2, 0, 1]),
            ("SO(3)", REVERSED, yz, [0, 4, -1]),
            ("SO(3)", PLAIN, [[0, 1, 2], [0, -1, -2]], [3, 0, 0]),
            ("O(3)", REVERSED, [[0, 1, 2], [0, -1, -2]], [3, 0, 0]),
            ("O(3)", REVERSED, [[1, 0, 0], [0, 2, 0], [0, 1, 3]], [4, 5, 6]),
            ("O(3)", PLAIN, [*yz, [0, 2, 2]], [5, 0, 0]),
            ("SO(3)", PLAIN, [[0, 1, 1], [0, 2, 2], [0, -1, -1]], [1, 0, 0]),
            ("O(3)", PLAIN, [[0, 0, 0]], [0, 1, 0]),
            ("O(3)", REVERSED, [[0, 0, 0]], [0, 2, 1]),
        ]
    return [
        ("SO(3)", PLAIN, x, [2, 0, 0]),
        ("SO(3)", PLAIN, x, [-2, 0, 0]),
        ("SO(3)", PLAIN, [[3, 0, 0]], [1, 0, 0]),
        ("SO(3)", PLAIN, x, [0, 3, 0]),
        ("SO(3)", PLAIN, [[1, 2, 0]], [2, 1, 0]),
        ("SO(3)", PLAIN, [[1, 2, 0]], [-2, -4, 0]),
        ("SO(3)", PLAIN, xy, [0, 0, 4]),
        ("SO(3)", PLAIN, xy, [1, 0, 4]),
        ("O(3)", PLAIN, xy, [0, 0, 4]),
        ("O(3)", PLAIN, xy, [2, 5, 0]),
        ("O(3)", PLAIN, slanted, [1, 0, 1]),
        ("O(3)", REVERSED, xy, [0, 0, 4]),
        ("O(3)", REVERSED, xy, [1, 0, 4]),
        ("O(3)", REVERSED, xy, [2, 5, 0]),
        ("O(3)", REVERSED, slanted, [1, -1, 1]),
        ("O(3)", REVERSED, x, [2, 0, 0]),
        ("SO(3)", REVERSED, x, [2, 0, 0]),
        ("SO(3)", PLAIN, [[1, 2, 0], [2, 4, 0]], [0, 0, 1]),
        ("O(3)", REVERSED, [[1, 2, 0], [2, 4, 0]], [0, 0, 1]),
        ("O(3)", PLAIN, xyz, [7, -2, 5]),
        ("O(3)", PLAIN, flat, [0, 0, 2]),
        ("SO(3)", PLAIN, [[0, 0, 0]], [1, 0, 0]),
        ("O(3)", PLAIN, [[0, 0, 0]], [0, 0, 0]),
        ("O(3)", REVERSED, [[0, 0, 0]], [1, 0, 0]),
    ]


def _accept_possible(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    group, kind, vectors, y = args
    call = f"possible({show(group)}, {show(kind)}, {show(vectors)}, {show(y)})"
    if not isinstance(got, (bool, int, float)) or got not in (True, False):
        raise Wrong(f"{call} gave {show(got)}; expected True or False")
    if bool(got) == expected:
        return
    R = _mover(group, kind, vectors, y)
    if R is None:
        why = f"for each R in {group} that leaves the inputs alone, {kind} leaves y alone"
    else:
        rows = [[round(v, 3) for v in row] for row in R.tolist()]
        why = f"R = {show(rows)} leaves the inputs alone, and {kind} moves y"
    raise Wrong(f"{call} gave {show(bool(got))}, but {why}.")


# ---- the tasks -------------------------------------------------------------------------------------------------------

TASKS = [
    SituationsTask(
        id="16_review.situations",
        outcome="find the group, its actions and the number of weights where signs, mirrors and generators count",
        points=4,
        minutes=32,
        name="model",
        reference=model,
        cases=lambda hidden: [(letter,) for letter in SITUATIONS],
        accept=_SITUATIONS.accept,
        count_only=True,
        shown="All ten are right, actions and numbers: finite and continuous groups, signs, mirrors, and no symmetry.",
        misconceptions=(
            Misconception(
                "places that look alike are a set",
                _choosing(A=(SET_4, SET_4), B=(SET_4, SET_4)),
                "You let all permutations act where each place looks like each other one. Look at pairs of places: some "
                "belong together more closely than others.",
            ),
            Misconception(
                "four places are a square",
                _choosing(A=(SQUARE, SQUARE), B=(SQUARE, SQUARE)),
                "You let a quarter turn take each of four places to the next one. See which pairs of places it moves onto each other.",
            ),
            Misconception(
                "arrows make no difference",
                _choosing(D=(POINTS_3, POINTS_3), E=(POINTS_3, ALONE_3)),
                "You permute what is counted in a direction. A move that turns the direction round changes a sign as well.",
            ),
            Misconception(
                "the sign goes to the other side",
                _choosing(D=(SIGNED_3, POINTS_3)),
                "You change signs on the wrong side. They belong where numbers are counted in a direction.",
            ),
            Misconception(
                "input and output move alike",
                _choosing(C=(TETRAHEDRON, TETRAHEDRON), D=(SIGNED_3, SIGNED_3)),
                "You move input and output in the same way. One move can permute the numbers on one side, and turn a vector or change "
                "signs on the other.",
            ),
            Misconception(
                "the moves that one sees first are all",
                _choosing(A=(FLIPS, FLIPS)),
                "The moves that you allow do count, and the list has a larger group of such moves. Try to exchange only two.",
            ),
            Misconception(
                "mirrors are always allowed",
                _choosing(F=(O2, O2), I=(O3_TABLE, O3)),
                "You allow a mirror that changes what is given. Where left is told from right, the mirror image is another situation.",
            ),
            Misconception(
                "a reversed output lets mirrors in",
                _choosing(I=(O3_TABLE, O3_REVERSED)),
                "You let mirrors in by reversing the answer. Ask first whether the mirror image is the same situation: it is not where "
                "what is given is left- or right-handed.",
            ),
            Misconception(
                "continuous groups have no mirrors",
                _choosing(G=(SO2_TABLE, SO2_TABLE), H=(SO3_TABLE, SO3)),
                "You leave mirrors out. Where nothing tells a situation from its mirror image, they belong to the group too.",
            ),
            Misconception(
                "every arrow moves like a vector",
                _choosing(H=(O3_TABLE, O3)),
                "You mirror an arrow like a vector. If a rule with a sense of turning says where it points, a mirror reverses it too: "
                "the rule is not mirrored.",
            ),
            Misconception(
                "an output that is no list of the same things stays",
                _choosing(C=(SET_4, FIXED_4)),
                "You leave three numbers alone that are a vector in space. Moves that exchange places in space turn and mirror it.",
            ),
            Misconception(
                "every situation has a symmetry",
                _choosing(J=(SET_6, SET_6)),
                "One of the situations has no symmetry: no permutation but the identity keeps what is known.",
            ),
            Misconception(
                "nodes with equal degrees are alike",
                _choosing(J=(DEGREES, DEGREES)),
                "You exchange nodes with equally many edges. Does that map every edge to an edge?",
            ),
            Misconception(
                "a colour is a weight",
                _SITUATIONS.counting(_count_colours),
                "Your actions are right, and your numbers are those of the orbits. With signs an orbit can be forced to zero.",
            ),
            Misconception(
                "over ℝ every block is one scalar",
                _SITUATIONS.counting(_one_for_each_pair),
                "Your actions are right. Over ℝ a pair of equal irreps has 1, 2 or 4 numbers: what commutes with turns alone?",
            ),
            Misconception(
                "every table is symmetric",
                _symmetric_tables,
                "Your actions are right. Your numbers are those for symmetric tables; here all entries of a table can differ.",
            ),
            Misconception(
                "every entry is a weight",
                _SITUATIONS.counting(all_entries),
                "Your actions are right, and your numbers are those of all entries. The equations W ρ_in(g) = ρ_out(g) W leave fewer.",
            ),
        ),
    ),
    FunctionTask(
        id="16_review.frequencies",
        outcome="count weights and biases for turned vectors, for all turns and for a few",
        points=4,
        minutes=20,
        name="parameters",
        reference=parameters,
        cases=_parameter_cases,
        shown="Weights and biases are right for all turns, with mirrors, and for finite groups that mix up frequencies.",
        misconceptions=(
            Misconception(
                "a finite subgroup tells all frequencies apart",
                schur(_infinitely_many, _of_type),
                "You count for C_n as for SO(2). Turns by 360°/n cannot tell frequency k from k + n, and n from 0.",
            ),
            Misconception(
                "a turn backwards is another frequency",
                schur(_forwards_only, _of_type),
                "You compare frequencies modulo n. n − k turns backwards as k does forwards: in a mirrored basis the two are equal.",
            ),
            Misconception(
                "a plane stays a plane",
                schur(_planes_stay_planes, _of_type),
                "You give each pair of equal planes two numbers. If all turns of the group act as 1 or −1 on it, a plane is two numbers, "
                "each an irrep of its own.",
            ),
            Misconception(
                "each frequency is one irrep",
                schur(_one_irrep_each, _of_type),
                "You count one irrep for each frequency. A vector has two numbers: where all turns of the group act as 1 or −1 on it, it "
                "holds that irrep twice.",
            ),
            Misconception(
                "over ℝ every block is one scalar",
                schur(split, lambda group: 1),
                "You give each pair of equal planes one number. Without mirrors there are two: a1 + bJ.",
            ),
            Misconception(
                "mirrors cost nothing",
                schur(split, lambda group: 2),
                "You keep the quarter turn J for O(2). It does not commute with mirrors.",
            ),
            Misconception(
                "channels do not count",
                lambda group, ins, outs, _, __: parameters(group, ins, outs, 1, 1),
                "Each pair of an input and an output channel has weights of its own, and each output channel has biases.",
            ),
            Misconception(
                "only the output channels count",
                lambda group, ins, outs, _, channels: parameters(group, ins, outs, 1, channels),
                "Your biases are right. Each pair of an input and an output channel has weights of its own: multiply by both numbers.",
            ),
            Misconception(
                "only the input channels count",
                lambda group, ins, outs, channels, out: [
                    parameters(group, ins, outs, channels, 1)[0],
                    parameters(group, ins, outs, 1, out)[1],
                ],
                "Your biases are right. You multiply the weights by the input channels alone: each output channel has its own.",
            ),
            Misconception(
                "weights without channels",
                lambda *args: [parameters(args[0], args[1], args[2], 1, 1)[0], parameters(*args)[1]],
                "Your biases are right. Your weights are those of one channel: each pair of an input and an output channel has its own.",
            ),
            Misconception(
                "no bias at all",
                lambda *args: [parameters(*args)[0], 0],
                "Your weights are right. A bias is a vector that the group leaves alone: single numbers, for example, stay.",
            ),
            Misconception(
                "only single numbers have a bias",
                lambda *args: [parameters(*args)[0], args[2].count(0) * args[4]],
                "Your weights are right. You give a bias to frequency 0 only. A few turns may leave other vectors alone too.",
            ),
            Misconception(
                "the two numbers exchanged",
                lambda *args: parameters(*args)[::-1],
                "You return [biases, weights]; the order is [weights, biases].",
            ),
            Misconception(
                "one bias for each channel",
                lambda *args: [parameters(*args)[0], args[4]],
                "Your weights are right. A bias is an invariant vector: count how many independent ones the output has; there may be none.",
            ),
            Misconception(
                "a bias for each entry",
                lambda *args: [parameters(*args)[0], _size(args[2]) * args[4]],
                "Your weights are right. A bias has to stay when the output is turned: entries of a turned vector have none.",
            ),
        ),
    ),
    FunctionTask(
        id="16_review.enough",
        outcome="say whether fewer elements are the same group, and whether they leave the same weights",
        points=3,
        minutes=15,
        name="enough",
        reference=enough,
        cases=_enough_cases,
        accept=_accept_enough,
        shown="The same group leaves the same weights; a smaller one may do so up to one, two or three axes, and not beyond.",
        misconceptions=(
            Misconception(
                "fewer elements always leave more",
                lambda *args: [enough(*args)[0]] * 2,
                "You say that a smaller group always leaves more. It leaves more only if an orbit of places falls apart.",
            ),
            Misconception(
                "equal weights mean equal groups",
                lambda *args: [enough(*args)[1]] * 2,
                "You say that what leaves the same weights is the same group. Different groups can have one pattern: count elements.",
            ),
            Misconception(
                "orbits of points decide",
                lambda whole, part, k: enough(whole, part, 1),
                "You look at orbits of points. For k axes compare orbits of k-tuples: all points may be within reach, and not all pairs.",
            ),
            Misconception(
                "what is enough for pairs is enough",
                lambda whole, part, k: enough(whole, part, min(k, 2)),
                "You look at pairs. With three axes compare orbits of triples: they can fall apart where pairs do not.",
            ),
            Misconception(
                "three axes tell all groups apart",
                lambda *args: [enough(*args)[0], enough(*args)[args[2] < 3]],
                "You say that with three axes or more only the same group leaves the same weights. A smaller one can do it too.",
            ),
            Misconception(
                "what is enough for triples is enough",
                lambda whole, part, k: enough(whole, part, min(k, 3)),
                "You look at triples. With four axes compare orbits of 4-tuples: they can fall apart where triples do not.",
            ),
            Misconception(
                "the order of the axes does not count",
                _of_sets,
                "You count W[i, j] and W[j, i] as one place. Output and input are different axes: compare orbits of ordered tuples.",
            ),
            Misconception(
                "the two answers exchanged",
                lambda *args: enough(*args)[::-1],
                "You return [same weights, same group]; the order is [same group, same weights].",
            ),
            Misconception(
                "the number of generators decides",
                lambda *args: [len(args[0]) == len(args[1]), enough(*args)[1]],
                "You count generators. Two lists of the same length can produce different groups, and lists of different length the same.",
            ),
            Misconception(
                "other generators, another group",
                lambda *args: [all(g in args[1] for g in args[0]), enough(*args)[1]],
                "You look for the generators themselves in the other list. They may be products of what is listed there.",
            ),
        ),
    ),
    FunctionTask(
        id="16_review.possible",
        outcome="say which outputs an equivariant map can have for vectors in space",
        points=2,
        minutes=13,
        name="possible",
        reference=possible,
        cases=_possible_cases,
        accept=_accept_possible,
        shown="The output has every symmetry that the input has: on one line, in a plane, or without a limit.",
        misconceptions=(
            Misconception(
                "an equivariant map can do anything at one input",
                lambda *args: True,
                "You say yes everywhere. If R leaves all inputs alone, it leaves f of them alone.",
            ),
            Misconception(
                "only sums of multiples of the inputs",
                _only_sums,
                "You allow only sums of multiples of the inputs. If few elements of the group leave the inputs alone, more is possible: "
                "think of u × v.",
            ),
            Misconception(
                "mirrors forbid nothing",
                lambda group, *rest: possible("SO(3)", *rest),
                "You ask the turns only. O(3) also has mirrors that leave the inputs alone, and the output has to agree with them.",
            ),
            Misconception(
                "det(R) makes no difference",
                lambda group, kind, *rest: possible(group, PLAIN, *rest),
                "You move every output by R. With det(R) R a mirror also reverses it: along a line that the mirror keeps, y becomes −y.",
            ),
            Misconception(
                "R and det(R) R exchanged",
                lambda group, kind, *rest: possible(group, PLAIN if kind == REVERSED else REVERSED, *rest),
                "You exchange the two kinds. With R a mirror mirrors y; with det(R) R it also reverses y.",
            ),
            Misconception(
                "two vectors always span a plane, and three all of space",
                _counted,
                "You count the vectors. Two may lie on one line and three in a plane; then more elements leave them alone.",
            ),
            Misconception(
                "three vectors give everything",
                _three_are_all,
                "You let everything come out where three vectors go in. If they lie in a plane, a mirror of O(3) leaves them alone, and "
                "on one line turns do.",
            ),
            Misconception(
                "only the first vector counts",
                lambda group, kind, vectors, y: possible(group, kind, vectors[:1], y),
                "You look at the first vector alone. Fewer elements leave all of them alone, so that more can come out.",
            ),
            Misconception(
                "in the span, entry by entry",
                _span_by_entry,
                "You look whether y has entries only where the inputs have some. A multiple of a vector has one factor for all entries.",
            ),
            Misconception(
                "entry by entry throughout",
                _entry_by_entry,
                "You compare entries one by one. A multiple of a vector has one factor for all entries, and whether y is at right "
                "angles to it is seen from all entries together.",
            ),
            Misconception(
                "nothing can be mixed",
                _unmixed,
                "You allow sums of multiples of the inputs, and multiples of u × v, but not both added. If each of them is left alone, "
                "their sum is left alone too.",
            ),
            Misconception(
                "all that leaves the plane is at right angles to it",
                _leaves_the_plane,
                "You allow with det(R) R all that leaves the plane of the inputs. The mirror in this plane keeps only what is at right "
                "angles to it: a part in the plane is reversed.",
            ),
            Misconception(
                "at zero only −1 counts",
                _minus_one_alone,
                "You let something come out where zero goes in, since det(R) R leaves y alone for R = −1. The turns leave zero alone as "
                "well, and they move y.",
            ),
            Misconception(
                "the output has to be invariant",
                lambda group, kind, vectors, y: not any(y),
                "You ask that every element leaves y alone. Only those have to that leave the inputs alone.",
            ),
        ),
    ),
]
