"""The benchmark of the influences measures real images where there are any, and says what it measures."""

import sys
from pathlib import Path

import numpy as np
import pytest

from ntkcore.errors import DataMissing
from ntkcore.settings import settings

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))  # last: it has a module "pages", too

from influence import CLASSES, Samples, samples


def check(data: Samples, n: int, m: int) -> None:
    assert data.y.shape == (n, 1) and data.y_test.shape == (m, 1) and len(data.x) == n and len(data.z) == m
    assert set(np.unique(data.y)) == {-1.0, 1.0}
    for x in (data.x, data.z):
        np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-12)
    few = data.first(7, 3)
    assert len(few.x) == len(few.y) == 7 and len(few.z) == len(few.y_test) == 3


@pytest.mark.parametrize("name", CLASSES)
def test_images_of_two_classes(real_data, cache, capsys, name):
    data = samples(name, 40, 11)
    check(data, 40, 11)
    assert capsys.readouterr().out.startswith(f"{name} {CLASSES[name][0]} and {CLASSES[name][1]}: 40 to train on, 11 held out")
    assert data.x.shape[1] == {"mnist": 784, "cifar10": 3072}[name]


def test_random_clusters_where_there_are_no_images(cache, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NTK_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    check(samples(None, 40, 11), 40, 11)
    assert capsys.readouterr().out.startswith("random clusters, for MNIST is not in the data folder")
    check(samples("random", 40, 11), 40, 11)
    assert capsys.readouterr().out.startswith("random clusters: 40")
    with pytest.raises(DataMissing):  # what was asked for by name is not replaced
        samples("mnist", 40, 11)
