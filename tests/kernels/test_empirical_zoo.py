"""empirical_ntk in every form equals explicit Jacobians for every network of the zoo, with no layer left to the fallback.

Relative Frobenius differences: 1e-10 in float64; 1e-5 in float32, against plain autograd in float32 whose products are added in
float64, so that only the kernels' own rounding counts.
"""

import numpy as np
import pytest
import torch
from soaked import soaked
from torch import Tensor, nn

from ntkcore.kernels import empirical_ntk, layer_plan
from ntkcore.models import build_model
from ntkcore.specs import ARCHITECTURES, ModelSpec

SHAPES = {"fcn": (1, 28, 28), "cnn3": (1, 28, 28), "cnn4": (1, 28, 28)}
OUTPUTS = {"resnet18": 2, "resnet20": 3, "wrn16": 3}


def explicit(model: nn.Module, x: Tensor) -> np.ndarray:
    """(n, n, k, k)."""
    parameters = list(model.parameters())
    rows = [torch.autograd.grad(output, parameters, retain_graph=True) for sample in x for output in model(sample.unsqueeze(0))[0]]
    total = np.zeros((len(rows), len(rows)))
    for index in range(len(parameters)):
        stacked = torch.stack([row[index].flatten() for row in rows]).double()
        total += (stacked @ stacked.T).numpy()
    k = len(rows) // len(x)
    return total.reshape(len(x), k, len(x), k).transpose(0, 2, 1, 3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", soaked(ARCHITECTURES, "fcn", "cnn3", "resnet20"))
def test_every_network_of_the_zoo(name: str, dtype: torch.dtype) -> None:
    shape, k = SHAPES.get(name, (3, 32, 32)), OUTPUTS.get(name, 10)
    model = build_model(ModelSpec(architecture=name), input_shape=shape, outputs=k).to(dtype)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # running statistics of a trained network, not those of a fresh one
        for key, value in model.state_dict().items():
            if "running" in key:
                value.mul_(1 + 0.2 * torch.rand(value.shape, generator=generator, dtype=value.dtype))
    x = torch.rand(3, *shape, generator=generator).to(dtype)
    assert {entry.form for entry in layer_plan(model, x).entries} == {"factored"}
    full = explicit(model, x)
    forms = {"full": full, "pseudo": full.sum((2, 3)) / k, "first": full[:, :, 0, 0], "mean": np.trace(full, axis1=2, axis2=3) / k}
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    for outputs, expected in forms.items():
        found = empirical_ntk(model, x, outputs=outputs).values
        assert found.dtype == (np.float64 if dtype == torch.float64 else np.float32)
        assert np.linalg.norm(found - expected) <= tolerance * np.linalg.norm(expected), outputs
        part = empirical_ntk(model, x[:1], x[1:], outputs=outputs).values
        assert np.linalg.norm(part - expected[:1, 1:]) <= tolerance * np.linalg.norm(expected[:1, 1:]), outputs
