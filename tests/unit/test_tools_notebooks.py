"""Executing and storing notebooks: what is stored, and that nothing is lost when one fails."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from eqcourse.tools import notebooks
from eqcourse.tools.notebooks import NotebookError

HEADER = "# Groups\n\n**Time:** 35 minutes to read, 90 seconds to run"
WIDGET = """
from IPython.display import display
view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
display({**view, "text/plain": "a slider"}, raw=True)
display(view, raw=True)
print("one thread" if __import__("os").environ["OMP_NUM_THREADS"] == "1" else "many")
print("in", __import__("pathlib").Path.cwd().name)
"""


def write(path: Path, *cells: Any, **metadata: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(new_notebook(cells=list(cells), metadata=metadata)) + "\n", encoding="utf-8")
    return path


def test_what_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [
        new_markdown_cell(HEADER),
        new_code_cell(WIDGET, execution_count=7),
        new_code_cell(""),
        new_code_cell("1 + 1"),
    ]
    path = write(
        tmp_path / "lessons" / "01_groups_and_actions.ipynb",
        *cells,
        kernelspec={"name": "my-own", "display_name": "My own"},
    )
    raw = json.loads(path.read_text())
    raw["nbformat_minor"] = 4
    for cell in raw["cells"]:
        del cell["id"]
    raw["cells"][1]["metadata"]["execution"] = {"iopub.status.busy": "2026-01-01"}
    path.write_text(json.dumps(raw))
    assert notebooks.main([], tmp_path) == 0
    nb = nbformat.read(path, as_version=4)
    assert nb.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert "35 minutes to read, 5 seconds to run" in nb.cells[0].source
    assert [cell.execution_count for cell in nb.cells[1:]] == [1, None, 2]
    assert len({cell.id for cell in nb.cells}) == 4
    shown, printed = nb.cells[1].outputs
    assert shown.data == {"text/plain": "a slider"}
    assert printed.text == "one thread\nin lessons\n"
    assert nb.cells[1].metadata == {}
    assert path.read_bytes().endswith(b"}\n")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    text = path.read_bytes()
    assert notebooks.main(["01"], tmp_path) == 0
    assert path.read_bytes() == text  # byte for byte the same, run after run


def test_a_notebook_that_fails_stays_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write(tmp_path / "lessons" / "01_bad.ipynb", new_code_cell("1"), new_code_cell("1 / 0", id="divide"))
    broken = tmp_path / "lessons" / "02_broken.ipynb"
    broken.write_text("<<<<<<< HEAD\n")
    good = write(tmp_path / "solutions" / "03_good" / "03_good.ipynb", new_code_cell("print('fine')"))
    before = bad.read_bytes()
    assert notebooks.main([], tmp_path) == 1
    assert bad.read_bytes() == before
    assert "fine" in good.read_text()
    told = capsys.readouterr().err
    assert "lessons/01_bad.ipynb: cell 2 (divide): ZeroDivisionError: division by zero" in told
    assert "lessons/02_broken.ipynb: 02_broken.ipynb is not a notebook" in told


def test_a_disk_that_fills_up_while_writing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "01.ipynb", new_code_cell("1"))
    before = path.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notebooks.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        notebooks.write_notebook(path, new_notebook())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_and_the_stored_notebook_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "lessons" / "01.ipynb", new_code_cell("1"))
    before = path.read_bytes()

    def full(*_: Any, **__: Any) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notebooks, "store", full)
    assert notebooks.main([], tmp_path) == 1
    assert path.read_bytes() == before
    told = capsys.readouterr().err
    assert "lessons/01.ipynb: [Errno 28] No space left on device" in told
    assert "what is stored was left as it is" in told


@pytest.mark.parametrize(("stalls", "stored"), [(1, True), (2, False)])
def test_one_retry_if_a_cell_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stalls: int, stored: bool
) -> None:
    write(tmp_path / "lessons" / "01.ipynb", new_code_cell("1"))
    attempts = []

    def execute(nb: Any, folder: Path, on_cell: Any) -> float:
        attempts.append(folder)
        if len(attempts) <= stalls:
            raise NotebookError("cell 1: no end") from CellTimeoutError("no end")
        return 1.0

    monkeypatch.setattr(notebooks, "execute", execute)
    assert (notebooks.main([], tmp_path) == 0) is stored
    assert len(attempts) == 2


def test_a_cell_without_end_is_named(tmp_path: Path) -> None:
    nb = new_notebook(cells=[new_code_cell("import time; time.sleep(60)", id="sleep")])
    with pytest.raises(NotebookError, match=r"cell 1 \(sleep\): no end after 1 s"):
        notebooks.execute(nb, tmp_path, timeout=1)


def test_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("lessons/01_a", "lessons/02_b", "lessons/glossary", "solutions/01_a/01_a", "solutions/.hidden/x"):
        write(tmp_path / f"{name}.ipynb")
    every = [path.relative_to(tmp_path).as_posix() for path in notebooks.find_notebooks(tmp_path)]
    assert every == [
        f"{name}.ipynb" for name in ("lessons/01_a", "lessons/02_b", "lessons/glossary", "solutions/01_a/01_a")
    ]
    assert [path.parent.name for path in notebooks.find_notebooks(tmp_path, ["01"])] == ["lessons", "01_a"]
    assert [path.stem for path in notebooks.find_notebooks(tmp_path, ["02", "gl"])] == ["02_b", "glossary"]
    assert notebooks.main(["07"], tmp_path) == 2
    assert "no notebook starts with '07'; there are: 01_a, 02_b, glossary, 01_a" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "shown"), [(0.2, 5), (5.0, 5), (5.1, 10), (12, 15)])
def test_run_time_is_rounded_up(seconds: float, shown: int) -> None:
    nb = new_notebook(cells=[new_markdown_cell(HEADER)])
    notebooks.set_run_time(nb, seconds)
    assert nb.cells[0].source.endswith(f"**Time:** 35 minutes to read, {shown} seconds to run")


def test_readme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notebooks.main(["--readme"], tmp_path) == 0
    assert "no table written" in capsys.readouterr().out
    readme = tmp_path / "README.md"
    readme.write_text("# x\n<!-- lessons: begin -->\nold\n<!-- lessons: end -->\nmore\n")
    write(tmp_path / "lessons" / "00_start_here.ipynb", new_markdown_cell(HEADER))
    write(tmp_path / "lessons" / "01_groups_and_actions.ipynb", new_markdown_cell(HEADER))
    write(tmp_path / "exercises" / "01_groups_and_actions" / "01_groups_and_actions.ipynb")
    write(tmp_path / "lessons" / "07_equivariant_networks.ipynb", new_markdown_cell(HEADER))
    write(tmp_path / "exercises" / "07_review" / "07_review.ipynb")
    assert notebooks.main(["--readme"], tmp_path) == 0
    lines = readme.read_text().splitlines()
    assert lines[:2] == ["# x", "<!-- lessons: begin -->"]
    assert lines[-2:] == ["<!-- lessons: end -->", "more"]
    assert "| 00 | [Start here](lessons/00_start_here.ipynb) | 35 min | 90 s | – |" in lines
    sheet = "exercises/01_groups_and_actions/01_groups_and_actions.ipynb"
    lesson = "[Groups and actions](lessons/01_groups_and_actions.ipynb)"
    assert f"| 01 | {lesson} | 35 min | 90 s | [sheet 01]({sheet}) |" in lines
    assert any(line.endswith("| 90 s | [review](exercises/07_review/07_review.ipynb) |") for line in lines)
    assert "| 02 | Invariant and equivariant maps (not written yet) | | | |" in lines
    assert len([line for line in lines if line.startswith("| ") and line[2:4].isdigit()]) == 19
