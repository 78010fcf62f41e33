"""How much of the disk one person may fill: counted once, refused with what to do, and nobody else's matter."""

import io

import pytest
from recording import Recording
from small_analyses import SMALL

from ntkcore.analyses import imports
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.sharing import fair, saving
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import StoreError
from ntkcore.library import asking
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import local
from ntkcore.permalink import ADDRESSES

SPEC, VIEW = ADDRESSES["influence"].read(SMALL["influence"])


class As:
    def __init__(self, asks):
        self.asks = asks

    def reader(self):
        return self.asks.id

    def person(self):
        return self.asks


def _workspace(settings, limit):
    return Workspace(settings.model_copy(update={"person_disk": limit, "default_role": "analyst"}))


@pytest.fixture
def ben(cache):
    """An analyst who asks."""
    ws = _workspace(cache, 0)
    found = Members(ws.library, ws.settings).person(Identity("id-ben", "ben@lab", frozenset(), "Ben"))
    asking.ask_by(As(found))
    yield found
    asking.ask_by(None)
    ws.library.close()


def test_results_are_counted_once_and_refused_beyond_the_limit(cache, ben):
    free = _workspace(cache, 0)
    INFLUENCE.compute(SPEC, free, Recording())
    size = sum(bytes_ for _, _, bytes_ in saving.save("influence", SPEC, VIEW, ben, free).version.content.keys)
    assert fair.used_by(ben, free) == size > 0
    exact = _workspace(cache, size)
    saving.save("influence", SPEC, VIEW, ben, exact)  # the same results again take nothing more
    tight = _workspace(cache, size - 1)
    with pytest.raises(StoreError, match="one person may fill"):
        saving.save("influence", SPEC, VIEW, ben, tight)
    assert fair.used_by(ben, tight) == size
    asking.ask_by(None)
    saving.save("influence", SPEC, VIEW, local("Ann"), tight)  # without a login there is no limit


def test_uploads_count_from_when_they_are_kept(cache, ben):
    ws = _workspace(cache, 10)
    kept = imports.keep_upload(io.BytesIO(b"x" * 6), 6, ws)
    assert fair.used_by(ben, ws) == 6
    with pytest.raises(StoreError, match="one person may fill"):
        imports.keep_upload(io.BytesIO(b"x" * 6), 6, ws)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    kept.unlink()
    imports.keep_upload(io.BytesIO(b"x" * 6), 6, ws)
