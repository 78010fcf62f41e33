"""The map as a person uses it: compute, a lasso and its gallery, more like this, undo, the same images elsewhere."""

import re

import pytest
from helpers import cards, chart, compute, gone_from_address, in_address, opened, still
from playwright.sync_api import Page, expect
from running_app import Server, settled

pytestmark = pytest.mark.browser

SMALL = "/map?dataset=digits&classes=3&classes=5&classes=8&n=60&test=30&noise=0.2&held=1"
DONE = re.compile("^60 training images, 30 held out · computed")
_AREA = """() => {
  const plot = document.querySelector(".st-key-chart_map .js-plotly-plot");
  const { _size } = plot._fullLayout, box = plot.getBoundingClientRect();
  return [box.x + _size.l, box.y + _size.t, _size.w, _size.h];
}"""


def test_from_the_map_to_a_lasso_and_to_more_like_this(page: Page, server: Server):
    opened(page, server, SMALL)
    compute(page, DONE)
    expect(chart(page, "map")).to_be_visible()
    expect(cards(page, "map_gallery")).to_have_count(60)
    still(page, "map")

    pictures = page.locator(".st-key-chart_map .atlas-over img")  # 90 points are few enough to be drawn as their images
    expect(pictures).to_have_count(90)
    for which in (pictures.first, page.locator(".st-key-chart_map .atlas-over img[data-image^='-']").first):  # one that is held out
        expect(which).to_have_js_property("naturalWidth", 8)

    x, y, width, height = page.evaluate(_AREA)
    corners = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98), (0.02, 0.02)]
    page.mouse.move(x + corners[0][0] * width, y + corners[0][1] * height)
    page.mouse.down()
    for right, down in corners[1:]:
        page.mouse.move(x + right * width, y + down * height, steps=6)
    page.mouse.up()
    in_address(page, "picked=")
    expect(page.get_by_text(re.compile(r"^\d+ of 60 images$"))).to_be_visible()
    settled(page)
    lassoed = cards(page, "map_gallery").count()
    assert 0 < lassoed < 60

    card = cards(page, "map_gallery").first
    image = card.get_attribute("data-id")
    card.hover()
    card.locator(".like").click()
    in_address(page, f"like={image}")
    gone_from_address(page, "picked=")
    expect(cards(page, "map_gallery")).to_have_count(60)
    expect(cards(page, "map_gallery").first).to_have_attribute("data-id", str(image))
    settled(page)
    page.get_by_role("button", name="Undo the last selection or filter").click()
    in_address(page, "picked=")
    expect(cards(page, "map_gallery")).to_have_count(lassoed)
    settled(page)

    page.get_by_text("Filters", exact=True).click()
    bars = page.locator(".st-key-map_brushes .bars").first
    expect(bars).to_be_visible()
    settled(page)
    bars.focus()
    page.keyboard.press("ArrowRight")
    in_address(page, "filters=")
    expect(page.locator(".st-key-map_chips").get_by_role("button", name="≥")).to_be_visible()
    settled(page)
    page.locator("h1").click()
    page.keyboard.press("u")
    gone_from_address(page, "filters=")
    expect(cards(page, "map_gallery")).to_have_count(lassoed)
    settled(page)

    cards(page, "map_gallery").first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Basket: 1")).to_be_visible()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Information").click()
    expect(page.locator("h1")).to_have_text("Information")
    in_address(page, "n=60")
