"""The kernel of one network on one image set: its diagonal, the whole of it, its spectrum; each stored once."""

from collections.abc import Callable

import numpy as np
import torch

from ntkcore.analyses.drafts import identity_of, one_device, put_array
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of, network, rate_name, state_at, timed
from ntkcore.analyses.materials.tiles import TILE, fill_kernel, inputs_of, kernel_tiles, learn_kernel_rates, listening, tile_side, ways_of
from ntkcore.analyses.progress import TRAINING, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import ComputationError
from ntkcore.kernels import ntk_diagonal
from ntkcore.kernels.doctor import batch_invariance, examine
from ntkcore.linalg import eigh
from ntkcore.specs import KernelSpec, Method, RunSpec, key_of
from ntkcore.specs.convergence import ComparisonSpec
from ntkcore.store import Artifact

KERNEL_METHOD = Method("kernel", 2)  # raise when the numbers of a kernel change
USES = (KERNEL_METHOD, TRAINING_METHOD)


def kernel_key(spec: KernelSpec, ws: Workspace) -> str:
    """Key shared by the artifacts of one kernel (kinds ``diagonal``, ``kernel`` and ``spectrum``)."""
    return key_of("kernel", KERNEL_METHOD.version, spec, content_of(spec.dataset, spec.model, ws), USES)


def kernel_network(
    spec: KernelSpec | ComparisonSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str = TRAINING
) -> torch.nn.Module:
    """The network whose kernel is meant: at its epoch, in its dtype, on the reporter's device, in eval mode.

    A network at a later epoch is trained up to it if its state is not stored; that is reported as ``stage``.
    """
    module = network(spec.model, dataset, ws)
    if (run := run_of(spec)) is not None:
        state_at(run, dataset, ws, reporter, stage).load_into(module)
    return module.eval().to(reporter.device, torch.float64 if spec.dtype == "float64" else torch.float32)


def run_of(spec: KernelSpec | ComparisonSpec) -> RunSpec | None:
    """The training up to the epoch at which the network is looked at; None: at initialisation."""
    return None if spec.training is None else RunSpec(dataset=spec.dataset, model=spec.model, training=spec.training)


def ensure_diagonal(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str) -> Artifact:
    """The artifact holding ``score`` (n,): k(x,x), the mean over outputs of ‖∇θ f_o(x)‖²."""
    key = kernel_key(spec, ws)
    if ws.store.state("diagonal", key) != "ready":
        with ws.store.draft(
            "diagonal", key, identity_of(spec, KERNEL_METHOD.version, USES), waiting=lambda: reporter.report(stage, 0)
        ) as draft:
            if draft is not None:
                one_device(draft, reporter, ("score", "notes"))
                draft.create("score", (dataset.n,), "float64", (TILE,))
                missing = draft.missing("score")
                module = kernel_network(spec, dataset, ws, reporter)
                inputs, ways = inputs_of(dataset, spec.dtype), ways_of(draft, module, ws)
                notes: set[str] = set(draft.get_json("notes") or ())
                for position, (tile,) in enumerate(missing):
                    rows = slice(tile * TILE, (tile + 1) * TILE)
                    with timed(ws, rate_name(f"diagonal-{spec.dtype}", spec.model, dataset, reporter.device), len(inputs[rows])):
                        whole = _share(reporter, stage, dataset.n, position, len(missing))
                        with listening() as heard:
                            score = ntk_diagonal(module, inputs[rows], device=reporter.device, ways=ways, progress=whole)
                            notes |= heard()
                    draft.put_json("notes", sorted(notes))
                    draft.write("score", (tile,), score)
                draft.publish({"notes": sorted(notes), "device": reporter.device})
    reporter.report(stage, dataset.n)
    return ws.store.open("diagonal", key)


def ensure_kernel(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str) -> Artifact:
    """The artifact holding ``kernel``: (n, n), or (n, n, k, k) for ``outputs="full"``, in tiles.

    With ``outputs="mean"`` it is (1/k) Σ_o Θ_oo, whose diagonal is the learnability score. Tiles on and above the diagonal are
    computed; each is stored with its mirror image. Its ``info`` tells ``batch_invariance``, the relative difference between a
    probe block computed in batches of two sizes.
    """
    key = kernel_key(spec, ws)
    tiles = kernel_tiles(dataset.n, tile_side(spec.outputs, dataset.outputs, spec.dtype))
    if ws.store.state("kernel", key) != "ready":
        with ws.store.draft(
            "kernel", key, identity_of(spec, KERNEL_METHOD.version, USES), waiting=lambda: reporter.report(stage, 0)
        ) as draft:
            if draft is not None:
                one_device(draft, reporter, ("kernel", "kernel-notes"))
                module, inputs = kernel_network(spec, dataset, ws, reporter), inputs_of(dataset, spec.dtype)
                whole = _share(reporter, stage, tiles, 0, 1)
                ways = ways_of(draft, module, ws)
                made = fill_kernel(draft, "kernel", module, inputs, ways=ways, outputs=spec.outputs, k=dataset.outputs, progress=whole)
                learn_kernel_rates(spec, spec.outputs, dataset, ws, reporter.device, made)
                invariance = batch_invariance(module, inputs, spec.outputs, device=reporter.device)
                draft.publish({"notes": sorted(made.notes), "batch_invariance": invariance, "device": reporter.device})
    reporter.report(stage, tiles)
    return ws.store.open("kernel", key)


def ensure_spectrum(spec: KernelSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str, kernel_stage: str) -> Artifact:
    """The artifact holding ``values`` (n,) ascending and ``vectors`` (n, n) of an (n, n) kernel, float64, and its ``doctor``.

    Rounding of a float32 kernel can leave tiny negative eigenvalues; they are stored as they are and the consumer
    decides (:func:`ntkcore.learnability.full_decay` documents its choice).
    """
    key = kernel_key(spec, ws)
    n = dataset.n
    if ws.store.state("spectrum", key) != "ready":
        source = ensure_kernel(spec, dataset, ws, reporter, kernel_stage)
        kernel = source.read("kernel").astype(np.float64)
        with ws.store.draft(
            "spectrum", key, identity_of(spec, KERNEL_METHOD.version, USES), waiting=lambda: reporter.report(stage, 0)
        ) as draft:
            if draft is not None:
                with timed(ws, f"spectrum {reporter.device}", n**3):
                    values, vectors = _eigh(kernel, reporter, stage)
                put_array(draft, "values", values)
                put_array(draft, "vectors", vectors, (n, TILE))
                doctor = examine(kernel, eigenvalues=values, dtype=spec.dtype, batch_invariance=source.info["batch_invariance"])
                draft.put_json("doctor", doctor.to_json())
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


def _share(reporter: Reporter, stage: str, total: float, before: int, parts: int) -> Callable[[float, float], None]:
    """Progress within one part of many, reported as progress of the whole; a long tile can so be cancelled half-way."""
    return lambda done, of: reporter.report(stage, total * (before + done / max(of, 1)) / parts)
