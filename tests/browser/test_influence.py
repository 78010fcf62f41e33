"""The influence page as a person uses it: compute, choose an image, go through training, tick, ask what if, share it."""

import re

import pytest
from playwright.sync_api import Page, expect
from running_app import Server, compute_unless, open_page, settled

pytestmark = pytest.mark.browser

TINY = "/influence?dataset=digits&classes=3&classes=5&classes=8&n=60&test=20&noise=0.2"
DONE = re.compile("^60 training and 20 held-out images · computed")


def opened(page: Page, server: Server, path: str = TINY) -> None:
    page.goto(server.url + path)
    settled(page)


def compute(page: Page) -> None:
    compute_unless(page, page.get_by_text(DONE))
    expect(page.get_by_text(DONE)).to_be_visible(timeout=90_000)
    expect(cards(page, "held")).to_have_count(20, timeout=30_000)
    settled(page)


def cards(page: Page, which: str):
    """The images of one of the two galleries."""
    return page.locator(f".st-key-{which}_gallery .cell")


def answer(page: Page):
    return page.locator(".atlas-pair .atlas-fact")


def if_deleted(page: Page):
    """What the basket would do."""
    return page.locator(".atlas-fact").filter(has_text="At the end of training")


def in_address(page: Page, part: str) -> None:
    page.wait_for_function("part => decodeURIComponent(location.search).includes(part)", arg=part)


def texts(page: Page, which: str) -> list[str]:
    return [re.sub(r"\s+", " ", text) for text in cards(page, which).all_text_contents()]


def test_from_the_forecast_to_what_if_and_to_another_browser(page: Page, server: Server, chromium):
    opened(page, server)
    expect(page.get_by_text("Not computed yet.")).to_be_visible()
    compute(page)
    expect(cards(page, "held").first.locator("img")).to_have_js_property("naturalWidth", 8)
    expect(cards(page, "training").first.locator("img")).to_have_js_property("naturalWidth", 8)

    third = cards(page, "held").nth(2)
    image = third.get_attribute("data-id")
    third.locator("img").click()
    in_address(page, f"target={image}")
    expect(answer(page)).to_contain_text(f"Held-out image {image}, ")
    settled(page)

    slider = page.get_by_role("slider", name="Training time τ")
    expect(slider).to_have_attribute("aria-valuetext", "end of training")
    slider.focus()
    before = answer(page).inner_text()
    page.keyboard.press("ArrowLeft")
    in_address(page, "time=")
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(1500)  # until the slider has sent where it stopped
    settled(page)
    expect(answer(page)).not_to_have_text(before)
    expect(answer(page)).to_contain_text(f"Held-out image {image}, ")
    time = re.search(r"time=([^&]+)", page.url)[1]

    helpful = [card.get_attribute("data-id") for card in cards(page, "training").all()]
    page.get_by_text("Harmful", exact=True).click()
    in_address(page, "show=harmful")
    expect(cards(page, "training").first).not_to_have_attribute("data-id", helpful[0])
    assert not {card.get_attribute("data-id") for card in cards(page, "training").all()} & set(helpful)  # an image is one or the other
    assert all("−" in text for text in texts(page, "training"))

    expect(page.get_by_text(re.compile("^Tick training images above"))).to_be_visible()
    first = cards(page, "training").first
    first.locator("img").hover()
    first.locator(".tick").click()
    in_address(page, "basket=")
    expect(if_deleted(page)).to_be_visible()
    expect(page.get_by_text("Delete 1")).to_be_visible()
    one = if_deleted(page).inner_text()
    cards(page, "training").nth(1).focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Delete 2")).to_be_visible()
    expect(if_deleted(page)).not_to_have_text(one)
    deleted = if_deleted(page).inner_text()
    page.get_by_text("Relabel 2").click()
    in_address(page, "deed=relabel")
    expect(if_deleted(page)).not_to_have_text(deleted)
    settled(page)

    other = open_page(chromium, server)
    second = next(other)
    second.goto(page.url)
    settled(second)
    expect(cards(second, "held")).to_have_count(20, timeout=30_000)
    expect(answer(second)).to_have_text(answer(page).inner_text())
    expect(if_deleted(second)).to_have_text(if_deleted(page).inner_text())
    assert texts(second, "training") == texts(page, "training")
    expect(second.locator(".st-key-training_gallery .tick[aria-checked=true]")).to_have_count(2)
    expect(second.get_by_role("slider", name="Training time τ")).to_have_attribute(
        "aria-valuetext", page.get_by_role("slider", name="Training time τ").get_attribute("aria-valuetext")
    )
    assert f"time={time}" in second.url
    other.close()


def test_a_ticked_image_stays_while_the_gallery_changes(page: Page, server: Server):
    opened(page, server)
    compute(page)
    cards(page, "training").first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Delete 1")).to_be_visible()
    expect(page.locator(".st-key-training_gallery .tick[aria-checked=true]")).to_have_count(1)
    settled(page)
    page.get_by_text("Uninfluential", exact=True).click()
    in_address(page, "show=idle")
    expect(cards(page, "training")).to_have_count(60)
    expect(page.locator(".st-key-training_gallery .tick[aria-checked=true]")).to_have_count(1)
    expect(page.get_by_text("Delete 1")).to_be_visible()
    cards(page, "held").nth(1).locator("img").click()
    in_address(page, "target=")
    settled(page)
    expect(page.get_by_text("Delete 1")).to_be_visible()
    page.get_by_role("button", name="Empty").click()
    expect(page.get_by_text(re.compile("^Tick training images above"))).to_be_visible()
    expect(page.locator(".st-key-training_gallery .tick[aria-checked=true]")).to_have_count(0)
    page.wait_for_function("() => !location.search.includes('basket')")


def test_a_ridge_by_keyboard_and_back(page: Page, server: Server):
    opened(page, server, TINY + "&ridge=0.0101")
    compute(page)
    slider = page.get_by_role("slider", name="Regularisation λ")
    expect(slider).to_have_attribute("aria-valuetext", "0.0101")
    before = answer(page).inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    in_address(page, "ridge=0.0316")
    expect(answer(page)).not_to_have_text(before)
    expect(slider).to_have_attribute("aria-valuetext", "0.0316")
    settled(page)
    page.wait_for_timeout(3500)  # until the address of before is no longer taken for a late one
    page.go_back()
    in_address(page, "ridge=0.0101")
    expect(answer(page)).to_have_text(before)


def test_a_wrong_address(page: Page, server: Server):
    opened(page, server, "/influence?time=0&ridge=-1&colour=red")
    said = page.get_by_text(re.compile("asks for something that does not exist"))
    for part in ("time", "ridge", "colour"):
        expect(said).to_contain_text(part)
    page.get_by_role("button", name="Start from the defaults").click()
    expect(page.get_by_role("button", name="Compute", exact=True)).to_be_visible()
