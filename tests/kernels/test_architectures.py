"""Kernels and diagonals of real architectures equal explicit Jacobians in float64, for batches of one and of all samples.

The architectures have few blocks and channels, at most half a million weights each, and are built by their own constructors. The oracle is
plain autograd, one sample and one output at a time. Both sides sum the same products, some 1e5 of them, in another order: 1e-11 of the
largest entry.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from kernel_test_networks import ROUNDING, full
from soaked import soaked
from torch import Tensor, nn

from ntkcore.kernels import empirical_ntk, layer_plan, ntk_diagonal
from ntkcore.vision import torchvision

pytestmark = pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")

_MODELS = torchvision().models
_TIMM = import_module("timm.models.efficientnet")  # imports torchvision, which by itself fails beside a torch for processors

N = 3
K = 3


def resnet() -> nn.Module:
    """ResNet cut after its second stage: the others' widths are fixed, and theirs are millions of weights."""
    model = _MODELS.resnet.ResNet(_MODELS.resnet.BasicBlock, [1, 1, 1, 1], num_classes=K)
    model.layer3 = model.layer4 = nn.Identity()
    model.fc = nn.Linear(128, K)
    return model


def mobilenet() -> nn.Module:
    blocks = [
        _MODELS.mobilenetv3.InvertedResidualConfig(8, 3, 8, 8, True, "RE", 2, 1, 1.0),
        _MODELS.mobilenetv3.InvertedResidualConfig(8, 5, 24, 16, True, "HS", 1, 1, 1.0),
        _MODELS.mobilenetv3.InvertedResidualConfig(16, 3, 32, 16, False, "HS", 1, 2, 1.0),
    ]
    return _MODELS.mobilenetv3.MobileNetV3(blocks, last_channel=24, num_classes=K)


def efficientnet() -> nn.Module:
    blocks = [
        _MODELS.efficientnet.FusedMBConvConfig(2, 3, 1, 8, 8, 1),
        _MODELS.efficientnet.MBConvConfig(4, 3, 2, 8, 12, 1),
        _MODELS.efficientnet.MBConvConfig(4, 5, 1, 12, 12, 1),
    ]
    return _MODELS.efficientnet.EfficientNet(
        blocks, dropout=0.2, num_classes=K, last_channel=24, norm_layer=partial(nn.BatchNorm2d, eps=1e-3)
    )


def efficientnet_lite() -> nn.Module:
    """timm's, with the padding of TensorFlow and the blocks of EfficientNet-Lite."""
    blocks = _TIMM.decode_arch_def([["ds_r1_k3_s1_e1_c8"], ["ir_r1_k3_s2_e6_c12"], ["ir_r2_k5_s2_e6_c16"]], fix_first_last=True)
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    return _TIMM.EfficientNet(blocks, K, num_features=24, stem_size=8, fix_stem=True, pad_type="same", act_layer=nn.ReLU6, norm_layer=norm)


def swin(**options: object) -> nn.Module:
    return _MODELS.swin_transformer.SwinTransformer([2, 2], 8, [2, 1], [2, 2], [2, 2], mlp_ratio=2, num_classes=K, **options)


class Recurrent(nn.Module):
    """An LSTM of two layers on tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.lstm, self.head = nn.Embedding(11, 6), nn.LSTM(6, 5, 2, batch_first=True), nn.Linear(5, K)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(self.table(x))[0][:, -1])


class GPT(nn.Module):
    """A causal block in the manner of nanoGPT: embeddings of tokens and places, one product for queries, keys and values."""

    def __init__(self, width: int = 8, heads: int = 2, length: int = 6) -> None:
        super().__init__()
        self.heads, self.tokens, self.places = heads, nn.Embedding(11, width), nn.Embedding(length, width)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.head = nn.Linear(width, K, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        x = x + self.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        x = x + self.mlp(self.norm2(x))
        return self.head(self.norm3(x)[:, -1])


class Experts(nn.Module):
    """A mixture of experts whose gate weighs all of them, with single numbers for its heat and its scale."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.head = nn.Linear(6, 4), nn.Linear(8, K)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(6, 10), nn.SiLU(), nn.Linear(10, 8)) for _ in range(4))
        self.heat, self.scale = nn.Parameter(torch.tensor(0.7)), nn.Parameter(torch.tensor(1.2))

    def forward(self, x: Tensor) -> Tensor:
        weights = (self.gate(x) / self.heat).softmax(-1)
        mixed = torch.stack([expert(x) for expert in self.experts], 1)
        return self.head(self.scale * (weights.unsqueeze(-1) * mixed).sum(1))


