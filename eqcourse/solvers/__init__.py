"""The space of equivariant linear maps between two representations."""

from __future__ import annotations

from ..representations import Representation
from .dimensions import intertwiner_dimension
from .orbits import orbit_intertwiners
from .space import IntertwinerSpace

__all__ = ["IntertwinerSpace", "intertwiner_dimension", "intertwiners"]


def intertwiners(rho_in: Representation, rho_out: Representation, method: str = "auto") -> IntertwinerSpace:
    """All linear maps W with W ρ_in(g) = ρ_out(g) W, as a space with a pattern, a basis and coordinates.

    Invariant vectors, such as biases, are the case of a trivial ``rho_in``. ``method`` is "orbits", exact, for signed permutation
    representations, or "auto", which takes it. Raises ``ValueError`` for representations of different groups, an unknown method or a
    pattern too large for memory, ``TypeError`` if a representation acts by matrices.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(5).defining()
    >>> intertwiners(V**2, V**2).dim
    15
    >>> intertwiners(V.group.trivial(), V).basis.squeeze().tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if rho_in.group != rho_out.group:
        raise ValueError(f"equivariant maps go between representations of one group, got {rho_in} and {rho_out}")
    if method not in ("auto", "orbits"):
        raise ValueError(f'method is "auto" or "orbits", got {method!r}')
    return orbit_intertwiners(rho_in, rho_out)
