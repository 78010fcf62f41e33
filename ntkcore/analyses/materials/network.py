"""A network on an image set: its training record and its state at an epoch, each computed once and stored."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ntkcore.analyses.drafts import identity_of, one_device
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.progress import Reporter
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash
from ntkcore.errors import ComputationError
from ntkcore.models import EpochRecord, TrainingState, build_model, evaluate, train, weights_content
from ntkcore.specs import DatasetSpec, Method, ModelSpec, RunSpec, TrainingSpec, key_of
from ntkcore.store import Artifact, Draft

TRAINING_METHOD = Method("training", 1)  # raise when the numbers of a training change


def content_of(dataset: DatasetSpec, model: ModelSpec, ws: Workspace) -> dict[str, str]:
    """Content hashes of the data and the weights that a specification only names."""
    return {"data": content_hash(dataset, ws.settings), "weights": weights_content(model, ws.settings.weights_paths)}


def run_key(run: RunSpec, ws: Workspace) -> str:
    """Key of a training record."""
    return key_of("training", TRAINING_METHOD.version, run, content_of(run.dataset, run.model, ws), (TRAINING_METHOD,))


def network(spec: ModelSpec, dataset: Dataset, ws: Workspace) -> torch.nn.Module:
    """The network of ``spec`` for the images of ``dataset``, at its initialisation."""
    return build_model(
        spec,
        input_shape=dataset.inputs.shape[1:],
        outputs=dataset.outputs,
        class_names=dataset.class_names,
        mean=dataset.mean,
        std=dataset.std,
        weights_paths=ws.settings.weights_paths,
        examples=(dataset.inputs, dataset.targets),
    )


def plain_head(model: ModelSpec) -> ModelSpec:
    """The same network with a head that costs as much and needs no images to be fitted on, for what is timed and measured."""
    return model.model_copy(update={"head": "random", "head_size": None}) if model.head_start == "ridge" else model


def outputs_of(module: torch.nn.Module, split: Split, progress: Callable[[int, int], None] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) and (m, k) the network's outputs on the training and the held-out images, computed where it is.

    Raises:
        ComputationError: some are not finite.
    """
    device = next(module.parameters()).device
    found = [evaluate(module, inputs, device=device, progress=progress) for inputs in (split.train.inputs, split.test_inputs)]
    if not all(np.isfinite(values).all() for values in found):
        raise ComputationError("The network's outputs are not finite on some images.", "Train with a smaller learning rate.")
    return found[0], found[1]


def ensure_training(run: RunSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str, keep: Collection[int]) -> Artifact:
    """The training record of ``run``: ``outputs`` (epochs + 1, n, k), after every epoch, epoch 0 being the initialisation.

    An interrupted training resumes after its last whole epoch. The network's states at the epochs of ``keep`` are stored on
    the way, each as an artifact of its own (:func:`state_at`), so that one training serves every look at the network.

    Raises:
        ComputationError: the training diverged; states of earlier epochs stay.
    """
    key = run_key(run, ws)
    n, epochs = dataset.n, run.training.epochs
    if ws.store.state("training", key) != "ready":
        with ws.store.draft(
            "training", key, identity_of(run, TRAINING_METHOD.version, (TRAINING_METHOD,)), waiting=lambda: reporter.report(stage, 0)
        ) as draft:
            if draft is not None:  # None: another process finished it while this one waited
                one_device(draft, reporter, ("outputs", "checkpoint"))
                draft.create("outputs", (epochs + 1, n, dataset.outputs), "float32", (1, n, dataset.outputs))
                missing = {tile[0] for tile in draft.missing("outputs")}
                device_seconds = _train_missing(run, dataset, ws, reporter, stage, draft, missing, keep)
                draft.drop("checkpoint")
                draft.publish({"seconds": device_seconds, "device": reporter.device})
    reporter.report(stage, epochs * n)
    return ws.store.open("training", key)


def _train_missing(
    run: RunSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str, draft: Draft, missing: set[int], keep: Collection[int]
) -> float:
    started = time.monotonic()
    if not missing:
        return 0.0
    last = max(missing.union(keep))
    for record in _epochs(run, dataset, ws, reporter, stage, _checkpoint(draft, missing)):
        if record.epoch in missing:
            draft.write("outputs", (record.epoch, 0, 0), record.outputs[None].astype(np.float32))
        if record.epoch in keep and record.epoch > 0:
            _store_state(run, record.state, ws, reporter)  # before the checkpoint, after which this epoch is not met again
        draft.put_blob("checkpoint", record.state.to_bytes())
        if record.epoch >= last:
            break  # a repair needs no epoch after the damaged one
    return time.monotonic() - started


