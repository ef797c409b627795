"""CircularConv beside the dense circulant matrix, beside torch's own circular convolution, and its automatic choice beside its three forms.

    python run.py bench circular
    python run.py bench circular --runs 3      # quicker, less certain

Batch 16, float32, no gradients. Each comparison is timed in turns in one process; ratios of the least times
count, since a call that shares its cores with another program can take a hundred times as long. The figures are printed and stored in
benchmarks/results/circular.json.
"""

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from common import store
from torch.nn.functional import linear

from eqcourse.nn.circular import CircularConv

BATCH = 16
FORMS = ("direct", "fft", "dense")
CHANNELS = [(1, 1), (1, 8), (8, 8)]
SIZES = [(16,), (64,), (256,), (1021,), (1024,), (8192,), (8, 8), (16, 16), (64, 64)]  # 1021 is prime
# A form that would need more multiplications or entries than this is not a candidate, and is not timed.
MOST_PRODUCTS, MOST_ENTRIES = 2**30, 2**22


def kernels(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """From 3 to N, closer together where the crossover lies."""
    n = min(sizes)
    lengths = (3, 5, 9, n) if len(sizes) == 2 else (3, 9, 17, 33, 65, n // 8, n // 2, n)
    return [(length,) * len(sizes) for length in sorted(set(lengths)) if 3 <= length <= n]


def randn(*shape: int) -> torch.Tensor:
    """The same random input in each run."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def least_milliseconds(*functions: Callable[[], object], runs: int, turn_ms: float = 4.0) -> list[float]:
    """The least time of each function; they take turns, and in its turn each is called again and again for ``turn_ms``."""
    least = [math.inf] * len(functions)
    for _ in range(runs + 1):
        for place, function in enumerate(functions):
            end = time.perf_counter() + turn_ms / 1000
            while True:
                start = time.perf_counter()
                function()
                now = time.perf_counter()
                least[place] = min(least[place], 1000 * (now - start))
                if now > end:
                    break
    return least


def torch_layer(channels: tuple[int, int], kernel: tuple[int, ...]) -> torch.nn.Module:
    """What a user of torch would write."""
    kind = torch.nn.Conv1d if len(kernel) == 1 else torch.nn.Conv2d
    return kind(*channels, kernel, padding="same", padding_mode="circular")  # type: ignore[arg-type]


def compare(channels: tuple[int, int], sizes: tuple[int, ...], kernel: tuple[int, ...], runs: int) -> dict[str, Any]:
    """One line of the table: torch, the three forms and the automatic choice."""
    points, pairs = math.prod(sizes), math.prod(channels)
    slides = BATCH * pairs * points * math.prod(kernel) <= MOST_PRODUCTS
    feasible = {"direct": slides, "fft": True, "dense": pairs * points**2 <= MOST_ENTRIES}
    x = randn(BATCH, channels[0], *sizes)
    size = kernel[0] if len(kernel) == 1 else kernel
    layers: dict[str, torch.nn.Module] = {
        form: CircularConv(*channels, size, method=form, generator=0)  # type: ignore[arg-type]
        for form in ("auto", *FORMS)
        if feasible.get(form, True)
    }
    if slides:
        layers["torch"] = torch_layer(channels, kernel)
    taken = least_milliseconds(*(lambda layer=layer: layer(x) for layer in layers.values()), runs=runs)
    times: dict[str, float] = dict(zip(layers, taken, strict=True))
    case = {
        "channels": f"{channels[0]} → {channels[1]}",
        "n": " × ".join(map(str, sizes)),
        "kernel": " × ".join(map(str, kernel)),
        **{f"{name}_ms": round(value, 4) for name, value in times.items()},
        "over_best": round(times["auto"] / min(times[form] for form in FORMS if form in times), 3),
        "over_torch": round(times["auto"] / times["torch"], 3) if slides else None,
    }
    shown = "".join(f"{times[name]:10.3f}" if name in times else f"{'–':>10}" for name in ("torch", *FORMS, "auto"))
    beside = f"{case['over_torch']:8.2f}" if slides else f"{'–':>8}"
    print(f"{case['channels']:8}{case['n']:>10}{case['kernel']:>10}{shown}{case['over_best']:8.2f}{beside}", flush=True)
    return case


def beside_matrix(n: int, runs: int) -> dict[str, Any]:
    """One channel, full kernel, beside a product with the circulant matrix, built beforehand."""
    layer, x, matrix = CircularConv(1, 1, n, generator=0), randn(BATCH, 1, n), randn(n, n)  # any matrix takes as long
    dense, efficient = least_milliseconds(lambda: linear(x.flatten(1), matrix), lambda: layer(x), runs=runs)
    return row(f"N = K = {n:,}, 1 channel: the prebuilt circulant matrix takes", dense / efficient, "≥", 50, runs)


def row(what: str, value: float, compare: str, target: float, runs: int) -> dict[str, Any]:
    """Print one figure beside what it must reach."""
    met = value >= target if compare == "≥" else value <= target
    print(f"{what:88} {value:8.2f} ×  ({compare} {target:g}: {'ok' if met else 'MISSED'})", flush=True)
    return {"what": what, "value": round(value, 3), "unit": "×", "compare": compare, "target": target, "met": met} | {
        "runs": runs
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time CircularConv side by side.", allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=9, help="how many turns each has (default: 9)")
    options, _ = parser.parse_known_args()
    runs = options.runs
    head = ("torch", *FORMS, "auto")
    print(f"{'channels':8}{'N':>10}{'kernel':>10}{''.join(f'{name:>10}' for name in head)}{'/best':>8}{'/torch':>8}")
    with torch.no_grad():
        cases = [compare(c, sizes, kernel, runs) for c in CHANNELS for sizes in SIZES for kernel in kernels(sizes)]
        best = max(case["over_best"] for case in cases)
        beside = max(case["over_torch"] for case in cases if case["over_torch"])
        rows = [
            beside_matrix(8192, runs),
            row("worst time over torch's circular convolution, all lengths below", beside, "≤", 1.2, runs),
            row("automatic choice: worst time over the best form", best, "≤", 1.2, runs),
        ]
    store("circular", {"threads": torch.get_num_threads(), "rows": rows, "cases": cases})


if __name__ == "__main__":
    main()
