"""Measure time and memory of lesson 13's layers both ways and write expand_study.json: about a minute.

    python eqcourse/data/make_expand_study.py

Each layer is computed in several forms: *expanded* (its matrix is built anew in each call, then multiplied), *prebuilt* (the matrix is
there already), and without a matrix: *efficient*, for circulants *direct* (slide the kernel) and *fft*. The forms take turns
in one process, on one thread; medians count. Memory is the most that
torch has allocated at one time during a call, counted exactly by its profiler.
Where there is a GPU, all is measured there too. Another machine gives other numbers: only ratios within a run mean something.
"""

import itertools
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear
from torch.profiler import ProfilerActivity, profile

from eqcourse.nn import ArrayLinear, CircularConv, SetLinear, TensorLinear

BATCH = 16
RUNS, TURN = 5, 0.008  # turns of each form, seconds of a turn
MOST_ENTRIES = 2**24
Call = Callable[[Tensor], Tensor]


def set_forms(n: int, c: int, device: str) -> tuple[tuple[int, ...], dict[str, torch.nn.Module]]:
    """Sets of n numbers: W = w_id I + w_sum 11ᵀ."""
    dense = TensorLinear(1, 1, c, c, method="dense", generator=0, device=device)
    return (n,), {"expanded": dense, "efficient": SetLinear(c, c, generator=0, device=device)}


def pair_forms(n: int, c: int, device: str) -> tuple[tuple[int, ...], dict[str, torch.nn.Module]]:
    """Order 2 to order 2: 15 weights."""
    forms = {"expanded": "dense", "efficient": "efficient"}
    layers = {f: TensorLinear(2, 2, c, c, method=method, generator=0, device=device) for f, method in forms.items()}
    return (n, n), dict(layers)


def table_forms(n: int, c: int, device: str) -> tuple[tuple[int, ...], dict[str, torch.nn.Module]]:
    """Tables n × n whose axes are permuted independently: 4 weights."""
    forms = {"expanded": "dense", "efficient": "efficient"}
    layers = {f: ArrayLinear(2, c, c, method=method, generator=0, device=device) for f, method in forms.items()}
    return (n, n), dict(layers)


def ring_forms(n: int, c: int, device: str) -> tuple[tuple[int, ...], dict[str, torch.nn.Module]]:
    """Signals on a ring with a kernel as long as the signal: a circulant matrix."""
    forms = {"expanded": "dense", "direct": "direct", "fft": "fft"}
    layers = {f: CircularConv(c, c, n, method=method, generator=0, device=device) for f, method in forms.items()}
    return (n,), dict(layers)


POWERS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SQUARES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
CASES: list[tuple[str, Callable[..., Any], int, Sequence[int]]] = [
    ("sets", set_forms, 1, POWERS),
    ("order 2 to 2", pair_forms, 1, SQUARES),
    ("order 2 to 2", pair_forms, 8, SQUARES),
    ("tables", table_forms, 1, SQUARES),
    ("circulant", ring_forms, 1, POWERS[2:]),
]


def milliseconds(calls: dict[str, Callable[[], object]], device: str) -> dict[str, float]:
    """The median time of each call; they take turns, and each is called again and again for TURN seconds in its turn."""

    def timed(call: Callable[[], object], repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) / repeats

    for call in calls.values():
        call()
    repeats = {form: max(1, min(500, round(TURN / max(timed(call, 1), 1e-7)))) for form, call in calls.items()}
    taken: dict[str, list[float]] = {form: [] for form in calls}
    for _ in range(RUNS):
        for form, call in calls.items():
            taken[form].append(timed(call, repeats[form]))
    return {form: float(f"{1000 * statistics.median(times):.3g}") for form, times in taken.items()}


def forward(layer: Call, x: Tensor) -> Callable[[], object]:
    """One call without gradients."""

    def run() -> None:
        with torch.no_grad():
            layer(x)

    return run


def training(layer: Call, x: Tensor) -> Callable[[], object]:
    """One call with the gradients of its weights and of its input."""
    x = x.clone().requires_grad_()
    return lambda: layer(x).square().sum().backward()


def peak_bytes(run: Callable[[], object], device: str) -> int:
    """The most bytes that torch has allocated at one time during a call, beyond what was there before."""
    if device == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated() - before)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        run()
    events = [event for event in recorded.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    return max(itertools.accumulate(changes), default=0)


def measure(case: tuple[str, Callable[..., Any], int, Sequence[int]], device: str, what: str) -> list[dict[str, Any]]:
    """A record for each N: milliseconds or peak bytes of each form."""
    name, make, channels, sizes = case
    records = []
    for n in sizes:
        axes, layers = make(n, channels, device)
        points = int(torch.tensor(axes).prod())
        if channels**2 * points**2 > MOST_ENTRIES:
            break
        x = torch.randn(BATCH, channels, *axes, generator=torch.Generator().manual_seed(1)).to(device)
        sizes_of_type = axes if name == "tables" else axes[:1]
        matrix = layers["expanded"].expanded(*sizes_of_type).matrix().detach()
        calls = {**layers, "prebuilt": lambda x, matrix=matrix: linear(x.flatten(1), matrix)}
        record: dict[str, Any] = {"layer": name, "channels": channels, "N": n}
        for mode, make_run in (("forward", forward), ("training", training)):
            # A prebuilt matrix does not follow its weights, so it is for use and not for training.
            chosen = {
                form: make_run(call, x) for form, call in calls.items() if mode == "forward" or form != "prebuilt"
            }
            if what == "time":
                record[f"{mode}, ms"] = milliseconds(chosen, device)
            else:
                for run in chosen.values():
                    run()  # patterns are solved once and kept; gradients are there before
                record[f"{mode}, bytes"] = {form: peak_bytes(run, device) for form, run in chosen.items()}
        records.append(record)
        print(record, flush=True)
    return records


def processor() -> str:
    """The name of the processor."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Measure times first, then memory; store both."""
    torch.set_num_threads(1)
    devices = {"cpu": processor()} | ({"cuda": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})
    results: dict[str, list[dict[str, Any]]] = {}
    for device in devices:
        times = [record for case in CASES for record in measure(case, device, "time")]
        print("times done", flush=True)
        memory = [record for case in CASES for record in measure(case, device, "memory")]
        results[device] = [{**one, **other} for one, other in zip(times, memory, strict=True)]
    content = {
        "provenance": {
            "made by": "eqcourse/data/make_expand_study.py",
            "torch": torch.__version__.split("+")[0],
            "devices": devices,
            "threads": 1,
            "batch": BATCH,
            "dtype": "float32",
        },
        "results": results,
    }
    text = json.dumps(content, separators=(",", ":")).replace('{"layer"', '\n{"layer"') + "\n"
    Path(__file__).with_name("expand_study.json").write_bytes(text.encode())


if __name__ == "__main__":
    main()
