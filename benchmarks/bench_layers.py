"""The efficient layers beside the dense matrix, beside the memory they have to touch, and beside what published code does.

    python run.py bench layers
    python run.py bench layers --runs 5      # quicker, less certain

Batch 16, float32, no gradients. Each comparison is timed in turns in one process; ratios count. The figures are printed and stored in
benchmarks/results/layers.json. With a GPU the same is measured there too.

Arrays of some megabytes are given back to the system when they are freed, and what the system then hands out again it clears page by page,
which can take longer than computing. So the figures are measured a second time with freed memory kept (GNU's C library only).
"""

import argparse
import ctypes
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch._inductor.config
from common import steady_milliseconds, store
from torch import Tensor
from torch.nn.functional import linear

from eqcourse.nn import ArrayLinear, EfficientLayer, SetLinear, TensorLinear

BATCH = 16
MEMORY_SCRIPT = """
import torch
from eqcourse.nn import TensorLinear
layer = TensorLinear(2, 2, 8, 8, generator=0)
x = torch.randn({batch}, 8, 256, 256)
if {train}:
    layer(x).square().mean().backward()
else:
    with torch.no_grad():
        layer(x)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


class Bench:
    """Collects rows of the table: what, value, what it must reach."""

    def __init__(self, runs: int, device: str) -> None:
        self.runs, self.device = runs, device
        self.rows: list[dict[str, Any]] = []

    def randn(self, *shape: int) -> Tensor:
        """The same random input in each run."""
        return torch.randn(*shape, generator=torch.Generator().manual_seed(1)).to(self.device)

    def times(self, *functions: Callable[[], object]) -> list[float]:
        """Milliseconds of each function."""
        if self.device == "cpu":
            return steady_milliseconds(*functions, runs=self.runs)

        def waiting(function: Callable[[], object]) -> Callable[[], None]:
            def run() -> None:
                function()
                torch.cuda.synchronize()

            return run

        return steady_milliseconds(*map(waiting, functions), runs=self.runs)

    def row(
        self, what: str, value: float, unit: str = "×", at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Print and keep one figure beside what it must reach."""
        row: dict[str, Any] = {"what": what, "value": round(value, 4), "unit": unit, "runs": self.runs}
        target = at_least if at_least is not None else at_most
        verdict = ""
        if target is not None:
            compare = "≥" if at_least is not None else "≤"
            met = value >= target if at_least is not None else value <= target
            row |= {"compare": compare, "target": target, "met": met}
            verdict = f"({compare} {target:g}: {'ok' if met else 'MISSED'})"
        self.rows.append(row)
        print(f"{what:88} {value:10.3f} {unit:3} {verdict}", flush=True)


def bench_set(bench: Bench, channels: int, copies: float | None) -> None:
    """SetLinear at N = 10,000: beside one copy of the input, its own channel product, and the dense matrix."""
    n = 10_000
    layer = SetLinear(channels, channels, generator=0, device=bench.device)
    x = bench.randn(BATCH, channels, n)
    weight = layer.weight[..., 0].contiguous()
    weights = weight.expand(BATCH, -1, -1)
    compiled = torch.compile(layer)
    of_layer, of_compiled, copy, product = bench.times(
        lambda: layer(x), lambda: compiled(x), x.clone, lambda: torch.bmm(weights, x)
    )
    name = f"SetLinear, N = 10,000, {channels} channel{'s' * (channels > 1)}"
    bench.row(f"{name}: time over one copy of the input", of_layer / copy, at_most=copies)
    bench.row(f"{name}: the same after torch.compile", of_compiled / copy, at_most=copies)
    if channels == 64:
        bench.row(f"{name}: time over its channel product", of_layer / product, at_most=1.3)
    if channels == 1:
        matrix = torch.full((n, n), 1 / n, device=bench.device)  # any dense matrix takes the same time
        dense, of_layer, of_compiled = bench.times(
            lambda: linear(x.flatten(1), matrix), lambda: layer(x), lambda: compiled(x)
        )
        bench.row(f"{name}: the prebuilt dense matrix takes", dense / of_layer, at_least=1000)
        bench.row(f"{name}: the same after torch.compile", dense / of_compiled, at_least=1000)


