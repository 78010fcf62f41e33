"""Reliability: when does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

import pandas as pd

from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.base import KernelRegressionAnalysis
from ntkcore.analyses.influence.result import InfluenceResult
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
        """The error at the view's λ beside the theorem's bound, and how many held-out images to trust."""
        now = views.summary(result, view.ridge, ws)
        trusted, careful, doubtful = views.counts(now)
        return (
            f"At λ = {view.ridge:g}: mean error rate {now.mean:.4g}, median {now.median:.4g}, lower bound {now.bound:.4g}.",
            f"{now.held:,} of {now.pairs:,} pairs satisfy Theorem 3; λ_min = {now.least:.4g}; "
            f"{now.zero:,} pairs without influence left out.",
            f"Held-out images to trust IHVP on: {trusted:,}; with care: {careful:,}; not: {doubtful:,}.",
        )

    def table(self, result: InfluenceResult, view: ReliabilityView, ws: Workspace) -> pd.DataFrame:
        """One row per λ: mean and median error rate, the lower bound, the share of pairs that satisfy it."""
        return tables.sweep_table(views.sweep(result, ws))


RELIABILITY = Reliability()
