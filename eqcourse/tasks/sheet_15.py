"""Lesson and sheet 15: irreps and Schur's lemma."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..checks import (
    FunctionTask,
    Malformed,
    Misconception,
    ValueTask,
    Verdict,
    Wrong,
    gave_expected,
    named_representation,
    same_answer,
    show,
)
from ..groups import SO, O, SymmetricGroup
from ..representations import Representation
from ..solvers import multiplicity
from .common import CLOSE, Family, FamilyTask

SIZE = {"real": 1, "complex": 2, "quaternionic": 4}
Matrix = list[list[float]]


@dataclass(frozen=True)
class NumberTask(FunctionTask):
    """A function task whose answer may hold fractions."""

    def _ask(self, answer: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return _without_fractions(super()._ask(answer, args))


def _without_fractions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_fractions(part) for part in value]
    return float(value) if isinstance(value, Fraction) else value


# ---- in the lesson: a change of basis, and the inner product of characters -------------------------------------------


def in_new_basis(Q: Matrix, M: Matrix) -> Any:
    there, inside = torch.tensor(Q, dtype=torch.float64), torch.tensor(M, dtype=torch.float64)
    return there @ inside @ there.T


def _the_other_way(Q: Matrix, M: Matrix) -> Any:
    return in_new_basis(torch.tensor(Q, dtype=torch.float64).T.tolist(), M)


def _only_there(Q: Matrix, M: Matrix) -> Any:
    return torch.tensor(Q, dtype=torch.float64) @ torch.tensor(M, dtype=torch.float64)


def _basis_cases(hidden: bool) -> list[tuple[Any, ...]]:
    slanted = [[0.6, 0.8], [-0.8, 0.6]]
    if hidden:
        return [
            ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[1, 2, 3], [4, 5, 6], [7, 8, 10]]),
            ([[-0.8, 0.6], [0.6, 0.8]], [[2, 1], [-3, 4]]),
            (slanted, [[5, -1], [2, 3]]),
        ]
    return [(slanted, [[1, 0], [0, 2]]), (slanted, [[0, 1], [1, 0]]), (slanted, [[1, 2], [3, 5]])]


def inner(one: str, other: str) -> float:
    rho, sigma = named_representation(one), named_representation(other)
    group = rho.group
    pairs = [(rho.matrix(g), sigma.matrix(group.inverse(g))) for g in group.elements()]
    return sum((a.trace() * b.trace()).item() for a, b in pairs) / group.order


def _sum_of_products(one: str, other: str) -> float:
    return inner(one, other) * named_representation(one).group.order


def _over_generators(one: str, other: str) -> float:
    rho, sigma = named_representation(one), named_representation(other)
    elements = list(rho.group.generators)
    return sum((rho.matrix(g).trace() * sigma.matrix(g).trace()).item() for g in elements) / len(elements)


def _last_alone(one: str, other: str) -> float:
    """What ``total = …`` in place of ``total += …`` leaves."""
    rho, sigma = named_representation(one), named_representation(other)
    *_, g = rho.group.elements()
    return (rho.matrix(g).trace() * sigma.matrix(g).trace()).item() / rho.group.order


def _trace_of_product(one: str, other: str) -> float:
    """trace(ρ(g) σ(g⁻¹)) in place of the product of traces, where the sizes allow it."""
    rho, sigma = named_representation(one), named_representation(other)
    group = rho.group
    if rho.dim != sigma.dim:
        return inner(one, other)
    pairs = [(rho.matrix(g), sigma.matrix(group.inverse(g))) for g in group.elements()]
    return sum((a @ b).trace().item() for a, b in pairs) / group.order


def _inner_cases(hidden: bool) -> list[tuple[Any, ...]]:
    points, plane, flips = (
        "S_3 permutes 3 numbers",
        "S_3 moves the plane of sums zero",
        "S_3 flips a number at each swap",
    )
    if hidden:
        return [
            ("S_4 permutes 4 numbers", "S_4 permutes 4 numbers"),
            ("S_3 permutes a 3×3 table", flips),
            ("C_5 shifts 5 numbers", "C_5 turns a plane by fifths"),
            ("C_5 turns a plane by fifths", "C_5 turns a plane by fifths"),
        ]
    return [
        (flips, flips),
        (points, "S_3 leaves a number alone"),
        (points, plane),
        (points, points),
        ("S_3 permutes a 3×3 table", plane),
        ("C_4 shifts 4 numbers", "C_4 turns a plane by quarters"),
    ]


TWO_TRACES = "You multiply the matrices and take the trace. Take both traces, then multiply the two numbers."


@dataclass(frozen=True)
class InnerTask(NumberTask):
    """A number task that explains why matrices of two sizes could not be multiplied."""

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        judged = super().judge(answer, hidden)
        if judged.status != "error" or "cannot be multiplied" not in judged.message:
            return judged
        return replace(judged, message=f"{judged.message}\n{TWO_TRACES}", misconception="the trace of the product")


# ---- task 1: multiplicities from characters --------------------------------------------------------------------------

Traces = list[float]


def multiplicities(sizes: list[int], kind: str, a: Traces, b: Traces, irreps: list[Traces]) -> list[int]:
    """How often each irrep is in the direct sum, or the tensor product, of two representations."""
    chi = [p + q for p, q in zip(a, b, strict=True)] if kind == "sum" else [p * q for p, q in zip(a, b, strict=True)]
    return [round(_mean(sizes, chi, psi) / _mean(sizes, psi, psi)) for psi in irreps]


def _mean(sizes: list[int], chi: Traces, psi: Traces) -> float:
    return sum(n * x * y for n, x, y in zip(sizes, chi, psi, strict=True)) / sum(sizes)


def _each_class_once(sizes: list[int], *rest: Any) -> list[float]:
    kind, a, b, irreps = rest
    ones = [1] * len(sizes)
    chi = [p + q if kind == "sum" else p * q for p, q in zip(a, b, strict=True)]
    return [_mean(ones, chi, psi) / _mean(ones, psi, psi) for psi in irreps]


def _not_divided(sizes: list[int], kind: str, a: Traces, b: Traces, irreps: list[Traces]) -> list[float]:
    chi = [p + q if kind == "sum" else p * q for p, q in zip(a, b, strict=True)]
    return [_mean(sizes, chi, psi) for psi in irreps]


def _summed(sizes: list[int], kind: str, a: Traces, b: Traces, irreps: list[Traces]) -> list[float]:
    return [sum(sizes) * m for m in _not_divided(sizes, kind, a, b, irreps)]


def _dimensions(sizes: list[int], kind: str, a: Traces, b: Traces, irreps: list[Traces]) -> list[float]:
    return [m * psi[0] for m, psi in zip(multiplicities(sizes, kind, a, b, irreps), irreps, strict=True)]


def _divided_by_the_dimension(sizes: list[int], kind: str, a: Traces, b: Traces, irreps: list[Traces]) -> list[float]:
    """The dimension in place of ⟨ψ, ψ⟩, where that is not 1."""
    found = _not_divided(sizes, kind, a, b, irreps)
    norms = [_mean(sizes, psi, psi) for psi in irreps]
    return [m / (1 if norm == 1 else psi[0]) for m, norm, psi in zip(found, norms, irreps, strict=True)]


def _same_when_rounded(a: Any, b: Any) -> bool:
    """Who counts wrongly may round what comes out."""
    return same_answer(_rounded(a), _rounded(b))


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value) if isinstance(value, float) and math.isfinite(value) else value


def _always(kind: str) -> Callable[..., list[int]]:
    return lambda sizes, given, a, b, irreps: multiplicities(sizes, kind, a, b, irreps)


# Sizes of the classes and the irreps' characters, on the identity first.
_S3 = [1, 3, 2], [[1, 1, 1], [1, -1, 1], [2, 0, -1]]
_C4 = [1, 1, 1, 1], [[1, 1, 1, 1], [2, 0, -2, 0], [1, -1, 1, -1]]
_C3 = [1, 2], [[1, 1], [2, -1]]
_S4 = [1, 6, 3, 8, 6], [[1, 1, 1, 1, 1], [3, 1, -1, 0, -1], [2, 0, 2, -1, 0], [3, -1, -1, 0, 1], [1, -1, 1, 1, -1]]
_Q8 = (
    [1, 1, 2, 2, 2],
    [[1, 1, 1, 1, 1], [1, 1, 1, -1, -1], [1, 1, -1, 1, -1], [1, 1, -1, -1, 1], [4, -4, 0, 0, 0]],
)
# C_3 × S_3: an irrep of complex type has dimension 4.
_C3_S3 = (
    [1, 3, 2, 2, 6, 4],
    [
        [1, 1, 1, 1, 1, 1],
        [1, -1, 1, 1, -1, 1],
        [2, 0, -1, 2, 0, -1],
        [2, 2, 2, -1, -1, -1],
        [2, -2, 2, -1, 1, -1],
        [4, 0, -2, -2, 0, 1],
    ],
)


def _multiplicity_cases(hidden: bool) -> list[tuple[Any, ...]]:
    def case(table: tuple[list[int], list[Any]], kind: str, a: Traces, b: Traces) -> tuple[Any, ...]:
        sizes, irreps = table
        return sizes, kind, a, b, irreps

    if hidden:
        return [
            case(_S4, "product", [4, 2, 0, 1, 0], [4, 2, 0, 1, 0]),
            case(_S4, "sum", [4, 2, 0, 1, 0], [6, 2, 2, 0, 0]),
            case(_Q8, "sum", [8, 0, 0, 0, 0], [4, -4, 0, 0, 0]),
            case(_Q8, "product", [4, -4, 0, 0, 0], [4, -4, 0, 0, 0]),
            case(_C3_S3, "sum", [18, 0, 0, 0, 0, 0], [4, 0, -2, -2, 0, 1]),
        ]
    return [
        case(_S3, "sum", [3, 1, 0], [1, -1, 1]),
        case(_S3, "product", [3, 1, 0], [3, 1, 0]),
        case(_S3, "product", [2, 0, -1], [1, -1, 1]),
        case(_C4, "sum", [4, 0, 0, 0], [1, -1, 1, -1]),
        case(_C4, "product", [2, 0, -2, 0], [2, 0, -2, 0]),
        case(_C3, "sum", [3, 0], [2, -1]),
        case(_Q8, "sum", [4, -4, 0, 0, 0], [4, 4, 4, 4, 4]),
        case(_C3_S3, "product", [2, 2, 2, -1, -1, -1], [2, 0, -1, 2, 0, -1]),
    ]


# ---- task 2: the dimension formula -----------------------------------------------------------------------------------

Irreps = list[list[Any]]


def count_maps(m: list[int], n: list[int], irreps: Irreps) -> int:
    """The dimension of the equivariant linear maps, from multiplicities and [dimension, type] of each irrep."""
    return sum(p * q * SIZE[kind] for p, q, (_, kind) in zip(m, n, irreps, strict=True))


def _every_block_a_scalar(m: list[int], n: list[int], irreps: Irreps) -> int:
    return count_maps(m, n, [[dim, "real"] for dim, _ in irreps])


def _added(m: list[int], n: list[int], irreps: Irreps) -> int:
    return sum((p + q) * SIZE[kind] for p, q, (_, kind) in zip(m, n, irreps, strict=True) if p and q)


def _one_to_one(m: list[int], n: list[int], irreps: Irreps) -> int:
    return sum(min(p, q) * SIZE[kind] for p, q, (_, kind) in zip(m, n, irreps, strict=True))


def _every_entry(m: list[int], n: list[int], irreps: Irreps) -> int:
    return sum(p * q * dim * dim for p, q, (dim, _) in zip(m, n, irreps, strict=True))


def _times_its_dimension(m: list[int], n: list[int], irreps: Irreps) -> int:
    return sum(p * q * dim for p, q, (dim, _) in zip(m, n, irreps, strict=True))


def _dimension_unless_real(m: list[int], n: list[int], irreps: Irreps) -> int:
    return sum(p * q * (1 if kind == "real" else dim) for p, q, (dim, kind) in zip(m, n, irreps, strict=True))


def _all_with_all(m: list[int], n: list[int], irreps: Irreps) -> int:
    return sum(m) * sum(n)


def _input_twice(m: list[int], n: list[int], irreps: Irreps) -> int:
    return count_maps(m, m, irreps)


def _equal_dimensions(m: list[int], n: list[int], irreps: Irreps) -> int:
    """Counts every pair of irreps with the same dimension and type."""
    return sum(
        p * q * SIZE[one[1]]
        for p, one in zip(m, irreps, strict=True)
        for q, other in zip(n, irreps, strict=True)
        if one == other
    )


def _count_cases(hidden: bool) -> list[tuple[Any, ...]]:
    s3 = [[1, "real"], [1, "real"], [2, "real"]]
    c4 = [[1, "real"], [2, "complex"], [1, "real"]]
    c5 = [[1, "real"], [2, "complex"], [2, "complex"]]
    q8 = [[1, "real"], [1, "real"], [4, "quaternionic"]]
    if hidden:
        return [
            ([1, 3, 0], [2, 1, 5], c5),
            ([2, 1, 3], [4, 0, 2], q8),
            ([2, 3, 1, 1], [5, 10, 6, 6], [[1, "real"], [4, "real"], [5, "real"], [6, "real"]]),
            ([1, 1, 1], [1, 1, 1], c4),
            ([3, 1, 2], [1, 2, 4], s3),
            ([1, 2, 1], [2, 1, 3], [[8, "quaternionic"], [4, "complex"], [4, "real"]]),
        ]
    return [
        ([1, 0, 1], [1, 0, 1], s3),
        ([1, 0, 1], [2, 1, 3], s3),
        ([0, 2], [1, 0], [[1, "real"], [1, "real"]]),
        ([1, 1, 1], [1, 1, 1], c4),
        ([0, 2, 1], [3, 3, 0], c5),
        ([1, 0, 2], [0, 4, 1], q8),
        ([2, 1], [3, 2], [[4, "complex"], [8, "quaternionic"]]),
    ]


# ---- task 3: a circulant in blocks -----------------------------------------------------------------------------------


def blocks(w: list[float]) -> list[list[float]]:
    """The numbers in the blocks of the circulant matrix with the first column w: [a] or [a, b] for each frequency."""
    return _blocks(w)


def _blocks(
    w: list[float], sign: int = 1, scalar: bool = False, ends: bool = False, whole: bool = False, last: bool = False
) -> list[list[float]]:
    n = len(w)
    found = []
    for k in range(n if whole else n // 2 + 1):
        angles = [2 * math.pi * k * t / n for t in range(n)]
        a = sum(x * math.cos(angle) for x, angle in zip(w, angles, strict=True))
        b = sum(x * math.sin(angle) for x, angle in zip(w, angles, strict=True))
        one_dimensional = scalar or (not ends and (k == 0 or (2 * k == n and not last)))
        found.append([a] if one_dimensional else [a, sign * b])
    return found


def _accept_blocks(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"blocks({show(args[0])})"
    if not isinstance(got, list) or not all(isinstance(part, list) for part in got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of lists [a] or [a, b], one for each frequency")
    if not same_answer(got, expected, 1e-5):  # answers may be computed in float32
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")


def _block_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([2, -1, 4],), ([1, 0, 0, 2, 7, 3],), ([3, 1, 4, 1, 5],), ([2, 5],), ([0, 3, 0, 0, 1, 0, 2, 0],)]
    return [([1, 5, 3, 2],), ([0, 1, 0, 0],), ([10, 20, 60],), ([4, 1],), ([1, 2, 0, 5, 0],)]


# ---- task 4: all maps between turned vectors -------------------------------------------------------------------------


def _by_frequencies(group: str, frequencies: list[int]) -> Representation:
    G: Any = SO(2) if group == "SO(2)" else O(2)
    parts = [G.irrep(k) if k else G.trivial() for k in frequencies]
    named = copy.copy(sum(parts[1:], start=parts[0]))
    named.name = f"the frequencies {frequencies}"
    return named


def layer(
    numbers: Callable[[str, int, int], int | str] | None = None,
    joined: Callable[[list[int], list[int], int, int], bool] = lambda ins, outs, j, i: True,
) -> Callable[..., list[float]]:
    """A linear map between sums of irreps; ``numbers`` says what stands in the block of a pair of frequencies.

    0: nothing; 1: a number; 2: a number and a quarter turn; "full": each entry its own. ``joined`` says whether input number j may
    reach output number i.
    """
    rule = numbers or _schur

    def forward(weights: list[float], x: list[float], group: str, ins: list[int], outs: list[int]) -> list[float]:
        left = list(weights) + [0.0] * 64  # who takes too many weights finds zeros
        left.reverse()
        columns = torch.tensor([1 if k == 0 else 2 for k in ins]).cumsum(0).tolist()
        y: list[float] = []
        for i, out in enumerate(outs):
            height = 1 if out == 0 else 2
            total = [0.0] * height
            for j, (k, stop) in enumerate(zip(ins, columns, strict=True)):
                part = x[stop - (1 if k == 0 else 2) : stop]
                kind = rule(group, k, out)
                if kind == 0 or not joined(ins, outs, j, i):
                    continue
                if kind == "full":
                    block = [[left.pop() for _ in part] for _ in range(height)]
                else:
                    a = left.pop()
                    b = left.pop() if kind == 2 else 0.0
                    block = [[a, -b], [b, a]] if len(part) == 2 else [[a]]
                for place, row in enumerate(block):
                    total[place] += sum(c * v for c, v in zip(row, part, strict=True))
            y += total
        return y

    return forward


def _schur(group: str, k: int, out: int) -> int | str:
    if k != out:
        return 0
    return 2 if k and group == "SO(2)" else 1


def _scalars(group: str, k: int, out: int) -> int | str:
    return int(k == out)


def _turns_for_all(group: str, k: int, out: int) -> int | str:
    return _schur("SO(2)", k, out)


def _same_size(group: str, k: int, out: int) -> int | str:
    """Equal dimension taken for equal irreps."""
    return 0 if (k == 0) != (out == 0) else 1 if k == 0 or group == "O(2)" else 2


def _all_entries(group: str, k: int, out: int) -> int | str:
    return "full" if k == out else 0


def _first_input(ins: list[int], outs: list[int], j: int, i: int) -> bool:
    return ins[j] not in ins[:j]


def _last_input(ins: list[int], outs: list[int], j: int, i: int) -> bool:
    return ins[j] not in ins[j + 1 :]


def _in_pairs(ins: list[int], outs: list[int], j: int, i: int) -> bool:
    return ins[:j].count(ins[j]) == outs[:i].count(outs[i])


def _families(hidden: bool) -> list[Family]:
    def family(group: str, ins: list[int], outs: list[int]) -> Family:
        weights = sum(int(_schur(group, k, out)) for k in ins for out in outs)
        return Family(_by_frequencies(group, ins), _by_frequencies(group, outs), weights, (group, ins, outs))

    if hidden:
        return [
            family("SO(2)", [2], [2, 3]),
            family("O(2)", [1, 2], [2, 1]),
            family("SO(2)", [0, 3, 3], [3, 0, 1]),
            family("O(2)", [0, 4, 4, 0], [4, 4, 0]),
            family("O(2)", [5], [0, 2]),
            family("SO(2)", [0, 4, 1], [0, 4, 1]),
        ]
    return [
        family("SO(2)", [1], [1]),
        family("O(2)", [1], [1]),
        family("SO(2)", [1], [2]),
        family("SO(2)", [1, 1], [1]),
        family("SO(2)", [0, 1], [1, 0]),
        family("SO(2)", [1, 2], [2, 2, 1]),
        family("O(2)", [1, 0, 2], [2, 0, 0]),
        family("O(2)", [0, 5], [0, 5]),
        family("SO(2)", [3, 0, 1], [0, 3]),
        family("O(2)", [0, 3, 0], [3, 0]),
    ]


@dataclass(frozen=True)
class LayerTask(FamilyTask):
    """A family task that moves inputs as the sheet says, and says so when an answer asks for more weights than there are."""

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        judged = super().judge(answer, hidden)
        if judged.status != "error":
            return judged
        enough = FamilyTask(**{f.name: getattr(self, f.name) for f in fields(self)} | {"families": _with_more_weights})
        again = enough.judge(answer, hidden)
        if again.status == "error":
            return judged
        held = [held.message for held in self.misconceptions if held.name == again.misconception]
        message = "Your code asks for more weights than there are. Which of yours do the turns forbid, or a mirror?"
        return self._verdict("not yet", "\n".join([message, *held]), again.misconception)

    def _require_equivariant(self, family: Family, k: int, matrix: Tensor) -> None:
        """Turns by multiples of one radian come as near as you like to every turn."""
        moves = {"turned": SO(2).rotation(1.0)}
        if family.extra[0] == "O(2)":
            moves["mirrored"] = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))
        for (word, g), x in itertools.product(moves.items(), torch.eye(family.rho_in.dim, dtype=torch.float64)):
            y = matrix @ x
            then, first = family.rho_out.act(g, y), matrix @ family.rho_in.act(g, x)
            if not torch.allclose(then, first, rtol=CLOSE, atol=CLOSE):
                weights = torch.eye(family.weights)[k].tolist()
                raise Wrong(
                    f"{self._call((weights, x.tolist(), *family.extra))} = {show(y.tolist())}\n"
                    f"  {word}, this is {show(then.tolist())}\n"
                    f"  x {word} is {show(family.rho_in.act(g, x).tolist())} and gives {show(first.tolist())}\n"
                    f"  The two differ: the layer is not equivariant. {MOVES[word]}"
                )


MOVES = {
    "turned": "(Here θ is 1 in radians: frequency k turns by the angle k.)",
    "mirrored": "(The mirror maps (p, q) to (p, −q).)",
}


def _with_more_weights(hidden: bool) -> list[Family]:
    return [replace(f, weights=f.weights + 4 * len(f.extra[1]) * len(f.extra[2])) for f in _families(hidden)]


# ---- task 5: arrays of S_N -------------------------------------------------------------------------------------------

Parts = list[list[Any]]


def contents(N: int, k: int) -> Parts:
    """[label, multiplicity] of each irrep in the arrays of order k of S_N."""
    return [[list(label), m] for label, m in _found(N, k)]


@cache
def _found(N: int, k: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    G = SymmetricGroup(N)
    arrays = G.defining() ** k
    found = [(label, multiplicity(G.irrep(label), arrays)) for label in _partitions(N)]
    return tuple((label, m) for label, m in found if m)


def _partitions(n: int, largest: int | None = None) -> list[tuple[int, ...]]:
    if n == 0:
        return [()]
    return [(first, *rest) for first in range(min(n, largest or n), 0, -1) for rest in _partitions(n - first, first)]


def _powers(N: int, k: int) -> Parts:
    """Multiplicities to the power k, as if parts were multiplied one by one."""
    return [[[N], 1], [[N - 1, 1], 1]] if N > 1 else [[[1], 1]]


def _k_times(N: int, k: int) -> Parts:
    """k copies, as if the axes stood side by side."""
    return [[label, k * m] for label, m in _powers(N, k)]


def _times_dimension(N: int, k: int) -> Parts:
    G = SymmetricGroup(N)
    return [[label, m * G.irrep(tuple(label)).dim] for label, m in contents(N, k)]


def _of_large(N: int, k: int) -> Parts:
    """The multiplicities for many points, with those names that N has room for."""
    large = 2 * k + 1
    found = []
    for label, m in contents(large, k):
        first = N - (large - label[0])
        if first >= (label[1] if len(label) > 1 else 1):
            found.append([[first, *label[1:]], m])
    return found


def _short_labels(N: int, k: int) -> Parts:
    return [[label, m] for label, m in contents(N, k) if len(label) <= 3]


def _array_cases(hidden: bool) -> list[tuple[Any, ...]]:
    return [(2, 2), (5, 2), (4, 1), (3, 3), (4, 4)] if hidden else [(3, 1), (2, 2), (3, 2), (4, 2), (2, 3), (4, 3)]


def _same_parts(a: Any, b: Any) -> bool:
    try:
        return sorted([list(label), m] for label, m in a) == sorted([list(label), m] for label, m in b)
    except (TypeError, ValueError):
        return False


def _accept_parts(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"contents({args[0]}, {args[1]})"
    pairs = isinstance(got, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], list) and isinstance(pair[1], (int, float))
        for pair in got
    )
    if not pairs:
        raise Malformed(
            f"{call} gave {show(got)}; expected a list of pairs [label, copies], such as [[[3], 2], [[2, 1], 3]]"
        )
    if not _same_parts(got, expected):
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")


# ---- the tasks -------------------------------------------------------------------------------------------------------

SCALARS = "over ℝ every block is one scalar"
ORDER = "The right numbers in another order: line, sign, plane."

TASKS = [
    ValueTask(
        id="15.recall-1",
        outcome="count orbits by the mean number of points left in place",
        accepted=(1,),
        why="(3 + 1 + 1 + 1 + 0 + 0)/6 = 1: the three points are one orbit.",
        feedback={
            6: "6 is the sum. Divide by the number of elements.",
            3: "There are three points; the orbits are fewer.",
        },
    ),
    ValueTask(
        id="15.recall-2",
        outcome="say which entries of a direct sum are zero",
        accepted=(4,),
        why="The blocks hold 1 + 4 entries; the other 4 are zero.",
        feedback={
            5: "5 entries lie in the blocks. The others are zero.",
            0: "In a direct sum no part leaks into the other: those entries are zero.",
        },
    ),
    FunctionTask(
        id="15.new-basis",
        outcome="write a matrix in another basis",
        minutes=3,
        name="in_new_basis",
        reference=in_new_basis,
        cases=_basis_cases,
        shown="Go back with the transpose of Q, apply M, go there with Q.",
        misconceptions=(
            Misconception(
                "Q on the wrong side",
                _the_other_way,
                "You go there first and back last. A vector in the new coordinates has to go back before M can act on it: Qᵀ stands "
                "on the right.",
            ),
            Misconception(
                "one side is enough",
                _only_there,
                "Q M takes old coordinates in. The new matrix takes new coordinates in: bring them back first.",
            ),
        ),
    ),
    InnerTask(
        id="15.inner",
        outcome="compute the inner product of two characters",
        minutes=5,
        name="inner",
        reference=inner,
        cases=_inner_cases,
        shown="The mean over all elements: copies of an irrep; 2 for a plane of complex type.",
        misconceptions=(
            Misconception(
                "a sum in place of the mean",
                _sum_of_products,
                "You add up and do not divide by the number of elements.",
            ),
            Misconception(
                "generators are enough",
                _over_generators,
                "You take the mean over the generators. A mean over the group needs every element.",
            ),
            Misconception(
                "the trace of the product",
                _trace_of_product,
                TWO_TRACES,
            ),
            Misconception(
                "only the last element counts",
                _last_alone,
                "You keep the last element's product only: total = … replaces what was there, total += … adds to it.",
            ),
        ),
    ),
    ValueTask(
        id="15.tables",
        outcome="count the irreps in a tensor product by characters",
        accepted=([2, 1, 3],),
        why="2 · 1 + 1 · 1 + 3 · 2 = 9. Tables of three points contain the line twice, the sign once, the plane three times.",
        feedback={
            (1, 0, 1): "These are the parts of V itself. The character of V ⊗ V has the squares: 9, 1, 1, 1, 0, 0.",
            **{order: ORDER for order in itertools.permutations((1, 2, 3)) if order != (2, 1, 3)},
            (2, 0, 2): "This is V ⊕ V, of dimension 6. In V ⊗ V characters are multiplied.",
            (12, 6, 18): "These are the sums over the six elements. Divide by 6.",
            (2, 1, 6): "6 is the dimension of all planes together; each has dimension 2.",
        },
    ),
    NumberTask(
        id="15.multiplicities",
        outcome="count the irreps in a direct sum and in a tensor product by characters",
        points=4,
        minutes=15,
        name="multiplicities",
        reference=multiplicities,
        cases=_multiplicity_cases,
        same=_same_when_rounded,
        shown="A direct sum adds characters, a tensor product multiplies them; the mean counts every element, and ⟨ψ, ψ⟩ is divided out.",
        misconceptions=(
            Misconception(
                "characters of a direct sum are multiplied",
                _always("product"),
                "You multiply the characters in both cases. In a direct sum the blocks stand side by side on one diagonal: traces add.",
            ),
            Misconception(
                "characters of a tensor product are added",
                _always("sum"),
                "You add the characters in both cases. On a tensor product the diagonal holds all products of the two diagonals.",
            ),
            Misconception(
                "each class counts once",
                _each_class_once,
                "You count each class once. The mean runs over elements: a class with three elements counts three times.",
            ),
            Misconception(
                "⟨ψ, ψ⟩ is always 1",
                _not_divided,
                "You do not divide by ⟨ψ, ψ⟩. It is 1 for irreps of real type, but 2 for complex and 4 for quaternionic ones.",
            ),
            Misconception(
                "⟨ψ, ψ⟩ is the dimension unless it is 1",
                _divided_by_the_dimension,
                "You divide by the dimension of the irrep. ⟨ψ, ψ⟩ is 2 for complex and 4 for quaternionic type, in any dimension.",
            ),
            Misconception(
                "a sum in place of the mean",
                _summed,
                "You add up and do not divide by the number of elements.",
            ),
            Misconception(
                "dimensions in place of copies",
                _dimensions,
                "You give the dimension of all copies together. Asked for is how many copies there are.",
            ),
        ),
    ),
    NumberTask(
        id="15.dimension",
        outcome="count the equivariant linear maps by Schur's lemma over the real numbers",
        points=3,
        minutes=10,
        name="count_maps",
        reference=count_maps,
        cases=_count_cases,
        shown="For each irrep m · n pairs of copies, with 1, 2 or 4 numbers each.",
        misconceptions=(
            Misconception(
                SCALARS,
                _every_block_a_scalar,
                "You give each pair of equal irreps one number. Over the reals that is right for real type only: complex type has 2, "
                "quaternionic 4.",
            ),
            Misconception(
                "m + n in place of m · n",
                _added,
                "You add the copies. Each copy at the output may take from each copy at the input: that makes m · n pairs.",
            ),
            Misconception(
                "copies are joined one to one",
                _one_to_one,
                "You join the first copy with the first, the second with the second. Any copy may be joined with any other of the same "
                "irrep.",
            ),
            Misconception(
                "every entry of a block is free",
                _every_entry,
                "You count the entries of the blocks. A block has to commute with the group: 1, 2 or 4 numbers are left, however large "
                "it is.",
            ),
            Misconception(
                "every copy is joined with every copy",
                _all_with_all,
                "You join copies of different irreps too. Between different irreps there is no map but zero: go irrep by irrep.",
            ),
            Misconception(
                "m² in place of m · n",
                _input_twice,
                "You take the copies at the input twice. That is right from a representation to itself; here the output has its own.",
            ),
            Misconception(
                "τ is the dimension of the irrep",
                _times_its_dimension,
                "You multiply by the dimension of the irrep. τ is 1, 2 or 4 by the type: the plane of S_3 has dimension 2 and τ = 1.",
            ),
            Misconception(
                "τ is the dimension unless the type is real",
                _dimension_unless_real,
                "You take the dimension of the irrep for τ. Complex type has τ = 2 and quaternionic type τ = 4, in any dimension.",
            ),
            Misconception(
                "equal dimension means equal irreps",
                _equal_dimensions,
                "You join irreps because their dimensions agree. Line and sign are both one-dimensional, and there is no map but zero "
                "between them.",
            ),
        ),
    ),
    FunctionTask(
        id="15.ring",
        outcome="write a circulant matrix in real blocks, by frequency",
        points=4,
        minutes=15,
        name="blocks",
        reference=blocks,
        cases=_block_cases,
        accept=_accept_blocks,
        shown="N numbers again: one for frequency 0 (and N/2), two for each other frequency up to N/2.",
        misconceptions=(
            Misconception(
                SCALARS,
                lambda w: _blocks(w, scalar=True),
                "You give each frequency one number. Its block is a1 + bJ: b is lost, and with it most kernels that are not symmetric.",
            ),
            Misconception(
                "the block turns the other way",
                lambda w: _blocks(w, sign=-1),
                "Your b has the wrong sign. The DFT has a minus sign in its exponent; here the shift by 1 turns the plane forward.",
            ),
            Misconception(
                "a mean in place of the sum",
                lambda w: [[number / len(w) for number in part] for part in _blocks(w)],
                "You divide by N. W is the sum of the shifts times their weights: nothing is averaged here.",
            ),
            Misconception(
                "all N frequencies are different",
                lambda w: _blocks(w, whole=True),
                "You list all N frequencies. Over the reals k and N − k are one plane: stop at N/2.",
            ),
            Misconception(
                "every block is a plane",
                lambda w: _blocks(w, ends=True),
                "You give two numbers to every frequency. At frequency 0, and at N/2 for even N, there is one dimension, and no b.",
            ),
            Misconception(
                "N/2 is a plane",
                lambda w: _blocks(w, last=True),
                "You give two numbers to the frequency N/2. The shift by 1 turns it by half a turn, 1 to −1: one dimension, and no b.",
            ),
        ),
    ),
    LayerTask(
        id="15.layer",
        outcome="write all linear maps between vectors turned by SO(2) or O(2)",
        points=4,
        minutes=15,
        name="forward",
        reference=layer(),
        families=_families,
        shown="Equal frequencies are joined by a1 + bJ, or by a alone where mirrors are allowed too.",
        misconceptions=(
            Misconception(
                SCALARS,
                layer(_scalars),
                "You join equal frequencies by one number. Turns of a plane commute with each other, so that b times a quarter turn "
                "is allowed for SO(2).",
            ),
            Misconception(
                "what is right for SO(2) is right for O(2)",
                layer(_turns_for_all),
                "You allow a quarter turn for O(2) too. It does not commute with the mirror.",
            ),
            Misconception(
                "equal dimension means equal irreps",
                layer(_same_size),
                "You join planes of different frequencies. One turns faster than the other: only zero commutes with both.",
            ),
            Misconception(
                "every entry of a block is free",
                layer(_all_entries),
                "You make each entry of a block a weight. A block has to commute with the turns.",
            ),
            Misconception(
                "only the first input of a frequency is joined",
                layer(joined=_first_input),
                "You use the first input of each frequency only. Every input of that frequency may reach every output of it: m · n pairs.",
            ),
            Misconception(
                "only the last input of a frequency is joined",
                layer(joined=_last_input),
                "You use the last input of each frequency only; a dict with frequencies as keys keeps no other. Every input of that "
                "frequency may reach every output of it: m · n pairs.",
            ),
            Misconception(
                "copies are joined one to one",
                layer(joined=_in_pairs),
                "You join the first copy with the first, the second with the second. Any copy may be joined with any other of the same "
                "frequency: m · n pairs.",
            ),
        ),
    ),
    NumberTask(
        id="15.arrays",
        outcome="find the irreps in arrays of S_N by characters",
        points=2,
        minutes=12,
        name="contents",
        reference=contents,
        cases=_array_cases,
        accept=_accept_parts,
        same=_same_parts,
        shown="Each multiplicity is a mean over permutations; the sum of their squares at order 2 is 8, 14 and 15 for N = 2, 3 and 4.",
        misconceptions=(
            Misconception(
                "parts are multiplied one by one",
                _powers,
                "You keep the parts of one axis. The tensor product of two irreps is a representation of its own, with several parts: "
                "multiply characters, then count.",
            ),
            Misconception(
                "k axes are k copies",
                _k_times,
                "You take k axes for k copies side by side. That is a direct sum; an array has the product of the characters.",
            ),
            Misconception(
                "the same for every N",
                _of_large,
                "You use the numbers for many points. A small N has too few points for some of the irreps, and others occur less often.",
            ),
            Misconception(
                "labels of more than three parts are left out",
                _short_labels,
                "You leave out labels of more than three parts. For N = 4, [1, 1, 1, 1] is one too.",
            ),
            Misconception(
                "dimensions in place of copies",
                _times_dimension,
                "You give the dimension of all copies together. Asked for is how many copies there are.",
            ),
        ),
    ),
]
