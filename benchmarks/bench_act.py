"""How fast `rho.act` is beside the bare lookup that it stands for, and that tensor powers need no big object.

    python run.py bench act
    python run.py bench act --runs 100

Each pair is timed in turns in one process. The figures are printed and stored in benchmarks/results/act.json.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
from common import milliseconds, store
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from eqcourse.groups import SymmetricGroup

# `act` may take this much longer than the bare lookup.
LIMIT = 1.5
POINTS = 1_000_000
N = 64


class Allocated(TorchDispatchMode):
    """Counts the bytes of the arrays that operations make: the largest, and all together (no peak is above that)."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        known = {a.untyped_storage().data_ptr() for a in args if isinstance(a, Tensor)}
        if isinstance(out, Tensor) and out.untyped_storage().data_ptr() not in known:  # views make nothing new
            self.largest = max(self.largest, out.untyped_storage().nbytes())
            self.total += out.untyped_storage().nbytes()
        return out


def compare(what: str, act: Callable[[], Tensor], bare: Callable[[], Tensor], runs: int) -> dict[str, float]:
    """Time both in turns, print a line of the table."""
    if not torch.equal(act(), bare()):
        raise AssertionError(f"{what}: act and the bare lookup differ")
    of_act, of_bare = milliseconds(act, bare, runs=runs)
    ratio = of_act / of_bare
    print(
        f"{what:42} {of_act:8.2f} {of_bare:8.2f} {ratio:6.2f}  (at most {LIMIT}: {'ok' if ratio <= LIMIT else 'MISSED'})",
        flush=True,
    )
    return {"act_ms": round(of_act, 3), "bare_ms": round(of_bare, 3), "ratio": round(ratio, 3)}


def bench_points(runs: int) -> dict[str, object]:
    """A prepared permutation of 10⁶ points against ``x[..., index]``, alone and on a batch."""
    group = SymmetricGroup(POINTS)
    rho, g = group.defining(), group.sample(0)
    prepared, index = rho.prepare(g), group.inverse(g)
    figures: dict[str, object] = {}
    for batch in [(), (8,), (4, 2)]:
        x = torch.randn(*batch, POINTS, generator=torch.Generator().manual_seed(1))
        name = f"{POINTS:,} points, batch {'×'.join(map(str, batch)) or 'none'}"
        figures[name] = compare(name, lambda x=x: rho.act(prepared, x), lambda x=x: x[..., index], runs)
    return figures


def bench_power(runs: int) -> dict[str, object]:
    """The third tensor power of S_64 against indexing three axes at once, and the memory it takes."""
    group = SymmetricGroup(N)
    rho, g = group.defining() ** 3, group.sample(0)
    prepared, i = rho.prepare(g), group.inverse(g)
    x = torch.randn(N, N, N, generator=torch.Generator().manual_seed(1))
    name = f"third power of {group}, {rho.dim:,} entries"
    times = compare(name, lambda: rho.act(prepared, x), lambda: x[i[:, None, None], i[:, None], i], runs)
    with Allocated() as made:
        rho.act(g, x)
    matrix = rho.dim**2 * x.element_size()
    print(f"arrays made: {made.total:,} bytes in all, the largest {made.largest:,}; its matrix would have {matrix:,}")
    if made.total > matrix / 1000:
        raise AssertionError("the tensor power builds a big object")
    return {name: times, "bytes_made": made.total, "bytes_largest": made.largest, "bytes_of_matrix": matrix}


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time rho.act beside bare indexing.", allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=30, help="how often each is timed (default: 30); medians count")
    options, _ = parser.parse_known_args()
    print(f"{'float32, medians':42} {'act/ms':>8} {'bare/ms':>8} {'ratio':>6}")
    figures: dict[str, object] = {"threads": torch.get_num_threads(), "runs": options.runs}
    figures |= bench_points(options.runs) | bench_power(options.runs)
    store("act", figures)


if __name__ == "__main__":
    main()
