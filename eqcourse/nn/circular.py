"""Circular convolution in one or two dimensions: the linear layer that commutes with shifts, without its matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from .base import check_channels, random_normal
from .twins import EfficientLayer
from .types import Grid

__all__ = ["CircularConv", "cheapest"]

METHODS = ("auto", "direct", "fft", "dense")
# Up to so many input channels, spectra are multiplied one channel after the other.
FEW_CHANNELS = 4
# Microseconds on two cores in float32, for `cheapest` (`python run.py bench circular` measures all forms on both sides of each crossover).
# Direct: a call (torch takes a shorter way for a batch of 1), a second axis, each position, each number copied, each product of a
# position and of a pair of channels with a kernel entry.
DIRECT_CALL, DIRECT_CALL_ALONE, DIRECT_AXIS = 62, 22, 5
DIRECT_POINT, DIRECT_COPY, DIRECT_TAP, DIRECT_PRODUCT = 2.2e-3, 1e-4, 5e-5, 7e-6
# Dense: a call, a second axis, each entry of the matrix (four times as much for two axes), each of its products.
DENSE_CALL, DENSE_AXIS, DENSE_ENTRY, DENSE_PRODUCT = 38, 21, 1.2e-4, 1.25e-5
# FFT: a call, a second axis (once, and for each signal), rearranging for many channels, planning (for each point of an axis),
# transforming, each product of spectra with few and with many channels.
FFT_CALL, FFT_AXIS, FFT_AXIS_SIGNAL, FFT_MANY_CHANNELS, FFT_PLAN = 43, 20, 0.35, 24, 0.016
FFT_POINT, FFT_PRODUCT_FEW, FFT_PRODUCT_MANY = 5.5e-5, 7e-5, 1.8e-4


class CircularConv(EfficientLayer):
    """y_i = Σ_k w_k x_{(i − k + ⌊K/2⌋) mod N} + b, on each axis of a periodic signal (kernel_size a number) or image (a pair of numbers).

    x is (batch, in_channels, N) or (batch, in_channels, N_1, N_2), y has out_channels and the same axes; ``weight`` is (out_channels,
    in_channels, \\*kernel_size), ``bias`` (out_channels,). It is a convolution: torch's ``conv1d`` is a correlation, which has the kernel
    flipped. The kernel may be even, and as long as the signal, but not longer; with K = N these are all the shift-equivariant linear maps.

    ``method`` says how, never what is computed: "direct" (repeat the ends of the signal, then torch's convolution), "fft" (multiply
    spectra), "dense" (expand into the circulant matrix, then multiply), or "auto", the one that ``cheapest`` expects to be fastest.

    Weights start normal with variance 1 / (in_channels · number of kernel entries): inputs of mean 0 and variance 1 give outputs of
    variance 1. The bias starts at 0. ``generator`` (a seed or a ``torch.Generator``) fixes the weights.

    Raises ``ValueError`` for channels or kernel sizes below 1, an unknown method, and in the call for an empty axis or one that is
    shorter than the kernel.

    Sources: Oppenheim and Schafer, "Discrete-time signal processing", section 8.6 (circular convolution); Cohen and Welling 2016, "Group
    equivariant convolutional networks", section 6, for the group of cyclic shifts.

    >>> layer = CircularConv(1, 1, kernel_size=3, bias=False)
    >>> layer
    CircularConv(1 → 1 channels, kernel 3, no bias)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
    >>> layer(torch.eye(5)[:1, None])  # the response to a unit pulse at position 0 is the kernel, its middle entry at 0
    tensor([[[2., 3., 0., 0., 1.]]], grad_fn=...)
    """

    in_type: Grid
    out_type: Grid
    in_channels: int
    out_channels: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        bias: bool = True,
        method: str = "auto",
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(in_channels=in_channels, out_channels=out_channels)
        if method not in METHODS:
            raise ValueError(f"method is one of {', '.join(METHODS)}; got {method!r}")
        self.in_channels, self.out_channels, self.method = in_channels, out_channels, method
        self.kernel_size = _as_sizes(kernel_size)
        self.in_type = self.out_type = Grid(len(self.kernel_size))
        std = (in_channels * math.prod(self.kernel_size)) ** -0.5
        self.weight = random_normal((out_channels, in_channels, *self.kernel_size), std, generator, dtype, device)
        self.register_parameter("bias", torch.nn.Parameter(self.weight.new_zeros(out_channels)) if bias else None)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, \\*sizes) -> (batch, out_channels, \\*sizes)."""
        weight, bias = self.weight, self.bias
        self.check_input(x, weight)
        batch, _, *sizes = x.shape
        self._check_sizes(sizes)
        method = self.method if batch else "direct"  # no transform is defined of nothing
        if method == "auto":
            # Transforms know float32 and float64 only, and so does `cheapest`.
            choose = cheapest if torch.compiler.is_compiling() else _remembered_choice
            known = x.dtype in (torch.float32, torch.float64)
            shape = (batch, self.in_channels, self.out_channels, tuple(sizes), self.kernel_size)
            method = choose(*shape) if known else "direct"
        if method == "direct":
            return _direct(x, weight, bias)
        y = (_fft if method == "fft" else _dense)(x, weight)
        return y if bias is None else y + bias.unflatten(0, (-1, *[1] * len(sizes)))

    def orbit_weight(self, *sizes: int) -> Tensor:
        """The weights (out_channels, in_channels, product of sizes) of the equal ``EquivariantLinear`` at these sizes; differentiable.

        Entry j is the first row's entry j of the circulant matrix, h_{−j mod N}, where h is the response to a unit pulse at position 0.

        >>> layer = CircularConv(1, 1, kernel_size=2)
        >>> with torch.no_grad():
        ...     _ = layer.weight.copy_(torch.tensor([10.0, 20.0]))
        >>> layer.orbit_weight(4)
        tensor([[[20., 10.,  0.,  0.]]], grad_fn=...)
        """
        self._check_sizes(self._checked(sizes))
        axes = tuple(range(2, self.weight.ndim))
        return place(self.weight, sizes).flip(axes).roll([1] * len(axes), axes).flatten(2)

    def orbit_bias(self, *sizes: int) -> Tensor | None:
        """The bias (out_channels, 1) of the equal ``EquivariantLinear``, or None; the same at all sizes."""
        return None if self.bias is None else self.bias.unsqueeze(1)

    def extra_repr(self) -> str:
        """Channels, kernel and bias; not the method, which does not change the function."""
        bias = "" if self.bias is not None else ", no bias"
        kernel = " × ".join(map(str, self.kernel_size))
        return f"{self.in_channels} → {self.out_channels} channels, kernel {kernel}{bias}"

    def _check_sizes(self, sizes: Sequence[int]) -> None:
        for size, length in zip(sizes, self.kernel_size, strict=True):
            if size == 0:
                raise ValueError(
                    f"{self._who} takes a signal with at least one point on each axis, got sizes {tuple(sizes)}"
                )
            if size < length:
                raise ValueError(
                    f"{self._who} has a kernel of {length} on an axis where the signal has {size} points (sizes {tuple(sizes)}): "
                    "the kernel may not be longer than the signal, so take a shorter kernel or a longer signal"
                )


