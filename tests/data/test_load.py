import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from ntkcore.data import content_hash, load_dataset, room_of
from ntkcore.errors import DataError, DataMissing, SpecError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec


def same(one, two):
    for name in ("inputs", "pixels", "labels", "true_labels", "mean", "std"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert (one.ids, one.class_names, one.content) == (two.ids, two.class_names, two.content)


def test_digits_are_those_of_scikit_learn(local):
    from sklearn.datasets import load_digits

    bunch = load_digits()
    data = load_dataset(DatasetSpec(n=1797), local)
    index = [int(name.removeprefix("digits/train/")) for name in data.ids]
    assert sorted(index) == list(range(1797))
    np.testing.assert_array_equal(data.labels, bunch.target[index])
    np.testing.assert_array_equal(data.inputs[:, 0], (bunch.images[index] / 16).astype(np.float32))
    np.testing.assert_array_equal(data.pixels, np.rint(bunch.images[index] * 255 / 16))


def test_shapes_types_and_statistics(local):
    data = load_dataset(DatasetSpec(n=300, seed=2), local)
    assert (data.inputs.shape, data.inputs.dtype) == ((300, 1, 8, 8), np.float32)
    assert (data.pixels.shape, data.pixels.dtype) == ((300, 8, 8), np.uint8)
    assert data.labels.dtype == data.true_labels.dtype == np.int64
    assert (data.mean.dtype, data.std.dtype, data.mean.shape, data.std.shape) == (np.float32, np.float32, (1,), (1,))
    # float32 rounding of a mean of values of order one
    np.testing.assert_allclose(data.mean, data.inputs.mean(axis=(0, 2, 3), dtype=float), rtol=1e-6)
    np.testing.assert_allclose(data.std, data.inputs.astype(float).std(axis=(0, 2, 3)), rtol=1e-6)
    assert data.inputs.flags.c_contiguous
    assert data.title == "Digits"


@given(st.integers(4, 400), st.integers(0, 400), st.integers(0, 2**31 - 1), st.permutations("0123456789").map(lambda p: tuple(p[:3])))
@settings(max_examples=25)
def test_a_larger_draw_begins_with_the_smaller(tmp_path_factory, n, more, seed, classes):
    local = Settings(cache_dir=tmp_path_factory.getbasetemp() / "shared-cache", data_dir=None)
    try:
        small = load_dataset(DatasetSpec(n=n, seed=seed, classes=classes), local)
    except DataError as error:
        assert n < 40, error  # a class with fewer than two images among the first n
        return
    large = load_dataset(DatasetSpec(n=min(n + more, 530), seed=seed, classes=classes), local)
    assert large.ids[:n] == small.ids
    np.testing.assert_array_equal(large.inputs[:n], small.inputs)
    np.testing.assert_array_equal(large.true_labels[:n], small.true_labels)
    assert small.class_names == classes


def test_classes_are_labelled_in_the_order_asked_for(local):
    one = load_dataset(DatasetSpec(n=100, classes=("7", "9")), local)
    two = load_dataset(DatasetSpec(n=100, classes=("9", "7")), local)
    assert one.ids == two.ids
    np.testing.assert_array_equal(one.labels, 1 - two.labels)
    np.testing.assert_array_equal(one.targets, -two.targets)


def test_label_noise_moves_labels_and_nothing_else(local):
    clean = load_dataset(DatasetSpec(n=200), local)
    noisy = load_dataset(DatasetSpec(n=200, label_noise=0.3), local)
    assert noisy.flipped.sum() == 60
    assert not clean.flipped.any()
    assert noisy.ids == clean.ids
    np.testing.assert_array_equal(noisy.true_labels, clean.labels)
    np.testing.assert_array_equal(noisy.inputs, clean.inputs)


def test_refusals(local):
    with pytest.raises(SpecError, match="Digits has no class 'ten'"):
        load_dataset(DatasetSpec(classes=("1", "ten")), local)
    with pytest.raises(DataError, match="Digits has 1,797 images; 1,798 were asked for"):
        load_dataset(DatasetSpec(n=1798), local)
    with pytest.raises(DataError, match="images of these classes; 1,000 were asked for"):
        load_dataset(DatasetSpec(n=1000, classes=("1", "2")), local)
    with pytest.raises(DataError, match="among the 4 images drawn") as caught:
        load_dataset(DatasetSpec(n=4), local)
    assert "Draw more images" in caught.value.remedy
    with pytest.raises(DataError, match="left after the label noise"):
        for seed in range(40):
            load_dataset(DatasetSpec(name="moons", n=4, label_noise=0.25, seed=seed), local)


def test_missing_sets_say_where_they_belong(local):
    for name in ("mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"):
        for call in (load_dataset, content_hash):
            with pytest.raises(DataMissing, match="is not on this machine") as caught:
                call(DatasetSpec(name=name), local)
            assert "Download it" in caught.value.remedy
    with pytest.raises(DataMissing, match="This set is not on this machine"):
        load_dataset(DatasetSpec(name="own", own="0" * 64), local)


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")])
def test_the_mnist_family_plain_and_packed(local, make, name, folder):
    raw = local.data_path / folder / "raw"
    images, labels = make.mnist(raw)
    spec = DatasetSpec(name=name, n=60)
    data = load_dataset(spec, local)
    index = [int(text.split("/")[-1]) for text in data.ids]
    np.testing.assert_array_equal(data.pixels, images[index])
    np.testing.assert_array_equal(data.labels, labels[index])
    np.testing.assert_array_equal(data.inputs[:, 0], images[index].astype(np.float32) / 255)
    for path in list(raw.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    same(load_dataset(spec, local), data)


def test_the_content_follows_the_files(local, make):
    make.mnist(local.data_path / "MNIST" / "raw")
    spec = DatasetSpec(name="mnist", n=60)
    first = content_hash(spec, local)
    assert first == load_dataset(spec, local).content
    assert first == content_hash(DatasetSpec(name="mnist", n=30, seed=9), local)
    make.mnist(local.data_path / "MNIST" / "raw", seed=1)
    assert content_hash(spec, local) != first


def test_cifar_binary_and_parquet(local, make):
    folder = local.data_path / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    planes = make.pixels((50, 3, 32, 32))
    for batch in range(5):
        records = [bytes([i % 10]) + planes[10 * batch + i].tobytes() for i in range(10)]
        (folder / f"data_batch_{batch + 1}.bin").write_bytes(b"".join(records))
    spec = DatasetSpec(name="cifar10", n=10, classes=("frog", "airplane"))
    data = load_dataset(spec, local)
    assert (data.inputs.shape, data.pixels.shape, data.mean.shape) == ((10, 3, 32, 32), (10, 32, 32, 3), (3,))
    index = [int(text.split("/")[-1]) for text in data.ids]
    np.testing.assert_array_equal(data.pixels.transpose(0, 3, 1, 2), planes[index])
    np.testing.assert_array_equal(data.labels, [0 if i % 10 == 6 else 1 for i in index])

    (folder / "data_batch_3.bin").unlink()
    (local.data_path / "cifar10").mkdir()
    names = list(reversed(["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]))
    features = {"info": {"features": {"label": {"names": names}}}}
    table = pa.table(
        {"image": [{"bytes": make.encoded((32, 32, 3), i), "path": ""} for i in range(50)], "label": [i % 10 for i in range(50)]}
    )
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), local.data_path / "cifar10" / "train.parquet")
    other = load_dataset(spec, local)
    assert other.content != data.content
    index = [int(text.split("/")[-1]) for text in other.ids]
    np.testing.assert_array_equal(other.labels, [0 if names[i % 10] == "frog" else 1 for i in index])
    np.testing.assert_array_equal(other.pixels[0], make.pixels((32, 32, 3), index[0]))


def test_cifar100_and_svhn(local, make):
    folder = local.data_path / "cifar-100-binary"
    folder.mkdir(parents=True)
    (folder / "train.bin").write_bytes(b"".join(bytes([0, i % 4]) + make.pixels(3072, i).tobytes() for i in range(12)))
    with pytest.raises(DataError, match="Class 'beaver' has no image in CIFAR-100"):
        load_dataset(DatasetSpec(name="cifar100", n=12), local)
    data = load_dataset(DatasetSpec(name="cifar100", n=6, classes=("bear", "apple")), local)
    assert data.outputs == 1

    images = make.pixels((32, 32, 3, 40))
    savemat(local.data_path / "train_32x32.mat", {"X": images, "y": (np.arange(40) % 10 + 1)[:, None].astype(np.uint8)})
    data = load_dataset(DatasetSpec(name="svhn", n=40), local)
    index = [int(text.split("/")[-1]) for text in data.ids]
    np.testing.assert_array_equal(data.labels, (np.array(index) + 1) % 10)
    np.testing.assert_array_equal(data.pixels[3], images[..., index[3]])


@pytest.mark.parametrize(("name", "d"), [("clusters", 100), ("moons", 2), ("waves", 1)])
def test_vector_sets(local, name, d):
    data = load_dataset(DatasetSpec(name=name, n=50, label_noise=0.1), local)
    assert (data.inputs.shape, data.inputs.dtype) == ((50, d), np.float32)
    assert data.pixels.shape[0] == 50
    np.testing.assert_array_equal(data.mean, np.zeros(d))
    np.testing.assert_array_equal(data.std, np.ones(d))
    np.testing.assert_array_equal(data.true_labels, np.arange(50) % 2)
    assert data.flipped.sum() == 5
    assert data.content == content_hash(data.spec, local)
    turned = load_dataset(DatasetSpec(name=name, n=50, classes=data.class_names[::-1]), local)
    np.testing.assert_array_equal(turned.true_labels, 1 - data.true_labels)
    with pytest.raises(SpecError):
        load_dataset(DatasetSpec(name=name, classes=("a", "b")), local)


def test_the_default_settings_are_the_processes(cache):
    assert load_dataset(DatasetSpec(n=50, classes=("0", "1"))).n == 50
    assert content_hash(DatasetSpec()) == content_hash(DatasetSpec(), cache)


def test_real_mnist(real):
    data = load_dataset(DatasetSpec(name="mnist", n=2000, classes=("7", "9")), real)
    assert data.inputs.shape == (2000, 1, 28, 28)
    whole = load_dataset(DatasetSpec(name="mnist", n=60_000), real)
    np.testing.assert_allclose(whole.mean, 0.1307, atol=5e-5)  # the published statistics of the training split, to their last digit
    np.testing.assert_allclose(whole.std, 0.3081, atol=5e-5)
    np.testing.assert_array_equal(np.bincount(whole.labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])


def test_real_cifar(real):
    if not (real.data_path / "cifar10" / "train.parquet").exists():
        pytest.skip("no cifar10/train.parquet")
    data = load_dataset(DatasetSpec(name="cifar10", n=1000, classes=("frog", "airplane")), real)
    assert data.inputs.shape == (1000, 3, 32, 32)
    # sky makes airplanes bluer than frogs: labels and images belong together
    blue = data.inputs[:, 2].mean(axis=(1, 2)) - data.inputs[:, 0].mean(axis=(1, 2))
    assert blue[data.labels == 1].mean() > blue[data.labels == 0].mean() + 0.05


@pytest.mark.parametrize("name", ["digits", "clusters", "moons"])
def test_the_first_images_are_those_of_the_whole_draw(local, name):
    spec = DatasetSpec(name=name, n=200, label_noise=0.2, seed=3)
    whole, some = load_dataset(spec, local), load_dataset(spec, local, first=7)
    assert some.n == 7
    assert some.outputs == whole.outputs
    for part in ("inputs", "pixels", "labels", "true_labels"):
        np.testing.assert_array_equal(getattr(some, part), getattr(whole, part)[:7])
    assert some.ids == whole.ids[:7]


def test_left_out_images_are_named_by_their_places(local):
    whole = load_dataset(DatasetSpec(n=60, seed=3), local)
    gone = tuple(sorted(whole.places[[0, 7, 8]].tolist()))
    some = load_dataset(DatasetSpec(n=57, seed=3, without=gone), local)
    kept = np.delete(np.arange(60), [0, 7, 8])
    np.testing.assert_array_equal(some.places, whole.places[kept])
    np.testing.assert_array_equal(some.pixels, whole.pixels[kept])
    assert some.ids == tuple(whole.ids[i] for i in kept) and whole.ids[0] == f"digits/train/{whole.places[0]}"
    assert "without" not in DatasetSpec(n=60).model_dump(mode="json")  # keys of before stay
    assert room_of(DatasetSpec(without=gone), local).images == room_of(DatasetSpec(), local).images - 3
    with pytest.raises(ValueError, match="without"):
        DatasetSpec(name="moons", without=(1,))
