"""How fast the spaces of equivariant maps are found, beside EMLP and alone.

    python run.py bench solver
    python run.py bench solver --no-emlp     # without EMLP, whose last figures stay
    python run.py bench solver --seconds 600 # more time for EMLP

EMLP (Finzi, Welling and Wilson 2021) needs old versions of jax and numpy, so it runs in an environment of its own, which is made once in
.venv-bench/. The figures are printed beside what they must reach and stored in benchmarks/results/solver.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import ROOT, load, milliseconds, store
from table import number

from eqcourse.groups import CyclicGroup, SymmetricGroup
from eqcourse.representations import Representation, outer
from eqcourse.solvers import IntertwinerSpace, intertwiner_dimension, intertwiners
from eqcourse.solvers.orbits import closed_form, generic_labels

# Versions that EMLP was seen to work with. There are wheels of them for Python 3.11 and 3.12.
PACKAGES = {"emlp": "1.0.3", "jax": "0.4.30", "jaxlib": "0.4.30", "numpy": "1.26.4", "scipy": "1.17.1"}
PACKAGES |= {"objax": "1.8.0", "optax": "0.2.3", "chex": "0.1.87", "plum-dispatch": "2.10.1", "six": "1.17.0"}
SHOWN = ("emlp", "jax", "numpy")
HOME = ROOT / ".venv-bench" / "emlp"

# Group, points, order of the input and of the output; how often EMLP solves (the first time is cold); seconds it gets.
CASES = [
    ("S", 10, 2, 2, 4, 150),
    ("S", 5, 2, 2, 4, 30),
    ("S", 8, 1, 1, 6, 20),
    ("C", 8, 1, 1, 6, 20),
    ("S", 64, 1, 1, 1, 90),
    ("C", 64, 1, 1, 1, 60),
    ("S", 64, 2, 2, 1, 30),
    ("S", 16, 2, 2, 1, 20),
]

# Run in a process of its own: peak memory (VmHWM, kB) before and after.
MEMORY_PROBE = """
import scipy.sparse.csgraph
from eqcourse.groups import SymmetricGroup
from eqcourse.solvers.orbits import generic_labels

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

V = SymmetricGroup(3).defining()
generic_labels(V, V)
before = peak()
V = SymmetricGroup(64).defining()
generic_labels(V**2, V**2)
print(before, peak())
"""


# ---- EMLP --------------------------------------------------------------------------------------------------------------


def emlp_python() -> Path | None:
    """The Python of EMLP's environment, which is made if it is not there; None, with the reason printed, if it cannot be."""
    python = HOME / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp, pins = HOME / "pins.txt", [f"{name}=={version}" for name, version in PACKAGES.items()]
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() == pins:
        return python
    print("making EMLP's environment in .venv-bench/emlp (once: a minute, about 1 GB)", flush=True)
    install = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", *pins]
    for command in [sys.executable, "-m", "venv", "--clear", str(HOME)], install:
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            said = [line for line in str(getattr(error, "stderr", "") or error).splitlines() if "ERROR" in line]
            print(f"EMLP is left out: its environment could not be made. {said[-1] if said else error}")
            return None
    stamp.write_text("\n".join(pins), encoding="utf-8")
    return python


