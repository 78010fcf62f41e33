"""Learnability, from specification to result: rank images by k(x,x), and test the ranking against training.

Source: Learnability §2-3; SCIENCE §2. The job computes and stores; everything that depends on how the result is looked
at (percentages, times, filters) is in :mod:`ntkcore.analyses.learnability.views` and answers at once.
"""

import time
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.drafts import identity_of, put_array
from ntkcore.analyses.learnability.forecast import REPLICATES, learnability_stages, predicted_points
from ntkcore.analyses.materials.kernel import KERNEL_VERSION, ensure_diagonal, ensure_spectrum, kernel_key
from ntkcore.analyses.materials.network import TRAINING_VERSION, content_of, ensure_training, run_key
from ntkcore.analyses.progress import DYNAMICS, IMAGES, KERNEL, SCORES, SPECTRUM, STATISTICS, TRAINING, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, load_dataset, thumbnail_pack
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import KernelDoctor
from ntkcore.learnability import Correlation, correctness, first_learned_epoch, full_decay, spearman_interval
from ntkcore.models import describe_model, epoch_time
from ntkcore.specs import LearnabilitySpec, key_of
from ntkcore.store import Artifact, Draft

KIND = "learnability"
VERSION = 2


@dataclass(frozen=True, slots=True)
class LearnabilityResult:
    """A learnability analysis.

    Attributes:
        spec: what was asked for.
        key: its key.
        score: k(x,x) of every image, (n,).
        outputs: the network's outputs after every epoch, (epochs + 1, n, k).
        learned: first epoch from which an image stays correct, (n,); inf when never.
        targets: (n, k).
        labels, true_labels: after and before label noise, (n,).
        class_names, ids: names of classes and images.
        times: epochs (fractional) at which errors are predicted, from the kernel's epoch to the last, (S,).
        full: ‖e_t‖ of every image under the whole kernel (eq. 17) at ``times``, (S, n), or None.
        epoch_time: gradient-flow time τ of one epoch (learning rate × steps on the summed loss).
        correlation: Spearman's ρ between ``score`` and ``learned`` with its bootstrap interval.
        doctor: what the full kernel is worth; None when it was not computed.
        pack: id of the thumbnails.
        parameters: number of the network's parameters.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: LearnabilitySpec
    key: str
    score: np.ndarray
    outputs: np.ndarray
    learned: np.ndarray
    targets: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    times: np.ndarray
    full: np.ndarray | None
    epoch_time: float
    correlation: Correlation
    doctor: KernelDoctor | None
    pack: str
    parameters: int
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    @property
    def nbytes(self) -> int:
        """Bytes the arrays take."""
        arrays = (self.score, self.outputs, self.learned, self.targets, self.labels, self.true_labels, self.times, self.full)
        return sum(a.nbytes for a in arrays if a is not None)


def learnability_key(spec: LearnabilitySpec, ws: Workspace) -> str:
    """Key of the analysis, which is also the id of its job."""
    return key_of(KIND, VERSION * 10_000 + KERNEL_VERSION * 100 + TRAINING_VERSION, spec, content_of(spec.dataset, spec.model, ws))


def parts_of(spec: LearnabilitySpec, ws: Workspace) -> tuple[tuple[str, str], ...]:
    """(kind, key) of every artifact a page reads; the kernel and its spectrum are only needed to make them."""
    return (
        (KIND, learnability_key(spec, ws)),
        ("training", run_key(spec.run, ws)),
        ("diagonal", kernel_key(spec.kernel, ws)),
    )


def is_ready(spec: LearnabilitySpec, ws: Workspace) -> bool:
    """Whether every part of the analysis is stored."""
    return all(ws.store.state(kind, key) == "ready" for kind, key in parts_of(spec, ws))


def run_learnability(spec: LearnabilitySpec, ws: Workspace, reporter: Reporter) -> None:
    """Compute whatever of the analysis is not stored yet, and store it.

    Raises:
        AtlasError: the request cannot be met; says why and what to do.
        Cancelled: the user cancelled; what is finished stays.
    """
    started = time.monotonic()
    dataset = load_dataset(spec.dataset, ws.settings)
    reporter.plan(learnability_stages(spec, dataset, ws))
    pack = thumbnail_pack(dataset.pixels, ws.settings, dataset.texts)
    reporter.report(IMAGES, dataset.n)

    training = ensure_training(spec.run, dataset, ws, reporter, TRAINING, keep=(spec.kernel_epoch,))
    diagonal = ensure_diagonal(spec.kernel, dataset, ws, reporter, SCORES)
    score = diagonal.read("score")
    if not np.isfinite(score).all():
        raise ComputationError(
            "Some scores k(x,x) are not finite.", "Train with a smaller learning rate, or take the kernel at an earlier epoch."
        )
    notes = list(diagonal.info["notes"])
    spectrum = None
    if spec.full_kernel:
        spectrum = ensure_spectrum(spec.kernel, dataset, ws, reporter, SPECTRUM, KERNEL)
        notes += _spectrum_notes(spectrum.info)

    key = learnability_key(spec, ws)
    if ws.store.state(KIND, key) != "ready":
        outputs = training.read("outputs")
        learned = first_learned_epoch(correctness(outputs, dataset.labels), np.arange(len(outputs)))
        described = describe_model(
            spec.model, input_shape=dataset.inputs.shape[1:], outputs=dataset.outputs, class_names=dataset.class_names
        )
        notes += described.notes if spec.model.weights == "pretrained" else ()
        full = None if spectrum is None else _predict(spec, dataset, spectrum, outputs, reporter)
        correlation = spearman_interval(
            score, learned, replicates=REPLICATES, seed=spec.dataset.seed, progress=reporter.progress(STATISTICS)
        )
        with ws.store.draft(KIND, key, identity_of(spec, VERSION)) as draft:
            if draft is not None:
                _write_summary(draft, dataset, learned, full, correlation, pack.id, described.parameters)
                if spectrum is not None:
                    draft.put_json("doctor", spectrum.json("doctor"))
                draft.publish({"notes": notes, "seconds": time.monotonic() - started, "device": reporter.device})
    reporter.report(STATISTICS, REPLICATES)
    for note in notes:
        reporter.warn(note)
    ws.store.evict()


def predicted_epochs(spec: LearnabilitySpec) -> np.ndarray:
    """Epochs (fractional) at which errors are predicted, from the kernel's epoch to the end of training, (S,)."""
    return np.linspace(spec.kernel_epoch, spec.training.epochs, predicted_points(spec))


