"""Lesson 00: one warm-up check."""

from __future__ import annotations

from ..checks import FunctionTask, Misconception

TASKS = [
    FunctionTask(
        id="00.warm-up",
        outcome="run a cell, read a verdict, mend an answer",
        minutes=3,
        name="backwards",
        reference=lambda numbers: list(reversed(numbers)),
        cases=lambda hidden: [([10, 30, 20],), ([7],), ([],)] if not hidden else [([4, 4, 1, 0],), ([5, 6],)],
        shown="Your function reverses lists of length 3, 1 and 0, and leaves its input alone.",
        misconceptions=(
            Misconception(
                "returns the list unchanged",
                lambda numbers: numbers,
                "That is the list you were given, in the same order. Try numbers[::-1].",
            ),
            Misconception(
                "sorts downwards",
                lambda numbers: sorted(numbers, reverse=True),
                "You sorted from large to small. Reversing keeps neighbours together; the values do not matter.",
            ),
        ),
    )
]
