"""The space of equivariant linear maps between two representations."""

from __future__ import annotations

from ..representations import Representation
from .dimensions import intertwiner_dimension
from .irreps import (
    Decomposition,
    character,
    character_inner_product,
    decompose,
    frobenius_schur,
    irrep_intertwiners,
    multiplicity,
)
from .nullspace import nullspace_intertwiners
from .orbits import orbit_intertwiners
from .space import DenseSpace, IntertwinerSpace

__all__ = [
    "Decomposition",
    "DenseSpace",
    "IntertwinerSpace",
    "character",
    "character_inner_product",
    "decompose",
    "frobenius_schur",
    "intertwiner_dimension",
    "intertwiners",
    "multiplicity",
]


def intertwiners(rho_in: Representation, rho_out: Representation, method: str = "auto") -> IntertwinerSpace:
    """All linear maps W with W ρ_in(g) = ρ_out(g) W, as a space with a basis, coordinates and, where it has one, a pattern.

    Invariant vectors, such as biases, are the case of a trivial ``rho_in``. ``method`` is "orbits", exact, for signed permutation
    representations; "irreps", by Schur's lemma, for finite and compact groups; "nullspace", for any representations,
    from generators and Lie algebra in float64, up to 4,096 entries of W; or "auto", which takes orbits where it can. Orbits give a
    pattern, the others an orthonormal basis (``DenseSpace``).

    Raises ``ValueError`` for representations of different groups, an unknown method, a pattern or a system of equations too large for
    memory, and where rounding leaves the number of solutions in doubt; ``TypeError`` for "orbits" if a representation acts by matrices.

    >>> from eqcourse.groups import SO, SymmetricGroup
    >>> V = SymmetricGroup(5).defining()
    >>> intertwiners(V**2, V**2).dim
    15
    >>> intertwiners(V.group.trivial(), V).basis.squeeze().tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    >>> V = SO(3).defining()
    >>> intertwiners(V * V, V).dim      # the cross product
    1
    """
    if rho_in.group != rho_out.group:
        raise ValueError(f"equivariant maps go between representations of one group, got {rho_in} and {rho_out}")
    if method not in ("auto", "orbits", "nullspace", "irreps"):
        raise ValueError(f'method is "auto", "orbits", "irreps" or "nullspace", got {method!r}')
    if method == "irreps":
        return irrep_intertwiners(rho_in, rho_out)
    by_matrices = not (rho_in.is_signed_permutation and rho_out.is_signed_permutation)
    if method == "nullspace" or (method == "auto" and by_matrices):
        return nullspace_intertwiners(rho_in, rho_out)
    return orbit_intertwiners(rho_in, rho_out)
