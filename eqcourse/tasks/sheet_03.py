"""Lesson and sheet 03: polynomials, a symmetry as a constraint on weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from ..checks import (
    FunctionTask,
    Malformed,
    Misconception,
    ValueTask,
    Verdict,
    Wrong,
    describe_error,
    gave_expected,
    plain,
    same_answer,
    show,
)

# A way to read "symmetric" and "antisymmetric": which powers of x a polynomial of a degree may use.
Powers = Callable[[int, str], list[int]]


def powers(degree: int, symmetry: str) -> list[int]:
    return list(range(0 if symmetry == "symmetric" else 1, degree + 1, 2))


def _with_constant(degree: int, symmetry: str) -> list[int]:
    """An antisymmetric polynomial with a constant."""
    return sorted({0, *powers(degree, symmetry)})


def _exchanged(degree: int, symmetry: str) -> list[int]:
    return powers(degree, "antisymmetric" if symmetry == "symmetric" else "symmetric")


def _below(degree: int, symmetry: str) -> list[int]:
    return powers(degree - 1, symmetry)


_CONSTANT = "an antisymmetric fit has a constant"
_NO_CONSTANT = (
    "f(−x) = −f(x) gives f(0) = −f(0), so that f(0) = 0: the power x⁰ is even, and an antisymmetric f has none."
)
_DEGREE = "Python's range(a, b) ends before b: a polynomial of degree N has the power x to the N as well, if the symmetry allows it."


# ---- in the lesson: which powers ----------------------------------------------------------------------------------------


def _accept_powers(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"powers({show(args[0])}, {show(args[1])})"
    if not isinstance(got, list) or not all(isinstance(n, (int, float)) for n in got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of powers, such as [0, 2]")
    if not same_answer(sorted(got), expected):
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")


def _power_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            (3, "antisymmetric"),
            (6, "antisymmetric"),
            (7, "antisymmetric"),
            (7, "symmetric"),
            (1, "antisymmetric"),
        ]
    return [(2, "antisymmetric"), (5, "antisymmetric"), (4, "antisymmetric"), (4, "symmetric"), (0, "antisymmetric")]


def _if_antisymmetric(answer: Callable[[int], list[int]]) -> Powers:
    """The lesson gives the symmetric case; only the other one is answered."""
    return lambda degree, symmetry: answer(degree) if symmetry == "antisymmetric" else powers(degree, symmetry)


# ---- task 1: a basis ------------------------------------------------------------------------------------------------------


def columns(which: Powers) -> Callable[[list[float], int, str], list[list[float]]]:
    """A row for each x, a column for each power."""

    def basis(x: list[float], degree: int, symmetry: str) -> list[list[float]]:
        return [[float(a) ** n for n in which(degree, symmetry)] for a in x]

    return basis


def _of_absolute_values(x: list[float], degree: int, symmetry: str) -> list[list[float]]:
    """All powers of |x|, made antisymmetric by the sign of x."""
    signs = [1.0 if symmetry == "symmetric" or a >= 0 else -1.0 for a in x]
    return [[sign * abs(float(a)) ** n for n in range(degree + 1)] for sign, a in zip(signs, x, strict=True)]


def _rank(matrix: np.ndarray) -> int:
    """The rank, with all columns brought to length 1: powers of x differ much in size."""
    lengths = np.linalg.norm(matrix, axis=0)
    return int(np.linalg.matrix_rank(matrix[:, lengths > 0] / lengths[lengths > 0], tol=1e-9)) if lengths.any() else 0


def _matrix(value: Any, rows: int) -> np.ndarray | None:
    """A list of as many rows of finite numbers, all of one length, as an array; otherwise None."""
    try:
        matrix = np.array(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return matrix if matrix.ndim == 2 and len(matrix) == rows and np.isfinite(matrix).all() else None


def _accept_basis(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """Any columns do that are independent and span the space that the powers span."""
    x, degree, symmetry = args
    call = f"basis({show(x)}, {degree}, {show(symmetry)})"
    mine, right = _matrix(got, len(x)), np.array(expected)
    if mine is None:
        raise Malformed(f"{call} gave {show(got)}; expected {len(x)} rows of numbers, one for each x, of one length")
    size = right.shape[1]
    for number, column in enumerate(mine.T):
        if not column.any():
            raise Wrong(f"{call}\n  column {number} is 0 at every x: the function 0 belongs to no basis")
        for other in range(number):
            if same_answer(mine[:, other].tolist(), column.tolist()):
                raise Wrong(f"{call}\n  columns {other} and {number} are the same: one of them is too much")
    for number, column in enumerate(mine.T):
        if _rank(np.column_stack([right, column])) > size:
            raise Wrong(
                f"{call}\n  column {number} is {show(column)}: no {symmetry} polynomial of degree ≤ {degree} "
                "has these values"
            )
    if _rank(mine) < size:
        raise Wrong(f"{call}\n  your columns give {_rank(mine)} of {size} dimensions: a function is missing")
    if mine.shape[1] > size:
        raise Wrong(f"{call}\n  you give {mine.shape[1]} columns for {size} dimensions: one follows from the others")


def _same_span(a: Any, b: Any) -> bool:
    if not (isinstance(a, list) and isinstance(b, list)):
        return False
    one, other = _matrix(a, len(a)), _matrix(b, len(a))
    if one is None or other is None or one.shape != other.shape:
        return False
    return _rank(one) == _rank(other) == _rank(np.column_stack([one, other]))


class _RowByRow(FunctionTask):
    """A matrix with one row for each x, which depends on no other x."""

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        result = super().judge(answer, hidden)
        if result.status != "passed":
            return result
        for x, degree, symmetry in self.cases(hidden):
            call = f"basis({show(x)}, {degree}, {show(symmetry)})"
            fewer = f"basis({show(x[1:])}, {degree}, {show(symmetry)})"
            try:
                rows = plain(answer(copy.deepcopy(x), degree, symmetry))
                without = plain(answer(copy.deepcopy(x[1:]), degree, symmetry))
            except Exception as error:
                return self._verdict("error", f"{fewer} raised {describe_error(error)}")
            if not same_answer(rows[1:], without):
                return self._verdict(
                    "not yet",
                    f"{fewer} has other rows than {call} without its first one. The value of a function at an x "
                    "does not depend on the other places: write the functions down first, then put in x.",
                )
        return result


def _basis_cases(hidden: bool) -> list[tuple[Any, ...]]:
    # More places than powers, with different |x|: the values then tell polynomials of these degrees apart.
    if hidden:
        return [
            ([2, -1, 3, 5], 2, "antisymmetric"),
            ([1, -3, 2, 0.5, -4, 5], 4, "symmetric"),
            ([1, -3, 2, 0.5, -4, 5, 2.5], 5, "antisymmetric"),
            ([-1, 2, 3, -4, 1.5], 3, "symmetric"),
            ([1, -3, 2, 0.5, -4, 5, 2.5], 5, "symmetric"),
            ([3, -1, 2], 0, "antisymmetric"),
            ([3, -1, 2, 5], 1, "symmetric"),
        ]
    return [
        ([1, 2, -3, 4], 2, "symmetric"),
        ([1, 2, -3, 4], 2, "antisymmetric"),
        ([1, -2, 3, 0.5, -1.5, 2.5], 4, "symmetric"),
        ([1, -2, 3, 0.5, -1.5, 2.5], 4, "antisymmetric"),
        ([2, -1, 3, 1.5, -2.5], 3, "antisymmetric"),
        ([1, -2, 3, 0.5, -1.5, 2.5, 4], 5, "symmetric"),
        ([2, -1, 3], 0, "antisymmetric"),
        ([2, -1, 3, 4], 1, "antisymmetric"),
    ]


# ---- task 2: count --------------------------------------------------------------------------------------------------------


def count(degree: int) -> list[Any]:
    even, odd = degree // 2 + 1, (degree + 1) // 2
    return [even, odd, even == odd]


def _counting(even: Callable[[int], float], odd: Callable[[int], float]) -> Callable[[int], list[Any]]:
    return lambda degree: [even(degree), odd(degree), even(degree) == odd(degree)]


# ---- task 3: fit on one side ------------------------------------------------------------------------------------------------


def _fitted(x: Sequence[float], y: Sequence[float], used: Sequence[int]) -> Callable[[Any], np.ndarray]:
    """The polynomial in the given powers that fits best, as a function."""
    weights = np.linalg.lstsq(np.array(x, dtype=float)[:, None] ** np.array(used, dtype=int), np.array(y, dtype=float))[
        0
    ]
    return lambda new: np.array(new, dtype=float)[:, None] ** np.array(used, dtype=int) @ weights


def _sign(symmetry: str) -> int:
    return 1 if symmetry == "symmetric" else -1


def from_one_side(which: Powers = powers) -> Callable[..., np.ndarray]:
    return lambda x, y, degree, symmetry, new: _fitted(x, y, which(degree, symmetry))(new)


def _all_powers(degree: int, symmetry: str) -> list[int]:
    return list(range(degree + 1))


def _projected_after(x: Any, y: Any, degree: int, symmetry: str, new: Any) -> np.ndarray:
    f, new = _fitted(x, y, range(degree + 1)), np.array(new, dtype=float)
    return (f(new) + _sign(symmetry) * f(-new)) / 2


def _unfolded(x: Any, y: Any, degree: int, symmetry: str, new: Any) -> np.ndarray:
    """The plain fit on the right, and its mirror image on the left."""
    f, new = _fitted(x, y, range(degree + 1)), np.array(new, dtype=float)
    return np.where(new < 0, _sign(symmetry), 1) * f(abs(new))


def _centred(x: Any, y: Any, degree: int, symmetry: str, new: Any) -> np.ndarray:
    middle = np.mean(x)
    return _fitted(np.array(x) - middle, y, powers(degree, symmetry))(np.array(new) - middle)


def _one_side_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([1, 2, 4], [0, 3, 9], 2, "antisymmetric", [-1, 3]),
            ([1, 2, 3, 5, 6], [2, 0, 1, 7, 5], 3, "symmetric", [-4, 4, -1]),
            ([0.5, 1, 2, 2.5, 3, 4], [1, 0, -2, 3, 1, 2], 4, "symmetric", [-3, 1.5]),
            ([0.5, 1, 2, 2.5, 3, 4], [1, 0, -2, 3, 1, 2], 4, "antisymmetric", [-3, 1.5]),
            ([0.5, 1, 1.5, 2, 2.5, 3, 4], [2, 0, 1, -2, 3, 1, 2], 5, "antisymmetric", [-2, 3.5]),
        ]
    return [
        ([1, 2, 3], [2, 5, 10], 2, "antisymmetric", [-2, 2]),
        ([1, 2, 3, 4], [1, 3, 9, 20], 2, "symmetric", [-3, 0, 2]),
        ([1, 2, 3, 4, 6], [3, 1, 0, 4, 2], 3, "antisymmetric", [-5, -1, 0, 3]),
        ([1, 2, 3, 4, 6], [3, 1, 0, 4, 2], 3, "symmetric", [-5, -1, 0, 3]),
        ([0.5, 1, 1.5, 2, 3, 3.5, 4], [1, 3, 0, 2, -1, 2, 4], 5, "antisymmetric", [-2, 2.5]),
    ]


# ---- task 4: project --------------------------------------------------------------------------------------------------------


def averaged(
    combine: Callable[[Polynomial, Polynomial, int], Polynomial] = lambda f, mirrored, sign: (f + sign * mirrored) / 2,
    mirror: Callable[[float], Polynomial] = lambda centre: Polynomial([2 * centre, -1]),
) -> Callable[[list[float], float, str], list[float]]:
    """The mean of f and ± its mirror image, as a list of weights; the variants are what misconceptions compute."""

    def project(weights: list[float], centre: float, symmetry: str) -> list[float]:
        f = Polynomial(weights)
        return _padded(combine(f, f(mirror(centre)), _sign(symmetry)), len(weights))

    return project


def _padded(f: Polynomial, size: int) -> list[float]:
    """The weights with zeros behind them: NumPy drops trailing ones in some places."""
    return [float(w) for w in f.coef] + [0.0] * (size - len(f.coef))


def _in_powers_of_the_shifted(weights: list[float], centre: float, symmetry: str) -> list[float]:
    """Write f in powers of x − c, drop half of them, and stop there."""
    shifted = np.array(_padded(Polynomial(weights)(Polynomial([centre, 1])), len(weights)))
    shifted[[n for n in range(len(weights)) if n not in powers(len(weights) - 1, symmetry)]] = 0
    return [float(w) for w in shifted]


def _accept_projection(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    weights, centre, symmetry = args
    call = f"project({show(weights)}, {show(centre)}, {show(symmetry)})"
    if not isinstance(got, list) or not all(isinstance(w, (int, float)) for w in got):
        raise Malformed(f"{call} gave {show(got)}; expected the weights of x⁰, x¹, …, in a list of numbers")
    if not _same_weights(got, expected):
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")


def _same_weights(a: Any, b: Any) -> bool:
    """Trailing zeros do not count."""
    if not (isinstance(a, list) and isinstance(b, list)):
        return False
    size = max(len(a), len(b))
    return same_answer([*a, *[0.0] * (size - len(a))], [*b, *[0.0] * (size - len(b))])


def _project_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([0, 2], 3, "symmetric"),
            ([1, 0, 0, 1], 2, "symmetric"),
            ([5, 1, 2, 0, 3], -1, "antisymmetric"),
            ([7, -2, 0, 4], 0, "antisymmetric"),
            ([3, -1, 0, 2], 1.5, "antisymmetric"),
        ]
    return [
        ([10, 20, 30, 40], 0, "symmetric"),
        ([10, 20, 30, 40], 0, "antisymmetric"),
        ([0, 1], 1, "symmetric"),
        ([0, 0, 1], 1, "symmetric"),
        ([0, 0, 1], 1, "antisymmetric"),
        ([1, 0, 2, 4], -2, "symmetric"),
        ([1, 0, 2, 4], 0.5, "antisymmetric"),
    ]


# ---- task 5: copies -----------------------------------------------------------------------------------------------------------

#: letter -> (degree, what is added to the points (x, y), the powers whose weights are then 0 in every best fit)
_COPIES: dict[str, tuple[int, str, list[int]]] = {
    "A": (4, "each point (x, y) also as (−x, y)", [1, 3]),
    "B": (5, "each point (x, y) also as (−x, −y)", [0, 2, 4]),
    "C": (4, "every second point (x, y) also as (−x, y)", []),
    "D": (4, "for each x a second measurement, at −x, with a height of its own", []),
    "E": (3, "each point (x, y) a second time as it is", []),
    "F": (3, "each point (x, y) also as (−x, y), as (x, −y) and as (−x, −y)", [0, 1, 2, 3]),
    "G": (4, "each point (x, y) also as (−x, y); the fit has a ridge: large weights cost extra", [1, 3]),
    "H": (4, "each point (x, y) also as (2 − x, y)", []),
    "I": (5, "only two points at the start, each (x, y) also as (−x, y)", []),
}

COPIES: dict[str, str] = {letter: f"degree {degree}; {words}" for letter, (degree, words, _) in _COPIES.items()}


def points(letter: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray, int, float]:
    """The places x, heights y, degree and ridge of one of the settings of task 03.copies, with new random points.

    >>> x, y, degree, ridge = points("A")
    >>> len(x), float(x[0] + x[12]), degree, ridge
    (24, 0.0, 4, 0.0)
    """
    source = np.random.default_rng(seed)
    x, y, again = source.uniform(0.2, 1.5, 12), source.normal(size=12), source.normal(size=12)
    if letter == "I":
        x, y = x[:2], y[:2]
    added = {
        "A": [(-x, y)],
        "B": [(-x, -y)],
        "C": [(-x[::2], y[::2])],
        "D": [(-x, again)],
        "E": [(x, y)],
        "F": [(-x, y), (x, -y), (-x, -y)],
        "G": [(-x, y)],
        "H": [(2 - x, y)],
        "I": [(-x, y)],
    }[letter]
    places, heights = np.concatenate([x, *(a for a, _ in added)]), np.concatenate([y, *(b for _, b in added)])
    return places, heights, _COPIES[letter][0], 0.1 if letter == "G" else 0.0


def zeros(letter: str) -> list[int]:
    return list(_COPIES[letter][2])


def _accept_zeros(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    if not isinstance(got, list) or not all(isinstance(n, (int, float)) for n in got):
        raise Malformed(f'zeros("{args[0]}") gave {show(got)}; expected a list of powers, such as [1, 3], or []')
    if not same_answer(sorted(got), expected):
        raise Wrong("Not every list is right.")


def _zeros_but(**instead: list[int]) -> Callable[[str], list[int]]:
    """Somebody who is right except for some letters."""
    return lambda letter: instead.get(letter, zeros(letter))


class _ByLetter(FunctionTask):
    """A task with one answer for each letter that says how far an unfinished answer has come."""

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        result = super().judge(answer, hidden)
        if result.status != "not attempted" or not callable(answer):
            return result
        done: list[str] = []
        for (letter,) in self.cases(hidden):
            try:
                answer(letter)
            except NotImplementedError:
                return self._verdict(
                    "not attempted",
                    f"{', '.join(done)} answered; {letter} still raises NotImplementedError."
                    if done
                    else result.message,
                )
            done.append(letter)
        return result


def _stay(letter: str) -> list[int]:
    """The powers that do not have to vanish."""
    degree, _, zero = _COPIES[letter]
    return [n for n in range(degree + 1) if n not in zero]


def _highest_first(weights: list[float], centre: float, symmetry: str) -> list[float]:
    """Weights read, and given, with the highest power first."""
    return averaged()(weights[::-1], centre, symmetry)[::-1]


TASKS = [
    ValueTask(
        id="03.recall-1",
        outcome="recall lesson 02",
        minutes=1,
        accepted=(4,),
        why="f(2) = 10 and f(−2) = −2; their mean is 4. The average of x² + 3x is x².",
        feedback={
            10: "That is f(2). The average runs over both elements: the mean of f(2) and f(−2).",
            8: "That is the sum of f(2) and f(−2). The average divides by the number of elements, 2.",
            6: "That is half of f(2) − f(−2). The output is left alone: its sign does not flip.",
            -2: "That is f(−2). The average runs over both elements: the mean of f(2) and f(−2).",
        },
    ),
    ValueTask(
        id="03.recall-2",
        outcome="recall lesson 00",
        minutes=1,
        accepted=("sliding",),
        why="It uses one small scorer at all places, and had about a quarter of the weights.",
        feedback={"plain": "The plain model has its own weights for each of the 32 numbers."},
    ),
    FunctionTask(
        id="03.powers",
        outcome="solve the constraint for the powers that are left",
        minutes=3,
        name="powers",
        reference=powers,
        cases=_power_cases,
        accept=_accept_powers,
        same=lambda a, b: isinstance(a, list) and same_answer(a, b),
        shown="Even powers are left for a symmetric polynomial, odd ones for an antisymmetric one.",
        misconceptions=(
            Misconception(_CONSTANT, _with_constant, _NO_CONSTANT),
            Misconception(
                "the same powers for both",
                lambda degree, symmetry: powers(degree, "symmetric"),
                "You give the even powers for the antisymmetric case as well. There (−1)ⁿ wₙ = −wₙ: for even n this "
                "says wₙ = −wₙ, so that wₙ = 0.",
            ),
            Misconception(
                "the degree itself is left out",
                _if_antisymmetric(lambda degree: _below(degree, "antisymmetric")),
                _DEGREE,
            ),
            Misconception(
                "as many odd powers as even ones",
                _if_antisymmetric(lambda degree: [2 * k + 1 for k in range(degree // 2 + 1)]),
                "You give as many odd powers as there are even ones. Where the degree is even, the last one is above the degree.",
            ),
            Misconception(
                "only the constant has to go",
                _if_antisymmetric(lambda degree: list(range(1, degree + 1))),
                "You drop the constant and keep all other powers. But x² is not antisymmetric: (−x)² = x², not −x².",
            ),
        ),
    ),
    _RowByRow(
        id="03.basis",
        outcome="write down all polynomials of a degree with a symmetry",
        points=3,
        minutes=10,
        name="basis",
        reference=columns(powers),
        cases=_basis_cases,
        accept=_accept_basis,
        same=_same_span,
        shown="Your columns have the symmetry, are independent, and give all dimensions: 2 and 1 for degree 2, 3 and 2 for degree 4.",
        misconceptions=(
            Misconception(_CONSTANT, columns(_with_constant), _NO_CONSTANT),
            Misconception(
                "symmetric and antisymmetric are exchanged",
                columns(_exchanged),
                "You give the other symmetry. Symmetric: f(−x) = f(x), as for x². Antisymmetric: f(−x) = −f(x), as for x.",
            ),
            Misconception(
                "the constant is not symmetric",
                columns(lambda degree, symmetry: [n for n in powers(degree, symmetry) if n > 0]),
                "The constant is missing. A constant f has f(−x) = f(x): it is symmetric, and its power 0 is even.",
            ),
            Misconception("the degree itself is left out", columns(_below), _DEGREE),
            Misconception(
                "absolute values",
                _of_absolute_values,
                "You use powers of |x|. These functions have the symmetry, but |x| is no polynomial: it has a corner at 0.",
            ),
            Misconception(
                "the degree counts the columns",
                columns(lambda degree, symmetry: [2 * n + (symmetry != "symmetric") for n in range(degree + 1)]),
                "You give one column more than the degree, and go beyond it. The degree is the highest power, not the number of columns.",
            ),
            Misconception(
                "the symmetry is ignored",
                columns(_all_powers),
                "You give all powers of x. Keep those that satisfy the constraint.",
            ),
        ),
    ),
    FunctionTask(
        id="03.count",
        outcome="count the parameters of a constrained model, and say when it is half of them",
        points=2,
        minutes=5,
        name="count",
        reference=count,
        cases=lambda hidden: [(n,) for n in ([6, 7, 0, 11, 2] if hidden else [4, 3, 0, 1, 10])],
        shown="Degree 4 has 3 + 2 of 5. It is half each exactly where the degree is odd.",
        misconceptions=(
            Misconception(
                "half always exact",
                _counting(lambda n: (n + 1) / 2, lambda n: (n + 1) / 2),
                "You halve the number of weights. Degree 4 has 5: 3 even powers (0, 2, 4) and 2 odd ones (1, 3).",
            ),
            Misconception(
                "half always exact, rounded down",
                _counting(lambda n: (n + 1) // 2, lambda n: (n + 1) // 2),
                "You halve and round down. Together the two have to give N + 1: every power is either even or odd.",
            ),
            Misconception(
                "half always exact, rounded up",
                _counting(lambda n: n // 2 + 1, lambda n: n // 2 + 1),
                "You halve and round up. Together the two have to give N + 1: every power is either even or odd.",
            ),
            Misconception(
                "half for even degrees",
                lambda degree: [*count(degree)[:2], degree % 2 == 0],
                "The counts are right. An even degree, such as 4, has one even power more than odd ones, since 0 is even.",
            ),
            Misconception(
                "the constant is not counted",
                _counting(lambda n: n // 2, lambda n: (n + 1) // 2),
                "The constant is missing: x⁰ is an even power, and its weight counts.",
            ),
            Misconception(_CONSTANT, _counting(lambda n: n // 2 + 1, lambda n: (n + 1) // 2 + 1), _NO_CONSTANT),
            Misconception(
                "symmetric and antisymmetric are exchanged",
                lambda degree: [count(degree)[1], count(degree)[0], count(degree)[2]],
                "The two counts are exchanged. The symmetric ones use the even powers, the constant among them.",
            ),
        ),
    ),
    FunctionTask(
        id="03.one-side",
        outcome="fit inside the constraint, and read off the side without data",
        points=3,
        minutes=12,
        name="from_one_side",
        reference=from_one_side(),
        cases=_one_side_cases,
        shown="Your fit uses the powers that the symmetry allows, and no others: what it learns on x > 0 it knows on x < 0.",
        misconceptions=(
            Misconception(_CONSTANT, from_one_side(_with_constant), _NO_CONSTANT),
            Misconception(
                "the symmetry is ignored",
                from_one_side(_all_powers),
                "You fit all powers. Nothing then ties x < 0 to the points, which lie on x > 0.",
            ),
            Misconception(
                "project after the fit",
                _projected_after,
                "You fit all powers and average afterwards. The result has the symmetry and does not fit: its weights "
                "were chosen together with others that are gone. Offer only the allowed powers to the fit.",
            ),
            Misconception(
                "the plain fit, unfolded",
                _unfolded,
                "You fit all powers on x > 0 and mirror the result. That has the symmetry, but it is a polynomial of |x|, "
                "with more weights than the constraint leaves.",
            ),
            Misconception(
                "the mean of x is subtracted first",
                _centred,
                "You subtract the mean of x before the fit. The result then has its symmetry about that mean, not about 0.",
            ),
            Misconception(
                "always symmetric",
                from_one_side(lambda degree, symmetry: powers(degree, "symmetric")),
                "You use the even powers whatever is asked. An antisymmetric f uses the odd ones.",
            ),
            Misconception(
                "symmetric and antisymmetric are exchanged",
                from_one_side(_exchanged),
                "You exchange the two symmetries. A symmetric f, f(−x) = f(x), uses the even powers, an antisymmetric one the odd ones.",
            ),
        ),
    ),
    FunctionTask(
        id="03.project",
        outcome="make a polynomial symmetric by averaging over a group, also about another centre",
        points=3,
        minutes=12,
        name="project",
        reference=averaged(),
        cases=_project_cases,
        accept=_accept_projection,
        same=_same_weights,
        shown="The mean of f(x) and ± f(2c − x). About 0 this deletes half of the powers; about another centre it mixes the weights.",
        misconceptions=(
            Misconception(
                "the centre does not matter",
                averaged(mirror=lambda centre: Polynomial([0, -1])),
                "You delete the odd or the even powers, whatever the centre is. That is right for the reflection x ↦ −x. "
                "Here it is x ↦ 2c − x: put 2c − x into f, and expand.",
            ),
            Misconception(
                "a sum instead of a mean",
                averaged(combine=lambda f, mirrored, sign: f + sign * mirrored),
                "You add up and do not divide by the number of elements, 2. An f that has the symmetry would not stay as it is.",
            ),
            Misconception(
                "the output is not acted on",
                averaged(combine=lambda f, mirrored, sign: (f + mirrored) / 2),
                "You give the symmetric average in all cases. In the antisymmetric one the reflection flips the sign of the output.",
            ),
            Misconception(
                "only the mirror image",
                averaged(combine=lambda f, mirrored, sign: sign * mirrored),
                "You give the term of the reflection alone. The average runs over both elements: the identity gives f itself.",
            ),
            Misconception(
                "reflects by x ↦ c − x",
                averaged(mirror=lambda centre: Polynomial([centre, -1])),
                "You put c − x into f. That reflects about c/2. The reflection that leaves c in its place is x ↦ 2c − x.",
            ),
            Misconception(
                "reflects about −c",
                averaged(mirror=lambda centre: Polynomial([-2 * centre, -1])),
                "You put −2c − x into f. That reflects about −c. The reflection that leaves c in its place is x ↦ 2c − x.",
            ),
            Misconception(
                "the highest power first",
                _highest_first,
                "You read the weights, and give them, with the highest power first. Here the list starts with the constant, w_0.",
            ),
            Misconception(
                "the weights come out reversed",
                lambda weights, centre, symmetry: averaged()(weights, centre, symmetry)[::-1],
                "The numbers are right, and their order is reversed. The list starts with the constant, w_0.",
            ),
            Misconception(
                "the weights of powers of x − c",
                _in_powers_of_the_shifted,
                "You write f in powers of x − c and delete half of them: a good way. Then expand again: the answer is the "
                "weights of powers of x.",
            ),
        ),
    ),
    _ByLetter(
        id="03.copies",
        outcome="predict which weights vanish exactly when mirrored copies of the data are added",
        points=3,
        minutes=12,
        name="zeros",
        reference=zeros,
        cases=lambda hidden: [(letter,) for letter in _COPIES],
        accept=_accept_zeros,
        same=lambda a, b: isinstance(a, list) and same_answer(a, b),
        count_only=True,
        shown="All nine are right. Where the reflection maps the data to themselves and there is only one best fit, "
        "this fit has to have their symmetry.",
        misconceptions=(
            Misconception(
                "never exactly zero",
                lambda letter: [],
                "You say that no weight is ever exactly 0. But where the reflection maps the data to themselves, it maps "
                "a best fit to a best fit; and if there is only one, it is its own mirror image.",
            ),
            Misconception(
                "some copies are enough",
                _zeros_but(C=[1, 3]),
                "In one setting only some points have a copy. The reflection then does not map the data to themselves.",
            ),
            Misconception(
                "symmetric places are enough",
                _zeros_but(D=[1, 3]),
                "In one setting the places are symmetric and the heights are not. The fit follows the heights.",
            ),
            Misconception(
                _CONSTANT,
                _zeros_but(B=[2, 4], F=[1, 2, 3]),
                "One weight is missing among the zeros. " + _NO_CONSTANT,
            ),
            Misconception(
                "even and odd are exchanged",
                lambda letter: {"A": [0, 2, 4], "B": [1, 3, 5], "G": [0, 2, 4]}.get(letter, zeros(letter)),
                "You exchange even and odd powers: copies (−x, y) make the fit symmetric, and then the odd powers vanish.",
            ),
            Misconception(
                "a ridge breaks the symmetry",
                _zeros_but(G=[]),
                "You say that a ridge keeps all weights alive. The mirror image has the weights Dw, of the same size as w: "
                "|Dw| = |w|. So the ridge charges both alike, and the best fit is still the only one.",
            ),
            Misconception(
                "copies about any centre do the same",
                _zeros_but(H=[1, 3]),
                "In one setting the copies are mirrored about 1. The fit is then symmetric about 1: that mixes the weights and "
                "makes none of them 0.",
            ),
            Misconception(
                "one best fit of many",
                _zeros_but(I=[1, 3, 5]),
                "In one setting there are fewer places than weights, and many best fits. A computer shows one of them, with "
                "the smallest weights, and that one has zeros. Others have not.",
            ),
            Misconception(
                "the weights that stay",
                _stay,
                "You list the weights that may stay. Asked for are those that are 0.",
            ),
        ),
    ),
]
