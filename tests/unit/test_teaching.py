"""TEACHING.md agrees with the tasks: outcomes, misconceptions, minutes, points; and with the lessons there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eqcourse.checks import FunctionTask, tasks

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9][0-9]_*.ipynb"))
# Some sheets (reviews) have no lesson of their own.
REVIEWS = sorted(path.name for path in (ROOT / "solutions").glob("[0-9][0-9]_review"))
SHEETS = sorted({lesson[:2] for lesson in LESSONS}) + REVIEWS


def row(task: FunctionTask) -> str:
    """The row of TEACHING.md's table that a task needs."""
    misconceptions = "; ".join(m.name for m in task.misconceptions)
    return f"| `{task.id}` | {task.outcome} | {misconceptions} | {task.minutes} | {task.points} |"


@pytest.mark.parametrize("sheet", SHEETS)
def test_each_task_has_its_row(sheet):
    for task in tasks(sheet):
        if isinstance(task, FunctionTask):
            assert row(task) in TEXT


def test_no_row_is_left_over():
    known = {task.id for sheet in SHEETS for task in tasks(sheet)}
    assert set(re.findall(r"^\| `(\d\d(?:_review)?\.[\w-]+)` \|", TEXT, flags=re.M)) <= known


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_has_its_notes(lesson):
    """A section with what stands alone, a discussion question and stumbling blocks."""
    section = re.search(rf"^### {lesson[:2]} .*?(?=^### |^## |\Z)", TEXT, flags=re.M | re.S)
    assert section, lesson
    for part in ("**To stand alone**", "**Discuss**", "**Stumbling blocks**"):
        assert part in section[0], (lesson, part)
