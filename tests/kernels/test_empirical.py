"""empirical_ntk in its four forms against explicit Jacobians by plain autograd, one sample and one output at a time.

The oracle runs in float64 on the same weights. Tolerances are relative Frobenius differences: 1e-10 in float64; in float32 1e-5, some
eighty roundings of the largest term (eps 1.2e-7) through a few layers.
"""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_test_networks import FACTORED, GENERAL, Tokens, build, jacobians
from soaked import soaked
from torch import nn

from ntkcore.errors import Cancelled, ComputationError, DataError, ModelError
from ntkcore.kernels import (
    FallbackWarning,
    Outputs,
    capture,
    empirical_ntk,
    engine,
    features,
    memory,
    ntk_diagonal,
    ntk_tiles,
    schedule,
    working_set,
)
from ntkcore.kernels.capture import Capture
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.layers import affine

# torch says how it pads evenly sized kernels
pytestmark = pytest.mark.filterwarnings("ignore:Using padding=:UserWarning")

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
FORMS: tuple[Outputs, ...] = ("mean", "pseudo", "first", "full")


def contracted(j_x: torch.Tensor, j_z: torch.Tensor, outputs: Outputs) -> np.ndarray:
    full = torch.einsum("iop,jqp->ijoq", j_x, j_z).numpy()
    k = full.shape[-1]
    return {
        "full": full,
        "mean": np.trace(full, axis1=2, axis2=3) / k,
        "pseudo": full.sum((2, 3)) / k,
        "first": full[:, :, 0, 0],
    }[outputs]


def close(found: object, expected: np.ndarray, tolerance: float) -> None:
    assert np.shape(found) == expected.shape
    assert np.linalg.norm(np.asarray(found) - expected) <= tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize(
    ("name", "dtype"),
    soaked(
        product(FACTORED, (torch.float64, torch.float32)),
        *product(FACTORED, (torch.float64,)),
        *product(("mlp", "conv", "conv by rows", "conv1d", "batchnorm2d", "layernorm", "residual in place"), (torch.float32,)),
    ),
)
def test_factored_layers_equal_explicit_jacobians(name: str, dtype: torch.dtype) -> None:
    model, x = build(*FACTORED[name], 7, dtype)
    j = jacobians(model.double(), x.double())
    model.to(dtype)
    for outputs in FORMS:
        expected = contracted(j, j, outputs)
        found = empirical_ntk(model, x[:4], x[4:], outputs=outputs)
        assert found.values.dtype == (np.float64 if dtype == torch.float64 else np.float32)
        close(found, expected[:4, 4:], TOLERANCE[dtype])
        close(empirical_ntk(model, x, outputs=outputs, batch_size=3), expected, TOLERANCE[dtype])


