"""Reset and check a learner's sheet."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from eqcourse.tools import exercises, sheets

CHECK = """
from IPython.display import display
def check(task, answer):
    verdict = {"task": task, "points": 1}
    try:
        right = answer() == 2
        verdict |= {"status": "passed" if right else "not yet", "message": "" if right else "got 3\\nexpected 2"}
    except NotImplementedError:
        verdict |= {"status": "not attempted", "message": ""}
    display({"application/vnd.eqcourse.verdict+json": verdict, "text/plain": verdict["status"]}, raw=True)
"""
NAME = "01_groups_and_actions"


def task(name: str) -> Any:
    source = f"def f():\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION\n\ncheck('01.{name}', f)"
    return new_code_cell(source)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A course with one sheet of four tasks; the path of the learner's sheet."""
    folder = tmp_path / "solutions" / NAME
    folder.mkdir(parents=True)
    cells = [new_markdown_cell("# Sheet"), new_code_cell(CHECK), *map(task, ["one", "two", "three", "four"])]
    (folder / f"{NAME}.ipynb").write_text(exercises.as_text(new_notebook(cells=cells)), encoding="utf-8")
    exercises.main([], tmp_path)
    return tmp_path / "exercises" / NAME / f"{NAME}.ipynb"


def answer(sheet: Path, cell: int, line: str) -> None:
    nb = nbformat.read(sheet, as_version=4)
    nb.cells[cell].source = nb.cells[cell].source.replace(exercises.CODE_STUB, line)
    sheet.write_text(exercises.as_text(nb), encoding="utf-8")


def test_reset(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = sheet.read_bytes()
    assert sheets.main(["reset", "01"], tmp_path) == 0
    assert "untouched" in capsys.readouterr().out
    sheet.write_bytes(fresh.replace(b"\n", b"\r\n"))  # as git may check it out on Windows
    assert sheets.main(["reset", "01"], tmp_path) == 0
    assert "untouched" in capsys.readouterr().out
    answer(sheet, 2, "return 2")
    work = sheet.read_bytes()
    assert sheets.main(["reset", "1"], tmp_path) == 0
    (backup,) = sheet.parent.glob(f"{NAME}.backup-????????-??????.ipynb")
    assert backup.name in capsys.readouterr().out
    assert backup.read_bytes() == work
    assert sheet.read_bytes() == fresh
    sheet.write_text("broken {")
    assert sheets.main(["reset", NAME], tmp_path) == 0
    assert sheet.read_bytes() == fresh
    assert "broken {" in {path.read_text() for path in sheet.parent.glob("*.backup-*")}
    sheet.unlink()
    assert sheets.main(["reset", "01"], tmp_path) == 0
    assert sheet.read_bytes() == fresh


def test_reset_loses_nothing_if_the_backup_fails(
    sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(sheet, 2, "return 2")
    work = sheet.read_bytes()

    def full(_: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sheets, "keep_backup", full)
    assert sheets.main(["reset", "01"], tmp_path) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert sheet.read_bytes() == work


def test_check(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(sheet, 2, "return 2")
    answer(sheet, 3, "return 3")
    answer(sheet, 4, "return undefined name")
    before = sheet.read_bytes()
    assert sheets.main(["check", "01"], tmp_path) == 1
    assert sheet.read_bytes() == before
    assert list(sheet.parent.iterdir()) == [sheet]
    out = re.sub(r"\(\d+\.py, ", "(", capsys.readouterr().out)  # the kernel's name for the cell
    assert out.splitlines() == [
        f"Running exercises/{NAME}/{NAME}.ipynb ...",
        "01.one    passed",
        "01.two    not yet",
        "    got 3",
        "    expected 2",
        "cell 5    error",
        "    SyntaxError: invalid syntax (line 2)",
        "01.four   not attempted",
        "01.three  not reached",
        "    The cell with its check is missing, or stopped before it.",
        "1 of 4 tasks passed, 1 not yet, 1 not attempted, 1 not reached",
    ]


def test_check_when_all_is_passed(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for cell in (2, 3, 4, 5):
        answer(sheet, cell, "return 2")
    assert sheets.main(["check", "01"], tmp_path) == 0
    assert capsys.readouterr().out.endswith("\n4 of 4 tasks passed\n")


def test_check_when_the_kernel_dies(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(sheet, 2, "return 2")
    answer(sheet, 3, "import os; os._exit(1)")
    assert sheets.main(["check", "01"], tmp_path) == 1
    out = capsys.readouterr().out
    assert "01.one    passed\n" in out
    assert "the kernel died" in out
    assert "1 of 4 tasks passed, 3 not reached" in out


@pytest.mark.parametrize("verb", ["reset", "check"])
def test_unknown_sheet(sheet: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sheets.main([verb, "07"], tmp_path) == 1
    assert capsys.readouterr().err == f"There is no sheet 07. There are:\n    {NAME}\n"


def test_check_of_a_missing_sheet(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet.unlink()
    assert sheets.main(["check", "01"], tmp_path) == 1
    assert "python run.py reset 01" in capsys.readouterr().err
