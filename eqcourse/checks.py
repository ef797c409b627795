"""What lessons and sheets call: ``check`` an answer, ``predict`` before running, and look up maps by name.

A check takes a callable (or a value) and never knows where it runs. It copies its inputs, calls the answer, and reaches the verdict itself:
*not attempted*, *passed* and what that shows, *not yet* with the smallest counterexample, or *error* with the line that raised it.
"""

from __future__ import annotations

import copy
import html
import importlib
import math
import pkgutil
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    ReflectionGroup,
    SymmetricGroup,
)
from .representations import Representation, from_generators

__all__ = [
    "FunctionTask",
    "Malformed",
    "Misconception",
    "Task",
    "ValueTask",
    "Verdict",
    "Wrong",
    "check",
    "find_task",
    "named_map",
    "named_representation",
    "predict",
    "tasks",
    "verdict",
]

VERDICT_MIME = "application/vnd.eqcourse.verdict+json"
# Numbers that differ by less than this (relative, and absolute near zero) are the same answer.
TOLERANCE = 1e-6


# ---- verdicts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check: ``status`` is "passed", "not yet", "not attempted" or "error"."""

    task: str
    status: str
    message: str
    points: int = 0
    #: The misconception that explains a wrong answer, if there is one.
    misconception: str | None = None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        summary = {"task": self.task, "status": self.status, "message": self.message, "points": self.points}
        return {
            "text/plain": repr(self),
            "text/html": _box(self.task, self.status, self.message),
            VERDICT_MIME: summary,
        }

    def __repr__(self) -> str:
        return f"{self.task}: {self.status}\n{_indent(self.message)}"


@dataclass(frozen=True)
class Misconception:
    """A wrong idea: what somebody who holds it would answer (same arguments as the task), and what to tell them."""

    name: str
    answer: Callable[..., Any]
    message: str


class Wrong(Exception):
    """Raised by a task's ``accept`` with the reason why an answer is wrong."""


class Malformed(Wrong):
    """Raised for an answer that has not the form asked for; said even where only a count is given."""


@dataclass(frozen=True)
class Task(ABC):
    """One task: its id ("01.compose"), the outcome it tests, points and minutes for the teacher's table."""

    id: str
    outcome: str = ""
    points: int = 0
    minutes: int = 0

    @abstractmethod
    def judge(self, answer: Any, hidden: bool) -> Verdict:
        """The verdict on an answer; ``hidden`` takes the grader's inputs instead of the learner's."""

    def _verdict(self, status: str, message: str, misconception: str | None = None) -> Verdict:
        return Verdict(self.id, status, message, self.points, misconception)


@dataclass(frozen=True)
class ValueTask(Task):
    """A question whose answer is a number or a word, typed into a cell; None is "not attempted".

    ``feedback`` explains particular wrong answers.
    """

    accepted: tuple[Any, ...] = ()
    why: str = ""
    feedback: Mapping[Any, str] = field(default_factory=dict)

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        if answer is None:
            return self._verdict("not attempted", "Put your answer in place of None and run the cell again.")
        if any(same_answer(_tidy(answer), _tidy(value)) for value in self.accepted):
            return self._verdict("passed", self.why)
        for wrong, message in self.feedback.items():
            if same_answer(_tidy(answer), _tidy(wrong)):
                return self._verdict("not yet", message, misconception=str(wrong))
        kind = type(self.accepted[0]).__name__
        hint = "" if isinstance(_tidy(answer), type(self.accepted[0])) else f" The answer is of type {kind}."
        return self._verdict("not yet", f"{show(answer)} is not it.{hint} Look back, and try again.")


