"""Links: everything chosen survives the address, and nothing an address says wrongly is dropped in silence."""

import base64
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    convergence_specs,
    convergence_views,
    learnability_specs,
    learnability_views,
    through_an_address,
)

from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES, read_ranges, write_ranges
from ntkcore.specs import ARCHITECTURES, key_of
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView


@given(learnability_specs(), learnability_views())
def test_round_trip_through_a_real_address(spec, view):
    assert ADDRESSES["learnability"].read(through_an_address(ADDRESSES["learnability"].write(spec, view))) == (spec, view)


@given(convergence_specs(), convergence_views())
def test_round_trip_of_a_comparison(spec, view):
    assert ADDRESSES["convergence"].read(through_an_address(ADDRESSES["convergence"].write(spec, view))) == (spec, view)


def beside(address, held, now):
    """Beside a saved choice, an address says the difference, and reading it gives what was looked at."""
    query = address.write(*now, held)
    assert address.read(through_an_address(query), held) == now
    return query


@given(learnability_specs(), learnability_views(), learnability_specs(), learnability_views())
def test_any_change_of_a_saved_choice_survives_its_address(spec, view, other, changed):
    address = ADDRESSES["learnability"]
    for now in ((spec, view), (spec, changed), (other, view), (other, changed)):
        beside(address, (spec, view), now)


@given(convergence_specs(), convergence_views(), convergence_specs(), convergence_views())
def test_any_change_of_a_saved_comparison_survives_its_address(spec, view, other, changed):
    address = ADDRESSES["convergence"]
    for now in ((spec, view), (spec, changed), (other, view), (other, changed)):
        beside(address, (spec, view), now)


def test_beside_a_saved_choice_only_the_difference_is_said():
    address = ADDRESSES["influence"]
    spec, view = address.read({"dataset": "mnist", "kernel": "pseudo", "ridge": "1.0", "basket": "1-3", "image": "2", "only": ["a", "b"]})
    held = (spec, view)
    assert beside(address, held, held) == {}
    assert beside(address, held, (spec, view.model_copy(update={"ridge": 0.1}))) == {"ridge": "0.1"}
    assert beside(address, held, (spec, view.model_copy(update={"ridge": 0.01}))) == {"ridge": "0.01"}  # also where it is the default
    gone = view.model_copy(update={"image": None, "basket": (), "only": ()})
    assert beside(address, held, (spec, gone)) == {"image": "", "basket": "", "only": ""}
    fewer = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"n": 100})})
    assert beside(address, held, (fewer, view)) == {"n": "100"}
    closed, _ = address.read({"dataset": "mnist"})
    assert beside(address, held, (closed, view))["dataset"] == "mnist"  # another kernel has other defaults: all is said
    with pytest.raises(SpecError, match="did you mean 'ridge'"):
        address.read({"rigde": "1"}, held)
    with pytest.raises(SpecError, match="ridge"):
        address.read({"ridge": "-1"}, held)


@given(learnability_specs())
def test_same_link_same_key(spec):
    read, _ = ADDRESSES["learnability"].read(ADDRESSES["learnability"].write(spec))
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
    assert ADDRESSES["learnability"].write(LearnabilitySpec(), LearnabilityView()) == {"dataset": "digits"}
    assert ADDRESSES["learnability"].read({}) == (LearnabilitySpec(), LearnabilityView())


