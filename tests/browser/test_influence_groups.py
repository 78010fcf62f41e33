"""Groups and the inspector on the influence page, as a person uses them: tick, take a mean, look closely, click a chart."""

import re

import pytest
from playwright.sync_api import Page, expect
from running_app import Server, compute_unless, settled

pytestmark = pytest.mark.browser

TINY = "/influence?dataset=digits&classes=3&classes=5&classes=8&n=80&test=30&noise=0.2"
DONE = re.compile("^80 training and 30 held-out images · computed")
POINT = """([chart, at]) => {
  const plot = document.querySelector(`.st-key-chart_${chart} .js-plotly-plot`), { xaxis, yaxis, _size } = plot._fullLayout;
  const box = plot.getBoundingClientRect(), point = plot.calcdata[at[0]][at[1]];
  const height = "s1" in point ? point.s1 / 2 : point.y;  // the middle of a bar
  return [box.x + _size.l + xaxis.c2p("s1" in point ? point.p : point.x), box.y + _size.t + yaxis.c2p(height), plot.data[at[0]].name];
}"""


@pytest.fixture
def shown(page: Page, server: Server) -> Page:
    """The page with its result."""
    page.goto(server.url + TINY)
    settled(page)
    compute_unless(page, page.get_by_text(DONE))
    expect(page.get_by_text(DONE)).to_be_visible(timeout=90_000)
    expect(cards(page, "held")).to_have_count(30, timeout=30_000)
    settled(page)
    return page


def cards(page: Page, which: str):
    return page.locator(f".st-key-{which}_gallery .cell")


def answer(page: Page):
    return page.locator(".atlas-pair .atlas-fact")


def in_address(page: Page, part: str) -> None:
    page.wait_for_function("part => decodeURIComponent(location.search).includes(part)", arg=part)


def gone_from_address(page: Page, part: str) -> None:
    page.wait_for_function("part => !decodeURIComponent(location.search).includes(part)", arg=part)


def click_in_chart(page: Page, chart: str, *at: int) -> str | None:
    """Click one point of a trace; the trace's name."""
    page.locator(f".st-key-chart_{chart}").scroll_into_view_if_needed()
    expect(page.locator(f".st-key-chart_{chart} .js-plotly-plot .main-svg").first).to_be_visible()
    page.wait_for_timeout(800)  # until it has been laid out
    x, y, name = page.evaluate(POINT, [chart, list(at)])
    page.mouse.move(x, y)
    page.wait_for_timeout(400)  # plotly takes a click where it has seen the pointer
    page.mouse.click(x, y)
    return name


def test_from_one_image_to_a_group_and_back(shown: Page):
    page = shown
    one = answer(page).inner_text()
    for place in (1, 2):  # quickly, one after the other
        card = cards(page, "held").nth(place)
        card.locator("img").hover()
        card.locator(".tick").click()
    ticked = sorted(int(cards(page, "held").nth(place).get_attribute("data-id")) for place in (1, 2))
    in_address(page, "mean=ticked")
    in_address(page, f"picked={ticked[0]}-{ticked[1]}" if ticked[1] == ticked[0] + 1 else f"picked={ticked[0]},{ticked[1]}")
    expect(answer(page)).to_contain_text("The mean over the 2 ticked held-out images")
    expect(page.locator(".st-key-held_gallery .tick[aria-checked=true]")).to_have_count(2)
    settled(page)
    page.get_by_text("Mean over the 30 shown").click()
    in_address(page, "mean=shown")
    expect(answer(page)).to_contain_text("The mean over all 30 held-out images")
    expect(page.get_by_text("The group’s mean loss and error")).to_be_visible()
    settled(page)
    first = cards(page, "held").first
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
    second = cards(page, "held").nth(1).get_attribute("data-id")
    in_address(page, f"held={second}")
    settled(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    gone_from_address(page, "held=")
    in_address(page, f"target={second}")
    expect(answer(page)).to_contain_text(f"Held-out image {second}, ")


def test_a_training_image_closely_from_gallery_and_chart(shown: Page):
    page = shown
    third = cards(page, "training").nth(2)
    image = third.get_attribute("data-id")
    third.locator("img").click()
    in_address(page, f"image={image}")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"Training image {image}: ")).to_be_visible()
    expect(dialog.get_by_text("Training images nearest to it in the kernel")).to_be_visible()
    settled(page)
    page.keyboard.press("ArrowLeft")
    before = cards(page, "training").nth(1).get_attribute("data-id")
    in_address(page, f"image={before}")
    expect(dialog.get_by_text(f"Training image {before}: ")).to_be_visible()
    settled(page)
    dialog.get_by_role("button", name="Put in the basket").click()
    in_address(page, f"basket={before}")
    expect(dialog.get_by_role("button", name="Take out of the basket")).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Delete 1")).to_be_visible()
    expect(cards(page, "training").nth(1)).to_have_class(re.compile("current"))
    expect(cards(page, "training").nth(1).locator(".tick")).to_have_attribute("aria-checked", "true")
    settled(page)
    name = click_in_chart(page, "bump", 0, 30)
    in_address(page, f"image={name.split(':')[0]}")
    expect(dialog.get_by_text(f"Training image {name.split(':')[0]}: ")).to_be_visible()


def test_a_groups_bar_shows_its_images(shown: Page):
    page = shown
    before = cards(page, "group").first.get_attribute("data-id")
    click_in_chart(page, "complexity", 0, 0)
    in_address(page, "group=0")
    expect(cards(page, "group").first).not_to_have_attribute("data-id", before)
    expect(page.locator(".st-key-chart_complexity")).to_be_visible()
    settled(page)
    page.get_by_text("9", exact=True).last.click()
    in_address(page, "group=9")
    expect(cards(page, "group").first).to_have_attribute("data-id", before)
    settled(page)
    cards(page, "group").first.locator("img").click()
    in_address(page, f"image={before}")
    expect(page.get_by_role("dialog").get_by_text(f"Training image {before}: ")).to_be_visible()
