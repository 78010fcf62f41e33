"""Networks for labelling made of random numbers, and what they say by one solve."""

import numpy as np

from ntkcore.analyses.label.network import LabelNetwork
from ntkcore.specs.label import LabelNetworkSpec, LabelSpec


def spec(classes=(), n=12, held=5, start=0, **told):
    dataset = {"n": n, "classes": classes}
    model = {"width": 8, "depth": 1}
    return LabelSpec.model_validate(
        {"dataset": dataset, "model": model, "training": {"epochs": 3}, "held": held, "start": start, "practise": True} | told
    )


def drawn(k: int, n: int = 9, held: int = 4, given=()) -> LabelNetwork:
    """A network of random numbers, with as many classes as outputs, or two."""
    generator = np.random.default_rng(k)
    factor = generator.standard_normal((n + held, 30))
    truth = generator.integers(0, max(k, 2), n + held)
    start = np.where(np.isin(np.arange(n), given), truth[:n], -1)
    names = tuple("abcdefgh"[: max(k, 2)])
    outputs = generator.standard_normal((n + held, k))
    asked = LabelNetworkSpec(session=spec(n=n, held=held))
    return LabelNetwork(asked, "0" * 64, factor @ factor.T, outputs, start, truth, names, tuple(map(str, range(n))), "", None, None)


def coded(labels, k):
    numbers = np.array(labels)
    return 2.0 * numbers[:, None] - 1 if k == 1 else np.eye(k)[numbers]


def said(found: LabelNetwork, labels: dict[int, int]) -> np.ndarray:
    """(N, k) what the network says, fitted to the labels: one solve."""
    known, f = sorted(labels), found.outputs
    if not known:
        return f
    square = found.kernel[np.ix_(known, known)] + found.ridge * np.eye(len(known))
    return f + found.kernel[:, known] @ np.linalg.solve(square, coded([labels[i] for i in known], f.shape[1]) - f[known])
