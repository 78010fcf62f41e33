"""What a map will need, and its stages.

Memory at the peak: images, network, and what the kernel's tiles leave behind, as for an influence analysis; then the kernel itself, n²
numbers, and in a closed form's case two more of its size while it is made. Beside a large one no matrix is decomposed: Lanczos takes
products alone.
"""

import numpy as np

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, decomposing
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import checked, influence_stages, network_memory
from ntkcore.analyses.materials.probes import decomposition
from ntkcore.analyses.progress import PAIRS, SPECTRUM, Stage
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.embedding import nearest, neighbour_embedding
from ntkcore.linalg import SMALL
from ntkcore.specs.map import AXES, MapSpec

PLANE, NEAREST, EMBEDDING = "Leading eigenvectors", "Nearest images", "Neighbour embedding"
KEPT = 100
"""Nearest images of each that are kept."""
NEAREST_RATE, EMBEDDING_RATE, PRODUCT_RATE = "nearest images cpu", "neighbour embedding cpu", "kernel products cpu"
"""Remembered rates: seconds a pair, an image, and a pair in one product of the kernel with a vector."""
PRODUCTS = 60  # that Lanczos takes for ten eigenvectors, about
_PROBED = 400  # images
_EMBEDDING_MEMORY = 4000  # bytes an image: the neighbours' graph, three times the perplexity, in both directions; and the libraries'
_LIBRARIES = 120 * 2**20


def forecast_map(spec: MapSpec, ws: Workspace) -> Forecast:
    """Forecast one map from this machine's measured rates; measures a rate it has never seen.

    Raises:
        AtlasError: when the data or the network cannot be had at all.
    """
    sample = checked(spec.influence, ws)
    return _needs(spec, sample, ws).forecast(lambda: map_stages(spec, sample, ws), ws)


def map_refusal(spec: MapSpec, ws: Workspace) -> str:
    """Why it cannot fit on this machine, or "".

    Raises:
        AtlasError: it cannot be had at all.
    """
    return _needs(spec, checked(spec.influence, ws), ws).refusal(ws)[0]


def map_stages(spec: MapSpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of the job, with their expected seconds."""
    n = spec.dataset.n
    made = [stage for stage in influence_stages(spec.influence, sample, ws) if stage.name != SPECTRUM]
    if INFLUENCE.ready(spec.influence, ws):  # its kernel is read
        read = 5e-9 * n * n * (sample.outputs**2 if spec.kernel == "full" else 1)
        made = [made[0], Stage(PAIRS, "pairs", made[-1].total, 0.05 + read)]
    near, image, product = _rates(ws)
    plane = decomposition(n, ws) if n <= SMALL else PRODUCTS * product * n * n
    return (
        *made,
        Stage(PLANE, "eigenvectors", AXES, 0.02 + plane),
        Stage(NEAREST, "images", n, 0.02 + near * n * n),
        Stage(EMBEDDING, "images", n, 2.0 + image * n),  # its library is loaded first
    )


def _rates(ws: Workspace) -> tuple[float, ...]:
    def probe() -> tuple[float, float, float]:
        rows = np.random.default_rng(0).standard_normal((_PROBED, 20))
        kernel = (rows @ rows.T).astype(np.float32)
        nearest(kernel, 10)  # loads what it calls
        with clocked() as ranked:
            found = nearest(kernel, KEPT)
        start = rows[:, :2]
        neighbour_embedding(found.near, found.distances, start, steps=10)
        with clocked() as laid:
            neighbour_embedding(found.near, found.distances, start)
        wide = np.ones((2048, 2048), dtype=np.float32)
        with clocked() as product:
            for _ in range(10):
                wide @ wide[0]
        return ranked.alone / _PROBED**2, laid.alone / _PROBED, product.alone / (10 * wide.size)

    found = ws.rates.all_of((NEAREST_RATE, EMBEDDING_RATE, PRODUCT_RATE), probe)
    assert found is not None  # a probe was given
    return found


def _needs(spec: MapSpec, sample: Dataset, ws: Workspace) -> Needs:
    k, m = sample.outputs, spec.test
    blocks = k * k if spec.kernel == "full" else 1
    shape, network = sample.inputs.shape[1:], network_memory(spec.influence, sample, ws)
    stored = INFLUENCE.ready(spec.influence, ws)
    bytes_of = 4 if spec.kernel in ("pseudo", "full") and spec.dtype == "float32" else 8
    copies = 3 if spec.kernel in ("two-layer", "infinite") and not stored else 1

    def memory(n: int) -> int:
        images = int(np.prod(shape)) * 8 * (n + m) * 3
        kernel = bytes_of * copies * n * (n + m)
        after = bytes_of * n * (n + m) + (decomposing(n) if n <= SMALL else 0) + _LIBRARIES + _EMBEDDING_MEMORY * n
        return BASE_MEMORY + images + max(0 if stored else network(n, m) + kernel, after)

    def disk(n: int) -> int:
        kernel = 0 if stored else bytes_of * blocks * n * (n + m)
        each = AXES * 8 + 64 + sample.pixels[0].size
        return kernel + m * each + n * (KEPT * 24 + k * 8 + each) + 2**20

    return Needs(spec.dataset.n, memory, disk, ", or more with a kernel that serves all outputs" if blocks > 1 else "")
