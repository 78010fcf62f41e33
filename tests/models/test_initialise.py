"""He's initialisation: the right variances everywhere, zero biases, normalisation untouched, decided by the seed."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from ntkcore.models import build_model, describe_model
from ntkcore.specs import ARCHITECTURES, ModelSpec


def built(architecture, seed=0, initialisation="he", width=None):
    spec = ModelSpec(architecture=architecture, seed=seed, initialisation=initialisation, width=width)
    return build_model(spec, input_shape=(3, 32, 32), outputs=10)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_are_normal_with_variance_two_over_fan_in_and_biases_zero(architecture):
    """All weights of the network, scaled by their standard deviation, are N standard normal numbers: their mean is within 5/sqrt(N), their
    variance within 5 sqrt(2/N), their fourth moment within 5 sqrt(96/N) of 0, 1 and 3."""
    model, scaled = built(architecture), []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.in_features if isinstance(module, nn.Linear) else module.in_channels * module.kernel_size[0] ** 2
            weights = module.weight.detach().double().numpy().ravel() * (fan_in / 2) ** 0.5
            assert abs(weights.var() - 1) <= 5 * (2 / weights.size) ** 0.5
            scaled.append(weights)
            assert module.bias is None or not module.bias.any()
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert not module.bias.any()
    numbers = np.concatenate(scaled)
    assert abs(numbers.mean()) <= 5 / numbers.size**0.5
    assert abs((numbers**4).mean() - 3) <= 5 * (96 / numbers.size) ** 0.5


@pytest.mark.parametrize("architecture", ["fcn", "wrn16"])
def test_the_seed_decides(architecture):
    first, again, other = built(architecture, 1), built(architecture, 1), built(architecture, 2)
    for name, value in first.named_parameters():
        assert torch.equal(value, again.get_parameter(name))
    assert any(not torch.equal(value, other.get_parameter(name)) for name, value in first.named_parameters())
    assert not torch.equal(next(first.parameters()), next(built(architecture, 1, "pytorch").parameters()))


def test_the_description_says_it_and_draws_nothing():
    before = torch.random.get_rng_state()
    notes = [describe_model(ModelSpec(initialisation=name), input_shape=(1, 8, 8), outputs=2).notes[0] for name in ("he", "pytorch")]
    assert torch.equal(before, torch.random.get_rng_state())
    assert notes == ["Random weights (seed 0), He's initialisation.", "Random weights (seed 0), PyTorch's default initialisation."]


def test_pretrained_weights_are_not_drawn():
    with pytest.raises(ValidationError, match="pretrained weights are not drawn at random"):
        ModelSpec(architecture="resnet20", weights="pretrained", initialisation="he")
