"""Kernels of photographs' networks beside torch.func's per-sample gradients, at each peer's best chunk, in one run; and peak memory.

EfficientNet-Lite0 with its published weights at 128 pixels, torchvision's ResNet-18 and ResNet-50 at 224 with drawn ones (their numbers
change no speed), each with a head for two classes, every parameter seen, on the photographs of ants_bees.zip in a drawn order.

- *k(x, x)*: :func:`ntk_diagonal` beside per-sample gradients, vmap(jacrev) with their norms taken block by block.
- *pNTK*: :func:`empirical_ntk`, the whole kernel, beside per-sample gradients, vmap(grad), and their product, parameter by parameter.
"""

import argparse
import io
import os
import statistics
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diagonal import peer as norms_by_jacrev
from kernel_memory import growth
from kernel_peers import CHUNKS, TorchJacobians
from kernel_rates import timed
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from ntkcore.kernels import empirical_ntk, layer_plan, ntk_diagonal
from ntkcore.vision import timm, torchvision

NEEDED = 1.5
DIFFERENCE = 1e-4  # relative, float32
TRIED = 32  # samples on which the peers' chunks are tried


@dataclass(frozen=True, slots=True)
class Photographs:
    """A network, the side of its images in pixels, and how many of them."""

    title: str
    pixels: int
    n: int


NETWORKS = {
    "tf_efficientnet_lite0": Photographs("EfficientNet-Lite0", 128, 398),
    "resnet18": Photographs("ResNet-18", 224, 200),
    "resnet50": Photographs("ResNet-50", 224, 64),
}


def network(name: str) -> nn.Module:
    """In eval mode with a head for two classes; published weights of timm's network, from NTK_WEIGHTS_DIR."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if name.startswith("resnet"):
            drawn: nn.Module = torchvision().models.get_model(name, weights=None, num_classes=2)
            return drawn.eval()
        model: nn.Module = timm().create_model(name, pretrained=False)
        model.load_state_dict(load_file(Path(os.environ["NTK_WEIGHTS_DIR"]) / f"{name}.safetensors"))
        model.reset_classifier(2)  # type: ignore[operator]  # timm's networks have it
    return model.eval()


def photographs(n: int, pixels: int) -> Tensor:
    """(n, 3, pixels, pixels) of NTK_DATA_DIR's ants_bees.zip, as the network was trained on."""
    with zipfile.ZipFile(Path(os.environ["NTK_DATA_DIR"]) / "ants_bees.zip") as archive:
        names = np.random.default_rng(0).permutation(sorted(archive.namelist()))[:n]
        images = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    found = []
    for image in images:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        cut = image.resize((pixels, pixels), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
        found.append((np.asarray(cut, dtype=np.float32) - 127) / 128)
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).contiguous()


def both(name: str, n: int) -> tuple[nn.Module, Tensor]:
    """A network and its photographs."""
    return network(name), photographs(n, NETWORKS[name].pixels)


def best(way: Callable[[Tensor, int], np.ndarray], x: Tensor) -> int:
    """The quickest chunk on a few samples; none that is tried after one that is much slower than the best."""
    seconds: dict[int, float] = {}
    for chunk in CHUNKS:
        way(x[:2], chunk)
        seconds[chunk] = timed(partial(way, x[:TRIED], chunk))
        print(f"chunk {chunk}: {seconds[chunk] / min(TRIED, len(x)):.4f} s an image", file=sys.stderr, flush=True)
        if seconds[chunk] > 1.5 * min(seconds.values()):
            break
    return min(seconds, key=lambda chunk: seconds[chunk])


def rows(name: str, options: argparse.Namespace) -> bool:
    """Time one network, print its rows, and say whether they are good."""
    chosen = NETWORKS[name]
    n = max(TRIED, round(chosen.n * options.scale))
    model, x = both(name, n)
    jacobians = TorchJacobians(model, x[0], "pseudo", int(options.peer_gigabytes * 1e9))
    works: dict[str, tuple[Callable[[Tensor], np.ndarray], Callable[[Tensor, int], np.ndarray]]] = {
        "k(x, x)": (partial(ntk_diagonal, model), partial(norms_by_jacrev, model)),
        "pNTK": (lambda x: empirical_ntk(model, x).values, lambda x, chunk: jacobians.run(x, (chunk,))),
    }
    good = True
    for form, (ours, theirs) in works.items():
        few = x[:8]
        chunk = best(theirs, x)
        difference = float(np.linalg.norm(ours(few) - theirs(few, chunk)) / np.linalg.norm(theirs(few, chunk)))
        ours(x)
        seconds, others = [], []
        for _ in range(options.repeats):  # in turn, so that other work on the machine meets both
            seconds.append(timed(partial(ours, x)))
            others.append(timed(partial(theirs, x, chunk)))
        ratio = statistics.median(other / own for other, own in zip(others, seconds, strict=True))
        good &= ratio >= NEEDED and difference <= DIFFERENCE
        title = f"{chosen.title} {chosen.pixels} px, {form}"
        print(
            f"{title:36}{n:6}{statistics.median(seconds):10.2f} s{statistics.median(others):12.2f} s{chunk:7}{ratio:8.2f}{NEEDED:8.1f}"
            f"{len(layer_plan(model, x[:2]).formed):8}{difference:12.1e}",
            flush=True,
        )
    if options.memory:
        peak, formula, _ = growth(both, (name, n), "pseudo", options.threads, "cpu")
        good &= peak <= formula
        print(f"    peak growth of the whole kernel {peak / 2**20:,.0f} MiB, forecast at most {formula / 2**20:,.0f} MiB", flush=True)
    return good


def run_speed(options: argparse.Namespace) -> int:
    """Print the table; 1 where a ratio is too small, a result differs or memory is above its forecast."""
    torch.set_num_threads(options.threads)
    print(
        f"torch {torch.__version__}, {options.threads} threads, float32, load {os.getloadavg()[0]:.1f}; medians of {options.repeats} rounds"
    )
    print(f"{'':36}{'n':>6}{'ours':>12}{'torch.func':>14}{'chunk':>7}{'ratio':>8}{'needed':>8}{'formed':>8}{'difference':>12}")
    good = [rows(name, options) for name in options.networks]
    print("formed: parameters whose gradients have no closed form here and are formed sample by sample")
    return 0 if all(good) else 1
