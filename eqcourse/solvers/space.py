"""The space of equivariant linear maps between two representations, with coordinates."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..representations import Representation

__all__ = ["DenseSpace", "Evidence", "IntertwinerSpace"]

# `.basis` is built only up to this many numbers (1 GiB in float64).
MAX_BASIS = 2**27


class IntertwinerSpace:
    """All W with W ρ_in(g) = ρ_out(g) W, described by the orbits of pairs (output place, input place).

    W is constant on each orbit, up to known signs: ``pattern`` (d_out, d_in) says which orbit each entry belongs to,
    ``signs`` (d_out, d_in) with which sign. Orbits are numbered by their first appearance, row by row, and their first sign
    is +. Entries that have to be zero have pattern −1 and sign 0. So W = ``expand(weights)`` has the entries
    signs · weights[pattern].

    Made by ``intertwiners``. Acts on flat, row-major vectors: d = rho.dim.

    >>> from eqcourse import intertwiners
    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> space = intertwiners(V, V)
    >>> space
    2-dimensional space of equivariant maps from R³ to R³ of S_3
    >>> space.pattern.tolist()
    [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """

    def __init__(
        self,
        rho_in: Representation,
        rho_out: Representation,
        pattern: Tensor,
        signs: Tensor | None,
        dim: int,
        method: str,
    ) -> None:
        self.rho_in, self.rho_out = rho_in, rho_out
        #: The number of free parameters.
        self.dim = dim
        #: How the space was found.
        self.method = method
        self._pattern, self._signs = pattern, signs

    @property
    def shape(self) -> tuple[int, int]:
        """(d_out, d_in), the shape of each W."""
        return self.rho_out.dim, self.rho_in.dim

    @property
    def has_pattern(self) -> bool:
        """Whether W is described by a pattern of orbits; if not, by a basis of dense matrices (``DenseSpace``)."""
        return True

    @property
    def pattern(self) -> Tensor:
        """Orbit of each entry (d_out, d_in), −1 where zero is forced."""
        return self._pattern

    @property
    def signs(self) -> Tensor:
        """Sign of each entry (d_out, d_in), int8: +1, −1, or 0 where zero is forced."""
        return torch.ones_like(self.pattern, dtype=torch.int8) if self._signs is None else self._signs

    @property
    def has_signs(self) -> bool:
        """Whether some entry is forced to zero or carries a minus sign, so that colours alone are not parameters."""
        return self._signs is not None

    @property
    def basis(self) -> Tensor:
        """One matrix for each orbit: float64 (dim, d_out, d_in). Raises ``ValueError`` if that is too large to build.

        >>> from eqcourse import intertwiners
        >>> from eqcourse.groups import CyclicGroup
        >>> shift = CyclicGroup(3).regular()
        >>> intertwiners(shift, shift).basis[1].int().tolist()
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
        """
        numbers = self.dim * math.prod(self.shape)
        if numbers > MAX_BASIS:
            raise ValueError(
                f"the basis of {self} would hold {numbers:,} numbers. Use expand(weights) for single matrices, or the pattern"
            )
        return self.expand(torch.eye(self.dim, dtype=torch.float64))

    def expand(self, weights: Any) -> Tensor:
        """The matrix with these weights: (..., dim) -> (..., d_out, d_in), in the weights' dtype and on their device.

        Differentiable in the weights. Raises ``ValueError`` for a wrong number of weights, ``TypeError`` for integers or booleans.

        >>> from eqcourse import intertwiners
        >>> from eqcourse.groups import SymmetricGroup
        >>> V = SymmetricGroup(3).defining()
        >>> intertwiners(V, V).expand([5.0, 1.0])
        tensor([[5., 1., 1.],
                [1., 5., 1.],
                [1., 1., 5.]])
        """
        weights = _as_tensor(weights, "weights are", (self.dim,))
        if not (weights.is_floating_point() or weights.is_complex()):
            raise TypeError(
                f"weights are floating-point or complex numbers, got {weights.dtype}: write 1.0 for 1, or weights.double()"
            )
        if weights.ndim == 0 or weights.shape[-1] != self.dim:
            raise ValueError(f"{self} has {self.dim} weights; got an array of shape {tuple(weights.shape)}")
        return self._combine(weights)

    def _combine(self, weights: Tensor) -> Tensor:
        """Σ of weights times basis maps, for checked weights."""
        device = weights.device
        if not self.has_signs:
            return weights[..., self.pattern.to(device).long()]
        # A weight 0 at the end stands where zero is forced: the pattern's −1 looks it up.
        padded = torch.cat([weights, weights.new_zeros(*weights.shape[:-1], 1)], dim=-1)
        return padded[..., self.pattern.to(device).long()] * self.signs.to(weights)

    def project(self, W: Any) -> Tensor:
        """The nearest equivariant matrix to W (..., d_out, d_in) in the Frobenius norm: here the average over each orbit.

        >>> from eqcourse import intertwiners
        >>> from eqcourse.groups import SymmetricGroup
        >>> V = SymmetricGroup(2).defining()
        >>> intertwiners(V, V).project([[1.0, 2.0], [4.0, 3.0]])
        tensor([[2., 3.],
                [3., 2.]])
        """
        return self._combine(self._nearest_weights(self._matrix(W)))

    def coordinates(self, W: Any) -> Tensor:
        """The weights (..., dim) of an equivariant W. Raises ``ValueError`` if W is not equivariant: then use ``project`` first.

        >>> from eqcourse import intertwiners
        >>> from eqcourse.groups import SymmetricGroup
        >>> V = SymmetricGroup(2).defining()
        >>> intertwiners(V, V).coordinates([[2.0, 3.0], [3.0, 2.0]])
        tensor([2., 3.])
        """
        W = self._matrix(W)
        weights = self._nearest_weights(W)
        off = (W - self._combine(weights)).abs().max().item() if W.numel() else 0.0
        tolerance = 1e-9 if W.dtype in (torch.float64, torch.complex128) else 1e-4
        if off > tolerance * (W.abs().max().item() if W.numel() else 0.0):
            raise ValueError(
                f"W is not in the {self}: it is off by {off:.2g}. For the nearest one that is, use project(W)"
            )
        return weights

    def _matrix(self, W: Any) -> Tensor:
        W = _as_tensor(W, "W is", self.shape)
        W = W if W.is_floating_point() or W.is_complex() else W.to(torch.get_default_dtype())
        if W.ndim < 2 or tuple(W.shape[-2:]) != self.shape:
            raise ValueError(f"{self} holds matrices of shape {self.shape}, got shape {tuple(W.shape)}")
        if not bool(torch.isfinite(W).all()):
            raise ValueError("W contains NaN or infinity")
        return W

    def _nearest_weights(self, W: Tensor) -> Tensor:
        """The weights of the nearest equivariant matrix: the mean of sign · W over each orbit."""
        if self.has_signs:
            W = W * self.signs.to(W)
        # Forced zeros (−1) are collected in one more place and dropped.
        places = self.pattern.to(W.device).long().flatten() % (self.dim + 1)
        # In float64: in float32 a sum of a million entries, one by one, loses three digits.
        wide = W.flatten(-2).to(torch.promote_types(W.dtype, torch.float64))
        sums = wide.new_zeros(*W.shape[:-2], self.dim + 1).index_add(-1, places, wide)
        means = sums / torch.bincount(places, minlength=self.dim + 1).clamp(min=1)
        return means[..., : self.dim].to(W.dtype)

    def __repr__(self) -> str:
        group = self.rho_in.group
        return f"{self.dim}-dimensional space of equivariant maps from {self.rho_in.name} to {self.rho_out.name} of {group}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """In a notebook: the pattern as a picture, where it is not too large."""
        # The pictures live on a floor above; they are imported when one is asked for.
        from ..plots import MAX_DRAWN, describe_pattern, image_tag, pattern

        if max(self.pattern.shape) > MAX_DRAWN:
            return {"text/plain": repr(self)}
        text = f"{self!r}. {describe_pattern(self)}"
        return {"text/plain": text, "text/html": image_tag(pattern(self, title=repr(self)), describe_pattern(self))}


def _as_tensor(numbers: Any, what: str, shape: tuple[int, ...]) -> Tensor:
    try:
        return torch.as_tensor(numbers)
    except (TypeError, ValueError, RuntimeError) as error:
        text = f"(..., {', '.join(map(str, shape))})"
        raise TypeError(f"{what} an array of numbers of shape {text}, got {numbers!r:.80}: {error}") from error


class Evidence(NamedTuple):
    """How sure the number of solutions is, and how well they fulfil the equations.

    Singular values up to ``largest_zero`` were taken for zero, those from ``smallest_nonzero`` on were not (relative to the size of their
    equations); there are none in between. ``residual``: by how much a map of length 1 misses W ρ_in(g) = ρ_out(g) W at most, tried on the
    generators, the Lie algebra and sampled elements.
    """

    largest_zero: float
    smallest_nonzero: float
    residual: float

    @property
    def gap(self) -> float:
        """The ratio between the two: the larger, the clearer."""
        return self.smallest_nonzero / max(self.largest_zero, 2.0**-52)

    def __str__(self) -> str:
        return (
            f"singular values up to {self.largest_zero:.0e} count as zero, those from {self.smallest_nonzero:.0e} on do not; "
            f"the equations are missed by at most {self.residual:.0e}"
        )


class DenseSpace(IntertwinerSpace):
    """All W with W ρ_in(g) = ρ_out(g) W, described by a basis of dense matrices that is orthonormal in the Frobenius inner product.

    ``basis`` is float64 (dim, d_out, d_in). Made by ``intertwiners`` where a representation acts by matrices: then W need not be constant
    on any set of entries, and there is no pattern; ``pattern``, ``signs`` and ``has_signs`` raise ``TypeError``.

    >>> from eqcourse import intertwiners
    >>> from eqcourse.groups import SO
    >>> V = SO(2).defining()
    >>> space = intertwiners(V, V)
    >>> space
    2-dimensional space of equivariant maps from R² to R² of SO(2)
    >>> space.expand([5.0, 2.0]) * 2**0.5      # a scaling and a quarter turn
    tensor([[ 5.0000,  2.0000],
            [-2.0000,  5.0000]])
    """

    def __init__(
        self,
        rho_in: Representation,
        rho_out: Representation,
        basis: Tensor,
        method: str,
        evidence: Evidence | None = None,
    ) -> None:
        self.rho_in, self.rho_out = rho_in, rho_out
        self.dim = len(basis)
        self.method = method
        #: For numerical solutions: the gap in the singular values, and the residual.
        self.evidence = evidence
        self._basis = basis

    @property
    def has_pattern(self) -> bool:
        """False."""
        return False

    @property
    def pattern(self) -> Tensor:
        """Raises ``TypeError``: there is none."""
        raise self._no_pattern()

    @property
    def signs(self) -> Tensor:
        """Raises ``TypeError``: there are none."""
        raise self._no_pattern()

    @property
    def has_signs(self) -> bool:
        """Raises ``TypeError``: there is no pattern that could have signs."""
        raise self._no_pattern()

    @property
    def basis(self) -> Tensor:
        """An orthonormal basis, float64 (dim, d_out, d_in), in echelon form: each map has a positive entry where all later ones have 0."""
        return self._basis

    def _combine(self, weights: Tensor) -> Tensor:
        return (weights @ self._basis.flatten(1).to(weights)).unflatten(-1, self.shape)

    def _nearest_weights(self, W: Tensor) -> Tensor:
        wide = W.flatten(-2).to(torch.promote_types(W.dtype, torch.float64))
        return (wide @ self._basis.flatten(1).T.to(wide)).to(W.dtype)

    def _no_pattern(self) -> TypeError:
        return TypeError(
            f"the {self} was found by method={self.method!r} and has no pattern of orbits: where a group acts by matrices, entries of W "
            "are tied by sums and not only by equality. Use basis, expand(weights) and project(W)"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """In a notebook: the text, as there is no pattern to draw."""
        return {"text/plain": repr(self)}
