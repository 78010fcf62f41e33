"""Texts as a person brings them: a CSV through the page, their information, one read closely, and the table taken home."""

import re
import urllib.parse

import pytest
from helpers import cards, compute, explored, opened
from playwright.sync_api import Page, expect
from reviews import REVIEWS, write_reviews
from running_app import PATIENT, Server, settled

pytestmark = pytest.mark.browser

DONE = re.compile("^24 training and 16 held-out .* computed")


@pytest.mark.soak
def test_from_a_csv_that_is_refused_by_its_line_and_one_that_is_not_to_cards_of_text_and_their_table(page: Page, server: Server, tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"text,label\ngood,1\nbad \xe9t\xe9,0\n")
    opened(page, server, "/images")
    page.locator("input[type=file]").set_input_files(tmp_path / "latin.csv")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("Line 3 of the CSV file is not UTF-8")

    write_reviews(tmp_path / "reviews.csv")
    opened(page, server, "/images")
    page.locator("input[type=file]").set_input_files(tmp_path / "reviews.csv")
    expect(page.get_by_label("Numbers for each text")).to_be_visible()
    expect(page.get_by_text("Photographs keep their originals")).to_have_count(0)
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".atlas-snippet").first).to_be_visible()
    explored(page, "reviews")
    page.wait_for_url(re.compile("dataset=own"))
    own = urllib.parse.parse_qs(urllib.parse.urlparse(page.url).query)["own"][0]

    opened(page, server, f"/information?dataset=own&own={own}&n=24&test=16&kernel=two-layer")
    compute(page, DONE)
    most = cards(page, "information_most")
    expect(most).to_have_count(10, timeout=PATIENT)
    expect(page.locator(".cell img")).to_have_count(0)
    begun = most.first.locator(".text").inner_text()
    assert begun in [text for text, _ in REVIEWS]

    most.first.locator(".text").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".atlas-reader")).to_have_text(begun)
    expect(dialog.locator(".atlas-strip .atlas-snippet").first).to_be_visible()
    settled(page)
    page.keyboard.press("ArrowRight")
    expect(dialog.locator(".atlas-reader")).not_to_have_text(begun)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    with page.expect_download() as download:
        page.get_by_role("button", name="All scores (CSV)").click()
    rows = download.value.path().read_text().splitlines()
    assert len(rows) == 25
    assert all("row/" in row for row in rows[1:])
