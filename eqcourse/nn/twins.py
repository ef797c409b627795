"""What the efficient layers share: each equals an ``EquivariantLinear``, once the sizes are known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor

from ..solvers import intertwiners
from .base import TypedLayer
from .linear import EquivariantLinear, Expansion
from .types import Family

__all__ = ["EfficientLayer"]

NORMALIZE = ("mean", "sum")
# Weights that fit all sizes N can give outputs of variance 1 at one N only.
INITIAL_SIZE = 16
METHODS = ("auto", "efficient", "dense")
# Microseconds on two cores, for `dense_is_cheaper` (`python run.py bench layers` measures both forms on both sides of the
# crossover): a call that expands the matrix and multiplies; each entry of the matrix.
DENSE_CALL, DENSE_ENTRY = 60.0, 0.0024


class EfficientLayer(TypedLayer):
    """A layer on a family of types: its weights do not depend on the sizes, and no matrix is built.

    Its weights belong to diagrams (contract, then broadcast), those of ``EquivariantLinear`` to orbits (the colours of a pattern).
    """

    in_type: Family
    out_type: Family
    in_channels: int
    out_channels: int
    normalize: str
    method: str
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

    def dense_is_cheaper(self, entries: int, efficient: float) -> bool:
        """Whether to expand a matrix of so many entries rather than spend ``efficient`` microseconds: the choice of ``method="auto"``."""
        if self.method != "auto" or torch.compiler.is_compiling():  # a compiled graph keeps one form
            return self.method == "dense"
        return DENSE_CALL + DENSE_ENTRY * self.in_channels * self.out_channels * entries < efficient

    def dense(self, x: Tensor, sizes: tuple[int, ...], out_axes: tuple[int, ...]) -> Tensor:
        """The output by way of the matrix. For small N one product is faster than many small steps."""
        maps, vectors = expansions(self.in_type, self.out_type, sizes, x.device)
        d_out, d_in = maps.shape
        W = maps(self.orbit_weight(*sizes)).transpose(1, 2).reshape(self.out_channels * d_out, self.in_channels * d_in)
        bias = self.orbit_bias(*sizes)
        y = torch.nn.functional.linear(x.flatten(1), W, None if bias is None else vectors(bias).flatten())
        return y.reshape(len(x), self.out_channels, *out_axes)

    def _checked(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes, if there is one for each axis and each is at least 1."""
        if len(sizes) != self.in_type.num_axes or any(n < 1 for n in sizes):
            raise ValueError(f"{self._who} takes {self.in_type.num_axes} size(s), each at least 1, got {sizes}")
        return sizes

    def extra_repr(self) -> str:
        """Channels, normalisation and bias, for layers that contract by sums or means."""
        bias = "" if self.bias is not None else ", no bias"
        return f"{self.in_channels} → {self.out_channels} channels, {self.normalize}{bias}"


@lru_cache(maxsize=32)
def expansions(
    in_type: Family, out_type: Family, sizes: tuple[int, ...], device: torch.device
) -> tuple[Expansion, Expansion]:
    """The patterns of the weights and of the bias at these sizes, solved once."""
    with to_be_kept():
        rho_in, rho_out = in_type.at(*sizes), out_type.at(*sizes)
        vectors = intertwiners(rho_out.group.trivial(), rho_out)
        return Expansion(intertwiners(rho_in, rho_out), device), Expansion(vectors, device)


@contextmanager
def to_be_kept() -> Iterator[None]:
    """For tensors that outlive the call they are made in: real ones, on the CPU, also within ``inference_mode`` or a default device."""
    with torch.inference_mode(False), torch.device("cpu"):
        yield


def check_method(method: object) -> None:
    """Raise ``ValueError`` unless method is one that ``EfficientLayer`` knows."""
    if method not in METHODS:
        raise ValueError(
            f'method is "auto" (the cheaper one), "efficient" or "dense" (by way of the matrix), got {method!r}'
        )


def check_normalize(normalize: object) -> None:
    """Raise ``ValueError`` unless normalize is "mean" or "sum"."""
    if normalize not in NORMALIZE:
        raise ValueError(
            f'normalize is "mean" (divide each contraction by its number of terms) or "sum", got {normalize!r}'
        )
