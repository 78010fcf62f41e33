"""Convergence, from specification to result: how well the pseudo-NTK stands in for the full kernel, over width and training.

Source: Thesis ch. 3; SCIENCE §7. One job of many parts: each comparison is an artifact of its own
(:mod:`ntkcore.analyses.convergence.making`) and can be opened as soon as it is stored; then what the kernels cost is timed
(:mod:`ntkcore.analyses.convergence.timing`). Everything that depends on how the result is looked at is in
:mod:`ntkcore.analyses.convergence.views`.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.comparison import KIND as COMPARISON_KIND
from ntkcore.analyses.convergence.comparison import USES as COMPARISON_USES
from ntkcore.analyses.convergence.comparison import Comparison, comparison_key, open_comparison
from ntkcore.analyses.convergence.forecast import convergence_refusal, convergence_stages, forecast_convergence
from ntkcore.analyses.convergence.making import ensure_comparison
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.convergence.timing import KIND as TIMING_KIND
from ntkcore.analyses.convergence.timing import TimingSpec, ensure_timing, open_timing, series_of, timing_key, timing_spec
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.materials.kernel import run_of
from ntkcore.analyses.materials.network import content_of, ensure_states, ensure_training, has_state, run_key, until
from ntkcore.analyses.materials.split import load_split, require_classes
from ntkcore.analyses.progress import IMAGES, TIMING, TRAINING, Reporter, of_point
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import ComputationError
from ntkcore.specs import title_of
from ntkcore.specs.convergence import ComparisonSpec, ConvergenceSpec, ConvergenceView
from ntkcore.store import Artifact
from ntkcore.store.store import State

_LISTED = 3  # places named in a warning


def ready_points(spec: ConvergenceSpec, ws: Workspace) -> int:
    """How many comparisons are stored; looks only whether they are there, so it may be asked every second."""
    return sum(ws.store.state(COMPARISON_KIND, comparison_key(point, ws)) == "ready" for point in spec.points())


def _train(spec: ConvergenceSpec, point: ComparisonSpec, dataset: Dataset, ws: Workspace, reporter: Reporter) -> str:
    """Store the states of a network at every look, in one training; why it failed, or ""."""
    last = run_of(point)
    assert last is not None  # the caller asks for networks that are trained
    run = until(last, spec.training.epochs)
    looks = [look for look in spec.looks if look]
    stage = of_point(TRAINING, point)
    begun = ws.store.state("training", run_key(run, ws)) == "partial"  # killed between its last state and its end: it is ended, too
    if not begun and all(has_state(until(run, look), ws) for look in looks):
        return ""
    said = ""
    # The second goes back for looks that a training recorded, or given up, before they were wanted has passed by.
    for make in (partial(ensure_training, keep=looks), partial(ensure_states, epochs=looks)):
        try:
            make(run, dataset, ws, reporter, stage)
        except ComputationError as error:
            said = f"{error.message} {error.remedy}".strip()
    return said


def _warnings(points: Sequence[Comparison]) -> tuple[str, ...]:
    """What the comparisons say, each sentence once with where it holds."""
    where: dict[str, list[str]] = {}
    for point in points:
        said = [point.diverged] if point.diverged else list(point.notes)
        if any(point.jitter.values()):
            said.append(
                "A kernel regression could only be solved with a jitter on the kernel's diagonal: the kernel's doctor has its size."
            )
        for text in said:
            where.setdefault(text, []).append(f"width {point.width}, seed {point.seed}, epoch {point.epoch}")
    return tuple(f"{text.rstrip('.')} ({_few(places, len(points))})." for text, places in where.items())


def _few(places: Sequence[str], of: int) -> str:
    """A short list of places."""
    if len(places) == of > 1:
        return "all comparisons"
    more = f"; and {len(places) - _LISTED} more" if len(places) > _LISTED else ""
    return "; ".join(places[:_LISTED]) + more


class Convergence(Analysis[ConvergenceSpec, ConvergenceView, ConvergenceResult]):
    """How well does the cheap pseudo-NTK stand in for the full empirical NTK, over width and training?"""

    kind, version, uses = "convergence", 1, COMPARISON_USES
    spec, view = ConvergenceSpec, ConvergenceView
    word = "convergence: all comparisons complete"
    smaller = "Choose fewer images, fewer classes or narrower networks."

    def title(self, spec: ConvergenceSpec, ws: Workspace) -> str:
        """The data set and the architecture."""
        return f"Convergence on {describe_dataset(spec.dataset, ws.settings)} · {title_of(spec.architecture)}"

    def content(self, spec: ConvergenceSpec, ws: Workspace) -> Mapping[str, str]:
        """The data; the weights are drawn."""
        return content_of(spec.dataset, spec.models()[0], ws)

    def forecast(self, spec: ConvergenceSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.convergence.forecast.forecast_convergence`."""
        return forecast_convergence(spec, ws)

    def refusal(self, spec: ConvergenceSpec, ws: Workspace) -> str:
        """By memory and disk alone: no rate is measured."""
        return convergence_refusal(spec, ws)

    def artifacts(self, spec: ConvergenceSpec, ws: Workspace) -> tuple[tuple[str, str], ...]:
        """Its own, which names the timing, every comparison, and the timing."""
        timed = self._finished(spec, ws)
        timing = () if timed is None else ((TIMING_KIND, timing_key(timed)),)
        return (*super().artifacts(spec, ws), *((COMPARISON_KIND, comparison_key(point, ws)) for point in spec.points()), *timing)

    def state(self, spec: ConvergenceSpec, ws: Workspace) -> State:
        """``"ready"`` when every comparison and the timing are stored."""
        points = ready_points(spec, ws)
        if points == len(spec.points()) and self._finished(spec, ws) is not None:
            return "ready"
        return "partial" if points else "absent"

    def run(self, spec: ConvergenceSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute whatever of the analysis is not stored yet, part by part, in the order of ``spec.points()``.

        A network whose training diverges has comparisons that say so, and the others go on.

        Raises:
            AtlasError: the request cannot be met; says why and what to do.
            Cancelled: the user cancelled; what is finished stays.
        """
        started = time.monotonic()
        split = load_split(spec.dataset, spec.test, ws)
        require_classes(split.train)
        reporter.plan(convergence_stages(spec, split.train, ws))
        reporter.report(IMAGES, split.train.n + len(split.test_labels))
        failed: dict[tuple[int, int], str] = {}
        for point in spec.points():
            if ws.store.state(COMPARISON_KIND, comparison_key(point, ws)) == "ready":
                continue
            network = point.model.width, point.model.seed
            if point.training is not None and network not in failed:
                failed[network] = _train(spec, point, split.train, ws, reporter)
                if failed[network]:
                    reporter.warn(f"Width {network[0]}, seed {network[1]}: {failed[network]}")
            ensure_comparison(point, split, ws, reporter, failed.get(network, ""))
        timed = timing_spec(spec, split.train, reporter.device)
        ensure_timing(timed, ws, reporter)
        reporter.report(TIMING, sum(2 * len(places) for _, places in series_of(timed)))
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec)) as draft:
            if draft is not None:
                draft.put_json("timing", timed.model_dump(mode="json"))
                draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        ws.store.evict()

    def open(self, spec: ConvergenceSpec, ws: Workspace) -> ConvergenceResult:
        """What is stored of the analysis, from memory where it is hot; an analysis never begun has no points yet.

        Raises:
            CorruptArtifact: a comparison is damaged; :meth:`repair` computes it again.
        """
        points = tuple(open_comparison(point, ws) for point in spec.points())
        timing = self._finished(spec, ws)
        done = ws.store.open(self.kind, self.key(spec, ws)).info if timing is not None else {}
        ready = [point for point in points if point is not None]
        return ConvergenceResult(
            spec=spec,
            key=self.key(spec, ws),
            points=points,
            timing=None if timing is None else open_timing(timing, ws),
            class_names=ready[0].class_names if ready else (),
            warnings=_warnings(ready),
            created=done.get("created", ""),
            seconds=done.get("seconds", 0.0),
            device=done.get("device", ""),
        )

    def load(self, artifact: Artifact, spec: ConvergenceSpec, ws: Workspace) -> ConvergenceResult:
        """What is stored of it: the comparisons are artifacts of their own, each kept hot for itself."""
        return self.open(spec, ws)

    def answer(self, result: ConvergenceResult, view: ConvergenceView, ws: Workspace) -> tuple[str, ...]:
        """How the difference falls with width, whether the regressions agree, and what it costs."""
        return (*views.answer(result, view), *(f"Note: {warning}" for warning in result.warnings))

    def table(self, result: ConvergenceResult, view: ConvergenceView, ws: Workspace) -> pd.DataFrame:
        """One row per comparison (width, seed, epoch), with every number."""
        return views.table(result)

    def missing(self, result: ConvergenceResult, view: ConvergenceView) -> str:
        """An epoch, a width or a comparison that does not exist."""
        return views.missing_from(result, view)

    def _finished(self, spec: ConvergenceSpec, ws: Workspace) -> TimingSpec | None:
        """What was timed when the analysis was finished; None when it is not, or the timing is gone."""
        key = self.key(spec, ws)
        if ws.store.state(self.kind, key) != "ready":
            return None
        timed = TimingSpec.model_validate(ws.store.open(self.kind, key).json("timing"))
        return timed if ws.store.state(TIMING_KIND, timing_key(timed)) == "ready" else None


CONVERGENCE = Convergence()
