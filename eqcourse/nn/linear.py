"""The linear layer for any two representations: expand the weights into a matrix, then multiply."""

from __future__ import annotations

import zlib
from typing import Any

import torch
from torch import Tensor

from ..representations import Representation
from ..solvers import IntertwinerSpace, intertwiners
from .base import TypedLayer, check_channels, check_representation, random_normal

__all__ = ["EquivariantLinear"]


class EquivariantLinear(TypedLayer):
    """y = W x + b with an equivariant W and an invariant b, for any two representations of one group.

    x is (batch, in_channels, \\*rho_in.axes), y is (batch, out_channels, \\*rho_out.axes). Each pair of channels has its own W in
    Hom(ρ_in, ρ_out), so that ``weight`` is (out_channels, in_channels, dim of Hom); ``bias`` is (out_channels, dim of the invariant vectors
    of ρ_out), or None where there are none. W is built anew in each call: dim_out · dim_in numbers for each pair of channels. Where no map
    but zero is equivariant, there are no weights and the layer gives its bias alone.

    Weights start normal with one variance, such that independent inputs of mean 0 and variance 1 give outputs whose variance, averaged
    over the entries, is 1; the bias starts at 0. ``generator`` (a seed or a ``torch.Generator``) fixes them; without one they come from
    torch's own stream. Raises ``ValueError`` for representations of different groups or channels below 1, and where ``intertwiners``
    finds the space of maps too large.

    Sources: Ravanbakhsh et al. 2017, "Equivariance through parameter-sharing"; Finzi et al. 2021, "A practical method for constructing
    equivariant multilayer perceptrons", section 3.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> layer = EquivariantLinear(V, V, generator=0)
    >>> layer
    EquivariantLinear(R³ of S_3 → R³ of S_3, 1 → 1 channels, 2 weights each, bias 1)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([5.0, 1.0]))
    >>> layer.matrix()
    tensor([[5., 1., 1.],
            [1., 5., 1.],
            [1., 1., 5.]], grad_fn=<ViewBackward0>)
    """

    in_type: Representation
    out_type: Representation
    in_channels: int
    out_channels: int

    def __init__(
        self,
        rho_in: Representation,
        rho_out: Representation,
        in_channels: int = 1,
        out_channels: int = 1,
        bias: bool = True,
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(in_channels=in_channels, out_channels=out_channels)
        for rho in (rho_in, rho_out):
            check_representation(rho, "EquivariantLinear")
        self.in_type, self.out_type = rho_in, rho_out
        self.in_channels, self.out_channels = in_channels, out_channels
        maps = Expansion(intertwiners(rho_in, rho_out), device, dtype)
        # E[y_i²] = in_channels · Σ_j E[W_ij²]; the mean over i is in_channels · std² · (squared norm of all basis maps) / d_out.
        std = (rho_out.dim / (in_channels * maps.squared_norm)) ** 0.5 if maps.dim else 0.0
        self.maps = maps
        self.weight = random_normal((out_channels, in_channels, maps.dim), std, generator, dtype, device)
        self.invariant_vectors: Expansion | None = None
        self.register_parameter("bias", None)
        if bias:
            # An invariant vector is an equivariant map from the trivial representation.
            vectors = Expansion(intertwiners(rho_out.group.trivial(), rho_out), device, dtype)
            if vectors.dim:
                self.invariant_vectors = vectors
                self.bias = torch.nn.Parameter(self.weight.new_zeros(out_channels, vectors.dim))

    def matrix(self) -> Tensor:
        """W for all channels: (out_channels · d_out, in_channels · d_in), differentiable in the weights."""
        W = self.maps(self.weight)  # (out_channels, in_channels, d_out, d_in)
        return W.transpose(1, 2).reshape(self.out_channels * self.out_type.dim, self.in_channels * self.in_type.dim)

    def bias_vector(self) -> Tensor | None:
        """b for all channels: (out_channels · d_out,), or None."""
        if self.invariant_vectors is None:
            return None
        return self.invariant_vectors(self.bias).flatten()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, \\*rho_in.axes) -> (batch, out_channels, \\*rho_out.axes)."""
        self.check_input(x, self.weight)
        y = torch.nn.functional.linear(x.flatten(1), self.matrix(), self.bias_vector())
        return y.reshape(len(x), self.out_channels, *self.out_type.axes)

    @property
    def _signature(self) -> str:
        # Different groups may print alike (two permutation groups on 4 points); their patterns differ.
        return super()._signature + self.maps.fingerprint

    def extra_repr(self) -> str:
        bias = "no bias" if self.bias is None else f"bias {self.bias.shape[1]}"
        return (
            f"{self.in_type.name} of {self.in_type.group} → {self.out_type.name} of {self.out_type.group}, "
            f"{self.in_channels} → {self.out_channels} channels, {weights_text(self.weight)}, {bias}"
        )


def weights_text(weight: Tensor) -> str:
    """How many weights each pair of channels has, for ``extra_repr``."""
    return f"{weight.shape[2]} weights each" if weight.shape[2] else "0 weights each: only the zero map"


class Expansion(torch.nn.Module):
    """Turns weights (..., dim) into matrices (..., d_out, d_in), with what this needs as buffers that move with the layer.

    The same as ``space.expand``, whose pattern or basis stays on the CPU. Buffers are not part of checkpoints: the types determine them.
    """

    pattern: Tensor | None
    signs: Tensor | None

    def __init__(self, space: IntertwinerSpace, device: Any = None, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.dim, self.shape = space.dim, space.shape
        #: Σ of the squared entries of all basis maps.
        self.squared_norm = space.dim  # a dense basis is orthonormal
        pattern = signs = None
        #: Tells patterns apart, in checkpoints; empty for a dense basis, which is not computed to the last digit.
        self.fingerprint = ""
        if space.has_pattern:
            entries = (space.pattern.int() + 1) * space.signs.int()
            self.fingerprint = f", pattern {zlib.crc32(entries.numpy().tobytes()):08x}"
            # Each entry that is not forced to be zero is ±1 in one basis map.
            self.squared_norm = int((space.pattern >= 0).sum())
            # Forced zeros (−1) look up one more weight, which is 0.
            pattern = torch.where(space.pattern < 0, space.dim, space.pattern.long()).flatten().to(device)
            signs = space.signs.flatten().to(device) if space.has_signs else None
        else:
            self.basis = Constant(space.basis.flatten(1), device, dtype)
        self.register_buffer("pattern", pattern, persistent=False)
        self.register_buffer("signs", signs, persistent=False)

    def forward(self, weights: Tensor) -> Tensor:
        """(..., dim) -> (..., d_out, d_in)."""
        if self.pattern is None:
            entries = weights @ self.basis(weights.dtype)
        elif self.signs is None:
            entries = weights.index_select(-1, self.pattern)
        else:
            padded = torch.nn.functional.pad(weights, (0, 1))
            entries = padded.index_select(-1, self.pattern) * self.signs.to(weights.dtype)
        return entries.unflatten(-1, self.shape)

    def extra_repr(self) -> str:
        return f"{self.dim} weights → {self.shape[0]} × {self.shape[1]}"


class Constant(torch.nn.Module):
    """A tensor that the types determine: moves and casts with its layer, each time from float64, and is not part of checkpoints.

    A plain buffer would be rounded for good by ``layer.float().double()``, and with it the equivariance.
    """

    value: Tensor

    def __init__(self, exact: Tensor, device: Any = None, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.exact = exact  # no buffer: stays in float64 on the CPU
        value = exact.to(dtype=dtype or torch.get_default_dtype(), device=device)
        self.register_buffer("value", value, persistent=False)

    def forward(self, dtype: torch.dtype) -> Tensor:
        """The tensor in this dtype, on the layer's device."""
        return self.value if self.value.dtype == dtype else self.exact.to(dtype=dtype, device=self.value.device)

    def _apply(self, fn: Any, recurse: bool = True) -> Constant:
        # What .to(), .float(), .cuda() and their like call on each module.
        super()._apply(fn, recurse)
        self.value = self.exact.to(self.value)
        return self
