"""Representations: how a group acts on arrays, and the algebra of such types.

A representation ρ says how each group element g changes an array x by a linear map: ``rho.act(g, x)`` is ρ(g) x. It acts on the trailing
``rho.axes`` of x and leaves all axes in front of them (batch, channels) alone. Representations are combined like types:

>>> from eqcourse.groups import SymmetricGroup
>>> V = SymmetricGroup(5).defining()
>>> V * V, V + V.group.trivial(), 3 * V
(R⁵ ⊗ R⁵ of S_5, R⁵ ⊕ 1 of S_5, 3·R⁵ of S_5)

Two kinds of building block carry everything: signed permutations, which act by looking entries up and never build a matrix, and matrices.
"""

from __future__ import annotations

import itertools
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, reduce, wraps
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from .groups import (
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    Group,
    ReflectionGroup,
    SignedPermutationGroup,
    SymmetricGroup,
    _Images,
    _inverse_images,
    _length,
    _Matrices,
    _positive_integer,
    _real_matrix,
)

__all__ = [
    "Action",
    "DirectSum",
    "MatrixRepresentation",
    "Representation",
    "SignedPermutationRepresentation",
    "TensorProduct",
    "by_construction",
    "check_homomorphism",
    "from_generators",
    "leaves",
    "outer",
    "require_representation",
]

# `matrix(g)` builds a dense float64 matrix only up to this many entries (1 GiB).
MAX_MATRIX_ENTRIES = 2**27
# Groups up to this order are checked on all pairs element × generator.
MAX_CHECKED = 2_000
# What a solver is given is checked on all elements of groups up to the first order, otherwise on so many samples.
TRIED, TRIED_SAMPLES = 60, 24
# The Lie algebra is checked on matrices up to this dimension.
MAX_CHECKED_MATRIX = 256
# What two float64 matrices may differ by and still count as the same.
MATRIX_TOLERANCE = 1e-9


class Representation(ABC):
    """A linear action of ``group`` on arrays with trailing shape ``axes``.

    Equal representations have the same group, axes and generators' matrices. They can be added (direct sum: blocks, one flat axis),
    multiplied (tensor product: axes side by side, acted on one by one), taken to a power, and multiplied by an int (copies).
    """

    group: Group
    #: Sizes of the trailing axes that are acted on.
    axes: tuple[int, ...]
    #: The type without its group, for example ``R⁵ ⊗ R⁵``.
    name: str
    #: True if each element permutes the entries and flips some of their signs.
    is_signed_permutation: bool
    #: True if ρ(gh) = ρ(g)ρ(h) is known: the library built it, or ``require_representation`` has checked it.
    is_checked = False

    @property
    def dim(self) -> int:
        """The number of entries acted on: the product of ``axes``."""
        return math.prod(self.axes)

    @abstractmethod
    def _prepare(self, g: Any) -> Any:
        """What ``_apply`` needs to know of the (checked, maybe batched) element g."""

    @abstractmethod
    def _apply(self, prepared: Any, x: Tensor, start: int, lead: int) -> Tensor:
        """Act on ``x``'s axes from number ``start`` on; its first ``lead`` axes match the batch of elements."""

    @abstractmethod
    def _lie_matrix(self, A: Any) -> Tensor:
        """dρ(A), a float64 matrix (dim, dim)."""

    def prepare(self, g: Any) -> Action:
        """The map x ↦ ρ(g) x, ready to be applied many times: g is checked and inverted once.

        >>> shift = CyclicGroup(4).regular().prepare(1)
        >>> shift(torch.tensor([10, 20, 30, 40]))
        tensor([40, 10, 20, 30])
        """
        g = self.group.convert(g)
        return Action(self, self._prepare(g), self.group.batch_shape(g))

    def act(self, g: Any, x: Any) -> Tensor:
        """ρ(g) x for an array x of shape (..., \\*axes); the result has x's dtype and device.

        For a batch of elements of shape b, the first axes of x are b too, or x has no axes in front and each element acts on the same x.
        Signed permutations move entries and build no matrix; tensor powers act axis by axis. ``g`` may be an ``Action`` made by
        ``prepare``. Raises ``ValueError`` if g is not in the group (for a permutation or matrix group from generators only
        ``group.element(g)`` looks that up) or the trailing shape does not fit, ``TypeError`` for integers where the action needs floats.

        >>> rho = SymmetricGroup(3).defining()
        >>> rho.act([1, 2, 0], torch.tensor([10, 20, 30]))      # entry 0 goes to place 1: [π▷x]_i = x_{π⁻¹(i)}
        tensor([30, 10, 20])
        """
        if isinstance(g, Action):
            if g.rho != self:
                raise ValueError(f"this action was prepared for {g.rho}, not for {self}")
            return g(x)
        return self.prepare(g)(x)

    def matrix(self, g: Any, dtype: torch.dtype = torch.float64) -> Tensor:
        """ρ(g) as a dense matrix (dim, dim), for a batch (\\*b, dim, dim). Raises ``ValueError`` beyond 2²⁷ entries.

        >>> SymmetricGroup(3).defining().matrix([1, 2, 0])
        tensor([[0., 0., 1.],
                [1., 0., 0.],
                [0., 1., 0.]], dtype=torch.float64)
        """
        g = self.group.convert(g)
        lead = self.group.batch_shape(g)
        if math.prod(lead) * self.dim**2 > MAX_MATRIX_ENTRIES:
            many = f" for each of {math.prod(lead):,} elements" if lead else ""
            raise ValueError(
                f"the matrix of {self} would have {self.dim:,} × {self.dim:,} entries{many}: use act(g, x) instead"
            )
        basis = torch.eye(self.dim, dtype=dtype).expand(*lead, -1, -1).reshape(*lead, self.dim, *self.axes)
        # Row j of the result is the image of basis vector j; the matrix has it as column j.
        return Action(self, self._prepare(g), lead)(basis).reshape(*lead, self.dim, self.dim).mT.contiguous()

    def lie_matrix(self, A: Any) -> Tensor:
        """dρ(A): the matrix (dim, dim) of a Lie algebra element, so that ρ(exp(A)) = exp(dρ(A)).

        Raises ``ValueError`` if the group is finite.

        >>> from eqcourse.groups import SO
        >>> V = SO(2).defining()
        >>> (V * V).lie_matrix(SO(2).lie_algebra[0]).shape
        torch.Size([4, 4])
        """
        if not self.group.lie_algebra:
            raise ValueError(f"{self.group} has no Lie algebra")
        return self._lie_matrix(A)

    def signed_permutation(self, g: Any) -> tuple[Tensor, Tensor]:
        """(image, signs), int64 of shape (dim,): ρ(g) sends basis vector j to ``signs[j]`` times basis vector ``image[j]``.

        Raises ``TypeError`` if ρ does not act by signed permutations.

        >>> (SymmetricGroup(2).defining() * SymmetricGroup(2).sign()).signed_permutation([1, 0])
        (tensor([1, 0]), tensor([-1, -1]))
        """
        if not self.is_signed_permutation:
            raise TypeError(f"{self} acts by matrices, not by signed permutations: use matrix(g)")
        g = self.group.convert(g)
        lead = self.group.batch_shape(g)
        # Acting on the labels 1…dim shows where each entry came from, and its sign.
        labels = torch.arange(1, self.dim + 1).reshape(self.axes).expand((*lead, *self.axes))
        labels = Action(self, self._prepare(g), lead)(labels).reshape(*lead, self.dim)
        image = _inverse_images(labels.abs() - 1)
        return image, torch.take_along_dim(labels.sign(), image, -1)

    @property
    def dual(self) -> Representation:
        """The dual representation ρ(g⁻¹)ᵀ. Signed permutations and orthogonal matrices are their own dual.

        >>> from eqcourse.groups import Lorentz
        >>> Lorentz().defining().dual
        R⁴* of Lorentz (full)
        """
        return self if self.is_signed_permutation else self._dual()

    def _dual(self) -> Representation:
        raise NotImplementedError

    def flatten(self) -> Representation:
        """The same action on one flat axis, row-major.

        >>> (SymmetricGroup(3).defining() ** 2).flatten().axes
        (9,)
        """
        return self if len(self.axes) == 1 else _Flattened(self)

    def __add__(self, other: object) -> Representation:
        return DirectSum([self, other]) if isinstance(other, Representation) else NotImplemented

    def __mul__(self, other: object) -> Representation:
        return TensorProduct([self, other]) if isinstance(other, Representation) else NotImplemented

    def __rmul__(self, copies: object) -> Representation:
        if isinstance(copies, bool) or not isinstance(copies, numbers.Integral):
            return NotImplemented
        if copies < 1:
            raise ValueError(f"the number of copies of {self} is at least 1, got {copies}")
        return DirectSum([self] * int(copies))

    def __pow__(self, order: object) -> Representation:
        if isinstance(order, bool) or not isinstance(order, numbers.Integral):
            return NotImplemented
        if order < 0:
            raise ValueError(f"a tensor power has order 0 or more, got {order}; for the dual write rho.dual")
        return self if order == 1 else TensorProduct([self] * int(order), group=self.group)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Representation):
            return NotImplemented
        if self is other:
            return True
        if self.group != other.group or self.axes != other.axes:
            return False
        return self._same_structure(other) or self._same_on_generators(other)

    def __hash__(self) -> int:
        return hash((self.group, self.axes))

    def _same_structure(self, other: Representation) -> bool:
        """A quick yes for types built alike; a no says nothing."""
        return False

    def _same_on_generators(self, other: Representation) -> bool:
        if self.is_signed_permutation and other.is_signed_permutation:
            # On the Lie algebra both are zero: a connected group can only permute finitely many things trivially.
            return all(
                torch.equal(a, b)
                for s in self.group.generators
                for a, b in zip(self.signed_permutation(s), other.signed_permutation(s), strict=True)
            )
        return all(
            torch.allclose(self.matrix(s), other.matrix(s), rtol=0, atol=MATRIX_TOLERANCE)
            for s in self.group.generators
        ) and all(
            torch.allclose(self._lie_matrix(A), other._lie_matrix(A), rtol=0, atol=MATRIX_TOLERANCE)
            for A in self.group.lie_algebra
        )

    def __repr__(self) -> str:
        return f"{self.name} of {self.group}"


