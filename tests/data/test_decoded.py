"""Decoded photographs are kept, checked, and bounded."""

import numpy as np
import pytest

from ntkcore.data.decoded import kept_decoded
from ntkcore.settings import Settings

SHAPE = (4, 4, 3)


def image(position):
    return np.random.default_rng(position).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def ask(asked):
    def decode(index):
        asked.append(index.tolist())
        return np.stack([image(position) for position in index.tolist()])

    return lambda index, settings, identity="a": kept_decoded(identity, SHAPE, 100, np.array(index), decode, settings)


def test_each_is_decoded_once(local, ask, asked):
    for index in ([3, 1, 99], [1, 3], [1, 2, 3]):
        np.testing.assert_array_equal(ask(index, local), [image(position) for position in index])
    assert asked == [[3, 1, 99], [2]]
    ask([1], local, "another size")
    assert asked[-1] == [1]


@pytest.mark.parametrize("file", ["pixels.bin", "sums.bin"])
@pytest.mark.parametrize("harm", [lambda data: data[:50], lambda data: bytes(len(data)), lambda data: data[:48] + b"x" * 48 + data[96:]])
def test_what_is_damaged_is_decoded_again(local, ask, file, harm):
    ask([0, 1, 2], local)
    (path,) = (local.cache_dir / "decoded").glob(f"*/{file}")
    path.write_bytes(harm(path.read_bytes()))
    np.testing.assert_array_equal(ask([0, 1, 2], local), [image(position) for position in (0, 1, 2)])


def test_the_least_recently_used_go(tmp_path, ask, asked):
    settings = Settings(cache_dir=tmp_path, decoded_cache=4 * 4096)
    for identity in ("a", "b", "c"):  # each takes a block for pixels and one for sums
        ask([0], settings, identity)
    assert len(list((tmp_path / "decoded").iterdir())) == 2
    ask([0], settings, "c")
    assert len(asked) == 3
    none = Settings(cache_dir=tmp_path / "none", decoded_cache=0)
    ask([0], none)
    ask([0], none)
    assert len(asked) == 5 and not (tmp_path / "none").exists()


def test_a_disk_that_cannot_be_written_costs_time_alone(tmp_path, ask):
    (tmp_path / "file").write_text("in the way")
    np.testing.assert_array_equal(ask([5], Settings(cache_dir=tmp_path / "file")), [image(5)])