@pytest.mark.parametrize("name", [name for name, (_, shape) in FACTORED.items() if len(shape) == 3])
def test_one_backward_pass_for_each_scalar_or_one_for_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images with the channels last, a pass for each scalar; and all scalars in one pass, folded."""
    model, x = build(*FACTORED[name], 7, torch.float64)
    j = jacobians(model, x)
    passes: list[str] = []
    each, folded = Capture.collected, capture.vmap
    monkeypatch.setattr(Capture, "collected", lambda *arguments: passes.append("each") or each(*arguments))
    monkeypatch.setattr(capture, "vmap", lambda function: passes.append("folded") or folded(function))
    for least in (1, 2**40):
        monkeypatch.setattr(engine, "_ONE_PASS", least)
        for outputs in ("mean", "full"):
            close(empirical_ntk(model, x, outputs=outputs), contracted(j, j, outputs), 1e-10)
    convolution = any(isinstance(module, nn.Conv2d) for module in model.modules())
    assert ("each" in passes) == convolution
    if name.startswith("conv"):
        assert passes[-1] == "folded"


def test_a_folded_pass_with_other_gradients_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = build(*FACTORED["conv"], 7, torch.float64)
    right = capture.vmap
    monkeypatch.setattr(capture, "vmap", lambda function: lambda seeds: [2 * found for found in right(function)(seeds)])
    monkeypatch.setattr(engine, "_ONE_PASS", 2**40)
    j = jacobians(model, x)
    close(empirical_ntk(model, x, outputs="full"), contracted(j, j, "full"), 1e-10)


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("name", GENERAL)
def test_other_parameters_fall_back_and_say_so(name: str, outputs: Outputs) -> None:
    make, shape, parameter = GENERAL[name]
    model, x = build(make, shape, 5, torch.float64)
    j = jacobians(model, x)
    with pytest.warns(FallbackWarning):
        found = empirical_ntk(model, x, outputs=outputs)
    assert any(parameter in note for note in found.notes)
    close(found, contracted(j, j, outputs), 1e-10)


@pytest.mark.parametrize("rows", [7, 50])  # a dense table, and matching of tokens
@pytest.mark.parametrize("outputs", FORMS)
def test_repeated_and_padding_tokens(rows: int, outputs: Outputs) -> None:
    torch.manual_seed(1)
    model = Tokens(rows, 0).double().eval()
    x = torch.randint(0, 5, (6, 6))
    j = jacobians(model, x)
    close(empirical_ntk(model, x, outputs=outputs, batch_size=4), contracted(j, j, outputs), 1e-10)


@pytest.mark.parametrize("outputs", FORMS)
@pytest.mark.parametrize("name", ["mlp", "conv", "conv groups", "residual in place", "sequence linear"])
def test_contracts_of_every_kernel(name: str, outputs: Outputs) -> None:
    """Exactly symmetric, positive semidefinite, its diagonal, and each form a contraction of the full kernel."""
    model, x = build(*FACTORED[name], 9, torch.float64)
    kernel = empirical_ntk(model, x, outputs=outputs, batch_size=4).values
    matrix = kernel if kernel.ndim == 2 else kernel.transpose(0, 2, 1, 3).reshape(9 * kernel.shape[2], -1)
    np.testing.assert_array_equal(matrix, matrix.T)
    values = np.linalg.eigvalsh(matrix)
    assert values[0] > -1e-13 * len(matrix) * values[-1]
    if outputs == "mean":
        np.testing.assert_allclose(kernel.diagonal(), ntk_diagonal(model, x), rtol=1e-12)
    if outputs == "full":
        diagonal = ntk_diagonal(model, x, reduction="none")
        np.testing.assert_allclose(np.diagonal(kernel.diagonal(), 0, 0, 1), diagonal, rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(6)),
    size=st.integers(1, 7),
    cut=st.integers(1, 5),
    tile=st.integers(1, 7),
    outputs=st.sampled_from(FORMS),
    name=st.sampled_from(["conv groups", "mlp", "conv few positions"]),
)
def test_blocks_tiles_and_permutations(order: list[int], size: int, cut: int, tile: int, outputs: Outputs, name: str) -> None:
    """A block alone, any batch and tile, and samples in another order give the same entries."""
    model, x = build(*FACTORED[name], 6, torch.float64)
    kernel = empirical_ntk(model, x, outputs=outputs).values
    close(empirical_ntk(model, x[order], outputs=outputs, batch_size=size), kernel[np.ix_(order, order)], 1e-12)
    close(empirical_ntk(model, x[:cut], x[cut:], outputs=outputs, batch_size=size), kernel[:cut, cut:], 1e-12)
    for row, column, block in ntk_tiles(model, x, outputs=outputs, tile=tile, batch_size=size):
        close(block, kernel[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile], 1e-12)


@pytest.mark.parametrize(
    ("name", "outputs"),
    soaked(
        product(("conv", "mlp", "sequence linear, few positions", "conv groups, few positions", "conv by rows"), ("pseudo", "full")),
        *(("conv", "full"), ("mlp", "pseudo"), ("sequence linear, few positions", "full"), ("conv groups, few positions", "pseudo")),
        ("conv by rows", "pseudo"),
    ),
)
def test_little_memory_changes_nothing(name: str, outputs: Outputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, stripes and workspaces of a few samples, hence every path of the schedule."""
    model, x = build(*FACTORED[name], 11, torch.float64)
    whole = empirical_ntk(model, x, outputs=outputs).values
    per_sample = working_bytes(model, x, outputs)
    for samples in (1, 5, 9, 20):
        with monkeypatch.context() as small:
            small.setattr(features, "WORKSPACE_BYTES", {"cpu": 2000})
            small.setattr(features, "_LEAF", {"cpu": 2})
            small.setattr(affine, "_LARGE", 8)
            for module in (memory, schedule):
                small.setattr(module, "KEPT_BYTES", {"cpu": samples * per_sample})
            close(empirical_ntk(model, x, outputs=outputs, batch_size=2), whole, 1e-12)
            close(empirical_ntk(model, x[:5], x[2:], outputs=outputs), whole[:5, 2:], 1e-12)
            seen = set()
            for row, column, block in ntk_tiles(model, x, outputs=outputs, tile=4):
                close(block, whole[4 * row : 4 * row + 4, 4 * column : 4 * column + 4], 1e-12)
                seen.add((row, column))
            assert seen == {(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)}
            for row, column, block in ntk_tiles(model, x, x[3:], outputs=outputs, tile=4, wanted=[(2, 0), (0, 1)]):
                close(block, whole[:, 3:][4 * row : 4 * row + 4, 4 * column : 4 * column + 4], 1e-12)


