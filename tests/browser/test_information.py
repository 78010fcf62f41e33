"""The information page as a person uses it: compute, look at both ends, all of them, one closely, tick, another moment, share it."""

import re

import pytest
from helpers import cards, compute, in_address, moved, opened
from playwright.sync_api import Page, expect
from running_app import Server, open_page, settled

pytestmark = pytest.mark.browser

TINY = "/information?dataset=digits&classes=3&classes=5&classes=8&n=60&test=24&noise=0.2"
DONE = re.compile("^60 training and 24 held-out images · computed")


def test_from_the_forecast_to_an_export_and_to_another_browser(page: Page, server: Server, chromium):
    opened(page, server, TINY)
    expect(page.get_by_text("Not computed yet.")).to_be_visible()
    compute(page, DONE)
    expect(cards(page, "information_most")).to_have_count(10)
    expect(cards(page, "information_least")).to_have_count(10)
    expect(page.locator(".atlas-fact").first).to_contain_text("of all unique information")
    expect(cards(page, "information_most").first.locator("img")).to_have_js_property("naturalWidth", 8)
    settled(page)

    image = cards(page, "information_most").first.get_attribute("data-id")
    cards(page, "information_most").first.locator("img").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Training image {image}")
    expect(dialog).to_contain_text("number 1 of 60")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("number 2 of 60")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    settled(page)

    page.get_by_text("All, ranked", exact=True).click()
    in_address(page, "every=1")
    expect(cards(page, "information_gallery")).to_have_count(60)
    expect(cards(page, "information_gallery").first).to_have_attribute("data-id", image)
    settled(page)  # a gallery drawn anew forgets what was focused
    cards(page, "information_gallery").first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Basket: 1")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("button", name="All scores (CSV)").click()
    rows = download.value.path().read_text().splitlines()
    assert len(rows) == 61 and rows[1].split(",")[0] == image

    before = page.locator(".atlas-fact").first.inner_text()
    moved(page, page.get_by_role("slider", name="Training time τ"), "ArrowLeft", 12, "time")
    expect(page.locator(".atlas-fact").first).not_to_have_text(before)
    settled(page)

    other = open_page(chromium, server)
    second = next(other)
    second.goto(page.url)
    settled(second)
    expect(cards(second, "information_gallery")).to_have_count(60)
    expect(second.locator(".atlas-fact").first).to_have_text(page.locator(".atlas-fact").first.inner_text())
    expect(second.get_by_text("Basket: 1")).to_be_visible()
    other.close()
