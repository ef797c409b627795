"""How long the kernels of steerable convolutions take, beside escnn.

    python run.py bench steerable
    python run.py bench steerable --no-escnn     # without escnn, whose last figures stay

escnn (Weiler and Cesa 2019; Cesa, Lang and Weiler 2022) needs an older numpy, so it gets an environment of its own in
.venv-bench/escnn. Both build the layer for 5 × 5 kernels of C_8, regular → regular, in a fresh process: first call, imports excluded,
and further ones, which find stored solutions in both. The figures are stored in benchmarks/results/steerable.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from common import ROOT, load, milliseconds, store

from eqcourse.groups import SO, CyclicGroup, DihedralGroup
from eqcourse.nn import SteerableConv, harmonic, kernel_basis

N, SIZE, CALLS = 8, 5, 9
# escnn's declared dependencies ask for a package that has to be compiled, so that those it needs are named here.
PACKAGES = {
    "escnn": "1.0.11",
    "lie_learn": "0.0.2",
    "pymanopt": "2.2.1",
    "autograd": "1.9.1",
    "numpy": "1.26.4",
    "scipy": "1.17.1",
    "joblib": "1.6.0",
    "requests": "2.34.2",
}
HOME = ROOT / ".venv-bench" / "escnn"
OURS = f"""
import json, time, warnings
import torch, scipy.sparse.csgraph, scipy.linalg
from eqcourse.groups import CyclicGroup
from eqcourse.nn import SteerableConv
for _ in range({CALLS}):
    start = time.perf_counter()
    rho = CyclicGroup({N}).regular()
    layer = SteerableConv(rho, rho, 1, 1, {SIZE})
    print(json.dumps({{"seconds": time.perf_counter() - start, "kernels": layer.weight.shape[-1]}}))
"""


def escnn_python() -> Path | None:
    """The Python of escnn's environment, which is made if it is not there; None, with the reason printed, if it cannot be."""
    python = HOME / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp, pins = HOME / "pins.txt", [f"{name}=={version}" for name, version in PACKAGES.items()]
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() == pins:
        return python
    print("making escnn's environment in .venv-bench/escnn (once: some minutes, about 1 GB)", flush=True)
    install = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    plain = [pin for pin in pins if not pin.startswith(("escnn", "lie_learn", "pymanopt", "autograd"))]
    commands = [
        [sys.executable, "-m", "venv", "--clear", str(HOME)],
        [*install, f"torch=={torch.__version__.partition('+')[0]}", *plain],
        [*install, "--no-deps", *(pin for pin in pins if pin not in plain)],
    ]
    for command in commands:
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            said = [line for line in str(getattr(error, "stderr", "") or error).splitlines() if "ERROR" in line]
            print(f"escnn is left out: its environment could not be made. {said[-1] if said else error}")
            return None
    stamp.write_text("\n".join(pins), encoding="utf-8")
    return python


def ask(command: list[str]) -> dict[str, Any]:
    """Seconds of the first call and the median of the others, in a process of its own; how many kernels."""
    out = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    answers = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    first, *others = (answer["seconds"] for answer in answers)
    return {
        "cold_ms": round(1000 * first, 1),
        "warm_ms": round(1000 * statistics.median(others), 2),
        "kernels": answers[0]["kernels"],
    }


def rows_of(ours: dict[str, Any], theirs: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Ratios beside what they must reach, and the numbers of kernels."""
    rows: list[dict[str, Any]] = []
    for which in ("cold", "warm"):
        what = f"C_8, 5 × 5, regular → regular, {'first call' if which == 'cold' else 'further calls'}"
        rows.append(
            {"what": what, "value": ours[f"{which}_ms"], "unit": "ms", "runs": 1 if which == "cold" else CALLS - 1}
        )
        if theirs is not None:
            ratio = ours[f"{which}_ms"] / theirs[f"{which}_ms"]
            rows.append(
                {
                    "what": f"{what}: time over escnn's",
                    "value": round(ratio, 3),
                    "unit": "×",
                    "compare": "≤",
                    "target": 2,
                }
                | {"met": ratio <= 2, "runs": rows[-1]["runs"]}
            )
    return rows


def other_rows(runs: int) -> list[dict[str, Any]]:
    """Further fields, without a counterpart: building the basis with the solutions stored."""
    C4, D4, turns = CyclicGroup(4), DihedralGroup(4), SO(2)
    fields = [
        ("C_4, regular → regular, pixel by pixel", C4.regular(), C4.regular()),
        ("D_4, regular → regular, pixel by pixel", D4.regular(), D4.regular()),
        ("SO(2), frequency 1 → 3", harmonic(turns, 1), harmonic(turns, 3)),
    ]
    rows = []
    for name, rho_in, rho_out in fields:
        number = len(kernel_basis(rho_in, rho_out, SIZE))
        (median,) = milliseconds(lambda a=rho_in, b=rho_out: SteerableConv(a, b, 1, 1, SIZE), runs=runs)
        rows.append({"what": f"{name}: {number} kernels", "value": round(median, 3), "unit": "ms", "runs": runs})
    return rows


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time steerable kernels, beside escnn.", allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=9, help="how often ours are timed (default: 9); medians count")
    parser.add_argument("--no-escnn", action="store_true", help="leave escnn out; its last figures stay")
    options, _ = parser.parse_known_args()
    theirs: Any = load("steerable").get("escnn") if options.no_escnn else None
    python = None if options.no_escnn else escnn_python()
    start = time.perf_counter()
    ours = ask([sys.executable, "-c", OURS])
    if python is not None:
        theirs = ask(
            [str(python), str(ROOT / "benchmarks" / "escnn_worker.py"), str(N), str(SIZE), "--calls", str(CALLS)]
        )
    rows = rows_of(ours, theirs) + other_rows(options.runs)
    for row in rows:
        verdict = f"(at most {row['target']:g}: {'ok' if row['met'] else 'MISSED'})" if "met" in row else ""
        print(f"{row['what']:64} {row['value']:8.2f} {row['unit']:2} {verdict}")
    print(
        f"kernels: ours {ours['kernels']}, escnn's {theirs['kernels'] if theirs else 'not asked'}; {time.perf_counter() - start:.0f} s"
    )
    store(
        "steerable",
        {"threads": torch.get_num_threads(), "ours": ours, "escnn": theirs, "packages": PACKAGES, "rows": rows},
    )


if __name__ == "__main__":
    main()
