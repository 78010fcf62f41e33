"""Samples and networks of every making: the right kernel, or a refusal that says why."""

import threading

import numpy as np
import pytest
import torch
from kernel_test_networks import IMAGES, ROUNDING, TOKENS, Of, X, built, full, of, require_refused, require_right
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from ntkcore.errors import ComputationError, DataError, ModelError
from ntkcore.kernels import empirical_ntk, layer_plan, ntk_diagonal, ntk_tiles

pytestmark = pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")


def checkpointed(kind: str) -> Of:
    def forward(net: Of, x: Tensor) -> Tensor:
        if kind == "first":
            return net.b(checkpoint(net.a, x, use_reentrant=True))
        if kind == "last":
            return checkpoint(net.b, torch.tanh(net.a(x)), use_reentrant=True)
        return checkpoint_sequential(nn.Sequential(net.a, nn.Tanh(), net.b), 2, x, use_reentrant=True)

    return of(forward)


@pytest.mark.parametrize("kind", ["first", "last", "in turn"])
def test_reentrant_checkpoints_are_refused_with_the_remedy(kind: str) -> None:
    require_refused(lambda: checkpointed(kind), X, "use_reentrant=False")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_torchscript_runs_a_sample_at_a_time() -> None:
    def images() -> nn.Module:
        return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)).eval()

    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.inner, self.last = nn.Linear(4, 5), torch.jit.script(nn.Linear(5, 5)), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.tanh(self.inner(self.first(x))))

    require_right(torch.jit.script(built(images)), IMAGES)
    require_right(torch.jit.trace(built(images), IMAGES[:2]), IMAGES)
    model = built(Part)
    require_right(model, X)
    with torch.no_grad():
        next(model.inner.parameters()).mul_(2)
    require_right(model, X)
    trained = torch.jit.script(built(images).train())
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    with pytest.raises(ModelError, match="samples"):
        empirical_ntk(trained, IMAGES)
    assert all(torch.equal(before[name], value) for name, value in trained.state_dict().items())


@pytest.mark.parametrize("norm", [nn.GroupNorm(3, 6), nn.InstanceNorm2d(6, affine=True), nn.BatchNorm2d(6)])
@pytest.mark.parametrize("weights", [torch.contiguous_format, torch.channels_last])
def test_any_layout_of_images_and_weights(norm: nn.Module, weights: torch.memory_format) -> None:
    layers = nn.Conv2d(2, 6, 3, padding=1), norm, nn.Tanh(), nn.Conv2d(6, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(64, 2)
    model = built(lambda: nn.Sequential(*layers)).eval().to(memory_format=weights)
    for images in (IMAGES.to(memory_format=torch.channels_last), IMAGES.transpose(2, 3), IMAGES[:1].expand(4, -1, -1, -1), IMAGES[::2]):
        require_right(model, images)


def test_a_network_that_views_its_images() -> None:
    model = of(lambda net, x: net.b(net.head(torch.tanh(net.conv(x)).view(len(x), -1))), conv=nn.Conv2d(2, 3, 3), head=nn.Linear(48, 5))
    require_right(model, IMAGES.to(memory_format=torch.channels_last))


def test_numbers_in_any_form() -> None:
    model = built(lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)))
    x, expected = X.numpy(), full(model, X)
    unaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(x.shape)
    unaligned[...] = x
    table = np.zeros(len(x), dtype=[("id", "i1"), ("x", ">f8", (4,))])
    table["x"] = x
    for form in (x.astype(">f8"), np.asfortranarray(x.astype(np.longdouble)), np.ma.masked_array(x), unaligned, table["x"]):
        for z in (None, form):
            found = empirical_ntk(model, form if z is None else x, z, outputs="full").values
            np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * expected.max())
    tokens = built(lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 3)))
    expected = full(tokens, TOKENS)
    for form in (">i8", ">i4", ">u2", "u4", "u8"):
        found = empirical_ntk(tokens, TOKENS.numpy().astype(form), TOKENS, outputs="full").values
        np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * expected.max())


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((3, 4), "m8[s]"),
        np.zeros((3, 4), "M8[s]"),
        np.zeros((3, 4), "S3"),
        np.zeros((3, 4), np.clongdouble),
        np.full((3, 4), 2**63, np.uint64),
        torch.eye(4).to_sparse(),
        torch.eye(4, device="meta"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(x) -> None:
    model = built(lambda: nn.Linear(4, 2))
    with pytest.raises(DataError):
        empirical_ntk(model, x)
    with pytest.raises(DataError):
        empirical_ntk(model, X, x)


def test_masked_values_are_no_data() -> None:
    masked = np.ma.masked_array(X.numpy().copy())
    masked[4, 2] = np.ma.masked
    for call in (
        lambda: empirical_ntk(of(lambda net, x: net.b(net.a(x))), masked),
        lambda: empirical_ntk(built(lambda: nn.Linear(4, 2)), X, masked),
    ):
        with pytest.raises(DataError, match=r"masked \(first: sample 4"):
            call()


@pytest.mark.parametrize("outputs", ["pseudo", "full", "mean"])
def test_a_blank_image_is_named(outputs: str) -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        spread = x.std((1, 2, 3), keepdim=True)  # of a blank image zero
        return net.b(net.head(torch.tanh(net.conv(x / spread)).flatten(1)))

    def network() -> Of:
        return of(forward, conv=nn.Conv2d(2, 3, 3), head=nn.Linear(48, 5))

    images = IMAGES.clone()
    images[3] = 0
    for x, z, word in ((images, None, "sample 3 of x"), (images[3:], None, "sample 0 of x"), (IMAGES, images, "sample 3 of z")):
        with pytest.raises(ComputationError, match=word):
            empirical_ntk(network(), x, z, outputs=outputs)
        with pytest.raises(ComputationError, match=word):
            list(ntk_tiles(network(), x, z, outputs=outputs, tile=2))
    model = network()
    with pytest.raises(ComputationError, match="sample 0"):
        ntk_diagonal(model, images[3:])
    require_right(model, IMAGES)  # nothing is kept from it


def test_what_is_no_network_or_no_device_is_refused() -> None:
    with pytest.raises(ModelError, match="torch module"):
        empirical_ntk(lambda x: x, X)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="torch module"):
        layer_plan(nn.Linear, X)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no device"):
        ntk_diagonal(nn.Linear(4, 2), X, device="gpu")
    with pytest.raises(ModelError, match="cannot be copied"):
        empirical_ntk(of(lambda net, x: net.b(net.a(x)), lock=threading.Lock()), X, dtype=torch.float32)
