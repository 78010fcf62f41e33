"""Labels reviewed as a person does: look at the curves, decide by keys, reload, take the labels away, and run the study."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect
from running_app import Server, compute_unless, settled

pytestmark = pytest.mark.browser

TINY = "/information?dataset=digits&classes=3&classes=5&classes=8&n=60&test=30&noise=0.2&ask=mislabelled&labels-seeds=2&labels-first=20"
DONE = re.compile("^60 training and 30 held-out images · computed")


def in_address(page: Page, part: str) -> None:
    page.wait_for_function("part => decodeURIComponent(location.search).includes(part)", arg=part)


def gone_from_address(page: Page, part: str) -> None:
    page.wait_for_function("part => !decodeURIComponent(location.search).includes(part)", arg=part)


def press(page: Page, key: str) -> None:
    settled(page)
    page.keyboard.press(key)


def test_from_flipped_labels_to_corrected_ones(page: Page, server: Server):
    page.goto(server.url + TINY)
    settled(page)
    compute_unless(page, page.get_by_text(DONE))
    expect(page.get_by_text(DONE)).to_be_visible(timeout=90_000)
    expect(page.locator(".atlas-fact").first).to_contain_text("12 of 60 labels are flipped")
    for chart in ("labels_histogram", "labels_roc", "labels_recall"):
        expect(page.locator(f".st-key-chart_{chart} .js-plotly-plot .main-svg").first).to_be_visible(timeout=30_000)
    cards = page.locator(".st-key-labels_gallery .cell")
    expect(cards).to_have_count(20)
    order = [int(cards.nth(place).get_attribute("data-id") or "") for place in range(20)]
    expect(page.get_by_text("0 reviewed of 20")).to_be_visible()

    press(page, "a")
    in_address(page, f"labels-accepted={order[0]}")
    press(page, "l")
    in_address(page, "labels-relabelled=")
    press(page, "x")
    in_address(page, f"labels-rejected={order[2]}")
    expect(page.get_by_text("3 reviewed of 20")).to_be_visible()
    expect(page.get_by_text(f"image {order[3]}, number 4 of 20")).to_be_visible()
    press(page, "u")
    gone_from_address(page, "labels-rejected=")
    expect(page.get_by_text(f"image {order[2]}, number 3 of 20")).to_be_visible()
    press(page, "x")
    in_address(page, f"labels-rejected={order[2]}")
    press(page, "ArrowRight")
    expect(page.get_by_text(f"image {order[4]}, number 5 of 20")).to_be_visible()
    settled(page)
    cards.nth(1).locator("img").click()
    expect(page.get_by_text(f"image {order[1]}, number 2 of 20")).to_be_visible()
    expect(page.get_by_text("Relabelled: ")).to_be_visible()

    page.reload()
    settled(page)
    expect(page.get_by_text("3 reviewed of 20")).to_be_visible(timeout=30_000)
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
    expect(page.locator(".st-key-chart_labels_study .js-plotly-plot .main-svg").first).to_be_visible(timeout=90_000)
    expect(page.get_by_text("Over 2 draws, a flipped image carries more unique information")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Open a draw").click()
    page.get_by_text(re.compile("^Seed 1: ")).click()
    in_address(page, "seed=1")
    expect(page.locator(".atlas-fact").first).to_contain_text("6 of 60 labels are flipped", timeout=60_000)
    expect(page.get_by_text("0 reviewed of 20")).to_be_visible()  # of other images nothing is decided
    settled(page)
