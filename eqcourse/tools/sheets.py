"""A learner's sheet: give back a fresh one, or print its verdicts in the terminal.

`python run.py reset NN` and `python run.py check NN` call this module.
"""

import argparse
import os
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from eqcourse.checks import VERDICT_MIME
from eqcourse.tools.exercises import as_text, exercise_of, find_solutions, generate, keep_backup
from eqcourse.tools.notebooks import ROOT, NotebookError, execute, read_notebook, write_notebook

TASK = r"[\w-]+\.[\w-]+"
CHECK_CALL = re.compile(rf"""\bcheck\(\s*["']({TASK})["']""")


class Verdict(NamedTuple):
    """What one check said: a task (or a cell that raised), a status, and an explanation."""

    task: str
    status: str
    message: str


def find_sheet(root: Path, name: str) -> Path:
    """The solution of the sheet with a number (1 or 01) or name. Raises `NotebookError` with a list of the sheets."""
    solutions = find_solutions(root)
    for solution in solutions:
        if name.zfill(2) == solution.stem[:2] or name == solution.stem:
            return solution
    sheets = "\n".join(f"    {solution.stem}" for solution in solutions) or "    none yet"
    raise NotebookError(f"There is no sheet {name}. There are:\n{sheets}")


def reset(root: Path, name: str) -> None:
    """Replace a sheet by a fresh one; what was there is kept as a backup unless it is the same."""
    solution = find_sheet(root, name)
    sheet = exercise_of(root, solution)
    shown = sheet.relative_to(root).as_posix()
    fresh = generate(solution)
    if not sheet.exists():
        sheet.parent.mkdir(parents=True, exist_ok=True)
        write_notebook(sheet, fresh)
        print(f"{shown} was missing: there is a fresh one now.")
    elif sheet.read_bytes().replace(b"\r\n", b"\n") == as_text(fresh).encode():
        print(f"{shown} is untouched: nothing to do.")
    else:
        backup = keep_backup(sheet)
        write_notebook(sheet, fresh)
        print(f"{shown} is fresh again. Your work is kept in\n    {backup.relative_to(root).as_posix()}")
        print("If the sheet is open in JupyterLab: File > Reload Notebook from Disk.")


def verdicts(nb: NotebookNode) -> list[Verdict]:
    """The verdicts that the outputs of an executed sheet carry, and the errors of cells that raised, in order."""
    found = []
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(Verdict(f"cell {number}", "error", f"{output.ename}: {output.evalue}"))
            verdict = output.get("data", {}).get(VERDICT_MIME)
            if verdict:
                found.append(Verdict(verdict["task"], verdict["status"], verdict.get("message", "")))
    return found


def check(root: Path, name: str) -> int:
    """Execute a copy of a sheet, print a line for each check and a total; 1 unless all its tasks are passed."""
    solution = find_sheet(root, name)
    sheet = exercise_of(root, solution)
    if not sheet.exists():
        raise NotebookError(f"There is no {sheet.relative_to(root).as_posix()}: python run.py reset {name} makes one.")
    nb = read_notebook(sheet)
    print(f"Running {sheet.relative_to(root).as_posix()} ...", flush=True)
    died = []
    try:
        execute(nb, sheet.parent, allow_errors=True, interrupt_on_timeout=True)
    except NotebookError as error:  # what came before still counts
        died = [Verdict("kernel", "error", str(error))]
    found = verdicts(nb) + died
    statuses = {verdict.task: verdict.status for verdict in found if re.fullmatch(TASK, verdict.task)}
    # A task whose cell did not run as far as its check is a task all the same.
    for task in CHECK_CALL.findall("\n".join(cell.source for cell in generate(solution).cells)):
        if task not in statuses:
            statuses[task] = "not reached"
            found.append(Verdict(task, "not reached", "The cell with its check is missing, or stopped before it."))
    width = max((len(verdict.task) for verdict in found), default=0)
    for verdict in found:
        print(f"{verdict.task:{width}}  {verdict.status}")
        if verdict.message:
            print(textwrap.indent(verdict.message, "    "))
    counts = Counter(statuses.values())
    passed = counts.pop("passed", 0)
    rest = "".join(f", {count} {status}" for status, count in counts.items())
    print(f"{passed} of {len(statuses)} tasks passed{rest}")
    return 0 if passed == len(statuses) and not died else 1


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run `reset NN` or `check NN`."""
    parser = argparse.ArgumentParser(description="Reset or check an exercise sheet.")
    parser.add_argument("verb", choices=["reset", "check"])
    parser.add_argument("sheet", metavar="NN", help="number of the sheet, for example 01")
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        if options.verb == "check":
            return check(root, options.sheet)
        reset(root, options.sheet)
    except (NotebookError, OSError) as error:  # OSError: the disk is full, or a file may not be written
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
