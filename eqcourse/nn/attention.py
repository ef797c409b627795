"""Self-attention between the items of a set."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention

from ..groups import as_generator
from .base import TypedLayer, check_channels, check_mask, random_normal
from .types import Order

__all__ = ["SetAttention"]


class SetAttention(TypedLayer):
    """Multi-head self-attention without positions: each item looks at all items, and none knows its place.

    x is (batch, channels, N) and so is y. For each head, item i has a query q_i, a key k_i and a value v_i, linear in x_i, with
    d = channels / heads entries each; it receives Σ_j p_ij v_j with p_ij = softmax_j(q_i · k_j / √d). The heads' results, side by side, are
    mixed by ``output``. All four projections are (channels, channels), without bias. Permuting the items permutes the result, since each
    item is treated alike; adding a code for each position would break that. Not linear in x.

    A mask (batch, N), True where an item is real: padding is never attended to and comes out as 0, and neither the result nor a gradient
    depends on what stands there, NaN included.

    Weights start normal with variance 1 / channels. For independent inputs of mean 0 and variance 1, queries, keys, values and the
    products q_i · k_j / √d then have mean 0 and variance 1, and an output has on average over value and output weights the mean
    square of the items' average Σ_j p_ij x_j: 1 for N = 1, and as little as 1/N where item i attends to N items equally.

    Raises ``ValueError`` if heads do not divide channels, for an empty set and a fully masked row. Sources: Vaswani et al. 2017, "Attention
    is all you need", equation 1 and section 3.2.2; Lee et al. 2019, "Set transformer", section 3.1.

    >>> layer = SetAttention(8, heads=2, generator=0)
    >>> layer
    SetAttention(8 channels, 2 heads)
    >>> x = torch.randn(1, 8, 5, generator=torch.Generator().manual_seed(0))
    >>> torch.allclose(layer(x.flip(2)), layer(x).flip(2), atol=1e-6)
    True
    """

    in_channels: int
    out_channels: int

    def __init__(
        self,
        channels: int,
        heads: int = 1,
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(channels=channels, heads=heads)
        if channels % heads:
            raise ValueError(
                f"each head takes the same number of channels: {channels} channels, {heads} heads do not fit"
            )
        self.in_type = self.out_type = Order(1)
        self.in_channels = self.out_channels = channels
        self.heads = heads
        # One stream for all four: a seed given to each would draw the same numbers.
        source = None if generator is None else as_generator(generator)
        shape, std = (channels, channels), channels**-0.5
        self.query = random_normal(shape, std, source, dtype, device)
        self.key = random_normal(shape, std, source, dtype, device)
        self.value = random_normal(shape, std, source, dtype, device)
        self.output = random_normal(shape, std, source, dtype, device)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, channels, N) -> (batch, channels, N)."""
        self.check_input(x, self.query)
        if x.shape[2] == 0:
            raise ValueError(
                f"attention is an average over items, and there are none: {self._who} got {tuple(x.shape)}"
            )
        if mask is None:
            return self._attend(x, None)
        check_mask(mask, x, axes=1)
        empty = ~mask.any(1)
        if bool(empty.any()):
            raise ValueError(
                f"attention is an average over items, and row {int(empty.nonzero()[0])} of the mask has no real item: leave such rows out"
            )
        padding = ~mask.unsqueeze(1)  # (batch, 1, N)
        # Clear the padding first: a weight of 0 does not help against NaN. Then clear what it has received.
        return self._attend(x.masked_fill(padding, 0.0), mask).masked_fill(padding, 0.0)

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        items = x.transpose(1, 2)  # (batch, N, channels)
        # (batch, heads, N, d)
        q, k, v = (self._split(linear(items, weight)) for weight in (self.query, self.key, self.value))
        # The mask (batch, heads, queries, keys) is the same for all heads and queries.
        keys = None if mask is None else mask[:, None, None, :]
        received = scaled_dot_product_attention(q, k, v, attn_mask=keys)
        return linear(received.transpose(1, 2).flatten(2), self.output).transpose(1, 2)

    def _split(self, items: Tensor) -> Tensor:
        """(batch, N, channels) -> (batch, heads, N, channels / heads)."""
        return items.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def extra_repr(self) -> str:
        return f"{self.in_channels} channels, {self.heads} head{'s' if self.heads != 1 else ''}"
