"""Do other networks say the same? F-SI of the same images across architectures and initialisations (Unique-info A.4, Figs. 5, 6).

Each network is an influence analysis of its own on the same images, stored under its own key, so that it can be opened and is not computed
again. λ and τ are the same for all, as in the paper. Differs from the source, whose networks are pretrained on ImageNet and tell cats from
dogs: the networks here are whatever is chosen, and a pretrained one is drawn anew in its fresh head alone.
"""

from collections.abc import Mapping
from math import inf

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import forecast_influence
from ntkcore.analyses.influence.views import regression
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.progress import STUDY as STAGE
from ntkcore.analyses.progress import Stage
from ntkcore.analyses.study import PartReporter, Parts, Shapes, Study
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.information import functional_information
from ntkcore.information.agreement import correlation_matrix, overlap_matrix
from ntkcore.models.build import check_fit
from ntkcore.specs import TITLES, ModelSpec, faults
from ntkcore.specs.believe import AgreementStudySpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

TOP = 10
"""Most informative images of which networks are compared, as in Fig. 6."""
_KERNEL = 0.9  # share of a part that is told when its kernel is there


def asked(spec: InfluenceSpec, view: InformationView) -> AgreementStudySpec:
    """The study that the information page's choice asks for, at its λ and τ.

    Raises:
        SpecError: there is nothing to compare with, or this kernel has no initialisation.
    """
    wanted = view.believe
    try:
        return AgreementStudySpec(influence=spec, others=wanted.others, seeds=wanted.seeds, ridge=view.ridge, time=view.time)
    except ValidationError as error:
        said = faults(error)[0].partition(": ")[2] or faults(error)[0]
        raise SpecError(f"{said[0].upper()}{said[1:]}.", "Choose other networks, or more initialisations.") from error


def network_title(model: ModelSpec) -> str:
    """A network in a few words, without its initialisation."""
    depth = f", {model.depth} hidden" if model.depth is not None else ""
    return f"{TITLES[model.architecture]}{depth}, width {model.width}{', pretrained' if model.weights == 'pretrained' else ''}"


def networks(spec: AgreementStudySpec) -> tuple[str, ...]:
    """Titles of the networks, the analysis's own first."""
    return tuple(network_title(_model(one)) for one in spec.variants[:: spec.seeds])


def _model(spec: InfluenceSpec) -> ModelSpec:
    assert spec.model is not None  # the specification refuses kernels without a network
    return spec.model


def by_network(parts: Parts[AgreementStudySpec]) -> np.ndarray:
    """(networks, seeds, n) F-SI."""
    return parts["scores"].reshape(-1, parts.spec.seeds, parts.spec.influence.dataset.n)


