import gzip

import numpy as np
import pytest
from scipy.io import savemat

from ntkcore.data.binary import read_cifar, read_idx, read_mnist, read_svhn
from ntkcore.errors import DataError


def test_idx_plain_and_packed(make, tmp_path):
    array = make.pixels((4, 3, 2))
    (tmp_path / "a").write_bytes(make.idx(array))
    (tmp_path / "a.gz").write_bytes(gzip.compress(make.idx(array)))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)
    np.testing.assert_array_equal(read_idx(tmp_path / "a.gz"), array)


def test_damaged_idx(make, tmp_path):
    whole = make.idx(make.pixels((4, 3, 2)))
    path = tmp_path / "train-images"
    for data in (b"", whole[:3], whole[:10], whole[:-1], whole + b"0", b"\1" + whole[1:], whole[:2] + b"\x0d" + whole[3:]):
        path.write_bytes(data)
        with pytest.raises(DataError, match="train-images is damaged") as caught:
            read_idx(path)
        assert "download the set again" in caught.value.remedy
    huge = bytes([0, 0, 8, 3]) + b"\xff" * 12
    path.write_bytes(huge)
    with pytest.raises(DataError):
        read_idx(path)
    (tmp_path / "b.gz").write_bytes(gzip.compress(whole)[:-4])
    with pytest.raises(DataError):
        read_idx(tmp_path / "b.gz")


def test_mnist_files_must_belong_together(make, tmp_path):
    images, labels = tmp_path / "i", tmp_path / "l"
    images.write_bytes(make.idx(make.pixels((4, 3, 2))))
    labels.write_bytes(make.idx([1, 2, 3]))
    with pytest.raises(DataError):
        read_mnist(images, labels)
    labels.write_bytes(make.idx([1, 2, 3, 10]))
    with pytest.raises(DataError):
        read_mnist(images, labels)
    labels.write_bytes(make.idx([1, 2, 3, 9]))
    assert read_mnist(images, labels)[1].tolist() == [1, 2, 3, 9]


@pytest.mark.parametrize("label_bytes", [1, 2])
def test_cifar_binary(make, tmp_path, label_bytes):
    planes, labels = make.pixels((6, 3, 32, 32)), np.array([0, 1, 9, 3, 2, 1], np.uint8)
    records = [b"\7" * (label_bytes - 1) + bytes([label]) + plane.tobytes() for label, plane in zip(labels, planes, strict=True)]
    paths = (tmp_path / "a.bin", tmp_path / "b.bin")
    paths[0].write_bytes(b"".join(records[:4]))
    paths[1].write_bytes(b"".join(records[4:]))
    images, read = read_cifar(paths, label_bytes=label_bytes, classes=10)
    np.testing.assert_array_equal(images, planes)
    np.testing.assert_array_equal(read, labels)
    with pytest.raises(DataError, match=r"a\.bin is damaged"):
        read_cifar(paths, label_bytes=label_bytes, classes=9)
    for data in (b"", b"".join(records)[:-1]):
        paths[1].write_bytes(data)
        with pytest.raises(DataError, match=r"b\.bin is damaged"):
            read_cifar(paths, label_bytes=label_bytes, classes=10)


def test_svhn(make, tmp_path):
    path = tmp_path / "train_32x32.mat"
    images = make.pixels((32, 32, 3, 5))
    savemat(path, {"X": images, "y": np.array([[10], [1], [2], [10], [9]], np.uint8)}, do_compression=True)
    stored, labels = read_svhn(path)
    np.testing.assert_array_equal(stored, images)
    assert labels.tolist() == [0, 1, 2, 0, 9]
    whole = path.read_bytes()
    for data in (b"", b"no matlab file", whole[:2000], whole[:300] + b"\0\1\2" * 30 + whole[390:]):
        path.write_bytes(data)
        with pytest.raises(DataError, match="damaged"):
            read_svhn(path)
    savemat(path, {"X": images.astype(float), "y": np.ones((5, 1))})
    with pytest.raises(DataError):
        read_svhn(path)
