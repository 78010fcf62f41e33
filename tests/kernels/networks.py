"""Small networks that together use every supported layer and option, and the slow oracle they are compared with."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ntkcore.errors import ModelError
from ntkcore.kernels import empirical_ntk, ntk_diagonal


def jacobians(model: nn.Module, x: Tensor) -> Tensor:
    """(n, k, P): plain autograd, one sample and one output at a time, all trained parameters."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    rows = []
    for sample in x:
        outputs = model(sample.unsqueeze(0))[0]
        for output in outputs:
            grads = torch.autograd.grad(output, parameters, retain_graph=True, allow_unused=True)
            rows.append(
                torch.cat([torch.zeros(p.numel()).to(p) if g is None else g.flatten() for p, g in zip(parameters, grads, strict=True)])
            )
    return torch.stack(rows).unflatten(0, (len(x), -1)).detach()


class Tied(nn.Module):
    """Two layers share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 3)
        self.two.weight = self.one.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.two(torch.tanh(self.one(x)))))


class Twice(nn.Module):
    """One layer runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.again, self.head = nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.again(torch.tanh(self.again(x)))))


class RawParameter(nn.Module):
    """A parameter that no layer owns."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.layer = nn.Parameter(torch.randn(5)), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x * self.scale)


class FunctionalUse(nn.Module):
    """The parent uses a layer's weight a second time, past the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.layer(x)) @ self.layer.weight)


class TurnedAxes(nn.Module):
    """A sequence layout (time, batch, features), two time steps: with two samples the axes look alike."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.layer(x.transpose(0, 1))).mean(0))


class Residual(nn.Module):
    """In-place ReLU and in-place addition, as in torchvision's ResNet."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.norm2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        identity = self.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(identity))
        out += identity
        return self.head(self.relu(out).mean((2, 3)))


class Tokens(nn.Module):
    """An embedding with padding, then a sequence layer."""

    def __init__(self, rows: int = 7, padding: int | None = 0, sparse: bool = False) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, 4, padding_idx=padding, sparse=sparse)
        self.mix, self.norm, self.head = nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(torch.tanh(self.mix(self.table(x)))).mean(1))


class Attention(nn.Module):
    """Self-attention, whose weights live in a container and a layer used through a function."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.attention(x, x, x, need_weights=False)[0].mean(1))


class StepsFirst(nn.Module):
    """A transformer's layer on (time, batch, features), with an embedding of the places."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.norm = nn.Parameter(torch.randn(6, 1, 4)), nn.LayerNorm(4)
        self.attention, self.head = nn.MultiheadAttention(4, 2, bias=False), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.norm(x.transpose(0, 1) + self.places)
        return self.head((steps + self.attention(steps, steps, steps)[0]).mean(0))


class Numbers(nn.Module):
    """Single numbers, factors of channels, a class's vector: parameters of no layer that meet the samples number by number."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift, self.heat = (nn.Parameter(torch.tensor(value)) for value in (1.5, 0.3, 2.5))
        self.gamma, self.first = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(1, 1, 4))
        self.left, self.head = nn.Parameter(torch.randn(6, 4)), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.scale * x - self.shift) - (0.5 * x - self.left) * self.gamma.view(1, 1, -1)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1)
        return self.head(torch.tanh(x).mean(1)) / self.heat


class _SameConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(nn.functional.pad(x, (0, 1, 1, 2)), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class _NormAct(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(super().forward(x) + 0.5)


class Padded(nn.Module):
    """Layers that do more than the classes that they come from: padding before, an activation in place after."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = _SameConv(2, 4, 3, stride=2), _NormAct(4)
        self.depth, self.head = _SameConv(4, 8, 2, groups=4), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.depth(self.norm(self.conv(x)))).mean((2, 3)))


class Matrix(nn.Module):
    """Products with matrices of no layer, one of them added to what a layer gives."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Parameter(torch.randn(4, 5)), nn.Parameter(torch.randn(5, 3))
        self.bias = nn.Parameter(torch.randn(1, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, torch.tanh(x @ self.one).mean(1), self.two)


class Pairs(nn.Module):
    """A bilinear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.pair, self.head = nn.Bilinear(3, 2, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.pair(x[:, :3], x[:, 3:])))


class Branching(nn.Module):
    """Takes one of two layers by the sample's own values (one sample at a time)."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high, self.head = nn.Linear(5, 4), nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = [self.high(row) if float(row.sum()) > 0 else self.low(row) for row in x]
        return self.head(torch.tanh(torch.stack(rows)))


class Keywords(nn.Module):
    """Calls its layers with keyword arguments, and leaves one layer unused."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head, self.idle = nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(input=torch.tanh(self.layer(input=x)))


