"""The whole path a person takes, in order, in a real Chromium on a server of its own."""

import csv
import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from running_app import Server, compute_unless, open_page, settled

pytestmark = pytest.mark.browser

SMALL = "/learnability?n=200&width=16&depth=1&epochs=3"
LONG = "/learnability?n=1500&width=512&epochs=400&full=0"


def cards(page: Page):
    return page.locator(".cell")


def wait_for_result(page: Page) -> None:
    expect(page.locator(".atlas-fact")).to_be_visible(timeout=90_000)
    settled(page)


def compute(page: Page) -> None:
    settled(page)
    compute_unless(page, page.locator(".atlas-fact"))
    wait_for_result(page)


def test_from_the_first_card_to_the_images(page: Page, server: Server):
    page.goto(server.url)
    settled(page)
    page.locator(".st-key-open_digits button").click()
    page.wait_for_url(re.compile("/learnability"))
    wait_for_result(page)  # one click: the card starts the computation itself
    expect(cards(page)).to_have_count(100)
    first = cards(page).first.locator("img")
    expect(first).to_have_js_property("naturalWidth", 8)
    assert page.locator(".tick[aria-checked=true]").count() == 0


def test_easy_and_all_galleries_and_filters(page: Page, server: Server):
    page.goto(server.url + SMALL)
    compute(page)
    expect(cards(page)).to_have_count(20)
    hardest = cards(page).first.get_attribute("data-id")
    page.get_by_text("Easiest", exact=True).click()
    expect(cards(page).first).not_to_have_attribute("data-id", hardest)
    page.get_by_text("All, ranked").click()
    expect(cards(page)).to_have_count(200)
    assert "show=all" in page.url
    scores = [float(t) for t in page.locator(".cell .line:nth-of-type(2) span:first-child").all_text_contents()]
    assert len(scores) == 200
    assert scores == sorted(scores)


def test_keyboard_basket_and_exports(page: Page, server: Server):
    page.goto(server.url + SMALL)
    compute(page)
    expect(cards(page)).to_have_count(20)
    cards(page).first.locator("img").hover()
    cards(page).first.locator(".tick").click()
    cards(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(".tick[aria-checked=true]")).to_have_count(2)
    basket = page.get_by_role("button", name=re.compile("Basket: 2"))
    expect(basket).to_be_visible()
    assert "basket=" in page.url
    basket.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(rows) == 2
    assert {"id", "label", "k_xx"} <= set(rows[0])
    with page.expect_download() as download:
        page.get_by_role("button", name="Images (zip)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sum(name.endswith(".png") for name in archive.namelist()) == 2
    page.reload()
    wait_for_result(page)
    expect(page.locator(".tick[aria-checked=true]")).to_have_count(2)


def test_inspector_by_click_and_arrow_keys(page: Page, server: Server):
    page.goto(server.url + SMALL)
    compute(page)
    expect(page.get_by_text("How k(x,x) is distributed")).to_be_visible()  # the charts have come
    settled(page)
    cards(page).nth(2).locator("img").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("img.atlas-viewer")).to_have_js_property("naturalWidth", 8)
    expect(dialog.get_by_role("button", name="Next")).to_be_enabled()
    page.wait_for_function("() => location.search.includes('image=')")
    settled(page)
    shown = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => location.href != before", arg=shown)
    settled(page)
    expect(dialog.locator("img.atlas-viewer")).to_have_js_property("naturalWidth", 8)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.wait_for_function("() => !location.search.includes('image=')")


def test_the_address_shows_another_browser_the_same(page: Page, server: Server, chromium):
    page.goto(server.url + SMALL + "&show=easy&basket=0-1&hard=20")
    compute(page)
    expect(cards(page)).to_have_count(20)
    ids = [c.get_attribute("data-id") for c in cards(page).all()]
    other = open_page(chromium, server)
    second = next(other)
    second.goto(page.url)
    wait_for_result(second)
    expect(cards(second)).to_have_count(len(ids))
    assert [c.get_attribute("data-id") for c in cards(second).all()] == ids
    expect(second.get_by_role("button", name=re.compile("Basket: 2"))).to_be_visible()
    other.close()


def test_progress_cancel_and_coming_back(page: Page, server: Server):
    page.goto(server.url + LONG)
    settled(page)
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.get_by_text(re.compile("images/s"))).to_be_visible(timeout=60_000)
    page.reload()
    expect(page.get_by_text(re.compile("Training"))).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text(re.compile("was cancelled"))).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Compute", exact=True)).to_be_enabled()


def test_one_request_for_two_people(page: Page, server: Server, chromium):
    address = server.url + "/learnability?n=1000&width=300&epochs=150&seed=9&full=0"
    page.goto(address)
    settled(page)
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.locator(".st-key-job_panel")).to_be_visible()
    other = open_page(chromium, server)
    second = next(other)
    second.goto(address)
    expect(second.locator(".st-key-job_panel")).to_be_visible()
    wait_for_result(page)
    wait_for_result(second)
    other.close()


def test_own_images_from_a_zip(page: Page, server: Server, tmp_path):
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(tmp_path / "shapes.zip", "w") as archive:
        for name, level in (("dark", 60), ("light", 190)):
            for i in range(12):
                buffer = io.BytesIO()
                Image.fromarray(rng.integers(level - 50, level + 50, (16, 16, 3), dtype=np.uint8)).save(buffer, "PNG")
                archive.writestr(f"{name}/{i}.png", buffer.getvalue())
    page.goto(server.url + "/images")
    settled(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "shapes.zip")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Import", exact=True).click()
    explore = page.get_by_role("button", name="Explore", exact=True)
    expect(explore).to_be_visible(timeout=30_000)
    explore.click()
    page.wait_for_url(re.compile("dataset=own"))
    compute(page)
    expect(cards(page).first).to_be_visible()


def test_a_bad_zip_is_refused_and_leaves_nothing(page: Page, server: Server, tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"not a zip at all")
    page.goto(server.url + "/images")
    settled(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.zip")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_be_visible(timeout=30_000)
    assert not list((server.cache / "uploads").glob("*"))


def test_a_wrong_address(page: Page, server: Server):
    page.goto(server.url + "/learnability?n=-3&model=vgg")
    settled(page)
    expect(page.get_by_text(re.compile("asks for something that does not exist"))).to_be_visible()
    page.get_by_role("button", name="Start from the defaults").click()
    expect(page.get_by_role("button", name="Compute", exact=True).or_(page.locator(".atlas-fact"))).to_be_visible()


def test_no_request_leaves_the_machine(page: Page, server: Server):
    outside = []
    page.on("request", lambda request: outside.append(request.url) if server.url not in request.url else None)
    for path in ("/", SMALL, "/images", "/jobs"):
        page.goto(server.url + path)
        settled(page)
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
