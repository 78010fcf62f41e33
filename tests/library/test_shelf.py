"""The list of saved analyses: search, scope, order, pages, what is new, and who sees what."""

from dataclasses import replace

import pytest

from ntkcore.library import Content, Person, Saved
from ntkcore.library.people import local
from ntkcore.library.shelf import Wanted, last_visit, shelf
from ntkcore.library.tables import NOTES, PEOPLE, TAGS

ANN, BEN = local("Ann"), local("Ben")
PLAIN = Content(page="learnability", spec={}, view={}, title="Überblick 100%", dataset="Digits", source="digits", answer="All is learned.")


@pytest.fixture
def library(both, opened):
    return opened(both)


@pytest.fixture
def three(library):
    saved, insects = Saved(library), replace(PLAIN, source="own", dataset="Insects")
    return (
        saved.save(PLAIN, ANN).analysis,
        saved.save(replace(insects, page="influence", title="Ants and bees", description="flipped"), BEN).analysis,
        saved.save(replace(PLAIN, page="map", title="a map"), ANN).analysis,
    )


def found(library, person=ANN, **wanted):
    return [card.version.analysis for card in shelf(library, person, Wanted(**wanted)).cards]


def note(library, code, text, author="Ben", **more):
    values = {"owner": "local", "visibility": "team", "author": author, "analysis": code, "source": "", "place": "{}", "text": text}
    with library.writing() as connection:
        now = {"made": library.now, "changed": library.now}
        connection.execute(NOTES.insert().values(**(values | {"folded": text.casefold()} | now | more)))


def test_words_are_found_wherever_they_stand(library, three):
    first, second, third = three
    assert found(library) == [third, second, first]
    assert found(library, search="uberblick") == [first] and found(library, search="ÜBER") == [first]
    assert found(library, search="100%") == [first] and found(library, search="_") == []
    assert found(library, search="bees FLIPPED") == [second] and found(library, search="bees digits") == []
    assert found(library, search="ben") == [second] and found(library, search="insects") == [second]
    note(library, third, "The ants look odd")
    assert found(library, search="ants") == [third, second] and found(library, search="ants odd") == [third]
    with library.writing() as connection:
        tag = {"image": "ff", "name": "Blurred", "owner": "local", "source": "own", "visibility": "team", "author": "Ann", "made": 0.0}
        connection.execute(TAGS.insert().values(**tag))
    assert found(library, search="blur") == [second]


def test_it_is_narrowed_and_put_in_order(library, three):
    first, second, third = three
    assert found(library, scope="mine") == [third, first] and found(library, BEN, scope="mine") == [second]
    assert found(library, pages=("map", "influence")) == [third, second]
    assert found(library, order="oldest") == [first, second, third]
    assert found(library, order="title")[:2] == [third, second] and found(library, order="author")[-1] == second
    Saved(library).throw_away(second, ANN)
    assert found(library) == [third, first] and found(library, scope="trash") == [second]
    page = shelf(library, ANN, Wanted(), first=1, count=1)
    assert [card.version.analysis for card in page.cards] == [first] and page.count == 2


def test_new_is_what_others_did_since_ones_last_visit(library, three):
    first, second, third = three
    assert last_visit(library, "local:ann") is None
    since = last_visit(library, "local:ann")
    assert since is not None and shelf(library, ANN, Wanted(since=since)).new == 0
    note(library, third, "mine", author="Ann")
    note(library, first, "look", author="Ben")
    Saved(library).again(second, PLAIN, BEN, seen=1)
    found_now = shelf(library, ANN, Wanted(since=since))
    assert found_now.new == 2 and {card.version.analysis for card in found_now.cards if card.new} == {first, second}
    assert {card.version.analysis: card.notes for card in found_now.cards} == {first: 1, second: 0, third: 1}
    assert set(found(library, since=since, new=True)) == {first, second}
    assert last_visit(library, "local:ann") > since and last_visit(library, "local:ann", "elsewhere") is None


def test_nobody_sees_what_is_private(library, three):
    with library.writing() as connection:
        connection.execute(PEOPLE.insert(), [{"id": name, "name": name, "made": 0.0} for name in ("cay", "dan")])
    cay, dan = Person("cay", "Cay"), Person("dan", "Dan")
    mine = Saved(library).save(replace(PLAIN, title="Secret"), cay, "private").analysis
    assert (
        found(library, cay, search="secret") == [mine] == found(library, cay, scope="mine") and found(library, dan, search="secret") == []
    )
    note(library, three[0], "hush", owner="cay", visibility="private")
    assert found(library, cay, search="hush") == [three[0]] and found(library, dan, search="hush") == []
    assert {card.version.analysis: card.notes for card in shelf(library, dan, Wanted()).cards}[three[0]] == 0