def _conv2d(**options: object) -> Callable[[], nn.Module]:
    channels = 4 if options.get("groups", 1) == 4 else 2
    size = channels if options.get("groups") == 4 else 6
    kernel = options.pop("kernel", 3)
    return lambda: _head(nn.Conv2d(channels, size, kernel, **options), nn.Tanh())  # type: ignore[arg-type]


def _conv1d(**options: object) -> Callable[[], nn.Module]:
    return lambda: _head(nn.Conv1d(2, 4, 3, **options), nn.Tanh())  # type: ignore[arg-type]


def _head(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3))


IMAGE, DEEP, SERIES, VECTOR, STEPS = (2, 7, 6), (4, 7, 6), (2, 9), (5,), (6, 4)

FACTORED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 3)), VECTOR),
    "mlp no bias": (lambda: nn.Sequential(nn.Linear(5, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)), VECTOR),
    "sequence linear": (lambda: _head(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 6), nn.Tanh()), STEPS),
    "sequence linear, few positions": (lambda: _head(nn.Linear(30, 20), nn.Tanh()), (3, 30)),
    "grid linear": (lambda: _head(nn.Linear(3, 5), nn.Tanh()), (2, 4, 3)),
    "conv": (_conv2d(), IMAGE),
    "conv stride": (_conv2d(stride=2, padding=1), IMAGE),
    "conv uneven": (_conv2d(kernel=(3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), IMAGE),
    "conv dilation": (_conv2d(dilation=2, padding=2, bias=False), IMAGE),
    "conv by rows": (lambda: _head(nn.Conv2d(6, 4, 3, padding=1), nn.MaxPool2d(2), nn.Tanh()), (6, 10, 9)),
    "conv by rows, options": (
        lambda: _head(nn.Conv2d(8, 4, (3, 2), (1, 2), (1, 2), (2, 3), padding_mode="circular"), nn.AvgPool2d(2), nn.Tanh()),
        (8, 12, 15),
    ),
    "conv groups": (_conv2d(groups=2, padding=1), IMAGE),
    "conv depthwise": (_conv2d(groups=4, padding=1), DEEP),
    "conv depthwise, large": (lambda: _head(nn.Conv2d(4, 4, (5, 7), (2, 1), (2, 3), groups=4), nn.Tanh()), DEEP),
    "conv depthwise, wide apart": (lambda: _head(nn.Conv2d(4, 4, 2, dilation=2, groups=4, bias=False), nn.Tanh()), DEEP),
    "conv1d depthwise": (lambda: _head(nn.Conv1d(2, 2, 5, padding=2, groups=2), nn.Tanh()), SERIES),
    "conv same": (_conv2d(kernel=(4, 3), padding="same"), IMAGE),
    "conv valid": (_conv2d(padding="valid"), IMAGE),
    "conv reflect": (_conv2d(padding=(2, 1), padding_mode="reflect"), IMAGE),
    "conv replicate": (_conv2d(padding=1, padding_mode="replicate", stride=2), IMAGE),
    "conv circular same": (_conv2d(kernel=(2, 3), padding="same", padding_mode="circular"), IMAGE),
    "conv pointwise": (_conv2d(kernel=1), IMAGE),
    "conv pointwise stride": (_conv2d(kernel=1, stride=2), IMAGE),
    "conv whole image": (_conv2d(kernel=(7, 6)), IMAGE),
    "conv one position, padded": (_conv2d(kernel=3, stride=9, padding=1), IMAGE),
    "conv few positions": (lambda: _head(nn.Conv2d(2, 30, 5), nn.Tanh()), IMAGE),
    "conv groups, few positions": (lambda: _head(nn.Conv2d(4, 40, 5, groups=2), nn.Tanh()), DEEP),
    "conv1d": (_conv1d(), SERIES),
    "conv1d options": (_conv1d(stride=2, padding=2, dilation=2, groups=2, bias=False), SERIES),
    "conv1d same circular": (_conv1d(padding="same", padding_mode="circular"), SERIES),
    "conv1d whole": (lambda: _head(nn.Conv1d(2, 4, 9), nn.Tanh()), SERIES),
    "batchnorm2d": (lambda: _head(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Tanh()), IMAGE),
    "batchnorm1d": (lambda: nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)), VECTOR),
    "batchnorm1d series": (lambda: _head(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4, eps=0.1), nn.Tanh()), SERIES),
    "layernorm": (lambda: nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 3)), VECTOR),
    "layernorm image": (lambda: _head(nn.LayerNorm([7, 6]), nn.Tanh()), IMAGE),
    "layernorm no bias": (lambda: _head(nn.Linear(4, 5), nn.LayerNorm(5, bias=False), nn.Tanh()), STEPS),
    "groupnorm": (lambda: _head(nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.Tanh()), IMAGE),
    "instancenorm": (lambda: _head(nn.Conv2d(2, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.Tanh()), IMAGE),
    "instancenorm running": (lambda: _head(nn.InstanceNorm1d(2, affine=True, track_running_stats=True), nn.Tanh()), SERIES),
    "rmsnorm": (lambda: _head(nn.Linear(4, 5), nn.RMSNorm(5), nn.Tanh()), STEPS),
    "residual in place": (Residual, IMAGE),
    "keywords and unused": (Keywords, VECTOR),
    "one output": (lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1)), VECTOR),
    "raw parameter": (RawParameter, VECTOR),
    "turned axes": (TurnedAxes, (2, 4)),
    "attention": (Attention, STEPS),
    "attention, steps first": (StepsFirst, STEPS),
    "numbers": (Numbers, STEPS),
    "padded and normalised": (Padded, IMAGE),
    "matrix": (Matrix, STEPS),
    "view then in place": (lambda: _head(nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Linear(5, 4), nn.ReLU(inplace=True)), STEPS),
}

