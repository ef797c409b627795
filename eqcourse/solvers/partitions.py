"""Set partitions: the orbits of S_N on tuples of indices, and two bases of its equivariant maps.

S_N moves a tuple of indices (i_1, …, i_m) by moving each index. Two tuples lie in one orbit exactly if the same indices
are equal in both. So an orbit is a set partition of the m axes: axes in one block have equal indices, axes in different
blocks have different ones. There have to be at most N blocks.

A set partition is written as a restricted growth string: ``(0, 0, 1)`` says that the first two axes share a block and the third has its
own. In lexicographic order these strings are also the order in which the orbits first appear in a row-major array.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

__all__ = ["bell", "count_partitions", "diagram_to_orbit", "equality_pattern", "orbit_to_diagram", "set_partitions"]

Partition = tuple[int, ...]


def set_partitions(axes: int, max_blocks: int) -> list[Partition]:
    """All set partitions of a number of axes into at most ``max_blocks`` blocks, as restricted growth strings in lexicographic order.

    >>> set_partitions(3, 2)
    [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)]
    """
    strings: list[Partition] = [()]
    for _ in range(axes):
        strings = [(*s, block) for s in strings for block in range(min(max(s, default=-1) + 2, max_blocks))]
    return strings


def count_partitions(axes: int, max_blocks: int) -> int:
    """The number of ``set_partitions``: a sum of Stirling numbers of the second kind.

    >>> [count_partitions(4, n) for n in (2, 3, 4, 5)]
    [8, 14, 15, 15]
    """
    row = [1]  # row[k]: partitions of the axes so far into exactly k blocks
    for _ in range(axes):
        # A new axis joins one of k blocks, or opens block k.
        row = [k * (row[k] if k < len(row) else 0) + (row[k - 1] if k else 0) for k in range(len(row) + 1)]
    return sum(row[: max_blocks + 1])


def bell(axes: int) -> int:
    """The Bell number: all set partitions.

    >>> [bell(m) for m in range(7)]
    [1, 1, 2, 5, 15, 52, 203]
    """
    return count_partitions(axes, axes)


def equality_pattern(n: int, axes: int) -> np.ndarray:
    """For each tuple of ``axes`` indices below n the number of its set partition: an array (n,)*axes, numbered by first appearance.

    Built one axis at a time: the next index is new, or it equals one of those before. Only the second case needs looking at, and it
    concerns few entries.

    >>> equality_pattern(3, 2).tolist()
    [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    number_type = np.int16 if bell(axes) < 2**15 else np.int32
    strings: list[Partition] = [()]
    pattern = np.zeros((), dtype=number_type)
    for length in range(axes):
        longer = set_partitions(length + 1, n)
        place = {string: number for number, string in enumerate(longer)}
        # What becomes of each partition if the next index is new. With n blocks there is no new index: then every
        # entry is overwritten below.
        opened = np.array([place.get((*s, max(s, default=-1) + 1), 0) for s in strings], dtype=number_type)
        extended = np.repeat(opened[pattern][..., None], n, axis=-1)
        for axis in range(length):
            joined = np.array([place[(*s, s[axis])] for s in strings], dtype=number_type)
            # Where the next index equals the index of this earlier axis.
            where = np.arange(n).reshape([n if a == axis else 1 for a in range(length)] + [1])
            where = np.broadcast_to(where, (*pattern.shape, 1))
            np.put_along_axis(extended, where, joined[pattern][..., None], axis=-1)
        strings, pattern = longer, extended
    return pattern


@lru_cache(maxsize=8)
def _refinements(axes: int) -> tuple[list[Partition], np.ndarray]:
    """All partitions, and the matrix Z with Z[σ, π] = 1 where σ is coarser than (or equal to) π."""
    strings = set_partitions(axes, axes)
    return strings, np.array([[_is_coarser(sigma, pi) for pi in strings] for sigma in strings], dtype=np.int64)


def _is_coarser(sigma: Partition, pi: Partition) -> bool:
    """Whether axes that share a block of π share a block of σ."""
    block_of: dict[int, int] = {}
    return all(block_of.setdefault(p, s) == s for p, s in zip(pi, sigma, strict=True))


def diagram_to_orbit(axes: int, n: int) -> Tensor:
    """The integer matrix that turns weights of diagrams into weights of orbits: int64 (orbits, diagrams).

    The diagram of π is the map with a 1 wherever the indices are equal *at least* as π says; the orbit of σ has a 1 where they are equal
    *exactly* as σ says. So the diagram of π is the sum of the orbits of all coarser σ. All Bell(axes) diagrams are columns; the orbits
    with at most n blocks are rows. For n ≥ axes the matrix is square with determinant 1; below, the map is onto and not one-to-one.

    >>> diagram_to_orbit(2, 5).tolist()      # diagonal = w_id + w_sum, off the diagonal = w_sum
    [[1, 1], [0, 1]]
    """
    strings, coarser = _refinements(axes)
    rows = [row for row, string in enumerate(strings) if max(string, default=-1) < n]
    return torch.from_numpy(coarser[rows])


def orbit_to_diagram(axes: int) -> Tensor:
    """The inverse of ``diagram_to_orbit`` for n ≥ axes, an integer matrix: int64 (diagrams, orbits).

    Its entries are Möbius numbers of the lattice of set partitions: if σ merges blocks of π in groups of sizes m_1, m_2, …, then
    μ(π, σ) = Π (−1)^(m−1) (m−1)! (Rota 1964, "On the foundations of combinatorial theory I", example 1).

    >>> orbit_to_diagram(2).tolist()
    [[1, -1], [0, 1]]
    """
    strings, coarser = _refinements(axes)
    inverse = np.zeros_like(coarser)
    for row, sigma in enumerate(strings):
        for column, pi in enumerate(strings):
            if coarser[row, column]:
                merged: dict[int, set[int]] = {}
                for p, s in zip(pi, sigma, strict=True):
                    merged.setdefault(s, set()).add(p)
                inverse[row, column] = math.prod(
                    (-1) ** (len(m) - 1) * math.factorial(len(m) - 1) for m in merged.values()
                )
    return torch.from_numpy(inverse)
