import gzip

import numpy as np
import pytest

from ntkcore.data import sources
from ntkcore.data.names import IMAGE_SETS, NAMED
from ntkcore.errors import DataError, DataMissing


def test_digits_are_always_there(local):
    (path,) = sources.source_files("digits", local)
    source = sources.open_source("digits", local)
    assert path.exists()
    assert len(source.labels) == NAMED["digits"].size
    assert source.maximum == 16


@pytest.mark.parametrize("name", [name for name in IMAGE_SETS if name != "digits"])
def test_missing_files_are_named_with_their_folder(local, name):
    with pytest.raises(DataMissing, match=NAMED[name].title) as caught:
        sources.source_files(name, local)
    assert caught.value.place is not None and caught.value.place.is_relative_to(local.data_path)
    assert f"the data folder (this one: {caught.value.place.relative_to(local.data_path)})" in caught.value.remedy


def test_a_layout_counts_only_when_complete(local, make):
    raw = local.data_path / "MNIST" / "raw"
    make.mnist(raw)
    assert [path.suffix for path in sources.source_files("mnist", local)] == ["", ""]
    labels = raw / "train-labels-idx1-ubyte"
    (raw / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.unlink()
    with pytest.raises(DataMissing):
        sources.source_files("mnist", local)


def test_a_damaged_file_is_named(local, make):
    raw = local.data_path / "MNIST" / "raw"
    make.mnist(raw)
    (raw / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\3short")
    with pytest.raises(DataError, match="train-images-idx3-ubyte is damaged"):
        sources.open_source("mnist", local)


def test_ids_are_positions_in_the_training_split(local, make):
    make.mnist(local.data_path / "MNIST" / "raw")
    source = sources.open_source("mnist", local)
    assert source.ids(np.array([5, 0])) == ("mnist/train/5", "mnist/train/0")
    assert source.images(np.array([5, 0])).shape == (2, 5, 6)
