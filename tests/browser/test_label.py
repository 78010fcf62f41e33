"""Twenty images labelled by keyboard, with undo and a reload, beside a second person; nothing moves, nothing is lost."""

import pytest
from helpers import opened
from playwright.sync_api import Browser, Page, expect
from recording import Recording
from running_app import Server, open_page, settled

from ntkcore.analyses.label import network as networks
from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.workspace import Workspace
from ntkcore.library import Labels
from ntkcore.settings import Settings
from ntkcore.specs.label import LabelSpec

pytestmark = pytest.mark.browser

IMAGE = ".st-key-label_item img"
CLASSES = ".st-key-label_classes button"
BUTTONS = ".st-key-label_classes [class*=st-key-label_class_]"
_ANOTHER = """([image, buttons, [src, ...turn]]) => {
  const shown = [...document.querySelectorAll(buttons)].map(one => one.className);
  if (document.querySelector(image)?.getAttribute("src") === src) return false;
  return shown.length === turn.length && !shown.some(one => turn.includes(one));
}"""


@pytest.fixture
def begun(server: Server):
    """A library and a session of the digits, whose network is there."""
    ws = Workspace(Settings(cache_dir=server.cache, device="cpu", start_worker=False))
    spec = LabelSpec.model_validate(
        {
            "dataset": {"n": 60, "classes": ("3", "5", "8")},
            "model": {"width": 16, "depth": 1},
            "training": {"epochs": 5},
            "start": 6,
            "held": 30,
        }
    )
    session = sittings.begin(spec, "Ann", ws)
    networks.compute(sittings.suggesting(Labels(ws.library).session(session)), ws, Recording())
    yield Labels(ws.library), session
    ws.library.close()
    ws.jobs.close()


def sit_down(page: Page, server: Server, session: str, name: str) -> None:
    opened(page, server, f"/label?session={session}")
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator(IMAGE)).to_be_visible()
    settled(page)


def shown(page: Page) -> str:
    """The image before the person."""
    return page.locator(IMAGE).get_attribute("src") or ""


def press(page: Page, key: str) -> None:
    """Press a key, and wait until another image is there and can be answered: the buttons of the one before are gone."""
    before = [shown(page), *turn(page)]
    page.keyboard.press(key)
    page.wait_for_function(_ANOTHER, arg=[IMAGE, BUTTONS, before], polling=20)
    settled(page)


def turn(page: Page) -> list[str]:
    """The buttons of the classes, which are of one item."""
    return page.locator(BUTTONS).evaluate_all("all => all.map(one => one.className)")


def boxes(page: Page) -> list[list[float]]:
    """Where the buttons of the classes are, all at one moment: each item has buttons of its own in the same places."""
    return page.locator(CLASSES).evaluate_all("all => all.map(one => Object.values(one.getBoundingClientRect().toJSON()))")


def test_twenty_images_by_keyboard(chromium: Browser, page: Page, server: Server, begun):
    labels, session = begun
    sit_down(page, server, session, "Ann")
    where, keys = boxes(page), ["1", "2", "3", "Enter", "1", "d", "2", "s", "3", "Enter"] * 2
    for count, key in enumerate(keys, 1):
        press(page, key)
        assert len(labels.standing(session).decisions) == count  # kept before the next image is there
        assert boxes(page) == where
    found = labels.standing(session)
    assert [one.deed for one in found.decisions] == [{"d": "cannot", "s": "skip"}.get(key, "label") for key in keys]
    assert [one.label for one in found.decisions if one.deed == "label" and one.told["shown"]][:3] == [0, 1, 2]
    expect(page.get_by_text("22 labelled", exact=True)).to_be_visible()  # six came labelled

    last = shown(page)
    press(page, "u")
    press(page, "u")
    assert len(labels.standing(session).decisions) == 18
    here = shown(page)
    page.reload()
    expect(page.locator(IMAGE)).to_have_attribute("src", here)
    settled(page)
    expect(page.get_by_text("20 labelled", exact=True)).to_be_visible()
    for key in keys[-2:]:
        press(page, key)
    assert shown(page) == last

    for other in open_page(chromium, server):
        sit_down(other, server, session, "Ben")
        assert shown(other) != last
        press(other, "2")
        assert [one.author for one in labels.standing(session).decisions][-2:] == ["Ann", "Ben"]
        assert shown(other) != last
    press(page, "ArrowLeft")
    expect(page.get_by_role("button", name="Forward")).to_be_enabled()  # its key is taken from then on
    press(page, "ArrowRight")
    page.keyboard.press("?")
    expect(page.get_by_text("undo your last decision")).to_be_visible()
