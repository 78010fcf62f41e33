"""Influence, from specification to result: a kernel on training and held-out images, decomposed once (IF-NTK; SCIENCE §3-5).

The job makes what takes long: the kernel, its eigenvectors, the network's outputs. Whatever depends on λ and on the training time is an
answer from these, given at once: :mod:`ntkcore.analyses.influence.views`.
"""

import time
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.drafts import identity_of, one_device, put_array
from ntkcore.analyses.influence.forecast import influence_stages
from ntkcore.analyses.influence.kernel import Kernels, fill_kernels
from ntkcore.analyses.materials.kernel import KERNEL_VERSION
from ntkcore.analyses.materials.network import TRAINING_VERSION, content_of, timed
from ntkcore.analyses.materials.split import Split, load_split
from ntkcore.analyses.materials.tiles import TILE
from ntkcore.analyses.progress import IMAGES, SPECTRUM, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import content_hash, thumbnail_pack
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import KernelDoctor, examine
from ntkcore.kernels.matrices import symmetrised
from ntkcore.linalg import eigh
from ntkcore.models import describe_model, epoch_time
from ntkcore.regression import KernelRegression
from ntkcore.specs import InfluenceSpec, key_of
from ntkcore.store import Artifact, Draft

KIND = "influence"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class InfluenceResult:
    """What every influence is answered from; arrays are float64.

    Attributes:
        spec, key: what was asked for, and its key.
        k_test: (m, n) or (m, n, k, k) kernel of held-out and training images.
        regression: of the training images, with its eigenvectors; its λ is 0: take another by ``with_ridge``.
        f_train, f_test: (n, k) and (m, k) the network's outputs where its kernel was taken; zeros for infinite width.
        labels, true_labels: (n,) after and before the label noise; ``test_labels`` (m,).
        class_names, ids, test_ids: names of the classes and of the images.
        pack, test_pack: ids of the thumbnails.
        epoch: τ of one epoch of the training that was chosen; None where there is none.
        doctor: of the training kernel.
        parameters: of the network; None for infinite width.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: InfluenceSpec
    key: str
    k_test: np.ndarray
    regression: KernelRegression
    f_train: np.ndarray
    f_test: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    test_ids: tuple[str, ...]
    pack: str
    test_pack: str
    epoch: float | None
    doctor: KernelDoctor
    parameters: int | None
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory, roughly: K, its vectors, G, and the test kernel."""
        return 3 * self.regression.eigen[1].nbytes + self.k_test.nbytes


def influence_key(spec: InfluenceSpec, ws: Workspace) -> str:
    """Key of the analysis, which is also the id of its job."""
    content = {"data": content_hash(spec.dataset, ws.settings)} if spec.model is None else content_of(spec.dataset, spec.model, ws)
    return key_of(KIND, VERSION * 10_000 + KERNEL_VERSION * 100 + TRAINING_VERSION, spec, content)


def is_ready(spec: InfluenceSpec, ws: Workspace) -> bool:
    """Whether the analysis is stored."""
    return ws.store.state(KIND, influence_key(spec, ws)) == "ready"


def run_influence(spec: InfluenceSpec, ws: Workspace, reporter: Reporter) -> None:
    """Compute whatever of the analysis is not stored yet, and store it; a network's finished tiles stay when it is interrupted.

    Raises:
        AtlasError: the request cannot be met; says why and what to do.
        Cancelled: the user cancelled; what is finished stays.
    """
    if is_ready(spec, ws):
        return  # asked for again: there is no image to read
    started = time.monotonic()
    split = load_split(spec.dataset, spec.test, ws)
    reporter.plan(influence_stages(spec, split.train, ws))
    reporter.report(IMAGES, split.train.n + spec.test)
    identity = identity_of(spec, VERSION)
    with ws.store.draft(KIND, influence_key(spec, ws), identity, waiting=lambda: reporter.report(SPECTRUM, 0)) as draft:
        if draft is None:
            return
        one_device(draft, reporter, ("k_train", "k_test", "k_train-notes", "k_test-notes"))
        kernels = fill_kernels(spec, split, draft, ws, reporter)
        doctor = _decompose(spec, draft, kernels, ws, reporter)
        _write(spec, split, draft, kernels, doctor, ws)
        draft.publish({"notes": sorted(kernels.notes), "seconds": time.monotonic() - started, "device": reporter.device})
    reporter.report(SPECTRUM, 1)
    ws.store.evict()


