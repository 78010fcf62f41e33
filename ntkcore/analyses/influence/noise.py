"""Flipped labels among the most influential images, through training (IF-NTK Fig. 7)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import INFLUENTIAL, STEPS, classes, times
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.split import targets_of
from ntkcore.influence import shift_influence

_TESTS, _TIMES = 100, 12


@dataclass(frozen=True, slots=True)
class NoiseShare:
    """Over training time (T,): the share of flipped images among the most influential ones, mean over held-out images; errors (T,)."""

    times: np.ndarray
    share: np.ndarray
    base: float
    train_error: np.ndarray
    test_error: np.ndarray


@memoised("ridge")
def noise_share(look: Look) -> NoiseShare:
    """How the flipped labels become influential (IF-NTK Fig. 7) at the look's λ, on at most 100 held-out images and 12 times."""
    result, chosen = look.result, look.regression()
    axis = np.asarray(times(result))[np.linspace(0, STEPS - 1, _TIMES).round().astype(int)]
    few = slice(0, _TESTS)
    kernel, start, labels = result.k_test[few], result.f_test[few], result.test_labels[few]
    y, flipped = targets_of(labels, chosen.k), result.labels != result.true_labels
    outputs = {float(time): chosen.predict(kernel, start, time) for time in axis}
    top = min(INFLUENTIAL, chosen.n)
    shares: dict[float, list[float]] = {time: [] for time in outputs}
    for time, rows, shift in chosen.shifts(kernel, list(outputs)):
        values = np.abs(shift_influence(shift, outputs[time][rows] - y[rows]))
        shares[time] += list(flipped[np.argpartition(-values, top - 1, axis=1)[:, :top]].mean(1))
    return NoiseShare(
        axis,
        np.asarray([np.mean(shares[time]) for time in outputs]),
        float(flipped.mean()),
        np.asarray([(classes(chosen.fitted(time)) != result.labels).mean() for time in outputs]),
        np.asarray([(classes(values) != labels).mean() for values in outputs.values()]),
    )


def noise_table(noise: NoiseShare) -> pd.DataFrame:
    """The numbers of the noise chart."""
    columns = {"tau": noise.times, "flipped_share": noise.share, "train_error": noise.train_error, "test_error": noise.test_error}
    return pd.DataFrame(columns)
