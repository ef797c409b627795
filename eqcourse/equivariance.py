"""Does a map respect a symmetry? Measure it, assert it with a counterexample, or make it so by averaging.

A map f is equivariant if acting first and mapping first give the same: f(g▷x) = g▷f(x) for all group elements g and inputs x. It is
invariant if the action on the output is trivial. A computer tries some g and some x; ``Evidence`` says which, and whether that is a proof.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .groups import SO, Group, O, as_generator
from .representations import Representation, _element_text, _factors_to_try, _require_type, _scaled, check_homomorphism

__all__ = [
    "Counterexample",
    "EquivarianceError",
    "Evidence",
    "assert_action",
    "assert_equivariant",
    "equivariance_error",
    "group_average",
]

# Relative difference up to which two results count as equal. Both paths round differently: a sum over a reordered set, a matrix product.
TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-3, torch.float16: 5e-2, torch.bfloat16: 5e-2}
# Groups up to this order are tested on all elements.
MAX_TESTED = 120
# Groups up to this order are tested on all pairs of elements.
MAX_PAIRED = 24
# Groups up to this order are averaged over all elements.
MAX_AVERAGED = 10_000

Map = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Evidence:
    """What an equivariance error rests on.

    ``elements``: "all 6", "generators" (enough, as both actions were checked to be homomorphisms), "12 sampled", …
    ``inputs``: "basis (linear f: a proof)" or "16 sampled (a test, not a proof)".
    """

    elements: str
    inputs: str
    proof: bool

    def __str__(self) -> str:
        return f"elements: {self.elements}; inputs: {self.inputs}"


@dataclass(frozen=True)
class Counterexample:
    """One g and x for which the two paths differ."""

    element: Any
    input: Tensor
    moved_input: Tensor
    map_after_action: Tensor
    action_after_map: Tensor
    error: float

    def __str__(self) -> str:
        difference = (self.map_after_action - self.action_after_map).abs().max().item()
        rows = {
            "g": _element_text(self.element),
            "x": _array_text(self.input),
            "g▷x": _array_text(self.moved_input),
            "f(g▷x)": _array_text(self.map_after_action),
            "g▷f(x)": _array_text(self.action_after_map),
            "difference": f"{difference:.3g} (relative {self.error:.2g})",
        }
        return "\n".join(f"  {name:<10} = {text}" for name, text in rows.items())


@dataclass(frozen=True)
class EquivarianceError:
    """How far f is from equivariant: the worst relative difference found, and the evidence behind it. ``float(result)`` is the error."""

    error: float
    tolerance: float
    evidence: Evidence
    counterexample: Counterexample | None
    constant: bool

    @property
    def passed(self) -> bool:
        """Whether no difference above the tolerance was found."""
        return self.error <= self.tolerance

    def __float__(self) -> float:
        return self.error

    def __repr__(self) -> str:
        # Rounding errors differ from machine to machine, so that an error below the tolerance is not spelled out.
        size = f"≤ {self.tolerance:g}" if self.passed else f"{self.error:.2g}"
        note = (
            "; f gave the same output for every input, and a constant passes every invariance test"
            if self.constant
            else ""
        )
        return f"equivariance error {size} ({self.evidence}{note})"


def equivariance_error(
    f: Map,
    rho_in: Representation,
    rho_out: Representation,
    *,
    linear: bool = False,
    inputs: Sequence[Any] | None = None,
    samples: int = 16,
    elements: str | int = "auto",
    leading: tuple[int, ...] = (),
    dtype: torch.dtype = torch.float64,
    tolerance: float | None = None,
    seed: int = 0,
) -> EquivarianceError:
    """The worst relative difference max|f(g▷x) − g▷f(x)| / max(|f(g▷x)|, |g▷f(x)|) over group elements g and inputs x.

    f takes one array of shape (\\*leading, \\*rho_in.axes) and returns one with trailing shape ``rho_out.axes``. For invariance give a
    trivial ``rho_out``. The actions are computed in float64, f in ``dtype`` (complex inputs in its complex counterpart); the default
    ``tolerance`` belongs to that dtype.

    - ``inputs``: your own; otherwise ``samples`` asymmetric ones of several sizes. That is a test, never a proof.
    - ``linear=True``: f is linear (checked on sums); a basis is tried, and that is a proof up to rounding.
    - ``elements``: ``"all"``, ``"generators"``, a number to sample, or ``"auto"``: all of a small group; generators and 8 sampled ones of
      a larger one; for a Lie group discrete generators, exponentials of its algebra and 8 sampled ones (if f is linear, the algebra
      itself). Generators count as evidence for the whole group only after both actions passed ``check_homomorphism``.

    Outputs so small that they are rounding noise of the input are measured against the input's size.

    Raises ``ValueError`` for actions of different groups, a wrong output shape, NaN or infinity in inputs or outputs, nothing to try, an f
    that is not linear though ``linear=True``; ``TypeError`` for an output that is no array, or a ``rho`` that is no representation.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> equivariance_error(lambda x: x - x.mean(), V, V, linear=True)
    equivariance error ≤ 1e-09 (elements: all 6; inputs: basis (linear f: a proof))
    >>> result = equivariance_error(lambda x: x.cumsum(0), V, V)
    >>> result.passed, round(float(result), 2)
    (False, 1.65)
    """
    _require_type(rho_in, name="rho_in")
    _require_type(rho_out, name="rho_out")
    if rho_in.group != rho_out.group:
        raise ValueError(f"input and output need actions of one group, got {rho_in} and {rho_out}")
    if dtype not in TOLERANCES:
        raise ValueError(f"f is computed in one of {', '.join(map(str, TOLERANCES))}; got dtype={dtype}")
    tolerance = TOLERANCES[dtype] if tolerance is None else tolerance
    # With tolerance 0 nothing passes for rounding noise.
    trial = _Trial(f, rho_in, rho_out, dtype, torch.finfo(dtype).eps / tolerance if tolerance else 0.0)
    if linear and inputs is not None:
        raise ValueError("with linear=True a basis is tried: leave out inputs, or leave out linear=True to test yours")
    if linear:
        xs = list(torch.eye(rho_in.dim * math.prod(leading), dtype=torch.float64).reshape(-1, *leading, *rho_in.axes))
        trial.require_linear(leading, tolerance, seed)
        inputs_text = "basis (linear f: a proof)"
    elif inputs is not None:
        xs = [_checked_input(x, rho_in, number) for number, x in enumerate(inputs)]
        if not xs:
            raise ValueError("inputs is empty: without an input to try, every map would pass")
        inputs_text = f"{len(xs)} given (a test, not a proof)"
    else:
        xs = _sample_inputs((*leading, *rho_in.axes), samples, seed)
        inputs_text = f"{len(xs)} sampled (a test, not a proof)"
    gs, elements_text, whole_group = _choose_elements(rho_in, rho_out, elements, linear, seed)

    worst, counterexample = 0.0, None
    outputs = []
    for x in xs:
        y = trial.output(x)
        outputs.append(y)
        for g in gs:
            found = trial.compare(g, x, y)
            worst = max(worst, found.error)
            # Inputs and elements are tried in order of simplicity: the first failure is the one to show.
            if counterexample is None and found.error > tolerance:
                counterexample = found
        if linear:
            off = trial.algebra_error(x, y)
            worst = max(worst, off)
            if counterexample is None and off > tolerance:
                # An element shows more than a derivative: go some way along the algebra.
                tried = (trial.compare(g, x, y) for g in _flows(rho_in.group))
                counterexample = next((found for found in tried if found.error > tolerance), None)
    constant = len(outputs) > 1 and not linear and all(torch.equal(y, outputs[0]) for y in outputs[1:])
    evidence = Evidence(elements_text, inputs_text, proof=linear and whole_group)
    return EquivarianceError(worst, tolerance, evidence, counterexample, constant)


def assert_equivariant(f: Map, rho_in: Representation, rho_out: Representation, **options: Any) -> EquivarianceError:
    """Raise ``AssertionError`` with the smallest counterexample found if f is not equivariant; return the result if it is.

    Takes the options of ``equivariance_error``.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> assert_equivariant(lambda x: x * torch.tensor([1.0, 2.0, 3.0]), V, V)
    Traceback (most recent call last):
    AssertionError: f is not equivariant from R³ to R³ of S_3:
      g          = [1, 0, 2]
      x          = [10, 20, 30]
      g▷x        = [20, 10, 30]
      f(g▷x)     = [20, 20, 90]
      g▷f(x)     = [40, 10, 90]
      difference = 20 (relative 0.22)
    """
    result = equivariance_error(f, rho_in, rho_out, **options)
    if not result.passed:
        what = f"f is not equivariant from {rho_in.name} to {rho_out.name} of {rho_in.group}"
        shown = result.counterexample or f"  its derivative along the Lie algebra is off by {result.error:.2g}"
        raise AssertionError(f"{what}:\n{shown}")
    return result


def assert_action(group: Group, act: Callable[[Any, Tensor], Any], inputs: Sequence[Any], seed: int = 0) -> str:
    """Check that ``act(g, x)`` is an action: the identity changes nothing, and g▷(h▷x) = (gh)▷x. Says what was checked.

    On the given inputs, all pairs of a group of at most 24 elements are tried; of a larger one all g (24 sampled ones beyond
    120 elements) with all generators h: if that holds for every input, a product of generators acts as it should, step by step. Raises
    ``AssertionError`` with the first failing g, h and x; ``ValueError`` for no inputs, or NaN or infinity in one.

    >>> from eqcourse.groups import SymmetricGroup
    >>> S3 = SymmetricGroup(3)
    >>> assert_action(S3, lambda g, x: x[g], [torch.tensor([10, 20, 30])])
    Traceback (most recent call last):
    AssertionError: not an action of S_3: g▷(h▷x) differs from (gh)▷x
      g       = [0, 2, 1]
      h       = [1, 0, 2]
      x       = [10, 20, 30]
      g▷(h▷x) = [20, 30, 10]
      (gh)▷x  = [30, 10, 20]
    """
    if len(inputs) == 0:
        raise ValueError("inputs is empty: without an input to try, everything would be an action")
    gs, hs, how = _factors_to_try(group, as_generator(seed), listed=MAX_TESTED, sampled=24)
    if group.order <= MAX_PAIRED:
        hs, how = gs, f"all {len(gs) ** 2} pairs of elements"

    def acted(g: Any, x: Tensor) -> Tensor:
        return _as_array(act(g, x.clone()), "act")

    for number, x in enumerate(map(torch.as_tensor, inputs)):
        _require_finite(x, number)
        unchanged = acted(group.identity, x)
        if not _equal(unchanged, x):
            raise AssertionError(
                f"not an action of {group}: the identity changes x\n"
                f"  x           = {_array_text(x)}\n  identity▷x  = {_array_text(unchanged)}"
            )
        for g, h in itertools.product(gs, hs):
            one_by_one, at_once = acted(g, acted(h, x)), acted(group.compose(g, h), x)
            if not _equal(one_by_one, at_once):
                raise AssertionError(
                    f"not an action of {group}: g▷(h▷x) differs from (gh)▷x\n"
                    f"  g       = {_element_text(g)}\n  h       = {_element_text(h)}\n  x       = {_array_text(x)}\n"
                    f"  g▷(h▷x) = {_array_text(one_by_one)}\n  (gh)▷x  = {_array_text(at_once)}"
                )
    return f"{how}, on {len(inputs)} input{'s' if len(inputs) > 1 else ''}"


@dataclass(frozen=True)
class GroupAverage:
    """The map x ↦ Σ w_g g▷f(g⁻¹▷x), made by ``group_average``; ``how`` says over which elements the average runs."""

    f: Map
    rho_in: Representation
    rho_out: Representation
    elements: list[Any]
    weights: list[float]
    how: str

    def __call__(self, x: Tensor) -> Tensor:
        total: Any = 0.0
        for g, weight in zip(self.elements, self.weights, strict=True):
            turned_back = self.rho_in.act(self.rho_in.group.inverse(g), x)
            total = total + weight * self.rho_out.act(g, _floating(_as_array(self.f(turned_back))))
        return total

    def __repr__(self) -> str:
        return f"average over {self.rho_in.group} ({self.how})"


def group_average(
    f: Map, rho_in: Representation, rho_out: Representation, *, samples: int | None = None, seed: int = 0
) -> GroupAverage:
    """Make any map equivariant by averaging g▷f(g⁻¹▷x) over the group (the Reynolds operator).

    - finite groups of at most 10,000 elements: all of them, exact;
    - SO(2), O(2), SO(3), O(3): quadrature, exact for maps whose dependence on the rotation has frequency below 32 (plane) or 8 (space);
    - other finite or compact groups, or with ``samples``: that many samples (``group.sampling`` says how they are drawn), so that the
      result is only roughly equivariant.

    Raises ``ValueError`` for groups that are not compact (Lorentz): they have no uniform average. An average can also lose everything:
    an f that prefers one direction may average to zero.

    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> first = group_average(lambda x: x[:1], V, V.group.trivial())
    >>> first(torch.tensor([1.0, 2.0, 6.0])), first.how
    (tensor([3.]), 'exact: all 6 elements')
    """
    group = rho_in.group
    if group != rho_out.group:
        raise ValueError(f"input and output need actions of one group, got {rho_in} and {rho_out}")
    if samples is not None and samples < 1:
        raise ValueError(f"samples is the number of elements to average over, at least 1; got {samples}")
    if not group.is_compact:
        raise ValueError(f"{group} is not compact: there is no uniform distribution to average over")
    if samples is not None:
        gs = [group.sample(source) for source in [as_generator(seed)] for _ in range(samples)]
        return GroupAverage(f, rho_in, rho_out, gs, [1 / samples] * samples, f"approximate: {samples} samples")
    if group.order <= MAX_AVERAGED:
        gs = list(group.elements())
        return GroupAverage(f, rho_in, rho_out, gs, [1 / len(gs)] * len(gs), f"exact: all {len(gs)} elements")
    if isinstance(group, (SO, O)) and group.n in (2, 3):
        gs, weights = _quadrature(group)
        return GroupAverage(f, rho_in, rho_out, gs, weights, f"quadrature: {len(gs)} nodes")
    size = "infinitely many" if group.order == math.inf else f"about 10^{math.log10(group.order):.0f}"
    raise ValueError(f"{group} has {size} elements: say over how many random ones to average, for example samples=1000")


# ---- helpers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Trial:
    """One map and its two actions, with the checks on what goes in and comes out."""

    f: Map
    rho_in: Representation
    rho_out: Representation
    dtype: torch.dtype
    noise: float  # outputs below noise × input are rounding errors of cancelled terms

    def output(self, x: Tensor) -> Tensor:
        # A copy, so that a map that works in place does not change the x that the other path starts from.
        y = _as_array(self.f(x.to(self.dtype.to_complex() if x.is_complex() else self.dtype, copy=True))).detach()
        axes = self.rho_out.axes
        if y.ndim < len(axes) or tuple(y.shape[y.ndim - len(axes) :]) != axes:
            hint = " (keep the axis, as in x.sum(-1, keepdim=True))" if axes == (1,) else ""
            raise ValueError(
                f"f returned an array of shape {tuple(y.shape)}, but {self.rho_out} needs trailing shape {axes}{hint}"
            )
        y = y if y.is_complex() else y.to(torch.float64)
        if not bool(torch.isfinite(y).all()):
            raise ValueError(f"f returned NaN or infinity for x = {_array_text(x)}")
        return y

    def compare(self, g: Any, x: Tensor, y: Tensor) -> Counterexample:
        moved = self.rho_in.act(g, x)
        left, right = self.output(moved), self.rho_out.act(g, y)
        if left.shape != right.shape:
            raise ValueError(f"f returned shape {tuple(left.shape)} for g▷x, but {tuple(right.shape)} for x")
        return Counterexample(g, x, moved, left, right, self._relative(left - right, left, right, x))

    def algebra_error(self, x: Tensor, y: Tensor) -> float:
        """The same for the Lie algebra of a linear f: |f(dρ_in(A) x) − dρ_out(A) f(x)|."""
        worst = 0.0
        for A in self.rho_in.group.lie_algebra:
            moved = _apply_matrix(self.rho_in.lie_matrix(A), x, len(self.rho_in.axes))
            left = self.output(moved)
            right = _apply_matrix(self.rho_out.lie_matrix(A), y, len(self.rho_out.axes))
            worst = max(worst, self._relative(left - right, left, right, x))
        return worst

    def _relative(self, difference: Tensor, left: Tensor, right: Tensor, x: Tensor) -> float:
        scale = max(_size(left), _size(right), self.noise * _size(x))
        return _size(difference) / scale if scale else 0.0

    def require_linear(self, leading: tuple[int, ...], tolerance: float, seed: int) -> None:
        a, b = torch.randn(2, *leading, *self.rho_in.axes, dtype=torch.float64, generator=as_generator(seed))
        parts, whole = 2 * self.output(a) - 3 * self.output(b), self.output(2 * a - 3 * b)
        if self._relative(parts - whole, parts, whole, a) > tolerance:
            raise ValueError("f is not linear: f(2a − 3b) differs from 2f(a) − 3f(b). Leave out linear=True")


def _choose_elements(
    rho_in: Representation, rho_out: Representation, elements: str | int, linear: bool, seed: int
) -> tuple[list[Any], str, bool]:
    """The elements to try, simplest first; their description; whether they stand for the whole group."""
    group = rho_in.group
    source = as_generator(seed)
    if isinstance(elements, int) and not isinstance(elements, bool) and elements > 0:
        return [group.sample(source) for _ in range(elements)], f"{elements} sampled", False
    if elements not in ("auto", "all", "generators"):
        raise ValueError(f'elements is "auto", "all", "generators" or a positive number to sample, got {elements!r}')
    if elements == "all" or (elements == "auto" and group.order <= MAX_TESTED):
        everything = list(group.elements())
        first = {group.key(s) for s in group.generators}
        # Generators first: they make the simplest counterexamples.
        everything.sort(key=lambda g: group.key(g) not in first)
        return everything, f"all {len(everything)}", True
    # Generators speak for the group only if the actions are homomorphisms.
    check_homomorphism(rho_in)
    checked = f"both actions checked on {check_homomorphism(rho_out)}"
    generators = list(group.generators)
    if linear and group.lie_algebra:
        return generators, f"Lie algebra and discrete generators ({checked})", True
    if group.lie_algebra:
        flows = _flows(group)
        sampled = [group.sample(source) for _ in range(8)]
        how = f"{len(generators)} discrete generators, {len(flows)} exponentials of the Lie algebra, {len(sampled)} sampled"
        return [*generators, *flows, *sampled], how, False
    if elements == "generators" or linear:
        return generators, f"generators ({checked})", True
    return [*generators, *(group.sample(source) for _ in range(8))], f"generators ({checked}) and 8 sampled", True


def _sample_inputs(shape: tuple[int, ...], count: int, seed: int) -> list[Tensor]:
    """Asymmetric inputs, the simplest first: 10, 20, 30, …; small integers; normal numbers of several sizes."""
    if count < 1:
        raise ValueError(f"samples is the number of inputs to try, at least 1; got {count}")
    source = as_generator(seed)
    xs = [10.0 * torch.arange(1, math.prod(shape) + 1, dtype=torch.float64).reshape(shape)]
    xs += [torch.randint(-5, 6, shape, generator=source).double() for _ in range(count // 4)]
    sizes = itertools.cycle([1.0, 0.1, 10.0, 100.0])
    while len(xs) < count:
        xs.append(next(sizes) * torch.randn(shape, dtype=torch.float64, generator=source))
    return xs[:count]


def _checked_input(x: Any, rho_in: Representation, number: int) -> Tensor:
    x = torch.as_tensor(x)
    x = x if x.is_complex() else x.to(torch.float64)
    _require_finite(x, number)
    if tuple(x.shape[max(0, x.ndim - len(rho_in.axes)) :]) != rho_in.axes:
        raise ValueError(
            f"input number {number} has shape {tuple(x.shape)}, but {rho_in} needs trailing shape {rho_in.axes}"
        )
    return x


def _require_finite(x: Tensor, number: int) -> None:
    if not bool(torch.isfinite(x).all()):
        raise ValueError(f"input number {number} contains NaN or infinity")


def _quadrature(group: SO | O) -> tuple[list[Tensor], list[float]]:
    """Elements and weights that average over SO(2), SO(3), O(2), O(3) exactly up to a frequency."""
    rotations = SO(group.n)
    if group.n == 2:
        nodes = [rotations.rotation(2 * math.pi * k / 32) for k in range(32)]
        weights = [1 / 32] * 32
    else:
        # Euler angles g = Rz(α) Ry(β) Rz(γ): equal steps in α and γ, Gauss–Legendre in cos β.
        angles = [2 * math.pi * k / 8 for k in range(8)]
        heights, masses = np.polynomial.legendre.leggauss(4)
        nodes, weights = [], []
        for a, (height, mass), c in itertools.product(angles, zip(heights, masses, strict=True), angles):
            tilt = rotations.rotation(math.acos(height), axis=1)
            nodes.append(rotations.rotation(a) @ tilt @ rotations.rotation(c))
            weights.append(float(mass) / 2 / len(angles) ** 2)
    if isinstance(group, O):
        nodes += [g @ group.generators[0] for g in nodes]
        weights = [w / 2 for w in weights + weights]
    return nodes, weights


def _flows(group: Group) -> list[Any]:
    """One step of a different size along each direction of the Lie algebra."""
    return [group.exp(_scaled(A, 0.3 + 0.1 * i)) for i, A in enumerate(group.lie_algebra)]


def _apply_matrix(matrix: Tensor, x: Tensor, axes: int) -> Tensor:
    lead = x.shape[: x.ndim - axes]
    return (x.reshape(*lead, -1) @ matrix.to(x.dtype).mT).reshape(x.shape)


def _as_array(y: Any, source: str = "f") -> Tensor:
    """What f, or another source, returned, as a tensor."""
    try:
        return torch.as_tensor(y)
    except (TypeError, ValueError, RuntimeError) as error:
        hint = " Is there a return?" if y is None else ""
        raise TypeError(f"{source} has to return an array of numbers; it returned {y!r}.{hint}") from error


def _floating(y: Tensor) -> Tensor:
    return y if y.is_floating_point() or y.is_complex() else y.to(torch.get_default_dtype())


def _size(x: Tensor) -> float:
    return x.abs().max().item() if x.numel() else 0.0


def _equal(a: Tensor, b: Tensor) -> bool:
    # Whole numbers, which no action rounds, get the finest tolerance.
    off = max(TOLERANCES.get(y.real.dtype, TOLERANCES[torch.float64]) for y in (a, b))
    return a.shape == b.shape and torch.allclose(a.to(torch.complex128), b.to(torch.complex128), rtol=off, atol=off)


def _array_text(x: Tensor) -> str:
    """An array in one line: up to 12 entries, at most four decimals, no trailing zeros."""

    def number(value: Any) -> str:
        return f"{value:.5g}" if isinstance(value, (int, float, complex)) else str(value)

    def nested(values: Any) -> str:
        return "[" + ", ".join(map(nested, values)) + "]" if isinstance(values, list) else number(values)

    if x.numel() <= 12:
        return nested(x.tolist())
    return f"{nested(x.flatten()[:6].tolist())[:-1]}, …] (shape {tuple(x.shape)})"
