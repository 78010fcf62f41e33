"""In float64 everything is: F-SI of a network against its explicit Jacobian and outputs, solved anew without each image."""

import numpy as np
import pytest
import torch
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views
from ntkcore.analyses.materials.kernel import kernel_network
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs import KernelSpec
from ntkcore.specs.influence import InfluenceSpec

RIDGE = 0.01


@pytest.mark.parametrize("epochs", [0, 2])
@pytest.mark.parametrize(
    ("kernel", "classes", "model"),
    [("pseudo", ("3", "8"), {"architecture": "fcn", "width": 16}), ("full", ("3", "5", "8"), {"architecture": "cnn3", "width": 4})],
)
def test_functional_information_is_that_of_explicit_gradients_and_outputs(cache, kernel, classes, model, epochs):
    """Outputs in single precision would be off by 1e-7, and F-SI, whose targets are less those, by 1e-5; systems of a condition of 1e5
    lose six of sixteen digits, and a difference of two of them a few more."""
    ws = Workspace(cache)
    data = {"classes": classes, "n": 14}
    asked = {"dataset": data, "test": 5, "kernel": kernel, "model": model, "dtype": "float64"}
    spec = InfluenceSpec.model_validate(asked | ({"training": {"epochs": epochs}} if epochs else {}))
    INFLUENCE.compute(spec, ws, Recording())
    split = load_split(spec.dataset, spec.test, ws)
    module = kernel_network(
        KernelSpec(dataset=spec.dataset, model=spec.model, training=spec.training, dtype="float64"), split.train, ws, Recording()
    )
    outputs = module(torch.from_numpy(np.concatenate([split.train.inputs, split.test_inputs]).astype(np.float64)))
    rows = [
        torch.cat([g.flatten() for g in torch.autograd.grad(v, list(module.parameters()), retain_graph=True)]) for v in outputs.flatten()
    ]
    n, k = 14, outputs.shape[1]
    train, held = np.split(torch.stack(rows).numpy(), [n * k])
    left = (split.train.targets - outputs[:n].detach().numpy()).reshape(-1)

    def moved(kept: list[int]) -> np.ndarray:
        own = [i * k + o for i in kept for o in range(k)]
        return held @ train[own].T @ np.linalg.solve(train[own] @ train[own].T + RIDGE * np.eye(len(own)), left[own])

    whole = moved(list(range(n)))
    expected = [np.square(whole - moved([j for j in range(n) if j != i])).sum() / 5 / 2 for i in range(n)]
    found = views.scores(Look.of(INFLUENCE.open(spec, ws), RIDGE, None, ws))
    np.testing.assert_allclose(found, expected, rtol=1e-8)
