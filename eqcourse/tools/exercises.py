"""Generate the exercise sheets in exercises/ from solutions/, the one source of each sheet.

`python run.py exercises [--check]` calls this module. The markers are nbgrader's, so that teachers can grade with it; the
generator is our own, because `python run.py reset` must work on a learner's machine, offline and without nbgrader.
"""

import argparse
import difflib
import re
import sys
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from eqcourse.tools.notebooks import ROOT, NotebookError, read_notebook, write_notebook

CODE_STUB = "raise NotImplementedError"
TEXT_STUB = "*Your answer here.*"
MARKER = re.compile(r"\b(BEGIN|END) (SOLUTION|HIDDEN TESTS)\b")
DIFF_LINES = 20


def student_source(source: str, stub: str) -> str:
    """The source of a cell with `stub` in place of each solution, and without hidden tests.

    Raises `NotebookError` with the number of the line where markers are unbalanced, nested or crossed.

    >>> print(student_source("def f(x):\\n    ### BEGIN SOLUTION\\n    return 2 * x\\n    ### END SOLUTION", CODE_STUB))
    def f(x):
        raise NotImplementedError
    """
    kept = []
    opened = None
    for number, line in enumerate(source.split("\n"), start=1):
        marker = MARKER.search(line)
        if marker is None:
            if opened is None:
                kept.append(line)
            continue
        edge, kind = marker.groups()
        if edge == "BEGIN":
            if opened is not None:
                raise NotebookError(f"line {number}: BEGIN {kind} before END {opened[0]} (of line {opened[1]})")
            opened = kind, number
            if kind == "SOLUTION":
                kept.append(line[: len(line) - len(line.lstrip())] + stub)
        elif opened is None or opened[0] != kind:
            raise NotebookError(f"line {number}: END {kind} without BEGIN {kind}")
        else:
            opened = None
    if opened is not None:
        raise NotebookError(f"line {opened[1]}: BEGIN {opened[0]} without END {opened[0]}")
    return "\n".join(kept)


def student_version(nb: NotebookNode) -> NotebookNode:
    """What a learner gets of a solution notebook: stubs for solutions, no hidden tests, no outputs.

    Cells tagged `solution-only` and cells of which nothing is left are dropped; the argument is not changed.
    Raises `NotebookError` with the cell and line of a marker that does not fit.
    """
    nb = deepcopy(nb)
    cells = []
    for number, cell in enumerate(nb.cells, start=1):
        if "solution-only" in cell.metadata.get("tags", []):
            continue
        stub = CODE_STUB if cell.cell_type == "code" else TEXT_STUB
        try:
            source = student_source(cell.source, stub)
        except NotebookError as error:
            raise NotebookError(f"cell {number} ({cell.id}), {error}") from None
        if source == cell.source and cell.metadata.get("nbgrader", {}).get("solution"):
            source = stub  # as nbgrader does: without markers the whole cell is the solution
        if cell.source.strip() and not source.strip():
            continue
        cell.source = source
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    nb.cells = cells
    return nb


def as_text(nb: NotebookNode) -> str:
    """A notebook as it is stored."""
    text: str = nbformat.writes(nb) + "\n"
    return text


def find_solutions(root: Path) -> list[Path]:
    """The solution notebooks `solutions/NN_name/NN_name.ipynb` below `root`."""
    return [path for path in sorted((root / "solutions").glob("[!.]*/*.ipynb")) if path.stem == path.parent.name]


def generate(solution: Path) -> NotebookNode:
    """The exercise sheet of a solution notebook. Raises `NotebookError`, which names the file."""
    try:
        return student_version(read_notebook(solution))
    except NotebookError as error:
        raise NotebookError(f"solutions/{solution.parent.name}/{solution.name}: {error}") from None


def exercise_of(root: Path, solution: Path) -> Path:
    """Where the exercise sheet of a solution notebook is stored."""
    return root / "exercises" / solution.parent.name / solution.name


def keep_backup(sheet: Path) -> Path:
    """Copy a sheet to `NAME.backup-YYYYMMDD-HHMMSS.ipynb` beside it, never over another file; the copy's path."""
    name = f"{sheet.stem}.backup-{time.strftime('%Y%m%d-%H%M%S')}"
    for attempt in range(100):
        backup = sheet.with_name(f"{name}{f'-{attempt}' if attempt else ''}.ipynb")
        try:
            with backup.open("xb") as file:
                file.write(sheet.read_bytes())
        except FileExistsError:
            continue
        return backup
    raise FileExistsError(f"{name}-N.ipynb exist for all N up to 99: remove some")


def has_work(sheet: Path) -> bool:
    """Whether somebody has executed cells of a sheet, which no generated sheet shows."""
    try:
        return any(cell.get("execution_count") or cell.get("outputs") for cell in read_notebook(sheet).cells)
    except NotebookError:
        return True


def orphans(root: Path) -> list[Path]:
    """Exercise sheets that have no solution; backups of a learner are none."""
    paths = sorted((root / "exercises").glob("[!.]*/*.ipynb"))
    expected = {exercise_of(root, solution) for solution in find_solutions(root)}
    return [path for path in paths if path not in expected and ".backup-" not in path.name]


def difference(root: Path, path: Path, sheet: NotebookNode) -> str:
    """What differs between a stored sheet and the generated one, as the beginning of a unified diff; empty if nothing."""
    name = path.relative_to(root).as_posix()
    if not path.exists():
        return f"{name} is missing"
    old, new = path.read_text(encoding="utf-8"), as_text(sheet)
    lines = list(difflib.unified_diff(old.split("\n"), new.split("\n"), f"{name} (stored)", f"{name} (generated)", n=1))
    more = [f"... and {len(lines) - DIFF_LINES} lines more"] if len(lines) > DIFF_LINES else []
    return "\n".join([line.rstrip("\n") for line in lines[:DIFF_LINES]] + more)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the exercise sheets, or compare them; 1 if something is wrong or differs."""
    parser = argparse.ArgumentParser(description="Generate exercises/ from solutions/.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a stored sheet differs")
    options = parser.parse_args(arguments)
    try:  # all of them before any is written
        sheets = {exercise_of(root, solution): generate(solution) for solution in find_solutions(root)}
    except NotebookError as error:
        print(f"{error}\nNothing was written.", file=sys.stderr)
        return 1
    differences = {path: difference(root, path, sheet) for path, sheet in sheets.items()}
    complaints = [f"{path.relative_to(root).as_posix()} has no solution" for path in orphans(root)]
    for path, text in differences.items():
        if text and options.check:
            complaints.append(text)
        elif text:
            if path.exists() and has_work(path):
                print(f"{path.relative_to(root)} has been worked on: kept as {keep_backup(path).name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_notebook(path, sheets[path])
            print(f"{path.relative_to(root)} written")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if options.check and any(differences.values()):
        print("Exercises are generated: edit solutions/, then python run.py exercises", file=sys.stderr)
    print(f"{len(sheets)} sheets, {sum(map(bool, differences.values()))} of them differed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
