"""Specifications: frozen, strict, canonical."""

import pytest
from hypothesis import given
from pydantic import ValidationError
from strategies import learnability_specs

from ntkcore.specs import DatasetSpec, ModelSpec, TrainingSpec, key_of
from ntkcore.specs.influence import InfluenceSpec, InfluenceView
from ntkcore.specs.learnability import LearnabilitySpec


@given(learnability_specs())
def test_canonical_json_round_trip(spec):
    assert LearnabilitySpec.model_validate_json(spec.canonical()) == spec


@given(learnability_specs(), learnability_specs())
def test_equal_keys_exactly_for_equal_specs(one, two):
    assert (key_of("k", 1, one, {}) == key_of("k", 1, two, {})) == (one == two)


def test_fields_that_came_later_leave_keys_of_before_as_they_are():
    """Written down once, of the version before sizes and parts: what was stored then is found by it."""
    before = '{"classes":[],"label_noise":0.0,"n":1000,"name":"digits","own":null,"seed":0}'
    assert DatasetSpec().canonical() == DatasetSpec(crop=1.0, part="").canonical() == before
    assert f'"dataset":{before}' in LearnabilitySpec().canonical()
    later = [DatasetSpec(size=64), DatasetSpec(size=64, crop=0.9), DatasetSpec(size=64, interpolation="bicubic"), DatasetSpec(part="train")]
    assert len({spec.canonical() for spec in later}) == 4 and all(before not in spec.canonical() for spec in later)


def test_key_depends_on_everything_named():
    spec = DatasetSpec()
    keys = {
        key_of("a", 1, spec, {"data": "x"}),
        key_of("b", 1, spec, {"data": "x"}),
        key_of("a", 2, spec, {"data": "x"}),
        key_of("a", 1, spec, {"data": "y"}),
        key_of("a", 1, DatasetSpec(n=10), {"data": "x"}),
    }
    assert len(keys) == 5
    assert all(len(key) == 64 for key in keys)


def test_left_out_width_is_the_architectures():
    assert ModelSpec(architecture="cnn4") == ModelSpec(architecture="cnn4", width=32)
    assert ModelSpec(architecture="fcn").depth == 2


@pytest.mark.parametrize(
    "values",
    [{"nn": 3}, {"name": "own"}, {"classes": ("a", "a")}, {"n": 3}, {"label_noise": 0.95}, {"own": "0" * 64}],
)
def test_refuses(values):
    with pytest.raises(ValidationError):
        DatasetSpec.model_validate(values)


def test_frozen():
    with pytest.raises(ValidationError):
        DatasetSpec().n = 5


def test_kernel_at_initialisation_does_not_depend_on_the_training():
    one = LearnabilitySpec.model_validate({"training": {"epochs": 5}})
    two = LearnabilitySpec.model_validate({"training": {"epochs": 9, "seed": 3}})
    assert one.kernel == two.kernel
    assert one.kernel.training is None


def test_kernel_after_training_depends_on_the_epochs_up_to_it():
    one = LearnabilitySpec.model_validate({"training": {"epochs": 5}, "kernel_epoch": 5})
    two = LearnabilitySpec.model_validate({"training": {"epochs": 9}, "kernel_epoch": 5})
    assert one.kernel == two.kernel
    assert one.run != two.run


def test_a_closed_form_has_no_network_and_a_network_kernel_has_one():
    assert InfluenceSpec().model is None and InfluenceSpec().kernel == "two-layer"
    for kernel in ("infinite", "pseudo", "full"):
        assert InfluenceSpec(kernel=kernel).model == ModelSpec()
    assert InfluenceSpec.model_validate({"model": {}}) == InfluenceSpec()  # an address that names nothing of a network


def test_no_training_is_one_specification():
    at_start = InfluenceSpec(kernel="pseudo")
    for training in (None, {}, {"epochs": 0}, {"epochs": "0"}, TrainingSpec(epochs=0, learning_rate=3.0)):
        assert InfluenceSpec.model_validate({"kernel": "pseudo", "training": training}) == at_start, training


def test_an_infinitely_wide_network_has_no_seed():
    """Its kernel is the same from every one, so one specification, and one key, names it."""
    model = {"architecture": "cnn3", "width": 16}
    plain = InfluenceSpec.model_validate({"kernel": "infinite", "model": model})
    assert InfluenceSpec.model_validate({"kernel": "infinite", "model": model | {"seed": 5}}) == plain
    assert InfluenceSpec(kernel="infinite", model=ModelSpec(architecture="cnn3", width=16, seed=5)) == plain
    assert InfluenceSpec.model_validate({"kernel": "pseudo", "model": model | {"seed": 5}}).model.seed == 5


def test_the_learning_rate_of_an_influence_follows_the_architecture():
    for model in ({"architecture": "cnn4"}, ModelSpec(architecture="cnn4")):
        chosen = InfluenceSpec.model_validate({"kernel": "full", "model": model, "training": {"epochs": 2}})
        assert (chosen.training.epochs, chosen.training.learning_rate) == (2, 0.1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model": {"width": 8}}, "leave it out"),
        ({"training": {"epochs": 1}}, "does not change in training"),
        ({"training": {"learning_rate": 0.1}}, "rate given without epochs"),
        ({"kernel": "pseudo", "training": {"epochs": 0, "seed": 3, "momentum": 0.9}}, "shuffle, momentum given without epochs"),
        ({"dtype": "float64"}, "computed in float64"),
        ({"kernel": "infinite", "training": {"epochs": 1}}, "does not change in training"),
        ({"kernel": "infinite", "model": {"architecture": "resnet18"}}, "fcn, cnn3, cnn4, convnet"),
        ({"kernel": "infinite", "model": {"architecture": "cnn4", "weights": "pretrained"}}, "pretrained"),
        ({"kernel": "nngp"}, "two-layer"),
        ({"test": 0}, "greater than or equal to 1"),
        ({"ridge": 0.1}, "Extra inputs"),
        ({"time": 2.0}, "Extra inputs"),
    ],
)
def test_contradictory_influences_say_why(values, said):
    with pytest.raises(ValidationError) as caught:
        InfluenceSpec.model_validate(values)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        *({"ridge": ridge} for ridge in (-1, float("nan"), 2e6)),
        *({"time": time} for time in (0, float("inf"))),
        *({name: -1} for name in ("target", "group", "image", "held")),
        {"mean": "all"},
        {"image": 1, "held": 2},
    ],
)
def test_views_that_cannot_be_are_refused(values):
    with pytest.raises(ValidationError):
        InfluenceView.model_validate(values)
