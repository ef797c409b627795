"""Products: what turns vectors into scalars, and into each other, where no linear map can."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..representations import Representation
from ..solvers import intertwiners
from ..solvers.nullspace import echelon_basis
from .base import TypedLayer, check_channels, check_representation
from .linear import Constant, EquivariantLinear, weights_text

__all__ = ["Invariants", "TensorProduct", "invariant_forms"]


class TensorProduct(TypedLayer):
    """z = W (x ⊗ y) with an equivariant W: any bilinear equivariant map, of two inputs or of one with itself.

    x is (batch, in_channels, \\*rho_a.axes), y is (batch, b_channels, \\*rho_b.axes), z is (batch, out_channels, \\*rho_out.axes).
    ``b_channels`` is ``in_channels`` if not given. Each channel of x meets each of y: W is the matrix of an ``EquivariantLinear`` from
    ρ_a ⊗ ρ_b with in_channels · b_channels channels, ``linear``, whose weights are (out_channels, in_channels · b_channels, dim of
    Hom(ρ_a ⊗ ρ_b, ρ_out)). There is no bias. Without y the layer takes y = x, and is quadratic; that needs equal types and channels.

    Independent inputs of mean 0 and variance 1 give at first outputs whose variance, averaged over the entries, is 1. ``generator`` as in
    ``EquivariantLinear``. Raises ``ValueError`` for representations of different groups, channels below 1, inputs of another shape, and
    a missing y where x cannot take its place; ``TypeError`` for inputs of another dtype than the weights.

    Source: Thomas et al. 2018, "Tensor field networks", where the solutions for W are Clebsch–Gordan coefficients.

    >>> from eqcourse.groups import SO
    >>> V = SO(3).defining()
    >>> layer = TensorProduct(V, V, V, generator=0)
    >>> layer
    TensorProduct(R³ ⊗ R³ → R³ of SO(3), 1 × 1 → 1 channels, 1 weights each)
    >>> x, y = torch.tensor([[[1.0, 0.0, 0.0]]]), torch.tensor([[[0.0, 1.0, 0.0]]])
    >>> z = layer(x, y)                             # the cross product, up to the weight
    >>> z / z[..., 2:]
    tensor([[[0., 0., 1.]]], grad_fn=<DivBackward0>)
    """

    in_type: Representation
    b_type: Representation
    out_type: Representation
    in_channels: int
    b_channels: int
    out_channels: int

    def __init__(
        self,
        rho_a: Representation,
        rho_b: Representation,
        rho_out: Representation,
        in_channels: int = 1,
        out_channels: int = 1,
        b_channels: int | None = None,
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        b_channels = in_channels if b_channels is None else b_channels
        check_channels(in_channels=in_channels, out_channels=out_channels, b_channels=b_channels)
        for rho in (rho_a, rho_b, rho_out):
            check_representation(rho, "TensorProduct")
        self.in_type, self.b_type, self.out_type = rho_a, rho_b, rho_out
        self.in_channels, self.b_channels, self.out_channels = in_channels, b_channels, out_channels
        self.linear = EquivariantLinear(
            rho_a * rho_b,
            rho_out,
            in_channels * b_channels,
            out_channels,
            bias=False,
            generator=generator,
            dtype=dtype,
            device=device,
        )
        self.takes_one = rho_a == rho_b and in_channels == b_channels

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(batch, in_channels, \\*rho_a.axes) and (batch, b_channels, \\*rho_b.axes) -> (batch, out_channels, \\*rho_out.axes)."""
        self.check_input(x, self.linear.weight)
        if y is None:
            if not self.takes_one:
                raise ValueError(
                    f"{self._who} takes two inputs, layer(x, y): y has {self.b_channels} channels of {self.b_type}, and x, with "
                    f"{self.in_channels} of {self.in_type}, cannot take its place"
                )
            y = x
        else:
            self._check_second(x, y)
        # (batch, in_channels, b_channels, d_a, d_b): all products of an entry of x and an entry of y.
        product = x.flatten(2)[:, :, None, :, None] * y.flatten(2)[:, None, :, None, :]
        return self.linear(product.reshape(len(x), self.linear.in_channels, *self.linear.in_type.axes))

    def _check_second(self, x: Tensor, y: Any) -> None:
        mixed = isinstance(y, Tensor) and y.is_floating_point() and torch.is_autocast_enabled(x.device.type)
        if not isinstance(y, Tensor) or (y.dtype != x.dtype and not mixed):
            got = f"dtype {y.dtype}" if isinstance(y, Tensor) else type(y).__name__
            raise TypeError(f"{self._who} takes a second input y that is a tensor of x's dtype, {x.dtype}; got {got}")
        if y.device != x.device:
            raise ValueError(
                f"{self._who} takes two inputs on one device, got x on {x.device} and y on {y.device}: move one of them with .to(device)"
            )
        expected = (len(x), self.b_channels, *self.b_type.axes)
        if tuple(y.shape) != expected:
            raise ValueError(
                f"{self._who} takes with this x a second input y of shape {expected}, (batch, channels, *axes), got {tuple(y.shape)}"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.linear.in_type.name} → {self.out_type.name} of {self.out_type.group}, "
            f"{self.in_channels} × {self.b_channels} → {self.out_channels} channels, {weights_text(self.linear.weight)}"
        )


