"""Pretrained weights: good files load whole, bad files are refused by name."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ntkcore.architecture import cnn4
from ntkcore.errors import DataError, DataMissing
from ntkcore.models import CIFAR10_CLASSES, build_model, describe_model, evaluate, weights_content
from ntkcore.models.networks import from_chain
from ntkcore.models.residual import ResNet20
from ntkcore.specs import ModelSpec

RESNET = ModelSpec(architecture="resnet20", weights="pretrained")
CNN = ModelSpec(architecture="cnn4", weights="pretrained")


def tensors(network):
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(value.shape, generator=generator)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


@pytest.fixture
def folder(tmp_path):
    save_file(tensors(ResNet20(3, 10)), tmp_path / "cifar10_resnet20.safetensors")
    save_file(tensors(from_chain(cnn4(26, 32), (1, 28, 28))), tmp_path / "emnist_letters_cnn.safetensors")
    return tmp_path


def resnet(folder, shape=(3, 32, 32), outputs=10, class_names=CIFAR10_CLASSES, **keywords):
    return build_model(RESNET, input_shape=shape, outputs=outputs, class_names=class_names, weights_paths=[folder], **keywords)


def test_every_tensor_is_loaded_and_the_head_kept_for_its_own_classes(folder):
    state = resnet(folder).state_dict()
    for name, value in tensors(ResNet20(3, 10)).items():
        assert torch.equal(state[f"network.{name}"], value), name
    assert "kept" in describe_model(RESNET, input_shape=(3, 32, 32), outputs=10, class_names=CIFAR10_CLASSES).notes[-1]


@pytest.mark.parametrize(
    ("outputs", "names"), [(1, ("frog", "airplane")), (10, tuple(reversed(CIFAR10_CLASSES))), (10, ()), (7, CIFAR10_CLASSES)]
)
def test_other_classes_get_a_new_head_from_the_seed(folder, outputs, names):
    first, again = resnet(folder, outputs=outputs, class_names=names), resnet(folder, outputs=outputs, class_names=names)
    assert first.network.linear.weight.shape == (outputs, 64)
    assert torch.equal(first.network.linear.weight, again.network.linear.weight)
    assert not torch.equal(first.network.linear.bias[:1], tensors(ResNet20(3, 10))["linear.bias"][:1])
    other = build_model(RESNET.model_copy(update={"seed": 5}), input_shape=(3, 32, 32), outputs=outputs, weights_paths=[folder])
    assert not torch.equal(first.network.linear.weight, other.network.linear.weight)
    assert torch.equal(first.network.layer3[2].conv2.weight, other.network.layer3[2].conv2.weight)


def test_inputs_are_normalised_as_in_the_weights_training_whatever_the_data_say(folder):
    model = resnet(folder, mean=[0.9, 0.9, 0.9], std=[0.1, 0.1, 0.1])
    np.testing.assert_allclose(model.normalise.mean.flatten(), [0.485, 0.456, 0.406], rtol=1e-6)
    np.testing.assert_allclose(model.normalise.std.flatten(), [0.229, 0.224, 0.225], rtol=1e-6)
    letters = build_model(CNN, input_shape=(1, 28, 28), outputs=1, mean=[0.1], std=[0.3], weights_paths=[folder])
    assert letters.normalise.mean.item() == 0.0
    assert letters.normalise.std.item() == 1.0


def test_gray_images_go_through_three_channels(folder):
    gray = torch.rand(2, 1, 28, 28)
    colour, model = resnet(folder, shape=(3, 28, 28)), resnet(folder, shape=(1, 28, 28))
    assert torch.equal(model(gray), colour(gray.repeat(1, 3, 1, 1)))


def test_the_first_folder_that_has_the_file_wins(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    changed = tensors(ResNet20(3, 10)) | {"linear.bias": torch.full((10,), 7.0)}
    save_file(changed, other / "cifar10_resnet20.safetensors")
    model = build_model(
        RESNET, input_shape=(3, 32, 32), outputs=10, class_names=CIFAR10_CLASSES, weights_paths=[tmp_path / "none", other, folder]
    )
    assert model.network.linear.bias[0].item() == 7.0


def test_missing_weights_say_which_file_and_where(tmp_path):
    with pytest.raises(DataMissing, match=r"resnet20.*not on this machine.*cifar10_resnet20\.safetensors"):
        resnet(tmp_path)
    with pytest.raises(DataMissing):
        weights_content(RESNET, [tmp_path])
    with pytest.raises(DataMissing):
        weights_content(CNN)


def test_content_is_the_hash_of_the_file(folder):
    data = (folder / "emnist_letters_cnn.safetensors").read_bytes()
    assert weights_content(CNN, [folder]) == hashlib.sha256(data).hexdigest()
    assert weights_content(ModelSpec(), [folder]) == ""


def drop(values):
    del values["layer2.1.bn1.weight"]


def extra(values):
    values["layer9.weight"] = torch.zeros(2)


def reshape(values):
    values["layer1.0.conv1.weight"] = torch.zeros(16, 16, 5, 5)


def head_features(values):
    values["linear.weight"] = torch.zeros(10, 65)


def not_a_number(values):
    values["bn1.bias"][3] = float("nan")


def infinite(values):
    values["linear.weight"][0, 0] = float("inf")


def negative_variance(values):
    values["layer3.0.bn2.running_var"][0] = -1.0


def integers(values):
    values["conv1.weight"] = torch.zeros(16, 3, 3, 3, dtype=torch.int64)


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (drop, "layer2.1.bn1.weight"),
        (extra, "layer9.weight"),
        (reshape, "layer1.0.conv1.weight"),
        (head_features, "linear.weight"),
        (not_a_number, "bn1.bias"),
        (infinite, "linear.weight"),
        (negative_variance, "layer3.0.bn2.running_var"),
        (integers, "conv1.weight"),
    ],
)
def test_a_wrong_tensor_is_named(tmp_path, spoil, key):
    values = tensors(ResNet20(3, 10))
    spoil(values)
    save_file(values, tmp_path / "cifar10_resnet20.safetensors")
    with pytest.raises(DataError, match=rf"'{key}'"):
        resnet(tmp_path, outputs=1, class_names=("a", "b"))


def test_a_head_of_another_size_is_refused_only_if_it_would_be_kept(tmp_path):
    save_file(tensors(ResNet20(3, 12)), tmp_path / "cifar10_resnet20.safetensors")
    assert resnet(tmp_path, outputs=1, class_names=("a", "b")).network.linear.weight.shape == (1, 64)
    with pytest.raises(DataError, match=r"'linear\.\w+' has the shape \(12"):
        resnet(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"not weights at all", "cut", "header", "zip"])
def test_a_damaged_file_is_refused(folder, damage):
    path = folder / "cifar10_resnet20.safetensors"
    data = path.read_bytes()
    damaged = {"cut": data[: len(data) // 2], "header": b"\xff" * 8 + data[8:], "zip": b"PK\x03\x04" + data[4:]}.get(str(damage), damage)
    path.write_bytes(damaged if isinstance(damaged, bytes) else b"")
    with pytest.raises(DataError, match="damaged or is not a safetensors file"):
        resnet(folder)


def weights_folder():
    folder = os.environ.get("NTK_WEIGHTS_DIR")
    data = os.environ.get("NTK_DATA_DIR")
    found = Path(folder) if folder else Path(data).parent / "weights" if data else None
    if found is None or not (found / "cifar10_resnet20.safetensors").is_file():
        pytest.skip("needs NTK_WEIGHTS_DIR or weights beside NTK_DATA_DIR")
    return found


def test_the_published_resnet20_recognises_cifar10(real_data):
    """Measured on the first 2000 test images of the JPEG copy of CIFAR-10: 0.820 (its README); here to one image in 2000."""
    import io

    import pyarrow.parquet as parquet
    from PIL import Image

    path = real_data / "cifar10" / "test.parquet"
    if not path.is_file():
        pytest.skip("needs CIFAR-10 as Parquet")
    table = next(parquet.ParquetFile(path).iter_batches(2000)).to_pylist()
    images = np.stack([np.asarray(Image.open(io.BytesIO(row["image"]["bytes"]))) for row in table])
    labels = np.array([row["label"] for row in table])
    model = resnet(weights_folder())
    outputs = evaluate(model, images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    assert abs((outputs.argmax(axis=1) == labels).mean() - 0.820) <= 0.001


def test_the_published_letters_cnn_loads():
    model = build_model(CNN, input_shape=(1, 28, 28), outputs=1, weights_paths=[weights_folder()])
    assert model(torch.rand(2, 1, 28, 28)).shape == (2, 1)
