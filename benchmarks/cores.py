"""What one thread for small products, and all cores for large ones, is worth: each operation as it is and with the libraries' own threads.

    .venv/bin/python benchmarks/cores.py [--sizes 300,1000,3000] [--busy]

Medians in milliseconds of two processes that take turns: NumPy's and SciPy's threads as they come, and after ``share_cores``. With
``--busy`` another process works meanwhile, as a second worker would.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from ntkcore.active import LookAhead  # noqa: E402  # after the path of the project
from ntkcore.cores import share_cores  # noqa: E402
from ntkcore.regression.resolvent import Dense  # noqa: E402

_TURNS = 3
_BUSY = "import numpy\nx = numpy.random.rand(200, 200)\nwhile True: numpy.tanh(x)"


def _milliseconds(size: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(size, size // 2))
    kernel, right = x @ x.T / size + 0.1 * np.eye(size), rng.normal(size=(200, size))
    made = Dense(kernel, 0.1, None)
    labelled, c = size // 4, 10
    targets, outputs = np.eye(c)[rng.integers(0, c, labelled)], rng.normal(size=(size - labelled, c))

    def looked() -> None:
        corners = kernel[:labelled, :labelled], kernel[labelled:, :labelled], kernel[labelled:, labelled:]
        LookAhead(*corners, np.zeros((labelled, c)), outputs, targets, ridge=0.1).change()

    operations = {
        "invert K + λI": lambda: Dense(kernel, 0.1, None),
        "predict 200": lambda: made.after(right),
        "remove a third": lambda: made.without(range(size // 3)),
        "look ahead": looked,
    }
    found = {}
    for name, operation in operations.items():
        operation()
        taken = []
        for _ in range(5):
            started = time.perf_counter()
            operation()
            taken.append(time.perf_counter() - started)
        found[name] = 1000 * median(taken)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="300,1000,3000", help="images")
    parser.add_argument("--busy", action="store_true", help="beside a process that works")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        way, size = options.step.split(",")
        if way == "shared":
            share_cores()
        print(json.dumps(_milliseconds(int(size))))
        return
    busy = subprocess.Popen([sys.executable, "-c", _BUSY]) if options.busy else None
    try:
        print(f"{'images':>6}  {'':16}{'own threads':>12}{'shared':>10}{'times faster':>14}")
        for size in options.sizes.split(","):
            runs: dict[str, list[dict[str, float]]] = {"own": [], "shared": []}
            for _ in range(_TURNS):
                for way, found in runs.items():
                    command = [sys.executable, __file__, "--step", f"{way},{size}"]
                    found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            for name in runs["own"][0]:
                own, shared = (median(run[name] for run in runs[way]) for way in ("own", "shared"))
                print(f"{size:>6}  {name:16}{own:12.2f}{shared:10.2f}{own / shared:14.2f}", flush=True)
    finally:
        if busy is not None:
            busy.kill()


if __name__ == "__main__":
    main()
