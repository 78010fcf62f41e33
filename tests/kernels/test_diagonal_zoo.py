"""ntk_diagonal equals explicit per-sample Jacobian norms for every network of the zoo: 1e-10 in float64, 1e-4 in float32.

The oracle is plain autograd in the same precision, one sample and one output at a time, its squares added in float64.
"""

import numpy as np
import pytest
import torch
from soaked import soaked
from torch import Tensor, nn

from ntkcore.kernels import empirical_ntk, layer_plan, ntk_diagonal
from ntkcore.models import build_model
from ntkcore.specs import ARCHITECTURES, ModelSpec

ZOO = {name: (1, 28, 28) if name in ("fcn", "cnn3", "cnn4") else (3, 32, 32) for name in ARCHITECTURES}
OUTPUTS = {"resnet18": 2, "resnet20": 3, "wrn16": 3}


def explicit_norms(model: nn.Module, x: Tensor) -> np.ndarray:
    rows = []
    for sample in x:
        outputs = model(sample.unsqueeze(0))[0]
        grads = [torch.autograd.grad(output, list(model.parameters()), retain_graph=True) for output in outputs]
        rows.append([sum(float(g.double().square().sum()) for g in each) for each in grads])
    return np.array(rows)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", soaked(ZOO, "fcn", "cnn3", "resnet20"))
def test_every_network_of_the_zoo(name: str, dtype: torch.dtype) -> None:
    shape, outputs = ZOO[name], OUTPUTS.get(name, 10)
    model = build_model(ModelSpec(architecture=name), input_shape=shape, outputs=outputs).to(dtype)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # running statistics and scales of a trained network, not those of a fresh one
        for key, value in model.state_dict().items():
            if "running" in key or ".bn" in key:
                value.mul_(1 + 0.2 * torch.rand(value.shape, generator=generator, dtype=value.dtype)) if value.is_floating_point() else None
    x = torch.rand(3, *shape, generator=generator).to(dtype)
    assert {entry.form for entry in layer_plan(model, x).entries} == {"factored"}
    expected = explicit_norms(model, x)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    np.testing.assert_allclose(ntk_diagonal(model, x, reduction="none"), expected, rtol=tolerance)
    np.testing.assert_allclose(empirical_ntk(model, x, outputs="mean").values.diagonal(), expected.mean(1), rtol=tolerance)
