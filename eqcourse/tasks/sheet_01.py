"""Lesson and sheet 01: groups and actions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Wrong, show

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


def act_on_batch(g: Permutation, batch: list[list[Any]]) -> list[list[Any]]:
    """Each list of the batch moves."""
    return [act(g, x) for x in batch]


def _look_up_at(g: Permutation, x: Sequence[Any]) -> list[Any]:
    return [x[i] for i in g]


LOOKS_UP_AT_G = (
    "You compute x[g[i]]: place i fetches from place g[i], so that entries move against g. A single swap cannot show this, "
    "as it is its own inverse; a cycle can. Place i receives what g sends there: the entry of place g⁻¹(i)."
)


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


def _is_swap(g: Permutation) -> bool:
    """Whether g leaves one of three places alone and exchanges the others."""
    return sum(g[i] == i for i in range(3)) == 1


def _reversed_twice(g: Permutation, x: Numbers) -> Numbers:
    return act(g, list(x)[::-1])[::-1]


def _signed(g: Permutation, x: Numbers) -> Numbers:
    moved = act(g, x)
    return [-entry for entry in moved] if _is_swap(g) else moved


def _averaged(g: Permutation, x: Numbers) -> Numbers:
    return [sum(x) / len(x)] * len(x)


def _plus_one(g: Permutation, x: Numbers) -> Numbers:
    moved = act(g, x)
    return moved if g == sorted(g) else [entry + 1 for entry in moved]


#: name -> (the candidate, what it is: "action", or the one axiom it breaks)
CANDIDATES: dict[str, tuple[Callable[[Permutation, Numbers], Numbers], str]] = {
    "A: look entry i up at g[i]": (lambda g, x: [x[g[i]] for i in range(len(x))], "composition"),
    "B: look entry i up at the inverse of g": (lambda g, x: [x[j] for j in invert(g)], "action"),
    "C: reverse x, move the entries by g, reverse again": (_reversed_twice, "action"),
    "D: move the entries by g; if g is one of the three swaps, flip all signs": (_signed, "action"),
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
        raise Malformed(
            f'judge({show(name)}) gave {show(got)}; expected ["action", None], ["identity", x] or ["composition", [g, h, x]]'
        )
    word, witness = got
    if word == "action":
        if expected[0] != "action":
            raise Wrong("Not every candidate that you call an action is one.")
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
        raise Malformed(f"judge({show(name)}): the witness {show(witness)} is not of the form asked for") from None
    if not stands:
        raise Wrong(f"judge({show(name)}): the witness {show(witness)} does not break the {word} axiom")


def _close(a: Numbers, b: Numbers) -> bool:
    # Asked this way round, NaN and infinity, which are not near themselves, make no witness.
    return not any(abs(p - q) >= 1e-9 for p, q in zip(a, b, strict=True))


def _same_word(a: Any, b: Any) -> bool:
    return isinstance(a, list) and isinstance(b, list) and a[:1] == b[:1]


def _judge_unless(name_start: str, instead: list[Any]) -> Callable[[str], list[Any]]:
    """The right judgement but for one candidate."""
    return lambda name: instead if name.startswith(name_start) else judge(name)


def _judge_with_hg(name: str) -> list[Any]:
    """Somebody who computes hg where gh is meant."""
    move, x = candidate(name), [10, 20, 30]
    if move([0, 1, 2], x) != x:
        return ["identity", x]
    for g, h in itertools.product(S3, repeat=2):
        if move(g, move(h, x)) != move(compose(h, g), x):
            return ["composition", [g, h, x]]
    return ["action", None]


# ---- cases ---------------------------------------------------------------------------------------------------------


def _pairs(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([1, 0], [1, 0]), ([3, 0, 1, 2], [0, 2, 3, 1]), ([4, 2, 0, 1, 3], [1, 3, 4, 0, 2]), ([0], [0])]
    return [([1, 2, 0], [1, 0, 2]), ([1, 0, 2], [1, 2, 0]), ([0, 1, 2], [2, 0, 1]), ([2, 0, 3, 1], [1, 2, 3, 0])]


def _moves(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([3, 0, 1, 2], [[5, 6, 7, 8], [1, 2, 3, 4]]),
            ([2, 0, 1], [[1, -2, 3], [4, 0, 7], [9, 9, 1]]),
            ([1, 0], [[3, 9]]),
            ([0], [[2], [5]]),
        ]
    return [
        ([1, 2, 0], [[10, 20, 30], [1, 2, 3]]),
        ([2, 0, 1], [[10, 20, 30], [4, 5, 6], [7, 8, 9]]),
        ([1, 0, 2], [[10, 20, 30]]),
        ([3, 0, 2, 1], [[1, 2, 3, 4], [5, 6, 7, 8]]),
    ]


def _shifts(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [(1, [3, 1, 2]), (8, [1, 2, 3]), (3, [9, 8, 7, 6, 5, 4, 3]), (-2, [1, 2, 3, 4, 5]), (0, [2, 1])]
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
        id="01.look-up",
        outcome="write the action as a formula that looks up",
        minutes=4,
        name="look_up",
        reference=act,
        cases=lambda hidden: [(g, batch[0]) for g, batch in _moves(hidden)],
        shown="Looking up at the inverse gives the same as moving.",
        misconceptions=(
            Misconception("looks up at g instead of at its inverse", lambda g, x: _look_up_at(g, x), LOOKS_UP_AT_G),
        ),
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
                "inverts h instead of g",
                lambda g, h: [compose(g, h), invert(h)],
                "Your gh is right. The second list shall undo g, the first argument; yours undoes h.",
            ),
            Misconception(
                "the two lists are exchanged",
                lambda g, h: [invert(g), compose(g, h)],
                "Both lists are right, in the other order: first gh, then the inverse of g.",
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
        outcome="act by a permutation on every list of a batch",
        points=2,
        minutes=6,
        name="act",
        reference=act_on_batch,
        cases=_moves,
        shown="[g▷x]_i = x_{g⁻¹(i)} in every list: the entry at i moves to place g[i], also where g and g⁻¹ differ.",
        misconceptions=(
            Misconception(
                "looks up at g instead of at its inverse",
                lambda g, batch: [_look_up_at(g, x) for x in batch],
                LOOKS_UP_AT_G,
            ),
            Misconception(
                "moves only the first list",
                lambda g, batch: [*act_on_batch(g, batch[:1]), *batch[1:]],
                "Only the first list moved. An action on a batch moves every list in it.",
            ),
            Misconception(
                "moves the lists instead of their entries",
                lambda g, batch: act(g, batch) if len(batch) == len(g) else batch,
                "You move whole lists to other places of the batch. The lists stay; the entries inside each of them move.",
            ),
            Misconception(
                "moves the places instead of the entries",
                lambda g, batch: [list(g) for _ in batch],
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
                "slices without taking t modulo N",
                lambda t, x: x[-t:] + x[:-t],
                "This is right as long as t is smaller than the length of x. For t = 6 and four entries, take t modulo 4 first.",
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
        outcome="rotate and reflect points of the plane, all of them, anticlockwise and in the right order",
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
                "mirrors without turning",
                lambda degrees, points: [turn(degrees, points), mirror(points)],
                "Your turned points are right. The second list is mirrored but not turned: mirror, and then turn as well.",
            ),
            Misconception(
                "mirrors up and down",
                lambda degrees, points: [turn(degrees, points), turn(degrees, [[x, -y] for x, y in points])],
                "Your turned points are right. The mirror swaps left and right, so that x changes its sign; you changed y.",
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
                "composes in the other order",
                _judge_with_hg,
                "Is your gh right? You compare with hg, which suits rules that compose backwards. First h, then g is "
                "[g[i] for i in h].",
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