@dataclass(frozen=True)
class FunctionTask(Task):
    """A function from plain data to plain data, tried on cases and compared with a reference.

    - ``cases(hidden)``: argument tuples, the smallest first.
    - ``accept(args, got, expected)``: raises ``Wrong`` if the answer does not do; by default it has to equal the reference's.
    - ``same(a, b)``: whether two answers are the same one, to recognise a misconception; by default ``same_answer``.
    - ``shown``: what a right answer has been shown to do.
    - ``count_only``: say how many cases are right (classify-these tasks), and how many are the same answer but for a witness; what
      ``accept`` raises should not say which.
    """

    name: str = "answer"
    reference: Callable[..., Any] = lambda: None
    cases: Callable[[bool], list[tuple[Any, ...]]] = lambda hidden: []
    shown: str = ""
    misconceptions: tuple[Misconception, ...] = ()
    accept: Callable[[tuple[Any, ...], Any, Any], None] | None = None
    same: Callable[[Any, Any], bool] | None = None
    count_only: bool = False

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        refused = self._refuse(answer)
        if refused is not None:
            return refused
        cases = self.cases(hidden)
        answers: list[Any] = []
        first_failure = ""
        right = same_but_witness = 0
        for args in cases:
            got = self._ask(answer, args)
            if isinstance(got, Verdict):
                return got
            answers.append(got)
            expected = plain(self.reference(*copy.deepcopy(args)))
            try:
                self._require_right(args, got, expected)
                right += 1
            except Malformed as malformed:
                return self._verdict("not yet", str(malformed))
            except Wrong as wrong:
                first_failure = first_failure or str(wrong)
                same_but_witness += self.same is not None and self.same(got, expected)
        if not first_failure:
            return self._verdict("passed", self.shown)
        if self.count_only:
            words = f" ({right + same_but_witness} without the witnesses)" if same_but_witness else ""
            first_failure = f"Right: {right} of {len(cases)}{words}. {first_failure}"
        held = self._recognise(cases, answers)
        if held is not None:
            return self._verdict("not yet", _lines(first_failure, held.message), held.name)
        return self._verdict("not yet", first_failure)

    def _refuse(self, answer: Any) -> Verdict | None:
        """The verdict on what is no function, None for a function."""
        if answer is None:
            return self._verdict("not attempted", f"Write {self.name} and run its cell.")
        if not callable(answer):
            return self._verdict(
                "not yet", f"Give the function itself, {self.name}, not the result of calling it: got {show(answer)}."
            )
        return None

    def _ask(self, answer: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """What the answer returns for a copy of these arguments, as plain data; a ``Verdict`` if it raises or changes them."""
        given = copy.deepcopy(args)
        try:
            got = plain(answer(*given))
        except NotImplementedError:
            return self._verdict("not attempted", f"{self.name} still raises NotImplementedError.")
        except Exception as error:
            return self._verdict("error", f"{self._call(args)} raised {describe_error(error)}")
        if not same_answer(plain(given), plain(args)):
            return self._verdict(
                "not yet",
                f"{self._call(args)} changed its input to {_arguments(given)}. Work on a copy, so that the caller keeps their data.",
            )
        return got

    def _require_right(self, args: tuple[Any, ...], got: Any, expected: Any) -> None:
        if got is None and expected is not None:
            raise Wrong(f"{self._call(args)} returned None. Is there a return?")
        if self.accept is not None:
            self.accept(args, got, expected)
        elif not same_answer(got, expected):
            raise Wrong(f"{self._call(args)}\n{gave_expected(got, expected)}")

    def _recognise(self, cases: list[tuple[Any, ...]], answers: list[Any]) -> Misconception | None:
        """The misconception whose prediction equals the answer on all cases."""
        same = self.same or same_answer
        for misconception in self.misconceptions:
            predictions = [plain(misconception.answer(*copy.deepcopy(args))) for args in cases]
            if all(same(got, predicted) for got, predicted in zip(answers, predictions, strict=True)):
                return misconception
        return None

    def _call(self, args: tuple[Any, ...]) -> str:
        return f"{self.name}({_arguments(args)})"


# ---- what learners call --------------------------------------------------------------------------------------------


def check(task: str, answer: Any, hidden: bool = False) -> None:
    """Judge an answer and show the verdict.

    ``task`` is an id such as "01.compose"; ``answer`` a function (tried on inputs) or a value. ``hidden`` takes a grader's inputs.

    >>> check("00.warm-up", lambda numbers: numbers[::-1])
    00.warm-up: passed
      Your function reverses lists of length 3, 1 and 0, and leaves its input alone.
    """
    _publish(verdict(task, answer, hidden))


def verdict(task: str, answer: Any, hidden: bool = False) -> Verdict:
    """The verdict on an answer, as an object; ``check`` shows it.

    >>> verdict("00.warm-up", None).status
    'not attempted'
    """
    return find_task(task).judge(answer, hidden)


def predict(prediction: Any, actual: Any, options: Sequence[Any] = (), why: Mapping[Any, str] | None = None) -> None:
    """Compare a prediction, made before running, with what happened. A prediction of None is pointed out.

    ``options`` are the answers to choose from; ``why`` explains particular wrong predictions.

    >>> predict(None, 6)
    prediction: none made
      Put yours in place of None in the cell above, and run both cells.
    >>> predict(5, 6, why={5: "The identity counts too."})
    prediction: not what happened
      You predicted 5. What happened: 6
      The identity counts too.
    """
    prediction, actual = plain(prediction), plain(actual)
    if prediction is None:
        text, status = "Put yours in place of None in the cell above, and run both cells.", "none made"
    elif options and not any(same_answer(_tidy(prediction), _tidy(plain(o))) for o in options):
        text = f"{show(prediction)} is not one of the answers to choose from: {', '.join(map(show, options))}"
        status = "choose one"
    elif same_answer(_tidy(prediction), _tidy(actual)) or _tidy(prediction) == show(actual).lower():
        text, status = f"You predicted {show(prediction)}, and that is what happened.", "right"
    else:
        reasons = {show(_tidy(plain(wrong))): reason for wrong, reason in (why or {}).items()}
        text = f"You predicted {show(prediction)}. What happened: {show(actual)}"
        text, status = _lines(text, reasons.get(show(_tidy(prediction)), "")), "not what happened"
    _publish(_Prediction(status, text))


@dataclass(frozen=True)
class _Prediction:
    status: str
    message: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": _box("prediction", self.status, self.message)}

    def __repr__(self) -> str:
        return f"prediction: {self.status}\n{_indent(self.message)}"


# ---- tasks by id, maps and representations by name -----------------------------------------------------------------


def find_task(task: str) -> Task:
    """The task with an id such as "01.compose". Raises ``KeyError`` that lists the ids there are.

    >>> find_task("00.warm-up").points
    0
    """
    sheet = task.split(".")[0]
    found = {t.id: t for t in tasks(sheet)}
    if task not in found:
        known = ", ".join(found) or "none; sheets: " + ", ".join(_sheets())
        raise KeyError(f"there is no task {task!r}. Tasks of sheet {sheet}: {known}")
    return found[task]


def tasks(sheet: str) -> list[Task]:
    """All tasks of a sheet ("01") and of its lesson, in order; empty if there is no such sheet.

    >>> [t.id for t in tasks("00")]
    ['00.warm-up']
    """
    if sheet not in _sheets():
        return []
    return list(importlib.import_module(f"eqcourse.tasks.sheet_{sheet}").TASKS)


def _sheets() -> list[str]:
    from . import tasks as package

    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name.removeprefix("sheet_") for name in names if name.startswith("sheet_"))


