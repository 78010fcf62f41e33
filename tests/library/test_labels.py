"""Labels, claims and undoing, with two connections that know nothing of each other."""

import threading

import pytest

from ntkcore.errors import DataError
from ntkcore.library import Labels, Taken


@pytest.fixture
def two(both, opened):
    """Two programs on one library."""
    return [Labels(opened(both)), Labels(opened(both))]


@pytest.fixture
def session(two):
    return two[0].begin("label", "Digits", {"n": 20}, "Ann")


def test_a_session_is_found_by_everybody_with_what_it_is_of(two, session):
    (found,) = two[1].sessions("label")
    assert (found.id, found.title, found.spec, found.author, found.decided) == (session, "Digits", {"n": 20}, "Ann", 0)
    assert two[1].session(session) == found and two[1].sessions("review") == ()
    assert two[1].begin("label", "again", {}, "Ben", session=session) == session
    assert two[0].session(session).title == "Digits"
    two[1].use(session, {"labelled": [[0, 1]]})
    assert two[0].session(session).network == {"labelled": [[0, 1]]}
    with pytest.raises(DataError, match="no such labelling session"):
        two[0].session("nothing")
    with pytest.raises(DataError, match="no such labelling session"):
        two[0].decide("nothing", 0, "label", "Ann", seen=None, label=1)


def test_what_holds_of_an_item_is_the_last_thing_decided(two, session):
    one, other = two
    first = one.decide(session, 3, "label", "Ann", seen=None, label=1, told={"suggested": 1})
    one.decide(session, 5, "skip", "Ann", seen=None)
    one.decide(session, 6, "cannot", "Ann", seen=None)
    one.decide(session, 3, "note", "Ben", seen=None, note="  a seven?  ")
    found = other.standing(session)
    assert found.labels == {3: 1} and found.skipped == (5,) and found.final == {3, 6} and found.notes[3].note == "a seven?"
    assert found.current[3].told == {"suggested": 1} and found.seen(3) == first and found.seen(4) is None
    other.decide(session, 3, "label", "Ben", seen=first, label=7)
    other.decide(session, 3, "note", "Ben", seen=None)
    found = one.standing(session)
    assert found.labels == {3: 7} and [d.author for d in found.decisions if d.deed == "label"] == ["Ann", "Ben"] and not found.notes
    assert one.sessions("label")[0].decided == 2


def test_nobody_overwrites_what_they_have_not_seen(two, session):
    one, other = two
    first = one.decide(session, 3, "label", "Ann", seen=None, label=1)
    with pytest.raises(Taken, match="Ann decided it meanwhile") as said:
        other.decide(session, 3, "label", "Ben", seen=None, label=2)
    assert said.value.decision.label == 1 and one.standing(session).labels == {3: 1}
    with pytest.raises(Taken):  # all or nothing
        other.decide_all(session, [(8, "label", 0, None), (3, "label", 2, None)], "Ben")
    assert one.standing(session).labels == {3: 1}
    one.undo(session, "Ann")
    with pytest.raises(Taken, match="undone"):
        other.decide(session, 3, "label", "Ben", seen=first, label=2)
    with pytest.raises(ValueError, match="label"):
        one.decide(session, 3, "label", "Ann", seen=None)


def test_undo_takes_back_the_whole_history_of_one_person(two, session):
    one, other = two
    one.decide(session, 0, "label", "Ann", seen=None, label=1)
    other.decide(session, 1, "label", "Ben", seen=None, label=2)
    one.decide(session, 0, "label", "Ann", seen=one.standing(session).seen(0), label=3)
    one.decide(session, 2, "skip", "Ann", seen=None)
    assert one.undo(session, "Ann").item == 2
    assert one.undo(session, " Ann ").label == 3 and other.standing(session).labels == {1: 2, 0: 1}
    assert one.undo(session, "Ann").label == 1 and one.undo(session, "Ann") is None
    assert other.standing(session).labels == {1: 2}


def test_two_people_never_get_the_same_item(two, session):
    order, got = list(range(40)), {"Ann": [], "Ben": []}
    failed = []

    def labelling(labels, who):
        try:
            while (item := labels.claim(session, order, who, who)) is not None:
                got[who].append(item)
                labels.decide(session, item, "label", who, seen=None, label=0)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=labelling, args=pair) for pair in zip(two, got, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert sorted(got["Ann"] + got["Ben"]) == order and len(two[0].standing(session).decisions) == 40


def test_several_items_are_claimed_together(two, session):
    one, other = two
    assert one.claim_some(session, range(10), 4, "a", "Ann") == [0, 1, 2, 3]
    assert other.claim_some(session, range(10), 4, "b", "Ben") == [4, 5, 6, 7] and other.claims(session, "b") == dict.fromkeys(
        range(4), "Ann"
    )
    one.decide_all(session, [(item, "label", 1, None) for item in range(3)], "Ann")
    assert one.claim_some(session, range(10), 4, "a", "Ann") == [3, 8, 9]
    assert one.claim(session, range(10), "a", "Ann") == 3 and other.claim_some(session, [8, 9], 4, "b", "Ben") == [8, 9]


def test_a_claim_is_of_one_window_and_ends(two, session, monkeypatch):
    one, other = two
    assert one.claim(session, [4, 5, 6], "a", "Ann") == 4
    assert other.claim(session, [4, 5, 6], "b", "Ben") == 5
    assert one.claim(session, [4, 5, 6], "a", "Ann") == 4  # after a reload
    assert one.claims(session, "a") == {5: "Ben"} and one.claim(session, [5], "c", "Cay") is None
    assert one.claim(session, [6], "a", "Ann") == 6 and other.claim(session, [4], "b", "Ben") == 4  # let go with the next
    monkeypatch.setattr("ntkcore.library.labels.CLAIM", -1.0)
    other.claim(session, [4], "b", "Ben")
    monkeypatch.undo()
    assert one.claim(session, [4], "a", "Ann") == 4
    one.decide(session, 4, "skip", "Ann", seen=None)
    assert one.claims(session) == {} and one.claim(session, [4], "a", "Ann") == 4  # what was put off comes again
    one.decide(session, 4, "cannot", "Ann", seen=one.standing(session).seen(4))
    assert other.claim(session, [4], "b", "Ben") is None
