"""Some classes of a set, drawn as the whole set is."""

import numpy as np
import pytest

from ntkcore.data import facts_of, load_dataset, load_part
from ntkcore.errors import DataError, SpecError
from ntkcore.specs import DatasetSpec


def test_two_classes_are_what_a_data_set_of_them_is(cache):
    whole = load_dataset(DatasetSpec(name="digits", classes=("7", "2"), n=40, seed=3), cache)
    part = load_part("digits", None, ("7", "2"), 40, 3, cache)
    assert part.ids == whole.ids and part.title == whole.title == "Digits" and part.texts is None
    for name in ("inputs", "pixels", "labels"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)), name


def test_one_class_alone_and_nested(cache):
    few, many = (load_part("digits", None, ("5",), n, 1, cache) for n in (6, 20))
    assert many.ids[:6] == few.ids and len(set(many.ids)) == 20 and not many.labels.any()
    assert np.array_equal(many.inputs[:6], few.inputs)
    assert load_part("digits", None, ("5",), 6, 2, cache).ids != few.ids


def test_facts(cache):
    found = facts_of("digits", None, cache)
    assert found.title == "Digits" and found.class_names == tuple("0123456789") and found.shape == (1, 8, 8)
    assert sum(found.counts) == 1797 and len(found.counts) == 10


def test_refusals(cache):
    with pytest.raises(SpecError, match="no class 'x'"):
        load_part("digits", None, ("x",), 4, 0, cache)
    with pytest.raises(DataError, match="500 were asked for"):
        load_part("digits", None, ("5",), 500, 0, cache)
    with pytest.raises(DataError, match="Moons"):
        load_part("moons", None, ("upper",), 4, 0, cache)