def named_map(name: str) -> Callable[[Tensor], Tensor]:
    """A map from the registry, by name. Raises ``KeyError`` that lists the names.

    >>> named_map("double")(torch.tensor([1.0, 2.0]))
    tensor([2., 4.])
    """
    return _look_up(name, MAPS, "map")


def named_representation(name: str) -> Representation:
    """A representation from the registry, by name. Raises ``KeyError`` that lists the names.

    >>> named_representation("S_3 permutes 3 numbers")
    R³ of S_3
    """
    return _look_up(name, REPRESENTATIONS, "representation")()


def _look_up(name: str, registry: Mapping[str, Any], kind: str) -> Any:
    if name not in registry:
        raise KeyError(f"there is no {kind} named {name!r}; there are: {', '.join(sorted(registry))}")
    return registry[name]


def _reversal(n: int) -> Representation:
    return from_generators(ReflectionGroup(), indices=[list(reversed(range(n)))])


#: Maps from one tensor to another, by the names that tasks use. Each takes one input without batch axes.
MAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "double": lambda x: 2 * x,
    "sum": lambda x: x.sum(-1, keepdim=True),
    "max": lambda x: x.amax(-1, keepdim=True),
    "first entry": lambda x: x[..., :1],
    "sort": lambda x: x.sort(-1).values,
    "running total": lambda x: x.cumsum(-1),
    "subtract the mean": lambda x: x - x.mean(-1, keepdim=True),
    "ReLU": lambda x: x.clamp(min=0),
    "square": lambda x: x**2,
    "softmax": lambda x: x.softmax(-1),
    "add 1 to every entry": lambda x: x + 1,
    "multiply by 1, 2, 3, …": lambda x: x * torch.arange(1, x.shape[-1] + 1).to(x),
    "difference to the left neighbour": lambda x: x - x.roll(1, -1),
    "mean of the two neighbours on a ring": lambda x: (x.roll(1, -1) + x.roll(-1, -1)) / 2,
    "reverse the order": lambda x: x.flip(-1),
    "absolute value": lambda x: x.abs(),
    "cosine": lambda x: x.cos(),
    "tanh": lambda x: x.tanh(),
    "subtract the smallest entry": lambda x: x - x.amin(-1, keepdim=True),
    "largest minus smallest entry": lambda x: x.amax(-1, keepdim=True) - x.amin(-1, keepdim=True),
    "add the third entry to the first two": lambda x: torch.cat([x[..., :2] + x[..., 2:3], x[..., 2:]], -1),
    "add 1; if the first entry exceeds 100, add 2": lambda x: torch.where(x[..., :1] > 100, x + 2, x + 1),
    "position of the maximum": lambda x: x.argmax(-1, keepdim=True).to(x),
    "length": lambda x: x.norm(dim=-1, keepdim=True),
    "unit vector": lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-12),
    "double; if the first entry exceeds 100, triple": lambda x: torch.where(x[..., :1] > 100, 3 * x, 2 * x),
    "replace the first two entries by their mean": lambda x: torch.cat(
        [x[..., :2].mean(-1, keepdim=True).expand_as(x[..., :2]), x[..., 2:]], -1
    ),
}