def _checkpoint(draft: Draft, missing: set[int]) -> TrainingState | None:
    """The state to go on from: the draft's last one, unless an epoch before it was lost."""
    blob = draft.get_blob("checkpoint")
    if blob is None:
        return None
    state = TrainingState.from_bytes(blob)
    return state if all(epoch > state.epoch for epoch in missing) else None


def _epochs(
    run: RunSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str, resume: TrainingState | None
) -> Iterator[EpochRecord]:
    units = run.training.epochs * dataset.n
    name = rate_name(training_work(run.training, dataset.n), run.model, dataset, reporter.device)
    records = train(
        network(run.model, dataset, ws),
        dataset.inputs,
        dataset.targets,
        run.training,
        device=reporter.device,
        resume=resume,
        progress=lambda done, total: reporter.report(stage, units * done / total),
    )
    while True:
        with clocked(reporter.device) as taken:
            record = next(records, None)
        if record is None:
            return
        if record.epoch > 0:
            ws.rates.learn(name, taken.alone, dataset.n, taken.others)
        yield record


def ensure_states(run: RunSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str, epochs: Collection[int]) -> None:
    """Store the network's states after these epochs of ``run``: those missing are made in one training, from the last stored one on.

    Raises:
        ComputationError: the training diverged; the states before that are stored.
    """
    missing = sorted(epoch for epoch in epochs if not has_state(until(run, epoch), ws))
    if not missing:
        return
    earlier = [epoch for epoch in epochs if epoch < missing[0]]
    resume = _stored_state(until(run, max(earlier)), ws) if earlier else None
    for record in _epochs(until(run, missing[-1]), dataset, ws, reporter, stage, resume):
        if record.epoch in missing:
            _store_state(run, record.state, ws, reporter)


def state_at(run: RunSpec, dataset: Dataset, ws: Workspace, reporter: Reporter, stage: str) -> TrainingState:
    """The network's state after the last epoch of ``run``, from the store or by training up to it."""
    ensure_states(run, dataset, ws, reporter, stage, (run.training.epochs,))
    return _stored_state(run, ws)


def has_state(run: RunSpec, ws: Workspace) -> bool:
    """Whether the network's state after the last epoch of ``run`` is stored."""
    return ws.store.state("state", run_key(run, ws)) == "ready"


def until(run: RunSpec, epoch: int) -> RunSpec:
    """``run`` up to an epoch."""
    return run.model_copy(update={"training": run.training.model_copy(update={"epochs": epoch})})


def _stored_state(run: RunSpec, ws: Workspace) -> TrainingState:
    return TrainingState.from_bytes(ws.store.open("state", run_key(run, ws)).blob("state"))


def _store_state(run: RunSpec, state: TrainingState, ws: Workspace, reporter: Reporter) -> None:
    to_here = until(run, state.epoch)
    if has_state(to_here, ws):
        return
    with ws.store.draft("state", run_key(to_here, ws), identity_of(to_here, TRAINING_METHOD.version, (TRAINING_METHOD,))) as draft:
        if draft is not None:
            draft.put_blob("state", state.to_bytes())
            draft.publish({"device": reporter.device})


def training_work(training: TrainingSpec, n: int) -> str:
    """The kind of work training is: small batches cost more an image."""
    return f"training-{min(training.batch_size or n, n)}"


def rate_name(work: str, model: ModelSpec, dataset: Dataset, device: str) -> str:
    """Name of a remembered rate: seconds per image of one kind of work on one network."""
    shape = "x".join(map(str, dataset.inputs.shape[1:]))
    return f"{work} {device} {model.architecture}-{model.width}-{model.depth or 0}{seen_name(model)} {shape} {dataset.outputs}"


def seen_name(model: ModelSpec) -> str:
    """What a rate's name says of the parameters that are seen, of which most of the work is; nothing where they are all."""
    return "" if model.seen == "all" else f" sees {model.seen}"


@contextmanager
def timed(ws: Workspace, name: str, units: float) -> Iterator[None]:
    """Learn the rate ``name`` from the time the block takes, if it finishes."""
    with clocked(ws.device) as taken:
        yield
    ws.rates.learn(name, taken.alone, units, taken.others)