def place(weight: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """The response to a unit pulse at position 0, (..., \\*sizes): w_k stands at (k − ⌊K/2⌋) mod N on each axis, with zeros between.

    >>> place(torch.tensor([[[1, 2, 3]]]), (5,))
    tensor([[[2, 3, 0, 0, 1]]])
    """
    h = weight
    for axis, size in enumerate(sizes, start=2):
        length = h.shape[axis]
        middle = length // 2
        zeros = h.new_zeros(*h.shape[:axis], size - length, *h.shape[axis + 1 :])
        h = torch.cat([h.narrow(axis, middle, length - middle), zeros, h.narrow(axis, 0, middle)], axis)
    return h


def _direct(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Continue the signal periodically at its ends, then slide the flipped kernel over it."""
    axes = tuple(range(2, x.ndim))
    # torch wants the points before and after the signal from the last axis to the first.
    ends = [end for length in reversed(weight.shape[2:]) for end in ((length - 1) // 2, length // 2)]
    x = torch.nn.functional.pad(x, ends, mode="circular")
    convolve = torch.nn.functional.conv1d if len(axes) == 1 else torch.nn.functional.conv2d
    return convolve(x, weight.flip(axes), bias)


def _fft(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution theorem: at each frequency, the spectra of signal and kernel are multiplied as vector and matrix over the channels."""
    batch, sizes = len(x), tuple(x.shape[2:])
    axes = tuple(range(2, x.ndim))
    # One transform for both: planning a transform costs about as much as doing it for 16 signals.
    spectra = torch.fft.rfftn(torch.cat([x, place(weight, sizes)]), dim=axes)
    few = x.shape[1] <= FEW_CHANNELS
    y = _mix_by_channel(spectra[:batch], spectra[batch:]) if few else _mix_by_frequency(spectra, batch)
    return torch.fft.irfftn(y, s=sizes, dim=axes)


def _mix_by_channel(x: Tensor, h: Tensor) -> Tensor:
    """Σ_i x[b, i, f] h[o, i, f], one input channel after the other: nothing is rearranged; good for few channels."""
    h = h.transpose(0, 1)
    y = x[:, :1] * h[0]
    for i in range(1, x.shape[1]):
        y = y.addcmul_(x[:, i : i + 1], h[i])
    return y


def _mix_by_frequency(spectra: Tensor, batch: int) -> Tensor:
    """The same as a product of matrices for each frequency, which wants the channels last; good for many channels."""
    by_frequency = spectra.flatten(2).permute(2, 0, 1).contiguous()
    y = by_frequency[:, :batch] @ by_frequency[:, batch:].mT
    return y.permute(1, 2, 0).unflatten(2, spectra.shape[2:])


def _dense(x: Tensor, weight: Tensor) -> Tensor:
    """Expand h into the circulant matrix, then multiply: W[i, j] = h[(i − j) mod N].

    Against the reversed signal this is a Hankel matrix, h[(i + j + 1) mod N]: windows on two periods of h; no table of indices is needed.
    """
    sizes = tuple(x.shape[2:])
    axes = tuple(range(2, x.ndim))
    windows = place(weight, sizes)
    for axis, size in zip(axes, sizes, strict=True):
        windows = torch.cat([windows.narrow(axis, 1, size - 1), windows], axis).unfold(axis, size, 1)
    # (out, in, *rows, *columns) -> (in, *columns, out, *rows)
    d = len(sizes)
    order = (1, *range(2 + d, 2 + 2 * d), 0, *range(2, 2 + d))
    points = math.prod(sizes)
    matrix = windows.permute(order).reshape(x.shape[1] * points, len(weight) * points)
    return (x.flip(axes).flatten(1) @ matrix).unflatten(1, (len(weight), *sizes))


def cheapest(
    batch: int, in_channels: int, out_channels: int, sizes: tuple[int, ...], kernel_size: tuple[int, ...]
) -> str:
    """The form that is expected to take the least time: "direct", "fft" or "dense". From the shapes alone, nothing is timed.

    Each form is a call, some copying and its multiplications, at the rates above: those of two processor cores in float32.

    >>> [cheapest(16, 1, 1, (n,), (n,)) for n in (16, 8192)], cheapest(16, 8, 8, (8192,), (3,))
    (['dense', 'fft'], 'direct')
    """
    points, taps = math.prod(sizes), math.prod(kernel_size)
    channels = in_channels * out_channels
    second_axis = len(sizes) - 1  # 0 or 1

    direct: float = (DIRECT_CALL if batch > 1 else DIRECT_CALL_ALONE) + DIRECT_AXIS * second_axis
    direct += batch * points * (DIRECT_POINT + DIRECT_COPY * (in_channels + out_channels))
    direct += batch * points * taps * in_channels * (DIRECT_TAP + DIRECT_PRODUCT * out_channels)

    dense: float = DENSE_CALL + DENSE_AXIS * second_axis
    dense += channels * points**2 * (DENSE_ENTRY * len(sizes) ** 2 + DENSE_PRODUCT * batch)

    signals = batch * in_channels + channels + batch * out_channels
    awkward = _has_large_prime_factor(sizes)
    transform = FFT_POINT * points * math.log2(points + 1) * (3.7 if awkward else 1) * (1 + 0.6 * second_axis)
    few = in_channels <= FEW_CHANNELS
    fft: float = FFT_CALL + FFT_AXIS * second_axis + FFT_PLAN * sum(sizes) * (3 if awkward else 1)
    fft += signals * (transform + FFT_AXIS_SIGNAL * second_axis) + (0 if few else FFT_MANY_CHANNELS)
    fft += batch * channels * points * (FFT_PRODUCT_FEW if few else FFT_PRODUCT_MANY)

    if dense < direct and dense < fft:
        return "dense"
    return "direct" if direct < fft else "fft"


# For small signals this decision would be a noticeable part of the time.
_remembered_choice = lru_cache(maxsize=1024)(cheapest)


def _has_large_prime_factor(sizes: tuple[int, ...]) -> bool:
    """Whether a transform of this size takes a detour: a size has a prime factor above 13."""
    for size in sizes:
        for prime in (2, 3, 5, 7, 11, 13):
            while size % prime == 0:
                size //= prime
        if size > 1:
            return True
    return False


def _as_sizes(kernel_size: object) -> tuple[int, ...]:
    """(K,) or (K_1, K_2); raises ``ValueError`` for anything but one or two positive integers."""
    sizes = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size,)
    numbers = all(isinstance(k, int) and not isinstance(k, bool) and k >= 1 for k in sizes)
    if not numbers or (isinstance(kernel_size, (tuple, list)) and len(sizes) != 2):
        raise ValueError(f"kernel_size is a positive integer (signals) or a pair of them (images), got {kernel_size!r}")
    return sizes