def between_networks(parts: Parts[AgreementStudySpec], ranks: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Correlations (A, A) between architectures: mean over pairs of initialisations, and their standard deviation.

    Off the diagonal pairs of the same seed and of others count alike, as initialisations of two architectures have nothing in common; on
    it pairs of different seeds, so that it tells how much the initialisation alone changes. NaN for a single one.
    """
    scores = by_network(parts)
    count, seeds = scores.shape[:2]
    pairs = correlation_matrix(parts["scores"], ranks).reshape(count, seeds, count, seeds).transpose(0, 2, 1, 3)
    mean, deviation = np.full((count, count), np.nan), np.full((count, count), np.nan)
    different = ~np.eye(seeds, dtype=bool)
    for a in range(count):
        for b in range(count):
            values = pairs[a, b][different] if a == b else pairs[a, b].ravel()
            if len(values):
                mean[a, b], deviation[a, b] = values.mean(), values.std()
    return mean, deviation


def shared_top(parts: Parts[AgreementStudySpec]) -> np.ndarray:
    """(A, A) how many of their TOP most informative images two networks share, by the mean over initialisations of their scores."""
    return overlap_matrix(by_network(parts).mean(1), TOP)


def top_images(parts: Parts[AgreementStudySpec]) -> np.ndarray:
    """(A, TOP) the most informative images of each network, by the mean over initialisations."""
    return np.argsort(-by_network(parts).mean(1), axis=1, kind="stable")[:, :TOP]


def table(parts: Parts[AgreementStudySpec]) -> pd.DataFrame:
    """A row for each pair of networks, each with itself from different initialisations."""
    names = networks(parts.spec)
    (pearson, deviation), (spearman, _), shared = between_networks(parts), between_networks(parts, ranks=True), shared_top(parts)
    rows = [(a, b) for a in range(len(names)) for b in range(a, len(names))]
    return pd.DataFrame(
        {
            "network": names[a],
            "with": "itself, other initialisations" if a == b else names[b],
            "pearson": pearson[a, b],
            "deviation": deviation[a, b],
            "spearman": spearman[a, b],
            "shared_top": None if a == b else shared[a, b],
            "initialisations": parts.spec.seeds,
        }
        for a, b in rows
    )


def score_table(parts: Parts[AgreementStudySpec]) -> pd.DataFrame:
    """A column of F-SI for each network and initialisation, a row for each image."""
    names = [f"{network_title(_model(one))}, seed {_model(one).seed}" for one in parts.spec.variants]
    return pd.DataFrame({"image": np.arange(parts.spec.influence.dataset.n)} | dict(zip(names, parts["scores"], strict=True)))


class Agreement(Study[AgreementStudySpec, InformationView]):
    """Do other networks say the same?"""

    kind, version, uses = "agreement", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = AgreementStudySpec, InformationView
    word = "study: agreement between networks"

    def title(self, spec: AgreementStudySpec, ws: Workspace) -> str:
        """In words."""
        return f"Agreement of {len(networks(spec))} networks, {spec.seeds} initialisation{'' if spec.seeds == 1 else 's'} each"

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
            check_fit(_model(one), sample.inputs.shape[1:], sample.outputs)
        of_each = [forecast_influence(one, ws) for one in spec.variants[:: spec.seeds]]
        if refused := next((one for one in of_each if one.refusal), None):
            return refused
        ready = [INFLUENCE.ready(one, ws) for one in spec.variants]
        seconds = sum(0.0 if stored else of_each[place // spec.seeds].seconds for place, stored in enumerate(ready))
        disk = sum(0 if stored else of_each[place // spec.seeds].disk for place, stored in enumerate(ready))
        largest = max(of_each, key=lambda one: one.memory)
        scores = 0.5 * len(spec.variants)  # one finite τ of some thousand images
        return Forecast(
            stages=(Stage(STAGE, "parts", len(spec.variants), seconds + scores),),
            seconds=seconds + scores,
            memory=largest.memory,
            disk=disk + 8 * spec.influence.dataset.n * len(spec.variants),
            memory_limit=largest.memory_limit,
            disk_free=largest.disk_free,
            refusal="" if disk <= largest.disk_free else "The kernels of all these networks do not fit on the disk: choose fewer networks.",
            largest_n=spec.influence.dataset.n,
        )

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> AgreementStudySpec:
        """See :func:`asked`."""
        return asked(spec, view)

    def shown(self, spec: AgreementStudySpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        believe = {"show": "agreement", "others": spec.others, "seeds": spec.seeds}
        view = {"ask": "believe", "ridge": spec.ridge, "time": spec.time, "believe": believe}
        return spec.influence, InformationView.model_validate(view)

    def count(self, spec: AgreementStudySpec) -> int:
        """One for each network and initialisation."""
        return len(spec.variants)

    def shapes(self, spec: AgreementStudySpec, ws: Workspace) -> Shapes:
        """The arrays of one piece."""
        return {"scores": (spec.influence.dataset.n,)}

    def piece(self, spec: AgreementStudySpec, number: int, ws: Workspace, reporter: PartReporter) -> Mapping[str, np.ndarray]:
        """One piece."""
        variant = spec.variants[number]
        INFLUENCE.run(variant, 0, ws, reporter)
        reporter.tell(_KERNEL)
        result = INFLUENCE.open(variant, ws)
        time = inf if spec.time is None else spec.time
        return {"scores": functional_information(regression(result, spec.ridge, ws), result.k_test, time)}

    def answer(self, result: Parts[AgreementStudySpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """TODO."""
        return ()

    def table(self, result: Parts[AgreementStudySpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """See :func:`table`."""
        return table(result)


AGREEMENT = Agreement()
