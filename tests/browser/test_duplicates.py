"""Copies as a person deals with them: found in a set just brought, looked at closely, left out, and gone from what is analysed next."""

import io
import re
import zipfile

import numpy as np
import pytest
from helpers import cards, fact, in_address, opened, rows
from PIL import Image
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled

pytestmark = pytest.mark.browser


def write_shots(path):
    """Twelve photographs to train on and six held out; a file three times, one with another label, one coded anew among the held-out."""
    generator = np.random.default_rng(3)
    with zipfile.ZipFile(path, "w") as archive:
        for c, name in enumerate(("ants", "bees")):
            for i in range(9):
                rough = Image.fromarray(generator.integers(0, 256, (9, 12, 3)).astype(np.uint8))
                shot = rough.resize((400, 300), Image.Resampling.BICUBIC)
                buffer, coded = io.BytesIO(), io.BytesIO()
                shot.save(buffer, "JPEG", quality=95)
                archive.writestr(f"{name}/{'train' if i < 6 else 'val'}_{i}.jpg", buffer.getvalue())
                if (c, i) == (0, 0):
                    archive.writestr("ants/train_again.jpg", buffer.getvalue())
                    archive.writestr("ants/train_oncemore.jpg", buffer.getvalue())
                if (c, i) == (0, 1):
                    archive.writestr("bees/train_astray.jpg", buffer.getvalue())
                if (c, i) == (1, 2):
                    shot.resize((200, 150)).save(coded, "JPEG", quality=60)
                    archive.writestr("bees/val_leak.jpg", coded.getvalue())


def test_copies_are_found_looked_at_and_left_out(page: Page, server: Server, tmp_path):
    write_shots(tmp_path / "shots.zip")
    opened(page, server, "/images")
    page.locator("input[type=file]").set_input_files(tmp_path / "shots.zip")
    page.get_by_role("button", name="Import", exact=True).click()
    find = page.locator("[class*=st-key-set_]").filter(has_text="shots").get_by_role("button", name="Find copies", exact=True)
    expect(find).to_be_visible(timeout=PATIENT)
    find.click()
    page.wait_for_url(re.compile("/duplicates.*part=train"))
    expect(
        fact(page, "3 groups of copies among 15 images and 7 held out: 1 with labels that contradict each other, 1 across")
    ).to_be_visible(timeout=PATIENT)
    expect(page.get_by_text(re.compile("2 times the same file · labels differ: ants, bees"))).to_be_visible()
    expect(page.get_by_text(re.compile("2 times the same picture · leak"))).to_be_visible()
    expect(page.get_by_text("3 times the same file", exact=True)).to_be_visible()

    held = page.locator("[class*=st-key-copies_] .cell").filter(has_text="held out")
    expect(held).to_have_count(1)
    held.locator("img").click()
    in_address(page, "image=")
    expect(rows(page, "When all but one are left out")).to_contain_text(re.compile(r"it goes, and \d+ \(bees, bees/train_2.jpg\) stays"))
    expect(rows(page, "Beside that one")).to_contain_text("bits of their hashes differ")
    expect(page.locator(".frame[data-scale]")).to_be_visible()  # the original, with zoom
    page.keyboard.press("ArrowRight")
    expect(rows(page, "Group")).to_contain_text("3 times the same file")
    page.keyboard.press("Escape")
    settled(page)

    page.get_by_role("button", name="Leave out all but one of each: 4 images").click()
    in_address(page, "without=")
    in_address(page, "n=12")
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(fact(page, "No copies among 12 images and 6 held out: no two are the same file or the same picture.")).to_be_visible(
        timeout=PATIENT
    )
    settled(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Map").click()
    in_address(page, "without=")
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.get_by_text(re.compile(r"^12 training images, \d+ held out · computed"))).to_be_visible(timeout=PATIENT)
    settled(page)
    expect(cards(page, "map_gallery")).to_have_count(12)
    titles = " ".join(cell.get_attribute("title") or "" for cell in cards(page, "map_gallery").all())
    for copies in ("ants/train_(?:0|again|oncemore)", "(?:ants/train_1|bees/train_astray)"):
        assert len(re.findall(rf"{copies}\.jpg", titles)) == 1, titles
