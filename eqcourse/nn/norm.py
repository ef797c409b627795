"""Normalisation that keeps the action."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ..representations import Representation
from .base import TypedLayer, check_channels, check_mask, check_type
from .nonlinear import action_on_entries, require_orthogonal
from .types import Order, Type, num_axes, same_type

__all__ = ["EquivariantNorm"]


class EquivariantNorm(TypedLayer):
    """A LayerNorm that keeps the action: each sample is divided by its own spread, all entries of a channel get one scale.

    x and y are (batch, channels, \\*axes); ``type`` is a representation or a family.

    - Where the group permutes entries: subtract the mean over channels and axes, divide by √(variance + eps); one learned scale ``weight``
      and one ``bias`` along the all-ones vector, which is invariant, for each channel.
    - Where it flips signs or rotates: divide by √(mean of the squares + eps), one scale for each channel. No mean is subtracted and
      nothing is added, as neither need be equivariant.

    Sets (``Order(1)``) take a ``mask`` (batch, N), True where an item is real: only real items count, padding may hold anything (NaN) and
    comes out as 0.

    Raises ``ValueError`` for a representation that is not orthogonal, for an empty set, for a mask of another shape or without a real item
    in some row, and for a mask on another type; ``TypeError`` for a mask that is not boolean.

    Sources: Ba et al. 2016, "Layer normalization"; Zhang and Sennrich 2019, "Root mean square layer normalization".

    >>> layer = EquivariantNorm(Order(1), 1, eps=0.0)
    >>> x = torch.tensor([[[1.0, 3.0, float("nan")]]])
    >>> layer(x, mask=torch.tensor([[True, True, False]]))
    tensor([[[-1.,  1.,  0.]]], grad_fn=<WhereBackward0>)
    """

    in_channels: int
    out_channels: int
    bias: torch.nn.Parameter | None

    def __init__(
        self,
        type: Type,
        channels: int = 1,
        *,
        eps: float = 1e-5,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(channels=channels)
        check_type(type, "EquivariantNorm")
        if not 0 <= eps < math.inf:
            raise ValueError(f"eps is a number of at least 0, got {eps!r}")
        self.centred = action_on_entries(type) == "permutes"
        if not self.centred and isinstance(type, Representation):
            require_orthogonal(type, "EquivariantNorm", "Invariants and normalise those numbers")
        self.in_type = self.out_type = type
        self.in_channels = self.out_channels = channels
        self.eps = float(eps)
        self.weight = torch.nn.Parameter(torch.ones(channels, dtype=dtype, device=device))
        self.register_parameter("bias", torch.nn.Parameter(torch.zeros_like(self.weight)) if self.centred else None)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, channels, \\*axes), and for sets a mask (batch, N) -> the shape of x."""
        self.check_input(x, self.weight)
        if math.prod(x.shape[2:]) == 0:
            raise ValueError(f"{self._who} has nothing to average over in an empty array: got shape {tuple(x.shape)}")
        # One set of statistics for each sample, over channels and axes.
        dims = tuple(range(1, x.ndim))
        count: Tensor | int = math.prod(x.shape[1:])
        if mask is not None:
            self._check_mask(mask, x)
            mask = mask.unsqueeze(1)
            count = self.in_channels * mask.sum(dims, keepdim=True)
            x = x.where(mask, 0.0)  # before any arithmetic: 0 · NaN is NaN
        if self.centred:
            x = x - x.sum(dims, keepdim=True) / count
            if mask is not None:
                x = x.where(mask, 0.0)
        y = x * (x.square().sum(dims, keepdim=True) / count + self.eps).rsqrt()
        per_channel = (-1, *[1] * (x.ndim - 2))
        y = y * self.weight.reshape(per_channel)
        if self.bias is not None:
            y = y + self.bias.reshape(per_channel)
        return y if mask is None else y.where(mask, 0.0)

    def _check_mask(self, mask: Tensor, x: Tensor) -> None:
        if not same_type(self.in_type, Order(1)):
            raise ValueError(f"{self._who} takes no mask: only sets, Order(1), have items that can be left out")
        check_mask(mask, x, num_axes(self.in_type))
        empty = (~mask.any(1)).nonzero().flatten().tolist()
        if empty:
            raise ValueError(
                f"the mask has no real item in row {', '.join(map(str, empty[:8]))}{', …' if len(empty) > 8 else ''}: "
                f"an empty set has no mean. Leave such rows out, for example x[mask.any(1)]"
            )

    def extra_repr(self) -> str:
        how = "mean and variance" if self.centred else "root mean square"
        return f"{how} on {self.in_type}, {self.in_channels} channels, eps {self.eps:g}"
