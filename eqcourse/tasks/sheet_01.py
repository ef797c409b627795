"""Lesson and sheet 01: groups and actions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..checks import FunctionTask, Misconception, ValueTask, Wrong, show

Permutation = list[int]
Point = list[float]
Numbers = Sequence[float]

S3 = [list(g) for g in itertools.permutations(range(3))]


# ---- references: the slow, obvious way, in plain lists --------------------------------------------------------------


def compose(g: Permutation, h: Permutation) -> Permutation:
    """First h, then g: i goes to h[i], and that to g[h[i]]."""
    return [g[h[i]] for i in range(len(g))]


def invert(g: Permutation) -> Permutation:
    """Where g sends i to g[i], the inverse sends g[i] back to i."""
    result = [0] * len(g)
    for i, place in enumerate(g):
        result[place] = i
    return result


def act(g: Permutation, x: Sequence[Any]) -> list[Any]:
    """The entry at i moves to place g[i]."""
    result = [None] * len(x)
    for i, place in enumerate(g):
        result[place] = x[i]
    return result


def shift(t: int, x: list[Any]) -> list[Any]:
    """The entry at i moves to place i + t, round the ring."""
    result = [None] * len(x)
    for i, entry in enumerate(x):
        result[(i + t) % len(x)] = entry
    return result


def turn(degrees: float, points: list[Point]) -> list[Point]:
    """Rotate each point anticlockwise about the origin."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [[c * x - s * y, s * x + c * y] for x, y in points]


def mirror(points: list[Point]) -> list[Point]:
    """Swap left and right."""
    return [[-x, y] for x, y in points]


def turn_and_mirror(degrees: float, points: list[Point]) -> list[list[Point]]:
    """The points turned; the points mirrored first and then turned."""
    return [turn(degrees, points), turn(degrees, mirror(points))]


# ---- six candidates for an action of S_3 on three numbers ----------------------------------------------------------


def _is_odd(g: Permutation) -> bool:
    return sum(g[i] > g[j] for i, j in itertools.combinations(range(len(g)), 2)) % 2 == 1


def _turned_round(g: Permutation, x: Numbers) -> Numbers:
    return act(g, list(x)[::-1])[::-1]


def _signed(g: Permutation, x: Numbers) -> Numbers:
    moved = act(g, x)
    return [-entry for entry in moved] if _is_odd(g) else moved


def _averaged(g: Permutation, x: Numbers) -> Numbers:
    return [sum(x) / len(x)] * len(x)


def _plus_one(g: Permutation, x: Numbers) -> Numbers:
    moved = act(g, x)
    return moved if g == sorted(g) else [entry + 1 for entry in moved]


#: name -> (the candidate, what it is: "action", or the one axiom it breaks)
CANDIDATES: dict[str, tuple[Callable[[Permutation, Numbers], Numbers], str]] = {
    "A: look entry i up at g[i]": (lambda g, x: [x[g[i]] for i in range(len(x))], "composition"),
    "B: look entry i up at the inverse of g": (lambda g, x: [x[j] for j in invert(g)], "action"),
    "C: turn x round, move the entries by g, turn back": (_turned_round, "action"),
    "D: move the entries by g; if g is odd, flip all signs": (_signed, "action"),
    "E: replace every entry by the mean of x": (_averaged, "identity"),
    "F: move the entries by g; add 1 to each unless g is the identity": (_plus_one, "composition"),
}


def candidate(name: str) -> Callable[[Permutation, Numbers], Numbers]:
    """One of the six candidates of task 01.impostors: a function of g (a list) and x (a list of three numbers).

    >>> candidate("A: look entry i up at g[i]")([1, 2, 0], [10, 20, 30])
    [20, 30, 10]
    """
    return CANDIDATES[name][0]


def judge(name: str) -> list[Any]:
    """Try both axioms on one asymmetric x; the first failure is the witness."""
    move, x = candidate(name), [10, 20, 30]
    if move([0, 1, 2], x) != x:
        return ["identity", x]
    for g, h in itertools.product(S3, repeat=2):
        if move(g, move(h, x)) != move(compose(g, h), x):
            return ["composition", [g, h, x]]
    return ["action", None]


