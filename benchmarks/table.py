"""Writes the figures of benchmarks/results/*.json into benchmarks/README.md, between its two markers.

    python benchmarks/table.py

Each benchmark does so itself when it stores its figures.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
FORMS = ("dense", "efficient", "auto", "prebuilt")
BEGIN, END = "<!-- figures: written by table.py -->", "<!-- end of figures -->"


def number(value: float) -> str:
    """Three significant digits, no exponents: 12,345 or 12.3 or 0.00123."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    head = list(head)
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def solver(figures: dict[str, Any]) -> str:
    """The solver beside EMLP, and alone."""
    parts = []
    if beside := figures.get("beside_emlp"):

        def emlp(case: dict[str, Any], which: str) -> str:
            if "cold_s" not in case:
                return case["emlp"] if which == "cold_s" else "–"
            return number(case[which]) + " s" if which in case else "not timed"

        rows = [
            [
                case["problem"],
                f"{case['entries']:,}",
                emlp(case, "cold_s"),
                emlp(case, "warm_s"),
                number(case["eqcourse_ms"]) + " ms",
                number(case["with_basis_ms"]) + " ms" if "with_basis_ms" in case else "–",
                "{:,.0f}".format(case["ratio"]) if "ratio" in case else "–",
                str(case["dimension"]),
            ]
            for case in beside["cases"]
        ]
        head = [
            "maps",
            "entries",
            "EMLP, cold",
            "EMLP, warm",
            "orbits",
            "orbits and basis",
            "ratio to warm",
            "dimension",
        ]
        packages = ", ".join(f"{name} {version}" for name, version in beside["packages"].items())
        busy = f" Load of the machine before it began: {beside['load_before']}." if beside["load_before"] else ""
        about = f"EMLP ({packages}) beside the generic route, both from generators alone.{busy}"
        parts.append(f"{about}\n\n{table(head, rows)}")
    parts.append(targets(figures["eqcourse"]))
    return "\n\n".join(parts)


def targets(rows: list[dict[str, Any]]) -> str:
    """Figures beside what they must reach."""
    lines = [
        [
            row["what"],
            f"{number(row['value'])} {row['unit']}".strip(),
            f"{row['compare']} {row['target']:,g} {row['unit']}".strip() if "target" in row else "–",
            ("yes" if row["met"] else "no") if "met" in row else "–",
            str(row["runs"]),
        ]
        for row in rows
    ]
    return table(["eqcourse", "median", "must reach", "reached", "runs"], lines)


def layers(figures: dict[str, Any]) -> str:
    """The layers beside the dense matrix and the unavoidable work, and the automatic choice; for each device."""
    parts = []
    for device, measured in figures["devices"].items():
        choice = [
            [case["layer"], str(case["n"]), *(number(case[form + "_ms"]) for form in FORMS), number(case["ratio"])]
            for case in measured["choice"]
        ]
        head = ["milliseconds", "N", *FORMS, "auto over the better of dense and efficient"]
        parts.append(f"On {device}:\n\n{targets(measured['rows'])}")
        if choice:
            parts.append(table(head, choice))
    return "\n\n".join(parts)


def act(figures: dict[str, Any]) -> str:
    """Acting beside the bare lookup."""
    rows = [
        [what, number(times["act_ms"]), number(times["bare_ms"]), number(times["ratio"])]
        for what, times in figures.items()
        if isinstance(times, dict) and "ratio" in times
    ]
    return table(["float32", "`rho.act`, ms", "bare lookup, ms", "ratio"], rows)


def circular(figures: dict[str, Any]) -> str:
    """CircularConv beside torch's circular convolution, and the automatic choice beside the forms."""
    forms = ("torch", "direct", "fft", "dense", "auto")
    rows = [
        [
            case["channels"],
            case["n"],
            case["kernel"],
            *(number(case[form + "_ms"]) if form + "_ms" in case else "–" for form in forms),
            number(case["over_best"]),
            number(case["over_torch"]) if case["over_torch"] else "–",
        ]
        for case in figures["cases"]
    ]
    head = ["channels", "N", "K", *(f"{form}, ms" for form in forms), "auto over the best form", "auto over torch"]
    return f"{targets(figures['rows'])}\n\nLeast times:\n\n{table(head, rows)}"


def irreps(figures: dict[str, Any]) -> str:
    """Irreps, decompositions and Schur's lemma."""
    return targets(figures["rows"])


def nullspace(figures: dict[str, Any]) -> str:
    """Continuous groups: what must be reached, and EMLP and one singular value decomposition beside it."""
    parts = [targets(figures["rows"])]
    if cases := figures.get("beside_emlp"):
        rows = [
            [
                case["problem"],
                str(case["dimension"]),
                case.get("emlp") or (number(case["cold_s"]) + " s" if "cold_s" in case else "–"),
                number(case["warm_s"]) + " s" if "warm_s" in case else "–",
                number(case["svd_ms"]) + " ms",
                number(case["ours_ms"]) + " ms",
                "{:,.0f}".format(case["ratio"]) if "ratio" in case else "–",
            ]
            for case in cases
        ]
        head = ["maps", "dimension", "EMLP, cold", "EMLP, warm", "one SVD", "eqcourse", "ratio to cold"]
        parts.append(table(head, rows))
    return "\n\n".join(parts)


def steerable(figures: dict[str, Any]) -> str:
    """Steerable kernels, and how many there are."""
    theirs = figures.get("escnn")
    counts = f"Kernels: ours {figures['ours']['kernels']}" + (f", escnn's {theirs['kernels']}" if theirs else "")
    why = "The two differ in rings and band limits, not in the constraint."
    return f"{counts}. {why}\n\n{targets(figures['rows'])}"


def start(figures: dict[str, Any]) -> str:
    """Imports, lessons, set-up, tests."""
    names = {
        "import_ms": "`import eqcourse` beyond `import torch`, ms",
        "setup_s": "clean clone to JupyterLab answering, s",
        "second_start_s": "second start, s",
        "test_s": "`python run.py test`, s",
    }
    rows = [[what, number(figures[name])] for name, what in names.items() if name in figures]
    rows += [[f"lesson {lesson}, s", number(seconds)] for lesson, seconds in figures.get("lessons_s", {}).items()]
    return table(["to begin", "time"], rows)


SECTIONS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "solver": ("The solver", solver),
    "irreps": ("Irreps", irreps),
    "nullspace": ("The null space", nullspace),
    "act": ("Acting", act),
    "layers": ("Layers", layers),
    "circular": ("Circular convolution", circular),
    "steerable": ("Steerable kernels", steerable),
    "start": ("To begin", start),
}


def write() -> None:
    """Replace what stands between the markers of README.md by the figures that are stored."""
    parts = []
    for name, (title, section) in SECTIONS.items():
        path = FOLDER / "results" / f"{name}.json"
        if path.exists():
            figures = json.loads(path.read_text(encoding="utf-8"))
            of = figures["machine"]
            machine = f"{of['cpu']}, {of['cores']} cores, Python {of['python']}, torch {of['torch']}"
            parts.append(f"### {title}: `python run.py bench {name}`\n\n{machine}\n\n{section(figures)}")
    readme = FOLDER / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = before + "\n\n".join([BEGIN, *parts, END]) + after
    readme.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
