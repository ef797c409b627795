"""Types of layers: what acts on a layer's input and output.

A type is a representation of one group, or a *family* of them where a layer's weights do not depend on the sizes: ``Order(k)`` for tensors
whose k axes S_N permutes alike, ``Table(m)`` for arrays whose m axes are permuted independently, ``Grid(d)`` for d-dimensional periodic
signals that are shifted. ``family.at(*sizes)`` is the representation at given sizes.

>>> Order(2).at(5), Table(2).at(3, 4), Grid(1).at(8)
(R⁵ ⊗ R⁵ of S_5, R³ ⊠ R⁴ of S_3 × S_4, R⁸ of C_8)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..groups import CyclicGroup, DirectProduct, Group, SymmetricGroup
from ..representations import Representation, outer

__all__ = ["Family", "Grid", "Order", "Table", "Type", "num_axes", "same_type"]


class Family(ABC):
    """One representation for each choice of sizes."""

    #: How many axes an array of this type has.
    num_axes: int

    @abstractmethod
    def at(self, *sizes: int) -> Representation:
        """The representation at these sizes. Raises ``ValueError`` for a wrong number of sizes."""

    @abstractmethod
    def _sizes(self, group: Group) -> tuple[int, ...] | None:
        """The sizes at which ``group`` acts on this family, None if it is another kind of group."""

    def contains(self, rho: Representation) -> bool:
        """Whether ρ is this family's representation at some sizes.

        >>> V = SymmetricGroup(5).defining()
        >>> Order(2).contains(V * V), Order(1).contains(V * V)
        (True, False)
        """
        sizes = self._sizes(rho.group)
        return sizes is not None and rho == self.at(*sizes)

    def _check(self, sizes: tuple[int, ...], expected: int) -> None:
        if len(sizes) != expected:
            raise ValueError(f"{self} takes {expected} size(s), got {sizes}")


@dataclass(frozen=True)
class Order(Family):
    """Tensors with k axes of one length N; S_N permutes all axes alike. ``Order(1)`` are sets, ``Order(0)`` single invariant numbers."""

    k: int

    def __post_init__(self) -> None:
        _require(self.k, 0, "the order of a tensor")

    @property
    def num_axes(self) -> int:  # type: ignore[override]
        """k."""
        return self.k

    def at(self, *sizes: int) -> Representation:
        """``SymmetricGroup(N).defining() ** k``."""
        self._check(sizes, 1)
        return SymmetricGroup(sizes[0]).defining() ** self.k

    def _sizes(self, group: Group) -> tuple[int, ...] | None:
        return (group.degree,) if isinstance(group, SymmetricGroup) else None


@dataclass(frozen=True)
class Table(Family):
    """Arrays with m axes; S_{N_1} × … × S_{N_m} permutes each axis on its own (exchangeable arrays)."""

    m: int

    def __post_init__(self) -> None:
        _require(self.m, 1, "the number of a table's axes")

    @property
    def num_axes(self) -> int:  # type: ignore[override]
        """m."""
        return self.m

    def at(self, *sizes: int) -> Representation:
        """``outer`` of the permutation representations of the axes."""
        self._check(sizes, self.m)
        factors = [SymmetricGroup(n).defining() for n in sizes]
        return factors[0] if self.m == 1 else outer(*factors)

    def _sizes(self, group: Group) -> tuple[int, ...] | None:
        return _degrees(group, SymmetricGroup, self.m)


@dataclass(frozen=True)
class Grid(Family):
    """Periodic signals (d = 1) or images (d = 2); C_{N_1} × … × C_{N_d} shifts each axis."""

    d: int

    def __post_init__(self) -> None:
        _require(self.d, 1, "the number of a grid's axes")

    @property
    def num_axes(self) -> int:  # type: ignore[override]
        """d."""
        return self.d

    def at(self, *sizes: int) -> Representation:
        """``outer`` of the regular representations of the axes."""
        self._check(sizes, self.d)
        factors = [CyclicGroup(n).regular() for n in sizes]
        return factors[0] if self.d == 1 else outer(*factors)

    def _sizes(self, group: Group) -> tuple[int, ...] | None:
        return _degrees(group, CyclicGroup, self.d)


Type = Representation | Family


def num_axes(type_: Type) -> int:
    """How many axes follow batch and channels in an array of this type.

    >>> num_axes(Order(2)), num_axes(SymmetricGroup(4).trivial())
    (2, 1)
    """
    return type_.num_axes if isinstance(type_, Family) else len(type_.axes)


def same_type(one: Type, other: Type) -> bool:
    """Whether the output of a layer of the one type may go into a layer of the other.

    A family fits a representation that it contains. ``Table(1)`` and ``Order(1)`` are the same: one axis, permuted.

    >>> same_type(Order(1), Table(1)), same_type(Order(1), Order(2)), same_type(Order(1), SymmetricGroup(4).defining())
    (True, False, True)
    """
    one, other = (Order(1) if t == Table(1) else t for t in (one, other))
    if isinstance(one, Family) and isinstance(other, Representation):
        return one.contains(other)
    if isinstance(one, Representation) and isinstance(other, Family):
        return other.contains(one)
    return one == other


def _require(number: object, least: int, what: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{what} is an integer of at least {least}, got {number!r}")


def _degrees(group: Group, kind: type[SymmetricGroup] | type[CyclicGroup], number: int) -> tuple[int, ...] | None:
    """The sizes of a product of ``number`` groups of one kind, None for another group."""
    factors = group.factors if isinstance(group, DirectProduct) else (group,)
    if len(factors) != number:
        return None
    sizes = [f.n if isinstance(f, CyclicGroup) else f.degree for f in factors if isinstance(f, kind)]
    return tuple(sizes) if len(sizes) == number else None