def _predict(spec: LearnabilitySpec, dataset: Dataset, spectrum: Artifact, outputs: np.ndarray, reporter: Reporter) -> np.ndarray:
    """‖e_t‖ under the whole kernel, (S, n), float32."""
    tau = (predicted_epochs(spec) - spec.kernel_epoch) * epoch_time(spec.training, dataset.n)
    start = outputs[spec.kernel_epoch].astype(np.float64) - dataset.targets
    progress = reporter.progress(DYNAMICS)
    return full_decay(spectrum.read("values"), spectrum.read("vectors"), start, tau, progress=progress).astype(np.float32)


def _spectrum_notes(info: dict) -> list[str]:
    smallest, largest = info["smallest"], info["largest"]
    if smallest >= 0:
        return []
    return [
        f"The full kernel's smallest eigenvalue is {smallest:.1e} ({abs(smallest) / largest:.0e} of the largest): rounding; "
        "it is taken as 0 in the coupled dynamics."
    ]


def _write_summary(
    draft: Draft, dataset: Dataset, learned: np.ndarray, full: np.ndarray | None, correlation: Correlation, pack: str, parameters: int
) -> None:
    n = dataset.n
    arrays = {"learned": learned, "labels": dataset.labels, "true_labels": dataset.true_labels, "targets": dataset.targets}
    for name, values in (arrays if full is None else arrays | {"full": full}).items():
        put_array(draft, name, values)
    draft.put_json("images", {"ids": list(dataset.ids), "class_names": list(dataset.class_names), "pack": pack, "n": n})
    draft.put_json(
        "statistics",
        {
            "rho": correlation.rho if correlation.defined else None,
            "low": correlation.low if correlation.defined else None,
            "high": correlation.high if correlation.defined else None,
            "level": correlation.level,
            "replicates": correlation.replicates,
            "reason": correlation.reason,
            "parameters": parameters,
        },
    )


def open_learnability(spec: LearnabilitySpec, ws: Workspace) -> LearnabilityResult:
    """The stored result, from memory when it is hot.

    Raises:
        CorruptArtifact: a stored tile is damaged; :func:`ntkcore.analyses.requests.repair` computes it again.
        StoreError: it is not stored.
    """
    key = learnability_key(spec, ws)
    for kind, part in parts_of(spec, ws):
        ws.store.open(kind, part)  # tells the store that it is in use, also when the arrays are hot
    return ws.hot.get((KIND, key), lambda: _load(spec, key, ws), lambda result: result.nbytes)


def _load(spec: LearnabilitySpec, key: str, ws: Workspace) -> LearnabilityResult:
    artifact = ws.store.open(KIND, key)
    kernel = kernel_key(spec.kernel, ws)
    images, statistics = artifact.json("images"), artifact.json("statistics")
    diagonal, training = ws.store.open("diagonal", kernel), ws.store.open("training", run_key(spec.run, ws))
    defined = statistics["rho"] is not None
    return LearnabilityResult(
        spec=spec,
        key=key,
        score=diagonal.read("score"),
        outputs=training.read("outputs"),
        learned=artifact.read("learned"),
        targets=artifact.read("targets"),
        labels=artifact.read("labels"),
        true_labels=artifact.read("true_labels"),
        class_names=tuple(images["class_names"]),
        ids=tuple(images["ids"]),
        times=predicted_epochs(spec),
        full=artifact.read("full") if spec.full_kernel else None,
        epoch_time=epoch_time(spec.training, images["n"]),
        correlation=Correlation(
            rho=statistics["rho"] if defined else np.nan,
            low=statistics["low"] if defined else np.nan,
            high=statistics["high"] if defined else np.nan,
            replicates=statistics["replicates"],
            n=images["n"],
            level=statistics["level"],
            defined=defined,
            reason=statistics["reason"],
        ),
        doctor=KernelDoctor.from_json(artifact.json("doctor")) if spec.full_kernel else None,
        pack=images["pack"],
        parameters=statistics["parameters"],
        warnings=(*artifact.info["notes"], *(text for part in (artifact, training, diagonal) for text in part.info.get("repaired", ()))),
        created=artifact.info["created"],
        seconds=artifact.info["seconds"],
        device=artifact.info["device"],
    )
