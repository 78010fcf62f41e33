"""Networks from specifications: deterministic, in eval mode, fitting the data or saying what would."""

from contextlib import suppress

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ntkcore.errors import ModelError
from ntkcore.models import build_model, check_fit, describe_model, has_batch_norm, parameter_count
from ntkcore.specs import ARCHITECTURES, ModelSpec

BATCH_NORM = ("resnet20", "resnet18", "wrn16")
SHAPES = [(1, 28, 28), (3, 32, 32)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_built_and_described_alike(architecture, shape):
    spec = ModelSpec(architecture=architecture)
    model = build_model(spec, input_shape=shape, outputs=10, mean=[0.5] * shape[0], std=[0.2] * shape[0])
    described = describe_model(spec, input_shape=shape, outputs=10)
    assert described.parameters == parameter_count(model) == sum(layer.parameters for layer in described.layers)
    assert described.batch_norm == has_batch_norm(model) == (architecture in BATCH_NORM)
    assert described.layers[-1].output_shape == (10,)
    assert len(described.text().splitlines()) == len(described.layers)
    assert "Random weights (seed 0)" in described.notes[0]
    assert not model.training
    assert {(p.dtype, p.device.type) for p in model.parameters()} == {(torch.float32, "cpu")}
    x = torch.rand(3, *shape)
    with torch.no_grad():
        assert model(x).shape == (3, 10)
        # Each sample's output depends on it alone; batched products may round differently.
        torch.testing.assert_close(model(x)[1:2], model(x[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_seed_decides_and_the_callers_random_state_stays(architecture):
    def build(seed):
        return build_model(ModelSpec(architecture=architecture, seed=seed), input_shape=(1, 28, 28), outputs=2).state_dict()

    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    first = build(1)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(5)
    second, other = build(1), build(2)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_describing_draws_nothing():
    before = torch.random.get_rng_state()
    describe_model(ModelSpec(), input_shape=(1, 8, 8), outputs=3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_network_normalises_first():
    spec = ModelSpec(width=8)
    plain, normalised = (
        build_model(spec, input_shape=(2, 3, 3), outputs=1, mean=mean, std=std) for mean, std in ((None, None), ([1, 2], [3, 4]))
    )
    x = torch.rand(4, 2, 3, 3)
    by_hand = (x - torch.tensor([1.0, 2.0]).reshape(2, 1, 1)) / torch.tensor([3.0, 4.0]).reshape(2, 1, 1)
    assert torch.equal(normalised(x), plain(by_hand))
    assert "normalise.mean" not in dict(plain.named_parameters())


def fitting(shape):
    """The architectures that take samples of a shape with random weights, asked one by one."""
    found = []
    for architecture in ARCHITECTURES:
        with suppress(ModelError):
            check_fit(ModelSpec(architecture=architecture), shape)
            found.append(architecture)
    return tuple(found)


def test_vectors_go_to_the_fcn_only():
    assert build_model(ModelSpec(width=5, depth=4), input_shape=(3,), outputs=1, mean=[0, 0, 0], std=[1, 1, 1])(torch.rand(2, 3)).shape == (
        2,
        1,
    )
    for architecture in ARCHITECTURES[1:]:
        with pytest.raises(ModelError, match="Choose the model fcn"):
            build_model(ModelSpec(architecture=architecture), input_shape=(3,), outputs=1)
    assert fitting((3,)) == ("fcn",)


def test_small_images_are_refused_with_what_fits():
    spec = ModelSpec(architecture="cnn4")
    for call in (build_model, describe_model):
        with pytest.raises(ModelError, match=r"at least 28 × 28 pixels; these have 8 × 8.*fcn, cnn3, convnet, resnet20, resnet18, wrn16"):
            call(spec, input_shape=(1, 8, 8), outputs=10)
    with pytest.raises(ModelError):
        check_fit(spec, (1, 64, 27))
    check_fit(spec, (1, 64, 28))
    assert fitting((1, 8, 8)) == ("fcn", "cnn3", "convnet", "resnet20", "resnet18", "wrn16")
    assert fitting((3, 32, 32)) == ARCHITECTURES


@pytest.mark.parametrize(
    ("architecture", "shape", "words"),
    [
        ("cnn4", (3, 32, 32), "gray"),
        ("cnn4", (1, 64, 64), "28 to 35 pixels"),
        ("cnn4", (1, 8, 8), "at least 28"),
        ("resnet20", (2, 32, 32), "2 channels"),
        ("resnet20", (64,), "fcn"),
    ],
)
def test_pretrained_networks_say_what_they_read(architecture, shape, words):
    with pytest.raises(ModelError, match=words):
        describe_model(ModelSpec(architecture=architecture, weights="pretrained"), input_shape=shape, outputs=1)


def test_pretrained_notes_say_what_was_decided():
    notes = describe_model(ModelSpec(architecture="resnet20", weights="pretrained", seed=3), input_shape=(1, 28, 28), outputs=1).notes
    assert "CIFAR-10" in notes[0]
    assert "Gray" in notes[1]
    assert "new and random (seed 3)" in notes[2]


@pytest.mark.parametrize(("shape", "outputs"), [((1, 8), 1), ((), 1), ((0, 8, 8), 1), ((1, 8, 8), 0)])
def test_impossible_shapes_are_programming_errors(shape, outputs):
    with pytest.raises(ValueError, match=r"input_shape|outputs"):
        build_model(ModelSpec(), input_shape=shape, outputs=outputs)


@hypothesis_settings(max_examples=25)
@given(st.sampled_from(ARCHITECTURES), st.integers(1, 4), st.integers(1, 40), st.integers(1, 40), st.integers(1, 3))
def test_a_network_that_is_said_to_fit_runs(architecture, channels, height, width, outputs):
    shape = (channels, height, width)
    spec = ModelSpec(architecture=architecture, width=None if architecture == "resnet20" else 4)
    if architecture in fitting(shape):
        assert describe_model(spec, input_shape=shape, outputs=outputs).layers[-1].output_shape == (outputs,)
    else:
        assert architecture == "cnn4"
        assert min(height, width) < 28
