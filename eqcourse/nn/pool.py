"""Invariant pooling: a sum, a mean or a maximum over each orbit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..representations import Representation
from ..solvers import intertwiners
from .base import TypedLayer, check_mask, check_type
from .nonlinear import action_on_entries
from .types import Family, Grid, Order, Table, Type

__all__ = ["InvariantPool"]

REDUCTIONS = ("sum", "mean", "max")


class InvariantPool(TypedLayer):
    """Sum, mean or maximum over the entries that the group moves into each other: what remains is invariant.

    For a permutation representation ρ, x is (batch, channels, \\*ρ.axes) and y is (batch, channels, number of orbits), orbits numbered by
    their first entry. For the families on which one orbit holds all entries, ``Order(1)``, ``Table(m)`` and ``Grid(d)``, sizes are free and
    y is (batch, channels), of type ``Order(0)``. Any number of channels.

    A mask (batch, \\*axes), True where an entry is real, leaves the others out: neither the result nor a gradient depends on what stands
    there, NaN included. The sum over no entries is 0. The maximum's gradient is shared equally by all entries that reach it.

    Raises ``TypeError`` for a representation with signs or matrices, ``ValueError`` for another family or ``reduce``, and for the mean or
    maximum of an orbit without real entries. Source: Zaheer et al. 2017, "Deep sets", theorem 2.

    >>> pool = InvariantPool(Order(1), "mean")
    >>> pool(torch.tensor([[[1.0, 2.0, 6.0]]])), pool(torch.tensor([[[1.0, 3.0]]]))
    (tensor([[3.]]), tensor([[2.]]))
    >>> trace_and_rest = InvariantPool(Order(2).at(3), "sum")
    >>> trace_and_rest, trace_and_rest(torch.ones(1, 1, 3, 3))
    (InvariantPool(R³ ⊗ R³ of S_3, sum, 2 orbits), tensor([[[3., 6.]]]))
    """

    def __init__(self, type: Type, reduce: str = "sum", *, device: Any = None) -> None:
        super().__init__()
        if reduce not in REDUCTIONS:
            raise ValueError(f'reduce is "sum", "mean" or "max", got {reduce!r}')
        check_type(type, "InvariantPool")
        self.in_type, self.reduce = type, reduce
        if isinstance(type, Family):
            _check_one_orbit(type)
            self.out_type = Order(0)
            self.orbits: Orbits | None = None
        else:
            _check_permutation(type)
            self.orbits = Orbits(type, device)
            self.out_type = type.group.trivial(len(self.orbits))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, channels, \\*axes) -> (batch, channels, number of orbits), or (batch, channels) for a family."""
        self.check_input(x)
        entries = x.flatten(2)
        if mask is None:
            if self.reduce != "sum" and entries.shape[2] == 0:
                raise ValueError(
                    f"the {self.reduce} over an empty set is not defined: {self._who} got {tuple(x.shape)}"
                )
            return self._over_orbits(entries, self.reduce)
        check_mask(mask, x, axes=x.ndim - 2)
        real = mask.flatten(1).unsqueeze(1)  # (batch, 1, entries)
        count = self._over_orbits(real, "sum")  # (batch, 1, orbits)
        if self.reduce != "sum":
            self._check_not_empty(count)
        # Filled in, not multiplied by 0: 0 · NaN is NaN.
        if self.reduce == "max":
            return self._over_orbits(entries.masked_fill(~real, -torch.inf), "max")
        total = self._over_orbits(entries.masked_fill(~real, 0.0), "sum")
        return total / count if self.reduce == "mean" else total

    def _over_orbits(self, entries: Tensor, reduce: str) -> Tensor:
        """(batch, channels, entries) -> (batch, channels, orbits), without the last axis for a family."""
        return _over_last(entries, reduce) if self.orbits is None else self.orbits(entries, reduce)

    def _check_not_empty(self, count: Tensor) -> None:
        """Raise if an orbit has no real entry; ``count`` is (batch, 1, orbits), or (batch, 1) for a family."""
        empty = (count == 0).flatten(1)
        if not bool(empty.any()):
            return
        row, orbit = empty.nonzero()[0].tolist()
        where = "" if self.orbits is None else f" in orbit {orbit}, that of entry {self.orbits.first_entry(orbit)}"
        raise ValueError(
            f"the {self.reduce} over no entries is not defined: row {row} of the mask has no real entry{where}. "
            'Leave such rows out, or take reduce="sum", which gives 0'
        )

    def extra_repr(self) -> str:
        if self.orbits is None:
            return f"{self.in_type}, {self.reduce}"
        orbits = f"{len(self.orbits)} orbit{'s' if len(self.orbits) != 1 else ''}"
        return f"{self.in_type}, {self.reduce}, {orbits}"


