"""A server on which something of everything is kept."""

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image
from stored import KEY, publish

from ntkcore.data import import_images, thumbnail_pack
from ntkcore.library import Content, Labels, Saved
from ntkcore.library.notes import Notes
from ntkcore.library.people import Person, local
from ntkcore.library.tags import Tags
from ntkcore.settings import Settings
from ntkcore.store import Store

PINNED, LOOSE = "b" * 64, "c" * 64


def keep_something(settings: Settings, folder, library) -> SimpleNamespace:
    """A saved analysis with its result and thumbnails, notes, a tag, labels, an own set, a pinned result, and one that nobody keeps."""
    for at in range(6):
        file = folder / "images" / ("cat", "dog")[at % 2] / f"{at}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = io.BytesIO()
        Image.fromarray(np.random.default_rng(at).integers(0, 256, (8, 8), dtype=np.uint8)).save(picture, "PNG")
        file.write_bytes(picture.getvalue())
    own = import_images(folder / "images", settings, name="Pets").content_id
    store = Store(settings.cache_dir, settings.disk_budget)
    store.retire()
    for key in (KEY, PINNED, LOOSE):
        publish(store, key=key)
    store.hold("thing", KEY)
    store.pin("thing", PINNED)
    pack = thumbnail_pack(np.random.default_rng(1).integers(0, 256, (3, 8, 8), dtype=np.uint8), settings).id
    ann = local("Ann")
    told = Content("map", {"n": 1}, {"v": 2.5}, "Größe ½ \u2028", source=own, pack=pack, images=(0, 2), keys=(("thing", KEY, 9),))
    saved = Saved(library).save(told, ann, "private")
    saved = Saved(library).again(saved.analysis, told, ann, seen=1)
    first = Notes(library).write("first", ann, analysis=saved.analysis)
    Notes(library).write("an answer\nin two lines", Person("local", "Ben"), analysis=saved.analysis, answers=first)
    Tags(library).put("odd", ["h" * 64], ann)
    session = Labels(library).begin("label", "Digits", {"of": own}, "Ann")
    Labels(library).decide(session, 3, "label", "Ann", seen=None, label=1)
    return SimpleNamespace(ann=ann, own=own, saved=saved, session=session, pack=pack, first=first)
