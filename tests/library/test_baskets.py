"""Baskets: a person's own of each draw, changed by what differs, so that no tab takes out what another put in."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ntkcore.library import Person
from ntkcore.library.baskets import Baskets
from ntkcore.library.people import Refused, local
from ntkcore.library.tables import PEOPLE

ANN, CAY = local("Ann"), Person("cay", "Cay", "viewer")


@pytest.fixture
def library(both, opened):
    return opened(both)


def test_a_basket_is_changed_by_what_differs(library):
    baskets = Baskets(library)
    assert baskets.of("digits", ANN) == ()
    assert baskets.change("digits", ANN, put=(5, 1)) == (1, 5)
    assert baskets.change("digits", ANN, put=(9,), take=(1, 7)) == (5, 9) == baskets.of("digits", ANN)
    with library.writing() as connection:
        connection.execute(PEOPLE.insert().values(id="cay", name="Cay", made=0.0))
    assert baskets.of("digits", CAY) == () == baskets.of("moons", ANN)
    assert baskets.change("digits", CAY, put=(2,)) == (2,) and baskets.of("digits", ANN) == (5, 9)
    with pytest.raises(Refused):
        baskets.change("digits", Person("cay", "Cay", None), put=(1,))


def test_nothing_is_lost_between_tabs(library):
    baskets = Baskets(library)
    with ThreadPoolExecutor(6) as tabs:
        list(tabs.map(lambda image: baskets.change("digits", ANN, put=(image,)), range(30)))
    assert baskets.of("digits", ANN) == tuple(range(30))


def test_to_look_makes_no_library(both, opened):
    made = opened(both)
    if made.file is not None:
        assert Baskets(made).of("digits", ANN) == () and not made.begun
