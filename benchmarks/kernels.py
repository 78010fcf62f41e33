"""empirical_ntk beside the best of torch.func and neural-tangents, in one run: median seconds, ratios, share of the sgemm rate, memory.

    python benchmarks/kernels.py [--workloads table] [--repeats 3] [--threads 2] [--device cpu] [--tf32] [--no-jax] [--memory] [--whole]

Every way is timed from samples and weights in the device's memory to the kernel as a NumPy array, in float32, compiled and warm; ours
with its look at the network. Each peer's best chunk or block size of several is found on few samples, and its time on all samples
forecast by ``a n + b n²``; those forecast at more than four times the best are left there. The others are timed in turn with ours, on all
samples where the forecast is below a minute (--whole: always), else on two smaller numbers from which ``a n + b n²`` tells that of all.
Jacobians that fit 8 GB are formed once; what is scaled is scaled as if they always did. Needs numpy, scipy and torch, and without --no-jax
jax and neural-tangents; on CUDA only torch's peers run. --memory: growth of the peak beside the stated formula, instead of the times.
What is tried is told on standard error. Exits 1 where a ratio is too small, a result differs or memory is exceeded. The parts are in the
files kernel_*.py beside this one.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded: its waiting threads would slow the peers' down

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kernel_memory import memory_table
from kernel_peers import Peer, Setting, TorchJacobians, TorchProducts
from kernel_rates import fitted, jax_product_rate, operations, product_rate, timed
from kernel_tangents import METHODS, Tangents
from kernel_workloads import SMALL, TABLE, Workload

from ntkcore.kernels import empirical_ntk
from ntkcore.kernels.jax_backend import libraries

LONGEST = 60.0  # seconds of a peer's run
DIFFERENCE = {False: 1e-4, True: 3e-2}  # relative Frobenius, in float32 and in TF32


@dataclass(slots=True)
class Candidate:
    """A peer at its best setting: its forecast, the numbers of samples it is timed on, and what was measured in each round."""

    peer: Peer
    setting: Setting
    forecast: float
    sizes: tuple[int, ...] = ()
    seconds: list[float] = field(default_factory=list)

    def measure(self, x: Tensor) -> float:
        """One round: seconds for all of ``x``, measured or scaled."""
        found = [timed(lambda size=size: self.peer.run(x[:size], self.setting)) for size in self.sizes]  # type: ignore[misc]
        self.seconds.append(fitted(self.sizes, found, len(x)))
        return self.seconds[-1]

    def difference(self, x: Tensor, ours: Callable[[Tensor], np.ndarray]) -> float:
        """Relative Frobenius difference on the first samples, those of the trial."""
        few = x[: self.peer.trial(self.setting, len(x))[0]]
        kernel = ours(few)
        return float(np.linalg.norm(self.peer.run(few, self.setting) - kernel) / np.linalg.norm(kernel))

    def words(self, n: int) -> str:
        """How it was run."""
        size = "all at once" if not self.setting else " × ".join(map(str, self.setting)) + " at a time"
        scaled = "" if self.sizes == (n,) else f", scaled from n = {' and '.join(map(str, self.sizes))}"
        return f"{self.peer.name}, {size}{scaled}"


def tried(peer: Peer, x: Tensor, limit: float) -> Candidate | str:
    """The peer at its best setting, or why it has none. A setting whose forecast is far above ``limit`` is not looked at any further."""
    best: Candidate | None = None
    for number, setting in enumerate(peer.settings(len(x))):
        sizes = peer.trial(setting, len(x))
        try:
            seconds = [_tried(peer, x[:size], setting) for size in sizes]
        except Exception as error:  # whatever a peer cannot do is said in the table
            return best or f"{peer.name} fails ({type(error).__name__}: {str(error)[:100]!r})"
        forecast = fitted(sizes, seconds, len(x))
        print(f"{peer.name} {setting}: {seconds} s for {sizes}, hence {forecast:.3g} s", file=sys.stderr, flush=True)
        if best is None or forecast < best.forecast:
            best = Candidate(peer, setting, forecast)
        if forecast > 1.5 * best.forecast or (number and best.forecast > 10 * limit):
            break
    return best or f"{peer.name} has no setting within the memory"


def _tried(peer: Peer, x: Tensor, setting: Setting) -> float:
    """Seconds of the better of two runs; of one where that is long."""
    peer.warm(x, setting)
    first = timed(lambda: peer.run(x, setting))
    return first if first > 3 else min(first, timed(lambda: peer.run(x, setting)))


def planned_sizes(candidate: Candidate, n: int, whole: bool) -> tuple[int, ...]:
    """All samples where that ends soon; else as many as take a sixth of the time, and half of those."""
    if whole or candidate.forecast <= LONGEST:
        return (n,)
    trial = candidate.peer.trial(candidate.setting, n)
    unit = 2 * max([1, *candidate.setting]) if len(trial) == 1 else 2
    large = max(trial[-1], int(n * (LONGEST / 6 / candidate.forecast) ** 0.5) // unit * unit)
    return (large,) if len(trial) == 1 else (large // 2, large)


def peers(model: nn.Module, sample: Tensor, outputs: str, memory: int, with_jax: bool) -> list[Peer]:
    """All of them; each may take about ``memory`` bytes for gradients."""
    found: list[Peer] = [TorchJacobians(model, sample, outputs, memory), TorchProducts(model, sample, outputs, memory)]
    if with_jax:
        found += [Tangents(model, sample, outputs, memory, method) for method in METHODS]
    return found


def running(workload: Workload, model: nn.Module, x: Tensor, options: argparse.Namespace) -> tuple[list[Candidate], list[str]]:
    """The peers worth timing, and remarks on the others."""
    found: list[Candidate] = []
    remarks = []
    with_jax = not options.no_jax and x.device.type == "cpu"
    for peer in peers(model, x[0], workload.outputs, int(options.peer_gigabytes * 1e9), with_jax):
        result = tried(peer, x, min((c.forecast for c in found), default=float("inf")))
        if isinstance(result, str):
            remarks.append(result)
        else:
            found.append(result)
    limit = 4 * min(c.forecast for c in found)
    remarks += [f"{c.peer.name} {c.forecast:.3g} s by forecast" for c in found if c.forecast > limit]
    near = [c for c in found if c.forecast <= limit]
    for candidate in near:
        candidate.sizes = planned_sizes(candidate, len(x), options.whole)
        for size in candidate.sizes:
            candidate.peer.warm(x[:size], candidate.setting)
    return near, remarks


def run_workload(workload: Workload, options: argparse.Namespace) -> bool:
    """Times one workload, prints its row, and says whether it is good."""
    device = torch.device(options.device)
    n = max(2, round(workload.n * options.scale))
    model, x = workload.network().to(device), torch.rand(n, *workload.shape, device=device)

    def ours(samples: Tensor) -> np.ndarray:
        return empirical_ntk(model, samples, outputs=workload.outputs, tf32=options.tf32).values

    candidates, remarks = running(workload, model, x, options)
    difference = max(c.difference(x, ours) for c in candidates)
    rates = [product_rate(device)]
    mine: list[float] = []
    ours(x)
    for _ in range(options.repeats):  # in turn, so that other work on the machine meets all
        mine.append(timed(lambda: ours(x)))
        quickest = min(c.measure(x) for c in candidates)
        dropped = [c for c in candidates if c.seconds[-1] > 1.5 * quickest]
        remarks += [f"{c.peer.name} {c.seconds[-1]:.3g} s" for c in dropped]
        candidates = [c for c in candidates if c not in dropped]
    rates.append(product_rate(device))
    best = min(candidates, key=lambda c: statistics.median(c.seconds))
    remarks += [f"{c.peer.name} {statistics.median(c.seconds):.3g} s" for c in candidates if c is not best]
    seconds, theirs = statistics.median(mine), statistics.median(best.seconds)
    ratio = statistics.median(other / own for other, own in zip(best.seconds, mine, strict=True))
    speed = operations(model, x, workload.outputs) / seconds
    print(
        f"{workload.title:38}{n:6}{seconds:10.3g} s{theirs:10.3g} s{ratio:8.1f}{workload.needed:8.1f}"
        f"{speed / 1e9:10.0f}{speed / max(rates):7.0%}{rates[0] / 1e9:9.0f} /{rates[1] / 1e9:5.0f}{difference:12.1e}\n"
        f"    {best.words(n)}" + "".join(f"; {remark}" for remark in remarks),
        flush=True,
    )
    return ratio >= workload.needed and difference <= DIFFERENCE[options.tf32]


def prepared(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options, with threads, precision and JAX set up as they say."""
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.tf32
    print(f"torch {torch.__version__}, {options.device}, {options.threads} threads, {'TF32' if options.tf32 else 'float32'}", end="")
    if options.memory or options.no_jax or options.device != "cpu":
        print(flush=True)
        return options
    if hasattr(os, "sched_setaffinity"):  # XLA has as many threads as there are processors for it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen={str(options.threads > 1).lower()}"
    loaded = libraries()
    rates = product_rate(torch.device("cpu")), jax_product_rate(loaded.jax)
    print(f"; jax {loaded.jax.__version__}, neural-tangents {loaded.nt.__version__}", end="")
    print(f"; matrix product of 2000 rows: torch {rates[0] / 1e9:.0f}, JAX {rates[1] / 1e9:.0f} GFLOP/s", flush=True)
    return options


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", default=["table"], help=f"table, small, or of {' '.join(TABLE | SMALL)}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true", help="allow TF32 products on a GPU, for all")
    parser.add_argument("--no-jax", action="store_true", help="without neural-tangents")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--whole", action="store_true", help="time peers on all samples, however long that takes")
    parser.add_argument("--scale", type=float, default=1.0, help="times the number of samples")
    parser.add_argument("--peer-gigabytes", type=float, default=8.0, help="what a peer may keep")
    options = prepared(parser)
    if options.memory:
        return 0 if memory_table(options.threads, options.device) else 1
    chosen: dict[str, Workload] = {}
    for name in options.workloads:
        chosen |= {"table": TABLE, "small": SMALL}.get(name) or {name: (TABLE | SMALL)[name]}
    print(
        f"{'':38}{'n':>6}{'ours':>12}{'best peer':>12}{'ratio':>8}{'needed':>8}{'GFLOP/s':>10}{'share':>7}"
        f"{'sgemm GFLOP/s':>16}{'difference':>12}"
    )
    good = [run_workload(workload, options) for workload in chosen.values()]
    print("GFLOP/s: ours, by the operations of matrix products that its forms need, symmetric pairs once (kernel_rates.operations);")
    print("share: of the better of the two sgemm rates, measured before and after; difference: relative Frobenius, on the first samples")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
