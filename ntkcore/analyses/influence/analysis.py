"""Influence: which training images helped or harmed a prediction (IF-NTK; SCIENCE §3-5)."""

from collections.abc import Mapping
from contextlib import suppress

import pandas as pd

from ntkcore.analyses.influence import answer, views
from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.basket import effect
from ntkcore.analyses.influence.complexity import group_table, groups_of
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.noise import noise_share, noise_table
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.specs.influence import InfluenceView


class Influence(KernelRegressionAnalysis[InfluenceView]):
    """Which training images helped or harmed a prediction, and how does that change through training?"""

    name, view = "influence", InfluenceView

    def answer(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> tuple[str, ...]:
        """The image or group chosen, the training images that matter most to it, and what would be without the basket."""
        look = Look.of(result, view.ridge, view.time, ws)
        changed = view.deed != "add" and views.basket_of(result, view)  # what is added needs a kernel of its own
        basket = (answer.basket_sentence(effect(look, view)),) if changed else ()
        return *answer.sentences(Subject.of(look, view)), *basket

    def table(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> pd.DataFrame:
        """All training images with their influence on the image or group chosen, the most helpful first."""
        subject = Subject.of(Look.of(result, view.ridge, view.time, ws), view)
        return with_texts(views.table(result, subject.values, subject.left_out), result.pack, ws)

    def more(self, result: InfluenceResult, view: InfluenceView, ws: Workspace) -> Mapping[str, pd.DataFrame]:
        """Ten groups by influence with their complexity, and how flipped labels become influential, where there are any.

        The groups are of the end of training, and left out where λ is too small for that, though large enough for the view's τ.
        """
        look = Look.of(result, view.ridge, view.time, ws)
        found = {}
        with suppress(ComputationError):
            groups = group_table(groups_of(look), result.labels, result.true_labels)
            found["Complexity of ten groups by mean influence, the most harmful first (IF-NTK Fig. 5):"] = groups
        if (result.labels != result.true_labels).any():
            shares = noise_table(noise_share(look))
            found["Flipped labels among the most influential, and errors, through training (IF-NTK Fig. 7):"] = shares
        return found

    def missing(self, result: InfluenceResult, view: InfluenceView) -> str:
        """Images, classes or a group that do not exist."""
        return views.missing_from(result, view)


INFLUENCE = Influence()
