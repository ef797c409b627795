"""Times EMLP (https://pypi.org/project/emlp/) on one problem; ``bench_solver.py`` runs it in an environment of its own.

    python emlp_worker.py S 10 2 2 --calls 2

It prints one line of JSON per call, ``{"seconds": …, "dimension": …}``. The first call is cold (imports excluded, what JAX compiles
included); before each further one EMLP's stores of solutions are emptied, so that it solves again. It needs nothing of eqcourse.
"""

import argparse
import json
import time

import jax
import numpy as np
from emlp.groups import SO, S, Z
from emlp.reps import V
from emlp.reps.product_sum_reps import rep_permutation
from emlp.reps.representation import Rep


def main() -> None:
    """Solve as often as asked, print a line for each call."""
    parser = argparse.ArgumentParser(description="Time EMLP's equivariant_basis on one problem.")
    parser.add_argument(
        "group", choices=("S", "C", "SO"), help="S: permutations of n points; C: shifts of n points; SO: rotations"
    )
    parser.add_argument("n", type=int, help="the number of points")
    parser.add_argument("order_in", type=int, help="the order of the input tensor")
    parser.add_argument("order_out", type=int, help="the order of the output tensor")
    parser.add_argument("--calls", type=int, default=2, help="how often to solve (default: 2)")
    options = parser.parse_args()
    np.random.seed(0)  # noqa: NPY002 - EMLP draws from the global state
    group = {"S": S, "C": Z, "SO": SO}[options.group](options.n)
    for _ in range(options.calls):
        Rep.solcache.clear()
        rep_permutation.cache_clear()
        start = time.perf_counter()
        rho_in, rho_out = V(group) ** options.order_in, V(group) ** options.order_out
        basis = jax.block_until_ready((rho_in >> rho_out).equivariant_basis())
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "dimension": int(basis.shape[-1])}), flush=True)


if __name__ == "__main__":
    main()