class Action:
    """ρ(g) for one element, or for a batch of them, as a map on arrays; made by ``rho.prepare(g)``."""

    def __init__(self, rho: Representation, prepared: Any, batch_shape: tuple[int, ...]) -> None:
        self.rho = rho
        self.prepared = prepared
        self.batch_shape = batch_shape

    def __call__(self, x: Any) -> Tensor:
        """ρ(g) x; see ``Representation.act``."""
        x = torch.as_tensor(x)
        axes, batch = self.rho.axes, self.batch_shape
        start = x.ndim - len(axes)
        if start < 0 or tuple(x.shape[start:]) != axes:
            raise ValueError(
                f"{self.rho} acts on arrays whose trailing shape is {axes}; this one has shape {tuple(x.shape)}"
            )
        if batch:
            if start == 0:
                x = x.expand(*batch, *axes)
            elif tuple(x.shape[: len(batch)]) != batch:
                raise ValueError(
                    f"a batch of group elements of shape {batch} acts on arrays of shape (*{batch}, ..., *{axes}), "
                    f"each element on its own entry, or on one array of shape {axes}; got shape {tuple(x.shape)}"
                )
            start = x.ndim - len(axes)
        return self.rho._apply(self.prepared, x, start, len(batch))

    def __repr__(self) -> str:
        return f"an element acting by {self.rho}"


