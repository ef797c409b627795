"""Symmetric polynomial regression against other routes to the same numbers."""

import subprocess
import sys
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import eqcourse
from eqcourse import PolynomialRegression
from eqcourse.groups import ReflectionGroup

SYMMETRIES = [None, "symmetric", "antisymmetric"]
PARITY = {"symmetric": 1, "antisymmetric": -1}


def exponents(degree: int, symmetry: str | None) -> list[int]:
    kept = {None: (0, 1), "symmetric": (0,), "antisymmetric": (1,)}[symmetry]
    return [n for n in range(degree + 1) if n % 2 in kept]


def points(count: int = 40, seed: int = 0, size: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy points of a function with no symmetry, not placed symmetrically."""
    source = np.random.default_rng(seed)
    x = size * source.uniform(-0.7, 1, count)
    return x, np.exp(x / size) + np.sin(4 * x / size) + 0.1 * source.standard_normal(count)


def exact_fit(x: list[int], y: list[int], kept: list[int]) -> list[Fraction]:
    """The normal equations in rational numbers, by Gauss-Jordan elimination."""
    rows = [
        [Fraction(sum(a ** (n + m) for a in x)) for m in kept]
        + [Fraction(sum(b * a**n for a, b in zip(x, y, strict=True)))]
        for n in kept
    ]
    for i in range(len(kept)):
        pivot = next(k for k in range(i, len(kept)) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for k in range(len(kept)):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


# ---- the fit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [0, 1, 3, 6])
def test_plain_fit_equals_polyfit(degree: int) -> None:
    x, y = points()
    fit = PolynomialRegression(degree).fit(x, y)
    expected = np.polynomial.polynomial.polyfit(x, y, degree)
    np.testing.assert_allclose(fit.coefficients_, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fit.predict(x), np.polynomial.polynomial.polyval(x, expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@pytest.mark.parametrize("degree", [1, 2, 4, 5])
def test_fit_equals_normal_equations_of_the_unscaled_problem(degree: int, symmetry: str | None) -> None:
    x, y = points()
    kept = exponents(degree, symmetry)
    V = np.stack([x**n for n in kept], axis=1)
    expected = np.zeros(degree + 1)
    expected[kept] = np.linalg.solve(V.T @ V, V.T @ y)
    np.testing.assert_allclose(PolynomialRegression(degree, symmetry).fit(x, y).coefficients_, expected, rtol=1e-7)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_fit_equals_rational_arithmetic(symmetry: str | None) -> None:
    x, y = [-3, -1, 0, 2, 5, 7], [4, -1, 3, 0, 2, -6]
    fit = PolynomialRegression(4, symmetry).fit(x, y)
    expected = [float(c) for c in exact_fit(x, y, exponents(4, symmetry))]
    np.testing.assert_allclose(fit.coefficients_[fit.exponents_], expected, rtol=1e-12)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_residual_is_orthogonal_to_the_free_monomials_alone(symmetry: str | None) -> None:
    # What a projection is: what is left over has no component along what could be fitted.
    x, y = points(size=1.0)
    residual = y - PolynomialRegression(4, symmetry).fit(x, y).predict(x)
    products = np.array([abs(residual @ x**n) for n in range(5)])
    kept = exponents(4, symmetry)
    assert products[kept].max() < 1e-12
    if symmetry:
        assert np.delete(products, kept).min() > 1e-3


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_polynomials_in_the_space_are_found_exactly(symmetry: str | None) -> None:
    x = np.linspace(-2, 3, 30)
    true = np.zeros(8)
    true[exponents(7, symmetry)] = np.arange(1.0, 1 + len(exponents(7, symmetry)))
    fit = PolynomialRegression(7, symmetry).fit(x, np.polynomial.polynomial.polyval(x, true))
    np.testing.assert_allclose(fit.coefficients_, true, rtol=1e-9, atol=1e-9)
    assert fit.score(x, np.polynomial.polynomial.polyval(x, true)) == pytest.approx(1)


def test_a_badly_conditioned_fit_is_stable() -> None:
    # cond(V) is about 1e11: normal equations, which square it, would lose everything.
    x = np.linspace(-1, 1, 200)
    true = np.cos(np.arange(31))
    y = np.polynomial.polynomial.polyval(x, true)
    assert np.abs(PolynomialRegression(30).fit(x, y).predict(x) - y).max() < 1e-11
    assert PolynomialRegression(30).fit(x, y).coefficients_ == pytest.approx(true, abs=1e-3)


# ---- the symmetry --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetry", ["symmetric", "antisymmetric"])
@pytest.mark.parametrize("degree", [0, 3, 4, 9])
def test_predictions_have_the_parity_exactly(degree: int, symmetry: str) -> None:
    x, y = points()
    fit = PolynomialRegression(degree, symmetry).fit(x, y)
    new = np.random.default_rng(1).normal(size=1001) * 5
    assert (fit.predict(-new) == PARITY[symmetry] * fit.predict(new)).all()
    forced = np.setdiff1d(np.arange(degree + 1), exponents(degree, symmetry))
    assert (fit.coefficients_[forced] == 0).all()


@pytest.mark.parametrize("symmetry", ["symmetric", "antisymmetric"])
def test_reflected_copies_of_the_data_do_what_the_symmetry_does(symmetry: str) -> None:
    x, y = points()
    doubled = np.concatenate([x, -x]), np.concatenate([y, PARITY[symmetry] * y])
    augmented = PolynomialRegression(5).fit(*doubled)
    built_in = PolynomialRegression(5, symmetry).fit(x, y)
    forced = [n for n in range(6) if n not in exponents(5, symmetry)]
    assert np.abs(augmented.coefficients_[forced]).max() < 1e-12
    np.testing.assert_allclose(augmented.coefficients_, built_in.coefficients_, rtol=1e-9, atol=1e-12)


def test_a_plain_fit_of_data_placed_symmetrically_splits_into_the_two_others() -> None:
    x = np.linspace(-2, 2, 21)
    y = np.exp(x)
    even, odd, plain = (
        PolynomialRegression(5, s).fit(x, y).coefficients_ for s in ("symmetric", "antisymmetric", None)
    )
    np.testing.assert_allclose(even + odd, plain, rtol=1e-10)


def test_parameter_counts() -> None:
    assert [PolynomialRegression(4, symmetry).n_parameters for symmetry in SYMMETRIES] == [5, 3, 2]
    for degree in range(12):
        plain, even, odd = (PolynomialRegression(degree, symmetry).n_parameters for symmetry in SYMMETRIES)
        assert plain == even + odd == degree + 1
        assert even - odd == (degree + 1) % 2  # an odd degree: half each


@pytest.mark.parametrize("symmetry", ["symmetric", "antisymmetric"])
@pytest.mark.parametrize("degree", [0, 1, 4, 5])
def test_equals_solving_for_the_intertwiners_of_the_sign_action_on_monomials(degree: int, symmetry: str) -> None:
    G = ReflectionGroup()
    # (−x)ⁿ = (−1)ⁿ xⁿ: even monomials carry the trivial representation, odd ones the sign.
    action = [G.sign() if n % 2 else G.trivial() for n in range(degree + 1)]
    rho_monomials = sum(action[1:], start=action[0])
    rho_out = G.trivial() if symmetry == "symmetric" else G.sign()
    space = eqcourse.intertwiners(rho_monomials, rho_out)

    x, y = points()
    fit = PolynomialRegression(degree, symmetry).fit(x, y)
    assert space.dim == fit.n_parameters
    pattern = np.asarray(space.pattern).reshape(degree + 1)
    assert (pattern >= 0).nonzero()[0].tolist() == fit.exponents_.tolist()
    # Fit the weights of the solver's own basis, and compare the linear functionals that come out.
    basis = [space.expand(row).reshape(-1).numpy() for row in torch.eye(space.dim, dtype=torch.float64)]
    B = np.reshape(basis, (space.dim, degree + 1))
    weights = np.linalg.lstsq(x[:, None] ** np.arange(degree + 1) @ B.T, y, rcond=None)[0]
    np.testing.assert_allclose(weights @ B, fit.coefficients_, rtol=1e-9, atol=1e-12)


# ---- scale and ridge -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("factor", [1e6, 1e-6, 1e60])
def test_the_units_of_x_do_not_matter(symmetry: str | None, ridge: float, factor: float) -> None:
    x, y = points()
    one, other = (PolynomialRegression(4, symmetry, ridge).fit(s * x, y) for s in (1.0, factor))
    np.testing.assert_allclose(other.predict(factor * x), one.predict(x), rtol=1e-10)
    np.testing.assert_allclose(other.coefficients_ * factor ** np.arange(5.0), one.coefficients_, rtol=1e-9)


def test_predictions_survive_coefficients_that_underflow() -> None:
    x, y = points()
    fit = PolynomialRegression(4).fit(1e200 * x, y)
    assert np.isfinite(fit.coefficients_).all()
    np.testing.assert_allclose(fit.predict(1e200 * x), PolynomialRegression(4).fit(x, y).predict(x), rtol=1e-10)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@pytest.mark.parametrize("ridge", [1e-3, 2.0, 1e6])
def test_ridge_equals_its_closed_form_and_scikit_learn(symmetry: str | None, ridge: float) -> None:
    x, y = points()
    kept = exponents(5, symmetry)
    V = (x / np.abs(x).max())[:, None] ** np.array(kept)
    closed = np.linalg.solve(V.T @ V + ridge * np.eye(len(kept)), V.T @ y)
    fit = PolynomialRegression(5, symmetry, ridge=ridge).fit(x, y)
    found = fit.coefficients_[kept] * fit.scale_ ** np.array(kept)
    np.testing.assert_allclose(found, closed, rtol=1e-8)
    np.testing.assert_allclose(found, Ridge(ridge, fit_intercept=False, solver="svd").fit(V, y).coef_, rtol=1e-8)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_fewer_points_than_parameters_interpolate_with_least_norm(symmetry: str | None) -> None:
    x, y = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 3.0])
    model = PolynomialRegression(9, symmetry)
    with pytest.warns(UserWarning, match=rf"3 points determine only 3 of {model.n_parameters} parameters"):
        fit = model.fit(x, y)
    np.testing.assert_allclose(fit.predict(x), y, rtol=1e-10)
    kept = np.array(exponents(9, symmetry))
    V = (x / 2)[:, None] ** kept
    least = V.T @ np.linalg.solve(V @ V.T, y)
    np.testing.assert_allclose(fit.coefficients_[kept] * 2.0**kept, least, rtol=1e-9)
    # A small ridge goes to the same solution, and determines it: no warning.
    near = PolynomialRegression(9, symmetry, ridge=1e-10).fit(x, y)
    np.testing.assert_allclose(near.coefficients_, fit.coefficients_, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "symmetry", "rank"),
    [([1, 1, 1, 2, 2], None, 2), ([-1, 1, -2, 2, 2], "symmetric", 2), ([0, 0, 0, 1, -1], "antisymmetric", 1)],
)
def test_points_that_say_the_same_warn_too(x: list[int], symmetry: str | None, rank: int) -> None:
    model = PolynomialRegression(4, symmetry)
    with pytest.warns(UserWarning, match=f"5 points determine only {rank} of {model.n_parameters} parameters"):
        fit = model.fit(x, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert np.isfinite(fit.coefficients_).all()


def test_a_single_point() -> None:
    assert PolynomialRegression(0).fit([2.0], [5.0]).predict([7.0]) == pytest.approx([5])
    assert PolynomialRegression(1, "antisymmetric").fit([2.0], [5.0]).coefficients_ == pytest.approx([0, 2.5])


def test_the_antisymmetric_fit_of_degree_0_is_0() -> None:
    fit = PolynomialRegression(0, "antisymmetric").fit([1.0, 2.0], [3.0, 4.0])
    assert fit.n_parameters == 0
    assert fit.coefficients_.tolist() == [0]
    assert fit.predict([1.0, 5.0]).tolist() == [0, 0]


# ---- what goes in and comes out ------------------------------------------------------------------------------------


def test_lists_arrays_and_tensors_of_either_shape_give_the_same() -> None:
    x, y = [-1.0, 0.5, 1.0, 2.0, 3.0], [1.0, 2.0, 0.0, -1.0, 4.0]
    expected = PolynomialRegression(2).fit(x, y)
    assert expected.n_features_in_ == 1
    assert expected.exponents_.tolist() == [0, 1, 2]
    for kind in (
        np.array,
        lambda a: torch.tensor(a, requires_grad=True),
        lambda a: torch.tensor(a, dtype=torch.bfloat16),
    ):
        for shape in ((5,), (5, 1)):
            inputs = kind(x).reshape(shape)
            fit = PolynomialRegression(2).fit(inputs, kind(y))
            assert (fit.coefficients_ == expected.coefficients_).all()
            predicted = fit.predict(inputs)
            assert isinstance(predicted, np.ndarray)
            assert predicted.dtype == np.float64
            assert predicted.shape == (5,)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = PolynomialRegression(2).fit(x, torch.tensor(y)[:, None])
    assert (column.coefficients_ == expected.coefficients_).all()


def test_whole_numbers_are_not_computed_in_their_own_type() -> None:
    x = np.array([-100, 3, 100, 50], dtype=np.int8)
    assert PolynomialRegression(np.int8(2)).fit(x, x.astype(float) ** 2).coefficients_ == pytest.approx([0, 0, 1])


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1.0, np.nan], [1.0, 2.0], r"x contains NaN or inf: 1 of 2 entries, the first is x\[1\] = nan"),
        ([1.0, 2.0], [-np.inf, np.nan], r"y contains NaN or inf: 2 of 2 entries, the first is y\[0\] = -inf"),
        ([[1.0, 2.0]] * 3, [1.0] * 3, r"x is one number per point, of shape \(n,\) or \(n, 1\); got shape \(3, 2\)"),
        ([[[1.0]]], [1.0], r"got shape \(1, 1, 1\)"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], "got 3 x and 2 y"),
        ([1.0, 2.0], [[1.0, 2.0]] * 2, r"y is one number per point, of shape \(n,\); got shape \(2, 2\)"),
        ([], [], r"x is a list or an array .* 0 sample\(s\)"),
        (3.0, [1.0], r"x is one number per point.*\[3.0\]"),
        (torch.tensor(3.0), [1.0], "x is one number per point"),
        (["a"], [1.0], "x is a list or an array of real numbers.*could not convert"),
        (np.array([1j]), [1.0], "x is a list or an array of real numbers.*Complex"),
        ([0.0, -0.0], [1.0, 2.0], r"each x is 0 \(2 points\)"),
        ([1.0], None, "call fit"),
    ],
)
def test_bad_data_are_refused(x: object, y: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PolynomialRegression(1).fit(x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degree": -1}, "degree is an integer ≥ 0, got -1"),
        ({"degree": 2.0}, "degree is an integer ≥ 0, got 2.0"),
        ({"degree": True}, "degree is an integer ≥ 0, got True"),
        ({"degree": "3"}, "degree is an integer ≥ 0, got '3'"),
        ({"symmetry": "even"}, '"symmetric" or "antisymmetric", got \'even\''),
        ({"symmetry": ["symmetric"]}, "symmetry is None"),
    ],
)
def test_bad_parameters_are_refused_when_they_are_used(options: dict[str, object], message: str) -> None:
    model = PolynomialRegression(**options)
    with pytest.raises(ValueError, match=message):
        model.fit([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=message):
        _ = model.n_parameters


@pytest.mark.parametrize("ridge", [-1, -1e-9, np.nan, np.inf, "1", None])
def test_a_bad_ridge_is_refused(ridge: object) -> None:
    with pytest.raises(ValueError, match="ridge is a finite number ≥ 0"):
        PolynomialRegression(1, ridge=ridge).fit([1.0, 2.0], [1.0, 2.0])


def test_predict_needs_a_fit_and_good_inputs() -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        PolynomialRegression().predict([1.0])
    fit = PolynomialRegression(1).fit([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"got shape \(1, 2\)"):
        fit.predict([[1.0, 2.0]])
    with pytest.raises(ValueError, match="x contains NaN"):
        fit.predict([np.nan])
    assert fit.predict([0.0]) == pytest.approx([0])  # 0 is refused only if there is nothing else to fit


# ---- scikit-learn --------------------------------------------------------------------------------------------------


def test_clone_pipeline_and_grid_search() -> None:
    x, y = points(60)
    model = PolynomialRegression(4, symmetry="symmetric", ridge=0.5)
    copy = clone(model.fit(x, y))
    assert copy.get_params() == {"degree": 4, "symmetry": "symmetric", "ridge": 0.5}
    assert not hasattr(copy, "coefficients_")

    pipeline = make_pipeline(MaxAbsScaler(), PolynomialRegression(4)).fit(x[:, None], y)
    np.testing.assert_allclose(pipeline.predict(x[:, None]), PolynomialRegression(4).fit(x, y).predict(x), rtol=1e-9)

    x = np.linspace(-2, 2, 40)[np.random.default_rng(0).permutation(40)]
    grid = {"degree": [1, 2, 4], "symmetry": SYMMETRIES, "ridge": [0.0, 10.0]}
    search = GridSearchCV(PolynomialRegression(), grid, cv=4).fit(x, x**4 - x**2)
    assert search.best_params_["degree"] == 4
    assert search.best_params_["symmetry"] in (None, "symmetric")
    assert search.best_params_["ridge"] == 0
    np.testing.assert_allclose(cross_val_predict(search.best_estimator_, x[:, None], x**4), x**4, atol=1e-10)


class FirstFeature(PolynomialRegression):
    """scikit-learn's checks make up data of several features: this takes the first and leaves all else as it is."""

    def fit(self, X, y):
        X = X if issparse(X) else np.asarray(X)
        super().fit(self.first(X), y)
        self.n_features_in_ = X.shape[-1]
        return self

    def predict(self, X):
        return super().predict(self.first(X if issparse(X) else np.asarray(X)))

    @staticmethod
    def first(X):
        return X if issparse(X) or X.ndim == 1 else X[:, :1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = False
        tags.regressor_tags.poor_score = True  # one feature of ten
        return tags


EXPECTED_FAILURES = {
    "check_fit1d": "x of shape (n,) is welcome",
    "check_fit2d_predict1d": "x of shape (n,) is welcome",
    "check_n_features_in_after_fitting": "there is one feature, whatever FirstFeature was given",
}


@parametrize_with_checks(
    [FirstFeature(2), FirstFeature(2, "symmetric", ridge=0.1), FirstFeature(3, "antisymmetric")],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_scikit_learn_conventions(estimator: PolynomialRegression, check) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_the_top_level_name_is_resolved_when_asked_for() -> None:
    code = (
        "import sys, eqcourse\n"
        "assert 'PolynomialRegression' in dir(eqcourse) and 'PolynomialRegression' in eqcourse.__all__\n"
        "assert 'sklearn' not in sys.modules and 'eqcourse.polynomials' not in sys.modules\n"
        "assert eqcourse.PolynomialRegression(4).n_parameters == 5 and 'sklearn' in sys.modules\n"
        "from eqcourse import *\n"
        "assert PolynomialRegression is eqcourse.polynomials.PolynomialRegression\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(eqcourse.__file__).parents[1], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Polynomial'"):
        _ = eqcourse.Polynomial
