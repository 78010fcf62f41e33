"""What of one page's choice another page takes over."""

import pytest

from ntkcore.analyses.carry import carried, same_images
from ntkcore.analyses.workspace import workspace
from ntkcore.specs import DatasetSpec, ModelSpec
from ntkcore.specs.active import ActiveSpec
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec
from ntkcore.specs.map import MapSpec

IMAGES = DatasetSpec(classes=("3", "5", "8"), n=60, seed=4)
KINDS = (LearnabilitySpec, InfluenceSpec, MapSpec, ConvergenceSpec, ActiveSpec)


@pytest.fixture
def ws(cache):
    return workspace()


def test_pages_on_one_kernel_have_the_whole_choice(ws):
    came = InfluenceSpec(dataset=IMAGES, test=7, kernel="pseudo", model={"width": 16}, training={"epochs": 2})
    found = carried(MapSpec(), came, ws)
    assert isinstance(found, MapSpec) and found.influence == came
    assert carried(InfluenceSpec(), found, ws) == came


def test_learnability_and_influence_exchange_images_network_and_epoch(ws):
    came = LearnabilitySpec.model_validate({"dataset": IMAGES.model_dump(), "model": {"architecture": "cnn3"}, "kernel_epoch": 3})
    found = carried(InfluenceSpec(), came, ws)
    assert (found.dataset, found.model, found.kernel) == (IMAGES, came.model, "pseudo") and found.training.epochs == 3
    back = carried(LearnabilitySpec(), found, ws)
    assert (back.dataset, back.model, back.kernel_epoch) == (IMAGES, came.model, 3)
    assert back.training.epochs == LearnabilitySpec().training.epochs
    assert back.kernel.training == found.training


def test_a_kernel_without_a_network_leaves_the_networks_as_they_were(ws):
    held = LearnabilitySpec(model=ModelSpec(width=32))
    found = carried(held, InfluenceSpec(dataset=IMAGES), ws)
    assert found.model == held.model and found.training == held.training and found.dataset == IMAGES


@pytest.mark.parametrize("kind", [ConvergenceSpec, ActiveSpec])
def test_where_a_number_of_images_means_something_else_it_stays(ws, kind):
    came = LearnabilitySpec(dataset=IMAGES.model_copy(update={"n": 300}))
    found = carried(kind(), came, ws)  # or as many as there are of these classes
    assert found.dataset.n in (kind().dataset.n, 269) and found.dataset.classes == IMAGES.classes and found.dataset.seed == 4
    back = carried(came, found, ws)
    assert back == came


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("came", KINDS)
def test_every_page_takes_over_from_every_other(ws, to, came):
    start = came(dataset=IMAGES.model_copy(update={"n": 200}))
    found = carried(to(), start, ws)
    assert type(found) is to and found.dataset.classes == IMAGES.classes
    assert carried(found, start, ws) == found
    assert same_images(found, start)


def test_images_are_the_same_in_nested_draws_alone():
    one = InfluenceSpec(dataset=IMAGES)
    assert same_images(one, InfluenceSpec(dataset=IMAGES.model_copy(update={"n": 10})))
    assert not same_images(one, InfluenceSpec(dataset=IMAGES.model_copy(update={"seed": 5})))