class SignedPermutationRepresentation(Representation):
    """An action that permutes entries and flips some of their signs, on an array with any number of axes.

    ``image_of(g)`` gives for each entry (flat, row-major) where it goes: int64 (\\*b, dim); ``signs_of(g)``, if there is
    one, by which sign it is multiplied on the way. Both take batches.
    """

    is_signed_permutation = True

    def __init__(
        self,
        group: Group,
        axes: tuple[int, ...],
        image_of: Callable[[Any], Tensor],
        signs_of: Callable[[Any], Tensor] | None = None,
        name: str | None = None,
        built_as: str | None = None,
    ) -> None:
        _require_constructor(self, group, image_of=image_of)
        if not isinstance(axes, tuple):
            raise TypeError(f"axes is a tuple of lengths, such as (4,) or (3, 3), got {axes!r}")
        self.group, self.axes = group, tuple(_positive_integer("each of the axes", n) for n in axes)
        self.image_of, self.signs_of = image_of, signs_of
        # What the constructor was, where there is only one such type for a group and axes: a quick yes when types are compared.
        self.built_as = built_as
        self.name = name or _space(self.dim)

    def _prepare(self, g: Any) -> tuple[Tensor, Tensor | None]:
        image, signs = self._values(g)
        # [ρ(g)x]_i = sign · x_(where i comes from): looking up needs the inverse of the image array.
        source = _inverse_images(image)
        return source, None if signs is None else torch.take_along_dim(signs, source, -1)

    def _values(self, g: Any) -> tuple[Tensor, Tensor | None]:
        image, signs = self.image_of(g), None if self.signs_of is None else self.signs_of(g)
        for values in (image,) if signs is None else (image, signs):
            _require_integers(self, values, g)
        return image, signs

    def _apply(self, prepared: Any, x: Tensor, start: int, lead: int) -> Tensor:
        source, signs = prepared
        shape = x.shape
        # index_select is the quickest gather, but slow where several axes stand in front of the one it looks up: fold them.
        front = shape[:start] if lead else (math.prod(shape[:start]),)
        x = x.reshape(*front, self.dim, math.prod(shape[start + len(self.axes) :]))
        start = len(front)
        if lead == 0:
            y = x.index_select(start, source.to(x.device))
        else:
            y = x.gather(start, _aligned(source, x, start, lead).to(x.device).expand_as(x))
        if signs is not None:
            if x.dtype in (torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64):
                raise TypeError(
                    f"{self} changes signs, and {x.dtype} has none: convert x to a signed or floating type first"
                )
            y = y * _aligned(signs, x, start, lead).to(x)
        return y.reshape(shape)

    def _same_structure(self, other: Representation) -> bool:
        return (
            isinstance(other, SignedPermutationRepresentation)
            and self.built_as is not None
            and self.built_as == other.built_as
        )

    def _lie_matrix(self, A: Any) -> Tensor:
        # A connected group can only permute finitely many things trivially.
        return torch.zeros(self.dim, self.dim, dtype=torch.float64)


class MatrixRepresentation(Representation):
    """An action by matrices: ``matrix_of(g)`` is float64 (\\*b, dim, dim), ``lie_matrix_of(A)`` its derivative."""

    is_signed_permutation = False

    def __init__(
        self,
        group: Group,
        dim: int,
        matrix_of: Callable[[Any], Tensor],
        lie_matrix_of: Callable[[Any], Tensor] | None = None,
        name: str | None = None,
    ) -> None:
        _require_constructor(self, group, matrix_of=matrix_of)
        self.group, self.axes = group, (_positive_integer("dim", dim),)
        self.matrix_of, self.lie_matrix_of = matrix_of, lie_matrix_of
        self.name = name or _space(dim)

    def _prepare(self, g: Any) -> Tensor:
        batch = self.group.batch_shape(g)
        try:
            matrix = self.matrix_of(g)
        except Exception as error:
            if not batch:
                raise
            raise TypeError(
                f"matrix_of of {self} fails for a batch of elements of shape {batch}, whose data have as many axes more in front: {error}"
            ) from error
        _require_matrix(self, matrix, batch, "g", g)
        return matrix

    def _apply(self, prepared: Tensor, x: Tensor, start: int, lead: int) -> Tensor:
        if not (x.is_floating_point() or x.is_complex()):
            raise TypeError(f"{self} needs floating-point numbers, got {x.dtype}: convert with x.double() or x.float()")
        x = x.movedim(start, -1)
        between = x.ndim - 1 - lead
        matrix = prepared.to(dtype=x.dtype, device=x.device)
        matrix = matrix.reshape(*matrix.shape[:lead], *[1] * between, *matrix.shape[-2:])
        return (matrix @ x.unsqueeze(-1)).squeeze(-1).movedim(-1, start)

    def _lie_matrix(self, A: Any) -> Tensor:
        if self.lie_matrix_of is None:
            raise ValueError(
                f"{self} was given without the matrices of its Lie algebra: give MatrixRepresentation also a function lie_matrix_of, "
                "with ρ(exp(A)) = exp(dρ(A))"
            )
        matrix = self.lie_matrix_of(A)
        _require_matrix(self, matrix, (), "A", A)
        return matrix

    def _dual(self) -> Representation:
        name = self.name[:-1] if self.name.endswith("*") else self.name + "*"
        lie = self.lie_matrix_of
        dual = MatrixRepresentation(
            self.group,
            self.dim,
            lambda g: torch.linalg.inv(self._prepare(g)).mT,
            None if lie is None else lambda A: -lie(A).mT,
            name,
        )
        dual.is_checked = self.is_checked
        return dual


class DirectSum(Representation):
    """ρ ⊕ σ ⊕ …: the summands' entries one after the other on one flat axis, each with its own action (block-diagonal).

    Raises ``ValueError`` if the summands belong to different groups.
    """

    def __init__(self, terms: Sequence[Representation]) -> None:
        self.group = _common_group(terms, "added", "For independent groups first pull both back to their product.")
        flat: list[Representation] = []
        for term in terms:
            flat += term.terms if isinstance(term, DirectSum) else [term]
        self.terms: tuple[Representation, ...] = tuple(flat)
        self.axes = (sum(term.dim for term in flat),)
        self.is_signed_permutation = all(term.is_signed_permutation for term in flat)
        # Neighbours are counted together if they look alike and are pulled back from the same factor of a product.
        runs = [
            (name, len(list(run)))
            for (name, _), run in itertools.groupby((term.name, getattr(term, "i", None)) for term in flat)
        ]
        self.name = " ⊕ ".join(name if count == 1 else f"{count}·{_grouped(name)}" for name, count in runs)

    def _prepare(self, g: Any) -> list[Any]:
        return [term._prepare(g) for term in self.terms]

    def _apply(self, prepared: list[Any], x: Tensor, start: int, lead: int) -> Tensor:
        blocks = x.split([term.dim for term in self.terms], dim=start)
        acted = [
            _apply_flat(term, p, block, start, lead)
            for term, p, block in zip(self.terms, prepared, blocks, strict=True)
        ]
        return torch.cat(acted, dim=start)

    def _lie_matrix(self, A: Any) -> Tensor:
        return torch.block_diag(*(term._lie_matrix(A) for term in self.terms))

    def _dual(self) -> Representation:
        return DirectSum([term.dual for term in self.terms])

    def _same_structure(self, other: Representation) -> bool:
        return isinstance(other, DirectSum) and self.terms == other.terms


