"""Make mnist1d.npz, the 5000 signals of MNIST-1D, with the generator of its authors: a few seconds.

    pip install mnist1d==0.0.2.post1
    python eqcourse/data/make_mnist1d.py

MNIST-1D (Greydanus and Kobak 2024, "Scaling down deep learning with MNIST-1D") draws ten curves, one for each digit, as
signals of 12 numbers; scales, moves, shears and blurs them with noise; and samples each at 40 places. Generator and data
are under the Apache License 2.0, copyright Sam Greydanus and contributors: https://github.com/greydanus/mnist1d. The
arguments are the authors' defaults. The signals are stored as float16, whose three digits are finer than the noise.
After a new run, put the new checksum into eqcourse/datasets.py.
"""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np


def main() -> None:
    from mnist1d.data import get_dataset_args, make_dataset  # type: ignore[import-not-found]

    args = get_dataset_args(as_dict=True)
    data = make_dataset(get_dataset_args())
    provenance = {
        "made by": "eqcourse/data/make_mnist1d.py",
        "source": "MNIST-1D, https://github.com/greydanus/mnist1d",
        "authors": "Sam Greydanus, Dmitry Kobak and contributors",
        "licence": "Apache License 2.0",
        "changes": "rounded to float16",
        "arguments": {key: value for key, value in args.items() if key != "url"},
        "versions": {name: version(name) for name in ("mnist1d", "numpy", "scipy")},
        "python": platform.python_version(),
    }
    path = Path(__file__).with_name("mnist1d.npz")
    np.savez_compressed(
        path,
        train_signals=data["x"].astype(np.float16),
        train_labels=data["y"].astype(np.int8),
        test_signals=data["x_test"].astype(np.float16),
        test_labels=data["y_test"].astype(np.int8),
        provenance=json.dumps(provenance),
    )
    print("sha256", hashlib.sha256(path.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
