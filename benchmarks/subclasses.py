"""ntk_diagonal and the pNTK of timm's EfficientNet-Lite0 beside torch.func's per-sample gradients, in one run, on photographs.

    NTK_DATA_DIR=... NTK_WEIGHTS_DIR=... python benchmarks/subclasses.py [--n 64] [--pixels 128] [--repeats 3] [--threads 2]

Its layers are subclasses of torch's: BatchNorm with an activation, convolutions with TensorFlow's padding. The network has its published
weights and a new head for two classes; the images are the first --n of ants_bees.zip in a drawn order (all: --n 398; both ways are linear
in n but for the products of pairs, a small part here), scaled and cut to squares. The peers are vmap(jacrev) with norms taken block by
block, and vmap(grad) whose Jacobians are contracted parameter by parameter, each at its best chunk of several. Needs timm. Exits 1 where
a ratio is too small or a result differs.
"""

import argparse
import io
import os
import statistics
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from diagonal import peer as norms_by_jacrev
from kernel_peers import CHUNKS, TorchJacobians
from kernel_rates import timed
from PIL import Image
from safetensors.torch import load_file

from ntkcore.kernels import empirical_ntk, layer_plan, ntk_diagonal
from ntkcore.vision import torchvision

NEEDED = 1.5
DIFFERENCE = 1e-4  # relative, float32
TRIED = 32  # samples on which the peers' chunks are tried


def network(weights: Path) -> nn.Module:
    """EfficientNet-Lite0 in eval mode with a head for two classes."""
    torchvision()  # timm imports it, which by itself fails beside a torch for processors
    import timm

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        model.load_state_dict(load_file(weights / "tf_efficientnet_lite0.safetensors"))
        model.reset_classifier(2)
    return model.eval()


def photographs(data: Path, n: int, pixels: int) -> Tensor:
    """(n, 3, pixels, pixels), as the network was trained on."""
    with zipfile.ZipFile(data / "ants_bees.zip") as archive:
        names = np.random.default_rng(0).permutation(sorted(archive.namelist()))[:n]
        images = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    found = []
    for image in images:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        cut = image.resize((pixels, pixels), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
        found.append((np.asarray(cut, dtype=np.float32) - 127) / 128)
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).contiguous()


def best(ways: dict[int, Callable[[Tensor], np.ndarray]], x: Tensor) -> int:
    """The quickest chunk on a few samples; none that is tried after one that is much slower than the best."""
    seconds: dict[int, float] = {}
    for chunk, way in ways.items():
        way(x[:2])
        seconds[chunk] = timed(lambda way=way: way(x[:TRIED]))  # type: ignore[misc]
        print(f"chunk {chunk}: {seconds[chunk] / min(TRIED, len(x)):.4f} s an image", file=sys.stderr, flush=True)
        if seconds[chunk] > 1.5 * min(seconds.values()):
            break
    return min(seconds, key=lambda chunk: seconds[chunk])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=64)
    parser.add_argument("--pixels", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = network(Path(os.environ["NTK_WEIGHTS_DIR"]))
    x = photographs(Path(os.environ["NTK_DATA_DIR"]), options.n, options.pixels)
    jacobians = TorchJacobians(model, x[0], "pseudo", 8 * 10**9)
    formed = layer_plan(model, x).formed
    load = os.getloadavg()[0]
    print(f"torch {torch.__version__}, {options.threads} threads, float32, {len(x)} images of {options.pixels} px, load {load:.1f}")
    print(f"parameters whose gradients are formed sample by sample: {len(formed)}")
    works: dict[str, tuple[Callable[[Tensor], np.ndarray], dict[int, Callable[[Tensor], np.ndarray]]]] = {
        "k(x, x)": (
            lambda x: ntk_diagonal(model, x),
            {chunk: lambda x, chunk=chunk: norms_by_jacrev(model, x, chunk) for chunk in CHUNKS},  # type: ignore[misc]
        ),
        "pNTK": (
            lambda x: empirical_ntk(model, x).values,
            {chunk: lambda x, chunk=chunk: jacobians.run(x, (chunk,)) for chunk in CHUNKS},  # type: ignore[misc]
        ),
    }
    good = True
    print(f"{'':10}{'ours an image':>16}{'torch.func':>14}{'chunk':>7}{'ratio':>8}{'needed':>8}{'difference':>12}")
    for title, (ours, ways) in works.items():
        few = x[:8]
        chunk = best(ways, x)
        mine, theirs = ours(few), ways[chunk](few)
        difference = float(np.linalg.norm(mine - theirs) / np.linalg.norm(theirs))
        ours(x)
        seconds, others, ratios = [], [], []
        for _ in range(options.repeats):  # in turn, so that other work on the machine meets both
            seconds.append(timed(lambda: ours(x)) / len(x))  # noqa: B023
            others.append(timed(lambda: ways[chunk](x)) / len(x))  # noqa: B023
            ratios.append(others[-1] / seconds[-1])
        ratio = statistics.median(ratios)
        good &= ratio >= NEEDED and difference <= DIFFERENCE
        print(
            f"{title:10}{statistics.median(seconds):14.4f} s{statistics.median(others):12.4f} s{chunk:7}{ratio:8.2f}{NEEDED:8.1f}"
            f"{difference:12.1e}",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
