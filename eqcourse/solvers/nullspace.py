"""Equivariant maps between any representations, as the null space of linear equations: dense, in float64, slow and plain.

W ρ_in(g) = ρ_out(g) W is linear in the entries of W. It holds for the whole group if it holds for its discrete generators, and
W dρ_in(A) = dρ_out(A) W for a basis of its Lie algebra (Finzi et al. 2021, "A practical method for constructing equivariant multilayer
perceptrons for arbitrary matrix groups", theorem 1). These equations are solved one after the other, each on the solutions of those
before, so that the unknowns grow fewer.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..representations import Representation
from .space import DenseSpace

__all__ = ["MAX_UNKNOWNS", "echelon_basis", "nullspace_intertwiners"]

# Entries of W. The first equation takes the eigenvectors of a matrix of this size: about a minute and 1 GiB.
MAX_UNKNOWNS = 4096
# Singular values of an equation, relative to its size: what counts as zero, and what as different from zero. In between: refused.
ZERO, NONZERO = 1e-9, 1e-5
# A solution may miss the equation of a group element by this much, relative to its size.
TOLERANCE = 1e-8
# On how many elements the solutions are tried.
SAMPLED = 3
# A column of an orthonormal basis is a pivot if the square of what is new in it is more than this (less for a million columns).
PIVOT = 1e-6
# Smaller entries of the basis are rounding.
ROUNDING = 1e-12


def nullspace_intertwiners(rho_in: Representation, rho_out: Representation) -> DenseSpace:
    """The space of equivariant maps between two representations, from generators and Lie algebra, with an orthonormal basis.

    The basis is the one in echelon form (``echelon_basis``): it depends on the space alone, not on how the equations were solved.

    Raises ``ValueError`` for more than 4,096 unknowns, if rounding leaves the number of solutions in doubt (a singular value between 1e-9
    and 1e-5 of an equation's size), for equations with NaN or of a wrong shape, and if the solutions fail on sampled group elements.

    >>> from eqcourse.groups import SO
    >>> V = SO(2).defining()
    >>> (nullspace_intertwiners(V, V).basis * 2**0.5).round().int().tolist()
    [[[1, 0], [0, 1]], [[0, 1], [-1, 0]]]
    """
    d_out, d_in = rho_out.dim, rho_in.dim
    if d_out * d_in > MAX_UNKNOWNS:
        raise ValueError(
            f"the maps from {rho_in.name} to {rho_out.name} of {rho_in.group} have {d_out:,} × {d_in:,} = {d_out * d_in:,} entries, and "
            f'method="nullspace" solves for at most {MAX_UNKNOWNS:,}. Take smaller representations: the maps from or to a direct sum are '
            "those of its terms, one by one"
        )
    rows = torch.eye(
        d_out * d_in, dtype=torch.float64
    )  # an orthonormal basis of the solutions so far, each map one row
    for what, left, right in _equations(rho_in, rho_out):
        rows = _null_rows(_misses(rows, left, right), what) @ rows
    basis = echelon_basis(rows)
    _verify(basis, rho_in, rho_out)
    return DenseSpace(rho_in, rho_out, basis.reshape(-1, d_out, d_in), "nullspace")


def echelon_basis(rows: Tensor) -> Tensor:
    """The orthonormal basis (n, size) in echelon form of the space spanned by the orthonormal ``rows`` (n, size).

    Row k has its pivot, a positive entry, in the first column that the rows before leave open; all later rows are 0 there. So it depends
    on the space alone, and not on signs or an order that an eigensolver happens to choose. It is Gram–Schmidt on the columns of the
    projection onto the space.

    >>> t = torch.tensor([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6]], dtype=torch.float64)
    >>> echelon_basis(t).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    n, size = rows.shape
    if n == size:
        return torch.eye(size, dtype=rows.dtype)
    basis, chosen = torch.zeros_like(rows), rows.new_zeros(n, n)
    new = rows.square().sum(0)  # of each column the squared length of the part that the chosen ones do not explain
    # As long as rows are missing these add up to 1 or more, so that some column has 1 / size.
    least = min(PIVOT, 0.5 / size)
    for k in range(n):
        pivot = int((new > least).nonzero()[0])
        q = rows[:, pivot]
        for _ in range(2):  # once more, as the first difference may lose three digits
            q = q - chosen.T @ (chosen @ q)
            q = q / q.norm()
        chosen[k] = q
        basis[k] = q @ rows
        new -= basis[k].square()
    return basis.where(basis.abs() > ROUNDING, 0.0)


