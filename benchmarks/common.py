"""What the benchmarks share: a description of the machine, timing side by side, one line for each figure, their storage."""

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def machine() -> dict[str, str | int | None]:
    """The processor, its cores and the versions that the figures belong to."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
    }


def report(what: str, value: float, limit: float, unit: str) -> None:
    """Print one figure beside what it must reach."""
    print(f"{what:42} {value:8.1f} {unit:2}  (at most {limit:g}: {'ok' if value <= limit else 'MISSED'})", flush=True)


def milliseconds(*functions: Callable[[], object], runs: int) -> list[float]:
    """The median time of each function; they take turns, so that a busy moment of the machine meets all of them."""
    times: list[list[float]] = [[] for _ in functions]
    for run in range(runs + 1):
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            if run:  # the first round warms up
                taken.append(1000 * (time.perf_counter() - start))
    return [statistics.median(taken) for taken in times]


def steady_milliseconds(*functions: Callable[[], object], runs: int, turn_ms: float = 20.0) -> list[float]:
    """As ``milliseconds``, for short calls: in its turn each function is called again and again for about ``turn_ms``, and the mean counts.

    So one function does not pay for the caches that another one emptied, as it would not in a loop of its own.
    """
    repeats = [calls_within(function, turn_ms) for function in functions]

    def turn(function: Callable[[], object], count: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                function()

        return run

    turns = [turn(function, count) for function, count in zip(functions, repeats, strict=True)]
    return [total / count for total, count in zip(milliseconds(*turns, runs=runs), repeats, strict=True)]


def calls_within(function: Callable[[], object], turn_ms: float) -> int:
    """How many calls take about ``turn_ms``. The first calls are slower than all others, so that one alone does not tell."""
    calls, taken = 1, 0.0
    while taken < turn_ms / 4 and calls < 1000:
        calls = min(1000, 4 * calls)
        start = time.perf_counter()
        for _ in range(calls):
            function()
        taken = 1000 * (time.perf_counter() - start)
    return max(1, min(1000, round(calls * turn_ms / taken)))


def load(name: str) -> dict[str, object]:
    """The figures that ``store`` wrote, if they were measured on this machine; otherwise none."""
    path = RESULTS / f"{name}.json"
    figures: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return figures if figures.pop("machine", None) == machine() else {}


def store(name: str, figures: dict[str, object]) -> None:
    """Write figures, with the machine they belong to, into benchmarks/results/NAME.json and the table in benchmarks/README.md."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **figures}, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    table.write()
    print(f"stored in {path.relative_to(ROOT).as_posix()}")
