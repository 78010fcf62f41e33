"""Principal coordinates of a data set, a few of them, for density estimates in several projections (SCIENCE.md §4).

The leading components alone are found, by Lanczos iterations: a full singular value decomposition takes minutes for thousands of
photographs. The density estimate on the first d coordinates is that on d principal components, for it does not depend on their rotation.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import svds

from ntkcore.errors import DataError

Float = NDArray[np.float64]

_DENSE = 4  # times the components wanted: below it a full decomposition is as quick


def principal_coordinates(x: ArrayLike, dimension: int) -> tuple[Float, Float]:
    """Leading principal coordinates of the standardised samples, each of mean 0 and variance 1.

    Args:
        x: (n, ...) samples.
        dimension: components wanted; fewer where the samples span fewer.

    Returns:
        (n, d) coordinates, and (d,) the share of the standardised samples' variance in the first 1, 2, … d of them.

    Raises:
        DataError: fewer than two samples, samples that are not finite or all alike, no dimension.
    """
    samples = np.asarray(x, dtype=np.float64)
    samples = samples.reshape(len(samples), -1)
    if len(samples) < 2 or not np.isfinite(samples).all():
        raise DataError("A projection needs at least two samples of finite values.", "Choose more images, or repair these.")
    if dimension < 1:
        raise DataError(f"The dimension of a projection has to be positive, not {dimension}.", "Choose a dimension of at least 1.")
    spread = samples.std(0)
    varying = spread > 1e-12 * max(float(np.abs(samples).max()), 1e-300)
    if not varying.any():
        raise DataError("All samples are alike, so they have no density.", "Choose different images.")
    standard = (samples[:, varying] - samples[:, varying].mean(0)) / spread[varying]
    if _DENSE * dimension >= min(standard.shape):
        left, values, _ = np.linalg.svd(standard, full_matrices=False)
    else:
        side = min(standard.shape)
        start = np.random.default_rng(0).standard_normal(side)  # ARPACK's own start is another at each call
        left, values, _ = svds(standard, k=dimension, v0=start)
        order = np.argsort(-values)
        left, values = left[:, order], values[order]
    kept = min(dimension, int((values > 1e-10 * values[0]).sum()))
    shares = np.cumsum(np.square(values[:kept])) / float(np.square(standard).sum())
    return left[:, :kept] * np.sqrt(len(samples)), shares
