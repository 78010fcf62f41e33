"""Saved analyses: versions, going back, who may change what, the trash and what it lets go."""

import threading
from dataclasses import replace

import pytest

from ntkcore.library import LOCAL, Content, Person, Saved, codes
from ntkcore.library.people import Refused, local
from ntkcore.library.saved import Absent, Overtaken
from ntkcore.library.tables import PEOPLE

ANN, BEN = local("Ann"), local("Ben")
CONTENT = Content(
    page="influence",
    spec={"dataset": {"name": "digits", "n": 500}},
    view={"ridge": 0.01},
    title="  Flipped\n labels ",
    description="why?",
    answer="Image 3 helps most.",
    dataset="Digits, 500 images",
    source="digits",
    pack="ab" * 32,
    images=(3, 1, 2),
    keys=(("influence", "k1", 100), ("map", "k2", 50)),
)


@pytest.fixture
def saved(both, opened):
    return Saved(opened(both))


@pytest.fixture
def people(saved):
    """Two people of a server with a log-in."""
    with saved._library.writing() as connection:
        connection.execute(PEOPLE.insert(), [{"id": name, "name": name, "made": 0.0} for name in ("cay", "dan")])
    return Person("cay", "Cay"), Person("dan", "Dan")


def test_what_is_saved_is_found_by_its_short_address_as_it_was(saved):
    kept = saved.save(CONTENT, ANN)
    assert kept.content == replace(CONTENT, title="Flipped labels") and (kept.number, kept.newest, kept.author) == (1, 1, "Ann")
    assert codes.read(kept.reference) == (kept.analysis, 1) and len(kept.analysis) == 4
    assert saved.version(kept.analysis, BEN) == kept and kept.owner == LOCAL
    with pytest.raises(Absent):
        saved.version("2222222", ANN)


def test_saving_again_keeps_what_was_and_going_back_is_a_version_too(saved):
    first = saved.save(CONTENT, ANN)
    second = saved.again(first.analysis, replace(CONTENT, view={"ridge": 1.0}, keys=()), BEN, seen=1)
    assert (second.number, second.author, second.content.view) == (2, "Ben", {"ridge": 1.0})
    assert saved.version(first.analysis, ANN, 1).content == first.content
    third = saved.go_back(first.analysis, 1, ANN, seen=2)
    assert third.number == 3 and third.content == first.content
    assert [one.number for one in saved.versions(first.analysis, ANN)] == [3, 2, 1]
    with pytest.raises(Overtaken, match="Ann saved version 3 meanwhile") as said:
        saved.again(first.analysis, CONTENT, BEN, seen=2)
    assert said.value.version.number == 3 and len(saved.versions(first.analysis, ANN)) == 3
    with pytest.raises(Absent):
        saved.go_back(first.analysis, 7, ANN, seen=3)


def test_two_who_save_at_once_do_not_overwrite_each_other(saved):
    code = saved.save(CONTENT, ANN).analysis
    done, overtaken = [], []

    def save(who):
        try:
            done.append(saved.again(code, CONTENT, who, seen=1).number)
        except Overtaken:
            overtaken.append(who)

    threads = [threading.Thread(target=save, args=(local(str(name)),)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [2] and len(overtaken) == 5 and len(saved.versions(code, ANN)) == 2


def test_results_stay_kept_while_a_version_shows_them(saved):
    one, two = saved.save(CONTENT, ANN), saved.save(replace(CONTENT, keys=CONTENT.keys[:1]), BEN)
    assert saved.keys() == {("influence", "k1"), ("map", "k2")} and saved.bytes_of(LOCAL) == 150 and saved.bytes_of("nobody") == 0
    assert saved.shown_by("influence", "k1") == 2 and saved.shown_by("map", "k2") == 1
    saved.throw_away(one.analysis, ANN)
    assert saved.version(one.analysis, BEN).trashed and saved.empty_trash() == 0 and len(saved.keys()) == 2
    saved.restore(one.analysis, BEN)
    assert saved.version(one.analysis, BEN).trashed is None and saved.empty_trash(days=-1) == 0
    saved.throw_away(one.analysis, ANN)
    assert saved.empty_trash(days=-1) == 1 and saved.keys() == {("influence", "k1")}
    with pytest.raises(Absent):
        saved.version(one.analysis, ANN)
    assert saved.version(two.analysis, ANN) == two


def test_the_guard_holds_for_people_with_accounts(saved, people):
    cay, dan = people
    mine, ours = saved.save(CONTENT, cay, "private"), saved.save(CONTENT, cay, "team")
    for ask in (saved.version, saved.versions, saved.throw_away, saved.restore):
        with pytest.raises(Absent):
            ask(mine.analysis, dan)
    assert saved.version(ours.analysis, dan).author == "Cay" and saved.version(mine.analysis, ANN).owner == "cay"
    for change in (
        lambda: saved.again(ours.analysis, CONTENT, dan, seen=1),
        lambda: saved.throw_away(ours.analysis, dan),
        lambda: saved.show_to(ours.analysis, "private", dan),
    ):
        with pytest.raises(Refused):
            change()
    saved.show_to(ours.analysis, "private", cay)
    with pytest.raises(Absent):
        saved.version(ours.analysis, dan)


def test_codes_are_read_as_people_write_them():
    assert codes.read(" 7q2m-12 ") == ("7Q2M", 12) and codes.read("7Q2M") == ("7Q2M", None)
    for text in ("", "7Q2", "7Q2M-0", "7Q2M-", "7O2M", "'; DROP", "7Q2M-1234567", "A" * 13):
        assert codes.read(text) is None
    assert len(codes.drawn(0)) == 4 and len(codes.drawn(9)) == 7


def test_a_taken_code_is_not_given_twice(saved, monkeypatch):
    monkeypatch.setattr(codes.secrets, "choice", lambda letters: letters[0])
    kept = [saved.save(CONTENT, ANN).analysis for _ in range(3)]
    assert kept == ["2222", "22222", "222222"]
