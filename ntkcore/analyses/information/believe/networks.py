"""Networks compared by their scores of the same images, and in what they agree (Unique-info A.4, Figs. 5, 6)."""

import numpy as np
import pandas as pd

from ntkcore.analyses.study import Pieces
from ntkcore.information.agreement import correlation_matrix, overlap_matrix
from ntkcore.specs import ModelSpec, by_name, title_of
from ntkcore.specs.believe import AgreementStudySpec
from ntkcore.specs.influence import InfluenceSpec

TOP = 10
"""Most informative images of which networks are compared, as in Fig. 6."""


def network_title(model: ModelSpec) -> str:
    """A network in a few words, without its initialisation."""
    depth = f", {model.depth} hidden" if model.depth is not None else ""
    width = "" if by_name(model.architecture) else f", width {model.width}"
    return f"{title_of(model.architecture)}{depth}{width}{', pretrained' if model.weights == 'pretrained' else ''}"


def networks(spec: AgreementStudySpec) -> tuple[str, ...]:
    """Titles of the networks, the analysis's own first."""
    return tuple(network_title(model_of(one)) for one in spec.variants[:: spec.seeds])


def model_of(spec: InfluenceSpec) -> ModelSpec:
    assert spec.model is not None  # the specification refuses kernels without a network
    return spec.model


def by_network(pieces: Pieces[AgreementStudySpec]) -> np.ndarray:
    """(networks, seeds, n) F-SI."""
    return pieces["scores"].reshape(-1, pieces.spec.seeds, pieces.spec.influence.dataset.n)


def between_networks(pieces: Pieces[AgreementStudySpec], ranks: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Correlations (A, A) between architectures: mean over pairs of initialisations, and their standard deviation.

    Off the diagonal pairs of the same seed and of others count alike, as initialisations of two architectures have nothing in common; on
    it pairs of different seeds, so that it tells how much the initialisation alone changes. NaN for a single one.
    """
    scores = by_network(pieces)
    count, seeds = scores.shape[:2]
    pairs = correlation_matrix(pieces["scores"], ranks).reshape(count, seeds, count, seeds).transpose(0, 2, 1, 3)
    mean, deviation = np.full((count, count), np.nan), np.full((count, count), np.nan)
    different = ~np.eye(seeds, dtype=bool)
    for a in range(count):
        for b in range(count):
            values = pairs[a, b][different] if a == b else pairs[a, b].ravel()
            if len(values):
                mean[a, b], deviation[a, b] = values.mean(), values.std()
    return mean, deviation


def shared_top(pieces: Pieces[AgreementStudySpec]) -> np.ndarray:
    """(A, A) how many of their TOP most informative images two networks share, by the mean over initialisations of their scores."""
    return overlap_matrix(by_network(pieces).mean(1), TOP)


def top_images(pieces: Pieces[AgreementStudySpec]) -> np.ndarray:
    """(A, TOP) the most informative images of each network, by the mean over initialisations."""
    return np.argsort(-by_network(pieces).mean(1), axis=1, kind="stable")[:, :TOP]


def table(pieces: Pieces[AgreementStudySpec]) -> pd.DataFrame:
    """A row for each pair of networks, each with itself from different initialisations."""
    names = networks(pieces.spec)
    (pearson, deviation), (spearman, _), shared = between_networks(pieces), between_networks(pieces, ranks=True), shared_top(pieces)
    rows = [(a, b) for a in range(len(names)) for b in range(a, len(names))]
    return pd.DataFrame(
        {
            "network": names[a],
            "with": "itself, other initialisations" if a == b else names[b],
            "pearson": pearson[a, b],
            "deviation": deviation[a, b],
            "spearman": spearman[a, b],
            "shared_top": None if a == b else shared[a, b],
            "initialisations": pieces.spec.seeds,
        }
        for a, b in rows
    )


def score_table(pieces: Pieces[AgreementStudySpec]) -> pd.DataFrame:
    """A column of F-SI for each network and initialisation, a row for each image."""
    names = [f"{network_title(model_of(one))}, seed {model_of(one).seed}" for one in pieces.spec.variants]
    return pd.DataFrame({"image": np.arange(pieces.spec.influence.dataset.n)} | dict(zip(names, pieces["scores"], strict=True)))
