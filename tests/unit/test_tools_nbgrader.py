"""The generator against an independent one: nbgrader's preprocessors. Needs `pip install -e .[classroom]`."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from eqcourse.tools.exercises import CODE_STUB, TEXT_STUB, find_solutions, student_version
from eqcourse.tools.notebooks import ROOT, read_notebook

preprocessors = pytest.importorskip("nbgrader.preprocessors")

LOOP = """for i in range(3):
    if i:
        ### BEGIN SOLUTION
        a = 1

        b = 2
        ### END SOLUTION
    ### BEGIN SOLUTION
    c = 3
    ### END SOLUTION
    # kept

### BEGIN HIDDEN TESTS
assert a == 1
### END HIDDEN TESTS
print(a)"""


def graded(source: str) -> Any:
    metadata = {"grade": False, "solution": True, "locked": False, "grade_id": "task", "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": metadata})


def synthetic() -> Any:
    cells = [
        new_code_cell(LOOP),
        new_code_cell("### BEGIN HIDDEN TESTS\nassert 1\n### END HIDDEN TESTS"),
        new_code_cell("x = 1\n### BEGIN HIDDEN TESTS\nassert 1\n### END HIDDEN TESTS\n"),
        new_markdown_cell("Why?\n\n### BEGIN SOLUTION\nBecause.\n\nReally.\n### END SOLUTION\n\nThe end."),
        new_markdown_cell("Plain text"),
        graded("all = 'of it'"),
        graded("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"),
    ]
    return new_notebook(cells=cells)


def by_nbgrader(nb: Any) -> list[tuple[str, str]]:
    nb = deepcopy(nb)
    # Not nbgrader's part: our tag, and that cells of which nothing is left go.
    nb.cells = [cell for cell in nb.cells if "solution-only" not in cell.metadata.get("tags", [])]
    empty = {cell.id for cell in nb.cells if not cell.source.strip()}
    clear = preprocessors.ClearSolutions(code_stub={"python": CODE_STUB}, text_stub=TEXT_STUB, enforce_metadata=False)
    hidden = preprocessors.ClearHiddenTests(enforce_metadata=False)
    resources: dict[str, Any] = {"language": "python"}
    nb.metadata.setdefault("kernelspec", {})["language"] = "python"
    for preprocessor in (clear, hidden):
        nb, resources = preprocessor.preprocess(nb, resources)
    return [(cell.id, cell.source) for cell in nb.cells if cell.source.strip() or cell.id in empty]


@pytest.mark.parametrize("name", ["synthetic", *(path.stem for path in find_solutions(ROOT))])
def test_same_as_nbgrader(name: str) -> None:
    nb = synthetic() if name == "synthetic" else read_notebook(Path(ROOT, "solutions", name, f"{name}.ipynb"))
    nbformat.validate(nb)
    assert [(cell.id, cell.source) for cell in student_version(nb).cells] == by_nbgrader(nb)
