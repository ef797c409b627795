"""The number of equivariant linear maps without the maps: closed forms, characters, Burnside's lemma."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..groups import SO, CyclicGroup, DirectProduct, Lorentz, O, SymmetricGroup
from ..representations import DirectSum, Representation, TensorProduct, _Flattened, require_representation
from .classes import Nodes, class_nodes, frequency
from .irreps import trace
from .nullspace import MAX_UNKNOWNS, nullspace_intertwiners
from .orbits import MAX_ENTRIES, _parts, orbit_intertwiners, tensor_order
from .partitions import count_partitions

__all__ = ["intertwiner_dimension", "require_representations"]

# In groups beyond the first order, the orbits of up to so many pairs of places are counted sooner than characters are summed.
MAX_SUMMED_FIRST, MAX_COUNTED = 500, 2**22
# Up to this size the rounding of a sum of characters leaves no doubt which whole number it is.
MAX_EXACT = 2**45


def intertwiner_dimension(rho_in: Representation, rho_out: Representation) -> int:
    """How many linearly independent W satisfy W ρ_in(g) = ρ_out(g) W.

    Closed forms for tensor powers of S_N (set partitions into at most N blocks), shifts, outer products and direct sums. Otherwise the
    mean of χ_in(g) χ_out(g⁻¹) (Burnside's lemma, for permutations of index pairs): for S_N over cycle types, for other groups of at most
    50,000 elements over all, for SO(n), O(n) and their products as an integral over rotation angles (Weyl's integration formula). For
    tensors of the Lorentz group it is the number for SO(4) or O(4), which has the same invariants (Weyl's unitarian trick); for signed
    permutations of larger groups orbits are counted, for matrices of other groups the maps are solved for.

    Raises ``ValueError`` for different groups, for what is not a representation, where the number is too large to count, and where the
    solver finds it in doubt; ``TypeError`` for what is no representation at all.

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
        return sum(copies * intertwiner_dimension(term, rho_out) for term, copies in _distinct(rho_in.terms))
    if isinstance(rho_out, DirectSum):
        return sum(copies * intertwiner_dimension(rho_in, term) for term, copies in _distinct(rho_out.terms))
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
    pairs = rho_in.dim * rho_out.dim
    if signed and pairs <= MAX_COUNTED and group.order > MAX_SUMMED_FIRST:
        return orbit_intertwiners(rho_in, rho_out).dim
    if isinstance(group, Lorentz):
        twins = _compact_twin(rho_in), _compact_twin(rho_out)
        if twins[0] is not None and twins[1] is not None:
            return intertwiner_dimension(twins[0], twins[1])
    nodes = class_nodes(group, frequency(rho_in) + frequency(rho_out))
    if nodes is not None:
        return _mean_of_characters(rho_in, rho_out, nodes)
    if signed and pairs <= MAX_ENTRIES:
        return orbit_intertwiners(rho_in, rho_out).dim
    if not signed and (group.lie_algebra or pairs <= MAX_UNKNOWNS):
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
    require_representation(rho_in, "rho_in")
    require_representation(rho_out, "rho_out")
    if rho_in.group != rho_out.group:
        raise ValueError(f"equivariant maps go between representations of one group, got {rho_in} and {rho_out}")


def _distinct(terms: Sequence[Representation]) -> list[tuple[Representation, int]]:
    """Each object once, and how often it occurs."""
    copies = Counter(map(id, terms))
    return [(term, copies[number]) for number, term in {id(term): term for term in terms}.items()]


def _mean_of_characters(rho_in: Representation, rho_out: Representation, nodes: Nodes) -> int:
    group = rho_in.group
    terms = [w * trace(rho_in, g).item() * trace(rho_out, group.inverse(g)).item() for g, w in nodes]
    mean, size = math.fsum(terms), math.fsum(map(abs, terms))
    if size > MAX_EXACT:
        raise ValueError(
            f"there are about {mean:.1e} equivariant maps from {rho_in.name} to {rho_out.name} of {group}, too many for float64 to count"
        )
    if abs(mean - round(mean)) > 1e-6 + 0.4 * size / MAX_EXACT:
        raise ValueError(
            f"the mean of characters is {mean:.6g}, and the number of equivariant maps is whole: {rho_in} or {rho_out} is not a "
            "representation, or its matrices are not accurate. check_homomorphism(rho) looks for a reason"
        )
    return round(mean)


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
