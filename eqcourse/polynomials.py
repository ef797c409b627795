"""Fit a polynomial whose graph has a symmetry: even (symmetric under x ↦ −x), odd (antisymmetric), or neither.

The reflection acts on the monomial xⁿ by (−1)ⁿ. A fit that has to be even keeps the even monomials and drops the odd
ones: about half of the parameters. The module imports scikit-learn, so ``import eqcourse`` loads it only when asked.
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.polynomial.polynomial import polyval
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

__all__ = ["PolynomialRegression"]

# The first exponent and the step to the next one.
EXPONENTS = {None: (0, 1), "symmetric": (0, 2), "antisymmetric": (1, 2)}


class PolynomialRegression(RegressorMixin, BaseEstimator):
    """Least-squares fit of f(x) = Σ c_n xⁿ with n ≤ degree: all n, even n ("symmetric") or odd n ("antisymmetric").

    A scikit-learn regressor of one feature. x: n numbers of shape (n,) or (n, 1), a list, NumPy array or tensor;
    y: shape (n,). ``predict`` returns a float64 array of shape (n,), and f(−x) = ±f(x) holds exactly. A tensor is
    detached: no gradient flows through a fit.

    - ``ridge`` ≥ 0 adds ridge · Σ (c_n sⁿ)² to the sum of squared residuals, where s = max|x| of the data. All terms
      count, the constant too, each by its size at |x| = s, so that the units of x do not matter.
    - After ``fit``: ``coefficients_`` (degree + 1,), of x as given, 0 where the symmetry forces it; ``exponents_``,
      those that are free; ``scale_`` = s; ``n_features_in_`` = 1. ``n_parameters`` counts the free coefficients, and is
      known before ``fit``.
    - Data that do not determine the coefficients (too few points that differ, or a degree too high for float64) give
      the solution with the smallest Σ (c_n sⁿ)², and a ``UserWarning``.

    Raises ``ValueError`` for NaN, infinity or wrong shapes in x or y, x without a nonzero number, a degree that is no
    integer ≥ 0, an unknown symmetry, a ridge that is no finite number ≥ 0; ``TypeError`` for x or y of objects or
    sparse matrices; ``sklearn.exceptions.NotFittedError`` for ``predict`` before ``fit``.

    Source: QR on the monomials of x / s, and the singular value decomposition where these have no full rank (Golub and
    Van Loan, Matrix Computations, 4th edition, chapter 5; ridge regression: chapter 6). Never a shift of x: it would
    break the parity.

    >>> x, y = [-2, -1, 0, 1, 2], [9, 4, 1, 0, 1]  # y = x² − 2x + 1
    >>> fit = PolynomialRegression(degree=2, symmetry="symmetric").fit(x, y)
    >>> fit.n_parameters, fit.exponents_, fit.coefficients_.round(6)
    (2, array([0, 2]), array([1., 0., 1.]))
    >>> PolynomialRegression(degree=2, symmetry="antisymmetric").fit(x, y).predict([3.0]).round(6)
    array([-6.])
    """

    def __init__(self, degree: int = 3, symmetry: str | None = None, ridge: float = 0.0) -> None:
        self.degree = degree
        self.symmetry = symmetry
        self.ridge = ridge

    @property
    def n_parameters(self) -> int:
        """The number of free coefficients; raises ``ValueError`` for a bad degree or symmetry.

        >>> [PolynomialRegression(4, symmetry).n_parameters for symmetry in (None, "symmetric", "antisymmetric")]
        [5, 3, 2]
        """
        return len(self._exponents())

    def fit(self, x: Any, y: Any) -> PolynomialRegression:
        """Fit the coefficients to points (x, y) and return self; see the class for shapes and errors."""
        exponents = np.array(self._exponents(), dtype=np.int64)
        ridge = self.ridge
        if not (isinstance(ridge, Real) and np.isfinite(ridge) and ridge >= 0):
            raise ValueError(f"ridge is a finite number ≥ 0 (0 for plain least squares), got {ridge!r}")
        if y is None:
            raise ValueError("PolynomialRegression requires y to be passed, but the target y is None: call fit(x, y)")
        x, y = _feature(x), _target(y)
        if len(x) != len(y):
            raise ValueError(f"x and y need one entry per point, got {len(x)} x and {len(y)} y")
        scale = float(np.abs(x).max())
        if scale == 0:
            raise ValueError(f"each x is 0 ({_points(len(x))}): a polynomial needs at least one x that is not 0")

        scaled = np.zeros(int(self.degree) + 1)
        monomials = (x / scale)[:, None] ** exponents
        if ridge > 0:
            # A ridge is a further equation √ridge · c = 0 for each coefficient.
            monomials = np.vstack([monomials, np.sqrt(ridge) * np.eye(len(exponents))])
            y = np.concatenate([y, np.zeros(len(exponents))])
        if len(exponents):
            scaled[exponents] = self._solve(monomials, y, len(x))
        self.scale_: float = scale
        self.exponents_ = exponents
        self.n_features_in_ = 1
        self._scaled_coefficients: np.ndarray = scaled
        self.coefficients_ = scaled.copy()
        # One division at a time: sⁿ itself may overflow.
        for n in range(1, len(scaled)):
            self.coefficients_[n:] /= scale
        return self

    def predict(self, x: Any) -> np.ndarray:
        """The values f(x), float64 of shape (n,); x of shape (n,) or (n, 1)."""
        check_is_fitted(self)
        # Horner's rule, entry by entry: rounding treats −x as it treats x.
        values: np.ndarray = polyval(_feature(x) / self.scale_, self._scaled_coefficients)
        return values

    def _exponents(self) -> range:
        degree = self.degree
        if not isinstance(degree, Integral) or isinstance(degree, bool) or degree < 0:
            raise ValueError(f"degree is an integer ≥ 0, got {degree!r}")
        if not (self.symmetry is None or isinstance(self.symmetry, str)) or self.symmetry not in EXPONENTS:
            raise ValueError(f'symmetry is None, "symmetric" or "antisymmetric", got {self.symmetry!r}')
        first, step = EXPONENTS[self.symmetry]
        return range(first, int(degree) + 1, step)

    def _solve(self, A: np.ndarray, y: np.ndarray, points: int) -> np.ndarray:
        q, r = np.linalg.qr(A)
        rank = int(np.linalg.matrix_rank(r))
        if rank == A.shape[1]:
            return np.linalg.solve(r, q.T @ y)
        warnings.warn(
            f"{_points(points)} determine only {rank} of {A.shape[1]} parameters (in float64): of all best fits the "
            "one with the smallest coefficients is taken. Give more points with different x, a lower degree, or a "
            "larger ridge",
            stacklevel=3,
        )
        return np.linalg.lstsq(A, y, rcond=None)[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        return tags


# ---- helpers -------------------------------------------------------------------------------------------------------


def _feature(x: Any) -> np.ndarray:
    """The inputs as a float64 array of shape (n,)."""
    x = _array(x, "x")
    if x.ndim == 2 and x.shape[1] == 1:
        return x[:, 0]
    if x.ndim != 1:
        raise ValueError(f"x is one number per point, of shape (n,) or (n, 1); got shape {x.shape}. Give one column")
    return x


def _target(y: Any) -> np.ndarray:
    """The outputs as a float64 array of shape (n,); scikit-learn warns of shape (n, 1) and flattens it."""
    y = _array(y, "y")
    if y.ndim != 1 and not (y.ndim == 2 and y.shape[1] == 1):
        raise ValueError(f"y is one number per point, of shape (n,); got shape {y.shape}. Fit one output at a time")
    return column_or_1d(y, warn=True)


def _array(values: Any, name: str) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        # NumPy has no bfloat16.
        values = (values.double() if values.is_floating_point() else values).numpy()
    if np.isscalar(values) or getattr(values, "ndim", 1) == 0:
        raise ValueError(f"{name} is one number per point, of shape (n,); got {values!r}. A single point is [{values}]")
    try:
        with config_context(assume_finite=True):  # what is not finite is told below, with its place
            array = check_array(values, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name=name)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} is a list or an array of real numbers, of shape (n,): {error}") from error
    bad = ~np.isfinite(array)
    if bad.any():
        # `inf` and `NaN` are the words that scikit-learn's own checks look for.
        first = tuple(map(int, np.argwhere(bad)[0]))
        raise ValueError(
            f"{name} contains NaN or inf: {int(bad.sum())} of {array.size} entries, the first is "
            f"{name}[{', '.join(map(str, first))}] = {array[first]}. Leave such points out"
        )
    return array


def _points(count: int) -> str:
    return f"{count} point{'' if count == 1 else 's'}"
