"""Execute lessons and solutions, store their outputs and run times, and rewrite README's table of lessons.

`python run.py notebooks [NN ...]` calls this module.
"""

import argparse
import json
import os
import re
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
CELL_TIMEOUT = 90
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TIME_LINE = re.compile(r"(\*\*Time:\*\* +)(\d+)( minutes? to read, +)(\d+)( seconds? to run)")
TABLE = re.compile(r"(<!-- lessons: begin -->\n).*?(<!-- lessons: end -->)", re.DOTALL)

TITLES = {
    "00_start_here": "Start here",
    "01_groups_and_actions": "Groups and actions",
    "02_invariant_and_equivariant_maps": "Invariant and equivariant maps",
    "03_polynomials": "Polynomials",
    "04_images_and_reflections": "Images and reflections",
    "05_molecules_and_rotations": "Molecules and rotations",
    "06_augmentation_or_construction": "Augmentation or construction",
    "07_equivariant_networks": "Equivariant networks",
    "08_sets": "Sets",
    "09_higher_order_permutations": "Higher-order permutations",
    "10_products_of_permutations": "Products of permutations",
    "11_translations": "Translations",
    "12_invariant_projections": "Invariant projections",
    "13_expand_or_exploit": "Expand or exploit",
    "14_permutation_actions_in_general": "Permutation actions in general",
    "15_irreps_and_schur": "Irreps and Schur's lemma",
    "16_continuous_groups": "Continuous groups",
    "17_does_symmetry_pay": "Does symmetry pay?",
    "18_steerable_kernels": "Steerable kernels",
}


class NotebookError(Exception):
    """A notebook cannot be read or executed; the message names it, the cell and the error."""


def find_notebooks(root: Path, names: Sequence[str] = ()) -> list[Path]:
    """The lessons and solutions below `root`, or those whose name starts with one of `names`.

    Raises `NotebookError` if one of the names fits no notebook.
    """
    paths = sorted((root / "lessons").glob("*.ipynb")) + sorted((root / "solutions").glob("[!.]*/*.ipynb"))
    for name in names:
        if not any(path.name.startswith(name) for path in paths):
            raise NotebookError(f"no notebook starts with {name!r}; there are: {', '.join(p.stem for p in paths)}")
    return [path for path in paths if not names or path.name.startswith(tuple(names))]


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook, and give an `id` to each cell that has none. Raises `NotebookError`."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        for cell in raw["cells"]:
            cell.setdefault("id", uuid.uuid4().hex[:8])
        raw |= {"nbformat": 4, "nbformat_minor": 5}
        nb = nbformat.reads(json.dumps(raw), as_version=4)
        nbformat.validate(nb)
    except (OSError, ValueError, KeyError, TypeError, nbformat.ValidationError) as error:
        raise NotebookError(f"{path.name} is not a notebook: {error}") from error
    return nb


