"""Links to the influence and reliability pages: everything chosen survives, and nothing said wrongly is dropped in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import dataset_specs, model_specs, through_an_address, training_specs

from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import CHAINS, InfluenceSpec, InfluenceView
from ntkcore.specs.reliability import ReliabilityView


@st.composite
def influence_specs(draw: st.DrawFn) -> InfluenceSpec:
    kernel = draw(st.sampled_from(["two-layer", "infinite", "pseudo", "full"]))
    chosen = {"dataset": draw(dataset_specs()), "test": draw(st.integers(1, 10_000)), "kernel": kernel}
    if kernel == "infinite":
        drawn = model_specs().filter(lambda model: model.architecture in CHAINS and model.weights == "random")
        chosen["model"] = draw(drawn).model_copy(update={"sees": None, "head": None, "head_size": None})
    elif kernel != "two-layer":
        chosen |= {"model": draw(model_specs()), "training": draw(st.none() | training_specs())}
        chosen["dtype"] = draw(st.sampled_from(["float32", "float64"]))
    return InfluenceSpec(**chosen)


@st.composite
def influence_views(draw: st.DrawFn) -> InfluenceView:
    return InfluenceView(
        ridge=draw(st.floats(0, 1e6)),
        time=draw(st.none() | st.floats(1e-12, 1e12)),
        target=draw(st.none() | st.integers(0, 10_000)),
        tests=draw(st.sampled_from(["wrong", "loss", "all"])),
        only=draw(st.lists(st.text(min_size=1, max_size=8), max_size=3).map(tuple)),
        mean=draw(st.sampled_from(["no", "shown", "ticked"])),
        picked=draw(st.sets(st.integers(0, 10_000), max_size=30).map(lambda chosen: tuple(sorted(chosen)))),
        show=draw(st.sampled_from(["helpful", "harmful", "idle"])),
        group=draw(st.none() | st.integers(0, 9)),
        **draw(st.sampled_from([{}, {"image": 3}, {"held": 4}])),
        verify=draw(st.integers(16, 65_536)),
        basket=draw(st.sets(st.integers(0, 50_000), max_size=30).map(lambda chosen: tuple(sorted(chosen)))),
        deed=draw(st.sampled_from(["delete", "relabel"])),
        label=draw(st.none() | st.integers(0, 10**6)),
    )


@given(influence_specs(), influence_views())
def test_round_trip_of_an_influence(spec, view):
    assert ADDRESSES["influence"].read(through_an_address(ADDRESSES["influence"].write(spec, view))) == (spec, view)


@st.composite
def reliability_views(draw: st.DrawFn) -> ReliabilityView:
    return ReliabilityView(
        ridge=draw(st.floats(0, 1e6)),
        average=draw(st.sampled_from(["mean", "median"])),
        dimension=draw(st.integers(1, 500)),
        bandwidth=draw(st.sampled_from(["scott", "silverman", "cv"])),
        picked=draw(st.sets(st.integers(0, 50_000), max_size=30).map(lambda chosen: tuple(sorted(chosen)))),
        light=draw(st.sampled_from(["all", "green", "amber", "red"])),
        target=draw(st.none() | st.integers(0, 10_000)),
        verify=draw(st.integers(16, 65_536)),
        time=draw(st.floats(1e-6, 1e6)),
        steps=draw(st.none() | st.integers(1, 100_000)),
        minibatch=draw(st.integers(1, 100_000)),
        runs=draw(st.integers(2, 64)),
        scale=draw(st.integers(1, 50)),
    )


@given(influence_specs(), reliability_views())
def test_round_trip_of_a_reliability(spec, view):
    assert ADDRESSES["reliability"].read(through_an_address(ADDRESSES["reliability"].write(spec, view))) == (spec, view)


def test_both_pages_name_a_specification_alike():
    spec = InfluenceSpec.model_validate({"dataset": {"n": 70}, "kernel": "pseudo", "training": {"epochs": 3}})
    assert ADDRESSES["influence"].write(spec) == ADDRESSES["reliability"].write(spec)
    assert ADDRESSES["reliability"].read({}) == (InfluenceSpec(), ReliabilityView())


@pytest.mark.parametrize("kernel", ["infinite", "pseudo", "full"])
@pytest.mark.parametrize("architecture", CHAINS)
def test_an_influence_says_what_differs_from_its_kernel_and_architecture_alone(kernel, architecture):
    said = {"dataset": "digits", "kernel": kernel, "model": architecture}
    spec, view = ADDRESSES["influence"].read(said)
    assert (spec, view) == (InfluenceSpec(kernel=kernel, model={"architecture": architecture}), InfluenceView())
    assert ADDRESSES["influence"].write(spec, view) == said


def test_the_closed_form_is_said_by_nothing():
    assert ADDRESSES["influence"].write(InfluenceSpec(), InfluenceView()) == {"dataset": "digits"}
    assert ADDRESSES["influence"].read({}) == (InfluenceSpec(), InfluenceView())


def test_a_seed_that_means_nothing_leaves_the_address():
    said = {"dataset": "digits", "kernel": "infinite", "model": "fcn"}
    assert ADDRESSES["influence"].write(ADDRESSES["influence"].read(said | {"init": "5"})[0]) == said


@pytest.mark.parametrize("epochs", [0, 1, 2, 20])
def test_every_number_of_epochs_of_an_influence_survives(epochs):
    spec = InfluenceSpec.model_validate({"kernel": "pseudo", "training": {"epochs": epochs}})
    assert ADDRESSES["influence"].read(ADDRESSES["influence"].write(spec))[0] == spec
    assert ADDRESSES["influence"].write(spec).get("epochs") == (str(epochs) if epochs else None)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"kernel": "ntk"}, "kernel: "),
        ({"width": "8"}, "leave it out"),
        ({"model": "fcn"}, "leave it out"),
        ({"epochs": "3"}, "does not change in training"),
        ({"rate": "0.1"}, "rate given without epochs"),
        ({"kernel": "full", "shuffle": "2", "decay": "0.1", "epochs": "0"}, "shuffle, decay given without epochs"),
        ({"kernel": "infinite", "init": "-1"}, "init: "),
        ({"mean": "both"}, "mean: "),
        ({"picked": "3-1"}, "backwards"),
        ({"image": "2", "held": "2"}, "held: "),
        ({"kernel": "infinite", "model": "wrn16"}, "infinite width is known of"),
        ({"kernel": "pseudo", "depth": "0"}, "depth: "),
        ({"kernel": "pseudo", "epochs": "3000"}, "epochs: "),
        ({"test": "0"}, "test: "),
        ({"ridge": "-1"}, "ridge: "),
        ({"ridge": "1e9"}, "ridge: "),
        ({"ridge": "nan"}, "ridge: "),
        ({"time": "0"}, "time: "),
        ({"time": "1e-13"}, "time: "),
        ({"time": "1e13"}, "time: "),
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
        ADDRESSES["influence"].read(query)
    assert said in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"ridge": "-0.1"}, "ridge: "),
        ({"ridge": "1e7"}, "ridge: "),
        ({"average": "mode"}, "average: "),
        ({"dimension": "0"}, "dimension: "),
        ({"bandwidth": "0.5"}, "bandwidth: "),
        ({"light": "blue"}, "light: "),
        ({"picked": "1-x"}, "picked: "),
        ({"scale": "51"}, "scale: "),
        ({"target": "-1"}, "target: "),
        ({"basket": "1"}, "'basket' is unknown"),
        ({"test": "20000"}, "test: "),
    ],
)
def test_wrong_reliabilities_say_what_is_wrong(query, said):
    with pytest.raises(SpecError) as caught:
        ADDRESSES["reliability"].read(query)
    assert said in caught.value.message
    assert caught.value.remedy
