"""Numbers that nobody chose: how many images fit a set, and how much of a study fits ten minutes."""

from dataclasses import dataclass, replace

import pytest
from group_sets import negatives

from ntkcore.analyses.defaults import SOON, Sizes, affordable, fit, fitted, moved, within
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.groups.subclass import SUBCLASS
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Room, load_dataset, room_of
from ntkcore.errors import DataError
from ntkcore.specs import DatasetSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.mark.parametrize("seed", range(4))
def test_the_fewest_images_are_those_that_hold_two_of_every_class(cache, seed):
    spec = DatasetSpec(classes=("3", "5", "8", "9"), seed=seed)
    room = room_of(spec, cache)
    assert room.images == room_of(spec.model_copy(update={"n": 4}), cache).images == 183 + 182 + 174 + 180
    load_dataset(spec.model_copy(update={"n": room.fewest}), cache)
    with pytest.raises(DataError, match="at least two are needed"):
        load_dataset(spec.model_copy(update={"n": room.fewest - 1}), cache)


@pytest.mark.parametrize(
    ("have", "fewest", "said", "found"),
    [
        (10_000, 4, (), (500, 200)),
        (900, 4, (), (500, 200)),
        (699, 4, (), (388, 155)),  # 5 : 2, and 156 are left for a study
        (699, 4, ("n",), (500, 99)),
        (699, 4, ("test",), (499, 200)),
        (300, 4, ("n", "test"), (500, 200)),  # both were said: what is wrong with them is said
        (90, 60, (), (60, 20)),  # two of every class
        (20, 19, (), (19, 2)),  # there is no room for both; the analysis says so
        (10_000, 800, (), (800, 200)),
    ],
)
def test_what_fits(have, fewest, said, found):
    assert fit(Sizes(500, 200), Room("", have, fewest), said) == Sizes(*found)


def test_what_is_not_said_fits_and_what_is_said_stays(ws):
    pair = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 500}})  # 357 images
    some = fitted(pair, (), ws)
    assert (some.dataset.n, some.test) == (198, 79)
    assert fitted(pair, ("n", "test"), ws) is pair
    assert fitted(pair.model_copy(update={"dataset": pair.dataset.model_copy(update={"classes": ("3", "x")})}), (), ws).dataset.n == 500
    assert moved(some, DatasetSpec(), ws) == Sizes(500, 200)  # it stood at the default
    assert moved(pair.model_copy(update={"test": 30}), DatasetSpec(name="moons"), ws) == Sizes(500, 30)


@dataclass
class Slow:
    """An analysis that takes so many seconds for each training image; which are stored is said."""

    rate: float
    stored: tuple[int, ...] = ()

    def state(self, spec, ws):
        return "ready" if spec.dataset.n in self.stored else "absent"

    def key(self, spec, ws):
        return str(spec.dataset.n)

    def forecast(self, spec, ws):
        return replace(INFLUENCE.forecast(spec, ws), seconds=self.rate * spec.dataset.n)


@pytest.mark.parametrize(
    ("rate", "stored", "chosen"), [(1.0, (), 100), (10.0, (), 50), (1e3, (), 20), (1.0, (50,), 50), (1e3, (100, 50), 100)]
)
def test_the_largest_that_is_there_or_takes_ten_minutes(ws, rate, stored, chosen):
    wished = [InfluenceSpec.model_validate({"dataset": {"name": "moons", "n": n}}) for n in (100, 50, 20)]
    assert affordable(Slow(rate, stored), wished, ws).dataset.n == chosen
    soon, later = within(Slow(rate), wished, ws)
    assert sum(rate * one.dataset.n for one in soon) <= SOON or len(soon) == 1
    assert later == rate * sum(one.dataset.n for one in wished[len(soon) :])


@pytest.mark.parametrize("n", [36, 120, 700])
def test_a_study_of_three_classes_fits_them(ws, tmp_path, n):
    own = negatives(tmp_path, ws.settings, classes=("3", "5", "8"), n=min(n, 500))
    spec = InfluenceSpec.model_validate({"dataset": {"name": "own", "own": own, "n": 12}})
    asked = SUBCLASS.asked(spec, InformationView(), ws)
    SUBCLASS.forecast(asked, ws)  # says what there is too little of
    assert asked.counts[-1] <= asked.common_count and asked.test >= 3
