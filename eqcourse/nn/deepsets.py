"""Deep Sets: an invariant network on sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..groups import as_generator
from .base import TypedLayer, check_channels, check_mask
from .nonlinear import Pointwise
from .pool import InvariantPool
from .sequential import EquivariantSequential
from .tensors import TensorLinear
from .types import Order

__all__ = ["DeepSets"]


class DeepSets(TypedLayer):
    """f(X) = ρ(pool of φ(x) over the items x of X): one network φ for each item, one ρ for what all items have in common.

    x is (batch, in_channels, N) with any N, y is (batch, out_channels). ``phi`` sees one item at a time and never the others: linear
    layers to ``hidden`` channels, each followed by ReLU. ``pool`` is "sum", "mean" or "max". ``rho`` works on the pooled channels: linear
    layers to the same ``hidden`` channels, each followed by ReLU, and one more to ``out_channels``. The order of the items does not
    matter, because it does not matter to the pool. Only "sum" can count: a mean stays as it is when each item is repeated, a maximum
    when any one is.

    A mask (batch, N), True where an item is real, leaves padding out: neither the result nor a gradient depends on what stands there, NaN
    included. For items that see each other before they are pooled, chain ``SetLinear`` or ``SetAttention`` layers and an ``InvariantPool``.

    Raises ``ValueError`` for channels below 1, no hidden layer, and for the mean or maximum over no items, saying in which row; the sum
    over no items is 0. Source: Zaheer et al. 2017, "Deep sets", theorem 2 and figure 1 (left).

    >>> model = DeepSets(3, 1, hidden=16, generator=0)
    >>> model
    DeepSets(3 → 1 channels, hidden 16, mean)
    >>> model.phi.out_channels, model.rho.in_channels
    (16, 16)
    >>> x = torch.randn(5, 3, 7, generator=torch.Generator().manual_seed(0))
    >>> model(x).shape, torch.allclose(model(x.flip(2)), model(x))
    (torch.Size([5, 1]), True)
    """

    in_channels: int
    out_channels: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int | Sequence[int] = (64, 64),
        pool: str = "mean",
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        self.hidden = _widths(hidden)
        check_channels(in_channels=in_channels, out_channels=out_channels)
        self.in_type, self.out_type = Order(1), Order(0)
        self.in_channels, self.out_channels = in_channels, out_channels
        # One stream for all layers: a seed given to each would draw the same numbers again.
        source = None if generator is None else as_generator(generator)
        options: dict[str, Any] = {"generator": source, "dtype": dtype, "device": device}
        last = self.hidden[-1]
        # A single item is a tensor of order 0, and so are the pooled channels.
        self.phi = EquivariantSequential(*_hidden_layers(in_channels, self.hidden, options))
        self.pool = InvariantPool(Order(1), pool)
        self.rho = EquivariantSequential(
            *_hidden_layers(last, self.hidden, options), TensorLinear(0, 0, last, out_channels, **options)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, in_channels, N) -> (batch, out_channels)."""
        self.check_input(x, self.phi[0].weight)
        if mask is not None:
            check_mask(mask, x, axes=1)
            # Cleared before φ: behind it, NaN would still reach the gradients of φ's weights.
            x = x.masked_fill(~mask.unsqueeze(1), 0.0)
        return self.rho(self.pool(self.each_item(x), mask))

    def each_item(self, x: Tensor) -> Tensor:
        """φ of each item: (batch, in_channels, N) -> (batch, hidden, N)."""
        batch, _, n = x.shape
        items = x.transpose(1, 2).flatten(0, 1)  # (batch · N, in_channels): items of all sets side by side
        return self.phi(items).unflatten(0, (batch, n)).transpose(1, 2)

    def extra_repr(self) -> str:
        hidden = ", ".join(map(str, self.hidden))
        return f"{self.in_channels} → {self.out_channels} channels, hidden {hidden}, {self.pool.reduce}"


def _hidden_layers(channels: int, hidden: Sequence[int], options: dict[str, Any]) -> list[TypedLayer]:
    """Linear layers to these numbers of channels, each followed by ReLU."""
    layers: list[TypedLayer] = []
    for width in hidden:
        layers += [TensorLinear(0, 0, channels, width, **options), Pointwise(torch.relu)]
        channels = width
    return layers


def _widths(hidden: Any) -> tuple[int, ...]:
    """The hidden layers' numbers of channels."""
    widths = tuple(hidden) if isinstance(hidden, list | tuple) else (hidden,)
    if not widths:
        raise ValueError(
            "DeepSets has at least one hidden layer: hidden is a number of channels or a sequence of them, got none"
        )
    for width in widths:
        check_channels(hidden=width)
    return widths
