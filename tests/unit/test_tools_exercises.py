"""The generator of exercise sheets."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from eqcourse.tools import exercises
from eqcourse.tools.notebooks import NotebookError

SOLUTION = '''def compose(g, h):
    """First h, then g."""
    ### BEGIN SOLUTION
    return [g[i] for i in h]
    ### END SOLUTION

check("01.compose", compose)
### BEGIN HIDDEN TESTS
check("01.compose", compose, hidden=True)
### END HIDDEN TESTS'''
STUB = '''def compose(g, h):
    """First h, then g."""
    raise NotImplementedError

check("01.compose", compose)'''


def solution() -> Any:
    printed = [new_output("stream", text="passed")]
    cells = [
        new_markdown_cell("Write `compose`.", id="task"),
        new_code_cell(SOLUTION, id="compose", execution_count=1, outputs=printed, metadata={"nbgrader": {"points": 2}}),
        new_markdown_cell("Why?\n\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", id="why"),
        new_code_cell("### BEGIN HIDDEN TESTS\ncheck(2)\n### END HIDDEN TESTS", id="hidden"),
        new_markdown_cell("A typical weak answer", id="weak", metadata={"tags": ["solution-only"]}),
        new_code_cell("", id="empty"),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def store(root: Path, name: str, nb: Any) -> Path:
    path = root / "solutions" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(exercises.as_text(nb), encoding="utf-8")
    return path


def test_student_version() -> None:
    nb = solution()
    before = nbformat.writes(nb)
    sheet = exercises.student_version(nb)
    assert nbformat.writes(nb) == before
    assert [cell.id for cell in sheet.cells] == ["task", "compose", "why", "empty"]
    code = sheet.cells[1]
    assert code.source == STUB
    assert (code.outputs, code.execution_count) == ([], None)
    assert code.metadata == {"nbgrader": {"points": 2}}
    assert sheet.cells[2].source == "Why?\n\n*Your answer here.*"
    assert sheet.metadata == nb.metadata
    nbformat.validate(sheet)
    assert exercises.student_version(sheet) == sheet


def test_a_cell_that_is_all_solution_keeps_a_stub() -> None:
    cell = new_code_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n### BEGIN SOLUTION\ny = 1\n### END SOLUTION")
    (cell,) = exercises.student_version(new_notebook(cells=[cell])).cells
    assert cell.source == "raise NotImplementedError\nraise NotImplementedError"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x\n### BEGIN SOLUTION\ny", "line 2: BEGIN SOLUTION without END SOLUTION"),
        ("x\n### END SOLUTION", "line 2: END SOLUTION without BEGIN SOLUTION"),
        ("### BEGIN HIDDEN TESTS", "line 1: BEGIN HIDDEN TESTS without END"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "line 2: BEGIN SOLUTION before END SOLUTION"),
        ("### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS", "line 2: BEGIN HIDDEN TESTS before END SOLUTION"),
        ("### BEGIN SOLUTION\n### END HIDDEN TESTS\n### END SOLUTION", "line 2: END HIDDEN TESTS without"),
    ],
)
def test_markers_that_do_not_fit_stop_everything(
    tmp_path: Path, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, "01_good", solution())
    store(tmp_path, "02_bad", new_notebook(cells=[new_markdown_cell("x"), new_code_cell(source, id="here")]))
    assert exercises.main([], tmp_path) == 1
    told = capsys.readouterr().err
    assert f"solutions/02_bad/02_bad.ipynb: cell 2 (here), {message}" in told
    assert "Nothing was written" in told
    assert not (tmp_path / "exercises").exists()
    with pytest.raises(NotebookError, match="line"):
        exercises.student_source(source, "stub")


def test_write_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = store(tmp_path, "01_a", solution())
    sheet = tmp_path / "exercises" / "01_a" / "01_a.ipynb"
    assert exercises.main(["--check"], tmp_path) == 1
    assert "exercises/01_a/01_a.ipynb is missing" in capsys.readouterr().err
    assert not sheet.exists()
    assert exercises.main([], tmp_path) == 0
    text = sheet.read_bytes()
    assert exercises.main([], tmp_path) == 0
    assert sheet.read_bytes() == text
    assert exercises.main(["--check"], tmp_path) == 0
    source.write_text(source.read_text().replace("First h, then g.", "h first."))
    capsys.readouterr()
    assert exercises.main(["--check"], tmp_path) == 1
    told = capsys.readouterr().err
    assert "--- exercises/01_a/01_a.ipynb (stored)" in told
    assert "h first." in told
    assert sheet.read_bytes() == text
    assert exercises.main([], tmp_path) == 0
    assert "h first." in sheet.read_text()


def test_a_sheet_without_solution_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path, "01_a", solution())
    exercises.main([], tmp_path)
    (tmp_path / "exercises" / "01_a" / "01_a.backup-20260101-000000.ipynb").write_text("a learner's")
    assert exercises.main(["--check"], tmp_path) == 0
    (tmp_path / "exercises" / "02_b").mkdir()
    (tmp_path / "exercises" / "02_b" / "02_b.ipynb").write_text("{}")
    capsys.readouterr()
    assert exercises.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == "exercises/02_b/02_b.ipynb has no solution\n"


def test_a_sheet_with_work_in_it_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path, "01_a", solution())
    exercises.main([], tmp_path)
    sheet = tmp_path / "exercises" / "01_a" / "01_a.ipynb"
    nb = nbformat.read(sheet, as_version=4)
    nb.cells[1].execution_count = 1
    work = exercises.as_text(nb)
    sheet.write_text(work, encoding="utf-8")
    assert exercises.main([], tmp_path) == 0
    (backup,) = sheet.parent.glob("*.backup-*.ipynb")
    assert backup.read_text(encoding="utf-8") == work
    assert f"kept as {backup.name}" in capsys.readouterr().out


def test_backups_never_overwrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercises.time, "strftime", lambda _: "20260101-000000")
    sheet = tmp_path / "01_a.ipynb"
    for text in ("first", "second"):
        sheet.write_text(text)
        exercises.keep_backup(sheet)
    assert (tmp_path / "01_a.backup-20260101-000000.ipynb").read_text() == "first"
    assert (tmp_path / "01_a.backup-20260101-000000-1.ipynb").read_text() == "second"