def bench_large_set(bench: Bench) -> None:
    """The same for a set so large that the time of a call no longer counts, and only the memory does."""
    layer = SetLinear(1, 1, generator=0, device=bench.device)
    x = bench.randn(BATCH, 1, 1_000_000)
    of_layer, copy, read = bench.times(lambda: layer(x), x.clone, lambda: x.sum(-1))
    bench.row("SetLinear, N = 1,000,000, 1 channel: time over one copy of the input", of_layer / copy)
    bench.row("SetLinear, N = 1,000,000, 1 channel: time over one sum and two copies", of_layer / (read + 2 * copy))


def stacked_order_2(x: Tensor, weight: Tensor) -> Tensor:
    """What published code does: build all 15 results at full size, stack them, then mix. Bias left out."""
    n = x.shape[-1]
    eye = torch.eye(n, device=x.device, dtype=x.dtype)
    diagonal = x.diagonal(dim1=-2, dim2=-1)
    rows, columns = x.mean(-1), x.mean(-2)
    total, trace = rows.mean(-1)[..., None, None], diagonal.mean(-1)[..., None, None]
    full = x.shape
    results = [
        x,
        x.mT,
        *(v.unsqueeze(-1).expand(full) for v in (diagonal, rows, columns)),
        *(v.unsqueeze(-2).expand(full) for v in (diagonal, rows, columns)),
        *(torch.diag_embed(v) for v in (diagonal, rows, columns)),
        total.expand(full),
        trace.expand(full),
        total * eye,
        trace * eye,
    ]
    return torch.einsum("bcdij,ocd->boij", torch.stack(results, 2), weight)


def bench_order_2(bench: Bench, layer: TensorLinear) -> None:
    """TensorLinear(2, 2) with 8 channels at N = 100: beside the unavoidable work, and beside stacking."""
    x = bench.randn(BATCH, 8, 100, 100)
    weight = bench.randn(16, 8)
    compiled = torch.compile(layer)
    of_layer, of_compiled, product, copy = bench.times(
        lambda: layer(x), lambda: compiled(x), lambda: weight @ x.flatten(2), x.clone
    )
    name = "TensorLinear 2 → 2, 8 channels, N = 100"
    bench.row(f"{name}: time over (8 → 16 channel product + copy)", of_layer / (product + copy), at_most=2)
    bench.row(f"{name}: the same after torch.compile", of_compiled / (product + copy), at_most=2)
    bench.row(f"{name}: time over one copy of the input", of_layer / copy)
    # On its own: freeing its large arrays would slow down what comes next.
    stacked, of_layer = bench.times(lambda: stacked_order_2(x, layer.weight), lambda: layer(x))
    bench.row(f"{name}: stacking all 15 results and mixing them takes", stacked / of_layer, at_least=10)


def bench_order_2_dense(bench: Bench, layer: TensorLinear) -> None:
    """TensorLinear(2, 2) with 8 channels at N = 32 beside the dense matrix."""
    x = bench.randn(BATCH, 8, 32, 32)
    matrix = layer.expanded(32).matrix()
    compiled = torch.compile(layer)
    dense, of_layer, of_compiled = bench.times(
        lambda: linear(x.flatten(1), matrix), lambda: layer(x), lambda: compiled(x)
    )
    name = "TensorLinear 2 → 2, 8 channels, N = 32: the prebuilt dense matrix takes"
    bench.row(name, dense / of_layer, at_least=100)
    bench.row(f"{name}, the layer after torch.compile", dense / of_compiled, at_least=100)


def bench_memory(bench: Bench) -> None:
    """What a process needs for TensorLinear(2, 2) with 8 channels at N = 256, imports included."""
    for train, what in ((False, "forward"), (True, "forward and backward")):
        script = MEMORY_SCRIPT.format(batch=BATCH, train=train)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        name = f"TensorLinear 2 → 2, 8 channels, N = 256, {what}: peak memory of the process"
        bench.row(name, int(done.stdout) / 2**20, "GiB", at_most=None if train else 2)


def tensor(in_order: int, out_order: int) -> Callable[..., EfficientLayer]:
    """A maker of layers with c channels."""
    return lambda c, **options: TensorLinear(in_order, out_order, c, c, generator=0, **options)


def array(axes: int) -> Callable[..., EfficientLayer]:
    """A maker of layers with c channels."""
    return lambda c, **options: ArrayLinear(axes, c, c, generator=0, **options)