def write_notebook(path: Path, nb: NotebookNode) -> None:
    """Write a notebook so that there is the old one or the new one at any time, never half of it."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(nbformat.writes(nb) + "\n", encoding="utf-8", newline="\n")
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def execute(nb: NotebookNode, folder: Path, on_cell: Callable[..., Any] | None = None, **settings: Any) -> float:
    """Execute a notebook in place in a clean kernel that works in `folder`; the seconds from the kernel's start.

    `settings` go to nbclient. Raises `NotebookError` with the number of the cell and its error.
    """
    at = 0

    def started(cell: NotebookNode, cell_index: int) -> None:
        nonlocal at
        at = cell_index

    client = NotebookClient(
        nb,
        **{"timeout": CELL_TIMEOUT} | settings,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # else each kernel warns in the terminal of its local transport
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=started,
        on_cell_executed=on_cell,
    )
    start = time.perf_counter()
    try:
        client.execute()
    except CellExecutionError as error:
        raise NotebookError(f"cell {at + 1} ({nb.cells[at].id}): {error.ename}: {error.evalue}") from error
    except CellTimeoutError as error:
        raise NotebookError(f"cell {at + 1} ({nb.cells[at].id}): no end after {client.timeout} s") from error
    except DeadKernelError as error:
        raise NotebookError(f"cell {at + 1} ({nb.cells[at].id}): the kernel died") from error
    return time.perf_counter() - start


def tidy(nb: NotebookNode) -> None:
    """Remove from an executed notebook what depends on the machine or shows nothing without its kernel."""
    nb.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET_VIEW, None)
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def set_run_time(nb: NotebookNode, seconds: float) -> None:
    """Write the run time, rounded up to five seconds, into the line `**Time:**` of the first cell, if it has one."""
    rounded = 5 * max(1, -int(-seconds // 5))
    if nb.cells:
        nb.cells[0].source = TIME_LINE.sub(rf"\g<1>\g<2>\g<3>{rounded} seconds to run", nb.cells[0].source, count=1)


def store(path: Path, on_cell: Callable[..., Any] | None = None) -> float:
    """Execute a notebook and store it with its outputs; the seconds that it took. Raises `NotebookError`.

    If it fails, the stored one stays as it is.
    """
    for attempt in (1, 2):
        nb = read_notebook(path)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        try:
            seconds = execute(nb, path.parent, on_cell)
            break
        except NotebookError as error:
            # With widgets nbclient waits, once in about twenty runs, for a message that does not come.
            if attempt == 2 or not isinstance(error.__cause__, CellTimeoutError):
                raise
    tidy(nb)
    set_run_time(nb, seconds)
    write_notebook(path, nb)
    return seconds


def lessons_table(root: Path) -> str:
    """README's table of lessons: read and run times from the headers, and which ones are not written yet."""
    rows = ["| | Lesson | Read | Run | Sheet |", "|---|---|---|---|---|"]
    for stem, title in TITLES.items():
        number, lesson, sheet = stem[:2], f"lessons/{stem}.ipynb", f"exercises/{stem}/{stem}.ipynb"
        if not (root / lesson).exists():
            rows.append(f"| {number} | {title} (not written yet) | | | |")
            continue
        cells = read_notebook(root / lesson).cells
        times = TIME_LINE.search(cells[0].source) if cells else None
        read, run = (f"{times[2]} min", f"{times[4]} s") if times else ("", "")
        review = f"exercises/{number}_review/{number}_review.ipynb"
        named = {f"sheet {number}": sheet, "review": review}
        links = ", ".join(f"[{name}]({path})" for name, path in named.items() if (root / path).exists())
        rows.append(f"| {number} | [{title}]({lesson}) | {read} | {run} | {links or '–'} |")
    return "\n".join(rows) + "\n"


def write_readme(root: Path) -> None:
    """Rewrite the table of lessons between the two markers of README.md."""
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    if not TABLE.search(text):
        print("README.md has no markers <!-- lessons: begin --> and <!-- lessons: end -->: no table written")
        return
    table = lessons_table(root)
    text = TABLE.sub(lambda match: match[1] + table + match[2], text)
    readme.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Execute and store the notebooks that are named; 1 if one of them failed."""
    parser = argparse.ArgumentParser(description="Execute lessons and solutions and store their outputs.")
    parser.add_argument("names", nargs="*", metavar="NN", help="only those whose name starts so (default: all)")
    parser.add_argument("--readme", action="store_true", help="only rewrite the table of lessons in README.md")
    options = parser.parse_args(arguments)
    failures = []
    if not options.readme:
        # Sums of floats depend on the number of threads: stored outputs are made with one, and compared with one.
        os.environ["OMP_NUM_THREADS"] = "1"
        try:
            paths = find_notebooks(root, options.names)
        except NotebookError as error:
            print(error, file=sys.stderr)
            return 2
        # No bar where there is no terminal, as each step of it would be a line of a log.
        with tqdm(paths, unit="notebook", dynamic_ncols=True, disable=None) as bar:
            for path in bar:
                bar.set_description(path.stem)
                try:
                    seconds = store(path, lambda cell_index, **_: bar.set_postfix_str(f"cell {cell_index + 1}"))
                    bar.write(f"{path.relative_to(root)}: {seconds:.1f} s")
                except (NotebookError, OSError) as error:  # OSError: the disk is full, or a file may not be written
                    failures.append(f"{path.relative_to(root)}: {error}\n    what is stored was left as it is")
    try:
        write_readme(root)
    except NotebookError as error:
        failures.append(f"README.md: no table written: {error}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
