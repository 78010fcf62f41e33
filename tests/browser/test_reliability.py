"""The reliability page as a person uses it: compute, move λ, brush, filter by light, choose an image, share it, go to its influences."""

import re

import pytest
from helpers import cards, compute, in_address, opened, still
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled

pytestmark = pytest.mark.browser

TINY = "/reliability?dataset=digits&classes=3&classes=8&n=80&test=40&scale=1"
ANSWER = re.compile("^At λ = .*IHVP misses the true influence by")


def lasso(page: Page) -> None:
    """Around everything in the left half of the density chart."""
    still(page, "density")
    chart = page.locator(".st-key-chart_density")
    box = chart.locator(".nsewdrag").first.bounding_box()
    corners = ((0.02, 0.02), (0.6, 0.02), (0.6, 0.98), (0.02, 0.98), (0.02, 0.04))
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def test_from_the_forecast_to_the_influences_of_an_image(page: Page, server: Server):
    opened(page, server, TINY)
    compute(page, ANSWER)
    expect(page.get_by_role("heading", name="What this is")).to_be_visible()  # the last part of the page
    settled(page)
    expect(page.get_by_text("All 3,200 pairs satisfy its exact inequality")).to_be_visible()

    page.get_by_role("slider", name="Regularisation λ").focus()
    page.keyboard.press("ArrowRight")
    in_address(page, "ridge=2.0")
    expect(page.get_by_text(re.compile("^At λ = 2, IHVP"))).to_be_visible()
    settled(page)

    lasso(page)
    in_address(page, "picked=")
    expect(page.get_by_text(re.compile(r"^\d+ selected training images?$"))).to_be_visible()

    settled(page)
    expect(page.get_by_role("radio", name="All · 40")).to_be_visible()
    cards(page, "lights_gallery").nth(7).locator("img").click()
    in_address(page, "target=7")
    expect(page.get_by_text(re.compile("^Held-out image 7, "))).to_be_visible()

    page.reload()
    settled(page)
    expect(page.get_by_text(re.compile("^At λ = 2, IHVP"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ selected training images?$"))).to_be_visible()
    expect(page.get_by_text(re.compile("^Held-out image 7, "))).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Least reliable training images")).to_be_visible()

    page.get_by_role("button", name="All its influences").click()
    expect(page.locator("h1")).to_have_text("Influence")
    in_address(page, "target=7")
    in_address(page, "ridge=2.0")


@pytest.mark.soak
def test_lissa_is_held_against_retraining_and_another_depth_is_offered(page: Page, server: Server):
    opened(page, server, TINY + "&verify=64&time=1&runs=2&target=3")
    compute(page, ANSWER)
    verdict = page.get_by_text(re.compile("IHVP on this network misses retraining by"))
    start = page.get_by_role("button", name="Compare with LiSSA")
    expect(start.or_(verdict).first).to_be_visible()
    if verdict.count() == 0:
        start.click()
    expect(verdict).to_be_visible(timeout=PATIENT)
    chart = page.locator(".st-key-chart_network_ihvp .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    expect(chart).to_be_visible()
    expect(page.get_by_text("LiSSA, mean of 2")).to_be_visible()
    settled(page)

    page.get_by_role("combobox", name=re.compile("LiSSA’s depth")).click()
    page.get_by_role("option", name="50 steps", exact=True).click()
    in_address(page, "steps=50")
    expect(start).to_be_visible()
    expect(page.get_by_text(re.compile("is stored; the estimates take"))).to_be_visible()
