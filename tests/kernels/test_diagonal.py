"""ntk_diagonal against explicit Jacobians by plain autograd.

Tolerances: both sides sum the same numbers in another order. float64: about 1e5 terms with unit roundoff 1e-16, so 1e-10 is generous;
float32: roundings of 6e-8 through a few layers and sums, so 1e-4.
"""

import numpy as np
import pytest
import torch
from kernel_test_networks import FACTORED, GENERAL, Tokens, build, jacobians
from torch import nn

from ntkcore.errors import Cancelled, DataError
from ntkcore.kernels import FallbackWarning, layer_plan, ntk_diagonal

# torch says how it pads evenly sized kernels
pytestmark = pytest.mark.filterwarnings("ignore:Using padding=:UserWarning")


TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


def norms(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    return jacobians(model.double(), x if not x.is_floating_point() else x.double()).square().sum(2).numpy()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", FACTORED)
def test_factored_layers_equal_explicit_jacobians(name: str, dtype: torch.dtype) -> None:
    model, x = build(*FACTORED[name], 5, dtype)
    forms = {entry.form for entry in layer_plan(model, x).entries}
    assert forms <= {"factored", "unused"}
    found = ntk_diagonal(model, x, reduction="none")
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, norms(model, x), rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", GENERAL)
def test_other_parameters_fall_back_and_say_so(name: str, dtype: torch.dtype) -> None:
    make, shape, parameter = GENERAL[name]
    model, x = build(make, shape, 5, dtype)
    with pytest.warns(FallbackWarning, match=parameter.replace(".", r"\.")):
        found = ntk_diagonal(model, x, reduction="none")
    np.testing.assert_allclose(found, norms(model, x), rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("rows", "padding"), [(7, 0), (7, None), (50, 3), (50, -1)])
def test_repeated_and_padding_tokens(rows: int, padding: int | None, sparse: bool) -> None:
    torch.manual_seed(1)
    model = Tokens(rows, padding, sparse).double().eval()
    x = torch.randint(0, 5, (6, 6))  # six draws of five tokens: every sample repeats one
    x[0] = 3
    expected = [[sum(p.to_dense().square().sum().item() for p in _grads(model, s, o)) for o in range(3)] for s in x]
    np.testing.assert_allclose(ntk_diagonal(model, x, reduction="none"), expected, rtol=1e-10)


def _grads(model: nn.Module, sample: torch.Tensor, output: int) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(model(sample[None])[0, output], list(model.parameters()))


def test_frozen_parameters_do_not_count() -> None:
    model, x = build(*FACTORED["batchnorm2d"], 4, torch.float64)
    full = ntk_diagonal(model, x)
    model[0].weight.requires_grad_(False)
    model[1].bias.requires_grad_(False)
    found = ntk_diagonal(model, x)
    np.testing.assert_allclose(found, norms(model, x).mean(1), rtol=1e-10)
    assert (found < full).all()
    assert [e.form for e in layer_plan(model, x).entries].count("frozen") == 2


def test_only_the_bias_or_only_the_weight_of_a_layer() -> None:
    for name in ("conv", "sequence linear", "batchnorm2d", "mlp"):
        for kept in ("weight", "bias"):
            model, x = build(*FACTORED[name], 3, torch.float64)
            for parameter, p in model.named_parameters():
                p.requires_grad_(parameter.endswith(kept))
            np.testing.assert_allclose(ntk_diagonal(model, x), norms(model, x).mean(1), rtol=1e-10)


def test_reductions() -> None:
    model, x = build(*FACTORED["mlp"], 4, torch.float64)
    each = ntk_diagonal(model, x, reduction="none")
    assert each.shape == (4, 3)
    np.testing.assert_allclose(ntk_diagonal(model, x), each.mean(1), rtol=1e-14)
    np.testing.assert_allclose(ntk_diagonal(model, x, reduction="sum"), each.sum(1), rtol=1e-14)
    with pytest.raises(DataError, match="median"):
        ntk_diagonal(model, x, reduction="median")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["conv", "residual in place", "sequence linear", "attention"])
def test_any_batch_size_gives_the_same_numbers(name: str) -> None:
    make, shape = (FACTORED | GENERAL)[name][:2]
    model, x = build(make, shape, 7, torch.float64)
    with pytest.warns(FallbackWarning) if name in GENERAL else _nothing():
        whole = ntk_diagonal(model, x)
    for batch_size in (1, 2, 3, 7, 100):
        with pytest.warns(FallbackWarning) if name in GENERAL else _nothing():
            np.testing.assert_allclose(ntk_diagonal(model, x, batch_size=batch_size), whole, rtol=1e-12)


class _nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_small_workspaces_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting steps by samples and by outputs changes nothing but the order of sums."""
    from ntkcore.kernels import engine, features

    for name in ("conv", "conv groups, few positions", "conv few positions", "sequence linear", "attention"):
        make, shape = (FACTORED | GENERAL)[name][:2]
        model, x = build(make, shape, 6, torch.float64)
        with monkeypatch.context() as small:
            small.setattr(features, "WORKSPACE_BYTES", {"cpu": 2000})
            small.setattr(engine, "BATCH_BYTES", {"cpu": 50_000})
            with pytest.warns(FallbackWarning) if name in GENERAL else _nothing():
                found = ntk_diagonal(model, x, batch_size=5)
        np.testing.assert_allclose(found, norms(model, x).mean(1), rtol=1e-10)


def test_the_model_is_left_as_it_was() -> None:
    model, x = build(*FACTORED["residual in place"], 4, torch.float32)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        inside = ntk_diagonal(model, x)
    np.testing.assert_array_equal(inside, ntk_diagonal(model, x.numpy()))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_dead_units_do_not_hide_a_second_use_of_a_weight() -> None:
    """On a first sample where the layer's gradient is zero the numbers cannot disagree; the graph's structure still does."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = nn.Linear(2, 2, bias=False), nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.relu(self.layer(x)) + torch.relu(x @ self.layer.weight))

    model = Model().double().eval()
    with torch.no_grad():
        model.layer.weight.fill_(1.0)
    x = torch.tensor([[-1.0, -1.0], [-1.0, -2.0], [1.0, 2.0]], dtype=torch.float64)
    with pytest.warns(FallbackWarning, match="used 2 times"):
        found = ntk_diagonal(model, x)
    np.testing.assert_allclose(found, norms(model, x).mean(1), rtol=1e-10)


def test_progress_counts_samples_and_may_cancel() -> None:
    model, x = build(*FACTORED["mlp"], 5, torch.float32)
    seen: list[tuple[int, int]] = []
    ntk_diagonal(model, x, batch_size=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        ntk_diagonal(model, x, batch_size=2, progress=stop)
    assert not any(module._forward_hooks for module in model.modules())
