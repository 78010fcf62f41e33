"""Estimates on a real network as numbers, without any computation, for tests of what is said and drawn of them."""

import numpy as np

from ntkcore.analyses.reliability.result import NetworkIhvp
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.network_ihvp import NetworkIhvpSpec

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 60}, "test": 12})


def made(estimation: float = 0.01, **changes: object) -> NetworkIhvp:
    """Numbers without any computation: LiSSA is ``estimation`` of |I| off in each run, the formula 20 %."""
    random = np.random.default_rng(0)
    actual = random.normal(size=10) + 0.1
    signs = np.where(np.arange(4) % 2, 1.0, -1.0)[:, None]
    base = {"influence": SPEC, "removed": range(10), "ridge": 1.0, "time": 5.0, "width": 16}
    given = {
        "spec": NetworkIhvpSpec.model_validate({"verification": base, "target": 3, "repeats": 4}),
        "key": "k",
        "images": np.arange(10),
        "actual": actual,
        "kernel": 1.3 * actual,
        "kernel_end": 1.3 * actual,
        "regime": 1.1 * actual,
        "hessian": 0.8 * actual,
        "gauss_newton": 0.8 * actual,
        "lissa": (0.8 + estimation * signs) * actual,
        "mean_run": 0.8 * actual,
        "curvature": "hessian",
        "failures": {},
    }
    given |= {"iterations": 5, "residual": 1e-5, "scale": 2.0, "depth": 30, "stationarity": 0.1}
    given |= {"rate": 0.1, "steps": 50, "seconds": 1.0, "device": "cpu", "created": "2026-01-01T00:00:00+00:00"}
    return NetworkIhvp(**(given | changes))