#: Representations by the names that tasks use; made when they are looked up.
REPRESENTATIONS: dict[str, Callable[[], Representation]] = {
    "S_3 permutes 3 numbers": lambda: SymmetricGroup(3).defining(),
    "S_4 permutes 4 numbers": lambda: SymmetricGroup(4).defining(),
    "S_3 leaves a number alone": lambda: SymmetricGroup(3).trivial(),
    "S_3 leaves 3 numbers alone": lambda: SymmetricGroup(3).trivial(3),
    "S_4 leaves a number alone": lambda: SymmetricGroup(4).trivial(),
    "C_4 shifts 4 numbers": lambda: CyclicGroup(4).regular(),
    "C_5 shifts 5 numbers": lambda: CyclicGroup(5).regular(),
    "C_4 leaves a number alone": lambda: CyclicGroup(4).trivial(),
    "Z_2 flips the sign of 3 numbers": lambda: 3 * ReflectionGroup().sign(),
    "Z_2 flips the sign of a number": lambda: ReflectionGroup().sign(),
    "Z_2 reverses 3 numbers": lambda: _reversal(3),
    "Z_2 leaves a number alone": lambda: ReflectionGroup().trivial(),
    "Z_2 leaves 3 numbers alone": lambda: ReflectionGroup().trivial(3),
    "C_2 shifts 4 numbers by 2": lambda: from_generators(CyclicGroup(2), indices=[[2, 3, 0, 1]]),
    "C_3 shifts 6 numbers by 2": lambda: from_generators(CyclicGroup(3), indices=[[2, 3, 4, 5, 0, 1]]),
    "S_3 permutes the first 3 of 5 numbers": lambda: SymmetricGroup(3).defining() + SymmetricGroup(3).trivial(2),
    "D_4 moves the corners of a square": lambda: DihedralGroup(4).on_vertices(),
    "SO(2) turns a vector": lambda: SO(2).defining(),
    "SO(2) leaves a number alone": lambda: SO(2).trivial(),
    "SO(2) leaves 2 numbers alone": lambda: SO(2).trivial(2),
    "SO(2) leaves a number alone and turns a vector": lambda: SO(2).trivial() + SO(2).defining(),
    "Z_2 leaves a number alone and flips another": lambda: ReflectionGroup().trivial() + ReflectionGroup().sign(),
    "S_3 permutes a 3×3 table": lambda: (SymmetricGroup(3).defining() ** 2).flatten(),
    "S_3 moves the plane of sums zero": lambda: SymmetricGroup(3).irrep((2, 1)),
    "S_3 flips a number at each swap": lambda: SymmetricGroup(3).sign(),
    "C_4 turns a plane by quarters": lambda: CyclicGroup(4).irrep(1),
    "C_5 turns a plane by fifths": lambda: CyclicGroup(5).irrep(1),
}


# ---- comparing and showing plain data ------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Numbers, strings, lists and dicts from whatever an answer is made of: tensors, arrays, tuples, ranges.

    >>> plain((torch.tensor([1, 2]), range(2)))
    [[1, 2], [0, 1]]
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().tolist()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, range, map, zip)):
        return [plain(part) for part in value]
    return value


