"""Other right answers for the tasks of sheet 03, and what is particular to its checks."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from numpy.polynomial import Chebyshev, Polynomial

from eqcourse import PolynomialRegression
from eqcourse.checks import find_task, verdict
from eqcourse.equivariance import group_average
from eqcourse.groups import ReflectionGroup
from eqcourse.tasks import sheet_03

SIGN = {"symmetric": 1, "antisymmetric": -1}


def powers_of_the_library(degree, symmetry):
    return PolynomialRegression(degree, symmetry).fit(range(1, degree + 3), [0.0] * (degree + 2)).exponents_


def powers_backwards(degree, symmetry):
    return tuple(n for n in range(degree, -1, -1) if (-1) ** n == SIGN[symmetry])


def basis_of_chebyshev_polynomials(x, degree, symmetry):
    """T_n has the parity of n."""
    allowed = [n for n in range(degree + 1) if (-1) ** n == SIGN[symmetry]]
    columns = [Chebyshev.basis(n)(np.array(x)) for n in allowed]
    return torch.tensor(np.array(columns)).reshape(len(allowed), len(x)).T


def mixed_basis(x, degree, symmetry):
    """The averages of all powers, mixed so that no column is a single power; the signs are negative."""
    x = np.array(x, dtype=float)
    averages = np.stack([(x**n + SIGN[symmetry] * (-x) ** n) / 2 for n in range(degree + 1)], axis=1)
    return -averages[:, [n for n in range(degree + 1) if (-1) ** n == SIGN[symmetry]]].cumsum(axis=1)


def orthonormal_basis(x, degree, symmetry):
    """The same span at these places, by columns that depend on all of them: not functions of x."""
    return np.linalg.qr(mixed_basis(x, degree, symmetry))[0]


def count_by_trace(degree):
    D = np.diag((-1.0) ** np.arange(degree + 1))
    even, odd = (round(np.trace(np.eye(degree + 1) + s * D) / 2) for s in (1, -1))
    return even, odd, even == odd


def count_by_library(degree):
    even, odd = (PolynomialRegression(degree, s).n_parameters for s in ("symmetric", "antisymmetric"))
    return np.array([even, odd, degree % 2])


def one_side_by_library(x, y, degree, symmetry, new):
    return PolynomialRegression(degree, symmetry).fit(x, y).predict(new)


def one_side_by_copies(x, y, degree, symmetry, new):
    """The plain fit to the points and all their mirrored copies."""
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    doubled = np.concatenate([x, -x]), np.concatenate([y, SIGN[symmetry] * y])
    return [float(v) for v in Polynomial.fit(*doubled, degree)(np.array(new, dtype=float))]


def project_by_library(weights, centre, symmetry):
    """The library's average of f in the coordinate x − c, at enough places, and the polynomial through the values."""
    G = ReflectionGroup()
    f = Polynomial(weights)
    rho_out = G.trivial() if symmetry == "symmetric" else G.sign()
    average = group_average(lambda t: torch.from_numpy(f(t.numpy() + centre)), G.sign(), rho_out)
    t = torch.linspace(-1, 1, len(weights), dtype=torch.float64)
    values = [average(a[None]).item() for a in t]
    return np.linalg.solve((t.numpy() + centre)[:, None] ** np.arange(len(weights)), values)


def project_by_binomials(weights, centre, symmetry):
    """Expand each (2c − x)ⁿ."""
    result = [w / 2 for w in weights]
    for n, w in enumerate(weights):
        for k in range(n + 1):
            result[k] += SIGN[symmetry] * w * math.comb(n, k) * (2 * centre) ** (n - k) * (-1) ** k / 2
    while len(result) > 1 and abs(result[-1]) < 1e-12:
        result.pop()  # a shorter list is the same polynomial
    return result


def zeros_by_experiment(letter):
    """Fits to several sets of points; where there are many best fits, all of them are taken into account."""
    largest = 0.0
    for seed in range(5):
        x, y, degree, ridge = sheet_03.points(letter, seed)
        A = (x / np.abs(x).max())[:, None] ** np.arange(degree + 1)
        A, y = np.vstack([A, ridge**0.5 * np.eye(degree + 1)]), np.concatenate([y, np.zeros(degree + 1)])
        _, s, directions = np.linalg.svd(A)
        free = directions[int((s > 1e-9 * s[0]).sum()) :]  # may be added to a best fit
        largest = np.maximum(largest, np.abs(np.vstack([np.linalg.lstsq(A, y, rcond=1e-9)[0], free])).max(0))
    return np.flatnonzero(largest < 1e-9)


def zeros_by_thought(letter):
    return {"A": (3, 1), "B": (0, 2, 4), "F": (0, 1, 2, 3), "G": (1, 3)}.get(letter, ())


RIGHT = {
    "03.powers": [powers_of_the_library, powers_backwards],
    "03.basis": [basis_of_chebyshev_polynomials, mixed_basis],
    "03.count": [count_by_trace, count_by_library],
    "03.one-side": [one_side_by_library, one_side_by_copies],
    "03.project": [project_by_library, project_by_binomials],
    "03.copies": [zeros_by_experiment, zeros_by_thought],
}


