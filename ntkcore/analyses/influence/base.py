"""Influence, from specification to result: a kernel on training and held-out images, decomposed once (IF-NTK; SCIENCE §3-5).

The job makes what takes long: the kernel, its eigenvectors, the network's outputs. Whatever depends on λ and on the training time is an
answer from these, given at once: :mod:`ntkcore.analyses.influence.views`.
"""

import time
from collections.abc import Mapping

import numpy as np

from ntkcore.analyses.analysis import Analysis, V
from ntkcore.analyses.drafts import one_device, put_array
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.forecast import forecast_influence, influence_refusal, influence_stages
from ntkcore.analyses.influence.kernel import Kernels, fill_kernels
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of, timed
from ntkcore.analyses.materials.split import Split, load_split
from ntkcore.analyses.materials.tiles import TILE
from ntkcore.analyses.progress import IMAGES, SPECTRUM, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import content_hash, thumbnail_pack
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import KernelDoctor, examine
from ntkcore.kernels.matrices import symmetrised
from ntkcore.linalg import eigh
from ntkcore.models import describe_model, epoch_time
from ntkcore.regression import KernelRegression
from ntkcore.specs import title_of
from ntkcore.specs.influence import INFLUENCE_KERNELS, InfluenceSpec
from ntkcore.store import Artifact, Draft


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
            "test_pack": thumbnail_pack(split.test_pixels, ws.settings, split.test_texts, split.test_origin).id,
            "parameters": parameters,
        },
    )


class KernelRegressionAnalysis(Analysis[InfluenceSpec, V, InfluenceResult]):
    """What the pages on one kernel regression have in common: one artifact, looked at in different views."""

    kind, version, uses = "influence", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec = InfluenceSpec
    word = "influence: kernel, eigenvectors and outputs"
    smaller = "Choose fewer images, or a kernel that serves all outputs."

    def title(self, spec: InfluenceSpec, ws: Workspace) -> str:
        """The data set and the kernel."""
        which = INFLUENCE_KERNELS[spec.kernel] + (f" ({title_of(spec.model.architecture)})" if spec.model is not None else "")
        return f"{self.name.capitalize()} on {describe_dataset(spec.dataset, ws.settings)} · {which}"

    def content(self, spec: InfluenceSpec, ws: Workspace) -> Mapping[str, str]:
        """Data, and the weights of a network."""
        if spec.model is None:
            return {"data": content_hash(spec.dataset, ws.settings)}
        return content_of(spec.dataset, spec.model, ws)

    def forecast(self, spec: InfluenceSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.influence.forecast.forecast_influence`."""
        return forecast_influence(spec, ws)

    def refusal(self, spec: InfluenceSpec, ws: Workspace) -> str:
        """By memory and disk alone: no rate is measured."""
        return influence_refusal(spec, ws)

    def run(self, spec: InfluenceSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute whatever of the analysis is not stored yet, and store it; a network's finished tiles stay when it is interrupted.

        Raises:
            AtlasError: the request cannot be met; says why and what to do.
            Cancelled: the user cancelled; what is finished stays.
        """
        if self.ready(spec, ws):
            return  # asked for again: there is no image to read
        started = time.monotonic()
        split = load_split(spec.dataset, spec.test, ws)
        reporter.plan(influence_stages(spec, split.train, ws))
        reporter.report(IMAGES, split.train.n + spec.test)
        identity = self.identity(spec)
        with ws.store.draft(self.kind, self.key(spec, ws), identity, waiting=lambda: reporter.report(SPECTRUM, 0)) as draft:
            if draft is None:
                return
            one_device(draft, reporter, ("k_train", "k_test", "k_train-notes", "k_test-notes"))
            kernels = fill_kernels(spec, split, draft, ws, reporter)
            doctor = _decompose(spec, draft, kernels, ws, reporter)
            _write(spec, split, draft, kernels, doctor, ws)
            draft.publish({"notes": sorted(kernels.notes), "seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(SPECTRUM, 1)
        ws.store.evict()

    def load(self, artifact: Artifact, spec: InfluenceSpec, ws: Workspace) -> InfluenceResult:
        """The result, with its decomposition."""
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