class Orbits(torch.nn.Module):
    """Reduces each orbit of a permutation representation. Orbits of equal size are stacked and reduced together."""

    by_size: Tensor
    back: Tensor

    def __init__(self, rho: Representation, device: Any = None) -> None:
        super().__init__()
        # An invariant vector has one value on each orbit: the pattern of 1 → ρ holds the orbits' numbers.
        number = intertwiners(rho.group.trivial(), rho).pattern.flatten().long()
        self.axes = rho.axes
        sizes = number.bincount()
        order = sizes.argsort(stable=True)  # orbits, small ones first
        #: (size, how many orbits have it), small ones first.
        self.sizes = [(int(s), int(c)) for s, c in zip(*sizes.unique(return_counts=True), strict=True)]
        self.first = [int(entry) for entry in _first_appearances(number, len(sizes))]
        # All entries, orbit by orbit, and where each orbit's result then stands.
        self.register_buffer("by_size", order.argsort()[number].argsort(stable=True).to(device), persistent=False)
        self.register_buffer("back", order.argsort().to(device), persistent=False)

    def __len__(self) -> int:
        return len(self.first)

    def first_entry(self, orbit: int) -> tuple[int, ...]:
        """The orbit's first entry, as an index of the array."""
        return tuple(int(i) for i in torch.unravel_index(torch.tensor(self.first[orbit]), self.axes))

    def forward(self, entries: Tensor, reduce: str) -> Tensor:
        """(..., entries) -> (..., orbits)."""
        pieces = entries.index_select(-1, self.by_size).split([size * count for size, count in self.sizes], dim=-1)
        pooled = [
            _over_last(piece.unflatten(-1, (count, size)), reduce)
            for piece, (size, count) in zip(pieces, self.sizes, strict=True)
        ]
        return torch.cat(pooled, dim=-1).index_select(-1, self.back)


def _over_last(entries: Tensor, reduce: str) -> Tensor:
    """The sum, mean or maximum over the last axis."""
    if reduce == "sum":
        return entries.sum(-1)
    return entries.mean(-1) if reduce == "mean" else entries.amax(-1)


def _first_appearances(number: Tensor, count: int) -> Tensor:
    """For each orbit the first entry that has its number."""
    entries = torch.arange(len(number))
    return torch.full((count,), len(number)).scatter_reduce(0, number, entries, "amin")


def _check_one_orbit(family: Family) -> None:
    if isinstance(family, Table | Grid) or family == Order(1):
        return
    if family == Order(0):
        raise ValueError("Order(0) is one invariant number: there is nothing to pool")
    raise ValueError(
        f"InvariantPool takes the families with one orbit, Order(1), Table(m) and Grid(d), and {family} has several: "
        f"pool at one size, InvariantPool({family}.at(N)), or use TensorLinear({getattr(family, 'k', 'k')}, 0, …), which fits all sizes"
    )


def _check_permutation(rho: Representation) -> None:
    """Raise ``TypeError`` unless ρ permutes entries and flips no signs."""
    if not rho.is_signed_permutation:
        raise TypeError(
            f"InvariantPool takes permutation representations, and {rho} acts by matrices, under which sums and maxima over entries are "
            "not invariant. Invariants gives invariant numbers, NormNonlinearity keeps vectors and uses their lengths"
        )
    if action_on_entries(rho) == "flips":
        raise TypeError(
            f"InvariantPool takes permutation representations, and {rho} flips signs, under which sums and maxima over entries are not "
            "invariant. EquivariantLinear(rho, rho.group.trivial(), …) gives what is linear and invariant, Invariants and "
            "NormNonlinearity use squares and lengths"
        )
