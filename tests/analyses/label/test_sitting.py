"""A session at work on the digits: order, answers, pace, retraining that is due, and the labels taken away."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from label_networks import spec
from PIL import Image
from recording import Recording

from ntkcore.analyses.label import export
from ntkcore.analyses.label import network as networks
from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.label.export import as_set, labels_table
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_images, load_dataset, load_pool, own_sets
from ntkcore.errors import DataError, SpecError
from ntkcore.library import Labels
from ntkcore.specs import DatasetSpec


@pytest.fixture
def begun(cache):
    """A workspace, a session of sixteen threes and eights of which two came labelled, and how it stands."""
    ws = Workspace(cache)
    session = sittings.begin(spec(("3", "8"), n=16, held=6, start=2, every=4), "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(session)), ws, Recording())

    def now():
        return sittings.sit(Labels(ws.library).session(session), ws)

    return ws, session, now


def test_what_is_asked_for(begun):
    ws, session, now = begun
    first = now()
    assert first.left == 14 and sittings.order(first) == list(first.moment.order) and not set(first.moment.order) & {0, 1}
    one, two, three = first.moment.order[:3]
    assert sittings.claim(first, None, "a", "Ann", ws) == one and sittings.claim(first, None, "b", "Ben", ws) == two
    labels = Labels(ws.library)
    labels.decide(session, one, "skip", "Ann", seen=None)
    labels.decide(session, three, "cannot", "Ann", seen=None)
    after = now()
    assert after.left == 13 and sittings.order(after)[-1] == one and three not in sittings.order(after)
    assert sittings.claim(after, one, "a", "Ann", ws) == one  # what is wished for goes before


def test_an_answer_says_what_it_changed(begun):
    ws, _, now = begun
    before = now()
    item = before.moment.order[0]
    suggested, chance = before.moment.suggestion(item)
    _, change = sittings.answer(before, item, 1 - suggested, "Ann", ws, seen=None)
    after = now()
    told = after.standing.current[item].told
    assert (told["suggested"], told["chance"], told["changed"], told["left"]) == (suggested, chance, change.flips, 14)
    assert told["expected"] == before.moment.expected(item) and told["most"] == list(change.most) and -1 <= told["rank"] <= 1
    rest = [i for i in before.moment.items.tolist() if i != item]
    said = dict(zip(before.moment.items.tolist(), networks.classes(before.moment.outputs), strict=True))
    now_said = dict(zip(after.moment.items.tolist(), networks.classes(after.moment.outputs), strict=True))
    assert change.flips == sum(said[i] != now_said[i] for i in rest)
    pace = sittings.pace(after, "Ann")
    assert (pace.right, pace.of, pace.minute) == (0, 1, None) and pace.moved == pytest.approx(change.flips / 13)
    _, again = sittings.answer(after, item, suggested, "Ann", ws, seen=after.standing.seen(item))
    assert again is None and now().moment.labels[item] == suggested and len(sittings.answered(now())) == 1
    assert sittings.pace(now(), "Ann").minute > 0


def test_retraining_is_due_after_so_many_labels_and_asked_for_once(begun):
    ws, _, now = begun
    for count in range(1, 6):
        assert (sittings.due(now()) is None) == (count <= 4)
        item = sittings.order(now())[0]
        sittings.answer(now(), item, count % 2, "Ann", ws, seen=None)
    wanted = sittings.due(now())
    assert len(wanted.labelled) == 6 and dict(wanted.labelled).items() <= now().moment.labels.items()
    job = sittings.retrained(now(), ws)
    assert job.active and sittings.retrained(now(), ws).id == job.id and len(ws.jobs.list(9)) == 2
    networks.compute(wanted, ws, Recording())
    ready = sittings.retrained(now(), ws)
    assert ready.spec == wanted and 0 <= ready.right <= 1
    sittings.use(now(), ready, ws)
    assert now().network.key == ready.key and len(now().moment.labels) == 7 and sittings.due(now()) is None


def test_the_labels_are_taken_away_and_become_a_set(begun, cache):
    ws, session, now = begun
    network, labels = now().network, Labels(ws.library)
    with pytest.raises(DataError, match=r"one class|single image"):
        as_set(session, network, "few", ws)
    for item, label in ((4, 0), (5, 1), (6, 1), (7, 0)):
        labels.decide(session, item, "label", "Ann", seen=None, label=label)
    labels.decide(session, 8, "cannot", "Ben", seen=None)
    labels.decide(session, 4, "note", "Ben", seen=None, note="smudged")
    table = labels_table(session, ws, network).set_index("item")
    assert table.index.tolist() == [0, 1, 4, 5, 6, 7, 8]
    assert table["label"].tolist() == [*("38"[network.truth[i]] for i in (0, 1)), "3", "8", "8", "3", ""]
    assert table["decision"].tolist() == ["came with it"] * 2 + ["labelled"] * 4 + ["cannot tell"]
    assert table.loc[4, "note"] == "smudged" and table.loc[8, "by"] == "Ben" and table.loc[5, "id"] == network.ids[5]
    bare = labels_table(session, ws)
    assert bare["item"].tolist() == [4, 5, 6, 7, 8] and bare["label"].tolist() == ["0", "1", "1", "0", ""]
    made = as_set(session, network, "mine", ws)
    assert made.n == 6 and set(made.class_names) == {"3", "8"} and [one.name for one in own_sets(cache)] == ["mine"]
    found = load_dataset(DatasetSpec(name="own", own=made.content_id, n=6), cache)
    items = networks.load_items(network.spec.session, ws)
    pictures = {items.pixels[i].tobytes(): table.loc[i, "label"] for i in (0, 1, 4, 5, 6, 7)}
    assert {p.tobytes(): found.class_names[c] for p, c in zip(found.pixels, found.labels, strict=True)} == pictures


def test_labelled_photographs_keep_their_originals(cache, tmp_path):
    ws = Workspace(cache)
    files = {}
    for i in range(8):
        buffer = io.BytesIO()
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (70, 90, 3), dtype=np.uint8)).save(buffer, "JPEG")
        files[f"{'ab'[i % 2]}/{i}.jpg"] = buffer.getvalue()
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    own = import_images(tmp_path / "p.zip", cache, name="p").content_id
    items = load_pool(DatasetSpec(name="own", own=own, n=8), cache)
    export.write_photographs(tmp_path / "labels.parquet", items, np.array([3, 5]), ["x", "y"], ws)
    rows = pd.read_parquet(tmp_path / "labels.parquet")
    assert rows["label"].tolist() == ["x", "y"]
    assert [row["path"] for row in rows["image"]] == [items.ids[3], items.ids[5]]
    assert [row["bytes"] for row in rows["image"]] == [files[items.ids[3]], files[items.ids[5]]]


def test_what_cannot_be_begun(cache):
    ws = Workspace(cache)
    with pytest.raises(SpecError, match="has a label"):
        sittings.begin(spec(("3", "8"), held=0, practise=False), "Ann", ws)
    with pytest.raises(DataError, match="asked for"):
        sittings.begin(spec(("3", "8"), n=3000, held=0), "Ann", ws)
    assert Labels(ws.library).sessions("label") == ()
    with pytest.raises(ValueError, match="at most 6,000"):
        spec(n=6000, held=1)
    with pytest.raises(ValueError, match="held out"):
        spec(held=1, practise=False)
