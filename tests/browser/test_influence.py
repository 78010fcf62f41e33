"""The influence page as a person uses it: compute, choose an image, go through training, tick, ask what if, share it."""

import re

import pytest
from helpers import back, cards, compute, ids, in_address, moved, opened, tick, ticks
from playwright.sync_api import Page, expect
from running_app import Server, open_page, settled

pytestmark = pytest.mark.browser

TINY = "/influence?dataset=digits&classes=3&classes=5&classes=8&n=60&test=20&noise=0.2"
DONE = re.compile("^60 training and 20 held-out images · computed")


HELD, TRAINING = "held_gallery", "training_gallery"


def shown(page: Page) -> None:
    """The page with its result."""
    compute(page, DONE)
    expect(cards(page, HELD)).to_have_count(20)
    settled(page)


def answer(page: Page):
    return page.locator(".atlas-pair .atlas-fact")


def if_deleted(page: Page):
    """What the basket would do."""
    return page.locator(".atlas-fact").filter(has_text="At the end of training")


def texts(page: Page, which: str) -> list[str]:
    return [re.sub(r"\s+", " ", text) for text in cards(page, which).all_text_contents()]


def test_from_the_forecast_to_what_if_and_to_another_browser(page: Page, server: Server, chromium):
    opened(page, server, TINY)
    expect(page.get_by_text("Not computed yet.")).to_be_visible()
    shown(page)
    expect(cards(page, HELD).first.locator("img")).to_have_js_property("naturalWidth", 8)
    expect(cards(page, TRAINING).first.locator("img")).to_have_js_property("naturalWidth", 8)

    third = cards(page, HELD).nth(2)
    image = third.get_attribute("data-id")
    third.locator("img").click()
    in_address(page, f"target={image}")
    expect(answer(page)).to_contain_text(f"Held-out image {image}, ")
    settled(page)

    slider = page.get_by_role("slider", name="Training time τ")
    expect(slider).to_have_attribute("aria-valuetext", "end of training")
    before = answer(page).inner_text()
    moved(page, slider, "ArrowLeft", 1, "time")
    moved(page, slider, "ArrowLeft", 20, "time")
    expect(answer(page)).not_to_have_text(before)
    expect(answer(page)).to_contain_text(f"Held-out image {image}, ")
    time = re.search(r"time=([^&]+)", page.url)[1]

    helpful = ids(cards(page, TRAINING))
    page.get_by_text("Harmful", exact=True).click()
    in_address(page, "show=harmful")
    expect(cards(page, TRAINING).first).not_to_have_attribute("data-id", helpful[0])
    assert not set(ids(cards(page, TRAINING))) & set(helpful)  # an image is one or the other
    assert all("−" in text for text in texts(page, TRAINING))

    expect(page.get_by_text(re.compile("^Tick training images above"))).to_be_visible()
    tick(cards(page, TRAINING).first)
    expect(if_deleted(page)).to_be_visible()
    expect(page.get_by_text("Delete 1")).to_be_visible()
    one = if_deleted(page).inner_text()
    settled(page)
    cards(page, TRAINING).nth(1).focus()
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
    expect(cards(second, HELD)).to_have_count(20)
    expect(answer(second)).to_have_text(answer(page).inner_text())
    expect(if_deleted(second)).to_have_text(if_deleted(page).inner_text())
    assert texts(second, TRAINING) == texts(page, TRAINING)
    expect(ticks(second, TRAINING)).to_have_count(2)
    expect(second.get_by_role("slider", name="Training time τ")).to_have_attribute(
        "aria-valuetext", page.get_by_role("slider", name="Training time τ").get_attribute("aria-valuetext")
    )
    assert f"time={time}" in second.url
    other.close()


@pytest.mark.soak
def test_a_ridge_by_keyboard_and_back_and_a_ticked_image_that_stays(page: Page, server: Server):
    opened(page, server, TINY + "&ridge=0.0101")
    shown(page)
    slider = page.get_by_role("slider", name="Regularisation λ")
    expect(slider).to_have_attribute("aria-valuetext", "0.0101")
    before = answer(page).inner_text()
    moved(page, slider, "ArrowRight", 1, "ridge")
    in_address(page, "ridge=0.0316")
    expect(answer(page)).not_to_have_text(before)
    expect(slider).to_have_attribute("aria-valuetext", "0.0316")
    back(page)
    in_address(page, "ridge=0.0101")
    expect(answer(page)).to_have_text(before)
    settled(page)

    cards(page, TRAINING).first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Delete 1")).to_be_visible()
    expect(ticks(page, TRAINING)).to_have_count(1)
    settled(page)
    page.get_by_text("Uninfluential", exact=True).click()
    in_address(page, "show=idle")
    expect(cards(page, TRAINING)).to_have_count(60)
    expect(ticks(page, TRAINING)).to_have_count(1)
    expect(page.get_by_text("Delete 1")).to_be_visible()
    cards(page, HELD).nth(1).locator("img").click()
    in_address(page, "target=")
    settled(page)
    expect(page.get_by_text("Delete 1")).to_be_visible()
    page.get_by_role("button", name="Empty").click()
    expect(page.get_by_text(re.compile("^Tick training images above"))).to_be_visible()
    expect(ticks(page, TRAINING)).to_have_count(0)

    opened(page, server, "/influence?time=0&ridge=-1&colour=red")
    said = page.get_by_text(re.compile("asks for something that does not exist"))
    for part in ("time", "ridge", "colour"):
        expect(said).to_contain_text(part)
    page.get_by_role("button", name="Start from the defaults").click()
    expect(page.get_by_role("button", name="Compute", exact=True)).to_be_visible()
