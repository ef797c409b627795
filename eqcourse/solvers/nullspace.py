"""Equivariant maps between any representations, from generators and Lie algebra, in float64.

W ρ_in(g) = ρ_out(g) W is linear in the entries of W. It holds for the whole group if it holds for its discrete generators, and
W dρ_in(A) = dρ_out(A) W for a basis of its Lie algebra (Finzi et al. 2021, "A practical method for constructing equivariant multilayer
perceptrons for arbitrary matrix groups", theorem 1). The Lie algebra comes first, by highest weights (``weights.py``), where no equation
is as large as W; the discrete generators then choose among its solutions. Where that does not serve (no Lie algebra, or one that shears or
translates) the equations are solved one after the other, dense and slow, each on the solutions of those before.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..representations import (
    DirectSum,
    Representation,
    TensorProduct,
    _element_text,
    _Flattened,
    require_representation,
)
from .space import MAX_BASIS, DenseSpace, Evidence
from .weights import NONZERO, ZERO, NotSplit, algebra_maps

__all__ = [
    "MAX_UNKNOWNS",
    "constraint_matrix",
    "echelon_basis",
    "null_space_spectrum",
    "nullspace_intertwiners",
]

# Entries of W. The first dense equation takes the eigenvectors of a matrix of this size: about a minute and 1 GiB.
MAX_UNKNOWNS = 4096
# Numbers in the matrix of all equations, for looking at its singular values.
MAX_CONSTRAINTS = 2**23
# A solution may miss the equation of a group element by this much, relative to its size.
TOLERANCE = 1e-8
# On how many elements the solutions are tried, and on how many random combinations of them.
SAMPLED, COMBINATIONS = 3, 4
# A column of an orthonormal basis is a pivot if the square of what is new in it is more than this (less for a million columns).
PIVOT = 1e-6
# Pivots are looked for in so many columns at a time.
BLOCK = 256
# Smaller entries of the basis are rounding.
ROUNDING = 1e-12


def nullspace_intertwiners(rho_in: Representation, rho_out: Representation) -> DenseSpace:
    """The space of equivariant maps between two representations, from generators and Lie algebra, with an orthonormal basis.

    The basis is the one in echelon form (``echelon_basis``): it depends on the space alone, not on how the equations were solved.
    ``.method`` says how that was, ``.evidence`` how clear the number of solutions is and how well they fit.

    Raises ``ValueError`` for more than 4,096 unknowns where highest weights do not serve, if rounding leaves the number of solutions in
    doubt (a singular value between 1e-9 and 1e-5 of an equation's size), for matrices with NaN or of a wrong shape, and if the solutions
    fail on sampled group elements; ``TypeError`` for complex matrices.

    >>> from eqcourse.groups import SO
    >>> V = SO(2).defining()
    >>> space = nullspace_intertwiners(V, V)
    >>> space.method, (space.basis * 2**0.5).round().int().tolist()
    ('nullspace (highest weights)', [[[1, 0], [0, 1]], [[0, 1], [-1, 0]]])
    """
    for rho in (rho_in, rho_out):
        require_representation(rho)
    solver = _Solver(rho_in, rho_out)
    rows, how = solver.solve()
    basis = echelon_basis(rows).reshape(-1, rho_out.dim, rho_in.dim)
    residual = max(solver.residual, _verify(basis, rho_in, rho_out))
    evidence = Evidence(solver.largest_zero, solver.smallest_nonzero, residual)
    return DenseSpace(rho_in, rho_out, basis, f"nullspace ({how})", evidence)


class _Solver:
    """Solves the equations and keeps the singular values next to the gap."""

    def __init__(self, rho_in: Representation, rho_out: Representation) -> None:
        self.rho_in, self.rho_out = rho_in, rho_out
        self.largest_zero, self.smallest_nonzero, self.residual = 0.0, float("inf"), 0.0

    def solve(self) -> tuple[Tensor, str]:
        """Independent rows (number, d_out · d_in) that span the solutions, and how they were found."""
        if not self.rho_in.group.lie_algebra:
            return self._by_equations(), "equations"
        try:
            rows = self._by_weights()
        except NotSplit as reason:
            return self._by_equations(f". Highest weights do not serve here: {reason}"), "equations"
        if self.rho_in.group.generators and len(rows):
            rows = _orthonormal(rows)
        for number, s in enumerate(self.rho_in.group.generators):
            misses = _group_misses(rows.unflatten(1, (self.rho_out.dim, -1)), s, self.rho_in, self.rho_out)
            rows = self._null_rows(misses, f"generator {number} of {self.rho_in.group}") @ rows
        return rows, "highest weights"

    def _by_weights(self) -> Tensor:
        # A map between tensor products may be cut elsewhere: from nothing to V⊗V⊗V⊗V is from V*⊗V* to V⊗V, the same numbers in the same
        # order. Even parts are decomposed soonest.
        short_in, short_out = _evenly(self.rho_in, self.rho_out)
        if (size := max(short_in.dim, short_out.dim)) ** 2 > MAX_BASIS:
            raise ValueError(
                f"the maps from {self.rho_in.name} to {self.rho_out.name} of {self.rho_in.group} are found from a change of basis of "
                f"{size:,} × {size:,} numbers; at most {MAX_BASIS:,} are stored. intertwiner_dimension(rho_in, rho_out) gives their number"
            )
        rows, zero, nonzero = algebra_maps(short_in, short_out)
        if len(rows):
            maps = _combinations(rows).unflatten(1, (self.rho_out.dim, -1))
            algebra = self.rho_in.group.lie_algebra
            self.residual = max(_relative(_lie_misses(maps, A, self.rho_in, self.rho_out)) for A in algebra)
            if not self.residual <= TOLERANCE:
                raise NotSplit(f"the maps that are found miss the equations by {self.residual:.1e}")
        self.largest_zero, self.smallest_nonzero = zero, nonzero
        return rows

    def _by_equations(self, reason: str = "") -> Tensor:
        rho_in, rho_out = self.rho_in, self.rho_out
        d_out, d_in = rho_out.dim, rho_in.dim
        if d_out * d_in > MAX_UNKNOWNS:
            raise ValueError(
                f"the maps from {rho_in.name} to {rho_out.name} of {rho_in.group} have {d_out:,} × {d_in:,} = {d_out * d_in:,} entries, "
                f'and method="nullspace" solves for at most {MAX_UNKNOWNS:,}. Take smaller representations: the maps from or to a direct '
                f'sum are those of its terms, one by one. For finite and compact groups method="irreps" goes further{reason}'
            )
        rows = torch.eye(d_out * d_in, dtype=torch.float64)  # an orthonormal basis of the solutions so far
        for what, left, right in _equations(rho_in, rho_out):
            rows = self._null_rows(_misses(rows, left, right), what) @ rows
        return rows

    def _null_rows(self, misses: Tensor, what: str) -> Tensor:
        """An orthonormal basis of the c with c · misses = 0, as rows."""
        # Eigenvectors of the square matrix are several times faster than singular vectors. Squaring costs half of the digits (1e-8),
        # which is enough to tell what is clearly not zero; the rest is looked at again without squaring.
        squares, vectors = torch.linalg.eigh(misses @ misses.T)
        candidates = vectors[:, squares < NONZERO**2].T
        others = squares[squares >= NONZERO**2]
        if len(others):
            self.smallest_nonzero = min(self.smallest_nonzero, others.min().sqrt().item())
        if not len(candidates):
            return candidates
        off = torch.linalg.svdvals(candidates @ misses).max().item()
        self.largest_zero = max(self.largest_zero, off)
        if off > ZERO:
            above = f", and the next one is {others.min().sqrt().item():.1e}" if len(others) else ""
            raise ValueError(
                f"the number of equivariant maps is in doubt: the equation of {what} has a singular value {off:.1e} of its size, neither "
                f"zero (below {ZERO:.0e}) nor clearly different (above {NONZERO:.0e}){above}. The generator is close to doing nothing to "
                "some entries, or its matrix is not accurate to float64: take another generator, or exact numbers"
            )
        return candidates


def _evenly(rho_in: Representation, rho_out: Representation) -> tuple[Representation, Representation]:
    """Two representations of about equal size whose maps have the same entries, in the same order, as those from ρ_in to ρ_out."""
    # One object for all copies of a factor, so that each is looked at once.
    duals = {id(factor): factor.dual for factor in (*_factors(rho_in), *_factors(rho_out))}
    dual_of = {id(duals[id(factor)]): factor for factor in _factors(rho_in)}
    dual_of |= {id(factor): duals[id(factor)] for factor in _factors(rho_out)}
    last = len(_factors(rho_out))
    factors = [*_factors(rho_out), *(duals[id(factor)] for factor in _factors(rho_in))]
    sizes = torch.tensor([factor.dim for factor in factors], dtype=torch.float64).log().cumsum(0)
    largest = [max(float(sizes[cut - 1]), float(sizes[-1] - sizes[cut - 1])) for cut in range(1, len(factors))]
    cut = 1 + min(range(len(largest)), key=lambda i: (round(largest[i], 6), abs(i + 1 - last)))
    if cut == last:
        return rho_in, rho_out
    group = rho_in.group
    return (
        TensorProduct([dual_of[id(factor)] for factor in factors[cut:]], group=group),
        TensorProduct(factors[:cut], group=group),
    )


def _factors(rho: Representation) -> tuple[Representation, ...]:
    if isinstance(rho, _Flattened):
        return _factors(rho.rho)
    return rho.factors if isinstance(rho, TensorProduct) and rho.factors else (rho,)


def _orthonormal(rows: Tensor) -> Tensor:
    """Orthonormal rows that span the same space as independent ones (Cholesky twice: QR of a tall matrix is many times slower)."""
    for _ in range(2):
        rows = torch.linalg.inv(_cholesky(rows)) @ rows  # sooner than solving with so many right-hand sides
    return rows


def _cholesky(rows: Tensor) -> Tensor:
    """Lower triangular L with L Lᵀ = the rows' inner products."""
    lower, failed = torch.linalg.cholesky_ex(rows @ rows.T)
    if failed:
        raise ValueError("the solutions found are numerically dependent: their number is in doubt")
    return lower


def echelon_basis(rows: Tensor) -> Tensor:
    """The orthonormal basis (n, size) in echelon form of the space spanned by the independent ``rows`` (n, size).

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
    if n == 0:
        return rows
    lower = _cholesky(rows)
    if float(torch.linalg.cond(lower)) > 10:  # squaring has cost digits: once more
        rows = torch.linalg.inv(lower) @ rows
        lower = _cholesky(rows)
    straight = torch.linalg.inv(lower)  # straight @ rows is orthonormal
    chosen = rows.new_zeros(n, n)
    # As long as rows are missing, what they add in all columns makes 1 or more, so that some column has 1 / size.
    least = min(PIVOT, 0.5 / size)
    k = 0
    for start in range(0, size, BLOCK):
        block = straight @ rows[:, start : start + BLOCK]
        # Of each column the squared length of the part that the chosen ones do not explain.
        new = block.square().sum(0) - (chosen[:k] @ block).square().sum(0)
        while k < n and len(open_columns := (new > least).nonzero()):
            q = block[:, int(open_columns[0])]
            for _ in range(2):  # once more, as the first difference may lose three digits
                q = q - (chosen[:k] @ q) @ chosen[:k]
                q = q / q.norm()
            chosen[k] = q
            new -= (q @ block).square()
            k += 1
        if k == n:
            break
    return torch.nn.functional.hardshrink((chosen @ straight) @ rows, ROUNDING)


def _equations(rho_in: Representation, rho_out: Representation) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(what it comes from, left, right) for each equation W right = left W."""
    group = rho_in.group
    for number, s in enumerate(group.generators):
        yield f"generator {number} of {group}", rho_out.matrix(s), rho_in.matrix(s)
    for number, A in enumerate(group.lie_algebra):
        yield f"Lie algebra element {number} of {group}", rho_out.lie_matrix(A), rho_in.lie_matrix(A)


def _misses(rows: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """W right − left W for each row W, relative to the size of the two matrices: (n, d_out · d_in)."""
    maps = rows.reshape(-1, len(left), len(right))
    # Not relative to what is left of the equation: where the solutions so far fulfil it, that is rounding alone.
    size = _size(left) + _size(right)
    return (maps @ right - left @ maps).flatten(1) / (size or 1.0)


def _size(matrix: Tensor) -> float:
    """At least the largest singular value, and cheaper: √(largest column sum · largest row sum)."""
    return float((matrix.abs().sum(0).max() * matrix.abs().sum(1).max()).sqrt())


# ---- the equations, axis by axis -------------------------------------------------------------------------------------------


def _group_misses(maps: Tensor, g: object, rho_in: Representation, rho_out: Representation) -> Tensor:
    """ρ_out(g) W − W ρ_in(g) for maps (n, d_out, d_in), relative to the size of what is subtracted: (n, d_out · d_in)."""
    group = rho_in.group
    g = group.convert(g)
    left = _Flattened(rho_out)._apply(rho_out._prepare(g), maps, 1, 0)
    # W ρ_in(g): the dual acts on the last axis by ρ_in(g⁻¹)ᵀ, so that g⁻¹ is needed.
    right = _Flattened(rho_in.dual)._apply(rho_in.dual._prepare(group.convert(group.inverse(g))), maps, 2, 0)
    size = (left.flatten(1).norm(dim=1) + right.flatten(1).norm(dim=1)).max().item() if len(maps) else 0.0
    return (left - right).flatten(1) / (size or 1.0)


def _lie_misses(maps: Tensor, A: object, rho_in: Representation, rho_out: Representation) -> Tensor:
    """dρ_out(A) W − W dρ_in(A) for maps of length 1, relative to the size of both operators (on invariants each gives zero)."""
    left = _lie_apply(rho_out, A, maps.transpose(1, 2)).transpose(1, 2)
    size = _lie_size(rho_out, A) + _lie_size(rho_in, A)
    return (left + _lie_apply(rho_in.dual, A, maps)).flatten(1) / (size or 1.0)


def _lie_size(rho: Representation, A: object) -> float:
    """At least the largest singular value of dρ(A)."""
    if isinstance(rho, _Flattened):
        return _lie_size(rho.rho, A)
    if isinstance(rho, TensorProduct):
        return sum(_lie_size(factor, A) for factor in rho.factors)
    if isinstance(rho, DirectSum):
        return max(_lie_size(term, A) for term in rho.terms)
    return 0.0 if rho.is_signed_permutation else _size(rho._lie_matrix(A))


def _lie_apply(rho: Representation, A: object, x: Tensor) -> Tensor:
    """dρ(A) x for x (..., dim), factor by factor and without the matrix of a tensor product."""
    if isinstance(rho, _Flattened):
        return _lie_apply(rho.rho, A, x)
    if isinstance(rho, DirectSum):
        blocks = x.split([term.dim for term in rho.terms], dim=-1)
        return torch.cat([_lie_apply(term, A, block) for term, block in zip(rho.terms, blocks, strict=True)], dim=-1)
    if isinstance(rho, TensorProduct):
        total = torch.zeros_like(x)
        before = 1
        for factor in rho.factors:  # the product rule: A acts on one factor after the other
            shape = (*x.shape[:-1], before, factor.dim, -1)
            total += _lie_apply(factor, A, x.reshape(shape).mT).mT.reshape(x.shape)
            before *= factor.dim
        return total
    return torch.zeros_like(x) if rho.is_signed_permutation else x @ rho._lie_matrix(A).T


def _combinations(rows: Tensor) -> Tensor:
    """Some random combinations of rows, of length about 1: where all rows solve an equation these do, and (almost surely) only then."""
    if len(rows) <= COMBINATIONS:
        mixed = rows
    else:
        source = torch.Generator().manual_seed(0)
        mixed = torch.randn(COMBINATIONS, len(rows), dtype=rows.dtype, generator=source) @ rows
    return mixed / mixed.norm(dim=1, keepdim=True)


def _relative(misses: Tensor) -> float:
    return misses.norm(dim=1).max().item()


def _verify(basis: Tensor, rho_in: Representation, rho_out: Representation) -> float:
    """The largest miss; raises where it is more than rounding: the equations do not say whether ρ is a representation at all."""
    if not basis.numel():
        return 0.0
    group = rho_in.group
    maps = _combinations(basis.flatten(1)).unflatten(1, basis.shape[1:])
    worst = max([_relative(_group_misses(maps, s, rho_in, rho_out)) for s in group.generators], default=0.0)
    source = torch.Generator().manual_seed(0)
    for _ in range(SAMPLED):
        g = group.sample(source)
        off = _relative(_group_misses(maps, g, rho_in, rho_out))
        if not off <= TOLERANCE:
            raise ValueError(
                f"the maps that fit the generators and the Lie algebra of {group} miss by {off:.1e} at g = {_element_text(g)}: {rho_in} "
                f"or {rho_out} is not a representation, or its matrices are not accurate. check_homomorphism(rho) looks for a reason"
            )
        worst = max(worst, off)
    return worst


# ---- for looking at small cases --------------------------------------------------------------------------------------------


def constraint_matrix(rho_in: Representation, rho_out: Representation) -> Tensor:
    """The matrix C of all equations, C vec(W) = 0 with vec(W) row by row: float64 (equations, d_out · d_in).

    For each discrete generator ρ_out(s) ⊗ 1 − 1 ⊗ ρ_in(s)ᵀ, then for each Lie algebra element the same with dρ. For small cases only:
    raises ``ValueError`` beyond 2²³ numbers, and for different groups.

    >>> from eqcourse.groups import SO
    >>> V = SO(2).defining()
    >>> constraint_matrix(V, V.group.trivial()).int().tolist()      # (w_0, w_1) with −w_1 = 0 and w_0 = 0
    [[0, -1], [1, 0]]
    """
    require_representation(rho_in, "rho_in")
    require_representation(rho_out, "rho_out")
    if rho_in.group != rho_out.group:
        raise ValueError(f"equivariant maps go between representations of one group, got {rho_in} and {rho_out}")
    size, group = rho_in.dim * rho_out.dim, rho_in.group
    count = len(group.generators) + len(group.lie_algebra)
    if count * size**2 > MAX_CONSTRAINTS:
        raise ValueError(
            f"the matrix of all equations would be {count * size:,} × {size:,}; it is built up to {MAX_CONSTRAINTS:,} numbers. "
            "intertwiners(rho_in, rho_out) solves them without it"
        )
    one_in, one_out = torch.eye(rho_in.dim, dtype=torch.float64), torch.eye(rho_out.dim, dtype=torch.float64)
    blocks = [
        torch.kron(left.contiguous(), one_in) - torch.kron(one_out, right.T.contiguous())
        for _, left, right in _equations(rho_in, rho_out)
    ]
    return torch.cat(blocks) if blocks else torch.zeros(0, size, dtype=torch.float64)


def null_space_spectrum(rho_in: Representation, rho_out: Representation) -> Tensor:
    """The singular values of ``constraint_matrix``, one for each entry of W, falling: as many are zero as there are equivariant maps.

    >>> from eqcourse.groups import SO
    >>> V = SO(2).defining()
    >>> null_space_spectrum(V, V).abs().round(decimals=3).tolist()
    [2.0, 2.0, 0.0, 0.0]
    """
    matrix = constraint_matrix(rho_in, rho_out)
    values = torch.linalg.svdvals(matrix) if len(matrix) else matrix.new_zeros(0)
    return torch.nn.functional.pad(values, (0, matrix.shape[1] - len(values)))