def test_learning_rate_default_follows_the_architecture():
    spec, _ = ADDRESSES["learnability"].read({"model": "cnn4"})
    assert spec == LearnabilitySpec.model_validate({"model": {"architecture": "cnn4"}})
    assert ADDRESSES["learnability"].write(spec) == {"dataset": "digits", "model": "cnn4"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_comparison_says_what_differs_from_its_architecture_alone(architecture):
    spec, view = ADDRESSES["convergence"].read({"model": architecture})
    assert (spec, view) == (ConvergenceSpec(architecture=architecture), ConvergenceView())
    assert ADDRESSES["convergence"].write(spec, view) == {"dataset": "digits"} | ({"model": architecture} if architecture != "fcn" else {})


def test_lists_of_a_comparison_are_short():
    spec = ConvergenceSpec(widths=(32, 128, 512), looks=(0, 5, 50))
    view = ConvergenceView(point=(512, 0, 50), epoch=5)
    query = {"dataset": "digits", "widths": "32,128,512", "looks": "0,5,50", "point": "512-0-50", "epoch": "5"}
    assert ADDRESSES["convergence"].write(spec, view) == query
    assert ADDRESSES["convergence"].read(query) == (spec, view)
    assert ADDRESSES["convergence"].read(query | {"widths": ["32", "128", "512"]}) == (spec, view)  # as a notebook's list says it


def test_the_last_look_ends_the_training():
    spec, _ = ADDRESSES["convergence"].read({"looks": "0,7"})
    assert spec.training.epochs == 7


def test_no_name_means_two_things_on_one_page():
    for address in (ADDRESSES["learnability"], ADDRESSES["convergence"], ADDRESSES["influence"], ADDRESSES["reliability"]):
        assert not set(address.fields) & set(address.view_fields)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"widths": "512,32"}, "ascending"),
        ({"widths": ""}, "widths: '' is not a whole number"),
        ({"widths": "32,,64"}, "widths: "),
        ({"widths": "32;64"}, "widths: "),
        ({"widths": "99999"}, "widths: "),
        ({"looks": "0,1.5"}, "looks: '1.5' is not a whole number"),
        ({"looks": "0,3000"}, "looks: "),
        ({"looks": "0,0"}, "ascending"),
        ({"model": "resnet20", "widths": "16,32"}, "fixed width"),
        ({"model": "cnn4", "depth": "3"}, "only the fcn"),
        ({"point": "512-0"}, "point: "),
        ({"point": "512-0-0-0"}, "point: "),
        ({"point": "512--1"}, "point: "),
        ({"ridge": "-1"}, "ridge: "),
        ({"ridge": "nan"}, "ridge: "),
        ({"test": "1"}, "test: "),
        ({"kernel": "full"}, "kernel: "),
        ({"start": "zero"}, "start: "),
        ({"epochs": "20"}, "'epochs' is unknown"),
        ({"width": "0"}, "width: "),
    ],
)
def test_wrong_comparisons_say_what_is_wrong(query, said):
    with pytest.raises(SpecError) as caught:
        ADDRESSES["convergence"].read(query)
    assert said in caught.value.message
    assert caught.value.remedy


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
        ADDRESSES["learnability"].read(query)
    assert said in caught.value.message
    assert caught.value.remedy


def test_all_problems_are_named_at_once():
    with pytest.raises(SpecError) as caught:
        ADDRESSES["learnability"].read({"n": "x", "foo": "1", "low": "200"})
    assert all(part in caught.value.message for part in ("n: ", "'foo' is unknown", "low: "))


_HUGE = {
    "labels named again and again": ("information", {"labels-relabelled": ".".join(["0~0-99999"] * 150)}),
    "labels of many classes": ("information", {"labels-relabelled": ".".join(f"{i}~0-49999" for i in range(120))}),
    "ranges named again and again": ("learnability", {"basket": ",".join(["0-49999"] * 200)}),
    "a packed set of too many": ("learnability", {"basket": "z" + base64.urlsafe_b64encode(zlib.compress(b"\xff" * 12_501, 9)).decode()}),
    "many numbers": ("convergence", {"widths": ",".join(["32"] * 2000)}),
    "many numbers in many places": ("convergence", {"looks": ["1,2,3"] * 400}),
    "many names of one kind": ("learnability", {"classes": [str(i) for i in range(2000)]}),
    "many unknown names": ("learnability", {f"unknown{i}": "1" for i in range(5000)}),
    "a long name": ("learnability", {"x" * 50_000: "1"}),
    "a long value": ("learnability", {"n": "9" * 90_000}),
    "a long address": ("learnability", {"basket": "0," * 60_000}),
}


@pytest.mark.parametrize("case", _HUGE)
def test_what_an_address_asks_for_is_bounded_before_it_is_made(case):
    page, query = _HUGE[case]
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(SpecError) as caught:
            ADDRESSES[page].read(query)
        # 100,000 whole numbers in a set and a tuple take about 8 MB; the address that this stands for took gigabytes and 19 s
        assert tracemalloc.get_traced_memory()[1] < 50e6
        assert time.process_time() - began < 5
    finally:
        tracemalloc.stop()
    assert len(caught.value.message) < 1000
    assert caught.value.remedy


def test_as_many_images_as_are_allowed_can_be_relabelled():
    _, view = ADDRESSES["information"].read({"labels-relabelled": "0~0-49999.1~50000-99999"})
    assert len(view.labels.relabelled) == 100_000


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_name_is_the_specifications_or_the_views(name):
    """One that is both would be read as the specification's, and what the view said be lost."""
    address = ADDRESSES[name]
    assert not set(address.fields) & set(address.view_fields)
