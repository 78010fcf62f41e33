"""What the kernel sees: the kernel over some parameters is the product of their columns of the Jacobian, and the rest are left alone."""

import numpy as np
import pytest
import torch
from zoo_weights import SMALL, timm_weights

from ntkcore.errors import ModelError
from ntkcore.kernels import empirical_ntk, ntk_diagonal
from ntkcore.kernels.plan import layer_plan
from ntkcore.models import build_model, describe_model
from ntkcore.specs import ModelSpec

NAMED = "blocks.1,classifier"


def jacobian(model, x, names):
    """(n, k, P) by plain autograd, one output at a time."""
    held = dict(model.named_parameters())
    for p in held.values():
        p.requires_grad_(True)
    rows = []
    for sample in x:
        outputs = model(sample[None])[0]
        grads = [torch.autograd.grad(one, [held[name] for name in names], retain_graph=True) for one in outputs]
        rows.append(torch.stack([torch.cat([g.flatten() for g in parts]) for parts in grads]))
    return torch.stack(rows).detach()


@pytest.mark.parametrize("sees", ["all", "last", "head", NAMED])
def test_the_kernel_over_some_parameters_is_that_of_their_columns(tmp_path, sees):
    timm_weights(tmp_path)
    spec = ModelSpec(architecture=SMALL, weights="pretrained", head="random", head_size=0.1, sees=sees)
    model = build_model(spec, input_shape=(3, 32, 32), outputs=2, weights_paths=[tmp_path]).double()
    x = torch.rand(4, 3, 32, 32, dtype=torch.float64)
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    forms = {entry.parameter: entry.form for entry in layer_plan(model, x).entries}
    assert {name for name, form in forms.items() if form == "frozen"} == set(forms) - set(names)
    full, diagonal = empirical_ntk(model, x, outputs="full"), ntk_diagonal(model, x)
    j = jacobian(model, x, names)
    expected = torch.einsum("iap,jbp->ijab", j, j).numpy()
    np.testing.assert_allclose(full, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())
    np.testing.assert_allclose(diagonal, np.einsum("iiaa->i", expected) / 2, rtol=1e-8)


@pytest.mark.parametrize(
    ("name", "shape", "first"),
    [
        ("timm:tf_efficientnet_lite0", (3, 32, 32), "blocks.6"),
        ("timm:resnet18", (3, 32, 32), "layer4"),
        ("timm:test_vit", (3, 160, 160), "blocks.5"),
        ("torchvision:resnet50", (3, 32, 32), "layer4"),
        ("torchvision:efficientnet_b0", (3, 32, 32), "features.7"),
        ("torchvision:vgg11", (3, 32, 32), "classifier"),
        ("resnet18", (3, 32, 32), "layer4"),
        ("cnn4", (1, 28, 28), "9"),
    ],
)
def test_the_last_stage_is_the_last_part_of_several_layers(name, shape, first):
    found = describe_model(ModelSpec(architecture=name, sees="last"), input_shape=shape, outputs=2)
    assert found.sees[0] == first
    assert 0 < found.seen < found.parameters


def test_layers_that_are_not_there_are_refused_with_those_called_alike():
    with pytest.raises(ModelError, match=r"no layer 'block\.6'.*blocks\.\d"):
        describe_model(ModelSpec(architecture=SMALL, sees="block.6"), input_shape=(3, 32, 32), outputs=1)


def test_equal_choices_are_equal_and_defaults_are_not_written():
    plain = ModelSpec(architecture=SMALL, weights="pretrained")
    said = ModelSpec(architecture=SMALL, weights="pretrained", sees="head", head="zero", batch_norm="frozen")
    assert said == plain
    assert set(plain.model_dump()) == {"architecture", "width", "depth", "weights", "seed", "initialisation"}
    assert (plain.seen, plain.head_start, plain.statistics) == ("head", "zero", "frozen")
    assert (ModelSpec().seen, ModelSpec().head_start, ModelSpec().statistics) == ("all", "drawn", "batch")
    assert ModelSpec(architecture=SMALL, weights="pretrained", sees="all").model_dump()["sees"] == "all"
    assert ModelSpec(head="random", head_size=0.01) == ModelSpec(head="random")