def _decompose(spec: InfluenceSpec, draft: Draft, kernels: Kernels, ws: Workspace, reporter: Reporter) -> KernelDoctor:
    """Write the training kernel's eigenvalues and eigenvectors; its doctor."""
    kernel = draft.read("k_train")
    if not np.isfinite(kernel).all():
        raise ComputationError("The kernel holds values that are not finite.", "Train with a smaller learning rate.")
    matrix = symmetrised(kernel)
    with timed(ws, "spectrum cpu", len(matrix) ** 3):
        values, vectors = eigh(matrix, lambda: reporter.report(SPECTRUM, 0))
    put_array(draft, "values", values)
    put_array(draft, "vectors", vectors, (len(matrix), TILE))
    return examine(
        kernel,
        eigenvalues=values,
        dtype=kernels.dtype,
        batch_invariance=kernels.invariance,
        compression_error=kernels.compression_error,
    )


def _write(spec: InfluenceSpec, split: Split, draft: Draft, kernels: Kernels, doctor: KernelDoctor, ws: Workspace) -> None:
    train = split.train
    arrays = {
        "f_train": kernels.f_train,
        "f_test": kernels.f_test,
        "targets": train.targets.astype(np.float64),
        "labels": train.labels,
        "true_labels": train.true_labels,
        "test_labels": split.test_labels,
    }
    for name, values in arrays.items():
        put_array(draft, name, values)
    parameters = None
    if spec.kernel in ("pseudo", "full"):
        assert spec.model is not None
        shape = train.inputs.shape[1:]
        parameters = describe_model(spec.model, input_shape=shape, outputs=train.outputs, class_names=train.class_names).parameters
    draft.put_json("doctor", doctor.to_json())
    draft.put_json(
        "images",
        {
            "ids": list(train.ids),
            "test_ids": list(split.test_ids),
            "class_names": list(train.class_names),
            "pack": split.pack,
            "test_pack": thumbnail_pack(split.test_pixels, ws.settings, split.test_texts).id,
            "parameters": parameters,
        },
    )


def open_influence(spec: InfluenceSpec, ws: Workspace) -> InfluenceResult:
    """The stored result, from memory when it is hot.

    Raises:
        CorruptArtifact: a stored tile is damaged; :func:`ntkcore.analyses.requests.repair` computes it again.
        StoreError: it is not stored.
    """
    artifact = ws.store.open(KIND, influence_key(spec, ws))  # tells the store that it is in use, also when it is hot
    return ws.hot.get((KIND, artifact.key, artifact.info["created"]), lambda: _load(spec, artifact), lambda result: result.nbytes)


def _load(spec: InfluenceSpec, artifact: Artifact) -> InfluenceResult:
    images = artifact.json("images")
    f_train = artifact.read("f_train")
    eigen = artifact.read("values"), artifact.read("vectors")
    training = spec.training
    return InfluenceResult(
        spec=spec,
        key=artifact.key,
        k_test=artifact.read("k_test").astype(np.float64),
        regression=KernelRegression(artifact.read("k_train"), artifact.read("targets"), 0.0, f_train, eigen=eigen),
        f_train=f_train,
        f_test=artifact.read("f_test"),
        labels=artifact.read("labels"),
        true_labels=artifact.read("true_labels"),
        test_labels=artifact.read("test_labels"),
        class_names=tuple(images["class_names"]),
        ids=tuple(images["ids"]),
        test_ids=tuple(images["test_ids"]),
        pack=images["pack"],
        test_pack=images["test_pack"],
        epoch=None if training is None else epoch_time(training, len(f_train)),
        doctor=KernelDoctor.from_json(artifact.json("doctor")),
        parameters=images["parameters"],
        warnings=(*artifact.info["notes"], *artifact.info.get("repaired", ())),
        created=artifact.info["created"],
        seconds=artifact.info["seconds"],
        device=artifact.info["device"],
    )