class Invariants(TypedLayer):
    """The numbers B(x_c, x_d), for all pairs of channels and all bilinear forms B that the group preserves; no weights.

    x is (batch, channels, \\*rho.axes), the result (batch, out_channels, 1), of type ``rho.group.trivial()``. The forms are those of
    ``invariant_forms``: the inner product for SO(n) and O(n); η = diag(−1, 1, 1, 1) for the Lorentz group; Σ x_i y_i and Σ_{i≠j} x_i y_j
    for S_N; for SO(2) also the area x_0 y_1 − x_1 y_0. Symmetric forms come first, each with the pairs c ≤ d in the order (0, 0),
    (0, 1), …, (1, 1), …; then antisymmetric ones with the pairs c < d.

    For SO(n) and O(n) every invariant polynomial of vectors is one of these numbers (and of determinants, for SO(n)).

    Raises ``ValueError`` if there is no such number for ρ and that many channels, or the forms are too many to store; ``TypeError`` for an
    input that is not floating-point.

    Sources: Weyl 1939, "The classical groups", chapter II; Villar et al. 2021, "Scalars are universal".

    >>> from eqcourse.groups import SO, Lorentz
    >>> layer = Invariants(SO(3).defining(), 2)
    >>> layer
    Invariants(R³ of SO(3), 2 channels → 3 numbers, forms: 1 symmetric, 0 antisymmetric)
    >>> layer(torch.tensor([[[1.0, 2.0, 2.0], [0.0, 1.0, 0.0]]])).squeeze(-1)      # x·x, x·y, y·y
    tensor([[9., 2., 1.]])
    >>> Invariants(Lorentz().defining())(torch.tensor([[[2.0, 1.0, 0.0, 0.0]]])).item()
    -3.0
    """

    in_type: Representation
    out_type: Representation
    in_channels: int
    out_channels: int

    places: Tensor

    def __init__(self, rho: Representation, in_channels: int = 1, *, device: Any = None) -> None:
        super().__init__()
        check_channels(in_channels=in_channels)
        check_representation(rho, "Invariants")
        symmetric, antisymmetric = invariant_forms(rho)
        self.num_symmetric, self.num_antisymmetric = len(symmetric), len(antisymmetric)
        if not len(symmetric) + len(antisymmetric):
            raise ValueError(f"{rho} preserves no bilinear form: there are no inner products that could be invariant")
        self.forms = Constant(torch.cat([symmetric, antisymmetric]), device)
        # Which numbers to take from the table B(x_c, x_d) of shape (forms, channels, channels).
        pairs = torch.ones(in_channels, in_channels, dtype=torch.bool).triu()
        wanted = torch.stack([pairs] * len(symmetric) + [pairs.triu(1)] * len(antisymmetric))
        self.register_buffer("places", wanted.flatten().nonzero().flatten().to(device), persistent=False)
        self.in_type, self.out_type = rho, rho.group.trivial()
        self.in_channels, self.out_channels = in_channels, int(wanted.sum())
        if self.out_channels == 0:
            raise ValueError(
                f"{rho} preserves only antisymmetric forms, for which B(x, x) = 0: take at least 2 channels, got {in_channels}"
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, \\*rho.axes) -> (batch, out_channels, 1)."""
        self.check_input(x)
        x = x.flatten(2).unsqueeze(1)  # (batch, 1, channels, d)
        table = x @ self.forms(x.dtype) @ x.mT  # (batch, forms, channels, channels)
        return table.flatten(1).index_select(1, self.places).unsqueeze(-1)

    def extra_repr(self) -> str:
        return (
            f"{self.in_type}, {self.in_channels} channels → {self.out_channels} numbers, "
            f"forms: {self.num_symmetric} symmetric, {self.num_antisymmetric} antisymmetric"
        )


def invariant_forms(rho: Representation) -> tuple[Tensor, Tensor]:
    """All bilinear forms B with ρ(g)ᵀ B ρ(g) = B, as bases of the symmetric and of the antisymmetric ones: float64 (number, d, d) each.

    They are the equivariant maps from ρ to its dual. Each is scaled so that its largest entry is ±1; symmetric ones have a positive trace
    (where it is 0, and for antisymmetric ones, the first entry is positive). Raises ``ValueError`` if they are too many to store.

    >>> from eqcourse.groups import SymmetricGroup
    >>> symmetric, antisymmetric = invariant_forms(SymmetricGroup(3).defining())
    >>> symmetric.int().tolist(), len(antisymmetric)
    ([[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 1], [1, 0, 1], [1, 1, 0]]], 0)
    """
    # Orbits have disjoint places, and a dense basis is orthonormal: in both cases rows of length 1 are an orthonormal basis.
    maps = torch.nn.functional.normalize(intertwiners(rho, rho.dual).basis.flatten(1), dim=1)
    transposed = maps.unflatten(1, (rho.dim, rho.dim)).mT.flatten(1)
    # If B is invariant then so is Bᵀ: transposing is a reflection of the space of forms, with eigenvalues 1 and −1.
    values, vectors = torch.linalg.eigh(transposed @ maps.T)
    symmetric, antisymmetric = (
        echelon_basis(vectors[:, chosen].T @ maps).unflatten(1, (rho.dim, rho.dim))
        for chosen in (values > 0, values < 0)
    )
    trace = symmetric.diagonal(dim1=1, dim2=2).sum(1)
    return _scaled(symmetric, torch.where(trace < -1e-6, -1.0, 1.0)), _scaled(antisymmetric, torch.ones(1))


def _scaled(forms: Tensor, sign: Tensor) -> Tensor:
    return forms / forms.abs().amax((1, 2), keepdim=True) * sign[:, None, None]
