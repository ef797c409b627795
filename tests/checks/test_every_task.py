"""What every check has to do, for every task of every sheet: stub, reference, other right answers, misconceptions.

The module ``test_sheet_NN`` of a sheet gives ``RIGHT``, at least two other right answers for each of its tasks, and tests
what is particular to it.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from eqcourse import checks
from eqcourse.checks import ValueTask, find_task, verdict

from .harness import (
    assert_misconceptions_are_told_apart,
    assert_no_number_fits_everything,
    assert_passes,
    assert_stub_is_not_attempted,
    function_tasks,
)

TASKS = [task.id for sheet in checks._sheets() for task in function_tasks(checks.tasks(sheet))]
QUESTIONS = [task for sheet in checks._sheets() for task in checks.tasks(sheet) if isinstance(task, ValueTask)]
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("test_sheet_*.py"))
RIGHT = {
    task: answers
    for module in MODULES
    for task, answers in importlib.import_module(f".{module}", __package__).RIGHT.items()
}


@pytest.mark.parametrize("task", TASKS)
def test_stub(task):
    assert_stub_is_not_attempted(task)


@pytest.mark.parametrize("task", TASKS)
def test_reference(task):
    assert_passes(task, find_task(task).reference)


@pytest.mark.parametrize(("task", "answer"), [(task, answer) for task, answers in RIGHT.items() for answer in answers])
def test_other_right_answers(task, answer):
    assert_passes(task, answer)


@pytest.mark.parametrize("task", TASKS)
def test_misconceptions(task):
    assert_misconceptions_are_told_apart(task)


@pytest.mark.parametrize("task", TASKS)
def test_infinity_and_nan_are_no_answers(task):
    assert_no_number_fits_everything(task)


def test_every_task_has_two_other_right_answers():
    assert sorted(RIGHT) == sorted(TASKS)
    assert all(len(answers) >= 2 for answers in RIGHT.values())


@pytest.mark.parametrize("task", QUESTIONS, ids=lambda task: task.id)
def test_a_question_with_a_typed_answer(task):
    """None is not attempted, each accepted answer passes, and each foreseen wrong one gets its own message."""
    assert verdict(task.id, None).status == "not attempted"
    assert all(verdict(task.id, answer).status == "passed" for answer in task.accepted)
    assert task.feedback
    for wrong, message in task.feedback.items():
        result = verdict(task.id, wrong)
        assert (result.status, result.message) == ("not yet", message)
