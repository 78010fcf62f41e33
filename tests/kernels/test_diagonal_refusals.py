"""What has no diagonal of a kernel is refused, with the layer, the sample or the number that is in the way."""

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.errors import ComputationError, DataError, ModelError
from ntkcore.kernels import ntk_diagonal


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (nn.BatchNorm1d(5), "training mode"),
        (nn.BatchNorm1d(5, track_running_stats=False), "running statistics"),
        (nn.Dropout(0.5), "at random"),
        (nn.RReLU(), "slope is random"),
    ],
)
def test_layers_that_mix_samples_or_are_random_are_refused_by_name(layer: nn.Module, word: str) -> None:
    model = nn.Sequential(layer, nn.Linear(5, 3)).train()
    with pytest.raises(ModelError, match=word) as caught:
        ntk_diagonal(model, torch.randn(4, 5))
    assert type(layer).__name__ in str(caught.value)
    assert model.training


class _Odd(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.layer = kind, nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> object:
        y = self.layer(x)
        return {
            "pair": lambda: (y, y),
            "cube": lambda: y[:, :, None],
            "vector": lambda: y[:, 0],
            "mixing": lambda: y - y.mean(0),
            "random": lambda: nn.functional.dropout(y, 0.5, training=True),
            "infinite": lambda: y / 0,
            "cut": lambda: y.detach(),
        }[self.kind]()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("pair", "tuple"),
        ("cube", "not .batch, outputs"),
        ("vector", "not .batch, outputs"),
        ("mixing", "depends on the other samples"),
        ("random", "different outputs"),
        ("infinite", "NaN or infinite"),
        ("cut", "do not depend"),
    ],
)
def test_networks_without_a_kernel_are_refused(kind: str, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        ntk_diagonal(_Odd(kind), torch.randn(4, 5))


def test_bad_weights_and_models_are_refused() -> None:
    x = torch.randn(4, 5)
    broken = nn.Linear(5, 3)
    with torch.no_grad():
        broken.weight[0, 0] = float("nan")
    with pytest.raises(ModelError, match="weight"):
        ntk_diagonal(broken, x)
    with pytest.raises(ModelError, match="no trainable"):
        ntk_diagonal(nn.Linear(5, 3).requires_grad_(False), x)
    with pytest.raises(ModelError, match="bfloat16"):
        ntk_diagonal(nn.Linear(5, 3).bfloat16(), x)
    with pytest.raises(ModelError, match="lazy"):
        ntk_diagonal(nn.LazyLinear(3), x)
    with pytest.raises(ModelError, match="cannot take"):
        ntk_diagonal(nn.Linear(6, 3), x)


def test_bad_samples_are_refused() -> None:
    model, x = nn.Linear(5, 3), torch.randn(4, 5)
    for value in (float("nan"), float("inf")):
        bad = x.clone()
        bad[2, 1] = value
        with pytest.raises(DataError, match="sample 2"):
            ntk_diagonal(model, bad)
    with pytest.raises(DataError, match="no samples"):
        ntk_diagonal(model, x[:0])
    with pytest.raises(DataError, match="not numbers"):
        ntk_diagonal(model, np.array([["a"]]))
    for size in (0, -1, 1.5, True):
        with pytest.raises(DataError, match="batch size"):
            ntk_diagonal(model, x, batch_size=size)  # type: ignore[arg-type]


def test_overflow_is_an_error_not_a_number() -> None:
    model = nn.Sequential(nn.Linear(5, 4, bias=False), nn.Linear(4, 3, bias=False))
    x = torch.randn(4, 5)
    x[3] *= 1e37
    with torch.no_grad():
        model[0].weight.mul_(100)
    with pytest.raises(ComputationError, match="sample 3"):
        ntk_diagonal(model, x)