class TensorProduct(Representation):
    """ρ ⊗ σ ⊗ …: the factors' axes side by side, each acted on by its own factor.

    Raises ``ValueError`` if the factors belong to different groups. No factors give the trivial action on a single number without axes.
    """

    def __init__(self, factors: Sequence[Representation], group: Group | None = None, symbol: str = "⊗") -> None:
        self.group = group or _common_group(
            factors, "multiplied", "For independent groups use representations.outer(rho, sigma)."
        )
        flat: list[Representation] = []
        for factor in factors:
            flat += factor.factors if isinstance(factor, TensorProduct) else [factor]
        self.factors: tuple[Representation, ...] = tuple(flat)
        self.axes = tuple(itertools.chain.from_iterable(factor.axes for factor in flat))
        self.is_signed_permutation = all(factor.is_signed_permutation for factor in flat)
        self.symbol = symbol
        self.name = f" {symbol} ".join(_bracketed(factor) for factor in flat) or "1"

    def _prepare(self, g: Any) -> list[Any]:
        # Powers repeat one factor: prepare each distinct one once.
        prepared: dict[int, Any] = {}
        for factor in self.factors:
            if id(factor) not in prepared:
                prepared[id(factor)] = factor._prepare(g)
        return [prepared[id(factor)] for factor in self.factors]

    def _apply(self, prepared: list[Any], x: Tensor, start: int, lead: int) -> Tensor:
        for factor, p in zip(self.factors, prepared, strict=True):
            x = factor._apply(p, x, start, lead)
            start += len(factor.axes)
        return x

    def _lie_matrix(self, A: Any) -> Tensor:
        # The product rule: A acts on one factor after the other.
        total = torch.zeros(self.dim, self.dim, dtype=torch.float64)
        for i, factor in enumerate(self.factors):
            parts = [torch.eye(f.dim, dtype=torch.float64) for f in self.factors]
            parts[i] = factor._lie_matrix(A).contiguous()  # torch.kron refuses some transposed matrices
            total += reduce(torch.kron, parts)
        return total

    def _dual(self) -> Representation:
        return TensorProduct([factor.dual for factor in self.factors], group=self.group, symbol=self.symbol)

    def _same_structure(self, other: Representation) -> bool:
        return isinstance(other, TensorProduct) and self.factors == other.factors


class _Flattened(Representation):
    """ρ on one flat axis."""

    def __init__(self, rho: Representation) -> None:
        self.rho = rho
        self.group, self.axes = rho.group, (rho.dim,)
        self.is_signed_permutation = rho.is_signed_permutation
        self.name = f"flat({rho.name})"

    def _prepare(self, g: Any) -> Any:
        return self.rho._prepare(g)

    def _apply(self, prepared: Any, x: Tensor, start: int, lead: int) -> Tensor:
        return _apply_flat(self.rho, prepared, x, start, lead)

    def _lie_matrix(self, A: Any) -> Tensor:
        return self.rho._lie_matrix(A)

    def _dual(self) -> Representation:
        return _Flattened(self.rho.dual)

    def _same_structure(self, other: Representation) -> bool:
        return isinstance(other, _Flattened) and self.rho == other.rho


class _Pullback(Representation):
    """ρ of factor i, as a representation of the direct product."""

    def __init__(self, group: DirectProduct, i: int, rho: Representation) -> None:
        self.i, self.rho = i, rho
        self.group, self.axes = group, rho.axes
        self.is_signed_permutation = rho.is_signed_permutation
        self.name = rho.name

    def _prepare(self, g: Any) -> Any:
        return self.rho._prepare(g[self.i])

    def _apply(self, prepared: Any, x: Tensor, start: int, lead: int) -> Tensor:
        return self.rho._apply(prepared, x, start, lead)

    def _lie_matrix(self, A: Any) -> Tensor:
        if A[self.i] is None:
            return torch.zeros(self.dim, self.dim, dtype=torch.float64)
        return self.rho._lie_matrix(A[self.i])

    def _dual(self) -> Representation:
        return _Pullback(self.group, self.i, self.rho.dual)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"{self.name} of factor {self.i} of {self.group}"

    def _same_structure(self, other: Representation) -> bool:
        return isinstance(other, _Pullback) and self.i == other.i and self.rho == other.rho


# ---- constructors --------------------------------------------------------------------------------------------------

Constructor = TypeVar("Constructor", bound=Callable[..., Representation])


def by_construction(make: Constructor) -> Constructor:
    """Mark what a constructor makes as a representation that needs no check."""

    @wraps(make)
    def marked(*args: Any, **options: Any) -> Representation:
        rho = make(*args, **options)
        rho.is_checked = True
        return rho

    return cast("Constructor", marked)


@by_construction
def trivial(group: Group, dim: int = 1) -> Representation:
    """Every element leaves R^dim as it is; ``group.trivial(dim)``."""
    dim = _positive_integer("the dimension of a trivial representation", dim)
    name = "1" if dim == 1 else f"{dim}·1"
    return SignedPermutationRepresentation(
        group, (dim,), lambda g: torch.arange(dim).expand(*group.batch_shape(g), dim), name=name, built_as="trivial"
    )


@by_construction
def sign(group: Group) -> Representation:
    """R with x ↦ ±x; ``group.sign()``."""
    group._sign_of(group.identity)  # raises for a group without one
    return SignedPermutationRepresentation(
        group,
        (1,),
        lambda g: torch.zeros(*group.batch_shape(g), 1, dtype=torch.int64),
        lambda g: group._sign_of(g).unsqueeze(-1),
        name="sign",
    )


