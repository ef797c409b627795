"""What the efficient layers share: each equals an ``EquivariantLinear``, once the sizes are known."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import TypedLayer
from .linear import EquivariantLinear
from .types import Family

__all__ = ["EfficientLayer"]

NORMALIZE = ("mean", "sum")
# Weights that fit all sizes N can give outputs of variance 1 at one N only.
INITIAL_SIZE = 16


class EfficientLayer(TypedLayer):
    """A layer on a family of types: its weights do not depend on the sizes, and no matrix is built.

    Its weights belong to diagrams (contract, then broadcast), those of ``EquivariantLinear`` to orbits (the colours of a pattern).
    """

    in_type: Family
    out_type: Family
    in_channels: int
    out_channels: int
    normalize: str
    weight: Tensor
    bias: Tensor | None

    def orbit_weight(self, *sizes: int) -> Tensor:
        """The weights (out_channels, in_channels, dim) of the equal ``EquivariantLinear`` at these sizes; differentiable."""
        raise NotImplementedError

    def orbit_bias(self, *sizes: int) -> Tensor | None:
        """Its bias (out_channels, number of invariant vectors), or None; differentiable."""
        raise NotImplementedError

    def expanded(self, *sizes: int) -> EquivariantLinear:
        """The ``EquivariantLinear`` that computes the same at these sizes, with a copy of the weights."""
        layer = EquivariantLinear(
            self.in_type.at(*sizes),
            self.out_type.at(*sizes),
            self.in_channels,
            self.out_channels,
            bias=self.bias is not None,
            dtype=self.weight.dtype,
            device=self.weight.device,
        )
        with torch.no_grad():
            layer.weight.copy_(self.orbit_weight(*sizes))
            bias = self.orbit_bias(*sizes)
            if bias is not None:
                layer.bias.copy_(bias)
        return layer

    def _checked(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes, if there is one for each axis and each is at least 1."""
        if len(sizes) != self.in_type.num_axes or any(n < 1 for n in sizes):
            raise ValueError(f"{self._who} takes {self.in_type.num_axes} size(s), each at least 1, got {sizes}")
        return sizes

    def extra_repr(self) -> str:
        """Channels, normalisation and bias, for layers that contract by sums or means."""
        bias = "" if self.bias is not None else ", no bias"
        return f"{self.in_channels} → {self.out_channels} channels, {self.normalize}{bias}"


def check_normalize(normalize: object) -> None:
    """Raise ``ValueError`` unless normalize is "mean" or "sum"."""
    if normalize not in NORMALIZE:
        raise ValueError(
            f'normalize is "mean" (divide each contraction by its number of terms) or "sum", got {normalize!r}'
        )