def _equations(rho_in: Representation, rho_out: Representation) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(what it comes from, left, right) for each equation W right = left W."""
    group = rho_in.group
    for number, s in enumerate(group.generators):
        yield _checked(f"generator {number} of {group}", rho_in, rho_out, rho_out.matrix(s), rho_in.matrix(s))
    for number, A in enumerate(group.lie_algebra):
        what = f"Lie algebra element {number} of {group}"
        yield _checked(what, rho_in, rho_out, rho_out.lie_matrix(A), rho_in.lie_matrix(A))


def _checked(
    what: str, rho_in: Representation, rho_out: Representation, left: Tensor, right: Tensor
) -> tuple[str, Tensor, Tensor]:
    for rho, matrix in ((rho_out, left), (rho_in, right)):
        if tuple(matrix.shape) != (rho.dim, rho.dim):
            raise ValueError(
                f"{rho} gives for {what} a matrix of shape {tuple(matrix.shape)}, expected {(rho.dim, rho.dim)}"
            )
        if not bool(torch.isfinite(matrix).all()):
            raise ValueError(f"{rho} gives for {what} a matrix with NaN or infinity")
    return what, left.double(), right.double()


def _misses(rows: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """W right − left W for each row W, relative to the size of the two matrices: (n, d_out · d_in)."""
    maps = rows.reshape(-1, len(left), len(right))
    # Not relative to what is left of the equation: where the solutions so far fulfil it, that is rounding alone.
    size = _size(left) + _size(right)
    return (maps @ right - left @ maps).flatten(1) / (size or 1.0)


def _size(matrix: Tensor) -> float:
    """At least the largest singular value, and cheaper: √(largest column sum · largest row sum)."""
    return float((matrix.abs().sum(0).max() * matrix.abs().sum(1).max()).sqrt())


def _null_rows(misses: Tensor, what: str) -> Tensor:
    """An orthonormal basis of the c with c · misses = 0, as rows."""
    # Eigenvectors of the square matrix are several times faster than singular vectors. Squaring costs half of the digits (1e-8),
    # which is enough to tell what is clearly not zero; the rest is looked at again without squaring.
    squares, vectors = torch.linalg.eigh(misses @ misses.T)
    candidates = vectors[:, squares < NONZERO**2].T
    if not len(candidates):
        return candidates
    off = torch.linalg.svdvals(candidates @ misses).max().item()
    if off > ZERO:
        smallest = squares[squares >= NONZERO**2]
        above = f", and the next one is {smallest.min().sqrt().item():.1e}" if len(smallest) else ""
        raise ValueError(
            f"the number of equivariant maps is in doubt: the equation of {what} has a singular value {off:.1e} of its size, neither zero "
            f"(below {ZERO:.0e}) nor clearly different (above {NONZERO:.0e}){above}. The generator is close to doing nothing to some "
            "entries, or its matrix is not accurate to float64: take another generator, or exact numbers"
        )
    return candidates


def _verify(basis: Tensor, rho_in: Representation, rho_out: Representation) -> None:
    """Raise unless the maps are equivariant under sampled elements: the equations do not say whether ρ is a representation at all."""
    if not len(basis):
        return
    source = torch.Generator().manual_seed(0)
    for _ in range(SAMPLED):
        g = rho_in.group.sample(source)
        off = _misses(basis, rho_out.matrix(g), rho_in.matrix(g)).abs().max().item()
        if not off <= TOLERANCE:
            raise ValueError(
                f"the maps that fit the generators and the Lie algebra of {rho_in.group} miss at a sampled element by {off:.1e}: {rho_in} "
                f"or {rho_out} is not a representation, or its lie_matrix does not belong to its matrix. "
                "representations.check_homomorphism(rho) says where"
            )
