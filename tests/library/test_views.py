"""Saved views: a person's own of a page and a draw, by name."""

import pytest

from ntkcore.errors import DataError
from ntkcore.library import Person
from ntkcore.library.people import local
from ntkcore.library.views import MOST, Views

ANN, CAY = local("Ann"), Person("cay", "Cay", "viewer")


@pytest.fixture
def views(both, opened):
    return Views(opened(both))


def names(views, page="map", draw="digits", person=ANN):
    return [view.name for view in views.of(page, draw, person)]


def test_a_view_is_kept_renamed_and_removed(views):
    assert names(views) == []
    views.keep("  Hard  ones ", "map", "digits", {"show": "hard"}, ANN)
    views.keep("Easy", "map", "digits", {"only": ["3", "5"]}, ANN)
    assert names(views) == ["Easy", "Hard ones"]
    assert names(views, draw="moons") == [] == names(views, page="influence") == names(views, person=CAY)
    easy, hard = views.of("map", "digits", ANN)
    assert easy.said == {"only": ["3", "5"]}
    views.keep("Easy", "map", "digits", {"show": "easy"}, ANN)
    assert views.of("map", "digits", ANN)[0].said == {"show": "easy"} and len(names(views)) == 2
    views.rename(hard.id, "Odd", ANN)
    assert names(views) == ["Easy", "Odd"]
    with pytest.raises(DataError, match="already"):
        views.rename(hard.id, "Easy", ANN)
    with pytest.raises(DataError, match="needs a name"):
        views.keep("  ", "map", "digits", {}, ANN)
    views.remove(hard.id, CAY)
    with pytest.raises(DataError, match="no longer"):
        views.rename(hard.id, "mine", CAY)
    assert names(views) == ["Easy", "Odd"]
    views.remove(hard.id, ANN)
    assert names(views) == ["Easy"]


def test_there_are_only_so_many(views):
    for number in range(MOST):
        views.keep(f"view {number}", "map", "digits", {}, ANN)
    with pytest.raises(DataError, match="saved views"):
        views.keep("one more", "map", "digits", {}, ANN)
