"""Links: everything chosen survives the address, and nothing an address says wrongly is dropped in silence."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    convergence_specs,
    convergence_views,
    dataset_specs,
    learnability_specs,
    learnability_views,
    model_specs,
    training_specs,
)

from ntkcore.errors import SpecError
from ntkcore.permalink import (
    CONVERGENCE,
    INFLUENCE,
    LEARNABILITY,
    convergence_query,
    influence_query,
    learnability_query,
    read_convergence_query,
    read_influence_query,
    read_learnability_query,
    read_ranges,
    write_ranges,
)
from ntkcore.specs import (
    ARCHITECTURES,
    CHAINS,
    ConvergenceSpec,
    ConvergenceView,
    InfluenceSpec,
    InfluenceView,
    LearnabilitySpec,
    LearnabilityView,
    key_of,
)


def through_an_address(query):
    """A query as a browser gives it back."""
    parsed = parse_qs(urlencode(query, doseq=True), keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in parsed.items()}


@given(learnability_specs(), learnability_views())
def test_round_trip_through_a_real_address(spec, view):
    assert read_learnability_query(through_an_address(learnability_query(spec, view))) == (spec, view)


@given(convergence_specs(), convergence_views())
def test_round_trip_of_a_comparison(spec, view):
    assert read_convergence_query(through_an_address(convergence_query(spec, view))) == (spec, view)


@st.composite
def influence_specs(draw: st.DrawFn) -> InfluenceSpec:
    kernel = draw(st.sampled_from(["two-layer", "infinite", "pseudo", "full"]))
    chosen = {"dataset": draw(dataset_specs()), "test": draw(st.integers(1, 10_000)), "kernel": kernel}
    if kernel == "infinite":
        chosen["model"] = draw(model_specs().filter(lambda model: model.architecture in CHAINS and model.weights == "random"))
    elif kernel != "two-layer":
        chosen |= {"model": draw(model_specs()), "training": draw(st.none() | training_specs())}
        chosen["dtype"] = draw(st.sampled_from(["float32", "float64"]))
    return InfluenceSpec(**chosen)


@st.composite
def influence_views(draw: st.DrawFn) -> InfluenceView:
    return InfluenceView(
        ridge=draw(st.floats(0, 1e6)),
        time=draw(st.none() | st.floats(0, 1e12, exclude_min=True)),
        target=draw(st.none() | st.integers(0, 10_000)),
        tests=draw(st.sampled_from(["wrong", "loss", "all"])),
        show=draw(st.sampled_from(["helpful", "harmful", "idle"])),
        verify=draw(st.integers(16, 65_536)),
        basket=draw(st.sets(st.integers(0, 50_000), max_size=30).map(lambda chosen: tuple(sorted(chosen)))),
        deed=draw(st.sampled_from(["delete", "relabel"])),
        label=draw(st.none() | st.integers(0, 10**6)),
    )


@given(influence_specs(), influence_views())
def test_round_trip_of_an_influence(spec, view):
    assert read_influence_query(through_an_address(influence_query(spec, view))) == (spec, view)


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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_comparison_says_what_differs_from_its_architecture_alone(architecture):
    spec, view = read_convergence_query({"model": architecture})
    assert (spec, view) == (ConvergenceSpec(architecture=architecture), ConvergenceView())
    assert convergence_query(spec, view) == {"dataset": "digits"} | ({"model": architecture} if architecture != "fcn" else {})


def test_lists_of_a_comparison_are_short():
    spec = ConvergenceSpec(widths=(32, 128, 512), looks=(0, 5, 50))
    view = ConvergenceView(point=(512, 0, 50), epoch=5)
    query = {"dataset": "digits", "widths": "32,128,512", "looks": "0,5,50", "point": "512-0-50", "epoch": "5"}
    assert convergence_query(spec, view) == query
    assert read_convergence_query(query) == (spec, view)
    assert read_convergence_query(query | {"widths": ["32", "128", "512"]}) == (spec, view)  # as a notebook's list says it


def test_the_last_look_ends_the_training():
    spec, _ = read_convergence_query({"looks": "0,7"})
    assert spec.training.epochs == 7


@pytest.mark.parametrize("kernel", ["infinite", "pseudo", "full"])
@pytest.mark.parametrize("architecture", CHAINS)
def test_an_influence_says_what_differs_from_its_kernel_and_architecture_alone(kernel, architecture):
    said = {"dataset": "digits", "kernel": kernel, "model": architecture}
    spec, view = read_influence_query(said)
    assert (spec, view) == (InfluenceSpec(kernel=kernel, model={"architecture": architecture}), InfluenceView())
    assert influence_query(spec, view) == said


def test_the_closed_form_is_said_by_nothing():
    assert influence_query(InfluenceSpec(), InfluenceView()) == {"dataset": "digits"}
    assert read_influence_query({}) == (InfluenceSpec(), InfluenceView())


@pytest.mark.parametrize("epochs", [0, 1, 2, 20])
def test_every_number_of_epochs_of_an_influence_survives(epochs):
    spec = InfluenceSpec.model_validate({"kernel": "pseudo", "training": {"epochs": epochs}})
    assert read_influence_query(influence_query(spec))[0] == spec
    assert influence_query(spec).get("epochs") == (str(epochs) if epochs else None)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"kernel": "ntk"}, "kernel: "),
        ({"width": "8"}, "leave it out"),
        ({"model": "fcn"}, "leave it out"),
        ({"epochs": "3"}, "does not change in training"),
        ({"kernel": "infinite", "model": "wrn16"}, "infinite width is known of"),
        ({"kernel": "pseudo", "depth": "0"}, "depth: "),
        ({"kernel": "pseudo", "epochs": "3000"}, "epochs: "),
        ({"test": "0"}, "test: "),
        ({"ridge": "-1"}, "ridge: "),
        ({"ridge": "1e9"}, "ridge: "),
        ({"ridge": "nan"}, "ridge: "),
        ({"time": "0"}, "time: "),
        ({"time": "inf"}, "time: "),
        ({"target": "-1"}, "target: "),
        ({"target": "first"}, "target: "),
        ({"show": "good"}, "show: "),
        ({"tests": "right"}, "tests: "),
        ({"deed": "keep"}, "deed: "),
        ({"label": "-2"}, "label: "),
        ({"basket": "5-2"}, "backwards"),
        ({"lambda": "1"}, "'lambda' is unknown"),
        ({"ridgee": "1"}, "did you mean 'ridge'"),
        ({"looks": "0,1"}, "'looks' is unknown"),
    ],
)
def test_wrong_influences_say_what_is_wrong(query, said):
    with pytest.raises(SpecError) as caught:
        read_influence_query(query)
    assert said in caught.value.message
    assert caught.value.remedy


def test_no_name_means_two_things_on_one_page():
    for address in (LEARNABILITY, CONVERGENCE, INFLUENCE):
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
        read_convergence_query(query)
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
        read_learnability_query(query)
    assert said in caught.value.message
    assert caught.value.remedy


def test_all_problems_are_named_at_once():
    with pytest.raises(SpecError) as caught:
        read_learnability_query({"n": "x", "foo": "1", "low": "200"})
    assert all(part in caught.value.message for part in ("n: ", "'foo' is unknown", "low: "))
