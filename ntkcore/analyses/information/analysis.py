"""Information: how much does each image tell the network that no other does? (Unique-info; SCIENCE §6)"""

import pandas as pd

from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.information import InformationView


class Information(KernelRegressionAnalysis[InformationView]):
    """How much does each image tell the network that no other image does, and what follows from that?"""

    name, view = "information", InformationView

    def answer(self, result: InfluenceResult, view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """The most informative image."""
        first = views.table(result, view, ws).iloc[0]
        return (f"Most informative: image {first['image']}.",)

    def table(self, result: InfluenceResult, view: InformationView, ws: Workspace) -> pd.DataFrame:
        """All training images with their unique information in nats (σ = 1), the most informative first."""
        return views.table(result, view, ws)


INFORMATION = Information()
