"""A frozen report as a person uses it: saved from a page, then opened from the disk where there is no network."""

import re
from pathlib import Path

import pytest
from helpers import opened
from playwright.sync_api import Browser, Page, expect
from running_app import Server, settled
from seeded import SHARED

pytestmark = pytest.mark.browser

_DRAWN = (
    """() => [...document.querySelectorAll(".js-plotly-plot")].map(plot => plot.querySelectorAll(".trace path, .trace .point").length)"""
)
_POINT = """() => {
  const plot = document.querySelector(".js-plotly-plot"), { xaxis, yaxis, _size } = plot._fullLayout, box = plot.getBoundingClientRect();
  const point = plot.calcdata[0].find(one => one.y !== undefined);
  return [box.x + _size.l + xaxis.c2p(point.x), box.y + _size.t + yaxis.c2p(point.y)];
}"""


def test_a_saved_report_opens_without_a_network(page: Page, server: Server, chromium: Browser, tmp_path: Path):
    opened(page, server, f"/influence?{SHARED}")
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_text("Left out, on the page alone")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the report").click()
    file = tmp_path / "report.html"
    saved.value.save_as(file)
    settled(page)

    context = chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True, accept_downloads=True)
    report, asked, said = context.new_page(), [], []
    report.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    report.on("request", lambda request: asked.append(request.url))
    report.on("console", lambda message: said.append(message.text))
    report.on("pageerror", lambda error: said.append(str(error)))
    report.goto(file.as_uri())
    report.locator("html[data-ready=yes]").wait_for(state="attached")
    expect(report.locator("h1")).to_contain_text("Influence on Digits 3 | 5 | 8")
    assert len(drawn := report.evaluate(_DRAWN)) == 2 and all(drawn)

    x, y = report.evaluate(_POINT)
    report.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    x, y = report.evaluate(_POINT)
    report.mouse.move(x - 3, y)
    report.mouse.move(x, y)
    expect(report.locator(".hoverlayer .hovertext").first).to_be_visible()

    cards = report.locator("section", has=report.get_by_role("heading", name="Helpful", exact=True)).locator(".card")
    expect(cards.first.locator("img")).to_have_js_property("naturalWidth", 8)
    cards.first.click()
    inspector = report.get_by_role("dialog")
    expect(inspector).to_contain_text("influence")
    first = inspector.locator("h3").text_content()
    report.keyboard.press("ArrowRight")
    expect(inspector.locator("h3")).not_to_have_text(str(first))
    report.get_by_role("button", name="Previous").click()
    expect(inspector.locator("h3")).to_have_text(str(first))
    report.keyboard.press("Escape")
    expect(inspector).to_have_count(0)
    expect(cards.first).to_be_focused()

    with report.expect_download() as table:
        report.get_by_role("button", name="Save all as CSV").first.click()
    lines = Path(table.value.path()).read_text().splitlines()
    assert lines[0].startswith("image,id,label,flipped,influence") and len(lines) == 61
    expect(report.locator("math").first).to_be_visible()

    report.emulate_media(media="print")
    expect(report.get_by_role("button", name="Save all as CSV").first).to_be_hidden()
    printed = report.pdf(format="A4")
    assert printed.startswith(b"%PDF") and re.search(rb"/Type\s*/Page\b", printed)
    assert [address for address in asked if not address.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert not said
    context.close()
