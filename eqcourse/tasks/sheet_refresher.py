"""The refresher: for each of its six sections a check that lets a reader skip it, and one to practise at its end."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Misconception, Wrong, plain, same_answer, show

# Answers in float32 are right too.
TOLERANCE = 1e-4


# ---- references: the slow, obvious way ------------------------------------------------------------------------------


def place(g: Tensor, x: Tensor) -> list[int]:
    """The entry at i goes to place g[i]."""
    entries, result = x.tolist(), x.tolist()
    for i, target in enumerate(g.tolist()):
        result[target] = entries[i]
    return list(result)


def invert(g: Tensor) -> list[int]:
    """The place where g holds 0, the place where it holds 1, and so on."""
    return [g.tolist().index(i) for i in range(len(g))]


def pair_up(x: Tensor, A: Tensor, y: Tensor) -> list[float]:
    """For each b the sum over i and j of x[b, i] A[i, j] y[b, j]."""
    rows, columns = A.shape
    return [
        sum((x[b, i] * A[i, j] * y[b, j]).item() for i in range(rows) for j in range(columns)) for b in range(len(x))
    ]


def map_last_axis(W: Tensor, x: Tensor) -> list[Any]:
    """Entry m of the new last axis is the sum over n of W[m, n] x[b, c, n]."""
    return [
        [[sum(w * e for w, e in zip(row, column, strict=True)) for row in W.tolist()] for column in item]
        for item in x.tolist()
    ]


def rank(A: Tensor) -> int:
    """How many rows are left when those that others can replace are struck out."""
    return int(torch.linalg.matrix_rank(A.double()))


def null_vector(A: Tensor) -> list[float]:
    """A unit vector v with A v = 0, for a square matrix whose null space is a line."""
    return list(torch.linalg.svd(A.double()).Vh[-1].tolist())


def wave(k: int, n: int) -> list[complex]:
    """exp(2πi k j / n) for j = 0, …, n − 1."""
    return [cmath.exp(2j * math.pi * k * j / n) for j in range(n)]


def energy_gradient(x: list[float]) -> list[float]:
    """The gradient of (r − 1)², where r is the length of x: outer rate 2 (r − 1), inner rates x_i / r."""
    r = math.hypot(*x)
    return [2 * (r - 1) * entry / r for entry in x]


def train(x: Tensor, y: Tensor, steps: int, rate: float, **habits: bool) -> list[float]:
    """Gradient descent for y ≈ w x + b from w = b = 0, on the mean squared error; ``habits`` are ways to get it wrong."""
    xs, ys = x.tolist(), y.tolist()
    n, w, b, slope_w, slope_b = len(xs), 0.0, 0.0, 0.0, 0.0
    if habits.get("mixes_shapes"):
        ys = [sum(ys) / n] * n
    for _ in range(steps):
        if not habits.get("never_forgets"):
            slope_w, slope_b = 0.0, 0.0
        share = 1 if habits.get("sums") else 1 / n
        slope_w += share * sum(2 * (w * p + b - q) * p for p, q in zip(xs, ys, strict=True))
        slope_b += share * sum(2 * (w * p + b - q) for p, q in zip(xs, ys, strict=True))
        sign = 1 if habits.get("climbs") else -1
        w, b = w + sign * rate * slope_w, b + sign * rate * slope_b
    return [w, b]


class Polynomial(torch.nn.Module):
    """start[0] + start[1] x + start[2] x² + …, with trainable coefficients."""

    def __init__(self, start: list[float]) -> None:
        super().__init__()
        self.coefficients = torch.nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:
        return _polynomial(self.coefficients, x)


class _NotRegistered(torch.nn.Module):
    def __init__(self, start: list[float]) -> None:
        super().__init__()
        self.coefficients = torch.tensor(start, requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        return _polynomial(self.coefficients, x)


class _Backwards(Polynomial):
    def forward(self, x: Tensor) -> Tensor:
        return _polynomial(self.coefficients.flip(0), x)


class _Detached(Polynomial):
    def forward(self, x: Tensor) -> Tensor:
        return _polynomial(self.coefficients.detach(), x)


class _SumOverInputs(Polynomial):
    def forward(self, x: Tensor) -> Tensor:
        return _polynomial(self.coefficients, x).sum()


def _polynomial(coefficients: Tensor, x: Tensor) -> Tensor:
    return sum((c * x**k for k, c in enumerate(coefficients)), torch.zeros_like(x))


# ---- comparing -----------------------------------------------------------------------------------------------------


def _near(a: Any, b: Any) -> bool:
    """Whether two plain answers agree up to the rounding of float32."""
    return same_answer(a, b, TOLERANCE)


def _accept_near(name: str) -> Callable[[tuple[Any, ...], Any, Any], None]:
    """An ``accept`` that allows the rounding of float32, and shows complex numbers with three digits."""

    def accept(args: tuple[Any, ...], got: Any, expected: Any) -> None:
        if not _near(got, expected):
            call = f"{name}({', '.join(map(show, map(plain, args)))})"
            raise Wrong(f"{call}\n  gave     {_short(got)}\n  expected {_short(expected)}")

    return accept


def _short(value: Any) -> str:
    if isinstance(value, complex):
        # Adding 0 turns −0 into 0.
        return f"{complex(round(value.real, 3) + 0.0, round(value.imag, 3) + 0.0):.3g}"
    if isinstance(value, list) and any(isinstance(entry, complex) for entry in value):
        return "[" + ", ".join(map(_short, value)) + "]"
    return show(value)


def _unit(v: Any) -> list[float]:
    """The same direction with length 1 and its first entry that is not zero positive; zero stays zero."""
    length = math.hypot(*v)
    if length < TOLERANCE:
        return [0.0] * len(v)
    sign = next(math.copysign(1, entry) for entry in v if abs(entry) > TOLERANCE * length)
    return [sign * entry / length for entry in v]


def _is_rank_and_vector(got: Any, size: int) -> bool:
    if not isinstance(got, list) or len(got) != 2 or not isinstance(got[1], list) or len(got[1]) != size:
        return False
    return all(isinstance(number, (int, float)) for number in [got[0], *got[1]])


def _same_rank_and_line(a: Any, b: Any) -> bool:
    if not all(_is_rank_and_vector(answer, len(b[1])) for answer in (a, b)):
        return False
    return bool(a[0] == b[0]) and _near(_unit(a[1]), _unit(b[1]))


def _accept_rank_and_null_vector(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """The right rank, and any vector but zero of the null space."""
    A: Tensor = args[0]
    call = f"rank_and_null_vector({show(A)})"
    if not _is_rank_and_vector(got, A.shape[1]):
        raise Wrong(f"{call} gave {show(got)}; expected [rank, v] with a vector v of {A.shape[1]} numbers")
    if got[0] != expected[0]:
        raise Wrong(f"{call} gave the rank {show(got[0])}")
    v = torch.tensor(got[1], dtype=torch.float64)
    if v.norm() < TOLERANCE:
        raise Wrong(f"{call} gave v = {show(got[1])}, which is zero")
    image = A.double() @ v
    if image.norm() > TOLERANCE * v.norm() * A.double().norm():
        raise Wrong(f"{call} gave v = {show(got[1])}, but A v = {show(image)}")


PROBE = [0.5, -1.0, 2.0]


def _examine(module: Any) -> tuple[int, Any, bool] | None:
    """How many parameters a module has, what it makes of ``PROBE``, and whether gradients reach back from there."""
    if not isinstance(module, torch.nn.Module):
        return None
    try:
        output = module(torch.tensor(PROBE))
    except Exception as error:
        return sum(p.numel() for p in module.parameters()), f"{type(error).__name__}: {error}", False
    gradients = isinstance(output, Tensor) and output.requires_grad
    return sum(p.numel() for p in module.parameters()), plain(output), gradients


def _same_module(a: Any, b: Any) -> bool:
    one, other = _examine(a), _examine(b)
    if one is None or other is None:
        return one is other
    # Without parameters it does not matter whether gradients would reach the numbers that are kept elsewhere.
    return one[0] == other[0] and _near(one[1], other[1]) and (one[0] == 0 or one[2] == other[2])


def _accept_module(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    made = f"Polynomial({show(args[0])})"
    seen, right = _examine(got), _examine(expected)
    if seen is None or right is None:
        raise Wrong(f"{made} is not a torch.nn.Module: derive the class from it, and call super().__init__()")
    if not _near(seen[1], right[1]):
        what = seen[1] if isinstance(seen[1], str) else show(seen[1])
        raise Wrong(f"{made}(x) for x = {show(PROBE)}\n  gave     {what}\n  expected {show(right[1])}")
    if seen[0] != right[0]:
        raise Wrong(f"{made} has {seen[0]} trainable numbers in its parameters(), expected {right[0]}")
    if not seen[2]:
        raise Wrong(f"{made}(x) has the right value, but no gradient leads back from it to the coefficients")


# ---- cases ---------------------------------------------------------------------------------------------------------


def _permuted(hidden: bool) -> list[tuple[Any, ...]]:
    """Permutations, the smallest first, with numbers in their first order."""
    if hidden:
        pairs = [([2, 0, 1], [7, 8, 9]), ([1, 4, 0, 2, 3], [5, 4, 3, 2, 1]), ([1, 0], [3, 9])]
    else:
        pairs = [([1, 2, 0], [10, 20, 30]), ([2, 0, 3, 1], [10, 20, 30, 40]), ([1, 0, 2], [10, 20, 30])]
    return [(torch.tensor(g), torch.tensor(x)) for g, x in pairs]


def _looked_up(hidden: bool) -> list[tuple[Any, ...]]:
    return [(g, x[g]) for g, x in _permuted(hidden)]


def _numbers(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randint(-3, 4, shape, generator=generator).float()


def _pairs(hidden: bool) -> list[tuple[Any, ...]]:
    first = ([[1.0, 2.0], [0.0, 1.0]], [[1.0, 10.0], [2.0, 0.0]], [[1.0, 1.0], [3.0, 5.0]])
    generator = torch.Generator().manual_seed(2 if hidden else 1)
    cases: list[tuple[Any, ...]] = [] if hidden else [tuple(map(torch.tensor, first))]
    # Square, so that the transposed matrix fits as well, and is recognised.
    for size, count in [(3, 4), (2, 3)] if hidden else [(3, 2)]:
        shapes = ((count, size), (size, size), (count, size))
        cases.append(tuple(_numbers(generator, *shape) for shape in shapes))
    return cases


def _batches(hidden: bool) -> list[tuple[Any, ...]]:
    generator = torch.Generator().manual_seed(4 if hidden else 3)
    first = ([[1.0, 10.0], [0.0, 2.0]], [[[1.0, 2.0], [3.0, 5.0]]])
    cases: list[tuple[Any, ...]] = [] if hidden else [tuple(map(torch.tensor, first))]
    for size, count in [(3, 2), (4, 1)] if hidden else [(3, 2)]:
        cases.append((_numbers(generator, size, size), _numbers(generator, count, size, size)))
    return cases


def _matrices(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        matrices = [
            [[2, -1], [4, -2]],
            [[1, 1, 1], [1, 2, 3], [2, 3, 4]],
            [[1, 2, 3], [0, 1, 1], [0, 0, 0]],
            [[0, 2, 4], [0, 1, 2], [0, 0, 0]],
        ]
    else:
        # The last one has two rows too many, so that "one less than the size" is not the rank of all.
        matrices = [[[1, 2], [3, 6]], [[1, 2, 0], [0, 1, 1], [1, 3, 1]], [[1, 2, -1], [2, 4, -2], [3, 6, -3]]]
    return [(torch.tensor(A, dtype=torch.float32),) for A in matrices]


def _constraints(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        matrices = [[[1, 0, 0, 0, -1], [0, 1, -1, 0, 0], [1, 1, -1, 0, -1]], [[0, 0, 0], [0, 0, 0]], [[1, 2], [3, 4]]]
    else:
        matrices = [[[1, -1, 0]], [[1, 2], [2, 4], [3, 6]], [[1, -1, 0, 0], [0, 1, -1, 0], [1, 0, -1, 0]]]
    return [(torch.tensor(A, dtype=torch.float32),) for A in matrices]


def _turns(hidden: bool) -> list[tuple[Any, ...]]:
    return [(3 + 1j, 120), (-1 - 2j, -45), (2j, 10)] if hidden else [(2 + 1j, 90), (1 + 0j, 60), (1 - 3j, -30)]


def _waves(hidden: bool) -> list[tuple[Any, ...]]:
    return [(1, 3), (3, 5), (0, 2), (5, 6)] if hidden else [(1, 4), (2, 8), (3, 8)]


def _slopes(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [(-2.0, 5.0, 1.0), (0.5, 1.0, 4.0), (3.0, 0.0, -1.0)]
    return [(3.0, 1.0, 2.0), (2.0, -1.0, 3.0), (-1.0, 4.0, 0.5)]


def _positions(hidden: bool) -> list[tuple[Any, ...]]:
    return [([1.0, 2.0, 2.0],), ([0.0, -0.5],), ([-5.0, 12.0],)] if hidden else [([3.0, 4.0],), ([0.3, -0.4],)]


def _lines(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        data = [([1.0, -1.0, 2.0, 0.5], [2.0, 0.0, 1.0, 1.0], 3, 0.05), ([0.0, 1.0], [1.0, 4.0], 10, 0.1)]
    else:
        data = [([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], steps, 0.1) for steps in (1, 2, 20)]
    return [(torch.tensor(x), torch.tensor(y), steps, rate) for x, y, steps, rate in data]


def _coefficients(hidden: bool) -> list[tuple[Any, ...]]:
    return [([2.0, 0.0, -1.0, 0.5],), ([3.0, 4.0],)] if hidden else [([1.0, 2.0],), ([1.0, 0.0, 3.0],)]


TASKS = [
    FunctionTask(
        id="refresher.1-indexing",
        outcome="undo an indexing with a permutation",
        minutes=1,
        name="undo",
        reference=lambda g, y: place(g, y),
        cases=_looked_up,
        shown="You get x back from x[g], also where g is not its own inverse. You can skip section 1.",
        misconceptions=(
            Misconception(
                "indexes with g again",
                lambda g, y: y[g],
                "That is y[g], which looks up with g a second time. To undo it, look up with the inverse of g, or place with g.",
            ),
            Misconception(
                "reads the list backwards",
                lambda g, y: y.flip(0),
                "That is y from back to front. It has nothing to do with g.",
            ),
            Misconception(
                "gives the inverse itself",
                lambda g, y: invert(g),
                "That is the inverse of g. One step is missing: use it to look up entries of y.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.1-practice",
        outcome="look up, place, and invert",
        minutes=2,
        name="three_ways",
        reference=lambda g, x: [x[g], place(g, x), invert(g)],
        cases=_permuted,
        shown="Looking up and placing are told apart, and the inverse is right.",
        misconceptions=(
            Misconception(
                "looks up where it should place",
                lambda g, x: [x[g], x[g], invert(g)],
                "Your second list is x[g] once more. Placing moves the entry at i to place g[i].",
            ),
            Misconception(
                "takes looking up for placing and placing for looking up",
                lambda g, x: [place(g, x), x[g], invert(g)],
                "Your first two lists are the wrong way round. Entry i of x[g] is x[g[i]].",
            ),
            Misconception(
                "the inverse is g read backwards",
                lambda g, x: [x[g], place(g, x), g.flip(0)],
                "Your first two lists are right. For the inverse, ask at which place g holds 0, at which it holds 1, and so on.",
            ),
            Misconception(
                "g is its own inverse",
                lambda g, x: [x[g], place(g, x), g],
                "Your first two lists are right. g is its own inverse only if it swaps entries in pairs.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.2-einsum",
        outcome="write a sum over two indices, item by item, with einsum",
        minutes=1,
        name="pair_up",
        reference=pair_up,
        cases=_pairs,
        shown="One number for each item, summed over i and j. You can skip section 2.",
        accept=_accept_near("pair_up"),
        same=_near,
        misconceptions=(
            Misconception(
                "sums over the items as well",
                lambda x, A, y: torch.einsum("bi,ij,bj->", x, A, y),
                "You get one number in all: the letter of the items does not stand after the arrow, so it is summed too.",
            ),
            Misconception(
                "pairs every item with every other",
                lambda x, A, y: torch.einsum("bi,ij,cj->bc", x, A, y),
                "You pair each x with each y. The items of x and y belong together: give their axis one letter.",
            ),
            Misconception(
                "keeps an index that should be summed",
                lambda x, A, y: torch.einsum("bi,ij,bj->bi", x, A, y),
                "The letter i stands after your arrow, so it is kept. Only letters that are left out there are summed.",
            ),
            Misconception(
                "exchanges rows and columns",
                lambda x, A, y: torch.einsum("bj,ij,bi->b", x, A, y),
                "You use A with rows and columns exchanged: x goes with the first index of A, and y with the second.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.2-practice",
        outcome="apply a matrix to the last axis of a batch",
        minutes=2,
        name="map_last_axis",
        reference=map_last_axis,
        cases=_batches,
        shown="W maps the last axis, and the two axes in front are left alone.",
        accept=_accept_near("map_last_axis"),
        same=_near,
        misconceptions=(
            Misconception(
                "exchanges rows and columns",
                lambda W, x: torch.einsum("nm,bcn->bcm", W, x),
                "You sum over the rows of W. In y = W x the sum runs over the second index of W, its columns.",
            ),
            Misconception(
                "sums over the copies",
                lambda W, x: torch.einsum("mn,bcn->bm", W, x),
                "The copies are summed: their letter is missing after your arrow. Each copy is mapped on its own.",
            ),
            Misconception(
                "multiplies and does not sum",
                lambda W, x: torch.einsum("mn,bcn->bcmn", W, x),
                "Both letters of W stand after your arrow, so nothing is summed. Leave out the one of the old axis.",
            ),
            Misconception(
                "maps the axis of the copies",
                lambda W, x: torch.einsum("mn,bnc->bmc", W, x),
                "You map the middle axis. W belongs to the last one.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.3-null-space",
        outcome="find the rank of a matrix and a vector of its null space",
        minutes=1,
        name="rank_and_null_vector",
        reference=lambda A: [rank(A), null_vector(A)],
        cases=_matrices,
        shown="The rank is right, and A v = 0 with v other than zero. You can skip section 3.",
        accept=_accept_rank_and_null_vector,
        same=_same_rank_and_line,
        misconceptions=(
            Misconception(
                "counts the rows that are not zero",
                lambda A: [int((A != 0).any(1).sum()), null_vector(A)],
                "You count the rows that are not zero. A row that is a combination of others adds nothing to the rank.",
            ),
            Misconception(
                "gives the dimension of the null space for the rank",
                lambda A: [A.shape[1] - rank(A), null_vector(A)],
                "That is the dimension of the null space. The rank is what is left: the number of columns minus it.",
            ),
            Misconception(
                "takes the null space of the other side",
                lambda A: [rank(A), null_vector(A.T)],
                "Your rank is right. Your v satisfies v A = 0: it combines rows of A to zero. Asked is A v = 0. In the "
                "singular value decomposition, take the last row of Vh instead of the last column of U.",
            ),
            Misconception(
                "gives the zero vector",
                lambda A: [rank(A), [0.0] * A.shape[1]],
                "Your rank is right. Every matrix sends the zero vector to zero; asked is another vector.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.3-practice",
        outcome="count the free numbers that constraints leave",
        minutes=2,
        name="free_numbers",
        reference=lambda A: A.shape[1] - rank(A),
        cases=_constraints,
        shown="Columns minus rank, also where constraints repeat each other.",
        misconceptions=(
            Misconception(
                "rows minus rank",
                lambda A: A.shape[0] - rank(A),
                "That is rows minus rank, the number of constraints that you could drop. The numbers stand in the columns.",
            ),
            Misconception(
                "the rank",
                lambda A: rank(A),
                "That is the rank: how many numbers the constraints take away. Asked is how many they leave.",
            ),
            Misconception(
                "columns minus rows",
                lambda A: A.shape[1] - A.shape[0],
                "That subtracts one number for each constraint. A constraint that follows from others takes nothing away.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.4-complex",
        outcome="turn a complex number",
        minutes=1,
        name="turn",
        reference=lambda z, degrees: z * cmath.exp(1j * math.radians(degrees)),
        cases=_turns,
        shown="Multiplying by e^(iθ) turns by θ, anticlockwise. You can skip section 4.",
        accept=_accept_near("turn"),
        same=_near,
        misconceptions=(
            Misconception(
                "takes degrees for radians",
                lambda z, degrees: z * cmath.exp(1j * degrees),
                "The exponential takes radians: 360 degrees are 2π. Use math.radians(degrees).",
            ),
            Misconception(
                "turns clockwise",
                lambda z, degrees: z * cmath.exp(-1j * math.radians(degrees)),
                "You turn clockwise. A positive angle turns from the real axis towards i, anticlockwise.",
            ),
            Misconception(
                "adds instead of multiplying",
                lambda z, degrees: z + cmath.exp(1j * math.radians(degrees)),
                "You add e^(iθ), which moves z by one unit. Multiply to turn it.",
            ),
            Misconception(
                "leaves out i",
                lambda z, degrees: z * math.exp(math.radians(degrees)),
                "Without i the exponential is a real number: it stretches z and does not turn it.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.4-practice",
        outcome="write a wave on a ring as complex exponentials",
        minutes=2,
        name="wave",
        reference=wave,
        cases=_waves,
        shown="The wave goes k times round the circle in n steps and ends where it began.",
        accept=_accept_near("wave"),
        same=_near,
        misconceptions=(
            Misconception(
                "half a turn only",
                lambda k, n: [cmath.exp(1j * math.pi * k * j / n) for j in range(n)],
                "A whole turn is 2π radians, and yours is π: the factor 2 is missing.",
            ),
            Misconception(
                "leaves out k",
                lambda k, n: wave(1, n),
                "Your wave goes round once, whatever k is. It has to go round k times.",
            ),
            Misconception(
                "goes round the other way",
                lambda k, n: wave(-k, n),
                "Your wave goes round clockwise: check the sign of the exponent.",
            ),
            Misconception(
                "steps of one n−1-th of a turn",
                lambda k, n: [cmath.exp(2j * math.pi * k * j / (n - 1)) for j in range(n)],
                "Your last entry is back at the start. Make the steps smaller, 1/n of the way: the start comes again after the last entry.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.5-chain",
        outcome="differentiate a function of a function",
        minutes=1,
        name="slope",
        reference=lambda a, b, x: 2 * (a * x + b) * a,
        cases=_slopes,
        shown="Outer rate times inner rate. You can skip section 5.",
        accept=_accept_near("slope"),
        same=_near,
        misconceptions=(
            Misconception(
                "forgets the inner derivative",
                lambda a, b, x: 2 * (a * x + b),
                "That is the derivative of the square alone. The inside changes a times as fast as x: multiply by a.",
            ),
            Misconception(
                "takes the outer derivative at x",
                lambda a, b, x: 2 * x * a,
                "You take the derivative of the square at x. It belongs at the inner value, a x + b.",
            ),
            Misconception(
                "gives the value",
                lambda a, b, x: (a * x + b) ** 2,
                "That is the value of the function. Asked is how fast it changes with x.",
            ),
            Misconception(
                "differentiates with respect to a",
                lambda a, b, x: 2 * (a * x + b) * x,
                "That is the derivative with respect to a. Here x changes and a stays.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.5-practice",
        outcome="find a gradient with the chain rule",
        minutes=2,
        name="energy_gradient",
        reference=energy_gradient,
        cases=_positions,
        shown="Outer rate 2(r − 1) times inner rates x_i / r, for points outside and inside the circle r = 1.",
        accept=_accept_near("energy_gradient"),
        same=_near,
        misconceptions=(
            Misconception(
                "forgets the inner derivative",
                lambda x: [2 * (math.hypot(*x) - 1)] * len(x),
                "That is how fast the energy changes with r. Now multiply by how fast r changes with each entry: x_i / r.",
            ),
            Misconception(
                "takes x for the inner derivative",
                lambda x: [2 * (math.hypot(*x) - 1) * entry for entry in x],
                "The length r changes with x_i at the rate x_i / r, not x_i. The worked example above derives it.",
            ),
            Misconception(
                "gives the downhill direction",
                lambda x: [-entry for entry in energy_gradient(x)],
                "That is minus the gradient, the direction downhill. The gradient points uphill.",
            ),
            Misconception(
                "gives the sum of the entries",
                lambda x: sum(energy_gradient(x)),
                "That is one number, the sum. A gradient has one entry for each entry of x.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.6-training",
        outcome="write a training loop",
        minutes=2,
        name="train",
        reference=train,
        cases=_lines,
        shown="Your w and b are right, after one step and after many. You can skip section 6.",
        accept=_accept_near("train"),
        same=_near,
        misconceptions=(
            Misconception(
                "forgets zero_grad",
                lambda *args: train(*args, never_forgets=True),
                "Right after one step, wrong after two: each backward() adds to the gradient of the step before. Call zero_grad() "
                "in each step.",
            ),
            Misconception(
                "never steps",
                lambda x, y, steps, rate: [0.0, 0.0],
                "w and b are still 0. backward() only computes gradients; optimiser.step() changes the parameters.",
            ),
            Misconception(
                "goes uphill",
                lambda *args: train(*args, climbs=True),
                "Your error grows: the parameters follow the gradient uphill. Subtract it.",
            ),
            Misconception(
                "takes the sum instead of the mean",
                lambda *args: train(*args, sums=True),
                "Your steps are too long by the number of points: the error is the mean of the squares, not their sum.",
            ),
            Misconception(
                "mixes the shapes (n, 1) and (n,)",
                lambda *args: train(*args, mixes_shapes=True),
                "Your w and b fit the mean of y. Predictions of shape (n, 1) minus y of shape (n,) give n × n differences, each "
                "prediction with each y. Bring both to one shape.",
            ),
        ),
    ),
    FunctionTask(
        id="refresher.6-practice",
        outcome="write a module with parameters",
        minutes=2,
        name="Polynomial",
        reference=Polynomial,
        cases=_coefficients,
        shown="The values are right, the coefficients are found by parameters(), and gradients reach them.",
        accept=_accept_module,
        same=_same_module,
        misconceptions=(
            Misconception(
                "keeps plain tensors",
                _NotRegistered,
                "An optimiser would not see your coefficients. A module finds what is a torch.nn.Parameter and stored in an attribute of "
                "its own; it does not find plain tensors, or parameters in a list.",
            ),
            Misconception(
                "starts with the highest power",
                _Backwards,
                "Your coefficients are in the order of falling powers. start[0] belongs to x⁰, start[1] to x¹.",
            ),
            Misconception(
                "cuts the way of the gradient",
                _Detached,
                "Something in forward turns the coefficients into plain numbers: detach(), item(), tolist() or .data. Compute with the "
                "parameter itself.",
            ),
            Misconception(
                "sums over the inputs",
                _SumOverInputs,
                "You return one number for all inputs. x holds several inputs; each has its own value.",
            ),
        ),
    ),
]
