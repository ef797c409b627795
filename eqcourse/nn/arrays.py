"""The linear layer on exchangeable arrays: each axis is permuted on its own (users × items × tags)."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache, reduce
from typing import Any

import torch
from torch import Tensor

from .base import check_channels, random_normal
from .twins import INITIAL_SIZE, EfficientLayer, check_method, check_normalize, to_be_kept
from .types import Table

__all__ = ["ArrayLinear"]

# Microseconds on two cores: each set of axes of a call without the matrix. See `dense_is_cheaper`.
STEP = 25.0


class ArrayLinear(EfficientLayer):
    """All linear maps on m-axis arrays that are equivariant to independent permutations of the axes, for any sizes.

    y = Σ_S W_S mean_S x + b, where S runs over the 2^m sets of axes and mean_S x, repeated along the axes in S, is the mean over them.
    x is (batch, in_channels, N_1, …, N_m). ``weight`` is (out_channels, in_channels, 2^m); the binary digits of the last index say which
    axes are pooled, the first axis in the highest digit. ``bias`` is (out_channels,). ``normalize="sum"`` takes sums. Costs
    O(N_1 · … · N_m). ``method`` "efficient" pools and repeats, "dense" builds the matrix, which is faster for small arrays; "auto" takes
    the cheaper one. Weights start normal with one variance, such that independent inputs of variance 1 give outputs of variance 1 at
    N_1 = … = N_m = 16.

    Raises ``ValueError`` for a wrong shape or an axis of length 0. Source: Hartford et al. 2018, "Deep models of interactions across
    sets", theorem 2.1 (m = 2) and section 2.2.

    >>> layer = ArrayLinear(2, 1, 4, generator=0)
    >>> layer, layer.weight.shape, layer(torch.ones(8, 1, 3, 5)).shape
    (ArrayLinear(2 axes, 1 → 4 channels, mean), torch.Size([4, 1, 4]), torch.Size([8, 4, 3, 5]))
    """

    in_type: Table
    out_type: Table

    def __init__(
        self,
        num_axes: int,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        normalize: str = "mean",
        method: str = "auto",
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        self.in_type = self.out_type = Table(num_axes)
        check_channels(in_channels=in_channels, out_channels=out_channels)
        check_normalize(normalize)
        check_method(method)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.normalize, self.method = normalize, method
        # A mean of N independent numbers has variance 1/N, a sum N.
        pooled = 1 / INITIAL_SIZE if normalize == "mean" else INITIAL_SIZE
        std = (in_channels * (1 + pooled) ** num_axes) ** -0.5
        self.weight = random_normal((out_channels, in_channels, 2**num_axes), std, generator, dtype, device)
        self.register_parameter("bias", torch.nn.Parameter(self.weight.new_zeros(out_channels)) if bias else None)
        # The axes of x that each weight pools, in the order of the weights.
        choices = itertools.product([False, True], repeat=num_axes)
        self.pooled_axes = [tuple(axis + 2 for axis in range(num_axes) if pooled[axis]) for pooled in choices]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, N_1, …, N_m) -> (batch, out_channels, N_1, …, N_m)."""
        self.check_input(x, self.weight)
        sizes = self._checked(tuple(x.shape[2:]))
        if self.dense_is_cheaper(math.prod(sizes) ** 2, efficient=STEP * len(self.pooled_axes)):
            return self.dense(x, sizes, sizes)
        # Down: each array is pooled once, from one that has been pooled over one axis less. Pooled axes keep the length 1.
        arrays: dict[tuple[int, ...], Tensor] = {(): x}
        for axes in self.pooled_axes[1:]:
            larger, axis = arrays[axes[1:]], axes[0]
            arrays[axes] = (
                larger.mean(axis, keepdim=True) if self.normalize == "mean" else larger.sum(axis, keepdim=True)
            )
        # Mix the channels of each, where it is small.
        results = {
            axes: torch.bmm(weight.expand(len(x), -1, -1), arrays[axes].flatten(2)).unflatten(2, arrays[axes].shape[2:])
            for axes, weight in zip(self.pooled_axes, self.weight.permute(2, 0, 1).contiguous(), strict=True)
        }
        # Up: each is repeated along one axis and added to the larger array that it was pooled from.
        for axes in reversed(self.pooled_axes[1:]):
            if self.bias is not None and len(axes) == self.in_type.m:
                results[axes] = results[axes] + self.bias.reshape(-1, *[1] * self.in_type.m)
            results[axes[1:]] += results[axes]
        return results[()]

    def orbit_weight(self, *sizes: int) -> Tensor:
        """The weights of the equal ``EquivariantLinear``: for each axis as in a set, and the Kronecker product of these over all axes."""
        return self.weight @ _change_of_basis(self._checked(sizes), self.normalize).T.to(self.weight)

    def orbit_bias(self, *sizes: int) -> Tensor | None:
        """The bias of the equal ``EquivariantLinear``: one number for each output channel."""
        return None if self.bias is None else self.bias.unsqueeze(-1)

    def extra_repr(self) -> str:
        return f"{self.in_type.m} axes, {super().extra_repr()}"


@lru_cache(maxsize=64)
def _change_of_basis(sizes: tuple[int, ...], normalize: str) -> Tensor:
    """Weights of orbits from weights of sets of axes: float64 (orbits, 2^m)."""
    with to_be_kept():
        changes = []
        for n in sizes:
            share = 1 / n if normalize == "mean" else 1.0
            # Rows: equal index, different index (which there is only for n > 1). Columns: the axis is kept, or pooled.
            changes.append(torch.tensor([[1, share], [0, share]][: min(n, 2)], dtype=torch.float64))
        return reduce(torch.kron, changes)
