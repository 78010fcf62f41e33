"""What the browser tests have in common: opening a page, computing, what is on it, and what its address says."""

import re

from playwright.sync_api import Locator, Page, expect
from running_app import PATIENT, Server, compute_unless, settled

from ntkcore.library import Library
from ntkcore.library.tables import BASKETS
from ntkcore.settings import Settings

LATE = 1.0  # NTK_LATE_ADDRESS of the server: seconds in which the browser's back button is taken for a late answer

_LAID_OUT = """chart => {
  const plot = document.querySelector(`.st-key-chart_${chart} .js-plotly-plot`);
  if (!plot || !plot.calcdata || !plot._fullLayout || plot._fullLayout._size.w <= 0) return false;
  const box = plot.getBoundingClientRect(), before = plot.atlasBox;
  const now = plot.atlasBox = [box.x, box.y, box.width, box.height, plot._fullLayout._size.w].join();
  return now === before && !plot._transitioning;
}"""
_POINT = """([chart, at]) => {
  const plot = document.querySelector(`.st-key-chart_${chart} .js-plotly-plot`), { xaxis, yaxis, _size } = plot._fullLayout;
  const box = plot.getBoundingClientRect(), point = plot.calcdata[at[0]].at(at[1]);
  const height = "s1" in point ? point.s1 / 2 : point.y;  // the middle of a bar
  return [box.x + _size.l + xaxis.c2p("s1" in point ? point.p : point.x), box.y + _size.t + yaxis.c2p(height), plot.data[at[0]].name];
}"""
_STOPPED = """([shown, field]) => {
  return Number(new URLSearchParams(location.search).get(field)) === parseFloat(shown.replace(",", ""));
}"""
_OPACITIES = """chart => {
  const plot = document.querySelector(`.st-key-chart_${chart} .js-plotly-plot`);
  return plot._fullData.map(trace => [trace.meta, getComputedStyle(plot.querySelector(`.trace${trace.uid}`)).opacity]);
}"""
_SEEN = "chart => document.querySelector(`.st-key-chart_${chart} .js-plotly-plot`)._hoverdata?.length > 0"


def opened(page: Page, server: Server, path: str) -> None:
    """Open an address of the app and wait until it is drawn."""
    page.goto(server.url + path)
    settled(page)


def visited(page: Page, address: str) -> None:
    """The router answers a deep link, also to the first visitor of a server."""
    page.goto(address)
    settled(page)
    expect(page.get_by_test_id("stSidebarNav")).to_contain_text("Learnability")
    expect(page.locator("h1")).to_be_visible()


def compute(page: Page, done: re.Pattern[str] | str) -> None:
    """Compute unless it is stored, and wait until the page says that it is done; what it said of the choice before does not count."""
    settled(page)
    found = page.get_by_text(done)
    compute_unless(page, found)
    expect(found.first).to_be_visible(timeout=PATIENT)
    settled(page)


def in_address(page: Page, part: str) -> None:
    """Wait until the address says something."""
    page.wait_for_function("part => decodeURIComponent(location.search).includes(part)", arg=part, polling=100)


def gone_from_address(page: Page, part: str) -> None:
    """Wait until the address does not say it."""
    page.wait_for_function("part => !decodeURIComponent(location.search).includes(part)", arg=part, polling=100)


def cards(page: Page, gallery: str) -> Locator:
    """The images, or texts, of a gallery by its key."""
    return page.locator(f".st-key-{gallery} .cell")


def ids(cells: Locator) -> list[str]:
    """Which images a gallery shows, in its order."""
    return [cell.get_attribute("data-id") or "" for cell in cells.all()]


def ticks(page: Page, gallery: str) -> Locator:
    """The ticked ones of a gallery."""
    return page.locator(f".st-key-{gallery} .tick[aria-checked=true]")


def tick(cell: Locator) -> None:
    """Tick an image as a hand does."""
    cell.locator("img").hover()
    cell.locator(".tick").click()


def fact(page: Page, words: str | re.Pattern[str]) -> Locator:
    """The answers that say something."""
    return page.locator(".atlas-fact").filter(has_text=words)


def no_baskets(server: Server) -> None:
    """Let the next test begin with nothing ticked."""
    library = Library(Settings(cache_dir=server.cache))
    if library.begun:
        with library.writing() as connection:
            connection.execute(BASKETS.delete())
        library.close()


def rows(page: Page, words: str) -> Locator:
    """The rows of tables that say something."""
    return page.locator("tr").filter(has_text=words)


def chart(page: Page, name: str) -> Locator:
    """A drawn chart."""
    return page.locator(f".st-key-chart_{name} .js-plotly-plot .main-svg").first


def moved(page: Page, slider: Locator, key: str, times: int, field: str) -> None:
    """Move a slider by keys, and wait until the address says where it stopped."""
    slider.focus()
    for _ in range(times):
        page.keyboard.press(key)
    page.wait_for_function(_STOPPED, arg=[slider.get_attribute("aria-valuetext"), field], polling=100)
    settled(page)


def back(page: Page) -> None:
    """The browser's back button, pressed when the address of before is no longer taken for a late one."""
    page.wait_for_timeout(1000 * LATE + 100)
    page.go_back()


def explored(page: Page, name: str) -> None:
    """Open an own set by its button; other tests may have brought others, whose buttons stand in its place until the list is drawn."""
    of_set = page.locator("[class*=st-key-set_]").filter(has_text=name)
    expect(of_set).to_be_visible(timeout=PATIENT)
    settled(page)
    of_set.get_by_role("button", name="Explore", exact=True).click()


def still(page: Page, name: str) -> None:
    """Scroll to a chart, and wait until it is drawn and stands still."""
    page.locator(f".st-key-chart_{name}").scroll_into_view_if_needed()
    expect(chart(page, name)).to_be_visible()
    page.wait_for_function(_LAID_OUT, arg=name, polling=100)


def point_in_chart(page: Page, name: str, *at: int) -> tuple[float, float, str | None]:
    """Point at one point of a trace, until plotly has seen that; where it is, and the trace's name."""
    still(page, name)
    x, y, said = page.evaluate(_POINT, [name, list(at)])
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y)
    page.wait_for_function(_SEEN, arg=name, polling=100)
    return x, y, said


def click_in_chart(page: Page, name: str, *at: int) -> str | None:
    """Click one point of a trace; the trace's name."""
    x, y, said = point_in_chart(page, name, *at)
    page.mouse.click(x, y)
    return said


def opacities(page: Page, name: str) -> dict[str, list[float]]:
    """How opaque the traces of a chart are, by whose they are (plotly's meta)."""
    found: dict[str, list[float]] = {}
    for whose, opacity in page.evaluate(_OPACITIES, name):
        found.setdefault(whose, []).append(float(opacity))
    return found
