import dataclasses

import numpy as np
import pytest

from ntkcore.data import Dataset
from ntkcore.specs import DatasetSpec


def dataset(labels, true_labels, names):
    n = len(labels)
    return Dataset(
        spec=DatasetSpec(n=max(n, 4)),
        title="x",
        inputs=np.zeros((n, 1, 2, 2), np.float32),
        pixels=np.zeros((n, 2, 2), np.uint8),
        labels=np.array(labels),
        true_labels=np.array(true_labels),
        class_names=names,
        ids=tuple(map(str, range(n))),
        mean=np.zeros(1, np.float32),
        std=np.ones(1, np.float32),
        content="0" * 64,
    )


def test_two_classes_have_one_output_of_minus_and_plus_one():
    data = dataset([0, 1, 1, 0], [0, 1, 0, 0], ("a", "b"))
    assert (data.n, data.outputs) == (4, 1)
    assert data.targets.dtype == np.float32
    np.testing.assert_array_equal(data.targets, [[-1], [1], [1], [-1]])
    np.testing.assert_array_equal(data.flipped, [False, False, True, False])


def test_more_classes_are_one_hot():
    data = dataset([2, 0, 1, 1], [2, 0, 1, 1], ("a", "b", "c"))
    assert data.outputs == 3
    assert data.targets.dtype == np.float32
    np.testing.assert_array_equal(data.targets, [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0]])


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset([0, 1], [0, 1], ("a", "b")).title = "y"
