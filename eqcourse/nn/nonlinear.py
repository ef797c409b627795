"""Nonlinearities that keep the action: entrywise functions where entries are only permuted, norms and gates everywhere else."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from ..equivariance import TOLERANCES
from ..representations import MATRIX_TOLERANCE, DirectSum, Representation, TensorProduct
from .base import TypedLayer, check_channels, check_representation, check_type
from .types import Family, Type, num_axes

__all__ = ["GatedNonlinearity", "NormNonlinearity", "Pointwise", "action_on_entries", "require_orthogonal"]

Function = Callable[[Tensor], Tensor]

# Numbers on which functions are tried: small and large, each with its negative, and 0; plain ones first, for they make the best messages.
_SIZES = [2.0, 1.0, 0.5, 3.0, 0.3, 1.7, 6.5, 0.03, 10.0, 1e-3, 40.0, 1e-6, 1000.0]
_NUMBERS = [sign * size for size in _SIZES for sign in (1.0, -1.0)] + [0.0]
# Norms are √(‖x‖² + ε²), so that their gradient exists at x = 0.
_NORM_FLOOR = 1e-6
POINTWISE = "Pointwise takes any function on a family"


class Pointwise(TypedLayer):
    """y = f(x) for each number on its own. Refuses, when it is made, a type that f would break.

    x and y are (batch, channels, \\*axes). ``function`` is a callable or a ``torch.nn.Module`` that works number by number. What a ``type``
    (a representation or a family) allows depends on what its group does to the entries:

    - permutes them: any function;
    - permutes them and flips signs: odd functions, f(−t) = −f(t), such as tanh;
    - mixes them, as a rotation does: only f(t) = c·t.

    All of this is tried on numbers from 10⁻⁶ to 1,000 and 0, a module also with other values of its trainable parameters: a test, not a
    proof. Without a ``type`` the layer takes that of its neighbour in an ``EquivariantSequential``, and cannot be used before.

    Raises ``ValueError`` for a function that is not entrywise (softmax), is random (dropout) or breaks the type; the message says which
    nonlinearities would do. ``TypeError`` for something that is no function of arrays.

    Source: Wood and Shawe-Taylor 1996, "Representation theory and invariant neural networks".

    >>> from eqcourse.groups import ReflectionGroup
    >>> sign = ReflectionGroup().sign()
    >>> Pointwise(torch.tanh, sign)
    Pointwise(tanh on sign of Z_2)
    >>> Pointwise(torch.relu, sign)
    Traceback (most recent call last):
    ValueError: sign of Z_2 flips signs, so that an entrywise function has to be odd, and relu is not: relu(-2) = 0, but -relu(2) = -2. \
Take an odd function such as torch.tanh, NormNonlinearity or GatedNonlinearity
    """

    def __init__(self, function: Function, type: Type | None = None) -> None:
        super().__init__()
        self.function = function
        self.has_type = type is not None
        if type is None:
            check_entrywise(function)
        else:
            check_type(type, "Pointwise")
            check_entrywise(function, num_axes(type))
            _check_allowed(function, type)
            self.in_type = self.out_type = type

    def with_type(self, type: Type) -> Pointwise:
        """The same function (and the same parameters) on a given type. Raises ``ValueError`` if the function breaks it."""
        return Pointwise(self.function, type)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, \\*axes) -> the same shape."""
        if not self.has_type:
            name = function_name(self.function)
            raise ValueError(
                f"{self._who} has no type yet: give it one, Pointwise({name}, type), or put it into an EquivariantSequential, "
                "where it takes its neighbour's"
            )
        self.check_input(x)
        return self.function(x)

    def extra_repr(self) -> str:
        return f"{function_name(self.function)} on {self.in_type if self.has_type else 'the type of its neighbour'}"