@by_construction
def defining(group: Group) -> Representation:
    """``group.defining()``."""
    if isinstance(group, _Images):
        return SignedPermutationRepresentation(group, (group.degree,), lambda g: g, built_as="defining")
    if isinstance(group, SignedPermutationGroup):
        return SignedPermutationRepresentation(group, (group.degree,), lambda g: g[0], lambda g: g[1])
    if isinstance(group, ReflectionGroup):
        return sign(group)
    if isinstance(group, CyclicGroup):
        return MatrixRepresentation(group, 2, lambda t: _rotation(t, group.n))
    if isinstance(group, DihedralGroup):
        flip = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))

        def matrix_of(g: tuple[Any, Any]) -> Tensor:
            rotation, m = _rotation(g[0], group.n), torch.as_tensor(g[1])[..., None, None]
            return torch.where(m == 1, rotation @ flip, rotation)

        return MatrixRepresentation(group, 2, matrix_of)
    if isinstance(group, _Matrices):
        what = f"an element of the Lie algebra of {group}"
        return MatrixRepresentation(group, group.n, lambda g: g, lambda A: _real_matrix(A, group.n, what))
    raise ValueError(
        f"{group} has no one defining representation; for a product use representations.outer, or pullback(i, rho)"
    )


@by_construction
def regular(group: Group) -> Representation:
    """``group.regular()``."""
    if isinstance(group, CyclicGroup):
        places = torch.arange(group.n)
        return SignedPermutationRepresentation(
            group, (group.n,), lambda t: (places + torch.as_tensor(t).unsqueeze(-1)) % group.n, built_as="regular"
        )
    members = list(group.elements())  # raises for an infinite group
    place = {group.key(g): i for i, g in enumerate(members)}

    def image_of(g: Any) -> Tensor:
        if group.key(g) not in place:
            raise ValueError(f"{_element_text(g)} is not an element of {group}")
        return torch.tensor([place[group.key(group.compose(g, h))] for h in members])

    return SignedPermutationRepresentation(group, (len(members),), _over_batch(group, image_of))


@by_construction
def on_vertices(group: DihedralGroup) -> Representation:
    """``group.on_vertices()``."""
    places = torch.arange(group.n)

    def image_of(g: tuple[Any, Any]) -> Tensor:
        k, m = (torch.as_tensor(part).unsqueeze(-1) for part in g)
        return (k + (1 - 2 * m) * places) % group.n

    return SignedPermutationRepresentation(group, (group.n,), image_of, name=f"{_space(group.n)} (vertices)")


@by_construction
def on_subsets(group: SymmetricGroup, k: int) -> Representation:
    """``group.on_subsets(k)``."""
    if isinstance(k, bool) or not isinstance(k, numbers.Integral) or not 0 <= k <= group.degree:
        raise ValueError(f"{group} acts on subsets of 0 to {group.degree} of its points, got k = {k!r}")
    subsets = torch.combinations(torch.arange(group.degree), k) if k else torch.zeros(1, 0, dtype=torch.int64)
    place = {tuple(s): i for i, s in enumerate(subsets.tolist())}

    def image_of(g: Tensor) -> Tensor:
        moved = g[subsets].sort(-1).values
        return torch.tensor([place[tuple(s)] for s in moved.tolist()])

    return SignedPermutationRepresentation(
        group, (len(subsets),), _over_batch(group, image_of), name=f"{_space(len(subsets))} ({k}-subsets)"
    )


