"""What the tests of the pages have in common: opening a page without a browser, and finding what is on it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caches import begun
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from ntkcore.analyses import carry
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import import_images
from ntkcore.library.baskets import Baskets
from ntkcore.library.people import local
from ntkcore.settings import settings
from ntkcore.specs import DatasetSpec
from pages.shared.explain import CODE, TABS

APP = str(Path(__file__).resolve().parents[2] / "app.py")

# Each app of a test reads the metadata of every installed package for components, as a server does once: half the time of a page's test.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@contextmanager
def kept_cache(folder: Path) -> Iterator[Workspace]:
    """A cache for all tests of a module; no worker is started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NTK_CACHE_DIR", str(begun(folder / "cache")))
        patch.setenv("NTK_START_WORKER", "0")
        settings.cache_clear()
        yield Workspace(settings())
    settings.cache_clear()


def twins(folder: Path) -> str:
    """Twelve images of the user's, of which only three differ: the set's id."""
    images = np.repeat(np.random.default_rng(0).integers(1, 256, (3, 8, 8)), 4, axis=0).astype(np.uint8)
    np.savez(folder / "set.npz", images=images, labels=np.arange(12) % 2)
    return import_images(folder / "set.npz", settings(), name="twins").content_id


def visitor() -> AppTest:
    """Somebody who has not opened a page yet."""
    return AppTest.from_file(APP, default_timeout=60)


def opened(app: AppTest, page: str, **query: Any) -> AppTest:
    """The app after a page was opened by a link."""
    app._page_hash = calc_hash(page)  # what `switch_page` sets after a first run, which would show the start page: twice the time
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def code(app: AppTest) -> list[str]:
    """The code that the page's last tab shows, which is drawn once it is opened."""
    assert not app.code
    app.session_state[TABS] = CODE
    app.run()
    assert not app.exception, app.exception
    return [item.value for item in app.code]


def button(app: AppTest, label: str) -> Any:
    """The first button of a label."""
    return next(b for b in app.button if b.label == label)


def said(app: AppTest) -> str:
    """Everything the page says by itself, styles aside."""
    return " ".join(item.proto.body for item in app.get("html") if not item.proto.body.lstrip().startswith("<style"))


def told(app: AppTest) -> str:
    """Everything that is written on the page, where it is said that something is wrong too."""
    kinds = ("error", "warning", "info", "success", "markdown", "caption", "header", "subheader")
    return " ".join([said(app), *(str(item.value) for kind in kinds for item in app.get(kind))])


def sent(app: AppTest, key: str) -> dict[str, Any]:
    """What a gallery is sent."""
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith(f"-{key}"))
    data: dict[str, Any] = json.loads(found.json)
    return data


def shown(app: AppTest, key: str) -> list[int]:
    """The images on the cards of a gallery, in its order."""
    return [card[0] for card in sent(app, key)["items"]]


def basket(ws: Workspace, dataset: DatasetSpec) -> tuple[int, ...]:
    """What the one person of these tests has in the basket of a draw."""
    return Baskets(ws.library).of(carry.draw(dataset), local(""))


def titles(app: AppTest) -> list[str]:
    """The titles of the charts and parts that are shown."""
    return [item.value for item in app.subheader]


def widget(app: AppTest, kind: str, label: str) -> Any:
    """The first widget of a kind and label."""
    return next(w for w in app.get(kind) if w.label == label)
