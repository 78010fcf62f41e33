"""Information: how much does each image tell the network that no other does? (Unique-info; SCIENCE §6)"""

import pandas as pd

from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.information.answer import answer, loss_answer, residual_answer
from ntkcore.analyses.information.believe import noise
from ntkcore.analyses.information.believe.answer import over_training
from ntkcore.analyses.information.believe.views import over_times
from ntkcore.analyses.information.drop.answer import to_keep
from ntkcore.analyses.information.labels import answer as labels
from ntkcore.analyses.information.labels.review import review
from ntkcore.analyses.information.labels.views import detections, flipped
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.information import InformationView


class Information(KernelRegressionAnalysis[InformationView]):
    """How much does each image tell the network that no other image does, and what follows from that?"""

    name, view = "information", InformationView

    def answer(self, result: InfluenceResult, view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """What the view's question is answered without any study; where only a study answers it, what is informative."""
        look = views.look_of(result, view, ws)
        if view.ask == "mislabelled":
            if flipped(result).any():
                return labels.known(detections(look))
            return labels.unknown(review(look, view.labels.by, view.labels.first), result.labels)
        if view.ask == "drop":
            return (to_keep(len(result.labels), view.drop),)
        if view.ask == "believe" and view.believe.show == "times":
            return (over_training(*over_times(look)),)
        if _by_noise(view):
            return noise.answer(noise.noises(look, view.believe.rate, view.believe.batch), views.judged(look).loss)
        if look.score == "loss":
            return loss_answer(views.scores(look))
        if look.score == "residual":
            return residual_answer(views.scores(look), views.taken_unseen(look), result.labels)
        return answer(views.scores(look), views.judged(look), result.labels)

    def table(self, result: InfluenceResult, view: InformationView, ws: Workspace) -> pd.DataFrame:
        """All training images with their unique information in nats (σ = 1), or with that in the weights by SGD's noise, the most first."""
        look = views.look_of(result, view, ws)
        return noise.noise_table(look, view.believe.rate, view.believe.batch) if _by_noise(view) else views.table(look)

    def missing(self, result: InfluenceResult, view: InformationView) -> str:
        """Images or classes that do not exist."""
        return views.missing_from(result, view)


def _by_noise(view: InformationView) -> bool:
    return view.ask == "believe" and view.believe.show == "noise"


INFORMATION = Information()
