"""What can I drop? As a person asks it: the list at once, then the study, the slider, and the list in a file."""

import csv

import pytest
from helpers import cards, ids, in_address, moved, opened
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled
from seeded import SHARED

pytestmark = pytest.mark.browser

TINY = f"/information?{SHARED}&ask=drop&ridge=0.1&drop-seeds=2&drop-shares=20,50,80"


def test_from_the_list_to_the_study_and_into_a_file(page: Page, server: Server, tmp_path) -> None:
    opened(page, server, TINY)
    expect(page.get_by_text("The list keeps 30 of 60 images")).to_be_visible(timeout=PATIENT)
    gallery = cards(page, "information_drop_gallery")
    expect(gallery).to_have_count(30)
    settled(page)
    page.get_by_role("button", name="Measure what it costs").click()
    expect(page.get_by_text("Test accuracy over the share dropped")).to_be_visible(timeout=PATIENT)
    expect(page.locator(".st-key-chart_drop_curves .js-plotly-plot .scatterlayer .trace")).to_have_count(4)
    expect(page.locator(".st-key-drop_answer")).to_contain_text("instead of")
    settled(page)
    moved(page, page.get_by_role("slider", name="Training images dropped"), "ArrowLeft", 5, "drop-share")
    in_address(page, "drop-share=45")
    expect(page.get_by_text("27 that go, the first to go first")).to_be_visible()
    settled(page)
    page.get_by_text("33 that stay, the next to go first").click()
    in_address(page, "drop-show=stays")
    expect(gallery).to_have_count(33)
    settled(page)
    with page.expect_download() as waited:
        page.get_by_role("button", name="Keep-list (CSV)").click()
    waited.value.save_as(tmp_path / "keep.csv")
    rows = list(csv.DictReader((tmp_path / "keep.csv").read_text().splitlines()))
    assert len(rows) == 60 and sum(row["keep"] == "1" for row in rows) == 33
    assert {row["image"] for row in rows if row["keep"] == "1"} == set(ids(gallery))
    page.get_by_role("button", name="Put the 27 that go in the basket").click()
    settled(page)
    page.locator(".st-key-download_drop_curves").get_by_role("button").click()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Data (CSV)").click()
    waited.value.save_as(tmp_path / "curves.csv")
    assert len(list(csv.DictReader((tmp_path / "curves.csv").read_text().splitlines()))) == 4 * 4 * 2