def test_what_the_settings_of_the_copies_claim():
    """Exactly these weights vanish for all data; every other one is far from 0 for some."""
    for letter in sorted(set(sheet_03.COPIES) - {"I"}):
        found = []
        for seed in range(20):
            x, y, degree, ridge = sheet_03.points(letter, seed)
            found.append(np.abs(PolynomialRegression(degree, ridge=ridge).fit(x, y).coefficients_))
        largest = np.max(found, axis=0)
        zero = sheet_03.zeros(letter)
        assert (largest[zero] < 1e-9).all(), letter
        assert (np.delete(largest, zero) > 0.1).all(), letter


def test_a_computer_shows_zeros_that_other_best_fits_do_not_have():
    """Setting I: four places do not determine six weights."""
    for seed in range(20):
        x, y, degree, ridge = sheet_03.points("I", seed)
        assert (len(x), degree, ridge) == (4, 5, 0.0)
        shown = np.linalg.lstsq(x[:, None] ** np.arange(6), y)[0]
        assert np.abs(shown[1::2]).max() < 1e-9
        a, b = x[:2]
        for first in (0, 1):  # x⁴ − (a² + b²) x² + a² b², and the same times x
            other = shown.copy()
            other[first : first + 5 : 2] += [a**2 * b**2, -(a**2) - b**2, 1]
            assert np.allclose(Polynomial(other)(x), y)
            assert (np.abs(other[first::2]) > 1e-9).all()


def test_zeros_by_computer_alone_do_not_pass():
    def zeros(letter):
        x, y, degree, ridge = sheet_03.points(letter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights = PolynomialRegression(degree, ridge=ridge).fit(x, y).coefficients_
        return np.flatnonzero(np.abs(weights) < 1e-9)

    for hidden in (False, True):
        result = verdict("03.copies", zeros, hidden)
        assert (result.status, result.misconception) == ("not yet", "one best fit of many")
        assert "Right: 8 of 9" in result.message


def test_unfinished_zeros_say_how_far_they_are():
    def zeros(letter):
        if letter in "AB":
            return [1, 3]
        raise NotImplementedError

    result = verdict("03.copies", zeros)
    assert (result.status, result.message) == ("not attempted", "A, B answered; C still raises NotImplementedError.")


@pytest.mark.parametrize("basis", [orthonormal_basis, lambda *args: mixed_basis(*args) * (1 + len(args[0]))])
def test_columns_that_depend_on_the_other_places_do_not_pass(basis):
    for hidden in (False, True):
        result = verdict("03.basis", basis, hidden)
        assert result.status == "not yet"
        assert "does not depend on the other places" in result.message


def test_a_basis_that_fails_on_fewer_places_is_an_error():
    def basis(x, degree, symmetry):
        return mixed_basis(x, degree, symmetry) if len(x) > 2 else 1 / 0

    assert verdict("03.basis", basis).status == "error"


def test_a_basis_for_degrees_2_and_4_only_does_not_pass():
    def basis(x, degree, symmetry):
        first = 0 if symmetry == "symmetric" else 1
        return mixed_basis(x, degree, symmetry) if degree in (2, 3, 4) else np.array(x)[:, None] ** [float(first)]

    for hidden in (False, True):
        assert verdict("03.basis", basis, hidden).status == "not yet"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (lambda x, n, s: [[0.0] for _ in x], "column 0 is 0 at every x"),
        (lambda x, n, s: [[1.0] for _ in x], "1 of 2 dimensions"),
        (lambda x, n, s: [[1.0, a**2, 1 + a**2] for a in x], "3 columns for 2 dimensions"),
        (lambda x, n, s: [[1.0, a**2, 0.0] for a in x], "column 2 is 0 at every x"),
        (lambda x, n, s: [[1.0, a**2, 1.0] for a in x], "columns 0 and 2 are the same"),
        (lambda x, n, s: [[1.0, a**2 + 1e-3 * a] for a in x], "column 1 is"),
        (lambda x, n, s: [[1.0] * len(x), [a**2 for a in x]], "4 rows"),  # transposed
        (lambda x, n, s: [a**2 for a in x], "4 rows"),
        (lambda x, n, s: [], "4 rows"),
        (lambda x, n, s: [[1.0], *([1.0, a**2] for a in x[1:])], "4 rows"),
        (lambda x, n, s: [["1", "a"] for _ in x], "4 rows"),
        (lambda x, n, s: 7, "4 rows"),
        (lambda x, n, s: [[1.0, math.nan] for _ in x], "4 rows"),
        (lambda x, n, s: np.eye(len(x)), "column 0 is"),
    ],
)
def test_wrong_bases_do_not_pass(columns, words):
    """Sound and complete: each column has the symmetry, and together they give all dimensions."""
    result = verdict("03.basis", columns)
    assert result.status == "not yet"
    assert words in result.message
    assert verdict("03.basis", columns, hidden=True).status == "not yet"


