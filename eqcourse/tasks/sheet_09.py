"""Lesson and sheet 09: higher-order permutations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    plain,
    same_answer,
    show,
)
from ..groups import SymmetricGroup
from ..solvers.partitions import Partition, bell, count_partitions, set_partitions
from .common import Family, FamilyTask
from .common import _rank as matrix_rank

# ---- in the lesson: typed answers ------------------------------------------------------------------------------------


def _spelt(name: Any) -> str:
    """A place, or the name of a colour as a list or a string, in one spelling."""
    return "".join(map(str, name)) if isinstance(name, list) else str(name).strip()


@dataclass(frozen=True)
class AnyOrderTask(ValueTask):
    """A list whose order does not matter; says how many items are missing and how many do not belong."""

    item: str = "place"

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        items = plain(list(answer) if isinstance(answer, (set, frozenset)) else answer)
        judged = super().judge(items, hidden)
        if not isinstance(items, list) or judged.status == "passed" or judged.misconception:
            return judged
        mine = set(map(_spelt, items))
        if any(mine == set(map(_spelt, right)) for right in self.accepted):
            return self._verdict("passed", self.why)
        right = set(map(_spelt, self.accepted[0]))
        reasons = [(len(right - mine), "missing"), (len(mine - right), "too many")]
        said = [f"{self._count(number)} {what}" for number, what in reasons if number]
        return self._verdict("not yet", f"{show(items)}: {', '.join(said)}. Look back, and try again.")

    def _count(self, number: int) -> str:
        return f"one {self.item} is" if number == 1 else f"{number} {self.item}s are"


@dataclass(frozen=True)
class NamesTask(ValueTask):
    """The names of the colours of some entries; says which is wrong."""

    entries: tuple[str, ...] = ()

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        names = plain(answer)
        if isinstance(names, list):
            names = [list(map(int, name)) if isinstance(name, str) and name.isdecimal() else name for name in names]
        judged = super().judge(names, hidden)
        if names is None or judged.status == "passed" or judged.misconception:
            return judged
        if not (isinstance(names, list) and len(names) == len(self.entries) and all(map(_is_name, names))):
            form = f"Write {len(self.entries)} names of four numbers each, such as [0, 0, 1, 1]"
            return self._verdict("not yet", f"{form}; got {show(names)}.")
        right = self.accepted[0]
        wrong = [e for e, name, r in zip(self.entries, names, right, strict=True) if not same_answer(name, r)]
        return self._verdict(
            "not yet", f"Not yet right: {', '.join(wrong)}. Read left to right: 0 for the first index, then by turns."
        )


def _is_name(name: Any) -> bool:
    return isinstance(name, list) and len(name) == 4 and all(isinstance(part, (int, float)) for part in name)


# ---- in the lesson: one table, five vectors --------------------------------------------------------------------------

Table = list[list[float]]


def permute_table(pi: Sequence[int], x: Table) -> Table:
    return act(pi, x)


def _table_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([2, 0, 1], [[5, 6, 7], [1, 2, 3], [4, 9, 8]]),
            ([3, 2, 0, 1], [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]),
        ]
    return [
        ([1, 0], [[1, 2], [3, 4]]),
        ([1, 2, 0], [[11, 12, 13], [21, 22, 23], [31, 32, 33]]),
    ]


def five_vectors(x: Table, columns: int = 0, total: Callable[[Tensor], Tensor] = torch.sum) -> Tensor:
    """Diagonal, sums of rows, sums of columns, trace, total; misconceptions sum along another axis or something else."""
    t = torch.tensor(x, dtype=torch.float64)
    n = len(t)
    return torch.stack([t.diagonal(), t.sum(1), t.sum(columns), t.trace().expand(n), total(t).expand(n)])


def _five_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0.0, 2.0, 5.0], [1.0, 7.0, -3.0], [4.0, 0.0, 2.0]],),
            ([[1.0, 0.0, 0.0, 6.0], [2.0, 3.0, 0.0, 0.0], [0.0, 5.0, 1.0, 1.0], [9.0, 0.0, 0.0, 4.0]],),
        ]
    return [([[1.0, 2.0], [30.0, 4.0]],), ([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [100.0, 200.0, 300.0]],)]


_VECTORS = (
    "000, the diagonal",
    "001, the sums of the rows",
    "010, the sums of the columns",
    "011, the trace",
    "012, the total",
)


def _accept_vectors(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """Five vectors; says which is wrong, and which of the others it is."""
    call = f"five_vectors({show(args[0])})"
    if not isinstance(got, list) or len(got) != 5:
        raise Malformed(f"{call} gave {show(got)}; expected five vectors")
    for name, mine, right in zip(_VECTORS, got, expected, strict=True):
        if isinstance(mine, (int, float)):
            raise Malformed(f"{call}: {name}, is one number, {show(mine)}. Copy it to all N places: .expand(n)")
        if not same_answer(mine, right):
            others = [
                f"\n  These are {other}." for other, e in zip(_VECTORS, expected, strict=True) if same_answer(mine, e)
            ]
            raise Wrong(f"{call}\n  gave     {show(mine)} for {name}\n  expected {show(right)}{''.join(others[:1])}")


# ---- task 1: the order-k action --------------------------------------------------------------------------------------


def act(pi: Sequence[int], x: Any, moves: Callable[[list[int], int], list[list[int]]] | None = None) -> Any:
    """The same π on all axes of a nested list; ``moves(π, k)`` gives another permutation for each axis."""
    array = torch.tensor(x, dtype=torch.float64)
    k = array.ndim
    images = moves(list(pi), k) if moves else [list(pi)] * k
    for axis, image in enumerate(images):
        array = array.index_select(axis, torch.tensor(_inverse(image), dtype=torch.int64))
    return array.tolist()


def _transposed(x: Any) -> Any:
    array = torch.tensor(x, dtype=torch.float64)
    return array.permute(tuple(reversed(range(array.ndim)))).tolist()


def _inverse(pi: Sequence[int]) -> list[int]:
    return sorted(range(len(pi)), key=lambda i: pi[i])


def _cube(n: int, axes: int) -> Any:
    """An array whose entries spell their indices: 123 at (1, 2, 3)."""
    index = [torch.arange(n).reshape([-1 if a == b else 1 for b in range(axes)]) for a in range(axes)]
    spelt = sum((10 ** (axes - 1 - a) * index[a] for a in range(axes)), torch.zeros(()).long())
    return spelt.expand([n] * axes).tolist()


def _act_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([1, 0], -4),
            ([2, 0, 1], [5, 0, 7]),
            ([2, 0, 3, 1], _cube(4, 2)),
            ([4, 2, 0, 1, 3], _cube(5, 2)),
            ([2, 0, 1], _cube(3, 3)),
            ([1, 0], _cube(2, 4)),
        ]
    return [
        ([1, 2, 0], 7),
        ([1, 2, 0], [10, 20, 30]),
        ([1, 2, 0], [[11, 12, 13], [21, 22, 23], [31, 32, 33]]),
        ([2, 3, 1, 0], _cube(4, 2)),  # neither a shift, nor is π twice its inverse
        ([1, 2, 0], _cube(3, 3)),
        ([1, 0], _cube(2, 4)),
    ]


# ---- task 2: the entries of a colour ---------------------------------------------------------------------------------


def _name(indices: Sequence[int]) -> Partition:
    names: dict[int, int] = {}
    return tuple(names.setdefault(i, len(names)) for i in indices)


def _sizes(partition: Sequence[int]) -> list[int]:
    return sorted(partition.count(part) for part in set(partition))


Fits = Callable[[tuple[int, ...], Partition], bool]


def entries(
    partition: Sequence[int], N: int, fits: Fits = lambda indices, name: _name(indices) == name
) -> list[list[int]]:
    """All tuples of indices below N that fit the name of a colour; misconceptions differ in what fits."""
    name = tuple(partition)
    return [list(t) for t in itertools.product(range(N), repeat=len(name)) if fits(t, name)]


def _at_least(indices: tuple[int, ...], name: Partition) -> bool:
    pairs = itertools.combinations(range(len(name)), 2)
    return all(indices[a] == indices[b] for a, b in pairs if name[a] == name[b])


def _like_neighbours(indices: tuple[int, ...], name: Partition) -> bool:
    return [a == b for a, b in itertools.pairwise(indices)] == [a == b for a, b in itertools.pairwise(name)]


def _entries_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([0, 1], 4), ([0, 1, 1, 1], 3), ([0, 1, 2, 2], 2), ([0, 1, 2, 0], 3), ([0, 0, 1, 1], 3)]
    return [([0, 0], 3), ([0, 1], 3), ([0, 1, 1, 0], 2), ([0, 1, 0, 2], 3), ([0, 1, 2], 2)]


def _accept_entries(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """The right tuples, each once, in any order, in a list or in a set."""
    call = f"entries({show(args[0])}, {args[1]})"
    got = _as_list(got)
    if not isinstance(got, list) or not all(isinstance(t, list) and len(t) == len(args[0]) for t in got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of lists of {len(args[0])} indices")
    if not all(_is_index(i, args[1]) for t in got for i in t):
        raise Malformed(f"{call} gave {show(got)}; indices are whole numbers from 0 to {args[1] - 1}")
    mine = sorted(got)
    if len(mine) != len({tuple(t) for t in mine}):
        raise Wrong(f"{call} lists an entry twice: {show(got)}")
    if not same_answer(mine, expected):
        raise Wrong(f"{call}\n{gave_expected(mine, expected)}")


def _is_index(i: Any, n: int) -> bool:
    return isinstance(i, (int, float)) and i in range(n)


def _as_list(tuples: Any) -> Any:
    return plain(list(tuples)) if isinstance(tuples, (set, frozenset)) else tuples


def _same_entries(a: Any, b: Any) -> bool:
    try:
        return same_answer(sorted(_as_list(a)), sorted(_as_list(b)))
    except TypeError:
        return False


# ---- task 3: the dimensions ------------------------------------------------------------------------------------------


def dimension(p: int, q: int, N: int) -> int:
    return count_partitions(p + q, N)


def _exactly(p: int, q: int, N: int) -> int:
    """Set partitions into exactly as many parts as there can be."""
    most = min(p + q, N)
    return count_partitions(p + q, most) - count_partitions(p + q, most - 1)


def _by_sizes(p: int, q: int, N: int) -> int:
    """How many different lists of sizes the parts can have."""
    return len({tuple(_sizes(parts)) for parts in set_partitions(p + q, N)})


def _dimension_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            (0, 0, 3),
            (0, 2, 3),
            (1, 2, 2),
            (2, 1, 4),
            (1, 3, 3),
            (2, 3, 5),
            (2, 3, 4),
            (3, 2, 3),
            (3, 3, 6),
            (3, 3, 4),
            (3, 3, 3),
        ]
    return [
        *[(1, 1, 5), (1, 0, 4), (0, 0, 2), (1, 2, 3), (1, 1, 1)],
        *[(2, 2, 5), (2, 2, 4), (2, 2, 3), (2, 2, 2), (2, 3, 3), (3, 3, 5)],
    ]


# ---- task 4: all fifteen maps, without the matrix --------------------------------------------------------------------

DIAGRAMS = set_partitions(4, 4)


def diagram(partition: Partition, x: Tensor) -> Tensor:
    """Contract, then broadcast: the map from tables to tables of one set partition of i, j, k, l (y_ij from x_kl)."""
    n = len(x)
    i, j, k, l = ("abcd"[part] for part in partition)
    both = "".join(sorted({i, j} & {k, l}))
    contracted = torch.einsum(f"{k}{l}->{both}", x)
    if i == j:
        return torch.einsum(f"{both},{i}->{i}", contracted, torch.ones(n).to(x)).diag()
    return torch.einsum(f"{both},{i}{j}->{i}{j}", contracted, torch.ones(n, n).to(x))


def forward_with(kept: Sequence[Partition]) -> Callable[[list[float], Table], Table]:
    """The layer with these diagrams only; the weights of the others do nothing."""

    def forward(weights: list[float], x: Table) -> Table:
        table = torch.tensor(x, dtype=torch.float64)
        y = torch.zeros_like(table)
        for weight, partition in zip(weights, DIAGRAMS, strict=True):
            if weight and partition in kept:
                y = y + weight * diagram(partition, table)
        return y.tolist()

    return forward


def _families(hidden: bool) -> list[Family]:
    sizes = [4, 6] if hidden else [2, 3, 5]
    tables = [SymmetricGroup(n).defining() ** 2 for n in sizes]
    return [Family(rho, rho, weights=15) for rho in tables]


#: What a diagram computes, in the words that learners read.
RECIPES: dict[Partition, str] = {
    (0, 0, 0, 0): "the diagonal of x, on the diagonal",
    (0, 0, 0, 1): "the sums of the rows, on the diagonal",
    (0, 0, 1, 0): "the sums of the columns, on the diagonal",
    (0, 0, 1, 1): "the trace, on the diagonal",
    (0, 0, 1, 2): "the total, on the diagonal",
    (0, 1, 0, 0): "entry i of the diagonal, everywhere in row i",
    (0, 1, 0, 1): "x itself",
    (0, 1, 0, 2): "the sum of row i, everywhere in row i",
    (0, 1, 1, 0): "the transpose of x",
    (0, 1, 1, 1): "entry j of the diagonal, everywhere in column j",
    (0, 1, 1, 2): "the sum of row j, everywhere in column j",
    (0, 1, 2, 0): "the sum of column i, everywhere in row i",
    (0, 1, 2, 1): "the sum of column j, everywhere in column j",
    (0, 1, 2, 2): "the trace, everywhere",
    (0, 1, 2, 3): "the total, everywhere",
}


def _missing(family: Family, outputs: list[Tensor]) -> list[Partition]:
    """Up to five diagrams that a layer of equivariant maps lacks, if these are all that it lacks (N ≥ 4)."""
    M = family.matrices(outputs).flatten(1)
    n = family.rho_in.axes[0]
    inputs = torch.eye(n * n, dtype=torch.float64).reshape(-1, n, n)
    maps = {p: torch.stack([diagram(p, x).flatten() for x in inputs], 1).reshape(1, -1) for p in DIAGRAMS}
    rank = matrix_rank(M)
    missing = [p for p, row in maps.items() if matrix_rank(torch.cat([M, row])) > rank]
    # With the maps that it has, they span all: a layer of mixed maps can lack one dimension and no diagram in particular.
    return missing if len(missing) <= 5 and rank + len(missing) == len(DIAGRAMS) else []


def _only(keep: Callable[[Partition], bool]) -> Callable[[list[float], Table], Table]:
    return forward_with([p for p in DIAGRAMS if keep(p)])


_FAMILIES_OF_MISTAKES = (
    Misconception(
        "the identity layer",
        _only(lambda p: p == (0, 1, 0, 1)),
        "Your layer multiplies all of x by one number. That commutes with every linear action, and it is one of 15 maps.",
    ),
    Misconception(
        "the axes are permuted independently",
        _only(lambda p: p[0] != p[1] and p[2] != p[3] and p[0] != p[3] and p[1] != p[2]),
        "Your maps are x, the sums of its rows, the sums of its columns and the total, each in its place. These four are all that "
        "commutes with *independent* permutations of rows and columns. Here the same π acts on both axes, so that a row knows "
        "its column: there is a diagonal, and there is a transpose.",
    ),
    Misconception(
        "the diagonal of the output is never treated apart",
        _only(lambda p: p[0] != p[1]),
        "No map of yours writes to the diagonal alone. Since π moves (i, i) to (π(i), π(i)), what is put on the diagonal only stays "
        "there: five set partitions join i and j.",
    ),
    Misconception(
        "the diagonal of the input is never read apart",
        _only(lambda p: p[2] != p[3]),
        "No map of yours reads the diagonal of x alone. Five set partitions join k and l: the diagonal and the trace.",
    ),
    Misconception(
        "the diagonals are never treated apart",
        _only(lambda p: p[0] != p[1] and p[2] != p[3]),
        "No map of yours reads or writes the diagonal alone. Since the same π acts on both axes, the diagonal stays the diagonal: "
        "set partitions may join i and j, or k and l.",
    ),
    Misconception(
        "only the first index of the output is joined with the input",
        _only(lambda p: p[0] != p[1] and p[1] not in p[2:]),
        "In all maps of yours the output's columns are alike. Its second index may be joined with the input too.",
    ),
)

_MAPS: dict[tuple[str, int], Tensor] = {}


class TablesTask(FamilyTask):
    """Also says which diagrams are missing, up to five, and that the weights do nothing."""

    def _dimensions(self, family: Family, outputs: list[Tensor]) -> int:
        M = family.matrices(outputs)
        if torch.equal(M, M[:1].expand_as(M)) and not family.is_linear(outputs):
            call = self._call(family.calls()[0])
            raise Wrong(f"{call}\n  Your weights are not used: whichever of them is 1, the table is the same.")
        return super()._dimensions(family, outputs)

    def _not_yet(self, reason: str, families: list[Family], outputs: list[list[Tensor]]) -> Verdict:
        told = super()._not_yet(reason, families, outputs)
        missing = [] if told.misconception else _missing(families[-1], outputs[-1])
        if not missing:
            return told
        names = [f"  {''.join(map(str, partition))}: {RECIPES[partition]}" for partition in missing]
        lines = "\n".join([reason, f"What is missing, of the 15: {len(missing)}.", *names])
        return self._verdict("not yet", lines, "diagrams are missing")

    def _maps_of(self, held: Misconception, family: Family) -> Tensor:
        """Remembered, since a wrong answer is compared with many."""
        key = (held.name, family.rho_in.dim)
        if key not in _MAPS:
            _MAPS[key] = super()._maps_of(held, family)
        return _MAPS[key]


TASKS = [
    ValueTask(
        id="09.recall-1",
        outcome="recall lesson 08",
        minutes=1,
        accepted=(3,),
        why="The diagonal is w_id + w_sum, and off the diagonal stands w_sum alone: 5 − 2.",
        feedback={
            5: "The diagonal carries both: the identity and the matrix of ones.",
            2: "That is w_sum, which stands everywhere.",
            7: "The diagonal 5 is already the sum of both.",
        },
    ),
    AnyOrderTask(
        id="09.recall-2",
        outcome="recall lesson 02",
        minutes=1,
        accepted=([1, 2, 3],),
        why="A permutation of the places 1, 2 and 3 leaves the input alone, and so it leaves the output alone.",
        feedback={
            (2, 2, 2): "These are the entries. At which places, counted from 0, do they stand?",
            (2, 3, 4): "Places are counted from 0.",
            (0, 4): "Different inputs may have different outputs. Which permutations leave the input as it is?",
        },
    ),
    FunctionTask(
        id="09.permute-table",
        outcome="permute a table with the same permutation on both axes",
        minutes=4,
        name="permute_table",
        reference=permute_table,
        cases=_table_cases,
        shown="The entry at (i, j) goes to (π(i), π(j)): both axes move.",
        misconceptions=(
            Misconception(
                "looks up at π(i)",
                lambda pi, x: act(_inverse(pi), x),
                "You fetch the entry of (i, j) from (π(i), π(j)). It has to go there: [π▷x] at (π(i), π(j)) is x at (i, j).",
            ),
            Misconception(
                "only the rows move",
                lambda pi, x: act(pi, x, lambda p, k: [p, list(range(len(p)))]),
                "You move the rows. New numbers for the people move the columns as well.",
            ),
            Misconception(
                "only the columns move",
                lambda pi, x: act(pi, x, lambda p, k: [list(range(len(p))), p]),
                "You move the columns. New numbers for the people move the rows as well.",
            ),
            Misconception(
                "rows and columns are exchanged",
                lambda pi, x: [list(row) for row in zip(*act(pi, x), strict=True)],
                "Your result is transposed: the entry at (i, j) goes to (π(i), π(j)), not to (π(j), π(i)).",
            ),
        ),
    ),
    NamesTask(
        id="09.colour-names",
        outcome="name the colour of an entry by its equal indices",
        minutes=3,
        accepted=([[0, 1, 1, 0], [0, 1, 0, 2], [0, 1, 2, 3]],),
        entries=("W_43,34", "W_20,24", "W_12,30"),
        why="4 and 3 come back crosswise; 2 comes back in the third place; 1, 2, 3, 0 are all different.",
        feedback={
            (
                (4, 3, 3, 4),
                (2, 0, 2, 4),
                (1, 2, 3, 0),
            ): "These are the indices themselves. Write 0 for the first one, and the next number for each new one.",
            (
                (0, 1, 1, 0),
                (0, 1, 0, 2),
                (1, 2, 3, 0),
            ): "In the third one, write 0 for the first index, whatever it is.",
            (
                (0, 1, 0, 1),
                (0, 1, 0, 2),
                (0, 1, 2, 3),
            ): "Look at the first one again: 4, 3, 3, 4. The third index equals the second.",
            ((0, 0, 1, 1), (0, 1, 0, 2), (0, 1, 2, 3)): "Look at the first one again: 4 and 3 are different.",
        },
    ),
    FunctionTask(
        id="09.five-vectors",
        outcome="contract a table to vectors and broadcast",
        minutes=4,
        name="five_vectors",
        reference=five_vectors,
        cases=_five_cases,
        accept=_accept_vectors,
        shown="Diagonal, sums of rows, sums of columns, trace and total: all five maps from order 2 to order 1.",
        misconceptions=(
            Misconception(
                "the sums of the rows twice",
                lambda x: five_vectors(x, columns=1),
                "Your third vector is the second one again. In 010 the point i is joined with l, so that k is summed over: x.sum(0).",
            ),
            Misconception(
                "the total is the trace",
                lambda x: five_vectors(x, total=torch.trace),
                "Your last vector is the trace. In 012 neither k nor l is joined with anything: sum over both.",
            ),
            Misconception(
                "a mean instead of a sum",
                lambda x: five_vectors(x, total=torch.mean),
                "Your last vector is a mean. To contract is to sum.",
            ),
        ),
    ),
    AnyOrderTask(
        id="09.recipe",
        outcome="write a recipe as a sum of colours",
        minutes=3,
        accepted=(["0102", "0101", "0100", "0001", "0000"], [7, 6, 5, 1, 0]),
        item="colour",
        why="i = k in all of them, and the points i, j, l are joined in each of the 5 ways that three points can be.",
        feedback={
            ("0102",): "That is one of them. A sum over l includes the l that equals i, and the l that equals j.",
            (
                "0102",
                "0101",
                "0100",
            ): "l may equal i or j. j may equal i as well: the sum of row i stands on the diagonal too.",
            ("0102", "0123"): "In 0123 i and k are different. The recipe joins them.",
        },
    ),
    FunctionTask(
        id="09.act",
        outcome="act on arrays of any order",
        points=3,
        minutes=12,
        name="act",
        reference=act,
        cases=_act_cases,
        shown="The same π on all axes, at order 0 to 4; a number of order 0 stays as it is.",
        misconceptions=(
            Misconception(
                "looks up at π(i)",
                lambda pi, x: act(_inverse(pi), x),
                "You look up at π(i). The entry at (i, j, …) has to go to (π(i), π(j), …): look up at the inverse.",
            ),
            Misconception(
                "only the first axis",
                lambda pi, x: act(pi, x, lambda p, k: [p, *[list(range(len(p)))] * (k - 1)][:k]),
                "You permute the first axis alone. At order p all p axes move, and all by the same π.",
            ),
            Misconception(
                "only the last axis",
                lambda pi, x: act(pi, x, lambda p, k: [*[list(range(len(p)))] * (k - 1), p] if k else []),
                "You permute the last axis alone. At order p all p axes move, and all by the same π.",
            ),
            Misconception(
                "another permutation on each axis",
                lambda pi, x: act(pi, x, lambda p, k: [p if axis % 2 == 0 else _inverse(p) for axis in range(k)]),
                "You use π on some axes and its inverse on the others. Then the diagonal would not stay the diagonal: all axes name the "
                "same things, so all move by the same π.",
            ),
            Misconception(
                "the axes are exchanged too",
                lambda pi, x: _transposed(act(pi, x)),
                "Your axes come in the opposite order. Each axis stays where it is; the places along it move.",
            ),
        ),
    ),
    FunctionTask(
        id="09.entries",
        outcome="list the entries that one weight stands at",
        points=3,
        minutes=12,
        name="entries",
        reference=entries,
        cases=_entries_cases,
        accept=_accept_entries,
        same=_same_entries,
        shown="Indices are equal exactly as the set partition says; with more parts than N there are no entries.",
        misconceptions=(
            Misconception(
                "equal at least so",
                lambda partition, N: entries(partition, N, _at_least),
                "You list all entries with the equalities that the set partition asks for. Different parts need *different* indices: "
                "what you list is the diagram, several colours together.",
            ),
            Misconception(
                "the name is the entry",
                lambda partition, N: [list(partition)] if max(partition) < N else [],
                "You list one entry, the one that is spelt like the name. Its whole orbit has this colour: other indices, equal "
                "in the same way.",
            ),
            Misconception(
                "only the sizes of the parts count",
                lambda partition, N: entries(partition, N, lambda t, name: _sizes(t) == _sizes(name)),
                "You list entries whose indices are equal as often as the name says, at whatever places. 0110 and 0101 are "
                "two colours: no permutation of the indices' values moves one to the other.",
            ),
            Misconception(
                "indices in order of their first appearance",
                lambda partition, N: entries(
                    partition, N, lambda t, name: _name(t) == name and list(dict.fromkeys(t)) == sorted(set(t))
                ),
                "You list only entries whose new indices come in increasing order. A permutation moves [0, 1] to [2, 1] too.",
            ),
            Misconception(
                "only neighbours are compared",
                lambda partition, N: entries(partition, N, _like_neighbours),
                "You compare each index with the next one only. Compare all pairs: in 0102 the first and the third are equal, the "
                "second and the fourth are not.",
            ),
        ),
    ),
    FunctionTask(
        id="09.dimension",
        outcome="count the weights between any two orders, for every N",
        points=3,
        minutes=10,
        name="dimension",
        reference=dimension,
        cases=_dimension_cases,
        shown="Set partitions of p + q points into at most N parts: 15 for tables at N = 4 and more, 14 at N = 3, 8 at N = 2.",
        misconceptions=(
            Misconception(
                "the Bell number for every N",
                lambda p, q, N: bell(p + q),
                "You count all set partitions, whatever N is. A part needs an index of its own: at most N parts.",
            ),
            Misconception(
                "the group fixes the layer",
                lambda p, q, N: count_partitions(2, N),
                "You give the number for sets, order 1 to order 1, at every order. The group does not decide alone: S_5 has 2 "
                "weights from order 1 to 1, and 15 from order 2 to 2.",
            ),
            Misconception(
                "no weights are shared",
                lambda p, q, N: N ** (p + q),
                "You count all entries of the matrix. Entries with indices that are equal in the same way share a weight.",
            ),
            Misconception(
                "exactly as many parts as possible",
                _exactly,
                "You count the set partitions with the largest number of parts only. Fewer parts are colours too: at most N.",
            ),
            Misconception(
                "only the sizes of the parts count",
                _by_sizes,
                "You count how large the parts are, not which points they hold. 0011, 0101 and 0110 have equal sizes and are three "
                "colours.",
            ),
            Misconception(
                "input and output apart",
                lambda p, q, N: count_partitions(p, N) * count_partitions(q, N),
                "You divide input points and output points apart. A part may hold points of both: there an output index equals an input "
                "index.",
            ),
        ),
    ),
    TablesTask(
        id="09.forward",
        outcome="★ apply all 15 maps from tables to tables without the matrix",
        points=4,
        minutes=20,
        name="forward",
        reference=forward_with(DIAGRAMS),
        families=_families,
        shown="Your 15 maps are equivariant and span all there are (fewer than 15 are different below N = 4). How many steps they "
        "take is not checked: count your loops.",
        misconceptions=_FAMILIES_OF_MISTAKES,
    ),
]
