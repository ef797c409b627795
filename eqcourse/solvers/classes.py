"""Means of class functions over a group: over conjugacy classes, over all elements, or by Weyl's integration formula.

A class function, such as a character, is the same for g and h g h⁻¹. So one element of each conjugacy class is enough, weighted by the
share of the group that its class has. For S_N these are the cycle types, for SO(n) and O(n) turns in separate planes.
"""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..groups import SO, DirectProduct, Group, O, SymmetricGroup
from ..representations import DirectSum, Representation, TensorProduct, _Flattened
from .labelled import integer_partitions

__all__ = ["MAX_SUMMED", "class_nodes", "frequency"]

# Groups up to this order are summed over element by element.
MAX_SUMMED = 50_000
# S_N has one node for each partition of N: for 40 there are 37,338.
MAX_DEGREE = 40
# Compact groups are integrated over a grid of up to so many rotations, products over as many combinations.
MAX_NODES = 20_000

Nodes = Iterator[tuple[Any, float]]


def class_nodes(group: Group, highest: int) -> Nodes | None:
    """Elements and weights whose weighted sum is the mean of a class function of at most this frequency; None if not known, or too many.

    >>> [(g.tolist(), round(w, 3)) for g, w in class_nodes(SymmetricGroup(3), 0)]
    [([1, 2, 0], 0.333), ([1, 0, 2], 0.5), ([0, 1, 2], 0.167)]
    """
    if isinstance(group, SymmetricGroup):
        return _cycle_types(group.degree) if group.degree <= MAX_DEGREE else None
    if group.order <= MAX_SUMMED:
        return ((g, 1 / group.order) for g in group.elements())
    if isinstance(group, DirectProduct):
        factors = [class_nodes(factor, highest) for factor in group.factors]
        lists = [list(nodes) for nodes in factors if nodes is not None]
        if len(lists) < len(factors) or math.prod(map(len, lists)) > MAX_SUMMED:
            return None
        return ((tuple(g for g, _ in nodes), math.prod(w for _, w in nodes)) for nodes in itertools.product(*lists))
    if not isinstance(group, (SO, O)) or (highest + group.n + 1) ** (group.n // 2) > MAX_NODES:
        return None
    rotations = _weyl(group.n, highest)
    if isinstance(group, SO):
        return rotations
    return ((g, w / 2) for g, w in itertools.chain(rotations, _weyl_of_reflections(group.n, highest)))


def frequency(rho: Representation) -> int:
    """A bound on the frequencies with which ρ turns under one rotation: the largest eigenvalue of an algebra element."""
    if isinstance(rho, TensorProduct):
        return sum(map(frequency, rho.factors))
    if isinstance(rho, DirectSum):
        return max(map(frequency, rho.terms))
    if isinstance(rho, _Flattened):
        return frequency(rho.rho)
    if rho.is_signed_permutation or not rho.group.lie_algebra:
        return 0
    radii = [torch.linalg.eigvals(rho.lie_matrix(A)).abs().max().item() for A in rho.group.lie_algebra]
    return math.ceil(max(radii) - 1e-6)


def _cycle_types(n: int) -> Iterator[tuple[Tensor, float]]:
    """A permutation of each cycle type, and the share of S_n that has it."""
    for lengths in integer_partitions(n):
        images, start = torch.arange(n), 0
        for length in lengths:
            images[start : start + length] = start + (torch.arange(length) + 1) % length
            start += length
        centraliser = math.prod(
            length ** lengths.count(length) * math.factorial(lengths.count(length)) for length in set(lengths)
        )
        yield images, 1 / centraliser


def _weyl(n: int, frequency: int) -> Iterator[tuple[Tensor, float]]:
    """Turns by angles t_1, t_2, … in separate planes, weighted by Weyl's density, for SO(n).

    It is the product of |1 − e^{iα}|² over the positive roots α = t_j ± t_k, and t_j if n is odd, over the order of the Weyl group (Bröcker
    and tom Dieck 1985, IV.1.11 and IV.3).
    """
    planes, odd = divmod(n, 2)
    order = math.factorial(planes) * 2 ** (planes if odd else planes - 1)
    for angles, weight in _grid(planes, frequency + n + 1):
        roots = [t + s * u for t, u in itertools.combinations(angles, 2) for s in (1, -1)] + list(angles) * odd
        yield _turns(angles, [1.0] * odd), weight * _density(roots) / order


def _weyl_of_reflections(n: int, frequency: int) -> Iterator[tuple[Tensor, float]]:
    """The same for the other half of O(n).

    For odd n it is −SO(n). For even n each element is a reflection in one plane and turns in n/2 − 1 others, with the density of Sp(n − 2):
    roots t_j ± t_k and 2 t_j (Meckes 2019, "The random matrix theory of the classical compact groups", theorem 3.5).
    """
    planes, odd = divmod(n - 1, 2)
    if not odd:
        yield from ((-g, w) for g, w in _weyl(n, frequency))
        return
    order = math.factorial(planes) * 2**planes
    for angles, weight in _grid(planes, frequency + n + 1):
        roots = [t + s * u for t, u in itertools.combinations(angles, 2) for s in (1, -1)] + [2 * t for t in angles]
        yield _turns(angles, [1.0, -1.0]), weight * _density(roots) / order


def _grid(planes: int, count: int) -> Iterator[tuple[tuple[float, ...], float]]:
    """Equal steps integrate all frequencies below their number exactly."""
    steps = [2 * math.pi * k / count for k in range(count)]
    return ((angles, count**-planes) for angles in itertools.product(steps, repeat=planes))


def _density(roots: list[float]) -> float:
    return math.prod(abs(1 - cmath.exp(1j * t)) ** 2 for t in roots)


def _turns(angles: tuple[float, ...], rest: list[float]) -> Tensor:
    blocks = [[[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]] for t in angles]
    return torch.block_diag(*(torch.tensor(b, dtype=torch.float64) for b in (*blocks, *([[r]] for r in rest))))