class NormNonlinearity(TypedLayer):
    """y = f(‖x‖ + b) x/‖x‖: changes the length of x and keeps its direction, for orthogonal representations.

    x and y are (batch, channels, \\*rho.axes). ‖x‖ is the norm over all of ρ's entries in one channel; ``bias`` b (channels,) is learned
    and starts at 0, where the default f = ReLU still changes nothing. At x = 0 the result is 0; for f(b) > 0 it jumps there, as no
    direction is better than another. The norm is taken as √(‖x‖² + 10⁻¹²), so that the gradient is finite at 0.

    Raises ``ValueError`` for a representation that is not orthogonal: there ‖x‖ is not invariant. ``TypeError`` for a family of types.

    Source: Worrall et al. 2017, "Harmonic networks: deep translation and rotation equivariance" (the C-ReLU).

    >>> from eqcourse.groups import SO
    >>> layer = NormNonlinearity(SO(2).defining(), function=torch.tanh)
    >>> layer(torch.tensor([[[3.0, 4.0]]])) / math.tanh(5.0)
    tensor([[[0.6000, 0.8000]]], grad_fn=<DivBackward0>)
    """

    in_type: Representation
    out_type: Representation
    in_channels: int
    out_channels: int

    def __init__(
        self,
        rho: Representation,
        channels: int = 1,
        function: Function = torch.relu,
        *,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(channels=channels)
        check_representation(rho, "NormNonlinearity", POINTWISE)
        require_orthogonal(rho, "NormNonlinearity", "GatedNonlinearity, or turn vectors into numbers with Invariants")
        check_entrywise(function)
        self.in_type = self.out_type = rho
        self.in_channels = self.out_channels = channels
        self.function = function
        self.bias = torch.nn.Parameter(torch.zeros(channels, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, \\*rho.axes) -> the same shape."""
        self.check_input(x, self.bias)
        flat = x.reshape(len(x), self.in_channels, self.in_type.dim)
        norm = (flat.square().sum(-1, keepdim=True) + _NORM_FLOOR**2).sqrt()
        return (flat * (self.function(norm + self.bias.unsqueeze(-1)) / norm)).reshape(x.shape)

    def extra_repr(self) -> str:
        return f"{function_name(self.function)} of the norm on {self.in_type}, {self.in_channels} channels"


class GatedNonlinearity(TypedLayer):
    """y = f(s) v: an invariant number s, the gate, scales v; for every representation, orthogonal or not.

    ``in_type`` is ``rho.group.trivial() + rho``: x is (batch, channels, 1 + rho.dim), the first entry is the gate, the others are v in one
    flat axis. y is (batch, channels, \\*rho.axes). ``function`` is entrywise, the sigmoid unless another is given.

    Raises ``ValueError`` for a function that is not entrywise, ``TypeError`` for a family of types.

    Source: Weiler et al. 2018, "3D steerable CNNs: learning rotationally equivariant features in volumetric data".

    >>> from eqcourse.groups import SO
    >>> layer = GatedNonlinearity(SO(2).defining())
    >>> layer.in_type, layer(torch.tensor([[[0.0, 3.0, 4.0]]]))
    (1 ⊕ R² of SO(2), tensor([[[1.5000, 2.0000]]]))
    """

    in_type: Representation
    out_type: Representation

    def __init__(self, rho: Representation, function: Function = torch.sigmoid) -> None:
        super().__init__()
        check_representation(rho, "GatedNonlinearity", POINTWISE)
        check_entrywise(function)
        self.in_type, self.out_type = rho.group.trivial() + rho, rho
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, 1 + rho.dim) -> (batch, channels, \\*rho.axes)."""
        self.check_input(x)
        gate, vector = x[..., :1], x[..., 1:]
        return (self.function(gate) * vector).reshape(*x.shape[:2], *self.out_type.axes)

    def extra_repr(self) -> str:
        return f"{function_name(self.function)} of a gate on {self.out_type}"


# ---- what a group does to entries ------------------------------------------------------------------------------------


def action_on_entries(type_: Type) -> Literal["permutes", "flips", "mixes"]:
    """What the group does to single entries: permutes them, permutes them and flips some signs, or mixes (or rescales) them.

    Generators and the Lie algebra decide: products of permutations are permutations.

    >>> from eqcourse.groups import SO, ReflectionGroup, SymmetricGroup
    >>> [action_on_entries(rho) for rho in (SymmetricGroup(3).defining(), ReflectionGroup().sign(), SO(2).defining())]
    ['permutes', 'flips', 'mixes']
    """
    if isinstance(type_, Family):
        return "permutes"
    group = type_.group
    if type_.is_signed_permutation:
        flips = any(bool((type_.signed_permutation(g)[1] < 0).any()) for g in group.generators)
        return "flips" if flips else "permutes"
    if any(bool((type_.lie_matrix(A).abs() > MATRIX_TOLERANCE).any()) for A in group.lie_algebra):
        return "mixes"
    matrices = [type_.matrix(g) for g in group.generators]
    if not all(_is_signed_permutation_matrix(matrix) for matrix in matrices):
        return "mixes"
    return "flips" if any(bool((matrix < -0.5).any()) for matrix in matrices) else "permutes"


def _is_signed_permutation_matrix(matrix: Tensor) -> bool:
    whole = matrix.round()
    # Whole numbers whose absolute values add up to 1 in each row and column: one ±1 in each.
    one_each = bool((whole.abs().sum(0) == 1).all()) and bool((whole.abs().sum(1) == 1).all())
    return one_each and torch.allclose(matrix, whole, rtol=0, atol=MATRIX_TOLERANCE)


def is_orthogonal(rho: Representation) -> bool:
    """Whether ρ keeps ‖x‖: MᵀM = 1 for the generators' matrices, A + Aᵀ = 0 on the Lie algebra."""
    if rho.is_signed_permutation:
        return True
    parts = rho.terms if isinstance(rho, DirectSum) else rho.factors if isinstance(rho, TensorProduct) else ()
    if parts and all(is_orthogonal(part) for part in parts):
        return True  # so that no large matrix is built
    eye = torch.eye(rho.dim, dtype=torch.float64)
    off = [M.mT @ M - eye for M in (rho.matrix(g) for g in rho.group.generators)]
    off += [A + A.mT for A in (rho.lie_matrix(A) for A in rho.group.lie_algebra)]
    return all(bool((difference.abs() <= MATRIX_TOLERANCE).all()) for difference in off)


def require_orthogonal(rho: Representation, who: str, instead: str) -> None:
    """Raise ``ValueError`` unless ρ is orthogonal, with advice what to take instead."""
    if not is_orthogonal(rho):
        raise ValueError(
            f"{who} needs an orthogonal representation, one that keeps the norm ‖x‖. {rho} does not (some elements stretch vectors, as "
            f"boosts do), so that ‖x‖ is not invariant: take {instead}"
        )


# ---- what a function does to numbers ---------------------------------------------------------------------------------


def function_name(function: Any) -> str:
    """A function or module in one line, without addresses, for messages and checkpoints."""
    if isinstance(function, torch.nn.Module):
        return " ".join(repr(function).split())
    if isinstance(function, functools.partial):
        options = [*map(repr, function.args), *(f"{name}={value!r}" for name, value in function.keywords.items())]
        return f"{function_name(function.func)}({', '.join(options)})"
    return getattr(function, "__name__", type(function).__name__)


def check_entrywise(function: Any, axes: int = 1) -> None:
    """Raise unless ``function`` acts on each number of an array (batch, channels, \\*axes) on its own, always alike.

    Tried in training mode on a copy, so that dropout shows and running averages are left alone.
    """
    if not callable(function):
        raise TypeError(f"an entrywise function is a callable such as torch.relu, got {function!r}")
    name = function_name(function)
    if isinstance(function, type):
        raise TypeError(f"{name} is a class: give an instance, {name}()")
    numbers = _numbers_for(function)
    shape = (len(numbers), 2, *[2] * axes)
    places = torch.arange(math.prod(shape), device=numbers.device).reshape(shape) % len(numbers)
    x = numbers[places]
    for f in _versions(function):
        whole = _values(f, x, name)
        if not bool(_agree(whole, _values(f, x, name), x).all()):
            raise ValueError(f"{name} gives different results for the same input, so that it cannot be equivariant")
        one_by_one = torch.cat([_values(f, t.reshape(1, 1, *[1] * axes), name).flatten() for t in numbers])
        wrong = ~_agree(whole, one_by_one[places], x)
        if bool(wrong.any()):
            place = int(wrong.flatten().int().argmax())
            t, got, alone = x.flatten()[place], whole.flatten()[place], one_by_one[places].flatten()[place]
            raise ValueError(
                f"{name} is not entrywise: at one entry {t:g} of an array of shape {shape} it gives {got:g}, and {alone:g} on {t:g} alone. "
                "A Pointwise function, a gate or a function of norms looks at one number at a time"
            )


def _check_allowed(function: Function, type_: Type) -> None:
    """Raise ``ValueError`` if an entrywise function breaks the action."""
    action = action_on_entries(type_)
    if action == "permutes":
        return
    name, t = function_name(function), _numbers_for(function)
    for number, f in enumerate(_versions(function)):
        value, one = _values(f, t, name), _values(f, torch.ones_like(t), name)
        expected = -_values(f, -t, name) if action == "flips" else one * t
        wrong = ~_agree(value, expected, t)
        if not bool(wrong.any()):
            continue
        place = int(wrong.int().argmax())
        at, got, other = t[place].item(), value[place].item(), expected[place].item()
        when = " for other values of its parameters" if number else ""
        if action == "flips":
            raise ValueError(
                f"{type_} flips signs, so that an entrywise function has to be odd, and {name} is not{when}: "
                f"{name}({-at:g}) = {-other:g}, but -{name}({at:g}) = {-got:g}. "
                "Take an odd function such as torch.tanh, NormNonlinearity or GatedNonlinearity"
            )
        norm = "NormNonlinearity, " if isinstance(type_, Representation) and is_orthogonal(type_) else ""
        raise ValueError(
            f"{type_} mixes entries, so that an entrywise function breaks it unless it is f(t) = c·t, and {name} is not{when}: "
            f"{name}({at:g}) = {got:g}, but {at:g}·{name}(1) = {other:g}. "
            f"Take {norm}GatedNonlinearity, TensorProduct or Invariants"
        )


def _numbers_for(function: Any) -> Tensor:
    """The numbers to try, as a module's parameters need them."""
    like = torch.empty(0, dtype=torch.float64)
    if isinstance(function, torch.nn.Module):
        held = [t for t in (*function.parameters(), *function.buffers()) if t.is_floating_point()]
        like = held[0].detach() if held else like
    return like.new_tensor(_NUMBERS)


def _versions(function: Any) -> list[Function]:
    """The function; a module as a copy in training mode, and once more with other values of what it learns."""
    if not isinstance(function, torch.nn.Module):
        return [function]
    present = copy.deepcopy(function).train()
    learned = [p for p in present.parameters() if p.requires_grad]
    if not learned:
        return [present]
    trained = copy.deepcopy(present)
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in trained.parameters():
            if p.requires_grad:
                p.add_(torch.rand(p.shape, generator=source).to(p))
    return [present, trained]


def _values(function: Function, x: Tensor, name: str) -> Tensor:
    """f(x), checked to be an array like x. f gets a copy: it may work in place."""
    try:
        with torch.no_grad():
            y = function(x.clone())
    except Exception as error:
        raise ValueError(
            f"{name} is not entrywise, which is to work on arrays of any shape: it failed on {tuple(x.shape)} of {x.dtype}: {error}"
        ) from error
    if not isinstance(y, Tensor):
        raise TypeError(f"{name} has to return a tensor, it returned {type(y).__name__}")
    if y.shape != x.shape or y.dtype != x.dtype:
        raise ValueError(
            f"{name} is not entrywise: it turns shape {tuple(x.shape)} of {x.dtype} into {tuple(y.shape)} of {y.dtype}"
        )
    return y


def _agree(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Where two results for the numbers t are equal up to rounding; so are NaN and NaN."""
    tolerance = TOLERANCES.get(t.dtype, max(TOLERANCES.values()))
    # Where f cancels, as t − tanh(t) does near 0, rounding is as large as that of t.
    return torch.isclose(a, b, rtol=tolerance, atol=torch.finfo(t.dtype).eps, equal_nan=True) | (
        (a - b).abs() <= torch.finfo(t.dtype).eps * 10 * t.abs()
    )
