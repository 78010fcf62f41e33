"""The kernel of an influence analysis: training images with each other, and held-out images with them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from ntkcore.analyses.drafts import put_array
from ntkcore.analyses.materials.kernel import kernel_network
from ntkcore.analyses.materials.network import outputs_of, rate_name
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.materials.tiles import TILE, fill_kernel, inputs_of, learn_kernel_rates, ways_of
from ntkcore.analyses.progress import PAIRS, TRAINING, Reporter
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.architecture import Chain, chain_of
from ntkcore.data import Dataset
from ntkcore.errors import DataError, ModelError
from ntkcore.kernels import Compression, infinite_ntk, two_layer_relu_ntk
from ntkcore.kernels.doctor import batch_invariance, compression_error
from ntkcore.specs import KernelSpec, ModelSpec, Outputs
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.store import Draft

KEPT = 2000
"""Weights of each parameter tensor that a compression keeps, as the paper does (Unique-info §5)."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """What is known once the draft holds ``k_train`` and ``k_test``.

    Attributes:
        f_train, f_test: (n, k) and (m, k) the network's outputs where its kernel is taken; zeros for infinite width.
        dtype: precision of the kernels.
        invariance: relative difference between batches of two sizes; None where there are no batches.
        compression_error: relative error of the compression on an exact block; None without one.
        notes: what a reader should know.
    """

    f_train: np.ndarray
    f_test: np.ndarray
    dtype: str
    invariance: float | None
    compression_error: float | None
    notes: frozenset[str]


def fill_kernels(spec: InfluenceSpec, split: Split, draft: Draft, ws: Workspace, reporter: Reporter) -> Kernels:
    """Fill both kernels; finished tiles of a network's kernel stay from an earlier attempt, those of a closed form are soon made again.

    Raises:
        AtlasError: the data have no such kernel, or the training diverged.
    """
    if spec.kernel in ("pseudo", "full"):
        return _of_network(spec, split, draft, ws, reporter)
    train, test = (prepared(spec, inputs, split.train) for inputs in (split.train.inputs, split.test_inputs))
    n, m, k = len(train), len(test), split.train.outputs
    whole = n * n + m * n
    rate = closed_rate_name(spec, split.train)
    with clocked() as taken:
        for name, rows, before in (("k_train", train, 0), ("k_test", test, n * n)):
            columns = None if name == "k_train" else train
            if spec.kernel == "two-layer":
                values = two_layer_relu_ntk(rows, columns)
            else:
                model = spec.model
                assert model is not None
                told = _part(reporter, before, len(rows) * n)
                values = infinite_ntk(chain(model, split.train), rows, columns, initialisation=model.initialisation, progress=told)
            put_array(draft, name, values, (TILE, n))
            reporter.report(PAIRS, before + len(rows) * n)
    begun = ws.rates.get(beginning(rate)) or 0.0
    ws.rates.learn(rate, max(taken.alone - begun, taken.alone / 10), whole, taken.others)
    return Kernels(np.zeros((n, k)), np.zeros((m, k)), "float64", None, None, frozenset())


def fill_held(spec: InfluenceSpec, split: Split, draft: Draft, ws: Workspace, reporter: Reporter) -> frozenset[str]:
    """Fill ``k_held``, the same kernel of the held-out images with each other; gives what a reader should know of it.

    Raises:
        AtlasError: the training before a network's kernel diverged.
    """
    m = len(split.test_labels)
    if spec.kernel not in ("pseudo", "full"):
        rows = prepared(spec, split.test_inputs, split.train)
        if spec.model is None:
            values = two_layer_relu_ntk(rows)
        else:
            told = _part(reporter, 0, m * m)
            values = infinite_ntk(chain(spec.model, split.train), rows, initialisation=spec.model.initialisation, progress=told)
        put_array(draft, "k_held", values, (TILE, m))
        reporter.report(PAIRS, m * m)
        return frozenset()
    kernel, outputs, module = _network_at(spec, split, ws, reporter)
    z = torch.from_numpy(np.ascontiguousarray(split.test_inputs, dtype=spec.dtype))
    kept, told = compression_of(spec), _part(reporter, 0, m * m)
    fill = partial(fill_kernel, draft, "k_held", module, z, ways=ways_of(draft, module, ws), outputs=outputs, k=split.train.outputs)
    found = fill(progress=told, compression=kept)
    learn_kernel_rates(kernel, outputs, split.train, ws, reporter.device, found, compressed=kept is not None)
    return found.notes


def prepared(spec: InfluenceSpec, inputs: np.ndarray, train: Dataset) -> np.ndarray:
    """Samples as a kernel of infinite width takes them: scaled to length 1, or normalised as the network does it.

    Raises:
        DataError: an image that is black everywhere, which has no direction.
    """
    if spec.kernel == "infinite":
        return normalised(inputs, train)
    values = inputs.astype(np.float64)
    norms = np.linalg.norm(values.reshape(len(values), -1), axis=1)
    if not norms.all():
        raise DataError(
            f"{int((norms == 0).sum())} images are black everywhere, and the two-layer kernel scales each image to length 1.",
            "Choose other images, or another kernel.",
        )
    return np.asarray(values / norms.reshape((-1,) + (1,) * (values.ndim - 1)))


def normalised(inputs: np.ndarray, train: Dataset) -> np.ndarray:
    """Samples as the network normalises them, by the training images' statistics, in float64."""
    shape = (-1,) + (1,) * (inputs.ndim - 2)
    return np.asarray((inputs.astype(np.float64) - train.mean.reshape(shape)) / train.std.reshape(shape))


