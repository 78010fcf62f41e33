"""Learnability, from specification to result: rank images by k(x,x), and test the ranking against training.

Source: Learnability §2-3; SCIENCE §2. The job computes and stores; everything that depends on how the result is looked
at (percentages, times, filters) is in :mod:`ntkcore.analyses.learnability.views` and answers at once.
"""

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.drafts import put_array
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.learnability import answer as answers
from ntkcore.analyses.learnability import views
from ntkcore.analyses.learnability.forecast import (
    REPLICATES,
    forecast_learnability,
    learnability_refusal,
    learnability_stages,
    predicted_points,
)
from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.materials.kernel import KERNEL_METHOD, ensure_diagonal, ensure_spectrum, kernel_key
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of, ensure_training, run_key
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.progress import DYNAMICS, IMAGES, KERNEL, SCORES, SPECTRUM, STATISTICS, TRAINING, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, load_dataset, thumbnail_pack
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import ComputationError
from ntkcore.kernels.doctor import KernelDoctor
from ntkcore.learnability import Correlation, correctness, first_learned_epoch, full_decay, spearman_interval
from ntkcore.models import describe_model, epoch_time
from ntkcore.specs import title_of
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView
from ntkcore.store import Artifact, Draft
from ntkcore.store.store import State


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


class Learnability(Analysis[LearnabilitySpec, LearnabilityView, LearnabilityResult]):
    """Which images are easy, which are hard, and did k(x,x) know beforehand?"""

    kind, version, uses = "learnability", 2, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = LearnabilitySpec, LearnabilityView
    word = "learnability: summary and predictions"
    smaller = "Choose fewer images, a smaller network, or leave out the coupled dynamics."

    def title(self, spec: LearnabilitySpec, ws: Workspace) -> str:
        """The data set and the network."""
        return f"Learnability of {describe_dataset(spec.dataset, ws.settings)} · {title_of(spec.model.architecture)}"

    def content(self, spec: LearnabilitySpec, ws: Workspace) -> Mapping[str, str]:
        """Data and weights."""
        return content_of(spec.dataset, spec.model, ws)

    def forecast(self, spec: LearnabilitySpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.learnability.forecast.forecast_learnability`."""
        return forecast_learnability(spec, ws)

    def refusal(self, spec: LearnabilitySpec, ws: Workspace) -> str:
        """By memory and disk alone: no rate is measured."""
        return learnability_refusal(spec, ws)

    def artifacts(self, spec: LearnabilitySpec, ws: Workspace) -> tuple[tuple[str, str], ...]:
        """(kind, key) of every artifact a page reads; the kernel and its spectrum are only needed to make them."""
        return (
            (self.kind, self.key(spec, ws)),
            ("training", run_key(spec.run, ws)),
            ("diagonal", kernel_key(spec.kernel, ws)),
        )

    def state(self, spec: LearnabilitySpec, ws: Workspace) -> State:
        """``"ready"`` when every artifact that a page reads is stored; the training and the scores may be anybody's."""
        states = [ws.store.state(kind, key) for kind, key in self.artifacts(spec, ws)]
        if all(state == "ready" for state in states):
            return "ready"
        return "absent" if states[0] == "absent" else "partial"

    def run(self, spec: LearnabilitySpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute whatever of the analysis is not stored yet, and store it.

        Raises:
            AtlasError: the request cannot be met; says why and what to do.
            Cancelled: the user cancelled; what is finished stays.
        """
        started = time.monotonic()
        dataset = load_dataset(spec.dataset, ws.settings)
        reporter.plan(learnability_stages(spec, dataset, ws))
        pack = thumbnail_pack(dataset.pixels, ws.settings, dataset.texts, dataset.origin)
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

        if self.state(spec, ws) != "ready":
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
            with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec)) as draft:
                if draft is not None:
                    _write_summary(draft, dataset, learned, full, correlation, pack.id, described.parameters)
                    if spectrum is not None:
                        draft.put_json("doctor", spectrum.json("doctor"))
                    draft.publish({"notes": notes, "seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(STATISTICS, REPLICATES)
        for note in notes:
            reporter.warn(note)
        ws.store.evict()

    def open(self, spec: LearnabilitySpec, ws: Workspace) -> LearnabilityResult:
        """As any; the artifacts that it is read from are in use, too, also when the arrays are hot."""
        for kind, key in self.artifacts(spec, ws):
            ws.store.open(kind, key)
        return super().open(spec, ws)

    def load(self, artifact: Artifact, spec: LearnabilitySpec, ws: Workspace) -> LearnabilityResult:
        """The result, with the scores and the outputs of its network."""
        kernel = kernel_key(spec.kernel, ws)
        images, statistics = artifact.json("images"), artifact.json("statistics")
        diagonal, training = ws.store.open("diagonal", kernel), ws.store.open("training", run_key(spec.run, ws))
        defined = statistics["rho"] is not None
        return LearnabilityResult(
            spec=spec,
            key=artifact.key,
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
            warnings=(
                *artifact.info["notes"],
                *(text for part in (artifact, training, diagonal) for text in part.info.get("repaired", ())),
            ),
            created=artifact.info["created"],
            seconds=artifact.info["seconds"],
            device=artifact.info["device"],
        )

    def answer(self, result: LearnabilityResult, view: LearnabilityView, ws: Workspace) -> tuple[str, ...]:
        """Whether k(x,x) ranks the images as training learns them, and how far training came."""
        return answers.answer(Look(result, view))

    def table(self, result: LearnabilityResult, view: LearnabilityView, ws: Workspace) -> pd.DataFrame:
        """All images, hardest (smallest k(x,x)) first."""
        look = Look(result, view)
        return with_texts(views.table(look, look.hardest_first), result.pack, ws)

    def missing(self, result: LearnabilityResult, view: LearnabilityView) -> str:
        """Images or classes that do not exist."""
        return views.missing_from(result, view)


LEARNABILITY = Learnability()
