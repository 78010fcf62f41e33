"""Labels reviewed as a person does: look at the curves, decide by keys, reload, take the labels away, and run the study."""

import csv
import re

import pytest
from helpers import cards, chart, ids, in_address, opened
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled
from seeded import SHARED

pytestmark = pytest.mark.browser

TINY = f"/information?{SHARED}&ask=mislabelled&labels-seeds=2&labels-first=20"


def press(page: Page, key: str) -> None:
    settled(page)
    page.keyboard.press(key)


@pytest.mark.soak
def test_from_flipped_labels_to_corrected_ones(page: Page, server: Server):
    opened(page, server, TINY)
    expect(page.locator(".atlas-fact").first).to_contain_text("12 of 60 labels are flipped")
    for name in ("labels_histogram", "labels_roc", "labels_recall"):
        expect(chart(page, name)).to_be_visible()
    gallery = cards(page, "labels_gallery")
    expect(gallery).to_have_count(20)
    order = [int(image) for image in ids(gallery)]
    expect(page.get_by_text("0 reviewed of 20")).to_be_visible()

    press(page, "a")
    expect(page.get_by_text("1 reviewed of 20")).to_be_visible()
    press(page, "l")
    expect(page.get_by_text("2 reviewed of 20")).to_be_visible()
    press(page, "x")
    expect(page.get_by_text("3 reviewed of 20")).to_be_visible()
    expect(page.get_by_text(f"image {order[3]}, number 4 of 20")).to_be_visible()
    press(page, "u")
    expect(page.get_by_text("2 reviewed of 20")).to_be_visible()
    expect(page.get_by_text(f"image {order[2]}, number 3 of 20")).to_be_visible()
    press(page, "x")
    in_address(page, f"labels-at={order[3]}")
    press(page, "ArrowRight")
    expect(page.get_by_text(f"image {order[4]}, number 5 of 20")).to_be_visible()
    settled(page)
    gallery.nth(1).locator("img").click()
    expect(page.get_by_text(f"image {order[1]}, number 2 of 20")).to_be_visible()
    expect(page.get_by_text("Relabelled: ")).to_be_visible()

    page.reload()
    settled(page)
    expect(page.get_by_text("3 reviewed of 20")).to_be_visible()
    expect(page.get_by_text(f"image {order[1]}, number 2 of 20")).to_be_visible()
    settled(page)
    with page.expect_download() as said:
        page.get_by_role("button", name="Corrected labels (CSV)").click()
    with said.value.path().open(newline="") as file:
        rows = {int(row["image"]): row for row in csv.DictReader(file)}
    assert len(rows) == 60 and [rows[image]["decision"] for image in order[:4]] == ["accepted", "relabelled", "rejected", ""]
    assert rows[order[0]]["new_label"] == rows[order[0]]["given_label"] and rows[order[2]]["new_label"] == ""
    assert rows[order[1]]["new_label"] not in ("", rows[order[1]]["given_label"])

    page.get_by_role("button", name="Flip and find").click()
    expect(chart(page, "labels_study")).to_be_visible(timeout=PATIENT)
    expect(page.get_by_text("Over 2 draws, a flipped image carries more unique information")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Open a draw").click()
    page.get_by_text(re.compile("^Seed 1: ")).click()
    in_address(page, "seed=1")
    expect(page.locator(".atlas-fact").first).to_contain_text("6 of 60 labels are flipped")
    expect(page.get_by_text("0 reviewed of 20")).to_be_visible()  # of other images nothing is decided
    settled(page)
