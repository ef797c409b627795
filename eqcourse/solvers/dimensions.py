"""The number of equivariant linear maps without the maps: closed forms, characters, Burnside's lemma."""

from __future__ import annotations

import math

import torch

from ..groups import CyclicGroup, DirectProduct, SymmetricGroup
from ..representations import DirectSum, Representation, TensorProduct
from .nullspace import MAX_UNKNOWNS, nullspace_intertwiners
from .orbits import MAX_ENTRIES, _parts, orbit_intertwiners, tensor_order
from .partitions import count_partitions

__all__ = ["intertwiner_dimension"]

# Characters are summed over the elements of groups up to this order …
MAX_SUMMED = 50_000
# … but only up to this one where there are at most so many pairs of places: their orbits are counted sooner.
MAX_SUMMED_FIRST, MAX_COUNTED = 500, 2**22


def intertwiner_dimension(rho_in: Representation, rho_out: Representation) -> int:
    """How many linearly independent W satisfy W ρ_in(g) = ρ_out(g) W.

    Closed forms for tensor powers of S_N (set partitions into at most N blocks), shifts, outer products and direct sums; for
    other small groups the mean of χ_in(g) χ_out(g⁻¹) (Burnside's lemma, for permutations of index pairs); for larger ones, of
    signed permutations, by counting orbits; for matrices of still larger or infinite groups by solving for them numerically. Raises
    ``ValueError`` for different groups or where that is too large.

    >>> V = SymmetricGroup(1000).defining()
    >>> intertwiner_dimension(V**2, V**3)
    52
    """
    group = rho_in.group
    if group != rho_out.group:
        raise ValueError(f"equivariant maps go between representations of one group, got {rho_in} and {rho_out}")
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
        return _mean_of_characters(rho_in, rho_out)
    if signed and rho_in.dim * rho_out.dim <= MAX_ENTRIES:
        return orbit_intertwiners(rho_in, rho_out).dim
    if not signed and rho_in.dim * rho_out.dim <= MAX_UNKNOWNS:
        return nullspace_intertwiners(rho_in, rho_out).dim
    size = f"{rho_out.dim:,} × {rho_in.dim:,}"
    why = (
        f"{size} index pairs are too many to count their orbits"
        if signed
        else f"{size} entries are more than the {MAX_UNKNOWNS:,} unknowns that are solved for"
    )
    raise ValueError(f"no way yet to count the equivariant maps from {rho_in.name} to {rho_out.name} of {group}: {why}")


def _mean_of_characters(rho_in: Representation, rho_out: Representation) -> int:
    group = rho_in.group
    total = sum(_character(rho_in, g) * _character(rho_out, group.inverse(g)) for g in group.elements())
    return round(total / group.order)


def _character(rho: Representation, g: object) -> float:
    """The trace of ρ(g): for signed permutations the signs of the fixed places."""
    if rho.is_signed_permutation:
        image, signs = rho.signed_permutation(g)
        return int(signs[image == torch.arange(rho.dim)].sum())
    return rho.matrix(g).trace().item()