class UNet(nn.Module):
    """Two steps down and up again, with what was seen on the way down beside what is seen on the way up."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()

        def block(before: int, after: int) -> nn.Module:
            return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.GroupNorm(2, after), nn.SiLU(inplace=True))

        self.down, self.middle, self.up = block(3, width), block(width, 2 * width), block(2 * width, width)
        self.grow = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.head = nn.Conv2d(width, K, 1)

    def forward(self, x: Tensor) -> Tensor:
        high = self.down(x)
        low = self.middle(nn.functional.max_pool2d(high, 2))
        return self.head(self.up(torch.cat([high, self.grow(low)], 1))).mean((2, 3))


IMAGE, TOKENS = (3, 16, 16), (11, 6)
"""Channels, height and width; how many tokens there are, and how many in a sample."""

ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], tuple[str, ...]]] = {
    "resnet": (resnet, IMAGE, ()),
    "densenet": (lambda: _MODELS.densenet.DenseNet(8, (2, 2), 16, num_classes=K), (3, 32, 32), ()),
    "mobilenet_v3": (mobilenet, IMAGE, ()),
    "efficientnet": (efficientnet, IMAGE, ()),
    "efficientnet_lite": (efficientnet_lite, IMAGE, ()),
    "convnext": (
        lambda: _MODELS.convnext.ConvNeXt(
            [_MODELS.convnext.CNBlockConfig(8, 16, 1), _MODELS.convnext.CNBlockConfig(16, None, 1)], layer_scale=0.5, num_classes=K
        ),
        IMAGE,
        (),
    ),
    "regnet": (
        lambda: _MODELS.regnet.RegNet(
            _MODELS.regnet.BlockParams.from_init_params(4, 8, 6, 2.0, 4, se_ratio=0.25), num_classes=K, stem_width=8
        ),
        (3, 32, 32),
        (),
    ),
    "shufflenet": (lambda: _MODELS.shufflenetv2.ShuffleNetV2([2, 1, 1], [8, 8, 16, 16, 24], num_classes=K), (3, 32, 32), ()),
    "vit": (lambda: _MODELS.vision_transformer.VisionTransformer(16, 8, 2, 2, 8, 16, num_classes=K), IMAGE, ()),
    "swin": (swin, IMAGE, ("position_bias",)),
    "swin_v2": (partial(swin, block=_MODELS.swin_transformer.SwinTransformerBlockV2), IMAGE, ("cpb_mlp", "logit_scale", "qkv.bias")),
    "lstm": (Recurrent, TOKENS, ("_hh_",)),
    "gpt": (GPT, TOKENS, ("places",)),
    "experts": (Experts, (6,), ()),
    "unet": (UNet, IMAGE, ("grow",)),
}
"""Each with the shape of its samples and parts of the names of those parameters whose gradients are formed sample by sample."""


def drawn(name: str, n: int) -> tuple[nn.Module, Tensor]:
    """The network in float64 and eval mode, with the scales and running statistics of a trained one, and ``n`` samples."""
    make, shape, _ = ARCHITECTURES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make().double().eval()
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.1 * torch.randn_like(p))
            for key, buffer in model.named_buffers():
                if buffer.is_floating_point():
                    buffer.copy_(torch.rand_like(buffer) + 0.5 if key.endswith("var") else buffer + 0.1 * torch.randn_like(buffer))
        x = torch.randint(0, shape[0], (n, shape[1])) if len(shape) == 2 else torch.randn(n, *shape, dtype=torch.float64)
    return model, x


@pytest.mark.parametrize("name", soaked(ARCHITECTURES, "efficientnet_lite", "vit", "swin"))
def test_an_architecture(name: str) -> None:
    model, x = drawn(name, N)
    assert sum(p.numel() for p in model.parameters()) <= 500_000
    formed, words = [entry.parameter for entry in layer_plan(model, x).formed], ARCHITECTURES[name][2]
    assert all(any(word in parameter for word in words) for parameter in formed), formed
    assert all(any(word in parameter for parameter in formed) for word in words), formed
    expected = full(model, x)
    k = expected.shape[2]
    forms = {"full": expected, "pseudo": expected.sum((2, 3)) / k, "mean": np.trace(expected, axis1=2, axis2=3) / k}
    scales = {form: ROUNDING * np.abs(values).max() for form, values in forms.items()}
    for batch in (None, 1):
        for form in ("full", "pseudo"):
            found = empirical_ntk(model, x, outputs=form, batch_size=batch).values
            np.testing.assert_allclose(found, forms[form], rtol=0, atol=scales[form])
        np.testing.assert_allclose(ntk_diagonal(model, x, batch_size=batch), forms["mean"].diagonal(), rtol=0, atol=scales["mean"])
    part = empirical_ntk(model, x[:1], x[1:], outputs="full").values
    np.testing.assert_allclose(part, expected[:1, 1:], rtol=0, atol=scales["full"])
