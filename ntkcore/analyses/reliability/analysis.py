"""Reliability: when does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

import pandas as pd

from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.reliability import answer as answers
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView


class Reliability(KernelRegressionAnalysis[ReliabilityView]):
    """When does the usual estimate of influence, an inverse-Hessian-vector product (IHVP), fail, and why?"""

    name, view = "reliability", ReliabilityView

    def forecast(self, spec: InfluenceSpec, ws: Workspace) -> Forecast:
        """As of influence; only for kernels that serve all outputs.

        Raises:
            SpecError: the kernel has blocks.
        """
        views.require_one_kernel(spec)
        return super().forecast(spec, ws)

    def refusal(self, spec: InfluenceSpec, ws: Workspace) -> str:
        """As :meth:`forecast`."""
        views.require_one_kernel(spec)
        return super().refusal(spec, ws)

    def answer(self, result: InfluenceResult, view: ReliabilityView, ws: Workspace) -> tuple[str, ...]:
        """How far off the method is at the view's λ, how many held-out images to trust it on, and the theorem's bound."""
        return answers.answer(views.summary(Look.of(result, view.ridge, None, ws)))

    def table(self, result: InfluenceResult, view: ReliabilityView, ws: Workspace) -> pd.DataFrame:
        """One row per λ: mean and median error rate, the lower bound, the share of pairs that satisfy it."""
        return tables.sweep_table(views.sweep(Look.of(result, view.ridge, None, ws)))

    def missing(self, result: InfluenceResult, view: ReliabilityView) -> str:
        """Images that do not exist."""
        return views.missing_from(result, view)


RELIABILITY = Reliability()
