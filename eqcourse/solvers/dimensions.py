"""The number of equivariant linear maps without the maps: closed forms, characters, Burnside's lemma."""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..groups import SO, CyclicGroup, DirectProduct, Group, Lorentz, O, SymmetricGroup
from ..representations import DirectSum, Representation, TensorProduct, _Flattened
from .irreps import _frequency, character
from .nullspace import MAX_UNKNOWNS, nullspace_intertwiners
from .orbits import MAX_ENTRIES, _parts, orbit_intertwiners, tensor_order
from .partitions import count_partitions

__all__ = ["intertwiner_dimension", "require_representations"]

# Characters are summed over the elements of groups up to this order …
MAX_SUMMED = 50_000
# … but only up to this one where there are at most so many pairs of places: their orbits are counted sooner.
MAX_SUMMED_FIRST, MAX_COUNTED = 500, 2**22
# Characters of compact groups are integrated over a grid of up to so many rotations.
MAX_NODES = 20_000


def intertwiner_dimension(rho_in: Representation, rho_out: Representation) -> int:
    """How many linearly independent W satisfy W ρ_in(g) = ρ_out(g) W.

    Closed forms for tensor powers of S_N (set partitions into at most N blocks), shifts, outer products and direct sums; for
    other small groups the mean of χ_in(g) χ_out(g⁻¹) (Burnside's lemma, for permutations of index pairs); for larger ones, of
    signed permutations, by counting orbits; for SO(n), O(n) and their products the same mean as an integral over rotation angles (Weyl's
    integration formula), exact up to rounding; for tensors of the Lorentz group that of SO(4) or O(4), which has the same invariants
    (Weyl's unitarian trick); for matrices of other groups by solving for the maps. Raises ``ValueError`` for different groups or where
    that is too large, ``TypeError`` for what is no representation.

    >>> V = SymmetricGroup(1000).defining()
    >>> intertwiner_dimension(V**2, V**3)
    52
    >>> V = SO(3).defining()
    >>> intertwiner_dimension(V**4, V**5)
    232
    """
    require_representations(rho_in, rho_out)
    group = rho_in.group
    # Hom from (or to) a sum is the sum of the Homs. The direction is kept: for groups with shears it matters.
    if isinstance(rho_in, DirectSum):
        return sum(intertwiner_dimension(term, rho_out) for term in rho_in.terms)
    if isinstance(rho_out, DirectSum):
        return sum(intertwiner_dimension(rho_in, term) for term in rho_out.terms)
    if isinstance(group, SymmetricGroup):
        k, l = tensor_order(rho_in), tensor_order(rho_out)
        if k is not None and l is not None:
            return count_partitions(k + l, group.degree)
    if isinstance(group, CyclicGroup) and rho_in == group.regular() == rho_out:
        return group.n
    if isinstance(group, DirectProduct):
        parts_in, parts_out = _parts(group, rho_in), _parts(group, rho_out)
        if parts_in is not None and parts_out is not None:
            return math.prod(
                intertwiner_dimension(
                    *(
                        TensorProduct([rho for i, rho in parts if i == number], group=factor)
                        for parts in (parts_in, parts_out)
                    )
                )
                for number, factor in enumerate(group.factors)
            )
    signed = rho_in.is_signed_permutation and rho_out.is_signed_permutation
    quick = signed and rho_in.dim * rho_out.dim <= MAX_COUNTED
    if group.order <= (MAX_SUMMED_FIRST if quick else MAX_SUMMED):
        return _mean_of_characters(rho_in, rho_out, ((g, 1 / group.order) for g in group.elements()))
    if isinstance(group, Lorentz):
        twins = _compact_twin(rho_in), _compact_twin(rho_out)
        if twins[0] is not None and twins[1] is not None:
            return intertwiner_dimension(twins[0], twins[1])
    if group.order == math.inf and (nodes := _haar(group, _frequency(rho_in) + _frequency(rho_out))) is not None:
        return _mean_of_characters(rho_in, rho_out, nodes)
    if signed and rho_in.dim * rho_out.dim <= MAX_ENTRIES:
        return orbit_intertwiners(rho_in, rho_out).dim
    if not signed and (group.lie_algebra or rho_in.dim * rho_out.dim <= MAX_UNKNOWNS):
        return nullspace_intertwiners(rho_in, rho_out).dim
    size = f"{rho_out.dim:,} × {rho_in.dim:,}"
    why = (
        f"{size} index pairs are too many to count their orbits"
        if signed
        else f"{size} entries are more than the {MAX_UNKNOWNS:,} unknowns that are solved for"
    )
    raise ValueError(f"no way yet to count the equivariant maps from {rho_in.name} to {rho_out.name} of {group}: {why}")


