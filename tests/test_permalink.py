"""Links: everything chosen survives the address, and nothing an address says wrongly is dropped in silence."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import learnability_specs, learnability_views

from ntkcore.errors import SpecError
from ntkcore.permalink import learnability_query, read_learnability_query, read_ranges, write_ranges
from ntkcore.specs import LearnabilitySpec, LearnabilityView, key_of


@given(learnability_specs(), learnability_views())
def test_round_trip_through_a_real_address(spec, view):
    query = learnability_query(spec, view)
    address = urlencode(query, doseq=True)
    read = {name: values[0] if len(values) == 1 else values for name, values in parse_qs(address, keep_blank_values=True).items()}
    assert read_learnability_query(read) == (spec, view)


@given(learnability_specs())
def test_same_link_same_key(spec):
    read, _ = read_learnability_query(learnability_query(spec))
    assert key_of("learnability", 1, read, {"data": "x"}) == key_of("learnability", 1, spec, {"data": "x"})


@given(st.sets(st.integers(0, 10_000)) | st.sets(st.integers(0, 99_999), min_size=150, max_size=900))
def test_ranges_round_trip(indices):
    text = write_ranges(sorted(indices))
    assert read_ranges(text) == tuple(sorted(indices))


def test_every_second_of_a_large_set_still_fits_an_address():
    text = write_ranges(range(0, 100_000, 2))
    assert len(text) < 20_000  # servers and proxies take at least that much
    assert read_ranges(text) == tuple(range(0, 100_000, 2))


def test_defaults_name_the_data_set_alone():
    assert learnability_query(LearnabilitySpec(), LearnabilityView()) == {"dataset": "digits"}
    assert read_learnability_query({}) == (LearnabilitySpec(), LearnabilityView())


def test_learning_rate_default_follows_the_architecture():
    spec, _ = read_learnability_query({"model": "cnn4"})
    assert spec == LearnabilitySpec.model_validate({"model": {"architecture": "cnn4"}})
    assert learnability_query(spec) == {"dataset": "digits", "model": "cnn4"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"n": "many"}, "n: "),
        ({"n": "-4"}, "n: "),
        ({"n": ["10", "20"]}, "more than once"),
        ({"modle": "fcn"}, "did you mean 'model'"),
        ({"model": "vgg"}, "model: "),
        ({"dataset": "imagenet"}, "dataset: "),
        ({"dataset": "own"}, "content id"),
        ({"own": "0" * 64}, "content id"),
        ({"classes": "7"}, "two different classes"),
        ({"noise": "1.5"}, "noise: "),
        ({"noise": "nan"}, "noise: "),
        ({"rate": "inf"}, "rate: "),
        ({"rate": "0"}, "rate: "),
        ({"at": "30"}, "after the last"),
        ({"full": "yes"}, "neither 0 nor 1"),
        ({"depth": "3", "model": "cnn4"}, "only the fcn"),
        ({"model": "resnet18", "weights": "pretrained"}, "there are none"),
        ({"low": "60", "high": "20"}, "above the upper end"),
        ({"basket": "9-1"}, "backwards"),
        ({"basket": "zAAAA"}, "not a set of images"),
        ({"basket": "z"}, "basket: "),
        ({"basket": "0-9999999"}, "names more than"),
        ({"basket": "<script>"}, "not a number"),
        ({"image": "-1"}, "image: "),
    ],
)
def test_wrong_addresses_say_what_is_wrong(query, said):
    with pytest.raises(SpecError) as caught:
        read_learnability_query(query)
    assert said in caught.value.message
    assert caught.value.remedy


def test_all_problems_are_named_at_once():
    with pytest.raises(SpecError) as caught:
        read_learnability_query({"n": "x", "foo": "1", "low": "200"})
    assert all(part in caught.value.message for part in ("n: ", "'foo' is unknown", "low: "))