def working_bytes(model: nn.Module, x: torch.Tensor, outputs: Outputs) -> int:
    from ntkcore.kernels.engine import Engine

    return Engine(model, x, outputs=outputs).pair_bytes()


def test_precision_of_the_computation() -> None:
    model, x = build(*FACTORED["conv"], 5, torch.float32)
    double = empirical_ntk(model, x, dtype=torch.float64)
    assert double.values.dtype == np.float64
    assert next(model.parameters()).dtype == torch.float32
    expected = empirical_ntk(model.double(), x.double()).values
    np.testing.assert_array_equal(double.values, expected)
    with pytest.raises(DataError, match="precision"):
        empirical_ntk(model, x, dtype=torch.float16)


def test_progress_reaches_the_end_and_may_cancel() -> None:
    model, x = build(*FACTORED["mlp"], 5, torch.float32)
    seen: list[tuple[int, int]] = []
    list(ntk_tiles(model, x, tile=2, progress=lambda done, total: seen.append((done, total))))
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        empirical_ntk(model, x, progress=stop)


def test_what_cannot_be_is_refused() -> None:
    model, x = build(*FACTORED["mlp"], 5, torch.float32)
    with pytest.raises(DataError, match="shape"):
        empirical_ntk(model, x, torch.randn(3, 4))
    with pytest.raises(DataError, match="form"):
        empirical_ntk(model, x, outputs="all")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="batch size"):
        empirical_ntk(model, x, batch_size=0)
    with pytest.raises(DataError, match="tile"):
        list(ntk_tiles(model, x, tile=2, wanted=[(2, 1)]))
    with pytest.raises(DataError, match="NaN"):
        empirical_ntk(model, torch.full((3, 5), torch.nan))
    linear = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    with pytest.warns(FallbackWarning), pytest.raises(ComputationError, match="NaN or infinite"):
        empirical_ntk(linear, 1e25 * x)  # the squares overflow, so that no closed form can be verified either
    with pytest.raises(ModelError, match="not \\(batch, outputs\\)"):
        empirical_ntk(nn.Sequential(nn.Linear(5, 4), nn.Unflatten(1, (2, 2))).eval(), x)
    with torch.no_grad():
        model[0].weight[0, 0] = torch.nan
    with pytest.raises(ModelError, match="NaN"):
        empirical_ntk(model, x)
    with pytest.raises(ModelError, match="training mode"):
        empirical_ntk(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), x)
    quiet = nn.Sequential(nn.Linear(5, 4), nn.Dropout(0.5), nn.Linear(4, 2)).eval()
    assert empirical_ntk(quiet, x).values.shape == (5, 5)


def test_what_cannot_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = build(*FACTORED["mlp"], 9, torch.float32)
    monkeypatch.setattr(memory, "_MEMORY", working_set(model, x, n=6, outputs="full"))
    with pytest.raises(DataError, match="9 × 9") as refused:
        empirical_ntk(model, x, outputs="full")
    assert refused.value.remedy.startswith("6 samples would fit")
    assert empirical_ntk(model, x[:6], outputs="full").values.shape == (6, 6, 3, 3)
    monkeypatch.setattr(memory, "_MEMORY", 0)
    with pytest.raises(DataError) as refused:
        empirical_ntk(model, x)
    assert "Not even one" in refused.value.remedy


def test_the_model_is_left_as_it_was() -> None:
    model, x = build(*FACTORED["residual in place"], 4, torch.float32)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    empirical_ntk(model, x, outputs="full")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_the_working_set_grows_quadratically_at_most() -> None:
    model, x = build(*FACTORED["conv"], 2, torch.float32)
    sizes = [working_set(model, x, n=n) for n in (1000, 2000, 4000)]
    assert sizes[1] <= 4 * sizes[0]
    assert sizes[2] <= 4 * sizes[1]
    assert working_set(model, x, n=1000, outputs="full") >= 1000 * 1000 * 9 * 4


def test_what_tiles_likely_take_is_within_the_working_set() -> None:
    """Of some thousand samples, for which the features outweigh the work arrays."""
    model, x = build(*FACTORED["conv"], 2, torch.float32)
    engine = Engine(model, x)
    likely = [memory.likely_for_tiles(engine, n, 0, 256) for n in (1000, 2000, 4000)]
    assert likely == sorted(likely) and likely[0] < likely[2]
    assert likely[2] <= working_set(model, x, n=4000, outputs="mean")
    assert 0 < memory.likely_for_norms(engine, 4000) < likely[2]
