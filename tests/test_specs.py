"""Specifications: frozen, strict, canonical."""

import pytest
from hypothesis import given
from pydantic import ValidationError
from strategies import learnability_specs

from ntkcore.specs import DatasetSpec, LearnabilitySpec, ModelSpec, key_of


@given(learnability_specs())
def test_canonical_json_round_trip(spec):
    assert LearnabilitySpec.model_validate_json(spec.canonical()) == spec


@given(learnability_specs(), learnability_specs())
def test_equal_keys_exactly_for_equal_specs(one, two):
    assert (key_of("k", 1, one, {}) == key_of("k", 1, two, {})) == (one == two)


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
