"""escnn's side of `bench_steerable.py`, run in escnn's own environment: a kernel basis, timed call by call.

    python escnn_worker.py N SIZE --calls 5

Prints one line of JSON for each call: seconds, and the number of kernels from the regular field of C_N to itself.
"""

import argparse
import json
import time
import warnings

warnings.filterwarnings("ignore")

from escnn import gspaces, nn  # noqa: E402


def main() -> None:
    """Time R2Conv, which builds and samples the basis, and print."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("n", type=int)
    parser.add_argument("size", type=int)
    parser.add_argument("--calls", type=int, default=5)
    options = parser.parse_args()
    for _ in range(options.calls):
        start = time.perf_counter()
        space = gspaces.rot2dOnR2(options.n)
        field = nn.FieldType(space, [space.regular_repr])
        layer = nn.R2Conv(field, field, options.size, initialize=False)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "kernels": layer.basisexpansion.dimension()}), flush=True)


if __name__ == "__main__":
    main()
