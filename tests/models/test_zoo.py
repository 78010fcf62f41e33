"""Networks by name: built as their library builds them, weights read whole and unpickled never, what is missing or wrong said by name."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from zoo_weights import SMALL, timm_weights, torchvision_weights

from ntkcore.errors import DataError, DataMissing, ModelError
from ntkcore.models import build_model, check_fit, describe_model, train, weights_content, zoo
from ntkcore.specs import ModelSpec, TrainingSpec
from ntkcore.vision import timm, torchvision

PRETRAINED = ModelSpec(architecture=SMALL, weights="pretrained")
SHUFFLE = ModelSpec(architecture="torchvision:shufflenet_v2_x0_5", weights="pretrained")


def built(spec, folder=None, shape=(3, 32, 32), outputs=1, **keywords):
    return build_model(spec, input_shape=shape, outputs=outputs, weights_paths=[folder] if folder else [], **keywords)


@pytest.mark.parametrize("name", ["timm:resnet10t", "timm:test_vit", "torchvision:shufflenet_v2_x0_5"])
def test_random_weights_are_what_the_library_draws_after_the_same_seed(name):
    library, _, plain = name.partition(":")
    shape = (3, 160, 160) if plain == "test_vit" else (3, 32, 32)
    network = built(ModelSpec(architecture=name, seed=5), shape=shape, outputs=3).get_submodule("network")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        made = timm().create_model(plain, num_classes=3) if library == "timm" else torchvision().models.get_model(plain, num_classes=3)
    expected = made.state_dict()
    assert network.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in network.state_dict().items())


def test_a_networks_description_is_that_of_the_network():
    spec = ModelSpec(architecture=SMALL, sees="last")
    described = describe_model(spec, input_shape=(3, 32, 32), outputs=2)
    model = built(spec, outputs=2)
    assert described.parameters == sum(p.numel() for p in model.parameters())
    assert described.seen == sum(p.numel() for p in model.parameters() if p.requires_grad) < described.parameters
    assert described.batch_norm
    assert not describe_model(PRETRAINED, input_shape=(3, 32, 32), outputs=2).batch_norm
    assert describe_model(PRETRAINED, input_shape=(3, 32, 32), outputs=2).sees == ("classifier",)


def test_weights_are_loaded_whole_but_for_the_head_which_is_zero(tmp_path):
    state = timm_weights(tmp_path)
    model = built(PRETRAINED, tmp_path, outputs=4)
    own = model.get_submodule("network").state_dict()
    assert own.keys() == state.keys()
    for key, value in state.items():
        if key.startswith("classifier."):
            assert not own[key].any()
            assert own[key].shape == (4, *value.shape[1:])
        elif not key.endswith("num_batches_tracked"):
            assert torch.equal(own[key], value), key
    assert not model(torch.rand(2, 3, 32, 32)).any()
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["network.classifier.weight", "network.classifier.bias"]


def test_the_files_own_normalisation_wins_over_the_librarys(tmp_path):
    timm_weights(tmp_path)
    published = timm().get_pretrained_cfg("test_efficientnet")
    np.testing.assert_allclose(
        built(PRETRAINED, tmp_path, mean=[0.9] * 3, std=[0.1] * 3).normalise.mean.flatten(), published.mean, rtol=1e-6
    )
    timm_weights(tmp_path, input="224x224 RGB, (x-127)/128 i.e. mean 0.498 0.498 0.498 std 0.502 0.502 0.502")
    model = built(PRETRAINED, tmp_path)
    np.testing.assert_allclose(model.normalise.mean.flatten(), [0.498] * 3, rtol=1e-6)
    np.testing.assert_allclose(model.normalise.std.flatten(), [0.502] * 3, rtol=1e-6)
    timm_weights(tmp_path, input="mean 0.498 std 0.502")  # one number for all channels
    np.testing.assert_allclose(built(PRETRAINED, tmp_path).normalise.std.flatten(), [0.502] * 3, rtol=1e-6)


def test_gray_images_are_shown_in_three_channels(tmp_path):
    torchvision_weights(tmp_path / "shufflenet_v2_x0_5.pth")
    spec = SHUFFLE.model_copy(update={"head": "random"})
    gray = torch.rand(2, 1, 32, 32)
    assert torch.equal(built(spec, tmp_path, shape=(1, 32, 32))(gray), built(spec, tmp_path)(gray.repeat(1, 3, 1, 1)))


def test_a_state_dict_is_read_under_its_published_name_too(tmp_path):
    published = zoo.published(SHUFFLE.architecture)
    assert published.url.endswith(published.files[-1])
    assert published.files[-1].startswith("shufflenetv2_x0.5-" + published.sha256)
    state = torchvision_weights(tmp_path / published.files[-1])
    own = built(SHUFFLE, tmp_path).get_submodule("network").state_dict()
    assert all(torch.equal(own[key], value) for key, value in state.items() if not key.startswith("fc.") and "num_batches" not in key)


def test_what_would_have_to_be_unpickled_is_refused(tmp_path):
    torch.save({"weights": object}, tmp_path / "shufflenet_v2_x0_5.pth")
    with pytest.raises(DataError, match=r"shufflenet_v2_x0_5\.pth is damaged, or holds more than tensors"):
        built(SHUFFLE, tmp_path)


def test_weights_of_another_architecture_say_the_first_keys_that_differ(tmp_path):
    save_file(timm().create_model("resnet10t").state_dict(), tmp_path / "test_efficientnet.safetensors")
    with pytest.raises(DataError, match=r"no tensor 'blocks\.0.* and \d+ more and has a tensor 'conv1\.0\.weight'.*another arch"):
        built(PRETRAINED, tmp_path)


@pytest.mark.parametrize("share", [0.5, 0.001])
def test_a_truncated_file_is_named(tmp_path, share):
    timm_weights(tmp_path)
    path = tmp_path / "test_efficientnet.safetensors"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"test_efficientnet\.safetensors is damaged"):
        built(PRETRAINED, tmp_path)


def test_missing_weights_say_which_file_to_put_where(tmp_path):
    with pytest.raises(DataMissing, match=r"test_efficientnet.*not on this machine.*test_efficientnet\.safetensors.*NTK_WEIGHTS_DIR"):
        built(PRETRAINED, tmp_path)


def test_content_follows_the_file(tmp_path):
    timm_weights(tmp_path)
    before = weights_content(PRETRAINED, [tmp_path])
    state = load_file(tmp_path / "test_efficientnet.safetensors")
    save_file(state | {"classifier.bias": torch.ones(10)}, tmp_path / "test_efficientnet.safetensors")
    assert len(before) == 64
    assert weights_content(PRETRAINED, [tmp_path]) != before
    assert weights_content(ModelSpec(architecture=SMALL), [tmp_path]) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:tf_eficientnet_lite0", r"no image classifier.*tf_efficientnet_lite0"),
        ("timm:tf_efficientnet_lite0.of_nothing", "no image classifier"),
        ("torchvision:resnet_18", r"no image classifier.*resnet18"),
        ("torchvision:fasterrcnn_resnet50_fpn", "no image classifier"),
        ("mine:nothing", "no network 'nothing' of its own"),
    ],
)
def test_an_unknown_name_is_refused_with_those_called_alike(name, words):
    with pytest.raises(ModelError, match=words):
        check_fit(ModelSpec(architecture=name), (3, 32, 32))


@pytest.mark.parametrize(
    ("spec", "shape", "words"),
    [
        (ModelSpec(architecture=SMALL), (20,), "needs images"),
        (ModelSpec(architecture="timm:test_vit", weights="pretrained"), (3, 32, 32), "160 × 160 pixels; these have 32 × 32"),
        (PRETRAINED, (4, 32, 32), "4 channels"),
        (ModelSpec(architecture="torchvision:alexnet"), (3, 8, 8), "cannot take images of 3 × 8 × 8"),
        (ModelSpec(architecture="torchvision:shufflenet_v2_x0_5"), (4, 32, 32), "4 channels"),
    ],
)
def test_images_that_do_not_fit_are_refused(spec, shape, words):
    with pytest.raises(ModelError, match=words):
        describe_model(spec, input_shape=shape, outputs=1)


def test_frozen_statistics_stay_in_training_and_unseen_parameters_too(tmp_path):
    timm_weights(tmp_path)
    x, y = np.random.default_rng(0).random((6, 3, 32, 32), dtype=np.float32), np.sign(np.arange(6.0) - 2.5)[:, None]
    for statistics, moved in (("frozen", False), ("batch", True)):
        model = built(PRETRAINED.model_copy(update={"sees": "last", "head": "random", "batch_norm": statistics}), tmp_path)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        *_, last = train(model, x, y, TrainingSpec(epochs=1, learning_rate=1e-3, batch_size=3))
        seen = {name for name, p in model.named_parameters() if p.requires_grad}
        for name, value in model.state_dict().items():
            if name in seen:
                assert not torch.equal(value, before[name]), name
            elif name.endswith("running_mean"):
                assert torch.equal(value, before[name]) != moved, name
            elif "num_batches" not in name and not name.endswith("running_var"):
                assert torch.equal(value, before[name]), name
        assert not any(part.training for part in model.modules())
        assert last.epoch == 1
