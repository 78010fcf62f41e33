"""Memory that work on a network takes of its process, from the sizes of its layers; on a GPU it takes none of that."""

import torch

from ntkcore.analyses.materials.network import network, plain_head
from ntkcore.analyses.materials.tiles import TILE, inputs_of, tile_side
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.kernels import Compression
from ntkcore.kernels.checks import as_batch
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.memory import likely_for_norms, likely_for_tiles
from ntkcore.kernels.plan import LayerPlan
from ntkcore.kernels.probe import activation_numbers
from ntkcore.models import describe_model
from ntkcore.specs import ModelSpec, Outputs

_KEPT = 2**16  # bytes of a plan, about


def kernel_memory(
    outputs: Outputs, model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace, compression: Compression | None = None
) -> "KernelMemory":
    """Of a kernel, for any number of images; the network is looked at once."""

    def made() -> Engine:
        engine = _engine(outputs, model, dtype, sample, ws)
        engine.compress(compression)
        return engine

    def size(engine: Engine) -> int:
        return _KEPT + sum(p.nbytes for p in engine.model.parameters())

    key = ("kernel memory", outputs, _alike(model), dtype, sample.inputs.shape[1:], sample.outputs, compression)
    return KernelMemory(ws.hot.get(key, made, size), tile_side(outputs, sample.outputs, dtype))


class KernelMemory:
    """Bytes of a kernel by the numbers of images, training and held out."""

    def __init__(self, engine: Engine, tile: int) -> None:
        self._engine, self._tile = engine, tile

    @property
    def plan(self) -> LayerPlan:
        """How each parameter is treated."""
        return self._engine.plan

    def __call__(self, n: int, m: int = 0) -> int:
        return likely_for_tiles(self._engine, n, m, self._tile)


def norms_memory(model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace) -> int:
    """Of k(x,x) of any number of images."""
    key = ("norms memory", _alike(model), dtype, sample.inputs.shape[1:], sample.outputs)
    return ws.hot.get(key, lambda: likely_for_norms(_engine("mean", model, dtype, sample, ws), TILE), lambda _: 1)


def parameters(model: ModelSpec, sample: Dataset, ws: Workspace) -> int:
    """Numbers that a network learns."""
    shape, outputs = sample.inputs.shape[1:], sample.outputs

    def described() -> int:
        return describe_model(model, input_shape=shape, outputs=outputs, class_names=sample.class_names).parameters

    return ws.hot.get(("parameters", model.canonical(), shape, outputs), described, lambda _: 1)


def activations(model: ModelSpec, sample: Dataset, ws: Workspace) -> int:
    """Numbers that the layers of a network put out for one image."""

    def counted() -> int:
        module = network(plain_head(model), sample, ws)
        return activation_numbers(module, as_batch(inputs_of(sample, "float32")[:1], next(module.parameters())))

    return ws.hot.get(("activations", _alike(model), sample.inputs.shape[1:], sample.outputs), counted, lambda _: 1)


def _engine(outputs: Outputs, model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace) -> Engine:
    module = network(plain_head(model), sample, ws).to(ws.device, getattr(torch, dtype))
    return Engine(module, inputs_of(sample, dtype)[:2], outputs=outputs)


def _alike(model: ModelSpec) -> str:
    """Networks of equal layers."""
    return plain_head(model).model_copy(update={"seed": 0}).canonical()
