"""What is said of whether the scores can be believed, in sentences: by retraining, across networks, and over training time."""

from typing import NamedTuple

import numpy as np

from ntkcore.analyses.information.believe.networks import TOP, between_networks, networks, shared_top
from ntkcore.analyses.information.believe.tables import agreement
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.words import fixed
from ntkcore.specs.believe import AgreementStudySpec, RetrainingStudySpec

FOLLOWS, ROUGHLY = 0.9, 0.6
"""Pearson's r of the predictions from which a network is said to follow its linearisation, and to follow it roughly; ours."""


class Verdict(NamedTuple):
    """What a study says at one λ: "follows", "roughly", "fails" or "unknown", and the sentence for it."""

    kind: str
    said: str


def verdict(pieces: Pieces[RetrainingStudySpec], ridge: float) -> Verdict:
    """Whether the network follows its linearisation at one λ, by Pearson's r of the predictions' changes."""
    outputs, weights = agreement(pieces, ridge).pearson, agreement(pieces, ridge, "weights").pearson
    spec = pieces.spec
    if np.isnan(outputs.value):
        return Verdict("unknown", f"{spec.removals} retrained images are too few, or too much alike, to correlate: leave out more.")
    figures = (
        f"without each of {spec.removals} images, its predictions really change as the scores say with Pearson {fixed(outputs.value)} "
        f"(95 % interval {fixed(outputs.low)} to {fixed(outputs.high)}), its weights with {fixed(weights.value)}"
    )
    where = f"At λ = {ridge:g}" if ridge else "Without regularisation"
    if outputs.value >= FOLLOWS:
        return Verdict("follows", f"{where} this network follows its linearisation: {figures}. The scores can be believed.")
    if outputs.value >= ROUGHLY:
        return Verdict("roughly", f"{where} this network follows its linearisation roughly: {figures}. Take the scores as a hint.")
    return Verdict("fails", f"{where} this network does not follow its linearisation: {figures}. The scores say little about this network.")


def across_networks(pieces: Pieces[AgreementStudySpec]) -> str:
    """How far networks, and the initialisations of one, agree, in one sentence."""
    mean, deviation = between_networks(pieces)
    shared, names = shared_top(pieces), networks(pieces.spec)
    said = []
    if len(names) > 1:
        apart = ~np.eye(len(names), dtype=bool)
        low, high = float(mean[apart].min()), float(mean[apart].max())
        of = f"with Pearson {fixed(low)}" if len(names) == 2 else f"with Pearson {fixed(low)} to {fixed(high)}"
        top = int(shared[apart].min()), int(shared[apart].max())
        many = f"{top[0]}" if top[0] == top[1] else f"{top[0]} to {top[1]}"
        said.append(f"Different networks agree on the scores {of}, and share {many} of their {TOP} most informative images")
    if not np.isnan(mean[0, 0]):
        said.append(f"this network from different initialisations agrees with itself with {fixed(mean[0, 0])} ± {fixed(deviation[0, 0])}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def over_training(times: tuple[float, ...], values: np.ndarray) -> str:
    """Agreement over training time (T, T) in one sentence."""
    if len(times) < 2 or np.isnan(values).any():
        return "At some of these times no image tells the network anything, so that there is nothing to correlate."
    early, next_to = float(values[0, -1]), float(np.diagonal(values, 1).min())
    return (
        f"The scores at the first time at which anything is learned agree with those at the last with Pearson {fixed(early)}; one time "
        f"agrees with the next with {fixed(next_to)} or more."
    )
