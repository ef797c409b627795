"""Lesson and sheet 14: permutation actions in general."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Verdict, Wrong, show
from ..groups import PermutationGroup
from .common import CLOSE, Family, FamilyTask

Moves = Sequence[Sequence[int]]
Signed = Sequence[tuple[Sequence[int], Sequence[int]]]
Edges = Sequence[Sequence[int]]

TURN, MIRROR = [1, 2, 3, 0], [0, 3, 2, 1]
SQUARE = [TURN, MIRROR]
# The diagonals {0, 2} and {1, 3} of the square, and its sides 01, 12, 23, 30.
ON_DIAGONALS = [[1, 0], [0, 1]]
ON_SIDES = [[1, 2, 3, 0], [3, 2, 1, 0]]
TRIANGLE = [[1, 2, 0], [1, 0, 2]]
# The sides 01, 12, 20 of the triangle.
TRIANGLE_SIDES = [[1, 2, 0], [0, 2, 1]]


def _is_permutation(g: Any) -> bool:
    return isinstance(g, list) and all(isinstance(i, (int, float)) for i in g) and sorted(g) == list(range(len(g)))


# ---- walking: orbits under generators --------------------------------------------------------------------------------


def _orbits(places: Sequence[Any], moves: Sequence[Callable[[Any], Any]]) -> list[list[Any]]:
    """The orbits of places under moves, in the order of their first places."""
    found: list[list[Any]] = []
    seen: set[Any] = set()
    for start in places:
        if start in seen:
            continue
        reached = [start]
        seen.add(start)
        for here in reached:  # grows while we walk along it
            for move in moves:
                there = move(here)
                if there not in seen:
                    seen.add(there)
                    reached.append(there)
        found.append(reached)
    return found


def _pairs(rows: int, columns: int) -> list[tuple[int, int]]:
    return list(itertools.product(range(rows), range(columns)))


def _paint(rows: int, columns: int, orbits: list[list[tuple[int, int]]]) -> list[list[int]]:
    colours = [[0] * columns for _ in range(rows)]
    for colour, orbit in enumerate(orbits):
        for i, j in orbit:
            colours[i][j] = colour
    return colours


def pattern(moves_in: Moves, moves_out: Moves) -> list[list[int]]:
    """The colour of each entry of W (rows: outputs): generator k moves inputs by moves_in[k], outputs by moves_out[k]."""
    rows, columns = len(moves_out[0]), len(moves_in[0])
    moves = [lambda p, g=g, h=h: (h[p[0]], g[p[1]]) for g, h in zip(moves_in, moves_out, strict=True)]
    return _paint(rows, columns, _orbits(_pairs(rows, columns), moves))


def _of_rows(moves_in: Moves, moves_out: Moves) -> list[list[int]]:
    orbits = _orbits(range(len(moves_out[0])), [h.__getitem__ for h in moves_out])
    return [
        [next(k for k, orbit in enumerate(orbits) if i in orbit)] * len(moves_in[0]) for i in range(len(moves_out[0]))
    ]


def _independently(moves_in: Moves, moves_out: Moves) -> list[list[int]]:
    rows, columns = _of_rows(moves_in, moves_out), _of_rows(moves_out, moves_in)
    return [[rows[i][0] * len(columns) + columns[j][0] for j in range(len(columns))] for i in range(len(rows))]


def colours(generators: Moves) -> list[list[int]]:
    return pattern(generators, generators)


def _partition(matrix: list[list[Any]]) -> list[int]:
    """Colours numbered in the order in which they come."""
    names: dict[Any, int] = {}
    return [names.setdefault(colour, len(names)) for row in matrix for colour in row]


def _same_partition(a: Any, b: Any) -> bool:
    try:
        return bool([len(row) for row in a] == [len(row) for row in b] and _partition(a) == _partition(b))
    except TypeError:
        return False


def _is_colour(colour: Any) -> bool:
    return isinstance(colour, str) or (isinstance(colour, (int, float)) and math.isfinite(colour))


def _require_pattern(call: str, moves_in: Moves, moves_out: Moves, got: Any) -> None:
    """The same entries have the same colours, whatever the colours are called."""
    rows, columns = len(moves_out[0]), len(moves_in[0])
    if not (
        isinstance(got, list)
        and len(got) == rows
        and all(isinstance(row, list) and len(row) == columns and all(map(_is_colour, row)) for row in got)
    ):
        raise Malformed(f"{call} gave {show(got)}; expected {rows} rows of {columns} colours (numbers or words)")
    for i, j in _pairs(rows, columns):
        for g, h in zip(moves_in, moves_out, strict=True):
            a, b = h[i], g[j]
            if got[i][j] != got[a][b]:
                how = show(g) if list(g) == list(h) else f"{show(g)} on the inputs and {show(h)} on the outputs"
                raise Wrong(
                    f"{call}\n  gave W[{i}][{j}] and W[{a}][{b}] different colours, but the generator {how}\n"
                    f"  takes ({i}, {j}) to ({a}, {b})."
                )
    expected = pattern(moves_in, moves_out)
    for (i, j), (a, b) in itertools.combinations(_pairs(rows, columns), 2):
        if got[i][j] == got[a][b] and expected[i][j] != expected[a][b]:
            raise Wrong(
                f"{call}\n  gave W[{i}][{j}] and W[{a}][{b}] one colour, but no product of the generators takes ({i}, {j}) to "
                f"({a}, {b})."
            )


def _accept_pattern(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    _require_pattern(f"pattern({show(args[0])}, {show(args[1])})", args[0], args[1], got)


def _accept_colours(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    _require_pattern(f"colours({show(args[0])})", args[0], args[0], got)


def _pattern_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            (TRIANGLE, TRIANGLE_SIDES),
            ([[1, 0, 2, 3], [0, 1, 3, 2]], [[1, 0, 2, 3], [0, 1, 3, 2]]),
            (ON_SIDES, SQUARE),
            ([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]], [[0], [0]]),
            ([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]], [[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]]),
        ]
    return [
        ([[1, 0]], [[1, 0]]),
        ([[1, 0, 2]], [[1, 0]]),
        ([[2, 1, 0]], [[2, 1, 0]]),
        (SQUARE, SQUARE),
        (SQUARE, ON_DIAGONALS),
    ]


def _colours_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([[1, 2, 0]],), (TRIANGLE,), ([[1, 0, 2, 3], [0, 1, 3, 2]],), ([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]],)]
    return [([[1, 0]],), ([[2, 1, 0]],), (SQUARE,), ([[0, 1, 2]],)]


_PATTERN_MISCONCEPTIONS = (
    (
        "orbits of rows instead of pairs",
        _of_rows,
        "You give a whole row one colour: the orbit of its point. A weight belongs to a pair (row, column), and a generator moves both.",
    ),
    (
        "rows and columns moved independently",
        _independently,
        "You move rows and columns as if each had an element of its own. The same element moves both at once: (i, j) goes to "
        "(g[i], g[j]), so that neighbours stay neighbours.",
    ),
    (
        "too few generators",
        lambda moves_in, moves_out: pattern(moves_in[:1], moves_out[:1]),
        "You walk with the first generator only. Each further generator can join orbits: a turn alone gives the turns, not the mirrors.",
    ),
    (
        "always the pattern of sets",
        lambda moves_in, moves_out: [[int(i == j) for j in range(len(moves_in[0]))] for i in range(len(moves_out[0]))],
        "You tell only the diagonal from the rest. That is what all permutations leave. Fewer moves leave more colours.",
    ),
    (
        "each entry is free",
        lambda moves_in, moves_out: [
            [i * len(moves_in[0]) + j for j in range(len(moves_in[0]))] for i in range(len(moves_out[0]))
        ],
        "You give each entry a colour of its own. Entries at places that the generators move onto each other have to be equal.",
    ),
)


# ---- task 1: the group that generators produce -----------------------------------------------------------------------


def generate(generators: Moves) -> list[list[int]]:
    """All products of the generators, the identity first."""
    identity = tuple(range(len(generators[0])))
    moves = [lambda h, g=g: tuple(g[i] for i in h) for g in generators]
    return [list(g) for g in _orbits([identity], moves)[0]]


def _all_permutations(generators: Moves) -> list[list[int]]:
    return [list(g) for g in itertools.permutations(range(len(generators[0])))]


def _powers(generators: Moves) -> list[list[int]]:
    found = {tuple(element) for g in generators for element in generate([g])}
    return [list(g) for g in sorted(found)]


def _powers_in_order(generators: Moves) -> list[list[int]]:
    """A power of the first generator, then one of the second, and so on; never the first again."""
    found = {tuple(range(len(generators[0])))}
    for g in generators:
        found = {tuple(power[i] for i in h) for h in found for power in generate([g])}
    return [list(g) for g in sorted(found)]


def _with_identity(generators: Moves) -> list[list[int]]:
    return [list(g) for g in sorted({tuple(range(len(generators[0]))), *map(tuple, generators)})]


def _cycle_is_enough(generators: Moves) -> list[list[int]]:
    """Somebody for whom a cycle through all points gives all permutations."""
    n = len(generators[0])
    has_cycle = any(len(_orbits([0], [g.__getitem__])[0]) == n for g in generators)
    return _all_permutations(generators) if has_cycle else generate(generators)


def _accept_group(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call, n = f"generate({show(args[0])})", len(args[0][0])
    if not isinstance(got, list) or not all(_is_permutation(g) and len(g) == n for g in got):
        raise Malformed(
            f"{call} gave {show(got)}; expected a list of permutations, each a list of {n} different numbers"
        )
    elements = [tuple(int(i) for i in g) for g in got]
    twice = next((g for g in elements if elements.count(g) > 1), None)
    if twice is not None:
        raise Wrong(f"{call} lists {show(list(twice))} twice; list each element once")
    known = set(elements)
    for h in [tuple(range(n)), *elements]:
        if h not in known:
            raise Wrong(f"{call} lacks {show(list(h))}, the identity, which leaves all points in place")
        for g in args[0]:
            both = tuple(g[i] for i in h)
            if both not in known:
                raise Wrong(
                    f"{call} has {len(known)} elements\n  and lacks {show(list(both))}: first {show(list(h))}, then {show(g)}."
                )
    extra = [g for g in elements if list(g) not in expected]
    if extra:
        raise Wrong(
            f"{call} has {len(known)} elements\n  and lists {show(list(extra[0]))}, which is no product of the generators."
        )


def _same_set(a: Any, b: Any) -> bool:
    try:
        return sorted(map(tuple, a)) == sorted(map(tuple, b))
    except TypeError:  # None, numbers
        return False


def _generate_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 1, 2]],),
            ([[1, 0, 2, 3, 4], [0, 1, 3, 4, 2]],),
            ([[1, 2, 3, 4, 0]],),
            ([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]],),
            ([[1, 2, 3, 0], [1, 0, 2, 3]],),
            ([[1, 2, 0, 3, 4], [0, 1, 3, 4, 2]],),
        ]
    return [
        ([[1, 2, 0]],),
        ([[1, 0, 2], [1, 2, 0]],),
        ([[1, 0, 2], [0, 2, 1]],),
        ([[1, 0, 2, 3], [0, 1, 3, 2]],),
        ([TURN, [2, 1, 0, 3]],),
    ]


# ---- task 3: Burnside ------------------------------------------------------------------------------------------------


def _fix(g: Sequence[int]) -> int:
    return sum(i == j for i, j in enumerate(g))


def count(moves_in: Moves, moves_out: Moves) -> int:
    """Average over the elements of (inputs left in place) · (outputs left in place)."""
    return sum(_fix(g) * _fix(h) for g, h in zip(moves_in, moves_out, strict=True)) // len(moves_in)


def _mean_fix(moves: Moves) -> float:
    return sum(map(_fix, moves)) / len(moves)


def _element_lists(moves_in: Moves, moves_out: Moves) -> tuple[Any, ...]:
    """All elements of the group, as they move inputs and outputs."""
    n = len(moves_in[0])
    joint = [[*g, *(n + i for i in h)] for g, h in zip(moves_in, moves_out, strict=True)]
    elements = generate(joint)
    return [g[:n] for g in elements], [[i - n for i in g[n:]] for g in elements]


def _without_identity(moves_in: Moves, moves_out: Moves) -> float:
    products = [
        _fix(g) * _fix(h)
        for g, h in zip(moves_in, moves_out, strict=True)
        if _fix(g) < len(g) or _fix(h) < len(h)  # all but the identity
    ]
    return sum(products) / max(1, len(products))


def _count_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            _element_lists([[0, 1, 2]], [[0, 1, 2]]),
            _element_lists(TRIANGLE, TRIANGLE_SIDES),
            _element_lists([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]], [[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]]),
            _element_lists([[1, 0, 2, 3], [0, 1, 3, 2]], [[1, 0, 2], [1, 0, 2]]),
            _element_lists([[1, 0], [0, 1]], [[1, 0, 2, 3], [0, 1, 3, 2]]),
        ]
    return [
        _element_lists([[1, 0]], [[1, 0]]),
        ([[0], [0]], [[0, 1], [1, 0]]),
        ([[0, 1], [1, 0]], [[0], [0]]),
        _element_lists([[2, 1, 0]], [[2, 1, 0]]),
        _element_lists([[1, 0, 2]], [[1, 0]]),
        _element_lists(SQUARE, SQUARE),
        _element_lists(SQUARE, ON_SIDES),
    ]


# ---- task 4: signs ---------------------------------------------------------------------------------------------------


def _matrix_of(signed: tuple[Sequence[int], Sequence[int]]) -> Tensor:
    """Entry j goes to place image[j] and is multiplied by signs[j]."""
    image, signs = signed
    matrix = torch.zeros(len(image), len(image), dtype=torch.float64)
    for j, (place, sign) in enumerate(zip(image, signs, strict=True)):
        matrix[place, j] = sign
    return matrix


def signed_walk(
    moves_in: Signed, moves_out: Signed, forced: bool = True, signs: bool = True, one_step: bool = False
) -> list[list[list[int]]]:
    """One matrix for each weight. ``forced``: leave out orbits that meet themselves with a minus (``one_step``: only if one
    generator takes a pair to itself with a minus); ``signs``: keep the signs."""
    rows, columns = len(moves_out[0][0]), len(moves_in[0][0])
    found: list[list[list[int]]] = []
    seen: set[tuple[int, int]] = set()
    for start in _pairs(rows, columns):
        if start in seen:
            continue
        sign = {start: 1}
        reached, zero = [start], False
        for i, j in reached:
            for (g, s), (h, t) in zip(moves_in, moves_out, strict=True):
                there, here = (h[i], g[j]), sign[i, j] * t[i] * s[j]
                if there not in sign:
                    sign[there] = here
                    reached.append(there)
                zero = zero or (sign[there] != here and (there == (i, j) or not one_step))
        seen |= set(reached)
        if not (zero and forced):
            value = {pair: sign[pair] if signs else 1 for pair in reached}
            found.append([[value.get((i, j), 0) for j in range(columns)] for i in range(rows)])
    return found


def maps(moves_in: Signed, moves_out: Signed) -> list[list[list[int]]]:
    return signed_walk(moves_in, moves_out)


def _ignoring(moves: Signed) -> Signed:
    return [(image, [1] * len(image)) for image, _ in moves]


def _on_arrival(moves: Signed) -> Signed:
    """The sign is read at the place where an entry arrives."""
    return [(image, [signs[place] for place in image]) for image, signs in moves]


def _stacked(matrices: Any, shape: tuple[int, int]) -> Tensor:
    """Matrices as rows: (number, rows · columns); raises ValueError or TypeError for anything else."""
    if not isinstance(matrices, list):
        raise TypeError
    if not matrices:
        return torch.zeros(0, shape[0] * shape[1], dtype=torch.float64)
    out = torch.as_tensor(matrices, dtype=torch.float64)
    if out.shape[1:] != shape or not out.isfinite().all():
        raise ValueError
    return out.flatten(1)


def _rank(rows: Tensor) -> int:
    """How many rows are independent, however large each is; rows that are rounding noise beside the others are zero."""
    sizes = rows.norm(dim=1)
    kept = sizes > 1e-9 * sizes.max() if len(rows) else sizes > 0
    return int(torch.linalg.matrix_rank(rows[kept] / sizes[kept, None], rtol=CLOSE)) if bool(kept.any()) else 0


def _accept_maps(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    moves_in, moves_out = args
    rows, columns = len(moves_out[0][0]), len(moves_in[0][0])
    call = f"maps({show(moves_in)}, {show(moves_out)})"
    try:
        flat = _stacked(got, (rows, columns))
    except (TypeError, ValueError, RuntimeError):
        raise Malformed(
            f"{call} gave {show(got)}; expected a list of matrices, each with {rows} rows of {columns} finite numbers (an empty list "
            "if there is none)"
        ) from None
    for W in flat.reshape(-1, rows, columns):
        for a, b in zip(moves_in, moves_out, strict=True):
            first, then = W @ _matrix_of(a), _matrix_of(b) @ W
            if bool((first - then).abs().max() > CLOSE * W.abs().max()):
                raise Wrong(
                    f"{call}\n  contains W = {show(W.tolist())}.\n  For the generator {show(a)} on inputs and {show(b)} on outputs\n"
                    f"  W ρ_in = {show(first.tolist())}\n  ρ_out W = {show(then.tolist())}"
                )
    found = _rank(flat)
    if found != len(expected):
        raise Wrong(f"{call}\n  spans {found} of {len(expected)} dimensions: maps are missing.")
    if len(flat) != found:
        raise Wrong(
            f"{call}\n  gave {len(flat)} matrices for {found} weights: some of them are zero, or sums of the others."
        )


def _same_maps(a: Any, b: Any) -> bool:
    """The same number of matrices, with the same span."""
    try:
        shape = next((len(m), len(m[0])) for m in [*a, *b]) if a or b else (1, 1)
        x, y = _stacked(a, shape), _stacked(b, shape)
    except (IndexError, TypeError, ValueError, RuntimeError):
        return False
    return len(x) == len(y) and _rank(x) == _rank(y) == _rank(torch.cat([x, y]))


def _plus(*images: Sequence[int]) -> Signed:
    return [(list(image), [1] * len(image)) for image in images]


def _maps_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        swap, cycle = [1, 0, 2, 3], [1, 2, 3, 0]
        return [
            ([([0, 1], [1, -1])], [([0, 1], [-1, 1])]),
            ([([0, 1, 2, 3], [1, -1, 1, -1])], [([0], [-1])]),
            ([([1, 0], [1, -1])], [([1, 0], [1, -1])]),
            (_plus(swap, cycle), [(swap, [-1] * 4), (cycle, [-1] * 4)]),
            ([([1, 0, 2], [1, 1, -1])], [([1, 0], [1, 1])]),
            ([([1, 2, 0], [-1, 1, 1])], _plus([1, 2, 0])),
            ([([0], [-1])], [([1, 2, 0], [-1, 1, 1])]),
        ]
    return [
        (_plus([0]), [([0], [-1])]),
        (_plus([1, 0]), [([1, 0], [-1, -1])]),
        (_plus([0]), [([1, 0], [1, -1])]),
        ([([0, 1, 2], [1, -1, 1])], _plus([0])),
        ([([1, 2, 0], [1, 1, -1])], [([0], [-1])]),
        ([([1, 0], [1, -1])], [([1, 0], [1, -1])]),
        (_plus([1, 0, 2]), [([1, 0, 2], [-1, -1, -1])]),
        (_plus(*TRIANGLE), [([1, 2, 0], [1, 1, 1]), ([1, 0, 2], [-1, -1, -1])]),
    ]


# ---- graphs: automorphisms, and the layers on one graph --------------------------------------------------------------


def automorphisms(nodes: int, edges: Edges) -> list[list[int]]:
    """The permutations of the nodes that map the set of edges to itself."""
    lines = {frozenset(edge) for edge in edges}
    return [
        list(g)
        for g in itertools.permutations(range(nodes))
        if all(frozenset(g[i] for i in line) in lines for line in lines)
    ]


def _with_directions(nodes: int, edges: Edges) -> list[list[int]]:
    arrows = {tuple(edge) for edge in edges}
    return [list(g) for g in itertools.permutations(range(nodes)) if {(g[i], g[j]) for i, j in arrows} == arrows]


def _degrees(nodes: int, edges: Edges) -> list[int]:
    return [sum(i in edge for edge in edges) for i in range(nodes)]


def _keeping_degrees(nodes: int, edges: Edges) -> list[list[int]]:
    degree = _degrees(nodes, edges)
    return [list(g) for g in itertools.permutations(range(nodes)) if all(degree[g[i]] == degree[i] for i in g)]


def _accept_automorphisms(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    nodes, edges = args
    call = f"automorphisms({nodes}, {show(edges)})"
    if not isinstance(got, list) or not all(_is_permutation(g) and len(g) == nodes for g in got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of permutations of {nodes} nodes")
    elements = [[int(i) for i in g] for g in got]
    lines = {frozenset(edge) for edge in edges}
    for g in elements:
        if g not in expected:
            i, j = next(edge for edge in edges if frozenset((g[edge[0]], g[edge[1]])) not in lines)
            raise Wrong(f"{call} lists {show(g)}, but this maps the edge ({i}, {j}) to the gap ({g[i]}, {g[j]})")
        if elements.count(g) > 1:
            raise Wrong(f"{call} lists {show(g)} twice; list each automorphism once")
    missing = next((g for g in expected if g not in elements), None)
    if missing is not None:
        raise Wrong(
            f"{call} lists {len(elements)}, and lacks {show(missing)}, which maps edges to edges and gaps to gaps"
        )


PATH_3, PATH_4 = [[0, 1], [1, 2]], [[0, 1], [2, 1], [2, 3]]
KITE = [[0, 1], [1, 2], [2, 0], [2, 3]]
RING = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 0]]
STAR = [[2, 0], [1, 2], [2, 3]]
PRISM = [[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3], [0, 3], [1, 4], [2, 5]]


def _automorphism_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [(4, STAR), (4, [[0, 1], [2, 3]]), (3, []), (4, [[2, 1]]), (4, PATH_4), (6, PRISM)]
    return [
        (3, PATH_3),
        (3, [[0, 1]]),
        (3, []),
        (4, KITE),
        (4, [[0, 1], [1, 2], [2, 3], [3, 0]]),
        (5, [[0, 1], [1, 2], [2, 3], [3, 4]]),
    ]


Colouring = Callable[[int, Edges], list[list[int]]]


def graph_colours(nodes: int, edges: Edges) -> list[list[int]]:
    return colours(automorphisms(nodes, edges))


def _numbered(nodes: int, kind: Callable[[int, int], Any]) -> list[list[int]]:
    flat = _partition([[kind(i, j) for j in range(nodes)] for i in range(nodes)])
    return [flat[i * nodes : (i + 1) * nodes] for i in range(nodes)]


def _joined(nodes: int, edges: Edges) -> set[tuple[int, int]]:
    return {(i, j) for a, b in edges for i, j in ((a, b), (b, a))}


def _by_degree(nodes: int, edges: Edges) -> list[list[int]]:
    degree, joined = _degrees(nodes, edges), _joined(nodes, edges)
    return _numbered(nodes, lambda i, j: (i == j, (i, j) in joined, degree[i], degree[j]))


def _by_distance(nodes: int, edges: Edges) -> list[list[int]]:
    joined = _joined(nodes, edges)

    def distance(i: int, j: int) -> int:
        steps, near = 0, {i}
        while j not in near:
            steps, near = steps + 1, near | {b for a, b in joined if a in near}
        return steps

    return _numbered(nodes, distance)


def _layer(colouring: Colouring) -> Callable[..., list[float]]:
    """A layer with one weight for each colour; weights beyond the last colour do nothing."""
    remembered: dict[str, list[list[int]]] = {}

    def forward(weights: list[float], x: list[float], edges: Edges) -> list[float]:
        key = f"{len(x)} {edges}"
        if key not in remembered:
            remembered[key] = colouring(len(x), edges)
        value = dict(enumerate(weights))
        return [sum(value.get(c, 0.0) * v for c, v in zip(row, x, strict=True)) for row in remembered[key]]

    return forward


forward = _layer(graph_colours)


def _family(nodes: int, edges: Edges) -> Family:
    rho = PermutationGroup(_few(automorphisms(nodes, edges))).defining()
    return Family(rho, rho, 1 + max(map(max, graph_colours(nodes, edges))), (edges,))


def _few(elements: list[list[int]]) -> list[list[int]]:
    """Some of the elements that generate all of them."""
    chosen: list[list[int]] = [elements[0]]
    for g in elements:
        if g not in generate(chosen):
            chosen.append(g)
    return chosen[1:] or chosen


def _families(hidden: bool) -> list[Family]:
    if hidden:
        return [_family(4, STAR), _family(4, PATH_4), _family(6, PRISM)]
    return [_family(3, PATH_3), _family(4, KITE), _family(6, RING)]


def _message_passing(nodes: int, edges: Edges) -> list[list[int]]:
    joined = _joined(nodes, edges)
    return [[0 if i == j else 1 if (i, j) in joined else -1 for j in range(nodes)] for i in range(nodes)]


@dataclass(frozen=True)
class GraphTask(FamilyTask):
    """A layer on a graph; says so if it asks for more weights than there are orbits."""

    def _ask(self, answer: Any, args: tuple[Any, ...]) -> Any:
        got = super()._ask(answer, args)
        runs_out = ("IndexError", "KeyError", "zip()")
        if isinstance(got, Verdict) and got.status == "error" and any(word in got.message for word in runs_out):
            hint = (
                f"There are {len(args[0])} weights here, one for each orbit of pairs. Does your code ask for more, or for fewer? "
                "Does it see every automorphism? An edge has no direction."
            )
            return replace(got, message=f"{got.message}\n{hint}")
        return got


# ---- the tasks -------------------------------------------------------------------------------------------------------


def _misconceptions(of_one: bool) -> tuple[Misconception, ...]:
    def answer(wrong: Callable[..., Any]) -> Callable[..., Any]:
        return (lambda generators: wrong(generators, generators)) if of_one else wrong

    return tuple(Misconception(name, answer(wrong), message) for name, wrong, message in _PATTERN_MISCONCEPTIONS)


TASKS = [
    ValueTask(
        id="14.recall-1",
        outcome="say how gradients flow to a shared weight",
        accepted=(7,),
        why="The weight enters the loss through both entries, so the two derivatives add up.",
        feedback={
            3.5: "The derivatives are added, not averaged: the weight enters twice.",
            12: "By the chain rule the two ways add up.",
        },
    ),
    ValueTask(
        id="14.recall-2",
        outcome="count the coefficients of an odd polynomial",
        accepted=(2,),
        why="Those of x and of x³. The other three have to be zero.",
        feedback={
            3: "Three belong to even powers: 1, x² and x⁴. An odd polynomial has the others.",
            5: "f(−x) = −f(x) forces the coefficients of even powers to zero.",
        },
    ),
    FunctionTask(
        id="14.colours",
        outcome="find the orbits of pairs by walking with generators",
        minutes=5,
        name="colours",
        reference=colours,
        cases=_colours_cases,
        accept=_accept_colours,
        same=_same_partition,
        shown="Entries have one colour exactly if some product of the generators takes one to the other.",
        misconceptions=_misconceptions(of_one=True),
    ),
    FunctionTask(
        id="14.automorphisms",
        outcome="list the automorphisms of a small graph",
        minutes=7,
        name="automorphisms",
        reference=automorphisms,
        cases=_automorphism_cases,
        accept=_accept_automorphisms,
        same=_same_set,
        shown="Each of your permutations maps edges to edges and gaps to gaps, and none is missing.",
        misconceptions=(
            Misconception(
                "edges have a direction",
                _with_directions,
                "You look for an edge only in the order in which it was given. An edge has no direction: (2, 0) is (0, 2).",
            ),
            Misconception(
                "nodes with equal degrees are alike",
                _keeping_degrees,
                "You keep the number of each node's neighbours. An automorphism keeps the edges themselves, which is more.",
            ),
            Misconception(
                "every permutation is an automorphism",
                lambda nodes, edges: [list(g) for g in itertools.permutations(range(nodes))],
                "You keep all permutations. Most of them tear an edge apart.",
            ),
            Misconception(
                "the identity does not count",
                lambda nodes, edges: [g for g in automorphisms(nodes, edges) if g != list(range(nodes))],
                "You leave out the identity. It maps each edge to itself.",
            ),
        ),
    ),
    FunctionTask(
        id="14.generate",
        outcome="produce a group from generators",
        points=3,
        minutes=12,
        name="generate",
        reference=generate,
        cases=_generate_cases,
        accept=_accept_group,
        same=_same_set,
        shown="Each list is closed under all products, and each element is a product of the generators.",
        misconceptions=(
            Misconception(
                "the generators are the group",
                _with_identity,
                "You list the generators and the identity. A group holds all their products too, however long.",
            ),
            Misconception(
                "powers of each generator are enough",
                _powers,
                "You list the powers of each generator. Products of different generators are missing.",
            ),
            Misconception(
                "each generator has its turn once",
                _powers_in_order,
                "You take a power of the first generator and then one of the next. The first may come again after that: multiply what "
                "you have by every generator until nothing new comes.",
            ),
            Misconception(
                "the cycle alone gives S_N",
                _cycle_is_enough,
                "You take a cycle through all points for all permutations. Its powers are N elements, C_N: too few generators for S_N. "
                "Only what can be written as a product is in the group.",
            ),
            Misconception(
                "always all permutations",
                _all_permutations,
                "You list all permutations. These generators produce only a part of them.",
            ),
            Misconception(
                "too few generators",
                lambda generators: generate(generators[:1]),
                "You use the first generator only. Multiply by each of them.",
            ),
            Misconception(
                "the identity does not count",
                lambda generators: [g for g in generate(generators) if g != list(range(len(g)))],
                "You leave out the identity. Every group has it: the product of g and its inverse.",
            ),
        ),
    ),
    FunctionTask(
        id="14.pattern",
        outcome="find the weights of a layer from generators, for two actions",
        points=4,
        minutes=15,
        name="pattern",
        reference=pattern,
        cases=_pattern_cases,
        accept=_accept_pattern,
        same=_same_partition,
        shown="Each colour is one orbit of pairs (output, input), also where inputs and outputs are different things.",
        misconceptions=_misconceptions(of_one=False),
    ),
    FunctionTask(
        id="14.burnside",
        outcome="count weights by Burnside's lemma",
        points=3,
        minutes=10,
        name="count",
        reference=count,
        cases=_count_cases,
        shown="The average of the fixed pairs is the number of orbits of pairs.",
        misconceptions=(
            Misconception(
                "orbits of points instead of pairs",
                lambda moves_in, moves_out: _mean_fix(moves_in),
                "You average the inputs that stay in place. That counts orbits of inputs. Weights belong to pairs (output, input).",
            ),
            Misconception(
                "the product of the two averages",
                lambda moves_in, moves_out: _mean_fix(moves_in) * _mean_fix(moves_out),
                "You average first and multiply then. One and the same g moves both: multiply for each g, and then average.",
            ),
            Misconception(
                "the sum of all fixed pairs",
                lambda moves_in, moves_out: count(moves_in, moves_out) * len(moves_in),
                "You add up the fixed pairs. Divide by the number of elements.",
            ),
            Misconception(
                "elements that move the inputs alike count once",
                lambda moves_in, moves_out: count(moves_in, moves_out) * len(moves_in) / len(set(map(tuple, moves_in))),
                "You divide by the number of different moves of the inputs. Divide by the number of elements: two of them can move the "
                "inputs alike and the outputs differently.",
            ),
            Misconception(
                "the same action on both sides",
                lambda moves_in, moves_out: count(moves_in, moves_in),
                "You square the inputs that stay in place. The outputs may be moved in another way: take theirs for the second factor.",
            ),
            Misconception(
                "the identity does not count",
                _without_identity,
                "You leave out the identity. It leaves every pair in place, and it is one of the elements.",
            ),
            Misconception(
                "one weight for each element",
                lambda moves_in, moves_out: len(moves_in),
                "You return the number of elements. More elements leave fewer weights. Count what each of them leaves in place.",
            ),
        ),
    ),
    FunctionTask(
        id="14.signs",
        outcome="find relative signs and forced zeros",
        points=4,
        minutes=18,
        name="maps",
        reference=maps,
        cases=_maps_cases,
        accept=_accept_maps,
        same=_same_maps,
        shown="Your matrices commute with the signed moves and span everything that does; where nothing is left, you said so.",
        misconceptions=(
            Misconception(
                "colours are parameters",
                lambda moves_in, moves_out: signed_walk(_ignoring(moves_in), _ignoring(moves_out)),
                "You give each colour one weight, as if there were no signs. Entries of one colour can differ by a minus, and an "
                "orbit that meets itself with a minus is zero.",
            ),
            Misconception(
                "an orbit is never zero",
                lambda moves_in, moves_out: signed_walk(moves_in, moves_out, forced=False),
                "You carry signs along, and keep the first that comes. If a pair is reached again with the other sign, w = −w: "
                "the whole orbit is zero.",
            ),
            Misconception(
                "only one step can force a zero",
                lambda moves_in, moves_out: signed_walk(moves_in, moves_out, one_step=True),
                "You set an orbit to zero only if one generator takes a pair to itself with a minus. A minus can arise after several "
                "steps: compare the signs wherever the walk comes to a pair again.",
            ),
            Misconception(
                "signs at the place of arrival",
                lambda moves_in, moves_out: signed_walk(_on_arrival(moves_in), _on_arrival(moves_out)),
                "You multiply by the sign of the place where the entry arrives, signs[image[j]]. Entry j takes the sign signs[j] of the "
                "place from which it comes.",
            ),
            Misconception(
                "equal weights have equal signs",
                lambda moves_in, moves_out: signed_walk(moves_in, moves_out, signs=False),
                "You find the forced zeros. What is left has signs too: entries of one weight can be w and −w.",
            ),
            Misconception(
                "only the outputs have signs",
                lambda moves_in, moves_out: signed_walk(_ignoring(moves_in), moves_out),
                "You use the signs of the outputs only. The sign of an entry is the product of its row's and its column's.",
            ),
            Misconception(
                "only the inputs have signs",
                lambda moves_in, moves_out: signed_walk(moves_in, _ignoring(moves_out)),
                "You use the signs of the inputs only. The sign of an entry is the product of its row's and its column's.",
            ),
        ),
    ),
    GraphTask(
        id="14.graph",
        outcome="find all layers on a given graph",
        points=3,
        minutes=12,
        name="forward",
        reference=forward,
        families=_families,
        shown="One weight for each orbit of pairs of nodes under the automorphisms of the graph.",
        misconceptions=(
            Misconception(
                "message passing is everything",
                _layer(_message_passing),
                "You use the node itself and the sum of its neighbours. The automorphisms leave more: pairs that are no neighbours have "
                "weights too, and pairs of neighbours can belong to different orbits.",
            ),
            Misconception(
                "the graph does not matter",
                _layer(lambda nodes, edges: [[int(i != j) for j in range(nodes)] for i in range(nodes)]),
                "You treat the nodes as a set: itself, and all others. Not every permutation is an automorphism of the graph, so more "
                "weights are free.",
            ),
            Misconception(
                "nodes with equal degrees are alike",
                _layer(_by_degree),
                "You go by the nodes' numbers of neighbours. Pairs that agree in them may still lie in different orbits.",
            ),
            Misconception(
                "only the distance counts",
                _layer(_by_distance),
                "You go by the number of steps between two nodes. Pairs at one distance may lie in different orbits: nodes at the end of a "
                "path are not like those in its middle.",
            ),
            Misconception(
                "each entry is free",
                _layer(lambda nodes, edges: [[i * nodes + j for j in range(nodes)] for i in range(nodes)]),
                "You give each entry of the matrix a weight of its own. Entries that an automorphism moves onto each other are equal.",
            ),
            Misconception(
                "the identity layer",
                _layer(lambda nodes, edges: [[0 if i == j else -1 for j in range(nodes)] for i in range(nodes)]),
                "Your layer only multiplies its input by a number. That commutes with everything, and mixes no nodes.",
            ),
        ),
    ),
]
