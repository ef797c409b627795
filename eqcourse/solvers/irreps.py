"""Characters, decomposition into irreducible representations, and equivariant maps by Schur's lemma.

A representation of a finite or compact group is, in a suitable basis, block-diagonal with irreducible blocks. No table of irreps is needed
to find that basis: the eigenspaces of a random symmetric matrix that commutes with all ρ(g) are irreducible (with probability 1), and
another such matrix says which of them are alike and joins their bases. Both come from averaging: X ← (X + ρ(g) X ρ(g)⁻¹)/2 with random g
halves, in the mean, the square of what does not commute.

Over the real numbers an irrep is of one of three types (Bröcker and tom Dieck 1985, Representations of Compact Lie Groups, II.6): what
commutes with it are the real numbers, the complex numbers a + bJ, or the quaternions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..groups import DirectProduct, Group
from ..representations import (
    Action,
    DirectSum,
    MatrixRepresentation,
    Representation,
    SignedPermutationRepresentation,
    TensorProduct,
    _Flattened,
    _pick,
    _Pullback,
    check_homomorphism,
    leaves,
    outer,
    require_representation,
)
from .classes import MAX_SUMMED, Nodes, class_nodes, frequency
from .labelled import candidates, describe_labels, has_labels, label_order, labelled_irrep, labels, plain_label
from .nullspace import echelon_basis
from .space import MAX_BASIS, DenseSpace

__all__ = [
    "Decomposition",
    "Part",
    "character",
    "character_inner_product",
    "decompose",
    "frobenius_schur",
    "irrep",
    "irrep_intertwiners",
    "irreps",
    "multiplicity",
    "random_intertwiners",
    "trace",
]

# Representations up to this dimension are decomposed: the largest take about a minute.
MAX_DECOMPOSED = 1024
# Irreps without labels are searched for in groups up to this order.
MAX_SEARCHED = 10_000
# So many random elements make a round of averaging; after at most so many rounds it gives up.
ROUND, ROUNDS = 16, 60
# What a round may still change, relative to the start: when averaging is done, and when it may stop if it gets no better.
FINE, COARSE = 1e-14, 1e-10
# Up to this dimension a dense matrix is quicker than acting along axes.
SMALL = 100
# Eigenvalues that differ by less, relative to their spread, are the same; by more than the second, different; else another draw is made.
SAME, DIFFERENT = 1e-10, 1e-7
# Random numbers of size 1 are below this with probability about as small, and rounding is far below it.
NEARLY_ZERO = 1e-6
# The finished blocks are exact up to this.
TOLERANCE = 1e-9
# Smaller entries of a basis are rounding.
ROUNDING = 1e-12
# How many random draws are tried.
DRAWS = 5

TYPES = {1: "real", 2: "complex", 4: "quaternionic"}


# ---- characters ----------------------------------------------------------------------------------------------------


def character(rho: Representation, g: Any) -> Any:
    """The trace of ρ(g), a float; for a batch of elements a float64 tensor with one for each.

    Sums, products and signed permutations need no matrix: the trace of a sum is the sum, of a product the product, of a permutation the
    number of things it leaves in place.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(4).defining()
    >>> character(V, [1, 0, 2, 3]), character(V * V, [1, 0, 2, 3])
    (2.0, 4.0)
    """
    require_representation(rho)
    value = trace(rho, rho.group.convert(g))
    return value.item() if value.ndim == 0 else value


def trace(rho: Representation, g: Any) -> Tensor:
    """``character``, without a check of ρ and g, as a tensor."""
    if isinstance(rho, DirectSum):
        return torch.stack([trace(term, g) for term in rho.terms]).sum(0)
    if isinstance(rho, TensorProduct) and rho.factors:
        return torch.stack([trace(factor, g) for factor in rho.factors]).prod(0)
    if isinstance(rho, _Flattened):
        return trace(rho.rho, g)
    if isinstance(rho, _Pullback):
        return trace(rho.rho, g[rho.i])
    if isinstance(rho, SignedPermutationRepresentation) and rho.built_as == "trivial":
        return torch.full(rho.group.batch_shape(g), float(rho.dim), dtype=torch.float64)
    if rho.is_signed_permutation:
        image, signs = rho.signed_permutation(g)
        return (signs * (image == torch.arange(rho.dim))).sum(-1).double()
    return rho.matrix(g).diagonal(dim1=-2, dim2=-1).sum(-1)


def character_inner_product(rho: Representation, sigma: Representation) -> float:
    """⟨χ_ρ, χ_σ⟩: the mean of χ_ρ(g) χ_σ(g⁻¹) over the group; the dimension of the space of equivariant maps between them.

    For an irreducible σ of real type it says how often σ is contained in ρ. S_N: a sum over cycle types; other groups of at most 50,000
    elements: over all; SO(n), O(n): an integral over rotation angles (Weyl), exact up to rounding. Raises ``ValueError`` for
    other groups and for representations of different groups.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(4).defining()
    >>> character_inner_product(V, V), character_inner_product(V, V.group.trivial())
    (2.0, 1.0)
    """
    require_representation(rho)
    require_representation(sigma, "sigma")
    group = rho.group
    if group != sigma.group:
        raise ValueError(f"characters of one group are compared, got {rho} and {sigma}")
    nodes = _nodes(group, frequency(rho) + frequency(sigma))
    return _tidy(sum(w * trace(rho, g).item() * trace(sigma, group.inverse(g)).item() for g, w in nodes))


def multiplicity(irrep: Representation, rho: Representation) -> int:
    """How often an irreducible representation is contained in ρ: ⟨χ, χ_ρ⟩ / ⟨χ, χ⟩.

    The division matters over the real numbers: ⟨χ, χ⟩ is 2 for irreps of complex type and 4 for quaternionic ones. Raises ``ValueError``
    for a representation that cannot be irreducible.

    >>> from eqcourse.groups import CyclicGroup
    >>> G = CyclicGroup(4)
    >>> multiplicity(G.irrep(1), G.regular())
    1
    """
    norm = character_inner_product(irrep, irrep)
    if norm not in TYPES:
        raise ValueError(f"{irrep} is not irreducible: ⟨χ, χ⟩ is {norm:g}, and for an irrep it is 1, 2 or 4")
    return round(character_inner_product(irrep, rho) / norm)


def frobenius_schur(rho: Representation) -> float:
    """The mean of χ(g²) over the group. For an irrep over the real numbers: 1 real, 0 complex, −2 quaternionic type.

    Over the complex numbers the indicator of Frobenius and Schur is 1, 0 or −1; a real irrep of quaternionic type is twice a complex one.
    For groups as in ``character_inner_product``.

    >>> from eqcourse.groups import CyclicGroup, DihedralGroup
    >>> frobenius_schur(DihedralGroup(5).irrep(1)), frobenius_schur(CyclicGroup(5).irrep(1))
    (1.0, 0.0)
    """
    require_representation(rho)
    group = rho.group
    return _tidy(sum(w * trace(rho, group.compose(g, g)).item() for g, w in _nodes(group, 2 * frequency(rho))))


def _tidy(mean: float) -> float:
    """Means of characters are whole numbers: without the rounding of the sum, where it is close to one."""
    return float(round(mean)) if abs(mean - round(mean)) < 1e-8 * max(1.0, abs(mean)) else mean


def _nodes(group: Group, highest: int) -> Nodes:
    nodes = class_nodes(group, highest)
    if nodes is None:
        raise ValueError(
            f"no way to average characters over {group}: that is for S_N up to N = 40, groups of at most {MAX_SUMMED:,} elements, SO(n) "
            "and O(n) with few planes, and their products. decompose(rho) needs no such average"
        )
    return nodes


# ---- averaging -----------------------------------------------------------------------------------------------------


def random_intertwiners(rho_in: Representation, rho_out: Representation, count: int, seed: int = 0) -> Tensor:
    """``count`` random maps W with W ρ_in(g) = ρ_out(g) W, float64 (count, d_out, d_in): averages of matrices of normal random numbers.

    Where both representations are orthogonal they are normally distributed in the space of equivariant maps. For any group that can be
    sampled and whose matrices stay bounded; raises ``ValueError`` where the average does not settle.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> W = random_intertwiners(V, V, 1)[0]
    >>> bool(torch.isclose(W[0, 0], W[1, 1])), bool(torch.isclose(W[0, 1], W[2, 0]))
    (True, True)
    """
    source = torch.Generator().manual_seed(seed)
    start = torch.randn(count, rho_out.dim, rho_in.dim, dtype=torch.float64, generator=source)
    return _group_average(start, rho_out, rho_in if _is_orthogonal(rho_in) else rho_in.dual, source)


def _group_average(z: Tensor, left: Representation, right: Representation, source: torch.Generator) -> Tensor:
    """The mean of left(g) z right(g)ᵀ over the group, for z (count, d_left, d_right)."""
    group = left.group
    size = max(z.norm().item(), 1e-300)
    dense = max(left.dim, right.dim) <= SMALL
    step = _dense_step(left, right) if dense else _axis_step(left, right)
    # Random elements may lie in a smaller group: the generators are asked as well.
    of_generators = [of_one for s in group.generators for of_one in step(_batch_of_one(s))]
    before = math.inf
    for _ in range(ROUNDS):
        old = z
        for moved in step(group.sample(source, ROUND)):
            z = (z + moved(z)) / 2
        missed = (z - old).norm().item() / size
        if missed <= COARSE:
            missed = max([missed, *((moved(z) - z).norm().item() / size for moved in of_generators)])
        if missed <= FINE or (missed <= COARSE and missed > before / 2):
            return z
        if not math.isfinite(missed):
            break
        before = missed
    for rho in (left, right):
        check_homomorphism(rho)  # if that is the reason, it names a pair of elements
    why = (
        "its random elements do not come near all others, as where a generator is close to doing nothing"
        if _is_orthogonal(left) and _is_orthogonal(right)
        else "its matrices do not stay bounded, as they do for finite and compact groups (Lorentz boosts, shears and scalings do not, nor "
        "matrices that are not accurate to float64)"
    )
    raise ValueError(
        f'averaging over {group} does not settle for {left.name}: {why}. Take intertwiners(..., method="nullspace")'
    )


# A step takes a batch of elements g and gives for each of them the map z ↦ left(g) z right(g)ᵀ.
Step = Callable[[Any], list[Callable[[Tensor], Tensor]]]


def _dense_step(left: Representation, right: Representation) -> Step:
    """By matrices: quicker for small ones."""

    def step(batch: Any) -> list[Callable[[Tensor], Tensor]]:
        of_left = left.matrix(batch)
        of_right = of_left if left is right else right.matrix(batch)
        return [lambda z, a=a, b=b.mT: a @ z @ b for a, b in zip(of_left, of_right, strict=True)]  # type: ignore[misc]

    return step


def _axis_step(left: Representation, right: Representation) -> Step:
    """By acting along axes: no matrix of a tensor power is built."""

    def along(rho: Representation, act: Action, z: Tensor) -> Tensor:
        return act(z.reshape(*z.shape[:-1], *rho.axes)).reshape(z.shape)

    def moved_by(g: Any) -> Callable[[Tensor], Tensor]:
        of_left = left.prepare(g)
        of_right = of_left if left is right else right.prepare(g)
        return lambda z: along(left, of_left, along(right, of_right, z).mT).mT

    def step(batch: Any) -> list[Callable[[Tensor], Tensor]]:
        (count,) = left.group.batch_shape(batch)
        return [moved_by(_pick(batch, (i,))) for i in range(count)]

    return step


def _batch_of_one(g: Any) -> Any:
    """The element g as a batch of shape (1,)."""
    if isinstance(g, tuple):
        return tuple(_batch_of_one(part) for part in g)
    return torch.as_tensor(g)[None]


def _is_orthogonal(rho: Representation) -> bool:
    """Whether all ρ(g) are orthogonal matrices, by the generators and the Lie algebra."""
    for leaf in leaves(rho):
        if leaf.is_signed_permutation:
            continue
        eye = torch.eye(leaf.dim, dtype=torch.float64)
        of_generators = [leaf.matrix(s) for s in leaf.group.generators]
        of_algebra = [leaf.lie_matrix(A) for A in leaf.group.lie_algebra]
        off = [(m.mT @ m - eye).abs().max().item() for m in of_generators]
        off += [(m + m.mT).abs().max().item() for m in of_algebra]
        if max(off, default=0.0) > TOLERANCE * 1e-2:
            return False
    return True


def _orthogonaliser(rho: Representation) -> Tensor | None:
    """P such that P ρ(g) P⁻¹ is orthogonal; None where ρ is so already.

    The average of ρ(g)ᵀρ(g) is an inner product M = PᵀP that ρ keeps (Weyl's unitary trick).
    """
    if _is_orthogonal(rho):
        return None
    eye = torch.eye(rho.dim, dtype=torch.float64)[None]
    dual = rho.dual
    M = _group_average(eye, dual, dual, torch.Generator().manual_seed(0))[0]
    lower, failed = torch.linalg.cholesky_ex((M + M.T) / 2)
    if failed or float(torch.linalg.cond(lower)) > 1e6:
        raise ValueError(
            f"{rho} is so far from orthogonal that float64 is not enough to mend it: take a better conditioned basis"
        )
    return lower.T.contiguous()


# ---- decomposition -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Part:
    """An irrep, and how often it occurs in a decomposition."""

    #: Its label (see ``Group.irrep``), None for groups without labels.
    label: Any
    #: Its dimension.
    dim: int
    #: How many copies there are.
    multiplicity: int
    #: "real", "complex" or "quaternionic": what commutes with it.
    type: str
    #: Orthonormal matrices of what commutes with it, times √dim: (1 | 2 | 4, dim, dim): 1; 1 and J; or 1, I, J, K with J² = −1.
    commutant: Tensor
    #: The irrep itself, with the matrices that stand in the blocks.
    representation: Representation
    #: The rows of the change of basis that belong to it.
    rows: slice

    def __repr__(self) -> str:
        name = f"irrep {self.label}" if self.label is not None else "irrep"
        times = "once" if self.multiplicity == 1 else f"{self.multiplicity} times"
        return f"{name} of dimension {self.dim}, {self.type} type, {times}"


class Decomposition:
    """ρ in a basis where it is block-diagonal: Q ρ(g) Q⁻¹ has irreducible blocks, and blocks of one irrep are equal. Made by ``decompose``.

    ``parts`` are the irreps with their multiplicities; ``change_of_basis`` is Q (dim, dim), orthogonal if ρ is, with the copies of the
    first part in its first rows; ``inverse`` is Q⁻¹; ``is_orthogonal`` says whether ρ was orthogonal as it came.
    """

    def __init__(self, rho: Representation, parts: tuple[Part, ...], change_of_basis: Tensor, inverse: Tensor) -> None:
        self.rho, self.parts = rho, parts
        self.change_of_basis, self.inverse = change_of_basis, inverse
        self.is_orthogonal = torch.equal(inverse, change_of_basis.T)

    @property
    def commutant_dimension(self) -> int:
        """The dimension of the space of equivariant maps from ρ to itself: the sum of multiplicity² × 1, 2 or 4."""
        return sum(part.multiplicity**2 * len(part.commutant) for part in self.parts)

    def matrix(self, g: Any) -> Tensor:
        """Q ρ(g) Q⁻¹, the block-diagonal matrix (dim, dim), as it comes out: outside the blocks there is rounding, no more."""
        return self.change_of_basis @ self.rho.matrix(g) @ self.inverse

    def blocks(self, g: Any) -> list[Tensor]:
        """The diagonal blocks of Q ρ(g) Q⁻¹, one for each copy of each part, in order."""
        matrix = self.matrix(g)
        return [matrix[..., place, place] for part in self.parts for place in _copies(part)]

    def projection(self, number: int) -> Tensor:
        """The equivariant projection (dim, dim) onto all copies of part ``number`` (its isotypic component)."""
        rows = self.parts[number].rows
        return self.inverse[:, rows] @ self.change_of_basis[rows]

    def __repr__(self) -> str:
        terms = []
        for part in self.parts:
            name = f"({part.label})" if isinstance(part.label, int) else str(part.label)
            name = f"[{part.dim}]" if part.label is None else name
            terms.append(name if part.multiplicity == 1 else f"{part.multiplicity}·{name}")
        return f"{self.rho} = {' ⊕ '.join(terms)}"

    def __str__(self) -> str:
        """The sum, and a table with a line for each irrep."""
        names = [f"number {i}" if part.label is None else str(part.label) for i, part in enumerate(self.parts)]
        width = max(map(len, [*names, "irrep"]))
        lines = [repr(self), f"{'irrep':>{width}}  dimension  copies  type"]
        for name, part in zip(names, self.parts, strict=True):
            lines.append(f"{name:>{width}}  {part.dim:>9}  {part.multiplicity:>6}  {part.type}")
        total = " + ".join(
            str(part.dim) if part.multiplicity == 1 else f"{part.multiplicity}·{part.dim}" for part in self.parts
        )
        return "\n".join([*lines, f"dimension {self.rho.dim} = {total}"])


def decompose(rho: Representation) -> Decomposition:
    """Decompose a representation of a finite or compact group into irreps over the real numbers, with an explicit change of basis.

    Where ρ is not orthogonal, an inner product that it keeps is found first, and Q is orthogonal with respect to that one. For groups
    with labelled irreps (``Group.irrep``) the blocks are exactly theirs. In blocks of complex type J consists of blocks [[0, −1], [1, 0]],
    so that ρ(g) consists of blocks [[a, −b], [b, a]], a·1 + b·J; in those of quaternionic type I, J, K and ρ(g) consist of 4×4 blocks.

    Raises ``ValueError`` beyond dimension 1,024, for what is not a representation (naming the pair of elements), and where the matrices do
    not stay bounded (Lorentz group); ``TypeError`` for complex matrices.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(4).defining()
    >>> decompose(V)
    R⁴ of S_4 = (4,) ⊕ (3, 1)
    >>> print(decompose(V * V))
    R⁴ ⊗ R⁴ of S_4 = 2·(4,) ⊕ 3·(3, 1) ⊕ (2, 2) ⊕ (2, 1, 1)
        irrep  dimension  copies  type
         (4,)          1       2  real
       (3, 1)          3       3  real
       (2, 2)          2       1  real
    (2, 1, 1)          3       1  real
    dimension 16 = 2·1 + 3·3 + 2 + 3
    """
    require_representation(rho)
    if rho.dim > MAX_DECOMPOSED:
        raise ValueError(
            f"{rho} has dimension {rho.dim:,}; at most {MAX_DECOMPOSED:,} are decomposed. Decompose the terms of a sum, or the "
            "factors of a product, one by one"
        )
    P = _orthogonaliser(rho)
    for seed in range(DRAWS):
        found = _split(rho, P, seed)
        if found is None:
            continue  # two random numbers were too close
        parts: list[Part] = []
        rows: list[Tensor] = []
        start = 0
        for item in sorted(found, key=lambda item: item.key):
            stop = start + item.copies.shape[0] * item.dim
            made = Part(
                item.label,
                item.dim,
                len(item.copies),
                TYPES[len(item.commutant)],
                item.commutant,
                item.representation,
                slice(start, stop),
            )
            parts.append(made)
            rows.append(item.copies.flatten(0, 1))
            start = stop
        Q = torch.cat(rows)
        Q = Q.where(Q.abs() > ROUNDING, 0.0)
        # Q has orthonormal rows in the coordinates in which ρ is orthogonal.
        there, back = (Q, Q.T) if P is None else (Q @ P, torch.linalg.solve(P, Q.T))
        result = Decomposition(rho, tuple(parts), there, back)
        if _is_right(result):
            return result
    check_homomorphism(rho)
    raise ValueError(
        f"{rho} could not be decomposed: after {DRAWS} random draws its blocks are not accurate to {TOLERANCE:.0e}. "
        "Are its matrices accurate to float64?"
    )


@dataclass
class _Found:
    """All copies of one irrep, in orthogonal coordinates."""

    copies: Tensor  # (multiplicity, dim, rho.dim): each an orthonormal basis as rows
    commutant: Tensor  # (1 | 2 | 4, dim, dim)
    representation: Representation
    label: Any = None
    key: tuple[Any, ...] = ()

    @property
    def dim(self) -> int:
        return self.copies.shape[1]


def _split(rho: Representation, P: Tensor | None, seed: int) -> list[_Found] | None:
    """The irreps in ρ; None if the random numbers were unlucky."""
    Y = random_intertwiners(rho, rho, 2, seed)
    if P is not None:
        Y = P @ Y @ torch.linalg.inv(P)
    values, vectors = torch.linalg.eigh(Y[0] + Y[0].T)
    gaps = values.diff() / values.abs().max()
    if bool(((gaps > SAME) & (gaps < DIFFERENT)).any()):
        return None
    starts = [0, *((gaps >= DIFFERENT).nonzero().flatten() + 1).tolist(), rho.dim]
    spaces = [slice(a, b) for a, b in itertools.pairwise(starts)]
    Y = vectors.T @ Y @ vectors
    found, open_ones = [], list(range(len(spaces)))
    while open_ones:
        first, *others = open_ones
        place = spaces[first]
        dim = place.stop - place.start
        inside = Y[:, place, place]
        # In an irrep the symmetric part of what commutes is a number: an eigenspace with more was merged by accident.
        symmetric = (inside + inside.mT) / 2
        numbers = symmetric.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None] * torch.eye(dim, dtype=Y.dtype)
        if (symmetric - numbers).abs().max().item() > NEARLY_ZERO:
            return None
        copies = [vectors[:, place].T]
        for other in others:
            there = spaces[other]
            if there.stop - there.start != dim:
                continue
            # Both directions: one random number may be small. An equivariant map between irreps is a multiple of an isometry.
            joins = max((Y[1, place, there], Y[1, there, place].T), key=lambda join: join.norm().item())
            if joins.norm().item() > NEARLY_ZERO * dim:
                copies.append(_nearest_isometry(joins) @ vectors[:, there].T)
                open_ones.remove(other)
        open_ones.remove(first)
        commutant = _commutant(inside)
        if commutant is None:
            return None
        found.append(_canonical(rho, P, torch.stack(copies), commutant))
    return found


def _nearest_isometry(T: Tensor) -> Tensor:
    """The orthogonal matrix nearest to T (polar decomposition)."""
    u, _, v = torch.linalg.svd(T)
    return u @ v


def _commutant(inside: Tensor) -> Tensor | None:
    """What commutes with an irrep, from two random matrices (2, dim, dim) that do: 1; 1, J; or 1, I, J, K. None if it is in doubt."""
    dim = inside.shape[-1]
    one = torch.eye(dim, dtype=inside.dtype)
    odd = (inside - inside.mT) / 2 / math.sqrt(dim)
    sizes = torch.linalg.svdvals(odd.flatten(1))
    if sizes[0] <= NEARLY_ZERO:
        return one[None]
    I = odd[0] / odd[0].norm()
    if len(sizes) == 1 or sizes[1] <= NEARLY_ZERO:
        return torch.stack([one, _with_sign(I) * math.sqrt(dim)])
    J = odd[1] - (odd[1] * I).sum() * I
    J = J / J.norm()
    K = I @ J * math.sqrt(dim)
    if dim % 4 or (K + K.T).abs().max().item() > NEARLY_ZERO:
        return None
    return torch.stack([one, I * math.sqrt(dim), J * math.sqrt(dim), K * math.sqrt(dim)])


def _with_sign(J: Tensor) -> Tensor:
    """J or −J: the first entry of its first column that is not zero is positive."""
    column = J[:, 0]
    return J * column[(column.abs() > 1e-8).nonzero()[0]].sign()


def _canonical(rho: Representation, P: Tensor | None, copies: Tensor, commutant: Tensor) -> _Found:
    """The same copies in the labelled irrep's basis if there is one, otherwise in one that depends little on the random numbers."""
    representation = _as_representation(rho, P, copies[0])
    label, labelled, T = _identify(representation)
    if labelled is not None:
        change, representation = T, labelled
    elif len(commutant) == 1:
        change = echelon_basis(copies[0]) @ copies[0].T
    else:
        change, commutant = _adapted(copies[0], commutant)
    copies, commutant = change @ copies, change @ commutant @ change.T
    if len(commutant) == 2:
        commutant = torch.stack([commutant[0], _with_sign(commutant[1])])
    commutant = commutant.where(commutant.abs() > 1e-9, 0.0)
    copies = _ordered(copies, commutant)
    dim = copies.shape[1]
    if labelled is not None:
        key: tuple[Any, ...] = label_order(rho.group, label)
    else:
        representation = _as_representation(rho, P, copies[0])
        # The trivial one first, then small ones; characters on a few elements tell equal dimensions apart.
        group = rho.group
        tried = [*group.generators, *(group.sample(seed) for seed in range(4))]
        values = tuple(-round(character(representation, g), 6) + 0.0 for g in tried)
        key = (dim, *values)
    return _Found(copies, commutant, representation, label, key)


def _as_representation(rho: Representation, P: Tensor | None, rows: Tensor) -> Representation:
    """The subrepresentation on the span of orthonormal rows (dim, rho.dim), in orthogonal coordinates."""
    there, back = (rows, rows.T) if P is None else (rows @ P, torch.linalg.solve(P, rows.T))
    group, dim = rho.group, len(rows)
    vectors = back.T.reshape(dim, *rho.axes)

    def matrix_of(g: Any) -> Tensor:
        lead = group.batch_shape(g)
        moved = rho.act(g, vectors.expand(*lead, *vectors.shape))
        return there @ moved.reshape(*lead, dim, rho.dim).mT

    lie = (lambda A: there @ rho.lie_matrix(A) @ back) if group.lie_algebra else None
    part = MatrixRepresentation(group, dim, matrix_of, lie, name=f"irrep [{dim}]")
    part.is_checked = True  # as ρ is
    return part


def _identify(sigma: Representation) -> tuple[Any, Representation | None, Tensor]:
    """(label, labelled irrep, T) with T σ(g) Tᵀ the labelled one's matrices; (None, None, 1) where there are no labels."""
    if has_labels(sigma.group):
        for label in candidates(sigma):
            labelled = labelled_irrep(sigma.group, label)
            T = _isometry(sigma, labelled)
            if T is not None:
                return label, labelled, T
    return None, None, torch.eye(sigma.dim, dtype=torch.float64)


def _isometry(sigma: Representation, tau: Representation) -> Tensor | None:
    """An orthogonal T with T σ(g) = τ(g) T between orthogonal irreps; None if they are not equivalent."""
    group = sigma.group
    if sigma.dim != tau.dim:
        return None
    tried = [*group.generators, *(group.exp(A) for A in group.lie_algebra[:1])]
    if any(abs(character(sigma, g) - character(tau, g)) > NEARLY_ZERO for g in tried):
        return None
    if sigma.dim == 1:
        return torch.ones(1, 1, dtype=torch.float64)
    source = torch.Generator().manual_seed(0)
    T = _group_average(torch.randn(1, sigma.dim, sigma.dim, dtype=torch.float64, generator=source), tau, sigma, source)[
        0
    ]
    return _nearest_isometry(T) if T.norm().item() > NEARLY_ZERO * sigma.dim else None


def _adapted(rows: Tensor, commutant: Tensor) -> tuple[Tensor, Tensor]:
    """An orthonormal basis v, Jv, w, Jw, … (or v, Iv, Jv, Kv, …) of the span of rows, in terms of them, and I, J, K."""
    dim = len(rows)
    if len(commutant) == 4:
        # I, J and K are three of many choices: take those in echelon form in the rows' own echelon basis.
        own = echelon_basis(rows) @ rows.T
        imaginary = echelon_basis((own @ commutant[1:] @ own.T).flatten(1) / math.sqrt(dim)).reshape(3, dim, dim)
        I, J = own.T @ imaginary[:2] @ own * math.sqrt(dim)
        commutant = torch.stack([commutant[0], I, J, I @ J])
    basis: list[Tensor] = []
    left = torch.eye(dim, dtype=rows.dtype)  # the projection onto what is not yet in the basis
    while len(basis) < dim:
        v = left @ _first(left @ rows)
        v = v / v.norm()
        new = commutant @ v
        basis += list(new)
        left = left - new.T @ new
    return torch.stack(basis), commutant


def _first(frame: Tensor) -> Tensor:
    """The first column of a frame (n, size) that is not nearly zero."""
    squares = frame.square().sum(0)
    return frame[:, int((squares > min(1e-6, squares.max().item() / 2)).nonzero()[0])]


def _ordered(copies: Tensor, commutant: Tensor) -> Tensor:
    """Other copies of the same irrep (m, dim, size), in echelon form: what the first basis vector becomes decides.

    The maps from the irrep into ρ are combinations of the copies with coefficients in the commutant. Each is known by where it sends the
    first basis vector, so that choosing vectors one after the other, as in Gram–Schmidt, chooses copies.
    """
    if len(copies) == 1 and len(commutant) == 1:
        first = copies[0, 0]
        return copies * first[(first.abs() > 1e-6).nonzero()[0]].sign()
    maps = torch.einsum("tlk,ild->itkd", commutant, copies).flatten(0, 1)  # e_k ↦ Σ_l J[l, k] e_l, in each copy
    images = maps[:, 0]
    left, chosen = images, []
    for _ in range(len(copies)):
        v = left.T @ _first(left)
        v = v / v.norm()
        copy = torch.einsum("n,nkd->kd", images @ v, maps)
        chosen.append(copy)
        used = torch.einsum("tl,ld->td", commutant[:, :, 0], copy)
        left = left - (left @ used.T) @ used
    return torch.stack(chosen)


def _copies(part: Part) -> list[slice]:
    """The rows of each copy of a part."""
    return [slice(a, a + part.dim) for a in range(part.rows.start, part.rows.stop, part.dim)]


def _is_right(found: Decomposition) -> bool:
    """Whether the blocks are those of the parts, and there is nothing else, on generators and sampled elements."""
    group = found.rho.group
    for g in [*group.generators, *(group.sample(100 + i) for i in range(2))]:
        expected = torch.block_diag(
            *(
                block
                for part in found.parts
                for block in [part.representation.matrix(g)]
                for _ in range(part.multiplicity)
            )
        )
        if not (found.matrix(g) - expected).abs().max().item() <= TOLERANCE * found.rho.dim:
            return False
    return True


# ---- Schur's lemma -------------------------------------------------------------------------------------------------


def irrep_intertwiners(rho_in: Representation, rho_out: Representation) -> DenseSpace:
    """The space of equivariant maps by Schur's lemma, with an orthonormal basis in echelon form.

    Both sides are decomposed. Between two copies of one irrep there is a map for each element of a basis of what commutes with it: 1, 2 or
    4; between different irreps there is none. The basis is that of ``echelon_basis``: orthonormal in the Frobenius inner product of
    the given coordinates, also where a representation had to be made orthogonal first.

    Raises ``ValueError`` as ``decompose`` does, and where the basis would hold more than 2²⁷ numbers.

    >>> from eqcourse.groups import SO
    >>> V = SO(3).defining()
    >>> irrep_intertwiners(V * V, V * V).dim
    3
    """
    one = decompose(rho_in)
    other = one if rho_in == rho_out else decompose(rho_out)
    pairs = [(a, b) for a in one.parts for b in other.parts if (a.dim, a.type, a.label) == (b.dim, b.type, b.label)]
    most = sum(a.multiplicity * b.multiplicity * len(a.commutant) for a, b in pairs)
    if most * rho_in.dim * rho_out.dim > MAX_BASIS:
        raise ValueError(
            f"the basis of the maps from {rho_in.name} to {rho_out.name} of {rho_in.group} would hold more than {MAX_BASIS:,} numbers. "
            "decompose(rho) describes them with fewer"
        )
    found = []
    for a, b in pairs:
        if one is other or a.label is not None:
            T = torch.eye(a.dim, dtype=torch.float64) if one is not other or a is b else None
        else:
            T = _isometry(a.representation, b.representation)
        if T is None:
            continue
        maps = T @ a.commutant / math.sqrt(a.dim)
        for copy_out, copy_in in itertools.product(_copies(b), _copies(a)):
            found.append(other.inverse[:, copy_out] @ maps @ one.change_of_basis[copy_in])
    size = rho_out.dim * rho_in.dim
    rows = torch.cat(found).reshape(-1, size) if found else torch.zeros(0, size, dtype=torch.float64)
    if not (one.is_orthogonal and other.is_orthogonal):
        rows = torch.linalg.qr(rows.T)[0].T
    basis = echelon_basis(rows) if len(rows) else rows
    return DenseSpace(rho_in, rho_out, basis.reshape(-1, rho_out.dim, rho_in.dim), "irreps")


# ---- all irreps of a group -----------------------------------------------------------------------------------------


def irreps(group: Group) -> list[Representation]:
    """All irreps of a finite group over the real numbers; ``group.irreps()``."""
    return [sigma for _, sigma in _all_irreps(group)]


def irrep(group: Group, label: Any) -> Representation:
    """The irrep of a group with this label; ``group.irrep(label)``."""
    label = plain_label(label)
    if has_labels(group):
        return labelled_irrep(group, label)
    if isinstance(group, DirectProduct):
        found = _of_product(group, label)
        if found is None:
            raise ValueError(
                f"{group} has no irrep with the label {label!r}: a label is a tuple with the label of an irrep of each of its factors; "
                "where their product is not irreducible, a number 0, 1, … more"
            )
        return found
    for known, sigma in _all_irreps(group):
        if isinstance(label, int) and not isinstance(label, bool) and known == label:
            return sigma
    count = len(_all_irreps(group))
    raise ValueError(
        f"{group} has no irrep with the label {label!r}; it has 0 to {count - 1}, their numbers in irreps()"
    )


def _all_irreps(group: Group) -> list[tuple[Any, Representation]]:
    """(label, irrep) for all irreps of a finite group."""
    if group.order == math.inf:
        if has_labels(group):
            raise ValueError(f"{group} has infinitely many irreps: take one by its label, {describe_labels(group)}")
        raise ValueError(
            f"{group} is infinite: its irreps are not listed. decompose(rho) finds those in a representation"
        )
    if has_labels(group):
        return [(label, labelled_irrep(group, label)) for label in labels(group)]
    if isinstance(group, DirectProduct):
        choices = itertools.product(*(_all_irreps(factor) for factor in group.factors))
        found = []
        for choice in choices:
            label = tuple(name for name, _ in choice)
            parts = _product_parts(group, [sigma for _, sigma in choice])
            found += [(label if len(parts) == 1 else (*label, i), part) for i, part in enumerate(parts)]
        return found
    return list(enumerate(_search(group)))


def _of_product(group: DirectProduct, label: Any) -> Representation | None:
    count = len(group.factors)
    if not isinstance(label, tuple) or len(label) not in (count, count + 1):
        return None
    chosen = [irrep(factor, part) for factor, part in zip(group.factors, label[:count], strict=True)]
    parts = _product_parts(group, chosen)
    if len(label) == count:
        return parts[0] if len(parts) == 1 else None
    number = label[-1]
    return parts[number] if len(parts) > 1 and isinstance(number, int) and 0 <= number < len(parts) else None


def _product_parts(group: DirectProduct, chosen: list[Representation]) -> list[Representation]:
    """The irreps in an outer product of irreps: itself, unless two of them are of complex or quaternionic type."""
    if len(chosen) == 1:
        return [group.pullback(0, chosen[0])]
    product = outer(*chosen).flatten()
    parts = decompose(product).parts
    return [product] if parts[0].dim == product.dim else [part.representation for part in parts]


def _search(group: Group) -> list[Representation]:
    """All irreps of a finite group: those in tensor products with a faithful representation, until the squares of dimensions say enough.

    Each irrep is in some tensor power of a faithful representation (Burnside), and the sum of dim²/(1, 2 or 4) over all is the order.
    """
    if group.order > MAX_SEARCHED:
        raise ValueError(
            f"{group} has {group.order:,} elements; irreps are searched for in groups of at most {MAX_SEARCHED:,}. "
            "decompose(rho) finds those in one representation"
        )
    faithful = group.defining()
    found: list[tuple[Representation, int]] = [(group.trivial(), 1)]
    for sigma, _ in found:  # grows on the way
        if sum(tau.dim**2 // c for tau, c in found) == group.order:
            break
        for part in decompose(sigma.flatten() * faithful).parts:
            if all(_isometry(part.representation, tau) is None for tau, _ in found):
                found.append((part.representation, len(part.commutant)))
    return sorted((sigma for sigma, _ in found), key=lambda sigma: sigma.dim)
