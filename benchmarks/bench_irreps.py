"""How fast irreps are built, representations decomposed, and equivariant maps found by Schur's lemma.

    python run.py bench irreps
    python run.py bench irreps --runs 20

Medians in one process. The figures are printed beside what they must reach and stored in benchmarks/results/irreps.json.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
from common import milliseconds, report, store

from eqcourse.groups import SO, DihedralGroup, PermutationGroup, SymmetricGroup
from eqcourse.solvers import decompose, intertwiners

Q8 = PermutationGroup([[1, 2, 3, 0, 5, 6, 7, 4], [4, 7, 6, 5, 2, 1, 0, 3]])


def all_generators(degree: int) -> int:
    """The matrices of the generators in all irreps of S_N; returns the sum of squares of the dimensions."""
    group = SymmetricGroup(degree)
    matrices = [[rho.matrix(s) for s in group.generators] for rho in group.irreps()]
    return sum(len(of_generators[0]) ** 2 for of_generators in matrices)


def rotations(ell: int) -> int:
    """Matrices of 100 rotations in the irreps 0 … ℓ of SO(3)."""
    group = SO(3)
    batch = group.sample(0, 100)
    return sum(group.irrep(k).matrix(batch).shape[-1] for k in range(ell + 1))


def cases() -> list[tuple[str, Callable[[], int], int, float | None, int | None]]:
    """(what, a function that returns a number, the number that is right, milliseconds it may take, runs at most)."""
    V, R = SymmetricGroup(6).defining(), SO(3).defining()
    D5 = DihedralGroup(5).regular()
    return [
        ("S_8, generators in all 22 irreps", lambda: all_generators(8), 40320, 2000, None),
        ("SO(3), 100 rotations, ℓ = 0 … 8", lambda: rotations(8), 81, None, None),
        ("decompose S_6, order 2", lambda: decompose(V**2).commutant_dimension, 15, 100, None),
        ("decompose S_6, order 3", lambda: decompose(V**3).commutant_dimension, 203, None, 5),
        ("decompose D_5, regular", lambda: decompose(D5).commutant_dimension, 10, None, None),
        ("decompose Q_8, regular", lambda: decompose(Q8.defining()).commutant_dimension, 8, None, None),
        ("decompose SO(3), order 4", lambda: decompose(R**4).commutant_dimension, 91, None, 10),
        ("decompose SO(3), order 5", lambda: decompose(R**5).commutant_dimension, 603, None, 5),
        ("maps of S_6, 2 → 2, by irreps", lambda: intertwiners(V**2, V**2, "irreps").dim, 15, None, None),
        ("maps of SO(3), 4 → 4, by irreps", lambda: intertwiners(R**4, R**4, "irreps").dim, 91, None, 10),
    ]


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Time irreps and decompositions.", allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=20, help="how often each is timed (default: 20); medians count")
    options, _ = parser.parse_known_args()
    rows: list[dict[str, Any]] = []
    for what, function, right, limit, most in cases():
        if (found := function()) != right:
            raise AssertionError(f"{what}: {found}, and it should be {right}")
        runs = min(options.runs, most or options.runs)
        (median,) = milliseconds(function, runs=runs)
        row: dict[str, Any] = {"what": what, "value": round(median, 3), "unit": "ms", "compare": "≤", "runs": runs}
        if limit is None:
            print(f"{what:42} {median:8.1f} ms", flush=True)
        else:
            report(what, median, limit, "ms")
            row |= {"target": limit, "met": median <= limit}
        rows.append(row)
    store("irreps", {"threads": torch.get_num_threads(), "rows": rows})


if __name__ == "__main__":
    main()