def _accept_judgement(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    """A right word, and for every "no" a witness that stands up."""
    name = args[0]
    if not isinstance(got, list) or len(got) != 2 or got[0] not in ("action", "identity", "composition"):
        raise Wrong(
            f'judge({show(name)}) gave {show(got)}; expected ["action", None], ["identity", x] or ["composition", [g, h, x]]'
        )
    word, witness = got
    if word == "action":
        if expected[0] != "action":
            raise Wrong("not every candidate that you call an action is one")
        return
    move = candidate(name)
    try:
        if word == "identity":
            x = witness
            stands = len(x) == 3 and not _close(move([0, 1, 2], list(x)), x)
        else:
            g, h, x = witness
            stands = g in S3 and h in S3 and not _close(move(g, move(h, list(x))), move(compose(g, h), list(x)))
    except (TypeError, ValueError, IndexError, KeyError):
        raise Wrong(f"judge({show(name)}): the witness {show(witness)} is not of the form asked for") from None
    if not stands:
        raise Wrong(f"judge({show(name)}): the witness {show(witness)} does not break the {word} axiom")


def _close(a: Numbers, b: Numbers) -> bool:
    return all(abs(p - q) < 1e-9 for p, q in zip(a, b, strict=True))


def _same_word(a: Any, b: Any) -> bool:
    return isinstance(a, list) and isinstance(b, list) and a[:1] == b[:1]


def _judge_unless(name_start: str, instead: list[Any]) -> Callable[[str], list[Any]]:
    """The right judgement but for one candidate."""
    return lambda name: instead if name.startswith(name_start) else judge(name)


# ---- cases ---------------------------------------------------------------------------------------------------------


def _pairs(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([1, 0], [1, 0]), ([3, 0, 1, 2], [0, 2, 3, 1]), ([4, 2, 0, 1, 3], [1, 3, 4, 0, 2]), ([0], [0])]
    return [([1, 2, 0], [1, 0, 2]), ([1, 0, 2], [1, 2, 0]), ([0, 1, 2], [2, 0, 1]), ([2, 0, 3, 1], [1, 2, 3, 0])]


def _moves(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([3, 0, 1, 2], [5, 6, 7, 8]), ([2, 4, 1, 0, 3], [1, -2, 3, -4, 5]), ([1, 0], [3, 9]), ([0], [2])]
    return [
        ([1, 2, 0], [10, 20, 30]),
        ([2, 0, 1], [10, 20, 30]),
        ([1, 0, 2], [10, 20, 30]),
        ([3, 0, 2, 1], [1, 2, 3, 4]),
    ]


def _shifts(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [(1, [3, 1, 2]), (3, [9, 8, 7, 6, 5, 4, 3]), (-2, [1, 2, 3, 4, 5]), (0, [2, 1])]
    return [(1, [10, 20, 30, 40]), (2, [10, 20, 30, 40, 50]), (-1, [10, 20, 30, 40]), (6, [10, 20, 30, 40])]


def _figures(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [(120.0, [[1.0, 0.0], [2.0, 3.0]]), (-45.0, [[0.0, 2.0], [-1.0, 4.0], [3.0, 1.0]]), (10.0, [[1.0, 5.0]])]
    return [(90.0, [[2.0, 1.0], [0.0, 3.0]]), (30.0, [[1.0, 0.0], [4.0, 2.0]]), (0.0, [[1.0, 2.0], [3.0, 4.0]])]


TASKS = [
    ValueTask(
        id="01.recall-1",
        outcome="recall lesson 00",
        minutes=1,
        accepted=("sliding",),
        why="One scorer, used at every place, cannot care where the blip is.",
        feedback={"plain": "The plain model was right where it had trained, and guessed elsewhere."},
    ),
    ValueTask(
        id="01.recall-2",
        outcome="recall the refresher",
        minutes=1,
        accepted=([30, 10, 20],),
        why="x[[2, 0, 1]] looks up places 2, 0 and 1, in this order.",
        feedback={(20, 30, 10): "That puts 10 at place 2. Indexing looks up: the first entry of the result is x[2]."},
    ),
    FunctionTask(
        id="01.compose",
        outcome="compose and invert permutations",
        points=2,
        minutes=6,
        name="compose_and_invert",
        reference=lambda g, h: [compose(g, h), invert(g)],
        cases=_pairs,
        shown="gh means first h, then g: right on 4 pairs, among them two that do not commute. g⁻¹ undoes g.",
        misconceptions=(
            Misconception(
                "the other order",
                lambda g, h: [compose(h, g), invert(g)],
                "This is hg, first g and then h. In gh the right factor acts first: i goes to h[i], then to g[h[i]].",
            ),
            Misconception(
                "the inverse reads the list backwards",
                lambda g, h: [compose(g, h), g[::-1]],
                "Your gh is right. The list read backwards is another permutation; the inverse sends g[i] back to i.",
            ),
            Misconception(
                "a permutation is its own inverse",
                lambda g, h: [compose(g, h), g],
                "Your gh is right. Only swaps (and products of disjoint swaps) undo themselves: try [1, 2, 0] twice.",
            ),
        ),
    ),
    FunctionTask(
        id="01.act",
        outcome="act on a list by a permutation, from the left",
        points=2,
        minutes=6,
        name="act",
        reference=act,
        cases=_moves,
        shown="[g▷x]_i = x_{g⁻¹(i)}: the entry at i moves to place g[i], also for cycles, where g and g⁻¹ differ.",
        misconceptions=(
            Misconception(
                "looks up at g instead of at its inverse",
                lambda g, x: [x[i] for i in g],
                "You compute x[g[i]]: place i fetches from place g[i], so that entries move against g. A single swap "
                "cannot show this, as it is its own inverse; a cycle can. Place i receives what g sends there: the entry "
                "of place g⁻¹(i).",
            ),
            Misconception(
                "moves the places instead of the entries",
                lambda g, x: list(g),
                "That is g itself. The result holds the entries of x, at new places.",
            ),
        ),
    ),
    FunctionTask(
        id="01.shift",
        outcome="act on a signal by a cyclic shift",
        points=2,
        minutes=5,
        name="shift",
        reference=shift,
        cases=_shifts,
        shown="[t▷x]_i = x_{(i−t) mod N}: t = 1 moves every entry one place on, the last one to the front.",
        misconceptions=(
            Misconception(
                "shifts the other way",
                lambda t, x: [x[(i + t) % len(x)] for i in range(len(x))],
                "This is x_{i+t}, a shift backwards. It is a valid action too, the inverse of the course's convention: t = 1 moves "
                "the entry at place 0 to place 1.",
            ),
            Misconception(
                "fills with zeros instead of wrapping round",
                lambda t, x: [x[i - t] if 0 <= i - t < len(x) else 0 for i in range(len(x))],
                "What leaves at one end has to come back at the other. With zeros, entries are lost, and no shift can be undone.",
            ),
            Misconception(
                "shifts by one whatever t is",
                lambda t, x: x[-1:] + x[:-1],
                "That is a shift by one. The result has to depend on t.",
            ),
        ),
    ),
    FunctionTask(
        id="01.turn",
        outcome="rotate and reflect points of the plane, all of them, the right way round",
        points=2,
        minutes=8,
        name="turn_and_mirror",
        reference=turn_and_mirror,
        cases=_figures,
        shown="All points move, the mirror acts first, and positive angles turn anticlockwise.",
        misconceptions=(
            Misconception(
                "turns clockwise (moves the axes, not the points)",
                lambda degrees, points: [turn(-degrees, points), turn(-degrees, mirror(points))],
                "You turn clockwise. That is what a point's coordinates do when the axes turn and the point stays; here "
                "the axes stay and the point moves, anticlockwise for positive angles.",
            ),
            Misconception(
                "turns first, mirrors second",
                lambda degrees, points: [turn(degrees, points), mirror(turn(degrees, points))],
                "Your turned points are right. In the second list you turn first and mirror second; the two do not commute.",
            ),
            Misconception(
                "moves only the first point",
                lambda degrees, points: [[*moved[:1], *points[1:]] for moved in turn_and_mirror(degrees, points)],
                "Only the first point moved. An action on a figure moves every point of it.",
            ),
            Misconception(
                "takes degrees for radians",
                lambda degrees, points: turn_and_mirror(math.degrees(degrees), points),
                "The angle is given in degrees, and cos and sin take radians: use math.radians(degrees).",
            ),
        ),
    ),
    FunctionTask(
        id="01.impostors",
        outcome="tell an action from an impostor, with a witness",
        points=4,
        minutes=12,
        name="judge",
        reference=judge,
        cases=lambda hidden: [(name,) for name in CANDIDATES],
        shown="All six are right, and every witness breaks the axiom you name.",
        accept=_accept_judgement,
        same=_same_word,
        count_only=True,
        misconceptions=(
            Misconception(
                "tests single swaps only",
                _judge_unless("A", ["action", None]),
                "One of your actions passes on every single swap, as a swap is its own inverse. Try two elements that do not commute.",
            ),
            Misconception(
                "an action may only move entries",
                _judge_unless("D", ["composition", [[0, 1, 2], [0, 1, 2], [1, 2, 3]]]),
                "One of those that you reject changes signs and still keeps both axioms. Nothing in the axioms says that entries "
                "keep their values.",
            ),
            Misconception(
                "checks the identity axiom only",
                lambda name: judge(name) if judge(name)[0] == "identity" else ["action", None],
                "You found what the identity breaks. The second axiom compares two moves one after the other with one move at once.",
            ),
            Misconception(
                "everything that returns three numbers is an action",
                lambda name: ["action", None],
                "Not every function of g and x is an action: it has to keep both axioms.",
            ),
        ),
    ),
]
