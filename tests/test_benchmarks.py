"""What the benchmark of the kernels compares is the same thing: the JAX twin is torch's network, and every peer's kernel is ours.

And the operations it counts for a network of linear layers are those of the closed form.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from soaked import soaked
from torch import nn

from ntkcore.kernels import empirical_ntk
from ntkcore.kernels.jax_backend import libraries
from ntkcore.models import build_model
from ntkcore.models.layers import AveragePixels, PadShortcut
from ntkcore.models.residual import BasicBlock
from ntkcore.specs import ModelSpec

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: it has a module "pages", too

from jax_twin import twin
from kernel_peers import Peer, TorchJacobians, TorchProducts
from kernel_rates import fitted, operations
from kernel_tangents import METHODS, Tangents
from kernel_workloads import SMALL, TABLE

# torch's own jvp and neural-tangents' vector products use what torch and JAX no longer recommend
pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.* requires ndarray or scalar arguments:DeprecationWarning"),
]

CASES = [
    ("fcn", (1, 6, 6), {"width": 16, "depth": 2}),
    ("cnn3", (1, 8, 8), {"width": 4}),
    ("cnn4", (1, 28, 28), {"width": 4}),
    ("convnet", (3, 8, 8), {"width": 4}),
    ("resnet20", (3, 8, 8), {}),
    ("resnet18", (3, 32, 32), {"width": 4}),
    ("wrn16", (3, 8, 8), {"width": 4}),
]


def network(architecture: str, shape: tuple[int, ...], options: dict[str, int]) -> nn.Module:
    """With a normalisation that does something."""
    spec = ModelSpec.model_validate({"architecture": architecture, **options})
    model = build_model(spec, input_shape=shape, outputs=3, mean=np.full(shape[0], 0.4), std=np.full(shape[0], 0.3))
    return unsettled(model)


def unsettled(model: nn.Module) -> nn.Module:
    """With BatchNorm statistics and weights that do something."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return model


def residual() -> nn.Module:
    """A small one with both kinds of blocks of a CIFAR ResNet."""
    torch.manual_seed(0)
    blocks = (BasicBlock(4, 4, 1), BasicBlock(4, 6, 2, PadShortcut(2)))
    return unsettled(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *blocks, AveragePixels(), nn.Linear(6, 3)).eval())


@pytest.mark.parametrize(("architecture", "shape", "options"), CASES, ids=[case[0] for case in CASES])
def test_the_jax_twin_is_the_network(architecture: str, shape: tuple[int, ...], options: dict[str, int]) -> None:
    """In float32, to some fifty roundings of the outputs' size."""
    model = network(architecture, shape, options)
    x = torch.rand(4, *shape)
    with torch.no_grad():
        expected = model(x).numpy()
    apply, params = twin(model)
    found = np.asarray(libraries().jax.jit(apply)(params, x.numpy()))
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_an_unknown_layer_has_no_twin() -> None:
    apply, params = twin(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    with pytest.raises(ValueError, match="Tanh"):
        apply(params, np.ones((1, 2), np.float32))


PAIRS = [(name, outputs) for name in ("fcn", "cnn3", "residual") for outputs in ("pseudo", "full")]


@pytest.mark.parametrize(("name", "outputs"), soaked(PAIRS, ("fcn", "pseudo"), ("cnn3", "full")))
def test_every_peer_has_our_kernel(name: str, outputs: str) -> None:
    """On 4 samples, in chunks and blocks, with plenty of memory and with too little for the Jacobians."""
    model = residual() if name == "residual" else network(*{case[0]: case for case in CASES}[name])
    x = torch.rand(4, *{"fcn": (1, 6, 6), "cnn3": (1, 8, 8), "residual": (3, 6, 6)}[name])
    ours = empirical_ntk(model, x, outputs=outputs).values
    runs: list[tuple[Peer, tuple[int, ...]]] = [
        (TorchJacobians(model, x[0], outputs, 10**9), (4,)),
        (TorchJacobians(model, x[0], outputs, 10**9), (3,)),
        (TorchJacobians(model, x[0], outputs, 10**4), (1,)),
        (TorchProducts(model, x[0], outputs, 10**9), (1, 3)),
    ]
    runs += [(Tangents(model, x[0], outputs, 10**9, method), setting) for method in METHODS for setting in ((), (2, 2))]
    for peer, setting in runs:
        found = peer.run(x, setting)
        assert found.shape == ours.shape
        assert np.linalg.norm(found - ours) <= 1e-5 * np.linalg.norm(ours), (peer.name, setting)


def test_every_offered_setting_divides_the_samples() -> None:
    workload = SMALL["small-fcn"]
    model = workload.network()
    sample = torch.rand(workload.shape)
    for method in METHODS:
        peer = Tangents(model, sample, "pseudo", 10**9, method)
        settings = peer.settings(50)
        assert () in settings
        assert all(50 % setting[0] == 0 for setting in settings if setting)
        assert all(size <= 50 for setting in settings for size in peer.trial(setting, 50))


def test_workloads_give_ten_outputs_unless_said() -> None:
    for name, workload in (TABLE | SMALL).items():
        with torch.no_grad():
            outputs = workload.network()(torch.rand(1, *workload.shape))
        assert outputs.shape == (1, 1 if name == "one-output" else 10)


@pytest.mark.parametrize(("outputs", "rows"), [("pseudo", 1), ("full", 3)])
def test_operations_of_linear_layers(outputs: str, rows: int) -> None:
    """A pair of samples takes ``2 sum (D + r² C)``; a sample at least its forward pass and its backward passes between the layers."""
    model = nn.Sequential(nn.Linear(50, 40), nn.ReLU(), nn.Linear(40, 3))
    pair = 2 * (50 + 40) + 2 * rows**2 * (40 + 3)
    passes = 2 * (50 * 40 + 40 * 3) + 2 * rows * 40 * 3
    few, many = (operations(model, torch.rand(n, 50), outputs) for n in (20, 40))
    assert many - 2 * few == pytest.approx(pair * (40 * 41 - 2 * 20 * 21) / 2, rel=1e-6)
    assert few == pytest.approx(20 * passes + pair * 210, rel=0.05)


def test_times_are_scaled_by_what_was_measured() -> None:
    assert fitted((10,), [2.0], 30) == pytest.approx(18)
    assert fitted((10, 20), [3 * 10 + 0.5 * 100, 3 * 20 + 0.5 * 400], 100) == pytest.approx(300 + 5000)
    assert fitted((10, 20), [1.0, 1.5], 100) == pytest.approx(7.5)  # less than linear: taken as linear
    assert fitted((10, 20), [1.0, 8.0], 100) == pytest.approx(200)  # more than quadratic: taken as quadratic
    assert fitted((10, 20), [1.0, 8.0], 20) == 8.0
