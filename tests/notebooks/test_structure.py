"""What CONTRIBUTING.md promises of every stored notebook, beyond that nbval reproduces its outputs."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from eqcourse.tools import exercises
from eqcourse.tools.notebooks import ROOT, TIME_LINE, WIDGET_VIEW, find_notebooks, read_notebook

STORED = find_notebooks(ROOT)
LESSONS = [path for path in STORED if re.match(r"\d\d_", path.name) and path.parent.name == "lessons"]
SHEETS = [exercises.exercise_of(ROOT, solution) for solution in exercises.find_solutions(ROOT)]
MAX_CELLS, MAX_WORDS, MAX_BYTES = 55, 2200, 2_000_000

# Renders in JupyterLab or on a site, but not alike in both.
FORBIDDEN = {
    r"^:::": '::: (use <div class="alert alert-info">)',
    r"^```\{": '```{…} (use <div class="alert alert-info">)',
    r"^> \[!": '> [!NOTE] (use <div class="alert alert-info">)',
    r"\{ref\}": "{ref} (use a link)",
    r"\\require\b": "\\require (breaks all formulas of its cell)",
    r"\\\$": "\\$ (breaks formulas)",
    r"\]\([^)\s]+\.(ipynb|md)#": "a link to a #section of a file",
}
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")


class Tags(HTMLParser):
    """The tags of a piece of HTML, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def every(paths: list[Path]) -> Any:
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]


def outputs(path: Path) -> Iterator[tuple[int, Any]]:
    for number, cell in enumerate(read_notebook(path).cells, start=1):
        for output in cell.get("outputs", []):
            yield number, output


def markdown(path: Path) -> Iterator[tuple[int, str]]:
    """The number and the text of each Markdown cell, without what stands in code."""
    for number, cell in enumerate(read_notebook(path).cells, start=1):
        if cell.cell_type == "markdown":
            text = re.sub(r"^```(?!\{).*?^```", "", cell.source, flags=re.DOTALL | re.MULTILINE)
            yield number, re.sub(r"`[^`\n]+`", "", text)


def words(text: str) -> int:
    """How many words a reader reads: no formulas, tags or addresses."""
    for pattern in (r"\$\$.*?\$\$", r"\$[^$]+\$", r"<[^>]+>", r"\]\([^)]*\)"):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    return sum(any(letter.isalpha() for letter in word) for word in text.split())


@every(STORED)
def test_executed_from_top_to_bottom(path: Path) -> None:
    counts = [cell.execution_count for cell in code_cells(path) if cell.source.strip()]
    # nbval compares nothing in a cell without a count.
    assert counts == list(range(1, len(counts) + 1)), "execute it: python run.py notebooks"


@every(STORED + SHEETS)
def test_cells_have_ids_of_their_own(path: Path) -> None:
    ids = [cell.get("id") for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert None not in ids
    assert len(set(ids)) == len(ids)


@every(STORED)
def test_stored_outputs(path: Path) -> None:
    assert "widgets" not in read_notebook(path).metadata
    for number, output in outputs(path):
        assert output.output_type != "error", f"cell {number} stores an error"
        data = output.get("data", {})
        assert WIDGET_VIEW not in data, f"cell {number} stores a widget's view"
        pictures = [kind for kind in data if kind.startswith("image/")]
        assert not pictures or "text/html" in data, f"cell {number}: show figures with plots.show(fig, alt=...)"


@every(STORED)
def test_pictures_have_alternative_text(path: Path) -> None:
    texts = list(markdown(path))
    texts += [(number, str(output.get("data", {}).get("text/html", ""))) for number, output in outputs(path)]
    for number, text in texts:
        for tag, attributes in Tags(text).found:
            assert tag != "img" or (attributes.get("alt") or "").strip(), f"cell {number}: <img> without alt"
        assert "![](" not in text, f"cell {number}: picture without alternative text"


@every(STORED)
def test_no_semicolon_hides_a_result(path: Path) -> None:
    for number, cell in enumerate(code_cells(path), start=1):  # JupyterLab obeys it, nbval does not
        assert not cell.source.rstrip().endswith(";"), f"code cell {number}: write `_ = ...`"


@every(STORED)
def test_markdown_renders_alike_everywhere(path: Path) -> None:
    for number, text in markdown(path):
        for pattern, name in FORBIDDEN.items():
            assert not re.search(pattern, text, flags=re.MULTILINE), f"cell {number}: {name}"


@every(STORED + SHEETS)
def test_links_lead_somewhere(path: Path) -> None:
    for number, text in markdown(path):
        links = LINK.findall(text)
        links += [str(value) for _, tag in Tags(text).found for key, value in tag.items() if key in ("href", "src")]
        for link in links:
            if not re.match(r"[a-z]+:|#", link):
                assert (path.parent / unquote(link.partition("#")[0])).exists(), f"cell {number}: {link}"


@every(STORED)
def test_size(path: Path) -> None:
    assert path.stat().st_size <= MAX_BYTES


@every(LESSONS)
def test_length_of_a_lesson(path: Path) -> None:
    assert len(read_notebook(path).cells) <= MAX_CELLS
    assert sum(words(text) for _, text in markdown(path)) <= MAX_WORDS


@every(LESSONS)
def test_header_states_the_times(path: Path) -> None:
    assert TIME_LINE.search(read_notebook(path).cells[0].source), "**Time:** 35 minutes to read, 5 seconds to run"


def test_exercises_are_generated(capsys: pytest.CaptureFixture[str]) -> None:
    code = exercises.main(["--check"])
    assert code == 0, capsys.readouterr().err


@every(SHEETS)
def test_a_sheet_is_handed_out_without_outputs(path: Path) -> None:
    for cell in code_cells(path):
        assert not cell.outputs
        assert cell.execution_count is None


# The tests above say nothing while there are no notebooks, so they are tested themselves.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("::: note", True),
        ("```{note}", True),
        ("> [!NOTE]", True),
        ("costs \\$5", True),
        ("[x](01.ipynb#part)", True),
        ("A [link](01.ipynb), a formula $x$ and a slice a[::2]", False),
        ("```python\nx = ':::'\n```", False),
    ],
)
def test_forbidden_patterns(text: str, found: bool) -> None:
    assert any(re.search(pattern, text, flags=re.MULTILINE) for pattern in FORBIDDEN) is found


def test_words() -> None:
    assert words("A **group** acts: $g \\cdot x$, see [here](https://x.y/z).\n$$a b$$ <b>Done</b> 12") == 6


def test_links() -> None:
    assert LINK.findall('![a b](c.png "title") [d](<e.ipynb>) [f](https://g.h)') == ["c.png", "e.ipynb", "https://g.h"]