def chain(model: ModelSpec, train: Dataset) -> Chain:
    """The network's layers."""
    found = chain_of(model.architecture, train.outputs, model.width, model.depth)
    if found is None:  # the specification refuses it before
        raise ModelError(f"The infinite width of {model.architecture} is not known.", "Choose another network.")
    return found


def closed_rate_name(spec: InfluenceSpec, train: Dataset) -> str:
    """Name of the remembered seconds a pair of a kernel of infinite width."""
    if spec.model is None:
        return f"two-layer {int(np.prod(train.inputs.shape[1:]))}"
    return rate_name("infinite", spec.model.model_copy(update={"seed": 0}), train, "cpu")


def beginning(rate: str) -> str:
    """Name of the remembered seconds until such a kernel has begun."""
    return f"beginning {rate}"


def _of_network(spec: InfluenceSpec, split: Split, draft: Draft, ws: Workspace, reporter: Reporter) -> Kernels:
    kernel, outputs, module = _network_at(spec, split, ws, reporter)
    x = inputs_of(split.train, spec.dtype)
    z = torch.from_numpy(np.ascontiguousarray(split.test_inputs, dtype=spec.dtype))
    f_train, f_test = (values.astype(np.float64) for values in outputs_of(module, split))
    n, m, k = len(x), len(z), split.train.outputs
    kept = compression_of(spec)
    fill = partial(fill_kernel, draft, ways=ways_of(draft, module, ws), outputs=outputs, k=k, compression=kept)
    train = fill("k_train", module, x, progress=_part(reporter, 0, n * n))
    test = fill("k_test", module, z, x, progress=_part(reporter, n * n, m * n))
    learn_kernel_rates(kernel, outputs, split.train, ws, reporter.device, train, test, compressed=kept is not None)
    invariance = batch_invariance(module, x, outputs, device=reporter.device)
    error = None if kept is None else compression_error(module, x, outputs, kept, device=reporter.device)
    return Kernels(f_train, f_test, spec.dtype, invariance, error, train.notes | test.notes)


def _network_at(spec: InfluenceSpec, split: Split, ws: Workspace, reporter: Reporter) -> tuple[KernelSpec, Outputs, torch.nn.Module]:
    """The network whose kernel is taken, and which."""
    assert spec.model is not None
    outputs: Outputs = "pseudo" if spec.kernel == "pseudo" else "full"
    kernel = KernelSpec(dataset=spec.dataset, model=spec.model, training=spec.training, dtype=spec.dtype, outputs=outputs)
    return kernel, outputs, kernel_network(kernel, split.train, ws, reporter, TRAINING)


def compression_of(spec: InfluenceSpec) -> Compression | None:
    """How the network's gradients are compressed: the weights that are kept follow the network's seed, for all images alike."""
    if spec.compression == "none" or spec.model is None:
        return None
    return Compression("subset", size=KEPT, seed=spec.model.seed)


def _part(reporter: Reporter, before: int, size: int) -> Callable[[float, float], None]:
    """Progress of one of the two kernels, as progress of both."""
    return lambda done, of: reporter.report(PAIRS, before + size * done / max(of, 1))
