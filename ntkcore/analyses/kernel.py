"""The kernel of one network on one image set: its diagonal, the whole of it, its spectrum; each stored once."""

import itertools
import warnings
from collections.abc import Callable

import numpy as np
import torch

from ntkcore.analyses.network import content_of, identity_of, network, one_device, rate_name, state_at, timed
from ntkcore.analyses.progress import TRAINING, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import ComputationError
from ntkcore.kernels import FallbackWarning, mean_ntk, ntk_diagonal
from ntkcore.linalg import eigh
from ntkcore.specs import KernelSpec, RunSpec, key_of
from ntkcore.store import Artifact

KERNEL_VERSION = 1  # raise when the numbers of a kernel change
TILE = 256  # images on a side of a stored tile


def kernel_key(spec: KernelSpec, ws: Workspace) -> str:
    """Key shared by the artifacts of one kernel (kinds ``diagonal``, ``kernel`` and ``spectrum``)."""
    return key_of("kernel", KERNEL_VERSION, spec, content_of(spec.dataset, spec.model, ws))


def kernel_network(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter) -> torch.nn.Module:
    """The network whose kernel is meant: at its epoch, in its dtype, on the reporter's device, in eval mode.

    A network at a later epoch is trained up to it if its state is not stored; that is reported as training.
    """
    module = network(spec.model, dataset, ws)
    if spec.training is not None:
        run = RunSpec(dataset=spec.dataset, model=spec.model, training=spec.training)
        state_at(run, dataset, ws, reporter, TRAINING).load_into(module)
    return module.eval().to(reporter.device, torch.float64 if spec.dtype == "float64" else torch.float32)


def ensure_diagonal(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str) -> Artifact:
    """The artifact holding ``score`` (n,): k(x,x), the mean over outputs of ‖∇θ f_o(x)‖²."""
    key = kernel_key(spec, ws)
    if ws.store.state("diagonal", key) != "ready":
        with ws.store.draft("diagonal", key, identity_of(spec, KERNEL_VERSION), waiting=lambda: reporter.report(stage, 0)) as draft:
            if draft is not None:
                one_device(draft, reporter, ("score", "notes"))
                draft.create("score", (dataset.n,), "float64", (TILE,))
                missing = draft.missing("score")
                module = kernel_network(spec, dataset, ws, reporter) if missing else None
                inputs = _inputs(spec, dataset)
                notes: set[str] = set(draft.get_json("notes") or ())
                for position, (tile,) in enumerate(missing):
                    rows = slice(tile * TILE, (tile + 1) * TILE)
                    with timed(ws, rate_name(f"diagonal-{spec.dtype}", spec.model, dataset, reporter.device), len(inputs[rows])):
                        whole = _share(reporter, stage, dataset.n, position, len(missing))
                        score, said = _saying(ntk_diagonal, module, inputs[rows], device=reporter.device, progress=whole)
                    notes |= said
                    draft.put_json("notes", sorted(notes))
                    draft.write("score", (tile,), score)
                draft.publish({"notes": sorted(notes), "device": reporter.device})
    reporter.report(stage, dataset.n)
    return ws.store.open("diagonal", key)