def ask_emlp(python: Path, problem: list[str], calls: int, limit: float) -> dict[str, Any]:
    """What EMLP answers on one problem within a number of seconds, in a process of its own."""
    command = [str(python), str(ROOT / "benchmarks" / "emlp_worker.py"), *problem, "--calls", str(calls)]
    start, late = time.perf_counter(), False
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            subprocess.run(command, stdout=out, stderr=err, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            late = True
        out.seek(0)
        err.seek(0)
        answers = [json.loads(line) for line in out if line.endswith("}\n")]
        complaints = [line for line in err.read().splitlines() if "Error: " in line or "Exception: " in line]
    seconds = [answer["seconds"] for answer in answers]
    if not seconds:
        if late:
            return {"emlp": f"no answer in {limit:.0f} s"}
        reason = complaints[-1].partition(": ")[2] if complaints else "it stops without a reason"
        return {"emlp": f"no answer: after {time.perf_counter() - start:.0f} s “{reason}”"}
    found = {"cold_s": round(seconds[0], 3), "emlp_dimension": answers[0]["dimension"]}
    if len(seconds) > 1:
        found |= {"warm_s": round(statistics.median(seconds[1:]), 4), "warm_runs": len(seconds) - 1}
    return found


def bench_beside_emlp(python: Path, seconds: float) -> dict[str, Any]:
    """Each problem by EMLP and, right after it, by the generic route from generators."""
    head = (
        f"{'beside EMLP':16} {'cold/s':>8} {'warm/s':>8} {'orbits/ms':>10} {'with basis':>11} {'ratio':>9}  dimension"
    )
    print(head, flush=True)
    cases = []
    deadline = time.perf_counter() + seconds
    for kind, n, order_in, order_out, calls, limit in CASES:
        name = f"{kind}_{n}, {order_in} → {order_out}" if kind == "S" else f"C_{n}, regular"
        left = deadline - time.perf_counter()
        if left < 5:
            print(f"{name:16} is left out: the time for EMLP is over")
            continue
        base = SymmetricGroup(n).defining() if kind == "S" else CyclicGroup(n).regular()
        rho_in, rho_out = base**order_in, base**order_out
        answer = ask_emlp(python, [kind, str(n), str(order_in), str(order_out)], calls, min(limit, left))

        entries = rho_in.dim * rho_out.dim
        runs = 300 if entries < 10**5 else 3
        (ours,) = milliseconds(lambda a=rho_in, b=rho_out: generic_labels(a, b), runs=runs)
        found = generic_labels(rho_in, rho_out)
        case = {"problem": name, "entries": entries, **answer, "eqcourse_ms": round(ours, 4), "eqcourse_runs": runs}
        case["dimension"] = found.count
        if found.count != answer.get("emlp_dimension", found.count):
            raise AssertionError(f"{name}: {found.count} maps, and EMLP finds {answer['emlp_dimension']}")
        if entries * found.count < 10**7:  # EMLP returns a dense basis, so that is timed as well
            (dense,) = milliseconds(lambda a=rho_in, b=rho_out: basis(a, b), runs=runs)
            case["with_basis_ms"] = round(dense, 4)
        if "warm_s" in answer:
            case["ratio"] = round(1000 * answer["warm_s"] / ours)
        cases.append(case)
        emlp = answer.get("emlp") or f"{number(answer['cold_s']):>8} {dash(answer, 'warm_s'):>8}"
        print(
            f"{name:16} {emlp:17} {number(ours):>10} {dash(case, 'with_basis_ms'):>11} {dash(case, 'ratio'):>9}  {found.count}",
            flush=True,
        )
    return {"packages": {name: PACKAGES[name] for name in SHOWN}, "cases": cases}


def dash(figures: dict[str, Any], name: str) -> str:
    """A figure, or a dash where it was not measured."""
    return number(figures[name]) if name in figures else "–"


def basis(rho_in: Representation, rho_out: Representation) -> torch.Tensor:
    """A dense basis by the generic route, (dim, d_out, d_in)."""
    found = generic_labels(rho_in, rho_out)
    signs = None if found.signs is None else torch.from_numpy(found.signs)
    labels = torch.from_numpy(found.labels)
    return IntertwinerSpace(rho_in, rho_out, labels, signs, found.count, "generic").basis


# ---- eqcourse alone ------------------------------------------------------------------------------------------------------


class Rows(list[dict[str, Any]]):
    """The figures, each with what it must reach; adding one prints it."""

    def add(self, what: str, value: float, unit: str, target: float, runs: int, at_least: bool = False) -> None:
        """Note and print one figure."""
        met = bool(value >= target if at_least else value <= target)
        compare = "≥" if at_least else "≤"
        row = {"what": what, "value": round(value, 5), "unit": unit, "compare": compare, "target": target}
        self.append({**row, "met": met, "runs": runs})
        print(
            f"{what:52} {number(value):>8} {unit:2}  ({compare} {target:,g}: {'ok' if met else 'MISSED'})", flush=True
        )

    def time(self, what: str, function: Callable[[], int], dimension: int, target_ms: float, runs: int) -> None:
        """Time a function that returns a dimension, which has to be right."""
        if function() != dimension:
            raise AssertionError(f"{what}: {function()} instead of {dimension}")
        (value,) = milliseconds(function, runs=runs)
        self.add(what, value, "ms", target_ms, runs)


def bench_memory(rows: Rows) -> None:
    """Peak memory of the generic route at S_64, order 2 → 2, in a process of its own; only Linux tells it."""
    if not Path("/proc/self/status").exists():
        print("peak memory is not measured: it is read from /proc, which this system does not have")
        return
    done = subprocess.run([sys.executable, "-c", MEMORY_PROBE], capture_output=True, text=True, check=True, cwd=ROOT)
    before, after = (int(kilobytes) * 1024 / 1e9 for kilobytes in done.stdout.split())
    what = "generic route, S_64, 2 → 2: peak memory"
    rows.add(f"{what} of the process", after, "GB", 1.2, 1)
    rows.add(f"{what} beyond imports ({before:.2f} GB)", after - before, "GB", 1.2, 1)


def bench_ours(rows: Rows) -> None:
    """The generic route, closed forms, and dimensions alone."""
    bench_memory(rows)
    for n, target, runs in (32, 150, 9), (64, 4000, 5):
        pairs = SymmetricGroup(n).defining() ** 2
        rows.time(f"generic route, S_{n}, 2 → 2", lambda rho=pairs: generic_labels(rho, rho).count, 15, target, runs)

    table = outer(SymmetricGroup(64).defining(), SymmetricGroup(64).defining())
    shift = CyclicGroup(4096).regular()
    for what, rho, dimension, target in [
        ("S_64, 2 → 2", pairs, 15, 150),
        ("S_64 × S_64 on a 64 × 64 array", table, 4, 30),
        ("C_4096, regular", shift, 4096, 200),
    ]:
        rows.time(
            f"closed form, {what}", lambda rho=rho: intertwiners(rho, rho, method="orbits").dim, dimension, target, 9
        )

    points = SymmetricGroup(1000).defining()
    many = SymmetricGroup(1_000_000).defining()
    for what, rho, dimension in [
        ("S_1000, 2 → 2", points**2, 15),
        ("S_1000000, 2 → 2", many**2, 15),
        ("C_4096, regular", shift, 4096),
        ("three S_1000 on an array", outer(points, points, points), 8),
    ]:
        rows.time(f"intertwiner_dimension, {what}", lambda rho=rho: intertwiner_dimension(rho, rho), dimension, 1, 99)

    small = SymmetricGroup(10).defining() ** 2
    closed = closed_form(small, small)
    if closed is None or not np.array_equal(closed.labels, generic_labels(small, small).labels):
        raise AssertionError("the closed form and the generic route differ at S_10, 2 → 2")


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description="Time the solver of eqcourse, beside EMLP and alone.", allow_abbrev=False
    )
    parser.add_argument("--no-emlp", action="store_true", help="leave EMLP out; its last figures stay")
    parser.add_argument("--seconds", type=float, default=300, help="how long EMLP may take in all (default: 300)")
    options, _ = parser.parse_known_args()
    figures = load("solver")  # what is not measured now stays
    load_before = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    rows = Rows()
    python = None if options.no_emlp else emlp_python()
    if python is not None:
        figures["beside_emlp"] = {**bench_beside_emlp(python, options.seconds), "load_before": load_before}
    beside: Any = figures.get("beside_emlp", {"cases": []})
    for case in beside["cases"]:
        if case["problem"] == "S_10, 2 → 2" and "ratio" in case:
            what = "generic route, S_10, 2 → 2: EMLP (warm) takes" + (" (earlier run)" if python is None else "")
            rows.add(what, case["ratio"], "×", 10_000, case["warm_runs"], at_least=True)
    bench_ours(rows)
    figures["threads"], figures["load_before"] = torch.get_num_threads(), load_before
    figures["eqcourse"] = rows
    store("solver", figures)


if __name__ == "__main__":
    main()