# Name, maker, number of input axes, of output axes.
CHOICES: list[tuple[str, Callable[..., EfficientLayer], int, int]] = [
    ("TensorLinear 1 → 1", tensor(1, 1), 1, 1),
    ("TensorLinear 2 → 1", tensor(2, 1), 2, 1),
    ("TensorLinear 2 → 2", tensor(2, 2), 2, 2),
    ("TensorLinear 3 → 3", tensor(3, 3), 3, 3),
    ("ArrayLinear, 2 axes", array(2), 2, 2),
    ("ArrayLinear, 3 axes", array(3), 3, 3),
]


def bench_choice(bench: Bench) -> list[dict[str, Any]]:
    """The automatic choice beside both forms, on both sides of the crossover."""
    print(f"{'milliseconds':32} {'N':>5} {'dense':>9} {'efficient':>9} {'auto':>9} {'auto/best':>9} {'prebuilt':>9}")
    cases = [
        compare_forms(bench, name, make, channels, n, axes_in)
        for name, make, axes_in, axes_out in CHOICES
        for channels in (1, 8)
        for n in (2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
        if channels**2 * n ** (axes_in + axes_out) <= 2**22
    ]
    bench.row("automatic choice: worst time over the better form", max(c["ratio"] for c in cases), at_most=1.2)
    return cases


def compare_forms(
    bench: Bench, name: str, make: Callable[..., EfficientLayer], channels: int, n: int, axes: int
) -> dict[str, Any]:
    """One line of the table."""
    x = bench.randn(BATCH, channels, *[n] * axes)
    dense_form, efficient_form, auto_form = (
        make(channels, method=method, device=bench.device) for method in ("dense", "efficient", "auto")
    )
    matrix = auto_form.expanded(*[n] * (axes if isinstance(auto_form, ArrayLinear) else 1)).matrix()
    dense, efficient, auto, prebuilt = bench.times(
        lambda: dense_form(x), lambda: efficient_form(x), lambda: auto_form(x), lambda: linear(x.flatten(1), matrix)
    )
    ratio = auto / min(dense, efficient)
    name = f"{name}, {channels} channel{'s' * (channels > 1)}"
    print(f"{name:32} {n:5} {dense:9.3f} {efficient:9.3f} {auto:9.3f} {ratio:9.2f} {prebuilt:9.3f}", flush=True)
    figures = {"dense_ms": dense, "efficient_ms": efficient, "auto_ms": auto, "prebuilt_ms": prebuilt, "ratio": ratio}
    return {"layer": name, "n": n} | {key: round(value, 4) for key, value in figures.items()}


def keep_freed_memory() -> None:
    """From now on this process keeps freed memory for its next arrays: mallopt(M_TRIM_THRESHOLD) and mallopt(M_MMAP_THRESHOLD)."""
    for option in (-1, -3):
        if ctypes.CDLL(None).mallopt(option, 2**30) != 1:
            raise OSError("mallopt refuses to keep freed memory")


def measure(bench: Bench) -> None:
    """Each layer beside what bounds it."""
    for channels, copies in ((1, 3.0), (8, 2.5), (64, None)):
        bench_set(bench, channels, copies)
    bench_large_set(bench)
    layer = TensorLinear(2, 2, 8, 8, generator=0, method="efficient", device=bench.device)
    bench_order_2_dense(bench, layer)
    bench_order_2(bench, layer)


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time the efficient layers side by side.", allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=15, help="how many turns each has (default: 15); medians count")
    options, _ = parser.parse_known_args()
    torch._inductor.config.compile_threads = 1  # its pool of workers would take processors from what is measured
    devices: dict[str, object] = {}
    threads = torch.get_num_threads()
    places = [(f"the processor, {threads} threads", "cpu", threads), ("the processor, 1 thread", "cpu", 1)]
    if torch.cuda.is_available():
        places.append((torch.cuda.get_device_name(), "cuda", threads))
    with torch.no_grad():
        for name, device, number in places:
            print(name)
            torch.set_num_threads(number)
            bench = Bench(options.runs, device)
            measure(bench)
            if device == "cpu":
                bench_memory(bench)
            devices[name] = {"rows": bench.rows, "choice": bench_choice(bench)}
        if platform.libc_ver()[0] == "glibc":
            keep_freed_memory()
            for name, device, number in places[:2]:
                kept = f"{name}, freed memory kept"
                print(kept)
                torch.set_num_threads(number)
                bench = Bench(options.runs, device)
                measure(bench)
                devices[kept] = {"rows": bench.rows, "choice": []}
    store("layers", {"devices": devices})


if __name__ == "__main__":
    main()
