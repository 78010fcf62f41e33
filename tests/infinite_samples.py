"""Samples for kernels of infinite width."""

import numpy as np


def vectors(n=5, d=12, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def images(n=3, shape=(2, 6, 6), seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape))
