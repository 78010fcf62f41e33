"""Do other networks say the same? F-SI of the same images across architectures and initialisations (Unique-info A.4, Figs. 5, 6).

Each network is an influence analysis of its own on the same images, stored under its own key, so that it can be opened and is not computed
again. λ and τ are the same for all, as in the paper. Differs from the source, whose networks are pretrained on ImageNet and tell cats from
dogs: the networks here are whatever is chosen, and a pretrained one is drawn anew in its fresh head alone.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.defaults import affordable
from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import forecast_influence
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.believe import networks
from ntkcore.analyses.information.believe.answer import across_networks
from ntkcore.analyses.information.views import scores
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.materials.probes import product_rate
from ntkcore.analyses.progress import STUDY as STAGE
from ntkcore.analyses.progress import PieceReporter, Stage
from ntkcore.analyses.study import Pieces, Shapes, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.models.build import check_fit
from ntkcore.regression.contour import NODES
from ntkcore.specs.believe import AgreementStudySpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SEEDS = (3, 2, 1)
"""Initialisations, where nobody says how many: the usual number, and fewer where those take long."""
_KERNEL = 0.9  # share of a part that is told when its kernel is there


def asked(spec: InfluenceSpec, view: InformationView, seeds: int) -> AgreementStudySpec:
    """The study that the information page's choice asks for, at its λ and τ, from so many initialisations of each network.

    Raises:
        SpecError: there is nothing to compare with, or this kernel has no initialisation.
    """
    wanted = view.believe
    try:
        return AgreementStudySpec(influence=spec, others=wanted.others, seeds=seeds, ridge=view.ridge, time=view.flow_time)
    except ValidationError as error:
        raise unasked(error, "Choose other networks, or more initialisations.") from error


class Agreement(Study[AgreementStudySpec, InformationView]):
    """Do other networks say the same?"""

    kind, version, uses = "agreement", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = AgreementStudySpec, InformationView
    word = "study: agreement between networks"

    def title(self, spec: AgreementStudySpec, ws: Workspace) -> str:
        """How many networks are compared, from how many initialisations."""
        return f"Agreement of {len(networks.networks(spec))} networks, {spec.seeds} initialisation{'' if spec.seeds == 1 else 's'} each"

    def content(self, spec: AgreementStudySpec, ws: Workspace) -> Mapping[str, str]:
        """Every network's analysis."""
        return {str(place): INFLUENCE.key(one, ws) for place, one in enumerate(spec.variants)}

    def forecast(self, spec: AgreementStudySpec, ws: Workspace) -> Forecast:
        """The analyses' own forecasts, of those that are not stored.

        Raises:
            ModelError: a network does not fit the images; says what would.
        """
        sample = sample_of(spec.influence.dataset, ws)
        for one in spec.variants[:: spec.seeds]:
            check_fit(networks.model_of(one), sample.inputs.shape[1:], sample.outputs)
        of_each = [forecast_influence(one, ws) for one in spec.variants[:: spec.seeds]]
        if refused := next((one for one in of_each if one.refusal), None):
            return refused
        ready = [INFLUENCE.ready(one, ws) for one in spec.variants]
        seconds = sum(0.0 if stored else of_each[place // spec.seeds].seconds for place, stored in enumerate(ready))
        disk = sum(0 if stored else of_each[place // spec.seeds].disk for place, stored in enumerate(ready))
        largest = max(of_each, key=lambda one: one.memory)
        n, side = spec.influence.dataset.n, sample.outputs if spec.influence.kernel == "full" else 1
        scoring = len(spec.variants) * product_rate(ws) * (1 + 2 * NODES) * spec.influence.test * n**2 * side**3
        return Forecast(
            stages=(Stage(STAGE, "pieces", len(spec.variants), seconds + scoring),),
            seconds=seconds + scoring,
            memory=largest.memory,
            disk=disk + 8 * spec.influence.dataset.n * len(spec.variants),
            memory_limit=largest.memory_limit,
            disk_free=largest.disk_free,
            refusal="" if disk <= largest.disk_free else "The kernels of all these networks do not fit on the disk: choose fewer networks.",
            largest_n=spec.influence.dataset.n,
        )

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> AgreementStudySpec:
        """What the page's choice asks for; see :func:`asked`."""
        wanted = view.believe
        fewest = 1 if wanted.others else 2  # one network from one initialisation has nothing to agree with
        each = [seeds for seeds in SEEDS if seeds >= fewest] if wanted.seeds is None else [wanted.seeds]
        return affordable(self, [asked(spec, view, seeds) for seeds in each], ws)

    def shown(self, spec: AgreementStudySpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        believe = {"show": "agreement", "others": spec.others, "seeds": spec.seeds}
        view = {"ask": "believe", "ridge": spec.ridge, "time": spec.time, "believe": believe}
        return spec.influence, InformationView.model_validate(view)

    def pieces(self, spec: AgreementStudySpec) -> int:
        """One for each network and initialisation."""
        return len(spec.variants)

    def shapes(self, spec: AgreementStudySpec, ws: Workspace) -> Shapes:
        """``scores``: F-SI (n,) in nats."""
        return {"scores": (spec.influence.dataset.n,)}

    def piece(self, spec: AgreementStudySpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """A network's analysis, stored as its own, and the scores at the study's λ and τ."""
        variant = spec.variants[number]
        INFLUENCE.run(variant, 0, ws, reporter)
        reporter.tell(_KERNEL)
        return {"scores": scores(Look.of(INFLUENCE.open(variant, ws), spec.ridge, spec.time, ws))}

    def answer(self, result: Pieces[AgreementStudySpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """How far the networks agree, and this one with itself from other initialisations."""
        return (across_networks(result),)

    def table(self, result: Pieces[AgreementStudySpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """A row for each pair of networks, each with itself from different initialisations."""
        return networks.table(result)


AGREEMENT = Agreement()
