"""What can I drop? As a person asks it: the list at once, then the study, the slider, and the list in a file."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect
from running_app import Server, compute_unless, settled

pytestmark = pytest.mark.browser

TINY = "/information?dataset=digits&classes=3&classes=8&n=60&test=20&ask=drop&ridge=0.1&drop-seeds=2&drop-shares=20,50,80"
DONE = re.compile("^60 training and 20 held-out images · computed")


def in_address(page: Page, part: str) -> None:
    page.wait_for_function("part => decodeURIComponent(location.search).includes(part)", arg=part)


def test_from_the_list_to_the_study_and_into_a_file(page: Page, server: Server, tmp_path) -> None:
    page.goto(server.url + TINY)
    settled(page)
    compute_unless(page, page.get_by_text(DONE))
    expect(page.get_by_text("The list keeps 30 of 60 images")).to_be_visible(timeout=90_000)
    cards = page.locator(".st-key-information_drop_gallery .cell")
    expect(cards).to_have_count(30)
    settled(page)
    page.get_by_role("button", name="Measure what it costs").click()
    expect(page.get_by_text("Test accuracy over the share dropped")).to_be_visible(timeout=90_000)
    expect(page.locator(".st-key-chart_drop_curves .js-plotly-plot .scatterlayer .trace")).to_have_count(4)
    expect(page.locator(".st-key-drop_answer")).to_contain_text("instead of")
    settled(page)
    slider = page.get_by_role("slider", name="Training images dropped")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    in_address(page, "drop-share=45")
    expect(page.get_by_text("27 that go, the first to go first")).to_be_visible()
    settled(page)
    page.get_by_text("33 that stay, the next to go first").click()
    in_address(page, "drop-show=stays")
    expect(cards).to_have_count(33)
    settled(page)
    with page.expect_download() as waited:
        page.get_by_role("button", name="Keep-list (CSV)").click()
    waited.value.save_as(tmp_path / "keep.csv")
    rows = list(csv.DictReader((tmp_path / "keep.csv").read_text().splitlines()))
    assert len(rows) == 60 and sum(row["keep"] == "1" for row in rows) == 33
    assert {row["image"] for row in rows if row["keep"] == "1"} == {card.get_attribute("data-id") for card in cards.all()}
    page.get_by_role("button", name="Put the 27 that go in the basket").click()
    in_address(page, "basket=")
    settled(page)
    page.locator(".st-key-download_drop_curves").get_by_role("button").click()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Data (CSV)").click()
    waited.value.save_as(tmp_path / "curves.csv")
    assert len(list(csv.DictReader((tmp_path / "curves.csv").read_text().splitlines()))) == 4 * 4 * 2