def require_representations(rho_in: Any, rho_out: Any) -> None:
    """Raise unless both are representations, and of one group."""
    for name, rho in (("rho_in", rho_in), ("rho_out", rho_out)):
        if not isinstance(rho, Representation):
            hint = (
                f": for a group write its representation, such as {rho!r}.defining()" if isinstance(rho, Group) else ""
            )
            raise TypeError(f"{name} is a representation, such as SO(3).defining(), got {type(rho).__name__}{hint}")
    if rho_in.group != rho_out.group:
        raise ValueError(f"equivariant maps go between representations of one group, got {rho_in} and {rho_out}")


def _mean_of_characters(rho_in: Representation, rho_out: Representation, nodes: Iterator[tuple[Any, float]]) -> int:
    group = rho_in.group
    mean = sum(w * character(rho_in, g) * character(rho_out, group.inverse(g)) for g, w in nodes)
    return round(mean)


def _haar(group: Group, frequency: int) -> Iterator[tuple[Any, float]] | None:
    """Elements and weights whose weighted sum is the mean of a class function of at most this frequency; None if not known, or too many."""
    if isinstance(group, DirectProduct):
        factors = [_haar(factor, frequency) for factor in group.factors]
        lists = [list(nodes) for nodes in factors if nodes is not None]
        if len(lists) < len(factors) or math.prod(map(len, lists)) > MAX_NODES:
            return None
        return ((tuple(g for g, _ in nodes), math.prod(w for _, w in nodes)) for nodes in itertools.product(*lists))
    if group.order <= MAX_NODES:
        return ((g, 1 / group.order) for g in group.elements())
    if not isinstance(group, (SO, O)) or (frequency + group.n + 1) ** (group.n // 2) > MAX_NODES:
        return None
    rotations = _weyl(group.n, frequency)
    if isinstance(group, SO):
        return rotations
    return ((g, w / 2) for g, w in itertools.chain(rotations, _weyl_of_reflections(group.n, frequency)))


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


def _compact_twin(rho: Representation) -> Representation | None:
    """The representation of SO(4) or O(4) that is built like this one of the Lorentz group; None if a part has no twin.

    Both groups are real forms of one complex group, dense enough in it that their polynomial representations have the same maps. −1 is in
    SO(4), as it is in the proper Lorentz group.
    """
    group = rho.group
    compact = O(4) if group == Lorentz("full") else SO(4)
    if isinstance(rho, _Flattened):
        inner = _compact_twin(rho.rho)
        return None if inner is None else inner.flatten()
    if isinstance(rho, (TensorProduct, DirectSum)):
        twins: list[Representation] = []
        for part in rho.factors if isinstance(rho, TensorProduct) else rho.terms:
            twin = _compact_twin(part)
            if twin is None:
                return None
            twins.append(twin)
        return TensorProduct(twins, group=compact) if isinstance(rho, TensorProduct) else DirectSum(twins)
    if rho.dim == 4 and rho in (group.defining(), group.defining().dual):
        return compact.defining()
    if rho == group.trivial(rho.dim):
        return compact.trivial(rho.dim)
    return compact.sign() if rho.dim == 1 and rho == group.sign() else None
