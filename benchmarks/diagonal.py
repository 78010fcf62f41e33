"""ntk_diagonal beside per-sample gradients by torch.func, in one run: median seconds, ratios, growth of peak memory.

    python benchmarks/diagonal.py [--n 5000] [--peer-n 256] [--repeats 5] [--threads 2] [--device cuda]

The peer is vmap(jacrev) over functional_call, per-sample squared norms taken block by block, with its best block size of several.
It is linear in n, so it is timed on the first --peer-n samples and scaled to n (--peer-n 0: on all n). Memory is measured apart
from time: growth of the peak resident memory in a process of its own (CUDA: of the peak allocated). Needs numpy, scipy and torch
only. Exits 1 where a ratio is too small.
"""

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.kernels import ntk_diagonal

REQUIRED = {"FCN 784-1024-1024-10": 10.0, "4-conv CNN": 3.0}
BLOCKS = (1, 2, 4, 8, 16, 32, 64)


def network(name: str) -> nn.Module:
    """One of the two networks, 28 × 28 images to 10 outputs, with PyTorch's default initialisation."""
    torch.manual_seed(0)
    if name == "FCN 784-1024-1024-10":
        layers = [nn.Flatten(), nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)]
        return nn.Sequential(*layers).eval()
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, 2), nn.ReLU(), nn.Conv2d(64, 256, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)),
    ).eval()


def peer(model: nn.Module, x: Tensor, block: int) -> np.ndarray:
    """(n,) k(x, x) by vmap(jacrev), ``block`` samples at a time."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def output(given: dict[str, Tensor], sample: Tensor) -> Tensor:
        return functional_call(model, given, (sample.unsqueeze(0),)).squeeze(0)

    found = []
    for piece in x.split(block):
        jacobian = vmap(jacrev(output), in_dims=(None, 0))(parameters, piece)
        found.append(sum(torch.linalg.vector_norm(j.flatten(2), dim=2).square().mean(1) for j in jacobian.values()))
    return torch.cat(found).cpu().numpy()


def timed(device: torch.device, work: Callable[..., np.ndarray], *arguments: object) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work(*arguments)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _peak() -> float:
    """Peak resident memory of this process, MiB (Linux: since its program started; ru_maxrss would include the parent's)."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _grown(queue: "multiprocessing.Queue[float]", name: str, n: int, block: int, threads: int, device: str) -> None:
    """Puts the growth of peak memory, MiB, of one method (``block`` 0: ntk_diagonal) on ``n`` samples."""
    torch.set_num_threads(threads)
    model, x = network(name).to(device), torch.rand(n, 1, 28, 28).to(device)
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() / 2**20 if on_gpu else _peak()
    if block:
        peer(model, x, block)
    else:
        ntk_diagonal(model, x)
    queue.put((torch.cuda.max_memory_allocated() / 2**20 if on_gpu else _peak()) - before)


def memory_growth(*arguments: object) -> float:
    """:func:`_grown` in a process of its own, so that one method's memory does not hide in another's."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_grown, args=(queue, *arguments))
    process.start()
    grown = queue.get(timeout=600)
    process.join()
    return float(grown)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--peer-n", type=int, default=256, help="samples the peer is timed on; 0: all")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device(options.device)
    peer_n = min(options.n, options.peer_n or options.n)
    print(f"torch {torch.__version__}, {device}, {options.threads} threads, float32, n = {options.n}, medians of {options.repeats} rounds")
    print(
        f"vmap(jacrev) timed on {peer_n} samples" + ("" if peer_n == options.n else f", scaled by {options.n / peer_n:.1f} (linear in n)")
    )
    print(f"{'':22}{'ntk_diagonal':>14}{'vmap(jacrev)':>14}{'block':>7}{'ratio':>8}{'needed':>8}{'memory':>18}{'difference':>12}")
    good = True
    for name, required in REQUIRED.items():
        model, x = network(name).to(device), torch.rand(options.n, 1, 28, 28).to(device)
        few = x[:peer_n]
        difference = float(np.max(np.abs(ntk_diagonal(model, few[:32]) / peer(model, few[:32], 8) - 1)))  # also warms both up
        trial = few[: max(BLOCKS)]
        speeds = {block: min(timed(device, peer, model, trial, block) for _ in range(2)) for block in BLOCKS}
        best = min(speeds, key=lambda block: speeds[block])
        ours, theirs, ratios = [], [], []
        for _ in range(options.repeats):  # in turn, so that other work on the machine meets both
            ours.append(timed(device, ntk_diagonal, model, x))
            theirs.append(timed(device, peer, model, few, best) * options.n / peer_n)
            ratios.append(theirs[-1] / ours[-1])
        ratio = statistics.median(ratios)
        good &= ratio >= required
        mine = memory_growth(name, options.n, 0, options.threads, options.device)
        other = memory_growth(name, peer_n, best, options.threads, options.device)
        print(
            f"{name:22}{statistics.median(ours):12.2f} s{statistics.median(theirs):12.2f} s{best:7}{ratio:8.1f}{required:8.0f}"
            f"{f'{mine:.0f} / {other:.0f} MiB':>18}{difference:12.1e}",
            flush=True,
        )
    print("memory: growth of the peak, ntk_diagonal / vmap(jacrev); difference: largest relative difference of their results")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
