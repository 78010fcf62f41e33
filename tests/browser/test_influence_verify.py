"""Retraining on the influence page as a person asks for it: one pair, the most influential, the basket; cancelled, and gone on with."""

import re

import pytest
from helpers import compute, fact, in_address, rows, still
from helpers import opened as opened_at
from playwright.sync_api import Page, expect
from running_app import PATIENT, Server, settled

pytestmark = pytest.mark.browser

TINY = "/influence?dataset=digits&classes=3&classes=8&n=60&test=12&ridge=0.1&verify=64&basket=5"
DONE = re.compile("^60 training and 12 held-out images · computed")


def opened(page: Page, server: Server, time: str) -> None:
    opened_at(page, server, f"{TINY}&time={time}")
    compute(page, DONE)
    expect(page.get_by_role("heading", name="Is it true?")).to_be_visible()
    settled(page)


@pytest.mark.soak
def test_a_pair_the_most_influential_and_the_basket(page: Page, server: Server):
    opened(page, server, "0.3")
    expect(page.get_by_text(re.compile("^Checked by retraining"))).to_have_count(0)
    page.get_by_text("The ticked image", exact=True).click()
    in_address(page, "check=ticked")
    page.get_by_role("button", name="Retrain without image 5").click()
    expect(fact(page, "Without image 5 the loss of held-out image")).to_be_visible()
    settled(page)

    page.get_by_text("The 40 most influential", exact=True).click()
    page.get_by_role("button", name="Retrain without each of 40 images").click()
    expect(fact(page, "Predicted and real influence of 40 images")).to_be_visible(timeout=PATIENT)
    settled(page)
    expect(rows(page, "64 here")).to_have_count(1)

    line = page.get_by_text(re.compile("^Checked by retraining a network of 64 units")).first
    expect(line).to_contain_text("Pearson")
    line.get_by_role("link", name="The evidence").click()
    expect(page.get_by_role("heading", name="Is it true?")).to_be_in_viewport()
    settled(page)
    said = fact(page, "Predicted and real influence of 40 images").inner_text()

    still(page, "verification")  # what is drawn above it moves the button until then
    page.get_by_role("button", name="Confirm by retraining").click()
    expect(fact(page, "Retrained without 1 image")).to_be_visible()
    expect(page.get_by_text("Predicted beside real")).to_be_visible()
    settled(page)
    page.reload()
    settled(page)
    expect(fact(page, "Predicted and real influence of 40 images")).to_have_text(said)
    expect(fact(page, "Retrained without 1 image")).to_be_visible()


@pytest.mark.soak
def test_held_out_images_are_added_and_confirmed(page: Page, server: Server):
    opened(page, server, "0.3&picked=2,7")
    page.get_by_text("Add 2 held-out", exact=True).click()
    in_address(page, "deed=add")
    page.get_by_role("button", name="Compute their kernel").click()
    added = fact(page, "At the end of training, with 2 more images")
    expect(added).to_be_visible(timeout=PATIENT)
    settled(page)
    page.get_by_role("button", name="Confirm by retraining").click()
    expect(fact(page, "Retrained with 2 more images")).to_be_visible(timeout=PATIENT)
    settled(page)
    said = added.inner_text()
    page.reload()
    settled(page)
    expect(added).to_have_text(said)
    page.get_by_role("button", name="Empty").click()
    expect(page.get_by_text(re.compile("^Tick held-out images at the top"))).to_be_visible()


@pytest.mark.soak
def test_cancelled_it_goes_on_from_there(page: Page, server: Server):
    opened(page, server, "60.0")
    page.get_by_role("button", name="Retrain without each of 40 images").click()
    panel = page.locator(".st-key-verify_panel")
    expect(panel.get_by_text(re.compile("of [0-9,]+ steps"))).to_be_visible()
    panel.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("computing again goes on from there")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Go on retraining").click()
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Go on retraining")).to_be_visible()
