"""Information in the weights by what smooths them: SGD's own noise, beside even noise (Unique-info Prop. 5.1, eqs. 13-15).

Both answer how far training without an image ends from training with it, in units of where SGD ends by chance. Langevin's noise is the
same in every direction; SGD's is the scatter of the images' own gradients, which badly fitted images rule. Even noise has the mean
variance of SGD's here, so that the two differ by the noise's shape alone.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.views import judged, spearman
from ntkcore.analyses.look import memoised
from ntkcore.analyses.words import fixed, number
from ntkcore.errors import ComputationError
from ntkcore.information import langevin_information, sgd_information, steady_state

ALIKE = 0.95
"""Spearman's ρ from which the noise is said to change little of the ranking; ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Noises:
    """Information of every training image in the weights.

    Attributes:
        even: (n,) in nats, by Langevin's noise.
        sgd: (n,) in nats, by SGD's own; None where that cannot be had, and ``refusal`` says why.
        sigma: standard deviation of a gradient's noise in each direction: Langevin's, and the root mean square of SGD's; 1 without that.
    """

    even: np.ndarray
    sgd: np.ndarray | None
    sigma: float
    refusal: str = ""

    @property
    def ratio(self) -> np.ndarray:
        """(n,) how many times as much an image tells by SGD's noise; NaN where it tells nothing."""
        assert self.sgd is not None
        return np.divide(self.sgd, self.even, out=np.full_like(self.sgd, np.nan), where=self.even > 0)


@memoised(size=lambda made: 2 * made.even.nbytes)
def noises(look: Look, rate: float, batch: int) -> Noises:
    """Both at the look's λ and τ.

    Args:
        rate: η of eq. 14.
        batch: b, images of a step.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """
    regression, weights = look.regression(), look.result.parameters
    sgd, sigma, refusal = None, 1.0, ""
    try:
        found = steady_state(regression, rate=rate, batch=batch, weights=weights, time=look.time)
        sgd = sgd_information(regression, rate=rate, batch=batch, weights=weights, time=look.time)
        sigma = float(np.sqrt(np.diagonal(found.noise).mean()))
    except ComputationError as error:
        refusal = error.message
    return Noises(langevin_information(regression, rate=rate, batch=batch, sigma=sigma, time=look.time), sgd, sigma, refusal)


def answer(found: Noises, loss: np.ndarray) -> tuple[str, ...]:
    """What the two noises' difference says; where only Langevin's can be had, why.

    Args:
        loss: (n,) of the training images.
    """
    if found.sgd is None:
        largest = f"By Langevin's even noise the largest is {number(float(found.even.max()))} nats at σ = 1, the median"
        return found.refusal, f"{largest} {number(float(np.median(found.even)))}."
    rho, own = spearman(found.sgd, found.even), spearman(found.ratio, loss)
    ranking = (
        "that SGD's noise is uneven changes little of which images count as informative"
        if rho >= ALIKE
        else "which images count as informative depends on the noise that is assumed"
    )
    said = f"SGD's own noise and even noise of the same strength rank the images with Spearman {fixed(rho)}: {ranking}."
    low, middle, high = np.nanquantile(found.ratio, (0.1, 0.5, 0.9))
    factor = f"By SGD's noise the median image tells {number(middle)} times as much, four images in five {number(low)} to {number(high)}"
    return said, f"{factor} times: {_pull(own)}."


def _pull(own: float) -> str:
    """What the factor goes with, by Spearman's ρ of it with the loss."""
    if np.isnan(own) or abs(own) < 0.3:
        return f"that does not go with how badly the network fits it (Spearman {fixed(own)} with its loss)"
    if own < 0:
        return f"less for images that it fits badly, since the noise lies along their own gradients (Spearman {fixed(own)} with the loss)"
    return f"more for images that it fits badly, which move the weights where the noise is quiet (Spearman {fixed(own)} with the loss)"


def noise_table(look: Look, rate: float, batch: int) -> pd.DataFrame:
    """All training images, those of most information first: by SGD's noise, or where that cannot be had by Langevin's."""
    result, found = look.result, noises(look, rate, batch)
    order = np.argsort(-(found.even if found.sgd is None else found.sgd), kind="stable")
    columns = {
        "image": order,
        "id": [result.ids[i] for i in order],
        "label": [result.class_names[label] for label in result.labels[order]],
        "langevin_information": found.even[order],
        "loss": judged(look).loss[order],
    }
    if found.sgd is not None:
        columns |= {"sgd_information": found.sgd[order], "ratio": found.ratio[order]}
    return pd.DataFrame(columns)