def ensure_kernel(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str) -> Artifact:
    """The artifact holding ``kernel`` (n, n): (1/k) Σ_o Θ_oo, whose diagonal is the learnability score.

    Tiles above the diagonal are computed; each is stored with its mirror image.
    """
    key = kernel_key(spec, ws)
    n = dataset.n
    if ws.store.state("kernel", key) != "ready":
        with ws.store.draft("kernel", key, identity_of(spec, KERNEL_VERSION), waiting=lambda: reporter.report(stage, 0)) as draft:
            if draft is not None:
                one_device(draft, reporter, ("kernel", "notes"))
                draft.create("kernel", (n, n), spec.dtype, (TILE, TILE))
                missing = set(draft.missing("kernel"))
                pairs = [
                    pair
                    for pair in itertools.combinations_with_replacement(range(-(-n // TILE)), 2)
                    if pair in missing or pair[::-1] in missing
                ]
                module = kernel_network(spec, dataset, ws, reporter) if pairs else None
                inputs = _inputs(spec, dataset)
                notes: set[str] = set(draft.get_json("notes") or ())
                for position, (row, column) in enumerate(pairs):
                    rows, columns = (slice(t * TILE, (t + 1) * TILE) for t in (row, column))
                    other = None if row == column else inputs[columns]
                    area = len(inputs[rows]) * len(inputs[columns])
                    with timed(ws, rate_name(f"kernel-{spec.dtype}", spec.model, dataset, reporter.device), area):
                        whole = _share(reporter, stage, kernel_tiles(n), kernel_tiles(n) - len(pairs) + position, kernel_tiles(n))
                        block, said = _saying(mean_ntk, module, inputs[rows], other, device=reporter.device, progress=whole)
                    notes |= said
                    draft.put_json("notes", sorted(notes))
                    draft.write("kernel", (row, column), block)
                    if row != column:
                        draft.write("kernel", (column, row), block.T)
                draft.publish({"notes": sorted(notes), "device": reporter.device})
    reporter.report(stage, kernel_tiles(n))
    return ws.store.open("kernel", key)


def kernel_tiles(n: int) -> int:
    """Tiles of a symmetric kernel that are computed."""
    side = -(-n // TILE)
    return side * (side + 1) // 2


def ensure_spectrum(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str, kernel_stage: str) -> Artifact:
    """The artifact holding ``values`` (n,) ascending and ``vectors`` (n, n) of the kernel, float64.

    Rounding of a float32 kernel can leave tiny negative eigenvalues; they are stored as they are and the consumer
    decides (:func:`ntkcore.learnability.full_decay` documents its choice).
    """
    key = kernel_key(spec, ws)
    n = dataset.n
    if ws.store.state("spectrum", key) != "ready":
        kernel = ensure_kernel(spec, dataset, ws, reporter, kernel_stage).read("kernel").astype(np.float64)
        with ws.store.draft("spectrum", key, identity_of(spec, KERNEL_VERSION), waiting=lambda: reporter.report(stage, 0)) as draft:
            if draft is not None:
                with timed(ws, f"spectrum {reporter.device}", n**3):
                    values, vectors = _eigh(kernel, reporter, stage)
                draft.create("values", (n,), "float64", (n,))
                draft.create("vectors", (n, n), "float64", (n, TILE))
                draft.write("values", (0,), values)
                for tile in range(-(-n // TILE)):
                    draft.write("vectors", (0, tile), vectors[:, tile * TILE : (tile + 1) * TILE])
                draft.publish({"smallest": float(values[0]), "largest": float(values[-1]), "device": reporter.device})
    reporter.report(stage, 1)
    return ws.store.open("spectrum", key)


def _eigh(kernel: np.ndarray, reporter: Reporter, stage: str) -> tuple[np.ndarray, np.ndarray]:
    if not np.isfinite(kernel).all():
        raise ComputationError(
            "The kernel holds values that are not finite.", "Train with a smaller learning rate, or take it at an earlier epoch."
        )
    if reporter.device == "cpu":
        return eigh(kernel, lambda: reporter.report(stage, 0))
    values, vectors = torch.linalg.eigh(torch.from_numpy(kernel).to(reporter.device))
    return values.cpu().numpy(), vectors.cpu().numpy()


def _share(reporter: Reporter, stage: str, total: float, before: int, parts: int) -> Callable[[int, int], None]:
    """Progress within one part of many, reported as progress of the whole; a long tile can so be cancelled half-way."""
    return lambda done, of: reporter.report(stage, total * (before + done / max(of, 1)) / parts)


def _inputs(spec: KernelSpec, dataset: Dataset) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(dataset.inputs, dtype=spec.dtype))


def _saying(function, *args, **kwargs):  # type: ignore[no-untyped-def]  # passes any kernel function through
    """Call, returning the result and what its FallbackWarnings said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FallbackWarning)
        result = function(*args, **kwargs)
    return result, {str(item.message) for item in caught if issubclass(item.category, FallbackWarning)}
