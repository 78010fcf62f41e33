"""Networks of earlier rounds go, those that a session needs stay, also for want of room; a network's session is found."""

import pytest
from label_networks import spec
from recording import Recording
from stored import publish

from ntkcore.analyses.catalogue import handlers
from ntkcore.analyses.label import network as networks
from ntkcore.analyses.label import rounds
from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import LibraryError
from ntkcore.library import Labels
from ntkcore.store import Store


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def begun(ws, **told):
    """A session of sixteen threes and eights, a network every two labels, whose first network is there; and how it stands."""
    session = sittings.begin(spec(("3", "8"), n=16, held=6, start=2, every=2, **told), "Ann", ws)
    make(ws, sittings.suggesting(Labels(ws.library).session(session)))
    return session, lambda: sittings.sit(Labels(ws.library).session(session), ws)


def make(ws, network):
    """As a worker does it."""
    handlers(ws)[networks.KIND]({"spec": network.model_dump(mode="json")}, Recording())


def label(now, ws, count):
    for _ in range(count):
        item = sittings.order(now())[0]
        sittings.answer(now(), item, item % 2, "Ann", ws, seen=None)


def stored(ws):
    return {entry.key for entry in ws.store.entries(networks.KIND)}


def test_of_all_rounds_the_first_the_suggesting_and_the_due_one_are_kept(ws):
    _, now = begun(ws)
    first = now().network.key
    made = []
    for _ in range(4):
        label(now, ws, 2)
        wanted = sittings.due(now())
        make(ws, wanted)
        made.append(networks.key(wanted, ws))
        assert stored(ws) == {first, made[-1]}
    sittings.use(now(), sittings.retrained(now(), ws), ws)
    label(now, ws, 2)
    wanted = sittings.due(now())
    make(ws, wanted)
    assert now().network.key == made[-1] and stored(ws) == {first, made[-1], networks.key(wanted, ws)}
    sittings.use(now(), sittings.retrained(now(), ws), ws)
    assert stored(ws) == {first, networks.key(wanted, ws)}


def test_another_session_and_a_pin_keep_a_network(ws):
    session, now = begun(ws)
    label(now, ws, 2)
    early = sittings.due(now())
    make(ws, early)
    other = sittings.begin(now().spec, "Ben", ws)
    Labels(ws.library).use(other, early.model_dump(mode="json"))
    label(now, ws, 2)
    middle = sittings.due(now())
    make(ws, middle)
    ws.store.pin(networks.KIND, networks.key(middle, ws))
    label(now, ws, 2)
    late = sittings.due(now())
    make(ws, late)
    assert stored(ws) == {now().network.key, *(networks.key(one, ws) for one in (early, middle, late))}
    assert rounds.session_of(late, ws) == session and rounds.session_of(early, ws) == other
    assert rounds.session_of(late.model_copy(update={"session": spec(n=9)}), ws) is None


def test_nothing_goes_where_the_library_cannot_be_asked(ws):
    _, now = begun(ws)
    label(now, ws, 2)
    first, wanted = now().network.key, sittings.due(now())
    ws.library.close()
    ws.library.file.write_bytes(b"no database at all" * 300)
    make(ws, wanted)
    assert stored(ws) == {first, networks.key(wanted, ws)}
    with pytest.raises(LibraryError, match="damaged"):
        rounds.tidy(wanted, ws)


def test_for_want_of_room_what_a_session_uses_goes_last(ws):
    _, now = begun(ws)
    label(now, ws, 2)
    make(ws, sittings.due(now()))
    sittings.use(now(), sittings.retrained(now(), ws), ws)
    publish(ws.store, key="later", info={"seconds": 1.0})  # used after both networks were made
    now()
    needed = sum(entry.bytes for entry in ws.store.entries(networks.KIND))
    gone = Store(ws.store.root, budget=needed).evict()
    assert "later" in {entry.key for entry in gone} and len(stored(ws)) == 2
