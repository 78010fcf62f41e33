"""The engine of two checkouts on the workloads of the table, by turns in one run: is one slower than the other?

    .venv/bin/python benchmarks/kernel_trees.py --trees ../before . [--workloads table] [--rounds 7] [--threads 2]

Each checkout has a process of its own, which stays; they are asked in turn, and the order changes with each round. For each workload the
median and the least of the seconds, which other work on the machine can only add to, and the second checkout's over the first's; and the
ways that each chose on this machine. Exits 1 where both ratios are above 1.1.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kernel_workloads import TABLE

SERVE = """
import sys, time
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/benchmarks"]
import torch
from kernel_workloads import TABLE
from ntkcore.kernels import empirical_ntk
torch.set_num_threads(int(sys.argv[2]))
for line in sys.stdin:
    work = TABLE[line.strip()]
    network, x = work.network(), torch.randn((work.n, *work.shape), generator=torch.Generator().manual_seed(0))
    began = time.perf_counter()
    found = empirical_ntk(network, x, outputs=work.outputs)
    seconds, ways = time.perf_counter() - began, getattr(found, "ways", None)  # an older checkout has no choice
    print(seconds, *((ways.products, ways.weights) if ways else ("plain",)), flush=True)
"""


class Checkout:
    """A process that times one checkout's kernels."""

    def __init__(self, tree: Path, threads: int) -> None:
        command = [sys.executable, "-c", SERVE, str(tree.resolve()), str(threads)]
        self._process = subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ways: list[str] = []

    def seconds(self, workload: str) -> float:
        """Of one kernel."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(workload, file=self._process.stdin, flush=True)
        seconds, *self.ways = self._process.stdout.readline().split()
        return float(seconds)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", type=Path, nargs=2, required=True)
    parser.add_argument("--workloads", default="table", help="table, or names separated by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    names = list(TABLE) if options.workloads == "table" else options.workloads.split(",")
    pair, good = [Checkout(tree, options.threads) for tree in options.trees], True
    print(f"{'':34}{'median':>16}{'ratio':>8}{'least':>16}{'ratio':>8}  ways")
    for name in names:
        for each in pair:
            each.seconds(name)  # warm
        found: list[list[float]] = [[], []]
        for turn in range(options.rounds):
            for which in (0, 1) if turn % 2 else (1, 0):
                found[which].append(pair[which].seconds(name))
        cells, ratios = "", []
        for of in (statistics.median, min):
            before, after = (of(seconds) for seconds in found)
            ratios.append(after / before)
            cells += f"{f'{before:.3f} {after:.3f}':>16}{after / before:8.2f}"
        good &= min(ratios) <= 1.1
        print(f"{TABLE[name].title:34}{cells}  {', '.join('/'.join(each.ways) for each in pair)}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
