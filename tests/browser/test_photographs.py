"""From a zip of photographs to their gallery and the original with zoom."""

import io
import re
import zipfile

import numpy as np
from helpers import cards, compute, explore_button, opened
from PIL import Image
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled

SECRET = "taken at home"


def write_photographs(path, each=8):
    """Divided photographs in two classes, larger than a thumbnail, with words beside their pixels."""
    tags = Image.Exif()
    tags[0x010E] = SECRET
    with zipfile.ZipFile(path, "w") as archive:
        for c, name in enumerate(("ants", "bees")):
            for i in range(each + 4):
                rows, columns = np.mgrid[:300, :400]
                pixels = np.stack([rows * (c + 1) + 9 * i, columns + 60 * c, rows + columns], -1).astype(np.uint8)
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, "JPEG", exif=tags.tobytes())
                archive.writestr(f"{name}/{'train' if i < each else 'val'}_{i}.jpg", buffer.getvalue())
        archive.writestr("bees/train_broken.jpg", b"no image")


def test_from_a_zip_to_the_original_with_zoom(page: Page, server: Server, tmp_path):
    write_photographs(tmp_path / "insects.zip")
    opened(page, server, "/images")
    page.locator("input[type=file]").set_input_files(tmp_path / "insects.zip")
    page.get_by_role("button", name="Look inside first").click()
    expect(page.get_by_text("divided into train (16), val (8)")).to_be_visible(timeout=PATIENT)
    expect(page.get_by_text("Left out: 1")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    explore = explore_button(page, "insects")
    expect(explore).to_be_visible(timeout=PATIENT)
    settled(page)
    explore.click()
    page.wait_for_url(re.compile("/learnability.*part=train"))
    compute(page, re.compile("k\\(x, ?x\\)"))
    image = cards(page, "gallery").first.locator("img")
    expect(image).to_have_class("smooth")
    page.wait_for_function("image => image.naturalWidth === 256", arg=image.element_handle())
    cards(page, "gallery").first.click()
    frame = page.locator(".frame[data-scale]")
    expect(page.get_by_text("What the network sees: a small copy, as imported")).to_be_visible()
    expect(frame).to_have_attribute("data-scale", "1.00")
    frame.hover()
    page.mouse.wheel(0, -300)
    expect(frame).not_to_have_attribute("data-scale", "1.00")
    frame.press("0")
    expect(frame).to_have_attribute("data-scale", "1.00")
    address = frame.locator("img").get_attribute("src")
    answer = page.request.get(f"{server.url}{address}")
    assert answer.ok and answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.body())).size == (400, 300) and SECRET.encode() not in answer.body()