@by_construction
def on_grid(group: CyclicGroup | DihedralGroup | ReflectionGroup, height: int, width: int) -> Representation:
    """``group.on_grid(height, width)``."""
    height, width = _positive_integer("the height of a grid", height), _positive_integer("the width of a grid", width)
    n = 1 if isinstance(group, ReflectionGroup) else group.n
    if n not in (1, 2, 4):
        raise ValueError(f"{group} does not map a square grid of pixels to itself; C_n and D_n with n = 1, 2, 4 do")
    if n == 4 and height != width:
        raise ValueError(f"a quarter turn needs a square image, got {height} × {width}")
    pixels = torch.arange(height * width).reshape(height, width)

    def image_of(g: Any) -> Tensor:
        if isinstance(group, ReflectionGroup):
            turns, mirrored = 0, g == -1
        elif isinstance(group, CyclicGroup):
            turns, mirrored = g, False
        else:
            turns, mirrored = g[0], g[1] == 1
        came_from = pixels.flip(1) if mirrored else pixels
        return _inverse_images(came_from.rot90(turns * 4 // n).flatten())

    return SignedPermutationRepresentation(
        group, (height, width), _over_batch(group, image_of), name=f"R^({height}×{width})"
    )


def pullback(group: DirectProduct, i: int, rho: Representation) -> Representation:
    """``group.pullback(i, rho)``."""
    if not isinstance(i, int) or not 0 <= i < len(group.factors):
        raise ValueError(f"{group} has factors 0 to {len(group.factors) - 1}, got {i!r}")
    if rho.group != group.factors[i]:
        raise ValueError(f"factor {i} of {group} is {group.factors[i]}, but this representation is {rho}")
    return _Pullback(group, i, rho)


def outer(*reps: Representation) -> Representation:
    """The outer product: the direct product of the groups acts, each group on its own axes.

    >>> S3, S4 = SymmetricGroup(3), SymmetricGroup(4)
    >>> table = outer(S3.defining(), S4.defining())
    >>> table, table.axes
    (R³ ⊠ R⁴ of S_3 × S_4, (3, 4))
    """
    if len(reps) < 2:
        raise ValueError("an outer product has at least two factors: outer(rho, sigma)")
    _require_type(*reps)
    group = DirectProduct(*(rho.group for rho in reps))
    return TensorProduct([_Pullback(group, i, rho) for i, rho in enumerate(reps)], symbol="⊠")


def from_generators(
    group: Group,
    indices: Sequence[Any] | None = None,
    signs: Sequence[Any] | None = None,
    matrices: Sequence[Any] | None = None,
    name: str | None = None,
) -> Representation:
    """The representation of a finite group that takes given values on ``group.generators``.

    Give ``indices``, one image array (dim,) for each generator (entry j goes to place ``indices[j]``), and with them
    ``signs`` (dim,), by which entry j is multiplied on the way; or ``matrices``, each (dim, dim). Other elements are written as words in
    the generators.

    Raises ``ValueError`` if the values do not fit together (ρ(gs) = ρ(g)ρ(s) is checked on all elements g of a small group, on a sample of
    a large one, with all generators s), naming the pair where they fail.

    >>> from eqcourse.groups import ReflectionGroup
    >>> reversal = from_generators(ReflectionGroup(), indices=[[3, 2, 1, 0]])
    >>> reversal.act(-1, torch.tensor([10, 20, 30, 40]))
    tensor([40, 30, 20, 10])
    >>> from_generators(CyclicGroup(3), indices=[[1, 0]])
    Traceback (most recent call last):
    ValueError: not a representation of C_3: ρ(g)ρ(s) differs from ρ(gs) at g = 2, s = 1
    """
    if not isinstance(group, Group):
        raise TypeError(f"from_generators takes a group, such as CyclicGroup(4), got {type(group).__name__}")
    if group.lie_algebra:
        raise ValueError(f"{group} is not generated by finitely many elements; give a MatrixRepresentation instead")
    given = indices if indices is not None else matrices
    if given is None or (indices is not None and matrices is not None) or (matrices is not None and signs is not None):
        raise ValueError("give either indices (with or without signs) or matrices, one for each generator")
    for values in (given, signs):
        if values is not None and len(values) != len(group.generators):
            raise ValueError(
                f"{group} has {len(group.generators)} generator(s), {list(group.generators)}; got {len(values)} value(s)"
            )
    rho = (
        _from_matrices(group, matrices, name)
        if matrices is not None
        else _from_signed_permutations(group, given, signs, name)
    )
    check_homomorphism(rho)
    rho.is_checked = True
    return rho


def _require_own_values(group: Group, is_own: Callable[[int, Any], bool]) -> None:
    """Raise unless each generator, written as a word in the generators, has the value that it was given.

    It need not be written as itself: S_N sorts it into swaps of neighbours.
    """
    for number, s in enumerate(group.generators):
        if not is_own(number, s):
            raise ValueError(
                f"not a representation of {group}: generator {number}, {_element_text(s)}, is also a product of generators, and the "
                "product of their values is not the value given for it"
            )


def _from_matrices(group: Group, matrices: Sequence[Any], name: str | None) -> Representation:
    dim = _length(matrices[0], f"give a list of matrices, one for each generator of {group}")
    values = [_real_matrix(m, dim, f"the value of generator {number}") for number, m in enumerate(matrices)]
    if any(m.ndim > 2 for m in values):
        raise ValueError("each generator has one matrix; one of these is a batch of them")
    if not all(bool(torch.linalg.matrix_rank(m) == dim) for m in values):
        raise ValueError(f"each generator of {group} acts by an invertible matrix; one of these is singular")
    eye = torch.eye(dim, dtype=torch.float64)

    def matrix_of(g: Any) -> Tensor:
        factors = [torch.linalg.matrix_power(values[number], power) for number, power in group.word(g)]
        return reduce(torch.matmul, factors, eye)

    _require_own_values(group, lambda number, s: torch.allclose(matrix_of(s), values[number], rtol=1e-8, atol=1e-8))
    return MatrixRepresentation(group, dim, _over_batch(group, matrix_of), name=name)


def _from_signed_permutations(
    group: Group, indices: Sequence[Any], signs: Sequence[Any] | None, name: str | None
) -> Representation:
    # Signed permutations of dim things form a group themselves: evaluate each word in it.
    target = SignedPermutationGroup(_length(indices[0], f"give a list of arrays, one for each generator of {group}"))
    ones = [[1] * target.degree] * len(indices)
    values = []
    for number, pair in enumerate(zip(indices, ones if signs is None else signs, strict=True)):
        try:
            values.append(target.convert(pair))
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"the value of generator {number} of {group} is no signed permutation of {target.degree} entries: {error}"
            ) from error

    # Images and signs of one element are asked for one after the other, and a check comes back to each element.
    @lru_cache(maxsize=1024)
    def value_of_word(word: tuple[tuple[int, int], ...]) -> tuple[Tensor, Tensor]:
        total = target.identity
        for number, power in word:
            base = values[number] if power > 0 else target.inverse(values[number])
            for bit in bin(abs(power))[:1:-1]:  # powers by repeated squaring
                if bit == "1":
                    total = target.compose(total, base)
                base = target.compose(base, base)
        return total

    def value_of(g: Any) -> tuple[Tensor, Tensor]:
        return value_of_word(tuple(group.word(g)))

    _require_own_values(group, lambda number, s: all(map(torch.equal, value_of(s), values[number])))
    return SignedPermutationRepresentation(
        group,
        (target.degree,),
        _over_batch(group, lambda g: value_of(g)[0]),
        None if signs is None else _over_batch(group, lambda g: value_of(g)[1]),
        name,
    )


def check_homomorphism(rho: Representation, seed: int = 0) -> str:
    """Check ρ(1) = 1 and ρ(gs) = ρ(g)ρ(s) for generators s, and say for which g it was checked.

    All g for groups of at most 2,000 elements, 50 sampled g for larger ones; for infinite ones s is also a sampled element. For a Lie
    algebra with basis A, B, … and dim at most 256 also dρ([A, B]) = [dρ(A), dρ(B)] and ρ(exp(A)) = exp(dρ(A)). Raises ``ValueError`` that
    names the failing pair.

    >>> check_homomorphism(SymmetricGroup(4).defining())
    'all 24 elements × 2 generators'
    """
    for leaf in leaves(rho):
        if not leaf.is_checked:
            _require_values(leaf)
    return _check(rho, MAX_CHECKED, 50, seed)


def _check(rho: Representation, listed: int, sampled: int, seed: int = 0) -> str:
    """``check_homomorphism`` on all elements of groups of at most ``listed``, otherwise on so many samples."""
    group = rho.group
    test_vectors = torch.randn(3, *rho.axes, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

    def require_equal(left: Tensor, right: Tensor, what: str) -> None:
        off = (left - right).abs().max().item() if left.numel() else 0.0
        size = max(1.0, right.abs().max().item())
        if not off <= 1e-8 * size:
            close = f" by {off:.0e}. Are its matrices accurate to float64?" if off < 1e-4 * size else ""
            raise ValueError(f"not a representation of {group}: {what}{close}")

    require_equal(rho.act(group.identity, test_vectors), test_vectors, "ρ(identity) differs from the identity")
    # Sampled elements come from one seed, so that a failure can be repeated.
    source = torch.Generator().manual_seed(seed)
    members, steps, how = _factors_to_try(group, source, listed, sampled)
    for g, s in itertools.product(members, steps):
        product = group.compose(g, s)
        require_equal(
            rho.act(product, test_vectors),
            rho.act(g, rho.act(s, test_vectors)),
            f"ρ(g)ρ(s) differs from ρ(gs) at g = {_element_text(g)}, s = {_element_text(s)}",
        )
    algebra = bool(group.lie_algebra) and rho.dim <= MAX_CHECKED_MATRIX
    if algebra:
        for A, B in itertools.combinations_with_replacement(group.lie_algebra, 2):
            a, b = rho.lie_matrix(A), rho.lie_matrix(B)
            what = f"dρ([A, B]) differs from [dρ(A), dρ(B)] at A = {_element_text(A)}, B = {_element_text(B)}"
            require_equal(rho.lie_matrix(_bracket(A, B)), a @ b - b @ a, what)
        # Two steps whose ratio is irrational: at one alone, dρ(A) could turn too fast by whole turns.
        for A, step in itertools.product(group.lie_algebra, (1.0, math.sqrt(0.5))):
            require_equal(
                rho.matrix(group.exp(_scaled(A, step))),
                torch.linalg.matrix_exp(step * rho.lie_matrix(A)),
                f"ρ(exp(A)) differs from exp(dρ(A)) at A = {_element_text(_scaled(A, step))}",
            )
    return f"{how}{', and the Lie algebra' if algebra else ''}"


def leaves(rho: Representation) -> Iterator[Representation]:
    """The representations that a sum, product or pullback is built of, each object once.

    >>> V = SymmetricGroup(3).defining()
    >>> list(leaves(V * V + V.group.sign()))
    [R³ of S_3, sign of S_3]
    """
    seen: set[int] = set()
    waiting = [rho]
    while waiting:
        part = waiting.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, DirectSum):
            waiting = [*part.terms, *waiting]
        elif isinstance(part, TensorProduct):
            waiting = [*part.factors, *waiting]
        elif isinstance(part, (_Flattened, _Pullback)):
            waiting = [part.rho, *waiting]
        else:
            yield part


def require_representation(rho: Any, name: str = "rho") -> None:
    """Raise unless ``rho`` is a representation, by real, finite matrices: what solvers ask, as their equations do not say.

    What the library has built is known to be one. Anything else is checked when it is first met, as by ``check_homomorphism`` but on
    fewer elements: all of a group of at most 60, otherwise 24 samples. Raises ``TypeError`` for what is no representation, and for
    matrices that are no real floating-point tensors; ``ValueError`` for a wrong shape, NaN or infinity, and where ρ(gs) = ρ(g)ρ(s) fails
    (it names g and s).

    >>> wrong = MatrixRepresentation(CyclicGroup(3), 2, CyclicGroup(4).defining().matrix)
    >>> require_representation(wrong)
    Traceback (most recent call last):
    ValueError: not a representation of C_3: ρ(g)ρ(s) differs from ρ(gs) at g = 2, s = 1
    """
    _require_type(rho, name=name)
    for leaf in leaves(rho):
        if not leaf.is_checked:
            _require_values(leaf)
            _check(leaf, TRIED, TRIED_SAMPLES)
            leaf.is_checked = True


def _require_type(*reps: Any, name: str = "a term or factor") -> None:
    for rho in reps:
        if not isinstance(rho, Representation):
            hint = (
                f": for a group write its representation, such as {rho!r}.defining()" if isinstance(rho, Group) else ""
            )
            raise TypeError(f"{name} is a representation, such as SO(3).defining(), got {type(rho).__name__}{hint}")


def _require_constructor(rho: Representation, group: Any, **functions: Any) -> None:
    who = type(rho).__name__
    if not isinstance(group, Group):
        raise TypeError(f"{who} takes a group, such as CyclicGroup(4), got {type(group).__name__}")
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{who} takes a function {name} of a group element, got {type(function).__name__}")


def _require_values(leaf: Representation) -> None:
    """Raise unless the functions that were given return what they should, for the identity, generators and Lie algebra."""
    group = leaf.group
    for g in map(group.convert, (group.identity, *group.generators)):
        if isinstance(leaf, SignedPermutationRepresentation):
            _require_signed_permutation(leaf, g)
        elif isinstance(leaf, MatrixRepresentation):
            _require_finite(leaf, f"g = {_element_text(g)}", leaf._prepare(g))
    if isinstance(leaf, MatrixRepresentation):
        for A in group.lie_algebra:
            _require_finite(leaf, f"A = {_element_text(A)} of the Lie algebra", leaf._lie_matrix(A))


def _require_finite(leaf: Representation, what: str, matrix: Tensor) -> None:
    if not bool(torch.isfinite(matrix).all()):
        raise ValueError(f"{leaf} gives for {what} a matrix with NaN or infinity")


def _require_matrix(rho: Representation, matrix: Any, batch: tuple[int, ...], what: str, g: Any) -> None:
    """Raise unless ρ was given a real floating-point tensor (\\*batch, dim, dim) for g."""
    shape = (*batch, rho.dim, rho.dim)
    if isinstance(matrix, Tensor) and matrix.is_floating_point() and tuple(matrix.shape) == shape:
        return
    gives = f"{rho} gives for {what} = {_element_text(g)}"
    kind = f"a tensor of {matrix.dtype}" if isinstance(matrix, Tensor) else f"a value of type {type(matrix).__name__}"
    if isinstance(matrix, Tensor) and matrix.is_complex():
        raise TypeError(
            f"{gives} a complex matrix, {kind}: write a complex number a + ib as the real 2×2 block [[a, −b], [b, a]]"
        )
    if not isinstance(matrix, Tensor) or not matrix.is_floating_point():
        raise TypeError(f"{gives} {kind}, expected a float64 tensor: torch.as_tensor(matrix, dtype=torch.float64)")
    of = f", a batch of shape {batch}," if batch else ""
    raise ValueError(f"{gives}{of} a matrix of shape {tuple(matrix.shape)}, expected {shape}")


def _require_integers(leaf: Representation, values: Any, g: Any) -> None:
    """Raise unless images, or signs, are an int64 tensor (\\*batch, dim)."""
    shape = (*leaf.group.batch_shape(g), leaf.dim)
    if isinstance(values, Tensor) and values.dtype == torch.int64 and tuple(values.shape) == shape:
        return
    kind = f"a tensor of {values.dtype}" if isinstance(values, Tensor) else f"a value of type {type(values).__name__}"
    what = f"{kind} and shape {tuple(values.shape)}" if isinstance(values, Tensor) else kind
    raise TypeError(
        f"{leaf} gives as images or signs for g = {_element_text(g)} {what}, expected int64 of shape {shape}"
    )


def _require_signed_permutation(leaf: SignedPermutationRepresentation, g: Any) -> None:
    image, signs = leaf._values(g)
    try:
        SignedPermutationGroup(leaf.dim).convert((image, torch.ones_like(image) if signs is None else signs))
    except ValueError as error:
        raise ValueError(
            f"{leaf} gives for g = {_element_text(g)} no signed permutation of its {leaf.dim} entries: {error}"
        ) from error


# ---- helpers -------------------------------------------------------------------------------------------------------


def _factors_to_try(
    group: Group, source: torch.Generator, listed: int, sampled: int
) -> tuple[list[Any], list[Any], str]:
    """Elements g and s on which to try the law of a homomorphism, ρ(gs) = ρ(g)ρ(s), and both in words.

    g: all elements of a group of at most ``listed``, otherwise ``sampled`` ones; s: the generators.
    """
    small = group.order <= listed
    members = list(group.elements()) if small else [group.sample(source) for _ in range(sampled)]
    steps = list(group.generators)
    count = len(steps)
    factors = [f"{count} generator{'s' if count != 1 else ''}"] if count else []
    if group.order == math.inf:
        # An infinite group may have no generators but its Lie algebra: take an element at random too.
        steps.append(group.sample(source))
        factors.append("1 sampled element")
    how = f"all {len(members)} elements" if small else f"{len(members)} sampled elements"
    return members, steps, f"{how} × {' and '.join(factors)}"


def _aligned(values: Tensor, x: Tensor, start: int, lead: int) -> Tensor:
    """Values (\\*b, n) with axes of size 1 put in, so that b meets x's first axes and n meets axis ``start``."""
    return values.reshape(*values.shape[:-1], *[1] * (start - lead), values.shape[-1], *[1] * (x.ndim - start - 1))


def _apply_flat(rho: Representation, prepared: Any, x: Tensor, start: int, lead: int) -> Tensor:
    """Act by ρ on one flat axis of x."""
    shape = x.shape
    x = x.reshape((*shape[:start], *rho.axes, *shape[start + 1 :]))
    return rho._apply(prepared, x, start, lead).reshape(shape)


def _over_batch(group: Group, of_one: Callable[[Any], Tensor]) -> Callable[[Any], Tensor]:
    """Extend a function of one element to batches of elements, one by one."""

    def of_any(g: Any) -> Tensor:
        lead = group.batch_shape(g)
        if not lead:
            return of_one(g)
        results = torch.stack([of_one(_pick(g, place)) for place in itertools.product(*map(range, lead))])
        return results.reshape(*lead, *results.shape[1:])

    return of_any


def _pick(g: Any, place: tuple[int, ...]) -> Any:
    """One element out of a batch."""
    if isinstance(g, tuple):
        return tuple(_pick(part, place) for part in g)
    part = g[place]
    return int(part) if part.ndim == 0 else part


def _common_group(reps: Sequence[Representation], done: str, advice: str) -> Group:
    if not reps:
        raise ValueError("a sum or product needs at least one representation")
    _require_type(*reps)
    for rho in reps[1:]:
        if rho.group != reps[0].group:
            raise ValueError(f"representations of different groups cannot be {done}: {reps[0]} and {rho}. {advice}")
    return reps[0].group


def _rotation(t: Any, n: int) -> Tensor:
    """The rotation of the plane by t/n of a full turn; exact where sine and cosine are 0 or ±1."""
    t = torch.as_tensor(t)
    angle = 2 * math.pi * t.double() / n
    c, s = (torch.where(4 * t % n == 0, value.round(), value) + 0.0 for value in (angle.cos(), angle.sin()))
    return torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)


def _space(dim: int) -> str:
    return "R" + str(dim).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _grouped(name: str) -> str:
    return f"({name})" if " " in name else name


def _bracketed(rho: Representation) -> str:
    return f"({rho.name})" if "⊕" in rho.name and not isinstance(rho, _Flattened) else rho.name


def _scaled(A: Any, step: float) -> Any:
    """step · A; in a product part by part, where None stands for zero."""
    if isinstance(A, tuple):
        return tuple(None if part is None else _scaled(part, step) for part in A)
    return step * A


def _bracket(A: Any, B: Any) -> Any:
    """[A, B]; in a product part by part, where None stands for zero."""
    if A is None or B is None:
        return None
    if isinstance(A, tuple):
        return tuple(_bracket(a, b) for a, b in zip(A, B, strict=True))
    return A @ B - B @ A


def _element_text(g: Any) -> str:
    """A group element in one short line, for messages."""
    if isinstance(g, Tensor):
        if g.is_floating_point():
            g = torch.round(g, decimals=4) + 0.0
        text = str(g.tolist())
        return text if len(text) <= 120 else text[:117] + "…"
    if isinstance(g, tuple):
        return "(" + ", ".join(_element_text(part) for part in g) + ")"
    return str(g)
