"""The space of equivariant linear maps between two representations."""

from __future__ import annotations

import math

from ..representations import Representation
from .dimensions import intertwiner_dimension, require_representations
from .irreps import (
    Decomposition,
    character,
    character_inner_product,
    decompose,
    frobenius_schur,
    irrep_intertwiners,
    multiplicity,
)
from .nullspace import constraint_matrix, null_space_spectrum, nullspace_intertwiners
from .orbits import orbit_intertwiners
from .space import DenseSpace, Evidence, IntertwinerSpace

__all__ = [
    "Decomposition",
    "DenseSpace",
    "Evidence",
    "IntertwinerSpace",
    "character",
    "character_inner_product",
    "constraint_matrix",
    "decompose",
    "frobenius_schur",
    "intertwiner_dimension",
    "intertwiners",
    "multiplicity",
    "null_space_spectrum",
]

# Up to so many entries of W the null space is sooner found than a decomposition.
MAX_QUICK_UNKNOWNS = 512


def intertwiners(rho_in: Representation, rho_out: Representation, method: str = "auto") -> IntertwinerSpace:
    """All linear maps W with W ρ_in(g) = ρ_out(g) W, as a space with a basis, coordinates and, where it has one, a pattern.

    Invariant vectors, such as biases, are the case of a trivial ``rho_in``. ``method`` is one of

    - "orbits": exact, for signed permutation representations, with a pattern;
    - "irreps": Schur's lemma, for finite and compact groups;
    - "nullspace": any representations, from generators and Lie algebra in float64;
    - "auto": orbits where they serve, irreps for finite groups with more than 512 entries of W, otherwise the null space.

    The space's ``method`` says which it was. All but orbits give an orthonormal basis (``DenseSpace``).

    Raises ``ValueError`` for representations of different groups, for what is not a representation (it names the elements g and s for
    which ρ(gs) = ρ(g)ρ(s) fails), an unknown method, a pattern or a system of equations too large for
    memory, and where rounding leaves the number of solutions in doubt; ``TypeError`` for what is no representation, for complex matrices,
    and for "orbits" if a representation acts by matrices.

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
    require_representations(rho_in, rho_out)
    if method not in ("auto", "orbits", "nullspace", "irreps"):
        raise ValueError(f'method is "auto", "orbits", "irreps" or "nullspace", got {method!r}')
    if method == "auto":
        method = _choose(rho_in, rho_out)
    solve = {"orbits": orbit_intertwiners, "irreps": irrep_intertwiners, "nullspace": nullspace_intertwiners}
    return solve[method](rho_in, rho_out)


def _choose(rho_in: Representation, rho_out: Representation) -> str:
    if rho_in.is_signed_permutation and rho_out.is_signed_permutation:
        return "orbits"
    # Equations grow with the entries of W, a decomposition with the dimensions: measured on D_5.
    large = rho_in.dim * rho_out.dim > MAX_QUICK_UNKNOWNS
    return "irreps" if large and rho_in.group.order < math.inf else "nullspace"
