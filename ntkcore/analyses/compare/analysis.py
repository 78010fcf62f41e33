"""Compare: two kernels on the same images, number by number; A and B are influence analyses, stored as their own."""

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.compare import answer, look
from ntkcore.analyses.compare.differences import difference_table
from ntkcore.analyses.compare.forecast import KERNELS, SIDES, compare_refusal, compare_stages, forecast_compare
from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.compare.result import CompareResult
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.map.kernel import mean_kernel
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.progress import Named, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.kernels.alikeness import kernels_alike
from ntkcore.specs import title_of
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.influence import INFLUENCE_KERNELS, InfluenceSpec
from ntkcore.store import Artifact
from ntkcore.store.store import State


class Compare(Analysis[CompareSpec, CompareView, CompareResult]):
    """Do two networks, or two choices of one, say the same of the same images?"""

    kind, version, uses = "compare", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = CompareSpec, CompareView
    word = "comparison of two kernels on the same images"
    smaller = "Choose fewer images, or kernels that serve all outputs."

    def title(self, spec: CompareSpec, ws: Workspace) -> str:
        """The data set and both kernels."""
        return f"Comparison on {describe_dataset(spec.dataset, ws.settings)} · {_kernel(spec.one)} and {_kernel(spec.two)}"

    def content(self, spec: CompareSpec, ws: Workspace) -> Mapping[str, str]:
        """Both sides, by the keys of their influence analyses."""
        return {"a": INFLUENCE.key(spec.one, ws), "b": INFLUENCE.key(spec.two, ws)}

    def forecast(self, spec: CompareSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.compare.forecast.forecast_compare`."""
        return forecast_compare(spec, ws)

    def refusal(self, spec: CompareSpec, ws: Workspace) -> str:
        """By memory and disk alone: no rate is measured."""
        return compare_refusal(spec, ws)

    def artifacts(self, spec: CompareSpec, ws: Workspace) -> tuple[tuple[str, str], ...]:
        """Its own, and both sides'."""
        return (*super().artifacts(spec, ws), *((INFLUENCE.kind, INFLUENCE.key(side, ws)) for side in (spec.one, spec.two)))

    def state(self, spec: CompareSpec, ws: Workspace) -> State:
        """``"ready"`` when both sides are stored, too; they may be anybody's."""
        states = [super().state(spec, ws), *(INFLUENCE.state(side, ws) for side in (spec.one, spec.two))]
        if all(state == "ready" for state in states):
            return "ready"
        return "absent" if all(state == "absent" for state in states) else "partial"

    def run(self, spec: CompareSpec, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute each side that is not stored, as its own analysis, then how alike their kernels are.

        Raises:
            AtlasError: one of the sides cannot be had; says why and what to do.
            Cancelled: the user cancelled; what is finished stays.
        """
        started = time.monotonic()
        reporter.plan(compare_stages(spec, ws))
        for name, side in zip(SIDES, (spec.one, spec.two), strict=True):
            INFLUENCE.run(side, 0, ws, Named(reporter, name))
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(KERNELS, 0)) as draft:
            if draft is not None:
                n = spec.dataset.n
                draft.create("alike", (n,), "float64", (n,))
                draft.create("alignment", (1,), "float64", (1,))
                if draft.missing("alike") or draft.missing("alignment"):
                    found = kernels_alike(*(_kernel_of(side, ws, reporter) for side in (spec.one, spec.two)))
                    draft.write("alike", (0,), found.rows)
                    draft.write("alignment", (0,), np.array([found.alignment]))
                draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(KERNELS, 2)
        ws.store.evict()

    def open(self, spec: CompareSpec, ws: Workspace) -> CompareResult:
        """As any; both sides are in use, too."""
        for kind, key in self.artifacts(spec, ws)[1:]:
            ws.store.open(kind, key)
        return super().open(spec, ws)

    def load(self, artifact: Artifact, spec: CompareSpec, ws: Workspace) -> CompareResult:
        """The stored comparison."""
        info = artifact.info
        return CompareResult(
            spec=spec,
            key=artifact.key,
            alignment=float(artifact.read("alignment")[0]),
            alike=artifact.read("alike"),
            warnings=tuple(info.get("repaired", ())),
            created=info["created"],
            seconds=info["seconds"],
            device=info["device"],
        )

    def answer(self, result: CompareResult, view: CompareView, ws: Workspace) -> tuple[str, ...]:
        """How alike both rank the images, which lead in both, and what they predict."""
        return answer.sentences(Look(result, view, ws))

    def table(self, result: CompareResult, view: CompareView, ws: Workspace) -> pd.DataFrame:
        """All training images with their number and rank in A and in B, those that moved up most first."""
        found = Look(result, view, ws)
        return with_texts(look.table(found), found.one.pack, ws)

    def more(self, result: CompareResult, view: CompareView, ws: Workspace) -> Mapping[str, pd.DataFrame]:
        """The fields in which A and B differ."""
        return {"Where A and B differ:": difference_table(result.spec, view)}

    def missing(self, result: CompareResult, view: CompareView) -> str:
        """Classes that do not exist are said by the page, which has both sides at hand."""
        return ""


COMPARE = Compare()


def _kernel(spec: InfluenceSpec) -> str:
    return INFLUENCE_KERNELS[spec.kernel] + (f" ({title_of(spec.model.architecture)})" if spec.model is not None else "")


def _kernel_of(spec: InfluenceSpec, ws: Workspace, reporter: Reporter) -> np.ndarray:
    """A side's kernel (n, n), of a full one the mean over outputs."""
    artifact = ws.store.open(INFLUENCE.kind, INFLUENCE.key(spec, ws))
    return mean_kernel(artifact, "k_train", artifact.layout("k_train"), lambda: reporter.report(KERNELS, 0))
