"""The duplicates page without a browser: groups and their marks, what is shown, and going on without the copies."""

import numpy as np
import pytest
import visiting
from copied import KINDS, brought
from PIL import Image
from recording import Recording
from visiting import button, said, visitor, widget

from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.data import import_images, remove_own
from ntkcore.permalink import ADDRESSES
from ntkcore.specs import DatasetSpec
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("duplicates")
    with visiting.kept_cache(folder) as ws:
        spec = DuplicatesSpec(dataset=DatasetSpec(name="own", own=brought(folder, ws.settings), n=25), test=0)
        DUPLICATES.compute(spec, ws, Recording())
        yield ws, spec


def opened(spec, **view):
    return visiting.opened(visitor(), "duplicates", **ADDRESSES["duplicates"].write(spec, DuplicatesView.model_validate(view)))


def test_groups_are_shown_contradictory_ones_first(stored):
    ws, spec = stored
    app = opened(spec)
    told = said(app)
    sentences = DUPLICATES.answer(DUPLICATES.open(spec, ws), DuplicatesView(), ws)
    assert all(sentence in told for sentence in sentences)
    heads = [head for head in told.split('<p class="atlas-quiet">') if " times the same " in head]
    assert len(heads) == 4 and "labels differ: cat, dog" in heads[0] and not any("differ" in head for head in heads[1:])
    widget(app, "button_group", "Groups").set_value("contradictory").run()
    assert app.query_params["show"] in ("contradictory", ["contradictory"]) and said(app).count(" times the same ") == 1
    widget(app, "button_group", "Groups").set_value("leaks").run()
    assert "None of the groups: leaks." in [caption.value for caption in app.caption] and not app.exception


def test_the_inspector_says_what_copies_have_in_common_and_which_stays(stored):
    ws, spec = stored
    result = DUPLICATES.open(spec, ws)
    found = views.copies(result, DuplicatesView(), ws)
    group = next(group for group in found.groups if group.how == "picture")
    gone = group.gone[0]
    told = said(opened(spec, image=gone))
    assert result.ids[gone] in told and "bits of their hashes differ" in told and f"it goes, and {group.kept} (" in told
    assert "Its copies" in told and "this one stays" in said(opened(spec, image=group.kept))
    alone = next(image for image in range(25) if views.group_of(found, image) is None)
    assert "none, as alike as asked for" in said(opened(spec, image=alone))
    app = opened(spec, image=25)
    assert "There is no image 25" in " ".join(item.value for item in app.warning)


def test_all_but_one_of_each_are_left_out(stored):
    ws, spec = stored
    app = opened(spec)
    button(app, "Leave out all but one of each: 5 images").click().run()
    assert not app.exception and app.query_params["n"] == str(KINDS) and "without" in app.query_params
    assert any("Not computed yet" in item.value for item in app.markdown)  # of the new choice
    again = views.left_out(views.copies(DUPLICATES.open(spec, ws), DuplicatesView(), ws))
    assert ADDRESSES["duplicates"].write(again)["without"] in (app.query_params["without"], app.query_params["without"][0])
    DUPLICATES.compute(again, ws, Recording())
    app = opened(again)
    assert "No copies among 20 images" in said(app) and not any("Leave out" in b.label for b in app.button)
    next(toggle for toggle in app.toggle if "Leave out 5 images" in toggle.label).set_value(False).run()
    assert "without" not in app.query_params


def test_of_a_set_with_a_single_held_out_image_everything_is_looked_through(stored, tmp_path):
    ws, _ = stored
    for number in range(5):
        (folder := tmp_path / "alone" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{'val' if number == 4 else 'train'}_{number}.png")
    own = import_images(tmp_path / "alone", ws.settings, name="alone").content_id
    app = visiting.opened(visitor(), "images")
    next(item for item in app.button if item.key == f"copies-{own[:12]}").click().run()
    assert not app.exception and app.query_params["n"] in ("5", ["5"]) and "part" not in app.query_params
    remove_own(own, ws.settings)


def test_your_data_looks_through_a_whole_set(stored):
    app = visiting.opened(visitor(), "images")
    button(app, "Find copies").click().run()
    assert not app.exception and app.query_params["n"] == "25" and "4 groups of copies among 25 images" in said(app)
