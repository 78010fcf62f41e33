"""Active learning with known labels: strategies compete on the same starts, draws and initialisations (Thesis ch. 2; SCIENCE §8)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ntkcore.analyses.active import views
from ntkcore.analyses.active.answer import answer
from ntkcore.analyses.active.forecast import forecast_active
from ntkcore.analyses.active.run import Run, Task, images, shapes
from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.describe import describe_dataset
from ntkcore.specs.active import STRATEGIES, ActiveSpec, ActiveView


class Active(Study[ActiveSpec, ActiveView]):
    """Which images should be labelled next, and how many labels does that save?"""

    kind, version, uses = "active", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = ActiveSpec, ActiveView
    word = "study: active learning"
    smaller = "Draw fewer candidates or fewer images, or leave out the strategy with the largest kernel."

    def title(self, spec: ActiveSpec, ws: Workspace) -> str:
        """The data set, who competes, and how often."""
        several = len(spec.strategies)
        who = ", ".join(STRATEGIES[name] for name in spec.strategies) if several <= 3 else f"{several} strategies"
        often = f"{spec.seeds} repeats" if spec.seeds > 1 else "once"
        return f"Active learning on {describe_dataset(spec.dataset, ws.settings)}: {who}, {often}"

    def content(self, spec: ActiveSpec, ws: Workspace) -> Mapping[str, str]:
        """Data and weights."""
        return content_of(spec.dataset, spec.model, ws)

    def forecast(self, spec: ActiveSpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.active.forecast.forecast_active`."""
        return forecast_active(spec, ws)

    def pieces(self, spec: ActiveSpec) -> int:
        """One for each seed and strategy, all strategies of a seed after each other."""
        return spec.seeds * len(spec.strategies)

    def shapes(self, spec: ActiveSpec, ws: Workspace) -> Shapes:
        """See :func:`~ntkcore.analyses.active.run.shapes`."""
        return shapes(spec, len(sample_of(spec.dataset, ws).class_names))

    def piece(self, spec: ActiveSpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """All cycles of one strategy on one seed."""
        seed, place = divmod(number, len(spec.strategies))
        return Run(Task(spec, spec.strategies[place], seed, images(spec, ws)), ws, reporter).arrays()

    def answer(self, result: Pieces[ActiveSpec], view: ActiveView, ws: Workspace) -> tuple[str, ...]:
        """Who needs the fewest labels, how far that is from chance, and what a choice costs."""
        return answer(result, view)

    def table(self, result: Pieces[ActiveSpec], view: ActiveView, ws: Workspace) -> pd.DataFrame:
        """A row for each strategy."""
        return views.table(result, views.level_of(result, view))

    def more(self, result: Pieces[ActiveSpec], view: ActiveView, ws: Workspace) -> Mapping[str, pd.DataFrame]:
        """Accuracy over labels."""
        return {"Accuracy over labels": views.curve_table(views.curves(result), "accuracy")}

    def missing(self, result: Pieces[ActiveSpec], view: ActiveView) -> str:
        """A cycle or a repeat that there is not."""
        return views.missing_from(result, view)


ACTIVE = Active()
