"""What every check has to do, for any task: used by the tests of each sheet."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from typing import Any

from eqcourse.checks import FunctionTask, Task, find_task, plain, same_answer, verdict

Answer = Callable[..., Any]


def function_tasks(sheet_tasks: list[Task]) -> list[FunctionTask]:
    return [task for task in sheet_tasks if isinstance(task, FunctionTask)]


def stub(*args: Any) -> Any:
    raise NotImplementedError


def assert_stub_is_not_attempted(task: str) -> None:
    for hidden in (False, True):
        assert verdict(task, stub, hidden).status == "not attempted"
    assert verdict(task, None).status == "not attempted"


def assert_passes(task: str, answer: Answer) -> None:
    for hidden in (False, True):
        result = verdict(task, answer, hidden)
        assert result.status == "passed", result


def flooded(answer: Any, number: float) -> Any:
    """The same answer with one number in place of all."""
    if isinstance(answer, list):
        return [flooded(part, number) for part in answer]
    return number if isinstance(answer, (int, float, complex)) else answer


def holds_a_number(answer: Any) -> bool:
    return any(map(holds_a_number, answer)) if isinstance(answer, list) else isinstance(answer, (int, float, complex))


def assert_no_number_fits_everything(task_id: str) -> None:
    """Infinity and NaN, which compare in strange ways, pass nowhere."""
    task = find_task(task_id)
    assert isinstance(task, FunctionTask)
    for number, hidden in itertools.product((math.inf, math.nan), (False, True)):
        if any(holds_a_number(plain(task.reference(*copy.deepcopy(args)))) for args in task.cases(hidden)):
            result = verdict(task_id, lambda *args, n=number: flooded(plain(task.reference(*args)), n), hidden)
            assert result.status == "not yet", (number, result)


def assert_misconceptions_are_told_apart(task_id: str) -> None:
    """Each misconception fails with its own message, and no two of them, nor the reference, answer alike."""
    task = find_task(task_id)
    assert isinstance(task, FunctionTask)
    for misconception in task.misconceptions:
        for hidden in (False, True):
            result = verdict(task_id, misconception.answer, hidden)
            assert result.status == "not yet", result
            assert result.misconception == misconception.name, result
            assert misconception.message in result.message
    same = task.same or same_answer
    for hidden in (False, True):
        cases = task.cases(hidden)
        answers = {
            name: [plain(answer(*copy.deepcopy(args))) for args in cases]
            for name, answer in [("reference", task.reference), *((m.name, m.answer) for m in task.misconceptions)]
        }
        for (one, a), (other, b) in itertools.combinations(answers.items(), 2):
            assert not all(map(same, a, b)), f"{task_id}: {one!r} and {other!r} answer alike (hidden={hidden})"
