"""`import eqcourse` is light, and each floor of the library stands on the floors below."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import eqcourse

PACKAGE = Path(__file__).resolve().parents[2] / "eqcourse"
HEAVY = {"IPython", "ipywidgets", "matplotlib", "nbformat", "scipy", "skimage", "sklearn", "sympy"}
# Floors as in CONTRIBUTING.md; `tools` serves run.py and may use them all.
FLOORS = {
    "groups": 1,
    "representations": 2,
    "equivariance": 3,
    "solvers": 3,
    "polynomials": 3,
    "nn": 4,
    "datasets": 5,
    "training": 5,
    "plots": 6,
    "widgets": 6,
    "checks": 6,
    "tasks": 6,
}


def test_import_loads_nothing_heavy_beyond_torch() -> None:
    # What torch itself loads is torch's affair, and changes with its version.
    code = (
        "import sys, torch\nbefore = set(sys.modules)\nimport eqcourse\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "eqcourse" in loaded
    assert not loaded & HEAVY


def test_layers_are_loaded_when_asked_for() -> None:
    code = (
        "import sys, eqcourse\nassert 'eqcourse.nn' not in sys.modules\n"
        "print(eqcourse.nn.SetLinear.__name__, 'nn' in dir(eqcourse))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["SetLinear", "True"]


def test_what_the_package_promises_is_there() -> None:
    assert {"decompose", "intertwiner_dimension", "intertwiners"} <= set(eqcourse.__all__)
    for name in eqcourse.__all__:
        assert getattr(eqcourse, name) is not None


def modules() -> list[Path]:
    return [
        path
        for name in FLOORS
        for path in (PACKAGE / f"{name}.py", *sorted((PACKAGE / name).glob("*.py")))
        if path.exists()
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_floor_imports_only_floors_below(path: Path) -> None:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    # Only what runs when the module is imported: not the bodies of functions, not `if TYPE_CHECKING:`.
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            package = parts[: len(parts) - node.level]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            imported = [(*package, *name.split("."))[0] for name in names]
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            imported = [name.split(".")[1] for name in names if name.startswith("eqcourse.")]
        else:
            continue
        for name in imported:
            assert FLOORS[name] <= FLOORS[parts[0]], f"{path.name} imports {name} from a floor above"
