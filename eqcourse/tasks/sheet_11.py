"""Lesson and sheet 11: translations."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv1d

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Verdict, Wrong, gave_expected, same_answer, show
from ..groups import CyclicGroup
from ..representations import Representation, from_generators, outer
from .common import Family, FamilyTask, accept_yes_no, same_word, yes_if

Numbers = list[float]
Matrix = list[list[float]]


def _require_numbers(call: str, got: Any, count: int) -> None:
    """Raises ``Malformed`` unless ``got`` is a list of so many numbers."""
    if not isinstance(got, list) or len(got) != count or not all(isinstance(value, (int, float)) for value in got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of {count} real numbers")


# ---- in the lesson: the circulant matrix ------------------------------------------------------------------------------


def entries(index: Callable[[int, int, int], int]) -> Callable[[Numbers], Matrix]:
    """The matrix with w[index(i, j, N)] at place (i, j)."""

    def matrix(w: Numbers) -> Matrix:
        n = len(w)
        return [[w[index(i, j, n) % n] for j in range(n)] for i in range(n)]

    return matrix


circulant = entries(lambda i, j, n: i - j)


def _lower_part(w: Numbers) -> Matrix:
    return [[w[i - j] if i >= j else 0 for j in range(len(w))] for i in range(len(w))]


# ---- task 1: the layer -------------------------------------------------------------------------------------------------

Layer = Callable[[Numbers, Numbers], Numbers]


def layer(matrix: Callable[[Numbers], Matrix]) -> Layer:
    """x -> matrix(weights) x."""

    def forward(weights: Numbers, x: Numbers) -> Numbers:
        return [sum(entry * value for entry, value in zip(row, x, strict=True)) for row in matrix(weights)]

    return forward


convolve = layer(circulant)


def _families(hidden: bool) -> list[Family]:
    sizes = [1, 2, 6, 7, 12] if hidden else [3, 4, 5, 9]
    return [Family(CyclicGroup(n).regular(), CyclicGroup(n).regular(), n) for n in sizes]


def _three_weights(first: int) -> Callable[[Numbers], Matrix]:
    """Only the three differences i − j = first, first + 1, first + 2 have a weight."""

    def matrix(w: Numbers) -> Matrix:
        n = len(w)
        return [[w[(i - j) % n] * ((i - j - first) % n < 3) for j in range(n)] for i in range(n)]

    return matrix


def _diagonal(w: Numbers) -> Matrix:
    return [[w[i] * (i == j) for j in range(len(w))] for i in range(len(w))]


def _set_layer(w: Numbers) -> Matrix:
    n = len(w)
    return [[w[0] * (i == j) + (w[1] if n > 1 else 0) for j in range(n)] for i in range(n)]


def _all_alike(w: Numbers) -> Matrix:
    return [[w[0]] * len(w) for _ in w]


def _one_number(w: Numbers) -> Matrix:
    return [[w[0] * (i == j) for j in range(len(w))] for i in range(len(w))]


# ---- task 2: zero padding ----------------------------------------------------------------------------------------------

Slide = Callable[[Tensor, Tensor], Tensor]


def slide(w: Tensor, x: Tensor) -> Tensor:
    """torch's conv1d with zeros beyond both ends, as many outputs as inputs; the kernel is odd."""
    return conv1d(x[None, None], w[None, None], padding=len(w) // 2)[0, 0]


def _flipped(w: Tensor, x: Tensor) -> Tensor:
    return slide(w.flip(0), x)


def _on_the_ring(w: Tensor, x: Tensor) -> Tensor:
    half = len(w) // 2
    ends = torch.cat([x[len(x) - half :], x, x[:half]])
    return conv1d(ends[None, None], w[None, None])[0, 0]


def _roll(x: Tensor, t: int) -> Tensor:
    return x.roll(t)


def _into_zeros(x: Tensor, t: int) -> Tensor:
    """What is shifted beyond the end is lost."""
    return torch.cat([torch.zeros(min(t, len(x)), dtype=x.dtype), x])[: len(x)]


def padding_error(
    one: Slide = slide, shift: Callable[[Tensor, int], Tensor] = _roll, depth: int | None = None
) -> Callable[..., Numbers]:
    """|shift then layers − layers then shift| at each place; the variants are what misconceptions compute."""

    def error(w: Numbers, x: Numbers, t: int, layers: int) -> Numbers:
        kernel = torch.tensor(w, dtype=torch.float64)

        def network(signal: Tensor) -> Tensor:
            for _ in range(layers if depth is None else depth):
                signal = one(kernel, signal)
            return signal

        signal = torch.tensor(x, dtype=torch.float64)
        found: Numbers = (network(shift(signal, t)) - shift(network(signal), t)).abs().tolist()
        return found

    return error


def _with_sign(w: Numbers, x: Numbers, t: int, layers: int) -> Numbers:
    kernel, signal = (torch.tensor(values, dtype=torch.float64) for values in (w, x))
    moved = signal.roll(t)
    for _ in range(layers):
        moved, signal = slide(kernel, moved), slide(kernel, signal)
    found: Numbers = (moved - signal.roll(t)).tolist()
    return found


def _padding_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        source = torch.Generator().manual_seed(11)
        drawn: list[tuple[Any, ...]] = []
        for size, length, t, layers in [(3, 6, 4, 1), (5, 9, 2, 3), (1, 5, 2, 2), (7, 9, 5, 2), (3, 12, 1, 4)]:
            w, x = (torch.randint(-4, 10, (count,), generator=source).tolist() for count in (size, length))
            drawn.append((w, x, t, layers))
        return [
            ([2, 0, 1], [3, 1, 4, 1, 5, 9], 1, 1),
            ([1, 3, 2], [2, 7, 1, 8, 2, 8, 4], 3, 1),
            ([1, 0, 2], [1, 2, 0, 3, 0, 4, 5, 0, 6], 2, 2),
            ([1, 2, 3, 4, 6], [1, 4, 9, 3, 0, 2, 5, 7], 1, 1),
            ([1, 1, 2], [4, 0, 2, 1, 0, 3, 1, 6, 2, 5], 1, 3),
            *drawn,
        ]
    return [
        ([0, 5, 0], [1, 2, 3, 4], 1, 1),
        ([1, 2, 3], [10, 20, 30, 40, 50], 1, 1),
        ([1, 2, 3], [1, 0, 2, 0, 0, 5], 2, 1),
        ([7], [2, 1, 3], 1, 2),
        ([1, 0, 2], [5, 1, 0, 0, 2, 0, 3, 1], 1, 2),
        ([1, 0, 0, 2, 3], [4, 0, 1, 2, 0, 0, 3, 5], 3, 2),
        ([1, 0, 2], [1, 0, 0, 2, 0, 0, 1, 0, 0, 3], 3, 3),
    ]


def _accept_error(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"padding_error({', '.join(map(show, args))})"
    w, x, _, layers = args
    # With padding=1, a layer whose kernel has K numbers changes the length by 3 − K.
    if isinstance(got, list) and len(got) == len(x) + layers * (3 - len(w)) != len(x):
        raise Malformed(
            f"{call} gave {len(got)} numbers for a signal of {len(x)}. A kernel of {len(w)} needs "
            f"⌊{len(w)}/2⌋ = {len(w) // 2} zeros beyond each end; one is right for a kernel of 3 only"
        )
    _require_numbers(call, got, len(expected))
    if not same_answer(got, expected):
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")


# ---- task 3: stride ------------------------------------------------------------------------------------------------------

Map = Callable[[Tensor], Tensor]
KERNEL = [1.0, 2.0, 4.0]


def _ring(x: Tensor) -> Tensor:
    """Circular convolution with the kernel 1, 2, 4."""
    return sum((w * x.roll(k) for k, w in enumerate(KERNEL)), torch.zeros_like(x))


def _zeros(x: Tensor) -> Tensor:
    """The same with zeros before the beginning."""
    before = torch.cat([torch.zeros(2, dtype=x.dtype), x])
    return sum((w * before[2 - k : 2 - k + len(x)] for k, w in enumerate(KERNEL)), torch.zeros_like(x))


#: What the layers of task 11.stride are called, and what they compute from 8 numbers.
LAYERS: dict[str, Map] = {
    "circular convolution": _ring,
    "circular convolution, ReLU, circular convolution": lambda x: _ring(_ring(x).clamp(min=0)),
    "convolution with zero padding": _zeros,
    "convolution with zero padding and a kernel of one number": lambda x: 3 * x,
    "convolution with zero padding, mean over all places": lambda x: _zeros(x).mean(-1, keepdim=True),
    "circular convolution, stride 2": lambda x: _ring(x)[::2],
    "maximum of each pair of places (0, 1), (2, 3), …": lambda x: x.unflatten(0, (-1, 2)).amax(1),
    "circular convolution, stride 2, mean over all places": lambda x: _ring(x)[::2].mean(-1, keepdim=True),
    "circular convolution, stride 2, then once more stride 2": lambda x: _ring(_ring(x)[::2])[::2],
}


def shifts(size: int, by: int, order: int) -> Representation:
    """The element 1 shifts ``size`` numbers by ``by`` places; after ``order`` times nothing has moved."""
    return from_generators(CyclicGroup(order), indices=[[(i + by) % size for i in range(size)]])


def _alone(order: int) -> Representation:
    return CyclicGroup(order).trivial()


#: letter -> (layer, what g = 1 does to the 8 inputs, what it does to the outputs, the two representations)
_SETTINGS: dict[str, tuple[str, str, str, Callable[[], tuple[Representation, Representation]]]] = {
    "A": (
        "circular convolution, ReLU, circular convolution",
        "by 1",
        "by 1",
        lambda: (shifts(8, 1, 8), shifts(8, 1, 8)),
    ),
    "B": ("convolution with zero padding", "by 1", "by 1", lambda: (shifts(8, 1, 8), shifts(8, 1, 8))),
    "C": (
        "convolution with zero padding and a kernel of one number",
        "by 1",
        "by 1",
        lambda: (shifts(8, 1, 8), shifts(8, 1, 8)),
    ),
    "D": ("circular convolution, stride 2", "by 1", "by 1", lambda: (shifts(8, 1, 8), shifts(4, 1, 8))),
    "E": ("circular convolution, stride 2", "by 2", "by 1", lambda: (shifts(8, 2, 4), shifts(4, 1, 4))),
    "F": ("circular convolution, stride 2", "by 2", "by 2", lambda: (shifts(8, 2, 4), shifts(4, 2, 4))),
    "G": (
        "maximum of each pair of places (0, 1), (2, 3), …",
        "by 2",
        "by 1",
        lambda: (shifts(8, 2, 4), shifts(4, 1, 4)),
    ),
    "H": (
        "circular convolution, stride 2, mean over all places",
        "by 1",
        "not at all",
        lambda: (shifts(8, 1, 8), _alone(8)),
    ),
    "I": (
        "circular convolution, stride 2, then once more stride 2",
        "by 4",
        "by 1",
        lambda: (shifts(8, 4, 2), shifts(2, 1, 2)),
    ),
    "J": (
        "convolution with zero padding, mean over all places",
        "by 1",
        "not at all",
        lambda: (shifts(8, 1, 8), _alone(8)),
    ),
}
#: letter -> (layer, by how many places g = 1 shifts the inputs, and the outputs), in words
SETTINGS: dict[str, tuple[str, str, str]] = {letter: entry[:3] for letter, entry in _SETTINGS.items()}


@functools.cache
def setting(letter: str) -> tuple[Map, Representation, Representation]:
    """The layer and the two representations of one of the ten settings of task 11.stride.

    >>> f, rho_in, rho_out = setting("E")
    >>> rho_in.act(1, torch.arange(8)).tolist(), f(torch.ones(8)).tolist()
    ([6, 7, 0, 1, 2, 3, 4, 5], [7.0, 7.0, 7.0, 7.0])
    """
    name, _, _, make = _SETTINGS[letter]
    return LAYERS[name], *make()


def _breaks(letter: str, g: Any, x: Any) -> bool:
    f, rho_in, rho_out = setting(letter)
    if isinstance(g, bool) or not isinstance(g, int):
        raise Wrong(f'classify("{letter}"): the g of a witness is a whole number, of type int; got {g!r}')
    signal = torch.as_tensor(x, dtype=torch.float64)
    if tuple(signal.shape) != (8,) or not signal.isfinite().all():
        raise Wrong(f'classify("{letter}"): the x of a witness is a list of 8 finite numbers, got {show(x)}')
    # Every layer here scales with its input, so that a witness may be as small or as large as it likes.
    largest = signal.abs().max().item()
    signal = signal / largest if largest > 0 else signal
    left, right = f(rho_in.act(g, signal)), rho_out.act(g, f(signal))
    return bool((left - right).abs().max() > 1e-9)


def classify(letter: str) -> list[Any]:
    """Try all shifts on two asymmetric inputs."""
    group = setting(letter)[1].group
    for x, g in itertools.product([[1, 0, 0, 0, 0, 0, 0, 0], [3, 1, -4, 1, 5, -9, 2, 6]], group.elements()):
        if _breaks(letter, g, x):
            return ["no", [g, x]]
    return ["yes", None]


# ---- task 4: by FFT ------------------------------------------------------------------------------------------------------


def by_fft(w: Numbers, x: Numbers) -> Numbers:
    n = len(x)
    spectrum = torch.fft.fft(torch.tensor(w, dtype=torch.float64), n=n)
    found: Numbers = torch.fft.ifft(spectrum * torch.fft.fft(torch.tensor(x, dtype=torch.float64))).real.tolist()
    return found


def terms(index: Callable[[int, int], int]) -> Callable[[Numbers, Numbers], Numbers]:
    """y_i = Σ_k w_k x_{index(i, k)}, round the ring."""

    def answer(w: Numbers, x: Numbers) -> Numbers:
        n = len(x)
        return [sum(weight * x[index(i, k) % n] for k, weight in enumerate(w)) for i in range(n)]

    return answer


def _centred(w: Numbers, x: Numbers) -> Numbers:
    return terms(lambda i, k: i - k + len(w) // 2)(w, x)


def _with_zeros(w: Numbers, x: Numbers) -> Numbers:
    return [sum(weight * x[i - k] for k, weight in enumerate(w) if i >= k) for i in range(len(x))]


def _unscaled(w: Numbers, x: Numbers) -> Numbers:
    return [len(x) * value for value in by_fft(w, x)]


def _entry_by_entry(w: Numbers, x: Numbers) -> Numbers:
    return [weight * value for weight, value in zip([*w, *[0] * (len(x) - len(w))], x, strict=True)]


def _wrong_end(w: Numbers, x: Numbers) -> Numbers:
    return by_fft([0] * (len(x) - len(w)) + list(w), x)


def _fft_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        w, x = torch.randn(2, 64, generator=torch.Generator().manual_seed(11), dtype=torch.float64)
        return [
            ([3, 1], [1, 0, 0, 0, 0, 0]),
            ([5, 1, 2], [1, 4, 9, 2]),
            ([6], [4]),
            ([-2], [3, 0, 1, 5, 0, 2, 9]),
            ([1, -2, 0, 4], [2, 7, 1, 8, 2]),
            ([2, 1, 7, 1, 8, 3], [1, 1, 2, 3, 5, 8]),
            (w[:48].tolist(), x.tolist()),
            (w[:9].tolist(), x[:31].tolist()),
        ]
    return [
        ([1, 2, 3], [1, 0, 0, 0, 0]),
        ([1, 2, 3], [10, 20, 30, 40]),
        ([4, 0, 1], [1, 2, 4]),
        ([3], [1, 0, 2, 5]),
        ([2, -1], [5, 1, 0, 3, 0, 2, 7]),
        ([1, 0, 2, 0, 3, 1], [2, 7, 1, 8, 0, 3, 0, 4, 5]),
    ]


def _accept_fft(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"by_fft({', '.join(map(show, args))})"
    if isinstance(got, list) and any(isinstance(value, complex) for value in got):
        raise Malformed(
            f"{call} gave {show(got)}: complex numbers. Return the real part; the imaginary part is rounding"
        )
    _require_numbers(call, got, len(expected))
    # Transforms in float32 are exact to about 1e-6 of the largest number.
    allowed = 1e-5 * max(map(abs, expected))
    if not all(abs(a - b) <= allowed for a, b in zip(got, expected, strict=True)):
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")


@dataclass(frozen=True)
class _FftTask(FunctionTask):
    """Says what to do when transforms of different lengths are multiplied."""

    def _ask(self, answer: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        got = super()._ask(answer, args)
        unequal = ("size of tensor", "broadcast", "could not be broadcast")
        if isinstance(got, Verdict) and got.status == "error" and any(part in got.message for part in unequal):
            hint = "Kernel and signal have different lengths: fill the kernel up to N numbers, with zeros after it."
            return replace(got, message=f"{got.message}\n{hint}")
        return got


# ---- task 5: two dimensions ------------------------------------------------------------------------------------------------


def image_layer(coefficient: Callable[..., float]) -> Callable[[Numbers, Matrix], Matrix]:
    """From pixel (c, d) to pixel (a, b) the weight is ``coefficient(weights, a, b, c, d, height, width)``."""

    def forward(weights: Numbers, x: Matrix) -> Matrix:
        height, width = len(x), len(x[0])
        places = list(itertools.product(range(height), range(width)))
        return [
            [sum(coefficient(weights, a, b, c, d, height, width) * x[c][d] for c, d in places) for b in range(width)]
            for a in range(height)
        ]

    return forward


def _both_axes(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return w[(a - c) % height * width + (b - d) % width]


def _flat(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return w[(a * width + b - c * width - d) % (height * width)]


def _rows_only(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return w[(b - d) % width] * (a == c)


def _columns_only(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return w[(a - c) % height] * (b == d)


def _cut_off(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return _both_axes(w, a, b, c, d, height, width) * (a >= c and b >= d)


def _permutations(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return w[0] + w[1] * (a == c) + w[2] * (b == d) + w[3] * (a == c and b == d)


def _each_pixel(w: Numbers, a: int, b: int, c: int, d: int, height: int, width: int) -> float:
    return w[a * width + b] * (a == c and b == d)


def _image_families(hidden: bool) -> list[Family]:
    sizes = [(2, 3), (4, 3), (5, 2)] if hidden else [(2, 4), (3, 3), (3, 4)]
    return [Family(rho, rho, rho.dim) for rho in (_torus(h, w) for h, w in sizes)]


def _torus(height: int, width: int) -> Representation:
    return outer(CyclicGroup(height).regular(), CyclicGroup(width).regular())


# ---- all tasks -------------------------------------------------------------------------------------------------------------

TASKS: list[Any] = [
    ValueTask(
        id="11.recall-1",
        outcome="count the weights of a layer on tables",
        minutes=1,
        accepted=(4,),
        why="Each of the two axes has two cases, same place or another: 2 · 2 = 4.",
        feedback={
            12: "There are 12 entries in the table. How a row is tied to another does not depend on which rows they are.",
            144: "144 is the number of entries without any tie.",
            2: "Two for one axis. Here are two axes, each with a permutation of its own.",
            15: "15 is for one permutation that moves both axes. Here each axis has its own.",
        },
    ),
    ValueTask(
        id="11.recall-2",
        outcome="say which vectors can be a bias",
        minutes=1,
        accepted=([2, 2, 2, 2],),
        why="A bias has to be an invariant vector: a shift moves the 2 to every place, and nothing may change.",
        feedback={
            (2, 0, 0, 0): "Shifted by 1, this is [0, 2, 0, 0]. A bias has to stay as it is.",
            (2, 1, 1, 1): "Shifted by 1, this is [1, 2, 1, 1]. A bias has to stay as it is.",
        },
    ),
    ValueTask(
        id="11.tied",
        outcome="tie entries of a matrix by following the constraint",
        minutes=2,
        accepted=([1, 2],),
        why="20 stands at the lower right on the left side, and 12 there on the right side: all of W₀₁, W₂₀ and W₁₂ are equal.",
        feedback={
            (
                0,
                1,
            ): "There 20 stands on the right and 01 on the left: that is the worked example. Start with 20 on the left.",
            (2, 1): "The digits are row and column of the entry: 12 is row 1, column 2.",
            (2, 2): "That is the place where 20 stands. Which entry stands at this place on the right?",
        },
    ),
    FunctionTask(
        id="11.circulant",
        outcome="build the circulant matrix of a kernel",
        minutes=4,
        name="circulant",
        reference=circulant,
        cases=lambda hidden: (
            [([1, 2, 4, 8],), ([3, 1],), ([5, 0, 7, 1, 2],)] if hidden else [([10, 20, 30],), ([1, 2, 3, 4],), ([7],)]
        ),
        shown="Every entry depends on i − j only, and the first column is w.",
        misconceptions=(
            Misconception(
                "rows instead of columns",
                entries(lambda i, j, n: j - i),
                "Your first row is w; the first column should be. The entry at row i, column j is w[(i − j) % N].",
            ),
            Misconception(
                "the sum of the indices",
                entries(lambda i, j, n: i + j),
                "You use i + j. If both indices grow by 1, i + j changes; i − j does not.",
            ),
            Misconception(
                "the ring is open",
                _lower_part,
                "You leave zeros above the diagonal. The places form a ring: take i − j modulo N.",
            ),
            Misconception(
                "every row is the kernel",
                entries(lambda i, j, n: j),
                "All your rows are equal. Each row is the one above it, shifted by one place.",
            ),
        ),
    ),
    FamilyTask(
        id="11.layer",
        outcome="write every linear map that commutes with shifts: the circular convolution",
        points=3,
        minutes=12,
        name="forward",
        reference=convolve,
        families=_families,
        shown="Your layer commutes with shifts, and reaches all circulant matrices. (So does the cross-correlation: the same "
        "maps, with the weights in another order.)",
        misconceptions=(
            Misconception(
                "zero padding",
                layer(_lower_part),
                "You leave out what lies beyond the beginning. The places form a ring: take indices modulo N.",
            ),
            Misconception(
                "one weight for each place",
                layer(_diagonal),
                "You multiply each place by a weight of its own. Shifts carry every place to every other one, so the same "
                "weights have to be used everywhere.",
            ),
            Misconception(
                "the sum of the indices",
                layer(entries(lambda i, j, n: i + j)),
                "Your matrix depends on i + j: a shift of the input shifts the output the other way. It has to depend on i − j.",
            ),
            Misconception(
                "the identity layer",
                layer(_one_number),
                "Each output sees its own place only. A kernel of one number commutes with shifts; longer kernels do as well.",
            ),
            Misconception(
                "the sum alone",
                layer(_all_alike),
                "All outputs are the same sum. It is equivariant, and one of N dimensions.",
            ),
            Misconception(
                "shifts tie as much as permutations",
                layer(_set_layer),
                "You use the two weights of lesson 08, own and sum. Shifts are fewer than permutations, and tie less: "
                "neighbours may be told from places further away.",
            ),
            Misconception(
                "three weights are enough",
                layer(_three_weights(0)),
                "Your kernel has three weights, whatever N is. A short kernel commutes with shifts, and leaves most such layers out: "
                "the kernel may be as long as the signal.",
            ),
            Misconception(
                "three weights around the middle are enough",
                layer(_three_weights(-1)),
                "Each output sees itself and its two neighbours only. Such a kernel commutes with shifts, and leaves most such layers "
                "out: the kernel may be as long as the signal.",
            ),
            Misconception(
                "left and right are alike",
                layer(entries(lambda i, j, n: min((i - j) % n, (j - i) % n))),
                "You use one weight for k places to the left and k to the right. Shifts do not ask for that; mirroring would.",
            ),
        ),
    ),
    FunctionTask(
        id="11.padding",
        outcome="measure where zero padding breaks the equivariance",
        points=3,
        minutes=12,
        name="padding_error",
        reference=padding_error(),
        cases=_padding_cases,
        accept=_accept_error,
        shown="The errors sit near the ends, reach further in with each layer, and vanish for a kernel with one number.",
        misconceptions=(
            Misconception(
                "CNNs are always equivariant",
                lambda w, x, t, layers: [0.0] * len(x),
                "You find no difference anywhere. With zeros beyond the ends, a number at the end has lost a neighbour that "
                "it has in the middle. (If you computed this, you joined the ends of the signal.)",
            ),
            Misconception(
                "conv1d is convolution",
                padding_error(_flipped),
                "You flip the kernel. conv1d does not: it computes the cross-correlation, with the kernel as it is written.",
            ),
            Misconception(
                "what is shifted out is lost",
                padding_error(shift=_into_zeros),
                "You shift zeros in at the beginning. The shift acts round the ring: what leaves at the end comes in at the beginning.",
            ),
            Misconception(
                "the shift goes the other way",
                padding_error(shift=lambda x, t: x.roll(-t)),
                "You shift by −t. [t▷x]_i = x_{i−t}: the number at place 0 moves to place t.",
            ),
            Misconception(
                "one layer shows it all",
                padding_error(depth=1),
                "You apply one layer, whatever the number of layers. Each layer carries the error further in.",
            ),
            Misconception(
                "a shift by 1 shows it all",
                padding_error(shift=lambda x, t: x.roll(1)),
                "You shift by 1, whatever t is.",
            ),
            Misconception(
                "the sign is kept",
                _with_sign,
                "You return differences with their signs. Take absolute values.",
            ),
        ),
    ),
    FunctionTask(
        id="11.stride",
        outcome="say which shifts a layer respects, with a witness for each no",
        points=4,
        minutes=18,
        name="classify",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=accept_yes_no("classify", _breaks, "Not every layer that you call equivariant is."),
        same=same_word,
        count_only=True,
        shown="All ten are right, and each witness makes the two paths differ.",
        misconceptions=(
            Misconception(
                "CNNs are always equivariant",
                yes_if("ABCDEFGHIJ", classify),
                "You say yes to everything. Zero padding breaks the ring at its ends, and stride forgets every second place.",
            ),
            Misconception(
                "stride keeps the equivariance",
                yes_if("ACDEGHI", classify),
                "You say that a layer with stride 2 respects shifts by 1. Its outputs at even places say nothing about those at "
                "odd places: shift a single 1 by one place and look.",
            ),
            Misconception(
                "stride destroys the equivariance",
                yes_if("AC", classify),
                "You refuse every layer that skips places. A shift by the stride moves the outputs by one place.",
            ),
            Misconception(
                "zero padding does no harm",
                yes_if("ABCEGIJ", classify),
                "You accept zero padding. Put a single 1 at the last place and shift it by one: now its neighbour lies on the signal.",
            ),
            Misconception(
                "zero padding always does harm",
                yes_if("AEGI", classify),
                "You refuse every layer with zero padding. A kernel of one number never looks beyond the end.",
            ),
            Misconception(
                "a mean forgets all places",
                yes_if("ACEGHIJ", classify),
                "You accept whatever ends in a mean over all places. The mean forgets the order of what it gets, but what it gets "
                "has already changed.",
            ),
            Misconception(
                "input and output shift by the same number of places",
                yes_if("ACF", classify),
                "You expect the output to shift as far as the input. After stride 2 it shifts half as far.",
            ),
        ),
    ),
    _FftTask(
        id="11.fft",
        outcome="apply a circular convolution by the convolution theorem",
        points=3,
        minutes=12,
        name="by_fft",
        reference=by_fft,
        cases=_fft_cases,
        accept=_accept_fft,
        shown="It agrees with the sum y_i = Σ w_k x_{i−k} for kernels of every length up to that of the signal.",
        misconceptions=(
            Misconception(
                "conv1d is convolution",
                terms(lambda i, k: i + k),
                "You compute the cross-correlation, Σ w_k x_{i+k}, as conv1d does. The convolution has x_{i−k}. (In waves: you took "
                "the complex conjugate of the kernel's transform.)",
            ),
            Misconception(
                "the middle of the kernel is at 0",
                _centred,
                "You put the middle of the kernel at 0, as CircularConv does. Here w[0] belongs to x_i itself.",
            ),
            Misconception(
                "zeros beyond the ends",
                _with_zeros,
                "You padded both with zeros to a longer signal: that is the convolution of an open line. On the ring, transform "
                "signals of length N; only the kernel is filled up with zeros.",
            ),
            Misconception(
                "the inverse transform is not scaled",
                _unscaled,
                "You are too large by the factor N. The inverse transform divides by N.",
            ),
            Misconception(
                "no transform",
                _entry_by_entry,
                "You multiply the signals entry by entry. Their transforms are what has to be multiplied.",
            ),
            Misconception(
                "zeros before the kernel",
                _wrong_end,
                "You fill up the kernel with zeros at its beginning. w[0] has to stay at place 0: the zeros come after it.",
            ),
        ),
    ),
    FamilyTask(
        id="11.images",
        outcome="write every linear map on images that commutes with shifts along both axes",
        points=3,
        minutes=14,
        name="forward",
        reference=image_layer(_both_axes),
        families=_image_families,
        shown="Your layer commutes with shifts along both axes, and reaches every such map.",
        misconceptions=(
            Misconception(
                "an image is one long signal",
                image_layer(_flat),
                "You convolve the pixels as one long row: what leaves a row enters the next one. Each axis is a ring of its own.",
            ),
            Misconception(
                "only along the rows",
                image_layer(_rows_only),
                "Pixels of different rows do not meet. Add up over both axes.",
            ),
            Misconception(
                "only along the columns",
                image_layer(_columns_only),
                "Pixels of different columns do not meet. Add up over both axes.",
            ),
            Misconception(
                "zero padding",
                image_layer(_cut_off),
                "You leave out what lies beyond the edge. Both axes are rings: take each index modulo its own size.",
            ),
            Misconception(
                "shifts tie as much as permutations",
                image_layer(_permutations),
                "You use the four weights of lesson 10, for permutations of rows and of columns. Shifts are fewer, and tie less.",
            ),
            Misconception(
                "one weight for each place",
                image_layer(_each_pixel),
                "You multiply each pixel by a weight of its own. The same weights have to be used at all places.",
            ),
        ),
    ),
]
