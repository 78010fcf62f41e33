"""Influence: which training images helped or harmed a prediction (IF-NTK; SCIENCE §3-5)."""

import pandas as pd

from ntkcore.analyses.influence import answer, views
from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.basket import effect
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.influence import InfluenceView


class Influence(KernelRegressionAnalysis[InfluenceView]):
    """Which training images helped or harmed a prediction, and how does that change through training?"""

    name, view = "influence", InfluenceView

    def answer(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> tuple[str, ...]:
        """The image or group chosen, the training images that matter most to it, and what would be without the basket."""
        look = Look.of(result, view.ridge, view.time, ws)
        basket = (answer.basket_sentence(effect(look, view)),) if views.basket_of(result, view) else ()
        return *answer.sentences(Subject.of(look, view)), *basket

    def table(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> pd.DataFrame:
        """All training images with their influence on the image or group chosen, the most helpful first."""
        subject = Subject.of(Look.of(result, view.ridge, view.time, ws), view)
        return views.table(result, subject.values, subject.left_out)


INFLUENCE = Influence()
