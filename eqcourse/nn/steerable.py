"""Convolutions that commute with turns and reflections of the plane: kernels that the group steers.

A feature field has a vector of ρ at each pixel. A group element moves the pixels and acts on the vectors: [g▷f](u) = ρ(g) f(g⁻¹u). A
convolution with kernel k commutes with this exactly if k(gu) = ρ_out(g) k(u) ρ_in(g)⁻¹ for all g: the *kernel constraint*. Expand
k(u) = Σ_a φ_a(u) K_a in functions φ of the plane that g mixes among themselves by a representation Φ. Then the constraint says that the
matrix (φ_a ⊗ v) ↦ K_a v is an intertwiner from Φ ⊗ ρ_in to ρ_out. So ``intertwiners`` solves it, for any group and any fields.

Sources: Cohen and Welling 2016, "Group equivariant convolutional networks"; Weiler and Cesa 2019, "General E(2)-equivariant steerable
CNNs", section 2; Lang and Weiler 2021, "A Wigner-Eckart theorem for group equivariant convolution kernels".

Pixels: the first axis of an image points down and the second to the right. Vectors of the plane are (up, left), so that a turn goes
counter-clockwise and the mirror s of D_N, which exchanges left and right of an image, is diag(1, −1), as in ``defining()``.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..groups import SO, CyclicGroup, DihedralGroup, Group, O
from ..representations import MatrixRepresentation, Representation, by_construction
from ..solvers import intertwiners
from ..solvers.classes import frequency as highest_frequency
from .base import TypedLayer, check_channels, check_representation, random_normal
from .linear import Constant, Expansion
from .nonlinear import require_orthogonal
from .twins import to_be_kept
from .types import Family, Type

__all__ = [
    "AtEachPixel",
    "FeatureField",
    "FieldBatchNorm",
    "GroupConv",
    "LiftingConv",
    "MeanOverPixels",
    "SteerableConv",
    "harmonic",
    "kernel_basis",
    "kernel_error",
]

# The width of a Gaussian ring, in pixels, and how many waves round a ring of radius R (a circle of 2πR pixels) are kept: 2R.
RING_WIDTH = 0.6
WAVES_PER_RADIUS = 2
# Added to the mean square before it divides.
_SMALL = 1e-5


@dataclass(frozen=True)
class FeatureField(Family):
    """Images with a vector of ρ at each pixel: arrays (ρ.dim, height, width). The group turns the image and the vectors together.

    >>> from eqcourse.groups import CyclicGroup
    >>> FeatureField(CyclicGroup(4).regular()).at(5, 5)
    R⁴ ⊗ R^(5×5) of C_4
    """

    rho: Representation
    num_axes = 3

    def __post_init__(self) -> None:
        check_representation(self.rho, "FeatureField")

    def at(self, *sizes: int) -> Representation:
        """ρ ⊗ the action on the pixels of an image of these sizes; only groups that map pixels to pixels have it."""
        self._check(sizes, 2)
        group = self.rho.group
        if not maps_pixels(group):
            raise ValueError(f"{group} does not map pixels to pixels; C_n and D_n with n = 1, 2, 4 do")
        return self.rho.flatten() * group.on_grid(*sizes)  # type: ignore[attr-defined]

    def _sizes(self, group: Group) -> tuple[int, ...] | None:
        return None

    def __repr__(self) -> str:
        return f"field of {self.rho}"


def maps_pixels(group: Group) -> bool:
    """Whether a square of pixels is mapped to itself."""
    return isinstance(group, CyclicGroup | DihedralGroup) and group.n in (1, 2, 4)


# ---- functions of the plane ------------------------------------------------------------------------------------------


@by_construction
def harmonic(group: Group, frequency: int) -> Representation:
    """How C_N, D_N, SO(2) or O(2) mixes (cos mθ, sin mθ): f(gu) = ρ_m(g) f(u). For frequency m = 0 this is the trivial representation.

    Raises ``TypeError`` for other groups, ``ValueError`` for a negative frequency.

    >>> harmonic(CyclicGroup(4), 2).matrix(1)  # a quarter turn changes the signs of cos 2θ and sin 2θ
    tensor([[-1.,  0.],
            [ 0., -1.]], dtype=torch.float64)
    """
    _check_plane_group(group)
    _check_frequency(frequency)
    if frequency == 0:
        return group.trivial()
    plane = group.defining()

    def matrix_of(g: Any) -> Tensor:
        return _m_fold(plane.matrix(g), frequency)

    return MatrixRepresentation(group, 2, matrix_of, lambda A: frequency * plane.lie_matrix(A), f"ρ{frequency}")


def _m_fold(A: Tensor, m: int) -> Tensor:
    """R(mφ) diag(1, d) for orthogonal 2 × 2 matrices A = R(φ) diag(1, d)."""
    turned = torch.complex(A[..., 0, 0], A[..., 1, 0]) ** m
    d = A.det().round()
    return torch.stack([turned.real, -d * turned.imag, turned.imag, d * turned.real], -1).unflatten(-1, (2, 2))


def plane_vectors(size: int) -> Tensor:
    """(up, left) of each pixel of a size × size kernel, from its middle: (2, size, size)."""
    steps = (size - 1) / 2 - torch.arange(size, dtype=torch.float64)
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"))


def circular_waves(u: Tensor, frequency: int) -> Tensor:
    """(cos mθ, sin mθ) at the points u (2, *shape), 1 for m = 0: (2 or 1, *shape). At the origin, which has no angle, waves are 0.

    >>> circular_waves(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 1)  # up: cos 0, sin 0; left: cos 90°, sin 90°
    tensor([[1., 0.],
            [0., 1.]])
    """
    radius = u.norm(dim=0)
    if frequency == 0:
        return torch.ones_like(radius).unsqueeze(0)
    unit = torch.where(radius > 0, torch.complex(u[0], u[1]) / radius.clamp(min=1e-12), 0)
    wave = unit**frequency
    return torch.stack([wave.real, wave.imag])


def ring(u: Tensor, radius: float, outermost: float) -> Tensor:
    """A Gaussian profile round a circle, cut off where the circles end and only the corners of the square are left."""
    distance = u.norm(dim=0)
    profile = torch.exp(-((distance - radius) ** 2) / (2 * RING_WIDTH**2))
    return torch.where(distance <= outermost + 0.5, profile, 0)


# ---- the kernel constraint -------------------------------------------------------------------------------------------


def kernel_basis(rho_in: Representation, rho_out: Representation, size: int, frequency: int | None = None) -> Tensor:
    """A basis of the kernels with k(gu) = ρ_out(g) k(u) ρ_in(g)⁻¹: (number, ρ_out.dim, ρ_in.dim, size, size) in float64, norm 1 each.

    C_N and D_N with N = 1, 2, 4 map pixels to pixels: by default these are all solutions, exactly (pixel by pixel). For other groups, and
    where ``frequency`` (the highest number of waves round a ring) is given, a kernel is a sum of Gaussian rings of radius 0, 1, 2, …
    times angular waves; a ring of radius R carries frequencies up to 2R. Sampled on pixels they hold the constraint for the group's
    exact turns of the plane, and nearly so after an image is turned. Faster waves that the fields allow are left out without a word,
    so the basis may be empty; if ``frequency`` asks for them by number, they are refused.

    Raises ``ValueError`` for representations of different groups, an even size, or a frequency that the size cannot hold; ``TypeError``
    for a group that is not C_N, D_N, SO(2) or O(2).

    >>> C4 = CyclicGroup(4)
    >>> [len(kernel_basis(a, b, 5)) for a in (C4.trivial(), C4.regular()) for b in (C4.trivial(), C4.regular())]
    [7, 25, 25, 100]
    >>> len(kernel_basis(SO(2).trivial(), harmonic(SO(2), 7), 5))  # 7 waves, where 5 × 5 pixels hold 4
    0
    """
    for rho in (rho_in, rho_out):
        check_representation(rho, "kernel_basis")
    group = rho_in.group
    if rho_out.group != group:
        raise ValueError(f"both fields need one group; the input's is {group} and the output's {rho_out.group}")
    _check_plane_group(group)
    size = _check_size(size, frequency)
    if frequency is None and maps_pixels(group):
        return _pixel_kernels(rho_in, rho_out, size)
    return _ring_kernels(rho_in, rho_out, size, WAVES_PER_RADIUS * (size // 2) if frequency is None else frequency)


def _pixel_kernels(rho_in: Representation, rho_out: Representation, size: int) -> Tensor:
    """All kernels: the functions of the plane are single pixels, which the group permutes."""
    pixels = rho_in.group.on_grid(size, size)  # type: ignore[attr-defined]
    samples = torch.eye(size * size, dtype=torch.float64).unflatten(-1, (size, size))
    return _normalised(_solutions(pixels, rho_in, rho_out, samples))


def _ring_kernels(rho_in: Representation, rho_out: Representation, size: int, highest: int) -> Tensor:
    """Rings times waves; each frequency is solved once and used on each ring that can carry it."""
    u = plane_vectors(size)
    outermost = size // 2
    kernels = [torch.zeros(0, rho_out.dim, rho_in.dim, size, size, dtype=torch.float64)]
    for frequency in range(highest + 1):
        waves = circular_waves(u, frequency)
        solved = _solutions(harmonic(rho_in.group, frequency), rho_in, rho_out, waves)
        for radius in range(outermost + 1):
            if frequency <= WAVES_PER_RADIUS * radius:
                kernels.append(_normalised(solved * ring(u, radius, outermost)))
    return torch.cat(kernels)


def _solutions(functions: Representation, rho_in: Representation, rho_out: Representation, samples: Tensor) -> Tensor:
    """Kernels Σ_a φ_a(u) K_a for each intertwiner (φ_a ⊗ v) ↦ K_a v; ``samples`` are the φ_a on the pixels."""
    return torch.einsum("noai,ahw->noihw", _mixing_maps(functions, rho_in, rho_out), samples)


# Networks repeat their fields from layer to layer.
@lru_cache(maxsize=64)
def _mixing_maps(functions: Representation, rho_in: Representation, rho_out: Representation) -> Tensor:
    """The intertwiners from functions ⊗ ρ_in to ρ_out: (number, ρ_out.dim, functions, ρ_in.dim)."""
    with to_be_kept():
        maps = intertwiners(functions.flatten() * rho_in.flatten(), rho_out.flatten()).basis
        return maps.double().unflatten(-1, (functions.dim, rho_in.dim))


def _normalised(kernels: Tensor) -> Tensor:
    norms = kernels.flatten(1).norm(dim=1)
    return kernels / norms.clamp(min=1e-12)[:, None, None, None, None]


def kernel_error(kernel: Tensor, rho_in: Representation, rho_out: Representation, g: Any) -> float:
    """The largest |k(gu) − ρ_out(g) k(u) ρ_in(g)⁻¹| for a g that maps pixels to pixels; kernel is (ρ_out.dim, ρ_in.dim, size, size).

    Raises ``ValueError`` for another shape, NaN or infinity, groups that do not map pixels to pixels or are not the same.

    >>> C4 = CyclicGroup(4)
    >>> k = kernel_basis(C4.trivial(), C4.regular(), 3)[0]
    >>> kernel_error(k, C4.trivial(), C4.regular(), 1), kernel_error(k.flip(-1), C4.trivial(), C4.regular(), 1)
    (0.0, 0.5)
    """
    for rho in (rho_in, rho_out):
        check_representation(rho, "kernel_error")
    if rho_in.group != rho_out.group:
        raise ValueError(f"both fields need one group; the input's is {rho_in.group} and the output's {rho_out.group}")
    if not maps_pixels(rho_in.group):
        raise ValueError(f"{rho_in.group} does not map pixels to pixels; C_n and D_n with n = 1, 2, 4 do")
    kernel = torch.as_tensor(kernel)
    kernel = kernel if kernel.is_floating_point() or kernel.is_complex() else kernel.double()
    shape = tuple(kernel.shape)
    if len(shape) != 4 or shape[:2] != (rho_out.dim, rho_in.dim):
        raise ValueError(
            f"a kernel from {rho_in} to {rho_out} has shape ({rho_out.dim}, {rho_in.dim}, size, size), got {shape}"
        )
    if not bool(torch.isfinite(kernel).all()):
        raise ValueError("the kernel contains NaN or infinity")
    pixels = rho_in.group.on_grid(*shape[2:])  # type: ignore[attr-defined]
    left = pixels.act(rho_in.group.inverse(g), kernel)  # k(gu)
    out, back = rho_out.matrix(g).to(kernel), torch.linalg.inv(rho_in.matrix(g)).to(kernel)
    right = torch.einsum("op,pihw,ij->ojhw", out, kernel, back)
    return float((left - right).abs().max())


# ---- layers ----------------------------------------------------------------------------------------------------------


class FieldLayer(TypedLayer):
    """A layer on feature fields: x is (batch, channels, ρ_in.dim, height, width)."""

    in_type: FeatureField

    def check_input(self, x: Any, weight: Tensor | None = None) -> None:
        super().check_input(x, weight)
        if x.shape[2] != self.in_type.rho.dim:
            raise ValueError(
                f"{self._who} takes vectors of {self.in_type.rho}, so an input of shape (batch, channels, {self.in_type.rho.dim}, height, "
                f"width); got {tuple(x.shape)}"
            )
        if 0 in x.shape[3:]:
            raise ValueError(f"{self._who} takes images of at least one pixel, got {tuple(x.shape)}")


class _Convolution(FieldLayer):
    """What steerable and group convolutions share: a kernel made of weights, a bias along the invariant vectors, "same" padding."""

    out_type: FeatureField
    in_channels: int
    out_channels: int
    kernel_size: int
    weight: torch.nn.Parameter

    def _set_up(
        self, rho_in: Representation, rho_out: Representation, in_channels: int, out_channels: int, kernel_size: int
    ) -> None:
        check_channels(in_channels=in_channels, out_channels=out_channels)
        self.in_type, self.out_type = FeatureField(rho_in), FeatureField(rho_out)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, int(kernel_size)

    def _set_bias(self, bias: bool, dtype: torch.dtype | None, device: Any) -> None:
        rho = self.out_type.rho.flatten()
        vectors = Expansion(intertwiners(rho.group.trivial(), rho), device, dtype)
        self.invariant_vectors = vectors if bias and vectors.dim else None
        values = None if self.invariant_vectors is None else self.weight.new_zeros(self.out_channels, vectors.dim)
        self.register_parameter("bias", None if values is None else torch.nn.Parameter(values.detach()))

    def kernel(self) -> Tensor:
        """The kernel for all channels: (out_channels, ρ_out.dim, in_channels, ρ_in.dim, size, size), differentiable in the weights."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, ρ_in.dim, height, width) -> (batch, out_channels, ρ_out.dim, height, width); zeros beyond the border."""
        self.check_input(x, self.weight)
        kernel = self.kernel().flatten(2, 3).flatten(0, 1)
        bias = None if self.invariant_vectors is None else self.invariant_vectors(self.bias).flatten()
        y = torch.nn.functional.conv2d(x.flatten(1, 2), kernel, bias, padding=self.kernel_size // 2)
        return y.unflatten(1, (self.out_channels, -1))

    def extra_repr(self) -> str:
        bias = "" if self.bias is not None else ", no bias"
        return (
            f"{self.in_type.rho.name} → {self.out_type.rho.name} of {self.out_type.rho.group}, {self.in_channels} → {self.out_channels} "
            f"channels, kernel {self.kernel_size}, {self.weight[0, 0].numel()} weights each{bias}"
        )


class SteerableConv(_Convolution):
    """All convolutions between two feature fields that commute with the group, by expansion in ``kernel_basis``.

    x is (batch, in_channels, ρ_in.dim, height, width), y has out_channels and ρ_out.dim, and the same height and width; beyond the border
    x is 0. ``weight`` is (out_channels, in_channels, number of kernels); the bias has one number for each invariant vector of ρ_out.
    ``frequency`` limits the angular waves, as in ``kernel_basis``. As torch's convolutions, this slides the kernel without flipping it;
    the constraint is the same either way.

    Weights start normal, such that independent inputs of variance 1 give outputs of average variance 1. Raises what ``kernel_basis``
    raises, and ``ValueError`` where no kernel is left.

    >>> C8 = CyclicGroup(8)
    >>> layer = SteerableConv(C8.trivial(), C8.regular(), 1, 4, kernel_size=5, generator=0)
    >>> layer
    SteerableConv(1 → R⁸ of C_8, 1 → 4 channels, kernel 5, 15 weights each)
    >>> layer(torch.zeros(2, 1, 1, 20, 20)).shape
    torch.Size([2, 4, 8, 20, 20])
    """

    def __init__(
        self,
        rho_in: Representation,
        rho_out: Representation,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        bias: bool = True,
        frequency: int | None = None,
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        self._set_up(rho_in, rho_out, in_channels, out_channels, kernel_size)
        basis = kernel_basis(rho_in, rho_out, kernel_size, frequency)
        if len(basis) == 0:
            raise ValueError(_no_kernel(rho_in, rho_out, kernel_size, frequency))
        # The basis kernels have norm 1, so that in_channels · number · std² / d_out is the variance of an output.
        std = (rho_out.dim / (in_channels * len(basis))) ** 0.5
        self.weight = random_normal((out_channels, in_channels, len(basis)), std, generator, dtype, device)
        self.basis = Constant(basis, device, self.weight.dtype)
        self._set_bias(bias, dtype, device)

    def kernel(self) -> Tensor:
        return torch.einsum("cdn,noihw->codihw", self.weight, self.basis(self.weight.dtype))


class _GroupConvolution(_Convolution):
    """What lifting and group convolutions share: kernels of free weights, seen from each group element."""

    #: Whether the input is a field on the group, and not an image.
    from_group: bool

    def __init__(
        self,
        group: Group,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        bias: bool = True,
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        _check_maps_pixels(group, type(self).__name__)
        kernel_size = _check_size(kernel_size, None)
        rho_in = group.regular() if self.from_group else group.trivial()
        self._set_up(rho_in, group.regular(), in_channels, out_channels, kernel_size)
        shape = (in_channels, *([rho_in.dim] if self.from_group else []), kernel_size, kernel_size)
        self.weight = random_normal((out_channels, *shape), math.prod(shape) ** -0.5, generator, dtype, device)
        self._set_bias(bias, dtype, device)

    def kernel(self) -> Tensor:
        rho, size = self.in_type.rho, self.kernel_size
        moved = rho * rho.group.on_grid(size, size)  # type: ignore[attr-defined]
        w = self.weight.reshape(self.out_channels, self.in_channels, *moved.axes)
        return torch.stack([moved.act(g, w) for g in rho.group.elements()], 1)


class LiftingConv(_GroupConvolution):
    """From an image to a field on the group: one kernel of free weights, seen from each group element, k_g(u) = w(g⁻¹u).

    For C_N and D_N with N = 1, 2, 4, which map pixels to pixels; other groups have ``SteerableConv(G.trivial(), G.regular(), …)``.
    ``weight`` is (out_channels, in_channels, size, size). x is (batch, in_channels, 1, height, width), y (batch, out_channels,
    G.order, height, width). Source: Cohen and Welling 2016, equation 10.

    >>> LiftingConv(CyclicGroup(4), 1, 8, kernel_size=5, generator=0)
    LiftingConv(1 → R⁴ of C_4, 1 → 8 channels, kernel 5, 25 weights each)
    """

    from_group = False


class GroupConv(_GroupConvolution):
    """From a field on the group to another: kernels k_{g,h}(u) = w_{g⁻¹h}(g⁻¹u) with free weights w.

    For C_N and D_N with N = 1, 2, 4; other groups have ``SteerableConv(G.regular(), G.regular(), …)``. ``weight`` is (out_channels,
    in_channels, G.order, size, size). Source: Cohen and Welling 2016, equation 11.

    >>> GroupConv(CyclicGroup(4), 8, 8, kernel_size=5, generator=0)
    GroupConv(R⁴ → R⁴ of C_4, 8 → 8 channels, kernel 5, 100 weights each)
    """

    from_group = True


class AtEachPixel(FieldLayer):
    """A layer on vectors of ρ, applied to the vector of each pixel: nonlinearities, pooling over the group, linear maps.

    >>> from eqcourse.nn import Pointwise
    >>> C4 = CyclicGroup(4)
    >>> AtEachPixel(Pointwise(torch.relu, C4.regular()))
    AtEachPixel(Pointwise(relu on R⁴ of C_4))
    """

    def __init__(self, layer: TypedLayer) -> None:
        super().__init__()
        if not isinstance(layer, TypedLayer):
            raise TypeError(
                f"AtEachPixel takes a layer of eqcourse.nn, such as Pointwise(torch.relu, rho), got {layer!r}"
            )
        in_type, out_type = layer.in_type, layer.out_type
        check_representation(in_type, "AtEachPixel", "give the layer at fixed sizes")
        check_representation(out_type, "AtEachPixel", "give the layer at fixed sizes")
        assert isinstance(in_type, Representation)
        assert isinstance(out_type, Representation)
        self.layer = layer
        self.in_channels, self.out_channels = layer.in_channels, layer.out_channels
        self.in_type, self.out_type = FeatureField(in_type), FeatureField(out_type)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, ρ_in.dim, height, width) -> (batch, channels, ρ_out.dim, height, width)."""
        self.check_input(x)
        batch, _, _, height, width = x.shape
        vectors = x.permute(0, 3, 4, 1, 2).flatten(0, 2).unflatten(-1, self.in_type.rho.axes)
        y = self.layer(vectors).flatten(2)
        return y.unflatten(0, (batch, height, width)).permute(0, 3, 4, 1, 2)

    def extra_repr(self) -> str:
        return self.layer._who

    def __repr__(self) -> str:
        return self._who


class FieldBatchNorm(FieldLayer):
    """Batch normalisation of feature fields: y = scale · (x − m) / r, with an invariant vector m and a number r for each channel.

    m is the invariant part of the mean of x over the batch and all pixels, and r the root mean square of what is left, over the batch,
    the pixels and the entries of ρ. Both are invariant under the group, so the layer is equivariant; an ordinary batch normalisation,
    with a mean and a spread for each entry of ρ, is not. In training they come from the batch, afterwards from running averages.
    ``scale`` (channels,) is learned. For regular fields this is batch normalisation with the group elements as further pixels.

    x and y are (batch, channels, ρ.dim, height, width). Raises ``ValueError`` for ρ that is not orthogonal, since there r is not invariant.
    Source: Ioffe and Szegedy 2015, "Batch normalization"; for fields, Weiler and Cesa 2019, "General E(2)-equivariant steerable CNNs".

    >>> layer = FieldBatchNorm(CyclicGroup(4).regular(), channels=2)
    >>> x = torch.randn(5, 2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    >>> y = layer(7 + 3 * x)
    >>> bool(y.mean().abs() < 1e-5), round(y.square().mean().item(), 3)
    (True, 1.0)
    """

    in_channels: int
    out_channels: int
    mean: Tensor
    mean_square: Tensor

    def __init__(
        self,
        rho: Representation,
        channels: int,
        momentum: float = 0.1,
        *,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(channels=channels)
        check_representation(rho, "FieldBatchNorm")
        require_orthogonal(rho, "FieldBatchNorm", "a field of an orthogonal representation")
        self.in_type = self.out_type = FeatureField(rho)
        self.in_channels = self.out_channels = channels
        self.momentum = momentum
        self.scale = torch.nn.Parameter(torch.ones(channels, dtype=dtype, device=device))
        self.projection = Constant(_invariant_projection(rho), device, self.scale.dtype)
        self.register_buffer("mean", self.scale.new_zeros(channels, rho.dim).detach())
        self.register_buffer("mean_square", self.scale.new_ones(channels).detach())

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, ρ.dim, height, width) -> the same shape."""
        self.check_input(x, self.scale)
        if not self.training:
            return self._normalised(x, self.mean, self.mean_square)
        mean = x.mean((0, -2, -1)) @ self.projection(x.dtype)
        square = (x - mean[..., None, None]).square().mean((0, 2, 3, 4))
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.mean_square.lerp_(square, self.momentum)
        return self._normalised(x, mean, square)

    def _normalised(self, x: Tensor, mean: Tensor, square: Tensor) -> Tensor:
        factor = self.scale * (square + _SMALL).rsqrt()
        return (x - mean[..., None, None]) * factor[:, None, None, None]

    def extra_repr(self) -> str:
        return f"{self.in_type.rho}, {self.in_channels} channels"


def _invariant_projection(rho: Representation) -> Tensor:
    """The orthogonal projection (ρ.dim, ρ.dim) onto the invariant vectors of an orthogonal representation."""
    vectors = intertwiners(rho.group.trivial(), rho.flatten()).basis.flatten(1).double()
    return torch.linalg.pinv(vectors) @ vectors


class MeanOverPixels(FieldLayer):
    """The mean over all pixels: from a field of ρ to one vector of ρ for each image and channel.

    x is (batch, channels, ρ.dim, height, width), y (batch, channels, \\*ρ.axes).

    >>> MeanOverPixels(CyclicGroup(4).regular())(torch.ones(2, 3, 4, 8, 8)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, rho: Representation) -> None:
        super().__init__()
        check_representation(rho, "MeanOverPixels")
        self.in_type: FeatureField = FeatureField(rho)
        self.out_type: Type = rho

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, ρ.dim, height, width) -> (batch, channels, \\*ρ.axes)."""
        self.check_input(x)
        return x.mean((-2, -1)).unflatten(2, self.in_type.rho.axes)

    def extra_repr(self) -> str:
        return repr(self.in_type.rho)


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _check_plane_group(group: Group) -> None:
    """Raise ``TypeError`` unless the group turns and mirrors the plane."""
    plane = isinstance(group, CyclicGroup | DihedralGroup) or (isinstance(group, SO | O) and group.n == 2)
    if not plane:
        raise TypeError(f"kernels of images are steered by C_N, D_N, SO(2) or O(2), got {group}")


def _check_maps_pixels(group: Group, who: str) -> None:
    if not maps_pixels(group):
        raise ValueError(
            f"{who} turns its kernel pixel by pixel, which C_N and D_N with N = 1, 2, 4 allow; got {group}. "
            "SteerableConv with regular representations does the same for other N"
        )


def _check_frequency(frequency: Any) -> None:
    if isinstance(frequency, bool) or not isinstance(frequency, numbers.Integral) or frequency < 0:
        raise ValueError(f"a frequency is a whole number of waves round the circle, got {frequency!r}")


def _check_size(size: Any, frequency: Any) -> int:
    """The size; raise ``ValueError`` for a kernel without a middle pixel, or too small for a frequency."""
    if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size < 1 or size % 2 == 0:
        raise ValueError(
            f"a kernel that is turned about its middle pixel has an odd size, such as 3 or 5; got {size!r}"
        )
    size = int(size)
    if frequency is None:
        return size
    _check_frequency(frequency)
    radius, highest = size // 2, WAVES_PER_RADIUS * (size // 2)
    if frequency > highest:
        raise ValueError(
            f"frequency {frequency} would be aliased in a {size} × {size} kernel: its outermost ring has radius {radius}, about "
            f"{round(2 * math.pi * radius)} pixels, and holds up to {highest} waves; more waves look like fewer there. Take a kernel of "
            f"size {_size_for(frequency)} or more, or a lower frequency"
        )
    return size


def _size_for(frequency: int) -> int:
    """The smallest kernel whose outermost ring holds so many waves."""
    return 2 * math.ceil(frequency / WAVES_PER_RADIUS) + 1


def _no_kernel(rho_in: Representation, rho_out: Representation, size: int, frequency: int | None) -> str:
    """Why there is no kernel, and what would help."""
    group = rho_in.group
    why = f"no kernel but zero leads from {rho_in} to {rho_out}"
    if frequency is None and maps_pixels(group):
        return f"{why} at size {size}: take a larger kernel, or other fields"
    # Waves of C_N and D_N repeat after N; a product of fields has no more waves than both together.
    most = (
        group.n
        if isinstance(group, CyclicGroup | DihedralGroup)
        else highest_frequency(rho_in) + highest_frequency(rho_out)
    )
    needed = next((m for m in range(most + 1) if len(_mixing_maps(harmonic(group, m), rho_in, rho_out))), None)
    if needed is None:
        return f"{why} at any size: take other fields"
    return (
        f"{why} with so few waves: it takes at least {needed} round a ring, and a {size} × {size} kernel holds up to "
        f"{WAVES_PER_RADIUS * (size // 2)}; more would be aliased, they look like fewer there. Take size {_size_for(needed)} or more, and "
        f"leave out frequency or take {needed} or more"
    )
