"""Groups and the inspector on the influence page, as a person uses them: tick, take a mean, look closely, click a chart."""

import re

import pytest
from helpers import cards, click_in_chart, gone_from_address, in_address, opened, tick, ticks
from playwright.sync_api import Page, expect
from running_app import Server, settled
from seeded import SHARED

pytestmark = pytest.mark.browser

HELD, TRAINING, GROUP = "held_gallery", "training_gallery", "group_gallery"


@pytest.fixture
def shown(page: Page, server: Server) -> Page:
    """The page with its result."""
    opened(page, server, f"/influence?{SHARED}")
    expect(page.get_by_text("60 training and 30 held-out images · computed")).to_be_visible()
    expect(cards(page, HELD)).to_have_count(30)
    settled(page)
    return page


def answer(page: Page):
    return page.locator(".atlas-pair .atlas-fact")


def test_from_one_image_to_a_group_and_back(shown: Page):
    page = shown
    one = answer(page).inner_text()
    for place in (1, 2):  # quickly, one after the other
        tick(cards(page, HELD).nth(place))
    ticked = sorted(int(cards(page, HELD).nth(place).get_attribute("data-id")) for place in (1, 2))
    in_address(page, "mean=ticked")
    in_address(page, f"picked={ticked[0]}-{ticked[1]}" if ticked[1] == ticked[0] + 1 else f"picked={ticked[0]},{ticked[1]}")
    expect(answer(page)).to_contain_text("The mean over the 2 ticked held-out images")
    expect(ticks(page, HELD)).to_have_count(2)
    settled(page)
    page.get_by_text("Mean over the 30 shown").click()
    in_address(page, "mean=shown")
    expect(answer(page)).to_contain_text("The mean over all 30 held-out images")
    expect(page.get_by_text("The group’s mean loss and error")).to_be_visible()
    settled(page)
    first = cards(page, HELD).first
    first.locator("img").click()
    gone_from_address(page, "mean=")
    expect(answer(page)).to_have_text(one)
    expect(first).to_have_class(re.compile("current"))
    settled(page)
    first.locator("img").click()  # the chosen one, again
    in_address(page, "held=")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile("^Held-out image "))).to_be_visible()
    expect(dialog.locator("img.atlas-viewer")).to_have_js_property("naturalWidth", 8)
    settled(page)
    page.keyboard.press("ArrowRight")
    second = cards(page, HELD).nth(1).get_attribute("data-id")
    in_address(page, f"held={second}")
    settled(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    gone_from_address(page, "held=")
    in_address(page, f"target={second}")
    expect(answer(page)).to_contain_text(f"Held-out image {second}, ")


@pytest.mark.soak
def test_a_training_image_closely_from_gallery_and_chart_and_a_bar_of_a_group(shown: Page):
    page = shown
    third = cards(page, TRAINING).nth(2)
    image = third.get_attribute("data-id")
    third.locator("img").click()
    in_address(page, f"image={image}")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"Training image {image}: ")).to_be_visible()
    expect(dialog.get_by_text("Training images nearest to it in the kernel")).to_be_visible()
    settled(page)
    page.keyboard.press("ArrowLeft")
    before = cards(page, TRAINING).nth(1).get_attribute("data-id")
    in_address(page, f"image={before}")
    expect(dialog.get_by_text(f"Training image {before}: ")).to_be_visible()
    settled(page)
    dialog.get_by_role("button", name="Put in the basket").click()
    expect(dialog.get_by_role("button", name="Take out of the basket")).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Delete 1")).to_be_visible()
    expect(cards(page, TRAINING).nth(1)).to_have_class(re.compile("current"))
    expect(cards(page, TRAINING).nth(1).locator(".tick")).to_have_attribute("aria-checked", "true")
    settled(page)
    name = click_in_chart(page, "bump", 0, 30)
    in_address(page, f"image={name.split(':')[0]}")
    expect(dialog.get_by_text(f"Training image {name.split(':')[0]}: ")).to_be_visible()

    settled(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    settled(page)

    before = cards(page, GROUP).first.get_attribute("data-id")
    click_in_chart(page, "complexity", 0, 0)
    in_address(page, "group=0")
    expect(cards(page, GROUP).first).not_to_have_attribute("data-id", before)
    expect(page.locator(".st-key-chart_complexity")).to_be_visible()
    settled(page)
    page.get_by_text("9", exact=True).last.click()
    in_address(page, "group=9")
    expect(cards(page, GROUP).first).to_have_attribute("data-id", before)
    settled(page)
    cards(page, GROUP).first.locator("img").click()
    in_address(page, f"image={before}")
    expect(page.get_by_role("dialog").get_by_text(f"Training image {before}: ")).to_be_visible()
