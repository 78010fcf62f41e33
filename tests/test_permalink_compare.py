"""The address of a comparison: both sides are said, each by its own defaults, and read back as they were."""

import pytest

from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.compare import CompareSpec, CompareView

ADDRESS = ADDRESSES["compare"]
QUERIES = (
    {"dataset": "digits"},
    {"dataset": "digits", "b-kernel": "two-layer"},
    {"dataset": "mnist", "classes": ["3", "5"], "kernel": "two-layer", "b-model": "cnn4", "b-init": "0", "b-epochs": "3", "b-rate": "0.02"},
    {"dataset": "digits", "kernel": "infinite", "b-kernel": "infinite", "b-model": "cnn4"},
    {"dataset": "digits", "size": "128", "model": "timm:tf_efficientnet_lite0", "weights": "pretrained", "b-model": "cnn4", "b-size": "64"},
    {"dataset": "digits", "epochs": "20", "b-init": "0", "b-sees": "head", "ridge": "0.1", "b-ridge": "0.5", "score": "k-xx"},
    {"dataset": "digits", "b-dtype": "float64", "b-compress": "subset", "picked": "1-3", "basket": "7", "image": "4", "ranks": "1"},
)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: "&".join(query))
def test_what_was_said_is_written_and_read(query):
    spec, view = ADDRESS.read(query)
    assert ADDRESS.write(spec, view) == query
    back = ADDRESS.write(spec.swapped, view.swapped)
    assert ADDRESS.read(back) == (spec.swapped, view.swapped)
    assert (spec.swapped.swapped, view.swapped.swapped.ridges) == (spec, view.ridges)


def test_the_default_is_another_draw_of_the_same_network():
    spec, view = ADDRESS.read({})
    assert spec == CompareSpec() and view == CompareView()
    assert (spec.one.model.seed, spec.two.model.seed) == (0, 1)
    assert spec.two.model.model_copy(update={"seed": 0}) == spec.one.model


def test_one_address_does_not_say_anything_of_the_next():
    ADDRESS.read({"b-epochs": "3"})
    assert ADDRESS.read({})[0].other.training is None


@pytest.mark.parametrize(("name", "value"), [("b-kernel", "round"), ("b-epochs", "-1"), ("b-n", "30"), ("b-crop", "0.5"), ("b-depth", "x")])
def test_what_b_cannot_be_is_said_by_its_name(name, value):
    with pytest.raises(SpecError) as caught:
        ADDRESS.read({name: value})
    assert name.removeprefix("b-") in caught.value.message or "size" in caught.value.message
