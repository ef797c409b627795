"""How fast equivariant maps of continuous groups are found, beside EMLP and one large singular value decomposition.

    python run.py bench nullspace
    python run.py bench nullspace --no-emlp    # without EMLP, whose last figures stay

*First call* is the first solution in a process of its own, after imports and one product of matrices. EMLP runs in the environment that
``bench solver`` makes. The figures are printed beside what they must reach and stored in benchmarks/results/nullspace.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
from bench_solver import Rows, ask_emlp, dash, emlp_python
from common import ROOT, load, milliseconds, store
from table import number

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.groups import SO, Lorentz, O
from eqcourse.solvers import constraint_matrix

# Order of the input and the output, dimension, milliseconds that the first call may take.
FIRST = [(4, 4, 91, 300), (4, 5, 232, 700)]
# The same for EMLP: how often it solves, and seconds it gets.
BESIDE = [(1, 2, 1, 2, 60), (2, 2, 3, 2, 90), (2, 3, 6, 1, 120)]

FIRST_CALL = """
import sys, time, torch
from eqcourse import intertwiners
from eqcourse.groups import SO
torch.ones(500, 500) @ torch.ones(500, 500)
k, l = map(int, sys.argv[1:])
V = SO(3).defining()
start = time.perf_counter()
print(intertwiners(V**k, V**l).dim, time.perf_counter() - start)
"""


def first_call(order_in: int, order_out: int, runs: int) -> tuple[int, float]:
    """The dimension, and the median time of the first call in milliseconds, over some processes."""
    times = []
    for _ in range(runs):
        command = [sys.executable, "-c", FIRST_CALL, str(order_in), str(order_out)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        dimension, seconds = done.stdout.split()
        times.append(1000 * float(seconds))
    return int(dimension), statistics.median(times)


def by_one_svd(order_in: int, order_out: int) -> int:
    """The dimension from the singular values and vectors of all equations at once."""
    V = SO(3).defining()
    _, values, _ = torch.linalg.svd(constraint_matrix(V**order_in, V**order_out), full_matrices=False)
    return int((values < 1e-9).sum())


def ours(order_in: int, order_out: int) -> int:
    """The dimension from the basis of the null space."""
    V = SO(3).defining()
    return intertwiners(V**order_in, V**order_out).dim


def bench_beside(python: Any) -> list[dict[str, Any]]:
    """Small tensors of SO(3): EMLP, one singular value decomposition, and highest weights, one after the other."""
    print(f"{'beside EMLP':16} {'cold/s':>8} {'warm/s':>8} {'one SVD/ms':>11} {'ours/ms':>8} {'ratio':>8}", flush=True)
    cases = []
    for order_in, order_out, dimension, calls, limit in BESIDE:
        answer = ask_emlp(python, ["SO", "3", str(order_in), str(order_out)], calls, limit) if python else {}
        svd, median = milliseconds(
            lambda k=order_in, l=order_out: by_one_svd(k, l), lambda k=order_in, l=order_out: ours(k, l), runs=5
        )
        for found in (
            ours(order_in, order_out),
            by_one_svd(order_in, order_out),
            answer.get("emlp_dimension", dimension),
        ):
            if found != dimension:
                raise AssertionError(f"SO(3), {order_in} → {order_out}: {found} maps instead of {dimension}")
        case = {
            "problem": f"SO(3), {order_in} → {order_out}",
            **answer,
            "svd_ms": round(svd, 3),
            "ours_ms": round(median, 3),
        }
        case["dimension"] = dimension
        if "cold_s" in answer:
            case["ratio"] = round(1000 * answer["cold_s"] / median)
        cases.append(case)
        print(
            f"{case['problem']:16} {answer.get('emlp', dash(case, 'cold_s')):>8} {dash(case, 'warm_s'):>8} {number(svd):>11} "
            f"{number(median):>8} {dash(case, 'ratio'):>8}",
            flush=True,
        )
    return cases


def others() -> list[tuple[str, Callable[[], int], int]]:
    """(what, a function that returns a dimension, the right one)."""
    R, V, X, F = SO(3).defining(), O(3).defining(), Lorentz().defining(), SO(4).defining()
    one = R.group.trivial()
    return [
        ("SO(3), 3 → 3", lambda: intertwiners(R**3, R**3).dim, 15),
        ("SO(3), invariants of rank 8", lambda: intertwiners(one, R**8).dim, 91),
        ("O(3), 4 → 4", lambda: intertwiners(V**4, V**4).dim, 91),
        ("SO(4), 3 → 3", lambda: intertwiners(F**3, F**3).dim, 25),
        ("Lorentz (full), 3 → 3", lambda: intertwiners(X**3, X**3).dim, 15),
        ("intertwiner_dimension, SO(3), 4 → 5", lambda: intertwiner_dimension(R**4, R**5), 232),
        (
            "intertwiner_dimension, O(4), 3 → 3",
            lambda: intertwiner_dimension(O(4).defining() ** 3, O(4).defining() ** 3),
            15,
        ),
    ]


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time the null space of continuous groups.", allow_abbrev=False)
    parser.add_argument("--no-emlp", action="store_true", help="leave EMLP out; its last figures stay")
    parser.add_argument("--runs", type=int, default=5, help="how often each is timed (default: 5); medians count")
    options, _ = parser.parse_known_args()
    figures = load("nullspace")
    figures["load_before"] = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    rows = Rows()
    for order_in, order_out, dimension, limit in FIRST:
        found, median = first_call(order_in, order_out, options.runs)
        if found != dimension:
            raise AssertionError(f"SO(3), {order_in} → {order_out}: {found} maps instead of {dimension}")
        rows.add(f"SO(3), {order_in} → {order_out} ({dimension} maps): first call", median, "ms", limit, options.runs)
    for what, function, dimension in others():
        if function() != dimension:
            raise AssertionError(f"{what}: {function()} instead of {dimension}")
        (median,) = milliseconds(function, runs=options.runs)
        rows.append({"what": what, "value": round(median, 3), "unit": "ms", "compare": "≤", "runs": options.runs})
        print(f"{what:52} {number(median):>8} ms", flush=True)
    if not options.no_emlp:
        python = emlp_python()
        figures["beside_emlp"] = bench_beside(python)
    figures["threads"], figures["rows"] = torch.get_num_threads(), rows
    store("nullspace", json.loads(json.dumps(figures)))


if __name__ == "__main__":
    main()