def test_a_misconception_is_recognised_in_other_columns():
    """All powers, as Chebyshev polynomials in another order."""

    def basis(x, degree, symmetry):
        return np.stack([3 * Chebyshev.basis(n)(np.array(x)) for n in range(degree, -1, -1)], axis=1)

    assert verdict("03.basis", basis).misconception == "the symmetry is ignored"


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: [3, 2, False],
        lambda n: [n, n, True],
        lambda n: [n // 2 + 1, (n + 1) // 2],
        lambda n: [n // 2 + 1, (n + 1) // 2, "no"],
        lambda n: n + 1,
    ],
)
def test_wrong_counts_do_not_pass(answer):
    for hidden in (False, True):
        assert verdict("03.count", answer, hidden).status == "not yet"


@pytest.mark.parametrize(
    "answer",
    [
        lambda x, y, n, s, new: [0.0] * len(new),
        lambda x, y, n, s, new: [float(np.mean(y))] * len(new),
        lambda x, y, n, s, new: new,
        lambda x, y, n, s, new: one_side_by_library(x, y, n, s, new)[:1],
        lambda x, y, n, s, new: one_side_by_library(x, y, n, s, np.abs(new)),
        lambda x, y, n, s, new: one_side_by_library(x, y, n + 1, s, new),
        lambda x, y, n, s, new: one_side_by_library(x, y, min(n, 3), s, new),
        lambda x, y, n, s, new: np.interp(np.abs(new), x, y),
        lambda x, y, n, s, new: PolynomialRegression(n, s, ridge=0.1).fit(x, y).predict(new),
    ],
)
def test_other_wrong_fits_do_not_pass(answer):
    for hidden in (False, True):
        assert verdict("03.one-side", answer, hidden).status == "not yet"


@pytest.mark.parametrize(
    "answer",
    [
        lambda w, c, s: w,
        lambda w, c, s: [0.0] * len(w),
        lambda w, c, s: [],
        lambda w, c, s: project_by_binomials(w, -c, s),
        lambda w, c, s: project_by_binomials(w, int(c), s),
        lambda w, c, s: [7] * len(w) if s == "antisymmetric" and c else project_by_binomials(w, c, s),
        lambda w, c, s: [7] * len(w) if s == "antisymmetric" and c and len(w) == 4 else project_by_binomials(w, c, s),
        lambda w, c, s: project_by_binomials(w, c, "antisymmetric" if s == "symmetric" else "symmetric"),
        lambda w, c, s: [*project_by_binomials(w, c, s), 1.0],
        lambda w, c, s: 0.0,
        lambda w, c, s: [str(v) for v in w],
    ],
)
def test_other_wrong_projections_do_not_pass(answer):
    for hidden in (False, True):
        assert verdict("03.project", answer, hidden).status == "not yet"


def test_a_projection_done_twice_is_done_once():
    project = find_task("03.project").reference
    for hidden in (False, True):
        for weights, centre, symmetry in find_task("03.project").cases(hidden):
            once = project(weights, centre, symmetry)
            assert project(once, centre, symmetry) == pytest.approx(once)


def test_the_number_of_parameters_does_not_depend_on_the_centre():
    project = find_task("03.project").reference
    for degree in range(6):
        for number, symmetry in enumerate(SIGN):
            images = [project([float(v) for v in e], 1.5, symmetry) for e in np.eye(degree + 1)]
            assert np.linalg.matrix_rank(np.array(images)) == sheet_03.count(degree)[number]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda letter: [1, 3], "Right: 2 of 9"),
        (lambda letter: 0, "expected a list of powers"),
        (lambda letter: ["x"], "expected a list of powers"),
        (lambda letter: list(range(6)), "Right: 0 of 9"),
        (lambda letter: [0, 0, 1, 2, 3] if letter == "F" else sheet_03.zeros(letter), "Right: 8 of 9"),
    ],
)
def test_wrong_zeros_do_not_pass(answer, words):
    result = verdict("03.copies", answer)
    assert result.status == "not yet"
    assert words in result.message


def test_the_open_check_of_the_copies_does_not_say_which_is_wrong():
    result = verdict("03.copies", lambda letter: [] if letter == "A" else sheet_03.zeros(letter))
    assert result.message == "Right: 8 of 9. Not every list is right."


def test_changing_the_data_in_place_is_reported():
    def from_one_side(x, y, degree, symmetry, new):
        prediction = one_side_by_library(x, y, degree, symmetry, new)
        x.sort(reverse=True)
        return prediction

    assert "changed its input" in verdict("03.one-side", from_one_side).message


@pytest.mark.parametrize("task", ["03.powers", "03.basis", "03.count", "03.one-side", "03.copies"])
def test_an_antisymmetric_fit_with_a_constant_is_caught_by_name(task):
    assert "an antisymmetric fit has a constant" in [m.name for m in find_task(task).misconceptions]


def test_half_is_not_always_exact():
    result = verdict("03.count", lambda degree: [(degree + 1) / 2, (degree + 1) / 2, True])
    assert result.misconception == "half always exact"