GENERAL: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], str]] = {
    "tied": (Tied, VECTOR, "one.weight"),
    "twice": (Twice, VECTOR, "again.weight"),
    "functional use": (FunctionalUse, VECTOR, "layer.weight"),
    "prelu": (lambda: nn.Sequential(nn.Linear(5, 4), nn.PReLU(4), nn.Linear(4, 3)), VECTOR, "1.weight"),
    "transposed": (lambda: _head(nn.ConvTranspose2d(2, 3, 3, stride=2), nn.Tanh()), IMAGE, "0.weight"),
    "conv3d": (lambda: _head(nn.Conv3d(2, 3, 2), nn.Tanh()), (2, 3, 4, 3), "0.weight"),
    "bilinear": (Pairs, VECTOR, "pair.weight"),
    "branching": (Branching, VECTOR, "low.weight"),
    "weight norm": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(5, 4)), nn.Tanh(), nn.Linear(4, 3)),
        VECTOR,
        "0.parametrizations.weight.original0",
    ),
}


def build(make: Callable[[], nn.Module], shape: tuple[int, ...], n: int, dtype: torch.dtype) -> tuple[nn.Module, Tensor]:
    """The network in eval mode with random weights and running statistics, and n random samples."""
    torch.manual_seed(0)
    model, x = make(), torch.randn(n, *shape)
    model(x)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
        for name, buffer in model.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand_like(buffer) + 0.5 if name.endswith("var") else 0.3 * torch.randn_like(buffer))
    return model.eval().to(dtype), x.to(dtype)


_DRAW = torch.Generator().manual_seed(3)
X = torch.randn(9, 4, dtype=torch.float64, generator=_DRAW)
TOKENS = torch.randint(0, 9, (9, 5), generator=_DRAW)
IMAGES = torch.randn(6, 2, 6, 6, dtype=torch.float64, generator=_DRAW)
ROUNDING = 1e-11  # of sums of some hundred products in float64


class Of(nn.Module):
    """A network whose forward is a function of itself and the samples, with the modules, parameters and attributes given."""

    def __init__(self, forward: Callable[["Of", Tensor], Tensor], **held: object) -> None:
        super().__init__()
        self.function = forward
        for name, value in held.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def of(forward: Callable[[Of, Tensor], Tensor], **held: object) -> Of:
    """In double precision and eval mode; with the layers ``a`` (4 to 5) and ``b`` (5 to 2), the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Of(forward, **{"a": nn.Linear(4, 5), "b": nn.Linear(5, 2)} | held).double().eval()


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """In double precision, with the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make().double()


def full(model: nn.Module, x: Tensor, z: Tensor | None = None) -> np.ndarray:
    """(n, m, k, k) by explicit Jacobians."""
    here = jacobians(model, x)
    return torch.einsum("iop,jqp->ijoq", here, here if z is None else jacobians(model, z)).numpy()


def require_right(model: nn.Module, x: Tensor, z: Tensor | None = None, tolerance: float = ROUNDING) -> None:
    """The full kernel, the pseudo-NTK and the diagonal, relative to the largest entry."""
    expected = full(model, x, z)
    scale, k = tolerance * np.abs(expected).max(), expected.shape[2]
    np.testing.assert_allclose(empirical_ntk(model, x, z, outputs="full").values, expected, rtol=0, atol=scale)
    np.testing.assert_allclose(empirical_ntk(model, x, z).values, expected.sum((2, 3)) / k, rtol=0, atol=k * scale)
    if z is None:
        np.testing.assert_allclose(ntk_diagonal(model, x), np.einsum("iioo->i", expected) / k, rtol=0, atol=scale)


def require_refused(make: Callable[[], nn.Module], x: Tensor, word: str) -> None:
    """By the kernel and the diagonal, each asked first of a network of its own."""
    with pytest.raises(ModelError, match=word):
        empirical_ntk(make(), x)
    with pytest.raises(ModelError, match=word):
        ntk_diagonal(make(), x)
