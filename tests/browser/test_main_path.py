"""The whole path a person takes, in order, in a real Chromium; that no page asks another machine is asserted of every page opened."""

import csv
import io
import re
import time
import urllib.request
import zipfile

import numpy as np
import pytest
from helpers import explored, gone_from_address, ids, in_address, opened
from PIL import Image
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, compute_unless, open_page, settled

pytestmark = pytest.mark.browser

SMALL = "/learnability?n=200&width=16&depth=1&epochs=3"
LONG = "/learnability?n=1500&width=512&epochs=400&full=0"


def wait_for_result(page: Page) -> None:
    expect(page.locator(".atlas-fact")).to_be_visible(timeout=PATIENT)
    settled(page)


def compute(page: Page) -> None:
    settled(page)
    compute_unless(page, page.locator(".atlas-fact"))
    wait_for_result(page)


def test_from_the_first_card_to_the_images(page: Page, server: Server):
    opened(page, server, "")
    page.locator(".st-key-open_digits button").click()
    page.wait_for_url(re.compile("/learnability"))
    wait_for_result(page)  # one click: the card starts the computation itself
    expect(page.locator(".cell")).to_have_count(100)
    expect(page.locator(".cell").first.locator("img")).to_have_js_property("naturalWidth", 8)
    assert page.locator(".tick[aria-checked=true]").count() == 0

    opened(page, server, "/learnability?n=-3&model=vgg")
    expect(page.get_by_text(re.compile("asks for something that does not exist"))).to_be_visible()
    page.get_by_role("button", name="Start from the defaults").click()
    expect(page.get_by_role("button", name="Compute", exact=True).or_(page.locator(".atlas-fact"))).to_be_visible()


def test_galleries_basket_exports_inspector_and_another_browser(page: Page, server: Server, chromium):
    page.goto(server.url + SMALL)
    compute(page)
    found = page.locator(".cell")
    expect(found).to_have_count(20)
    hardest = ids(found)

    found.first.locator("img").hover()
    found.first.locator(".tick").click()
    settled(page)
    found.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(".tick[aria-checked=true]")).to_have_count(2)
    basket = page.get_by_role("button", name=re.compile("Basket: 2"))
    expect(basket).to_be_visible()
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

    expect(page.get_by_text("How k(x,x) is distributed")).to_be_visible()  # the charts have come
    settled(page)
    found.nth(2).locator("img").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("img.atlas-viewer")).to_have_js_property("naturalWidth", 8)
    expect(dialog.get_by_role("button", name="Next")).to_be_enabled()
    in_address(page, "image=")
    settled(page)
    shown = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => location.href != before", arg=shown, polling=100)
    settled(page)
    expect(dialog.locator("img.atlas-viewer")).to_have_js_property("naturalWidth", 8)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    gone_from_address(page, "image=")
    settled(page)

    page.get_by_text("Easiest", exact=True).click()
    expect(found.first).not_to_have_attribute("data-id", hardest[0])
    in_address(page, "show=easy")
    settled(page)
    expect(found).to_have_count(20)
    easiest = ids(found)
    other = open_page(chromium, server)
    second = next(other)
    second.goto(page.url)
    wait_for_result(second)
    expect(second.locator(".cell")).to_have_count(len(easiest))
    assert ids(second.locator(".cell")) == easiest
    expect(second.get_by_role("button", name=re.compile("Basket: 2"))).to_be_visible()
    second.get_by_text("All, ranked").click()
    expect(second.locator(".cell")).to_have_count(200)
    in_address(second, "show=all")
    scores = [float(t) for t in second.locator(".cell .line:nth-of-type(2) span:first-child").all_text_contents()]
    assert len(scores) == 200
    assert scores == sorted(scores)
    other.close()


def test_progress_cancel_and_coming_back(page: Page, server: Server):
    opened(page, server, LONG)
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.get_by_text(re.compile("images/s"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile("Training"))).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text(re.compile("was cancelled"))).to_be_visible()
    expect(page.get_by_role("button", name="Compute", exact=True)).to_be_enabled()


@pytest.mark.soak
def test_one_request_for_two_people(page: Page, server: Server, chromium):
    address = "/learnability?n=1000&width=300&epochs=150&seed=9&full=0"
    opened(page, server, address)
    other = open_page(chromium, server)
    second = next(other)
    opened(second, server, address)
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.locator(".st-key-job_panel")).to_be_visible()
    second.reload()
    expect(second.locator(".st-key-job_panel")).to_be_visible()
    wait_for_result(page)
    wait_for_result(second)
    other.close()


def uploads_in_memory(server: Server) -> int:
    """Bytes that Streamlit says it holds of files that were uploaded; it looks again after five seconds."""
    with urllib.request.urlopen(f"{server.url}/_stcore/metrics") as answer:
        said = re.findall(r'UploadedFileManager".*?} (\d+)', answer.read().decode())
    return sum(map(int, said))


def test_own_images_from_a_zip(page: Page, server: Server, tmp_path):
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(tmp_path / "shapes.zip", "w") as archive:
        for name, level in (("dark", 60), ("light", 190)):
            for i in range(12):
                buffer = io.BytesIO()
                Image.fromarray(rng.integers(level - 50, level + 50, (16, 16, 3), dtype=np.uint8)).save(buffer, "PNG")
                archive.writestr(f"{name}/{i}.png", buffer.getvalue())
    (tmp_path / "broken.zip").write_bytes(b"not a zip at all")
    bring = page.get_by_role("button", name="Import", exact=True)
    opened(page, server, "/images")
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.zip")
    expect(bring).to_be_enabled()
    bring.click()
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert not list((server.cache / "uploads").glob("*"))

    opened(page, server, "/images")
    page.locator("input[type=file]").set_input_files(tmp_path / "shapes.zip")
    expect(bring).to_be_enabled()
    assert uploads_in_memory(server) >= (tmp_path / "shapes.zip").stat().st_size
    bring.click()
    explored(page, "shapes")
    page.wait_for_url(re.compile("dataset=own"))
    compute(page)
    expect(page.locator(".cell").first).to_be_visible()
    deadline = time.monotonic() + 10
    while uploads_in_memory(server) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert uploads_in_memory(server) == 0
