"""Influence: which training images helped or harmed a prediction (IF-NTK; SCIENCE §3-5)."""

import pandas as pd

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.influence import InfluenceView


class Influence(KernelRegressionAnalysis[InfluenceView]):
    """Which training images helped or harmed a prediction, and how does that change through training?"""

    name, view = "influence", InfluenceView

    def answer(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> tuple[str, ...]:
        """The held-out image, and the training image that helped it most."""
        now = views.held(result, view, ws)
        target = views.target_of(result, view, views.tests_shown(result, view, now), now)
        name, predicted = result.class_names[result.test_labels[target]], result.class_names[now.predicted[target]]
        return (f"Held-out image {target}: {name}, predicted {predicted}, loss {now.loss[target]:.4g}",)

    def table(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> pd.DataFrame:
        """All training images, the most helpful first."""
        now = views.held(result, view, ws)
        target = views.target_of(result, view, views.tests_shown(result, view, now), now)
        return views.table(result, views.influence(result, view, target, ws))


INFLUENCE = Influence()
