"""No lesson uses a term before the lesson that introduces it. The table of terms stands in lessons/glossary.ipynb."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from eqcourse.tools.notebooks import ROOT, TITLES, read_notebook

GLOSSARY = ROOT / "lessons" / "glossary.ipynb"
NUMBERS = sorted(stem[:2] for stem in TITLES)
# Lesson 00 asks nothing of its readers, and sends them to the refresher if they want it.
ORDER = ["00", "refresher", *NUMBERS[1:]]

ROW = re.compile(r"^\| (\*\*)?([^|*]+?)(\*\*)? \| (refresher|\d\d) \| ([^|]+) \|$", re.MULTILINE)

# What a reader does not read, or reads as a name.
NOT_PROSE = [
    r"```.*?```",
    r"`[^`\n]+`",
    r"\*\*References\.\*\*.*?(?=\n\n|\Z)",
    r"\*\*Next:\*\*.*?(?=\n\n|\Z)",
    r"!?\[[^\]]*\]\([^)]*\)",
    r"\*[^*\n]+\*\s+\(\d{4}\)",  # the title of a work, with its year
    r"\bequivariant\s+neural\s+networks?\b",  # the course's own name
    r"<[^>]+>",
    r"\\[A-Za-z]+",
]


class Term(NamedTuple):
    """A row of the table: spellings of one term, the lesson that introduces it, whether a test looks for it."""

    spellings: list[str]
    lesson: str
    policed: bool
    meaning: str


def parse_terms(table: str) -> list[Term]:
    return [
        Term(spellings.split(" / "), lesson, bold == end == "**", meaning)
        for bold, spellings, end, lesson, meaning in ROW.findall(table)
    ]


def table_of_terms() -> str:
    cells = {cell.id: cell.source for cell in read_notebook(GLOSSARY).cells}
    return cells["terms"]


def pattern(spelling: str) -> re.Pattern[str]:
    """The spelling as whole words, also in the plural; a hyphen or a line break may stand between its words."""
    words = r"[\s_-]+".join(map(re.escape, spelling.split()))
    return re.compile(rf"(?<!\w){words}s?(?!\w)", re.IGNORECASE)


def prose(source: str) -> str:
    """What a reader reads as running text: no code, links, references, or the title line of a header."""
    source = re.sub(r"\A# .*", "", source).replace("’", "'")
    for left_out in NOT_PROSE:
        source = re.sub(left_out, " ", source, flags=re.DOTALL | re.IGNORECASE)
    return source


def too_early(nb: NotebookNode, lesson: str, terms: list[Term]) -> list[str]:
    """Each use of a term that a later lesson introduces, with its cell."""
    found = []
    later = [term for term in terms if term.policed and ORDER.index(term.lesson) > ORDER.index(lesson)]
    for cell in nb.cells:
        if cell.cell_type != "markdown":
            continue
        text = prose(cell.source)
        for term in later:
            matches = [match for spelling in term.spellings if (match := pattern(spelling).search(text))]
            if matches:
                where = "the refresher" if term.lesson == "refresher" else f"lesson {term.lesson}"
                found.append(f"cell {cell.id!r} uses {matches[0][0]!r}, which {where} introduces")
    return found


def notebooks() -> Iterator[tuple[str, Path]]:
    """The refresher, the lessons and their sheets, each with its place in the order."""
    for path in sorted((ROOT / "lessons").glob("*.ipynb")) + sorted((ROOT / "solutions").glob("[!.]*/*.ipynb")):
        if path != GLOSSARY:
            number = path.stem[:2]
            yield number if number in NUMBERS else path.stem, path


NOTEBOOKS = list(notebooks())
TERMS = parse_terms(table_of_terms())


@pytest.mark.parametrize(
    ("lesson", "path"), NOTEBOOKS, ids=[path.relative_to(ROOT).as_posix() for _, path in NOTEBOOKS]
)
def test_no_term_before_its_lesson(lesson: str, path: Path) -> None:
    found = too_early(read_notebook(path), lesson, TERMS)
    assert not found, "\n".join([f"{path.name} (lesson {lesson}):", *found])


@pytest.mark.parametrize("lesson", sorted({lesson for lesson, path in NOTEBOOKS}))
def test_a_term_occurs_in_the_lesson_that_introduces_it(lesson: str) -> None:
    cells = [cell for name, path in NOTEBOOKS if name == lesson for cell in read_notebook(path).cells]
    # Code counts, as its comments and alternative texts are read.
    text = "\n".join(cell.source for cell in cells).replace("’", "'")
    missing = [
        term.spellings[0]
        for term in TERMS
        if term.lesson == lesson and not any(pattern(spelling).search(text) for spelling in term.spellings)
    ]
    assert not missing, f"the glossary says that lesson {lesson} introduces: {', '.join(missing)}"


# ---- the table ------------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_is_read() -> None:
    rows = [line for line in table_of_terms().splitlines() if line.startswith("|")]
    assert len(TERMS) == len(rows) - 2  # less the two lines of the head
    assert len(TERMS) > 100


def test_terms_are_in_alphabetical_order() -> None:
    names = [term.spellings[0].casefold() for term in TERMS]
    assert names == sorted(names)


def test_each_term_stands_there_once() -> None:
    spellings = [spelling.casefold() for term in TERMS for spelling in term.spellings]
    assert len(set(spellings)) == len(spellings)


def test_each_lesson_exists() -> None:
    assert [term.spellings[0] for term in TERMS if term.lesson not in ORDER] == []


def test_lesson_00_introduces_no_term() -> None:
    assert [term.spellings[0] for term in TERMS if term.lesson == "00"] == []


def test_each_meaning_is_a_sentence() -> None:
    for term in TERMS:
        assert re.fullmatch(r"[A-Z0-9].*\.", term.meaning), term


# ---- the test itself ------------------------------------------------------------------------------------------------

MADE_UP = parse_terms(
    "| **equivariant / equivariance** | 02 | … |\n| **regular representation** | 11 | … |\n| order | 09 | … |\n"
    "| **Schur's lemma** | 15 | … |\n| **einsum** | refresher | … |"
)


def uses(text: str, lesson: str = "01") -> list[str]:
    nb = new_notebook(cells=[new_markdown_cell(text, id="here"), new_code_cell("equivariant = 1")])
    return too_early(nb, lesson, MADE_UP)


def test_a_made_up_notebook_is_caught() -> None:
    nb = new_notebook(
        cells=[
            new_markdown_cell("# 01 · Equivariance\n\nA header.", id="header"),
            new_markdown_cell("In any order.\n\nThis is the *regular\nrepresentation*.", id="early"),
        ]
    )
    assert too_early(nb, "01", MADE_UP) == ["cell 'early' uses 'regular\\nrepresentation', which lesson 11 introduces"]
    assert too_early(nb, "11", MADE_UP) == []


@pytest.mark.parametrize(
    "text",
    [
        "An Equivariant map",
        "**equivariance**",
        "reflection-equivariant",
        "two regular representations",
        "a regular-representation layer",
        "Schur’s lemma",
        "<details><summary>equivariant</summary>\n\nx\n\n</details>",
        "$f$ is equivariant and $g$ is not",
        "# Equivariance\n\nis equivariance",
        "*an equivariant map* (see below)",
        "**References.** A.\n\nThis is equivariant.",
    ],
)
def test_a_use_is_found(text: str) -> None:
    assert uses(text)


@pytest.mark.parametrize(
    "text",
    [
        "# 02 · Equivariant maps",
        "[02 · Invariant and equivariant maps](02.ipynb)",
        "[this](equivariant.ipynb)",
        "call `equivariance_error(f)`",
        "```python\nequivariant = 1\n```",
        "**References.** Weiler, *Equivariant and Coordinate Independent Convolutional Networks* (2023).\nEquivariant again.",
        "the course follows *Equivariant and Coordinate Independent Convolutional Networks* (2023).",
        "**Next:** 02 · Invariant and equivariant maps is not written yet.",
        "a course on equivariant neural networks",
        "nonequivariant",
        "representation",
        "in this order",
    ],
)
def test_what_is_not_a_use(text: str) -> None:
    assert not uses(text)


def test_the_refresher_comes_after_lesson_00() -> None:
    assert uses("use einsum", "00") == ["cell 'here' uses 'einsum', which the refresher introduces"]
    assert not uses("use einsum", "refresher")
    assert uses("equivariant", "refresher")
