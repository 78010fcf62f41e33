"""Compare as a person uses it: a pair, the images that moved, the same pair the other way round; and a cell of a confusion matrix."""

import re

import pytest
from helpers import cards, chart, click_in_chart, compute, gone_from_address, in_address, opened, still
from playwright.sync_api import Page, expect
from running_app import Server, settled
from seeded import SHARED

pytestmark = pytest.mark.browser

PAIR = f"/compare?{SHARED}&width=8&depth=1&b-width=8&b-depth=1&b-epochs=2&b-init=0&ridge=1.0"
DONE = re.compile("^60 training and 30 held-out images · compared")
_AREA = """() => {
  const plot = document.querySelector(".st-key-chart_compare .js-plotly-plot");
  const { _size } = plot._fullLayout, box = plot.getBoundingClientRect();
  return [box.x + _size.l, box.y + _size.t, _size.w, _size.h];
}"""


def test_from_a_pair_to_what_moved_and_the_other_way_round(page: Page, server: Server):
    opened(page, server, PAIR)
    compute(page, DONE)
    expect(page.get_by_text(re.compile("A and B rank these 60 images"))).to_be_visible()
    expect(chart(page, "compare")).to_be_visible()
    still(page, "compare")
    moved = cards(page, "compare_up").count() + cards(page, "compare_down").count()
    assert 0 < moved <= 60

    x, y, width, height = page.evaluate(_AREA)
    page.mouse.move(x + 2, y + 2)
    page.mouse.down()
    for right, down in ((0.5, 0.0), (0.5, 1.0), (0.0, 1.0), (0.0, 0.0)):
        page.mouse.move(x + 2 + right * (width - 4), y + 2 + down * (height - 4), steps=6)
    page.mouse.up()
    in_address(page, "picked=")
    settled(page)
    assert cards(page, "compare_up").count() + cards(page, "compare_down").count() < moved
    page.get_by_role("button", name="all images again").click()
    gone_from_address(page, "picked=")
    settled(page)

    card = cards(page, "compare_up").first
    image = card.get_attribute("data-id")
    card.click()
    in_address(page, f"image={image}")
    expect(page.get_by_role("dialog").get_by_text("Most alike to it in B")).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    gone_from_address(page, "image=")
    settled(page)

    page.get_by_role("button", name="Swap").click()
    in_address(page, "epochs=2")
    gone_from_address(page, "b-epochs=")
    compute(page, DONE)  # both sides are stored
    expect(cards(page, "compare_down").first).to_have_attribute("data-id", str(image))


def test_a_cell_of_the_confusion_matrix_opens_as_a_gallery(page: Page, server: Server):
    opened(page, server, f"/influence?{SHARED}")
    expect(cards(page, "held_gallery")).to_have_count(30)
    page.get_by_text("Confusion matrix").click()
    click_in_chart(page, "influence_confusion", 1, 0)  # the first of three classes, taken for itself
    in_address(page, "cell=0-0")
    settled(page)
    shown = cards(page, "held_gallery").count()
    assert 0 < shown < 30
    page.get_by_role("button", name="3 taken for 3").click()
    gone_from_address(page, "cell=")
    expect(cards(page, "held_gallery")).to_have_count(30)
