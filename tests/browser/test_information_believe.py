"""Can I believe the number? As a person asks it: retrain, read the verdict and the table, export, compare networks, share."""

import csv
import re

import pytest
from helpers import compute, fact, in_address, opened, rows
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled

pytestmark = pytest.mark.browser

TINY = "/information?dataset=digits&classes=3&classes=8&n=30&test=12&kernel=pseudo&model=fcn&width=8&depth=1&ask=believe"
CHOSEN = "&believe-removals=5&believe-ridge=0.0&believe-seeds=2&time=0.02"
DONE = re.compile("^30 training and 12 held-out images · .* computed")


@pytest.mark.soak
def test_from_the_choice_to_an_export(page: Page, server: Server):
    opened(page, server, TINY + CHOSEN)
    compute(page, DONE)
    expect(page.locator(".atlas-fact").first).to_contain_text("Whether the real network follows it is measured")
    page.get_by_role("button", name="Retrain without each of 5 random images").click()
    verdict = fact(page, re.compile("its linearisation"))
    expect(verdict).to_be_visible(timeout=PATIENT)
    expect(verdict).to_contain_text("without each of 5 images")
    expect(rows(page, "Linearisation")).to_have_count(2)
    expect(page.get_by_text("MLP from scratch in the paper")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    settled(page)

    page.locator(".st-key-download_believe_outputs button:visible").click()  # Streamlit keeps one unseen of what a spinner replaced
    with page.expect_download() as download:
        page.get_by_role("button", name="Data (CSV)").click()
    table = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(table) == 5 and float(table[0]["predictions_retrained"]) > 0
    page.keyboard.press("Escape")

    page.get_by_text("Across networks", exact=True).click()
    in_address(page, "believe-show=agreement")
    page.get_by_role("button", name="Compare 2 networks").click()
    said = fact(page, "This network from different initialisations agrees with itself")
    expect(said).to_be_visible(timeout=PATIENT)
    settled(page)
    expect(page.locator(".atlas-captions img")).to_have_count(10)
    page.reload()
    settled(page)
    expect(said).to_be_visible()