def same_answer(a: Any, b: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two plain values agree: whole numbers exactly, others up to the tolerance (relative, absolute near zero).

    >>> same_answer([1, 2.0000000001], [1.0, 2]), same_answer([1], [[1]]), same_answer(True, 1)
    (True, False, True)
    """
    if isinstance(a, (int, float, complex)) and isinstance(b, (int, float, complex)):
        return _same_number(a, b, tolerance)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_answer(p, q, tolerance) for p, q in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_answer(a[key], b[key], tolerance) for key in a)
    # Only types with an equality of their own making are compared; an object's __eq__ could say anything.
    return type(a) is type(b) and isinstance(a, (str, bytes, type(None))) and a == b


def _same_number(a: complex, b: complex, tolerance: float) -> bool:
    if a == b or (isinstance(a, int) and isinstance(b, int)):
        return a == b
    try:
        off = abs(a - b)
    except OverflowError:  # a whole number beyond the largest float
        return False
    # A millionth of infinity is infinity: without the first condition, an answer of infinity would be right everywhere.
    return math.isfinite(off) and off <= tolerance * max(1.0, abs(a), abs(b))


def show(value: Any) -> str:
    """A plain value in one short line, without addresses.

    >>> show([0.1 + 0.2, -0.0, 3])
    '[0.3, 0, 3]'
    """
    value = plain(value)
    if isinstance(value, float):
        return f"{round(value, 10) + 0.0:.6g}"  # rounding errors near zero tell nobody anything
    if isinstance(value, list):
        text = "[" + ", ".join(map(show, value)) + "]"
        return text if len(text) <= 160 else text[:157] + "…"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{show(key)}: {show(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (int, str, bytes, complex, type(None))):
        return repr(value)
    return f"an object of type {type(value).__name__}"


def gave_expected(got: Any, expected: Any) -> str:
    """Two plain values that differ, below each other. If they look alike (rounded, or cut), the first entry that differs is named.

    >>> print(gave_expected([1, 2.00001], [1, 2]))
      gave     [1, 2.00001]
      expected [1, 2]
    >>> print(gave_expected([1, 2.000003], [1, 2]))
      gave     [1, 2]
      expected [1, 2]
      entry [1] is 2.000003 and not 2
    """
    lines = [f"  gave     {show(got)}", f"  expected {show(expected)}"]
    if show(got) == show(expected):
        place, one, other = _first_difference(got, expected)
        lines.append(
            f"  entry {place} is {one!r} and not {other!r}" if place else f"  exactly: {one!r} and not {other!r}"
        )
    return "\n".join(lines)


def _first_difference(a: Any, b: Any, place: str = "") -> tuple[str, Any, Any]:
    """Where two plain values differ first, as an index, and what stands there."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (p, q) in enumerate(zip(a, b, strict=True)):
            if not same_answer(p, q):
                return _first_difference(p, q, f"{place}[{i}]")
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            if not same_answer(a[key], b[key]):
                return _first_difference(a[key], b[key], f"{place}[{key!r}]")
    return place, a, b


def describe_error(error: Exception) -> str:
    """An exception in words, with the learner's line that raised it.

    >>> try:
    ...     [][0]
    ... except IndexError as error:
    ...     print(describe_error(error).splitlines()[0])
    IndexError: list index out of range
    """
    text = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    # The last frame outside installed packages and this one is the learner's own line; their folder may be called eqcourse as well.
    package = str(Path(__file__).parent)
    own = [frame for frame in frames if "site-packages" not in frame.filename and package not in frame.filename]
    if own and own[-1].line:
        text += f"\n  in the line: {own[-1].line}"
    return text


def _arguments(args: tuple[Any, ...]) -> str:
    return ", ".join(map(show, args))


def _tidy(value: Any) -> Any:
    """Words compare without regard to case, spaces around them and a final full stop, alone or in a list."""
    value = plain(value)
    if isinstance(value, list):
        return [_tidy(part) for part in value]
    return value.strip().rstrip(".").lower() if isinstance(value, str) else value


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _indent(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())


_MARKS = {"passed": ("✓", "#2e7d32"), "right": ("✓", "#2e7d32"), "not yet": ("✗", "#c62828"), "error": ("✗", "#c62828")}
_MARKS |= {"not what happened": ("✗", "#c62828")}


def _box(title: str, status: str, message: str) -> str:
    """A verdict as HTML: a mark, words and a coloured edge, so that colour is never the only sign."""
    mark, colour = _MARKS.get(status, ("○", "#757575"))
    return (
        f'<div role="status" style="border-left: 4px solid {colour}; padding: 0.3em 0.8em; margin: 0.3em 0">'
        f"<strong>{mark} {html.escape(title)}: {html.escape(status)}</strong>"
        f'<pre style="margin: 0.3em 0 0 0; white-space: pre-wrap">{html.escape(message)}</pre></div>'
    )


def _publish(shown: Any) -> None:
    """Display in a notebook, print elsewhere."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        print(repr(shown))
        return
    if get_ipython() is None:
        print(repr(shown))
    else:
        from IPython.display import display

        display(shown)
