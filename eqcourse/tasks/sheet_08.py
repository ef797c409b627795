"""Lesson and sheet 08: sets."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Verdict, Wrong, plain, same_answer, show
from ..groups import SymmetricGroup
from .common import Family, FamilyTask, same_word, yes_if

Matrix = list[list[float]]
Pair = tuple[int, int]

# ---- in the lesson: colours of pairs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _ColoursTask(ValueTask):
    """Colours in rows: says what is wrong with the form, and takes note of the right classes under other names."""

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        right = self.accepted[0]
        rows = plain(answer)
        if rows is None:
            return super().judge(answer, hidden)
        if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != len(right) for row in rows):
            return self._verdict("not yet", f"{show(rows)} is not of the right form: give three rows of three colours.")
        if len(rows) != len(right):
            return self._verdict("not yet", f"There are {len(rows)} rows: give three rows of three colours.")
        names = [str(colour) for row in rows for colour in row]
        wanted = [str(colour) for row in right for colour in row]
        alike = len(set(zip(names, wanted, strict=True))) == len(set(names)) == len(set(wanted))
        if alike and not same_answer(rows, right):
            return self._verdict("not yet", "The classes are right. Number them in order, starting with 0.")
        return super().judge(answer, hidden)


# ---- in the lesson: the two weights of a matrix -------------------------------------------------------------------------


def two_weights(W: Matrix) -> list[float]:
    return [W[0][0] - W[0][1], W[0][1]]


def _matrix_cases(hidden: bool) -> list[tuple[Any, ...]]:
    sizes = (
        [(2, -1, 4), (5, 0, 3), (3, 2, -2), (3, 0.5, 0), (2, -4, 1)]
        if hidden
        else [(3, 5, 2), (2, 1, 3), (4, 10, -1), (3, -3, 4)]
    )
    return [([[w_id * (i == j) + w_sum for j in range(n)] for i in range(n)],) for n, w_id, w_sum in sizes]


# ---- task 1: which entries have to be equal -----------------------------------------------------------------------------

Move = Callable[[list[int], list[int], Pair], Pair]


def _both_indices(pi: list[int], other: list[int], pair: Pair) -> Pair:
    return pi[pair[0]], pi[pair[1]]


def tied(
    move: Move = _both_indices, rounds: int | None = None, own_permutations: bool = False
) -> Callable[..., list[list[int]]]:
    """All pairs that a pair is moved to, in so many rounds or until nothing is new; the variants are what misconceptions compute."""

    def entries(n: int, permutations: list[list[int]], pair: list[int]) -> list[list[int]]:
        found = {(pair[0], pair[1])}
        both = list(itertools.product(permutations, permutations if own_permutations else [[]]))
        done = 0
        while rounds is None or done < rounds:
            new = {move(pi, other, p) for p in found for pi, other in both} - found
            if not new:
                break
            found |= new
            done += 1
        return sorted(map(list, found))

    return entries


def _and_transposed(n: int, permutations: list[list[int]], pair: list[int]) -> list[list[int]]:
    found = tied()(n, permutations, pair)
    return sorted(map(list, {(i, j) for i, j in found} | {(j, i) for i, j in found}))


def _two_colours(n: int, permutations: list[list[int]], pair: list[int]) -> list[list[int]]:
    """Diagonal or rest, whatever the permutations."""
    return [[i, j] for i, j in itertools.product(range(n), range(n)) if (i == j) == (pair[0] == pair[1])]


def _each_alone(n: int, permutations: list[list[int]], pair: list[int]) -> list[list[int]]:
    """The orbits of the pair under each permutation by itself, put together."""
    found = [pair] + [p for pi in permutations for p in tied()(n, [pi], pair)]
    return sorted(map(list, set(map(tuple, found))))


def _tied_cases(hidden: bool) -> list[tuple[Any, ...]]:
    swap, cycle = [1, 0, 2], [1, 2, 0]
    if hidden:
        return [
            (3, [[0, 2, 1]], [1, 2]),
            (3, [[2, 0, 1]], [0, 2]),
            (4, [[1, 0, 2, 3], [0, 1, 3, 2]], [0, 2]),
            (4, [[1, 2, 3, 0], [1, 0, 2, 3]], [3, 1]),
            (4, [[1, 2, 0, 3]], [3, 0]),
            (4, [[1, 2, 0, 3]], [3, 3]),
            (5, [[1, 2, 3, 4, 0]], [4, 1]),
            (1, [[0]], [0, 0]),
        ]
    return [
        (3, [], [0, 1]),
        (3, [swap], [0, 1]),
        (3, [cycle], [0, 1]),
        (3, [swap], [2, 0]),
        (3, [swap, cycle], [0, 1]),
        (3, [swap, cycle], [0, 0]),
        (4, [[1, 2, 3, 0]], [0, 2]),
    ]


def _accept_tied(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    n, permutations, pair = args
    call = f"tied({n}, {show(permutations)}, {show(pair)})"
    pairs = isinstance(got, list) and all(
        isinstance(p, list) and len(p) == 2 and all(isinstance(i, int) and not isinstance(i, bool) for i in p)
        for p in got
    )
    if not pairs:
        raise Malformed(f"{call} gave {show(got)}; expected a sorted list of pairs [i, j] of whole numbers")
    if same_answer(got, expected):
        return
    missing = [p for p in expected if p not in got]
    extra = [p for p in got if p not in expected]
    if missing:
        raise Wrong(f"{call}: {show(missing[0])} is missing. Found {len(expected) - len(missing)} of {len(expected)}.")
    if extra:
        raise Wrong(
            f"{call}: {show(extra[0])} does not belong there. No composition of these moves {show(pair)} to it."
        )
    raise Wrong(f"{call} has the right pairs; give them sorted, each once: {show(expected)}")


# ---- task 2: the layer ----------------------------------------------------------------------------------------------------

Layer = Callable[..., Matrix]


def _channels_first(n: int, channels: int) -> Any:
    """``channels`` rows of n numbers, permuted alike."""
    group = SymmetricGroup(n)
    rho = group.trivial(channels) * group.defining()
    rho.name = f"({channels} channel{'s' if channels > 1 else ''}, N = {n})"
    return rho


def _layer_families(hidden: bool) -> list[Family]:
    # number of items, channels in, channels out
    sizes = [(3, 1, 1), (1, 1, 2), (3, 2, 2), (4, 2, 3), (9, 1, 1)]
    if hidden:
        sizes = [(1, 2, 2), (2, 2, 3), (4, 3, 2), (5, 1, 2), (11, 1, 1)]
    return [
        Family(_channels_first(n, c_in), _channels_first(n, c_out), 2 * c_in * c_out, (c_out,))
        for n, c_in, c_out in sizes
    ]


def layer(
    coefficient: Callable[[list[float], int, int, int, int, int, int], float],
) -> Layer:
    """By the full sum: from (channel c, item j) to (channel o, item i) the weight is ``coefficient(w, o, c, i, j, n, c_in)``."""

    def forward(weights: list[float], x: Matrix, c_out: int) -> Matrix:
        c_in, n = len(x), len(x[0])
        return [
            [
                sum(coefficient(weights, o, c, i, j, n, c_in) * x[c][j] for c in range(c_in) for j in range(n))
                for i in range(n)
            ]
            for o in range(c_out)
        ]

    return forward


def set_layer(weights: list[float], x: Matrix, c_out: int) -> Matrix:
    """In O(N): the sums first, then each item."""
    c_in, n = len(x), len(x[0])
    own, pool = weights[: c_in * c_out], weights[c_in * c_out :]
    sums = [sum(row) for row in x]
    return [
        [sum(own[o * c_in + c] * x[c][i] + pool[o * c_in + c] * sums[c] for c in range(c_in)) for i in range(n)]
        for o in range(c_out)
    ]


def _own_only(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    return w[o * c_in + c] * (i == j)


def _sum_only(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    return w[o * c_in + c]


def _no_mixing(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    return (w[2 * c] * (i == j) + w[2 * c + 1]) * (o == c)


def _shared(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    return w[0] * (i == j) + w[1]


def _shared_in(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    """Two weights for each channel out."""
    return w[2 * o] * (i == j) + w[2 * o + 1]


def _shared_out(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    """Two weights for each channel in."""
    return w[2 * c] * (i == j) + w[2 * c + 1]


def _pool_of_all(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    return w[o * c_in + c] * (i == j) + w[len(w) // 2 + o]


def _running(w: list[float], o: int, c: int, i: int, j: int, n: int, c_in: int) -> float:
    return w[o * c_in + c] * (i == j) + w[len(w) // 2 + o * c_in + c] * (j <= i)


# ---- task 3: masks --------------------------------------------------------------------------------------------------------

Numbers = list[float]


def masked_layer(x: Numbers, mask: list[bool], w_id: float, w_mean: float) -> Numbers:
    real = [value for value, keep in zip(x, mask, strict=True) if keep]
    mean = sum(real) / len(real) if real else 0.0
    return [w_id * value + w_mean * mean if keep else 0.0 for value, keep in zip(x, mask, strict=True)]


def _masked(
    total: Callable[[Numbers, list[bool]], float],
    count: Callable[[Numbers, list[bool]], float],
    outside: Callable[[float, float, float, float], float] = lambda value, mean, w_id, w_mean: 0.0,
) -> Callable[..., Numbers]:
    """The layer with another sum, another number to divide by, another output at padding."""

    def answer(x: Numbers, mask: list[bool], w_id: float, w_mean: float) -> Numbers:
        number = count(x, mask)
        mean = total(x, mask) / number if number else 0.0
        return [
            w_id * value + w_mean * mean if keep else outside(value, mean, w_id, w_mean)
            for value, keep in zip(x, mask, strict=True)
        ]

    return answer


def _real_sum(x: Numbers, mask: list[bool]) -> float:
    return sum(value for value, keep in zip(x, mask, strict=True) if keep)


def _first_are_real(x: Numbers, mask: list[bool], w_id: float, w_mean: float) -> Numbers:
    number = sum(mask)
    return masked_layer(x, [i < number for i in range(len(x))], w_id, w_mean)


def _random_masks(seed: int) -> list[tuple[Any, ...]]:
    """Bags of whole numbers, with zeros, negative numbers and paddings anywhere."""
    source = random.Random(seed)
    cases = []
    for n in (4, 6, 7):
        x = [float(source.randint(-9, 9)) for _ in range(n)]
        mask = [source.random() < 0.6 for _ in range(n)]
        cases.append((x, mask, source.randint(1, 5), source.randint(-5, -1)))
    return cases


def _mask_cases(hidden: bool) -> list[tuple[Any, ...]]:
    T, F = True, False
    if hidden:
        return [
            ([0.0, 7.0, 50.0], [T, T, F], 3, 2),
            ([-4.0, 60.0, -3.0], [T, F, T], 1, 1),
            ([math.inf, 3.0, 8.0], [F, T, T], 2, 3),
            *_random_masks(2),
            ([3.0, 9.0], [T, T], 1, 2),
            ([5.0, 1.0, -40.0, 8.0, 0.0], [T, F, F, T, F], 2, 3),
            ([7.0, -2.0], [F, F], 2, 3),
            ([-7.0, 4.0, 12.0], [F, F, T], 5, -2),
            ([6.0, 7.0, 8.0, 9.0, 1.0], [T, T, F, T, T], 0, 4),
            ([4.0], [F], 1, 1),
        ]
    return [
        ([10.0, 20.0, 30.0], [T, T, T], 2, 3),
        ([10.0, 20.0, 0.0, 0.0], [T, T, F, F], 2, 3),
        ([10.0, 99.0, 30.0], [T, F, T], 2, 3),
        ([5.0, 99.0], [T, F], 1, 1),
        ([99.0, 98.0], [F, F], 2, 3),
        ([0.0, 10.0, 99.0], [T, T, F], 2, 3),
        ([-3.0, -2.0, 50.0], [T, T, F], 1, 1),
        ([4.0, math.inf], [T, F], 2, 3),
        *_random_masks(1),
    ]


# ---- task 4: what does the network answer for the same bag in another order ---------------------------------------------

Rearranged = Callable[[list[Any], list[Any], list[Any]], Any]


def _places(x: list[Any], other: list[Any]) -> list[int] | None:
    """For each place of ``other`` the place in x from which it came (equal items in their order); None if it is another bag."""
    if len(x) != len(other):
        return None
    free = list(range(len(x)))
    places = []
    for item in other:
        place = next((p for p in free if x[p] == item), None)
        if place is None:
            return None
        free.remove(place)
        places.append(place)
    return places


def _splits_a_tie(x: list[Any], y: list[Any]) -> bool:
    return any(x[i] == x[j] and y[i] != y[j] for i, j in itertools.combinations(range(len(x)), 2))


def answer_for(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    if kind == "labels" and (len(y) != len(x) or _splits_a_tie(x, y)):
        return "impossible"
    places = _places(x, other)
    if places is None:
        return "anything"
    return y if kind == "verdict" else [y[p] for p in places]


def _stays(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    return y if answer_for(kind, x, y, other) not in ("anything", "impossible") else answer_for(kind, x, y, other)


def _breaks_ties(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    places = _places(x, other)
    if places is None or kind == "verdict" or len(y) != len(x):
        return answer_for(kind, x, y, other)
    return [y[p] for p in places]


def _another_list_is_another_input(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    right = answer_for(kind, x, y, other)
    return right if x == other or right == "impossible" else "anything"


def _repeats_do_not_count(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    right = answer_for(kind, x, y, other)
    if right != "anything" or set(x) != set(other):
        return right
    return y if kind == "verdict" else [y[x.index(item)] for item in other]


def _no_equal_labels(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    if (
        kind == "labels"
        and len(y) == len(x)
        and any(x[i] != x[j] and y[i] == y[j] for i, j in itertools.combinations(range(len(x)), 2))
    ):
        return "impossible"
    return answer_for(kind, x, y, other)


def _another_bag_first(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    return "anything" if _places(x, other) is None else answer_for(kind, x, y, other)


def _moved_back(kind: str, x: list[Any], y: Any, other: list[Any]) -> Any:
    right, places = answer_for(kind, x, y, other), _places(x, other)
    if kind == "verdict" or not isinstance(right, list) or places is None or len(set(x)) < len(x):
        return right
    moved = [0] * len(x)
    for i, place in enumerate(places):
        moved[place] = y[i]
    return moved


def _answer_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ("labels", [2, 5, 2], [1, 9, 1], [5, 2, 2]),
            ("labels", [2, 5, 2], [1, 9, 3], [2, 2, 5]),
            ("verdict", [2, 5, 2], 4, [2, 2, 5]),
            ("verdict", [2, 5, 2], 4, [2, 5, 5]),
            ("labels", [2, 5, 2], [1, 9, 1], [2, 5, 5]),
            ("labels", [4, 3, 2, 1], [10, 20, 30, 40], [2, 4, 3, 1]),
            ("labels", [8, 6, 7], [0, 0, 5], [7, 8, 6]),
            ("labels", [8, 6, 7], [0, 0, 5], [7, 8, 9]),
            ("verdict", [8], 0, [8]),
            ("labels", [7, 7, 7], [2, 2, 3], [7, 7, 7]),
            ("verdict", [3, 3, 1], 2, [4, 2, 1]),
            ("labels", [4, 4, 5], [1, 2, 3], [5, 5, 4]),
            ("labels", [4, 5, 6], [1, 2], [6, 5, 4]),
            ("labels", [4, 5], [1, 2, 3], [5, 4]),
        ]
    return [
        ("verdict", [1, 0, 1, 0], 7, [1, 1, 0, 0]),
        ("labels", [1, 0, 1, 0], [5, 3, 5, 3], [1, 1, 0, 0]),
        ("labels", [1, 0, 1, 0], [5, 3, 4, 3], [1, 1, 0, 0]),
        ("labels", [1, 0, 1, 0], [5, 3, 5, 3], [1, 1, 1, 0]),
        ("verdict", [1, 2], 6, [1, 2, 2]),
        ("labels", [10, 20, 30], [1, 2, 3], [30, 10, 20]),
        ("labels", [10, 20, 30], [4, 4, 5], [20, 30, 10]),
        ("labels", [10], [6], [10]),
        ("verdict", [1, 4], 6, [2, 3]),
        ("labels", [1, 1], [5, 6], [1, 2]),
        ("labels", [1, 2], [5], [2, 1]),
    ]


# ---- task 5: pooled too early -----------------------------------------------------------------------------------------

Bag = list[float]


def phi(item: float) -> int:
    """The evidence of one item: 1 above 10, otherwise 0."""
    return int(item > 10)


#: The pooled values, by name; each takes a bag (a list of numbers from 0 to 20).
POOLS: dict[str, Callable[[Bag], Any]] = {
    "the sum of the items": lambda bag: sum(bag),
    "the mean of the items": lambda bag: sum(bag) / len(bag),
    "the largest item": lambda bag: max(bag),
    "the mean of the items and how many they are": lambda bag: [sum(bag) / len(bag), len(bag)],
    "the sum of φ": lambda bag: sum(map(phi, bag)),
    "the mean of φ": lambda bag: sum(map(phi, bag)) / len(bag),
    "the largest φ": lambda bag: max(map(phi, bag)),
}
#: The verdicts, by name.
VERDICTS: dict[str, Callable[[Bag], bool]] = {
    "is the total above 30?": lambda bag: sum(bag) > 30,
    "is some item above 10?": lambda bag: any(map(phi, bag)),
    "are at least two items above 10?": lambda bag: sum(map(phi, bag)) >= 2,
    "are all items equal?": lambda bag: len(set(bag)) == 1,
}
#: letter -> (pool, verdict)
SETTINGS: dict[str, tuple[str, str]] = {
    "A": ("the sum of the items", "is the total above 30?"),
    "B": ("the mean of the items", "is the total above 30?"),
    "C": ("the sum of the items", "is some item above 10?"),
    "D": ("the largest item", "is some item above 10?"),
    "E": ("the mean of φ", "is some item above 10?"),
    "F": ("the mean of φ", "are at least two items above 10?"),
    "G": ("the sum of φ", "are at least two items above 10?"),
    "H": ("the largest φ", "are at least two items above 10?"),
    "I": ("the sum of the items", "are all items equal?"),
    "J": ("the mean of the items and how many they are", "is the total above 30?"),
}


def enough(letter: str) -> list[Any]:
    """Search bags of one to four items for two with the same pooled value and different verdicts."""
    pool, verdict = POOLS[SETTINGS[letter][0]], VERDICTS[SETTINGS[letter][1]]
    met: dict[str, dict[bool, Bag]] = {}
    for n in range(1, 5):
        for bag in itertools.combinations_with_replacement([0, 1, 3, 5, 6, 11, 12, 20], n):
            same_pool = met.setdefault(show(pool(list(bag))), {})
            same_pool.setdefault(verdict(list(bag)), list(bag))
            if len(same_pool) == 2:
                return ["no", [same_pool[True], same_pool[False]]]
    return ["yes", None]


def _require_bag(letter: str, bag: Any) -> None:
    numbers = isinstance(bag, list) and all(
        isinstance(item, (int, float)) and not isinstance(item, bool) and 0 <= item <= 20 and item == int(item)
        for item in bag
    )
    if not numbers or not bag:
        raise Wrong(
            f'enough("{letter}"): {show(bag)} in the witness is no bag: a list of one or more whole numbers from 0 to 20'
        )


def _accept_enough(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    letter = args[0]
    if not isinstance(got, list) or len(got) != 2 or got[0] not in ("yes", "no"):
        raise Malformed(f'enough("{letter}") gave {show(got)}; expected ["yes", None] or ["no", [bag, other]]')
    word, witness = got
    if word == "yes":
        if witness is not None:
            raise Malformed(f'enough("{letter}") gave {show(got)}; a yes has no witness: give ["yes", None]')
        if expected[0] == "no":
            raise Wrong("Not every pooled value that you call enough is.")
        return
    if not isinstance(witness, list) or len(witness) != 2:
        raise Wrong(f'enough("{letter}"): the witness {show(witness)} is not a pair of bags')
    for bag in witness:
        _require_bag(letter, bag)
    pool, verdict = POOLS[SETTINGS[letter][0]], VERDICTS[SETTINGS[letter][1]]
    one, other = witness
    if not same_answer(pool(one), pool(other), 1e-12):
        raise Wrong(
            f'enough("{letter}"): {show(one)} and {show(other)} have the pooled values {show(pool(one))} and '
            f"{show(pool(other))}, so the network can tell them apart"
        )
    if verdict(one) == verdict(other):
        raise Wrong(f'enough("{letter}"): {show(one)} and {show(other)} have the same verdict')


# ---- the tasks -----------------------------------------------------------------------------------------------------------

_NINE = ((0, 1, 2), (3, 4, 5), (6, 7, 8))


def _letters(*held: tuple[str, str, str]) -> Sequence[Misconception]:
    return [Misconception(name, yes_if(letters, enough), message) for name, letters, message in held]


TASKS = [
    ValueTask(
        id="08.recall-1",
        outcome="say which vectors can be a bias",
        accepted=([2, 2, 2],),
        why="Only an invariant vector can be a bias: one that every permutation leaves alone.",
        feedback={
            (1, 2, 3): "A permutation would make another vector of it, such as [2, 3, 1]. A bias has to stay as it is.",
            (0, 0, 1): "A permutation would move the 1. A bias has to stay as it is.",
        },
    ),
    ValueTask(
        id="08.recall-2",
        outcome="count the weights that a constraint leaves",
        accepted=(3,),
        why="The powers 0, 2 and 4 are left: 5 weights became 3.",
        feedback={
            2: "These are the odd powers, 1 and 3. f(−x) = f(x) keeps the even ones, the constant among them.",
            2.5: "Half would be 2.5. Count the even powers from 0 to 4.",
            4: "The constraint removes every odd power, 1 and 3: two of five.",
            5: "f(−x) = f(x) forbids x and x³: their sign changes.",
            (0, 2, 4): "These are the powers. How many are they?",
        },
    ),
    ValueTask(
        id="08.same-entry",
        outcome="read an equation between weights off the constraint",
        accepted=([1, 2],),
        why="W₁₂ = W₀₁: the cycle moves the pair (0, 1) to (1, 2), each index by itself.",
        feedback={
            (
                2,
                0,
            ): "You looked for 01 on the left. Look for it on the right, and read off what stands at that place on the left.",
            (1, 1): "This is the place where 01 stands on the right. Which entry stands at that place on the left?",
            (2, 1): "Row first, then column.",
            (0, 1): "This is W₀₁ itself. Which entry stands at its place on the left?",
        },
    ),
    _ColoursTask(
        id="08.colours",
        outcome="colour the orbits of pairs of indices",
        accepted=([[0, 1, 1], [1, 0, 1], [1, 1, 0]],),
        why="Two colours: pairs (i, i), and pairs of two different indices. A permutation never makes one of the other.",
        feedback={
            _NINE: "Every pair has a colour of its own. The cycle moves (0, 0) to (1, 1): they share one.",
            (
                (0, 0, 0),
                (0, 0, 0),
                (0, 0, 0),
            ): "π moves (0, 0) to (π(0), π(0)): both indices stay equal. (0, 1) needs another colour.",
            (
                (0, 1, 2),
                (2, 0, 1),
                (1, 2, 0),
            ): "This is what the cycle alone does. The swap moves (0, 1) to (1, 0): one colour.",
            ((0, 1, 2), (1, 0, 3), (2, 3, 0)): "The cycle moves (0, 1) to (1, 2), and (1, 2) to (2, 0).",
            ((0, 1, 1), (1, 2, 1), (1, 1, 3)): "The cycle moves (0, 0) to (1, 1), and (1, 1) to (2, 2): one colour.",
            ((0, 1, 2), (0, 1, 2), (0, 1, 2)): "π moves both indices, not the row alone.",
            ((0, 0, 0), (1, 1, 1), (2, 2, 2)): "π moves both indices, not the column alone.",
        },
    ),
    FunctionTask(
        id="08.two-weights",
        outcome="find the two weights in an equivariant matrix",
        minutes=4,
        name="two_weights",
        reference=two_weights,
        cases=_matrix_cases,
        shown="On the diagonal stands w_id + w_sum, beside it w_sum.",
        misconceptions=(
            Misconception(
                "the diagonal's value is w_id",
                lambda W: [W[0][0], W[0][1]],
                "You take the number on the diagonal for w_id. The matrix of ones has ones on the diagonal too: w_id + w_sum stands there.",
            ),
            Misconception(
                "w_sum is the sum of a row",
                lambda W: [W[0][0] - W[0][1], sum(W[0])],
                "You give the sum of a row. w_sum is a weight: the number beside the diagonal.",
            ),
            Misconception(
                "a mean instead of a sum",
                lambda W: [W[0][0] - W[0][1], len(W) * W[0][1]],
                "You give N times w_sum: the weight of the mean. Here the matrix of ones adds up.",
            ),
            Misconception(
                "the two are exchanged",
                lambda W: [W[0][1], W[0][0] - W[0][1]],
                "You give w_sum first. Give [w_id, w_sum].",
            ),
        ),
    ),
    FunctionTask(
        id="08.tied",
        outcome="derive from the constraint which entries of W are equal",
        points=4,
        minutes=15,
        name="tied",
        reference=tied(),
        cases=_tied_cases,
        accept=_accept_tied,
        shown="The entries that a few permutations tie, and for generators of S_N the two colours of the lesson.",
        misconceptions=(
            Misconception(
                "one step is enough",
                tied(rounds=1),
                "You apply each permutation once. What it gives can be moved again: go on until nothing new comes.",
            ),
            Misconception(
                "each permutation by itself",
                _each_alone,
                "You follow each permutation by itself and put the results together. What one gives can be moved by the other.",
            ),
            Misconception(
                "only the row moves",
                tied(lambda pi, other, pair: (pi[pair[0]], pair[1])),
                "You move the row and leave the column. The same π acts on the outputs and on the inputs: W[π(i)][π(j)] = W[i][j].",
            ),
            Misconception(
                "each index has a permutation of its own",
                tied(lambda pi, other, pair: (pi[pair[0]], other[pair[1]]), own_permutations=True),
                "You move row and column by two different permutations. One and the same π moves both.",
            ),
            Misconception(
                "W is symmetric",
                _and_transposed,
                "You add the pair (j, i) to each (i, j). They are tied only if some composition of the permutations exchanges them.",
            ),
            Misconception(
                "always two colours",
                _two_colours,
                "You give the diagonal or everything else. That is right for all permutations; fewer of them tie fewer entries.",
            ),
        ),
    ),
    FamilyTask(
        id="08.layer",
        outcome="write the layer on sets with channels, in O(N)",
        points=4,
        minutes=15,
        name="forward",
        reference=set_layer,
        families=_layer_families,
        shown="Your layer is equivariant, and reaches every equivariant map.",
        misconceptions=(
            Misconception(
                "each item sees only itself",
                layer(_own_only),
                "Each output depends on its own item alone. The sums over the items are missing; a sum over channels is none.",
            ),
            Misconception(
                "the sums alone",
                layer(_sum_only),
                "All items get the same output: the sums are there, and each item's own values are missing.",
            ),
            Misconception(
                "channels do not mix",
                layer(_no_mixing),
                "You treat each channel by itself. Every pair (channel out, channel in) has two weights of its own.",
            ),
            Misconception(
                "two weights for all channels",
                layer(_shared),
                "You use the same two weights for all channels. Every pair (channel out, channel in) has two of its own.",
            ),
            Misconception(
                "two weights for each channel out",
                layer(_shared_in),
                "All channels in share two weights. Every pair (channel out, channel in) has two of its own.",
            ),
            Misconception(
                "two weights for each channel in",
                layer(_shared_out),
                "All channels out share two weights, so they are equal. Every pair (channel out, channel in) has two of its own.",
            ),
            Misconception(
                "one sum over all channels",
                layer(_pool_of_all),
                "You add up the items of all channels into one sum. Each channel has a sum of its own, with a weight of its own.",
            ),
            Misconception(
                "the sum up to the item",
                layer(_running),
                "You add up the items up to the i-th one. That depends on the order: take the sum over all.",
            ),
        ),
    ),
    FunctionTask(
        id="08.mask",
        outcome="leave padding out of a layer on sets",
        points=3,
        minutes=8,
        name="masked_layer",
        reference=masked_layer,
        cases=_mask_cases,
        shown="Padding does not matter, whatever stands there; a bag without real items gives zeros.",
        misconceptions=(
            Misconception(
                "no mask",
                _masked(
                    lambda x, mask: sum(x),
                    lambda x, mask: len(x),
                    lambda value, mean, w_id, w_mean: w_id * value + w_mean * mean,
                ),
                "You treat padding as items. Leave it out of the mean, and give 0 for it.",
            ),
            Misconception(
                "padding is zero anyway",
                _masked(lambda x, mask: sum(x), lambda x, mask: sum(mask)),
                "You add up everything and divide by the number of real items. Anything can stand in the padding: leave it out of the sum.",
            ),
            Misconception(
                "the mean over all places",
                _masked(_real_sum, lambda x, mask: len(x)),
                "You divide by the number of places. Divide by the number of real items.",
            ),
            Misconception(
                "the output alone is masked",
                _masked(lambda x, mask: sum(x), lambda x, mask: len(x)),
                "You take the mean over everything and clear the padding afterwards. By then it has reached the real items.",
            ),
            Misconception(
                "padding gets the mean",
                _masked(_real_sum, lambda x, mask: sum(mask), lambda value, mean, w_id, w_mean: w_mean * mean),
                "Padding comes out as w_mean times the mean. The next layer would take it for an item: give 0.",
            ),
            Misconception(
                "the real items come first",
                _first_are_real,
                "You take as many entries from the left as there are real items. Padding can stand anywhere: ask the mask at each place.",
            ),
            Misconception(
                "an item of 0 is no item",
                _masked(
                    _real_sum, lambda x, mask: sum(keep and value != 0 for value, keep in zip(x, mask, strict=True))
                ),
                "You count only the items that are not 0. The mask says which are real, whatever their value.",
            ),
            Misconception(
                "a sum instead of a mean",
                _masked(_real_sum, lambda x, mask: 1),
                "You use the sum over the real items. Divide by their number.",
            ),
        ),
    ),
    FunctionTask(
        id="08.answer-for",
        outcome="say what a classifier and a labeller of sets answer for another order",
        points=3,
        minutes=10,
        name="answer_for",
        reference=answer_for,
        cases=_answer_cases,
        shown="A verdict stays, labels move with their items, equal items have equal labels; of another bag nothing is known.",
        misconceptions=(
            Misconception(
                "the same set, so the same list of labels",
                _stays,
                "You keep the list of labels as it is, place by place. [1, 0, 1, 0] and [1, 1, 0, 0] are the same set in another order: "
                "the labels move with the items. Staying is right for a verdict.",
            ),
            Misconception(
                "equal items can have different labels",
                _breaks_ties,
                "You let equal items have different labels. Exchanging them changes nothing in the bag, so nothing in the labels.",
            ),
            Misconception(
                "another order is another input",
                _another_list_is_another_input,
                'You answer "anything" for another order. An equivariant network has no choice there.',
            ),
            Misconception(
                "repeated items count once",
                _repeats_do_not_count,
                "You take [1, 2] and [1, 2, 2] for the same bag. A network can tell them apart, for example by a sum.",
            ),
            Misconception(
                "different items need different labels",
                _no_equal_labels,
                "You refuse equal labels for different items. That is allowed; only equal items must have equal labels.",
            ),
            Misconception(
                "another bag is looked at first",
                _another_bag_first,
                'You say "anything" for another bag even if y is not possible for x. "impossible" comes first.',
            ),
            Misconception(
                "moved the other way",
                _moved_back,
                "Your labels have moved the other way: each item has to find its own label again, at its new place.",
            ),
        ),
    ),
    FunctionTask(
        id="08.enough",
        outcome="say what is lost by pooling too early, with a witness for each no",
        points=4,
        minutes=15,
        name="enough",
        reference=enough,
        cases=lambda hidden: [(letter,) for letter in SETTINGS],
        accept=_accept_enough,
        same=same_word,
        count_only=True,
        shown="All ten are right, and each of your pairs of bags is pooled alike and judged differently.",
        misconceptions=tuple(
            _letters(
                (
                    "a mean can count",
                    "ABDEFGJ",
                    "You let a mean count. [12, 0] and [12, 12, 0, 0] have the same mean of φ; repeating every item changes no mean.",
                ),
                (
                    "the largest can count",
                    "ADEGHJ",
                    "You let the largest value count. It is the same for one dangerous item and for ten.",
                ),
                (
                    "a sum keeps everything",
                    "ACDEGIJ",
                    "You take a sum for enough in every case. One large item and several small ones can have the same sum.",
                ),
                (
                    "pooling loses nothing",
                    "ABCDEFGHIJ",
                    "You say yes everywhere. Many bags have the same pooled value; look for two of them with different verdicts.",
                ),
                (
                    "pooling the items always loses too much",
                    "EG",
                    "You trust only what is pooled after φ. For some verdicts the pooled items say enough, as for the total.",
                ),
                (
                    "pooling always loses too much",
                    "",
                    "You say no everywhere. A verdict may depend on the pooled value only.",
                ),
            )
        ),
    ),
]
