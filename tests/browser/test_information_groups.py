"""Sources, sub-classes and adversarial images, as a person asks about them: from the choice to the exported scores."""

import re

import pandas as pd
import pytest
from group_sets import negatives
from helpers import cards, compute, fact, in_address, opened
from playwright.sync_api import Page, expect
from running_app import Server, settled

from ntkcore.settings import Settings

pytestmark = pytest.mark.browser

TINY = "/information?dataset=digits&classes=4&classes=7&classes=1&n=60&test=30&ask=sources&sources-n=20&sources-test=10&sources-repeats=1"
GROUPS = (
    "&groups-counts=4,8&groups-count=4&groups-common-count=16&groups-other-count=16&groups-test=12&groups-repeats=1"
    "&groups-epsilon=0.2&groups-epochs=4"
)
DONE = re.compile("^60 training and 30 held-out images · computed")


def exported(page: Page, key: str) -> pd.DataFrame:
    """What the button of all scores gives."""
    with page.expect_download() as told:
        page.locator(f".st-key-{key}").get_by_role("button").click()
    return pd.read_csv(told.value.path(), dtype={"group": str, "label": str})


def answered(page: Page, words: str) -> None:
    expect(fact(page, words).first).to_be_visible()
    settled(page)


@pytest.mark.soak
def test_from_the_choice_to_the_scores(page: Page, server: Server, tmp_path):
    content = negatives(tmp_path, Settings(cache_dir=server.cache))
    opened(page, server, TINY + GROUPS)
    compute(page, DONE)
    expect(page.get_by_text("There is one source only")).to_be_visible()
    settled(page)
    page.locator("input[aria-label^='Beside this page']").click()
    page.get_by_role("option", name="Negatives").click()
    in_address(page, f"sources-others=own:{content}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare the sources").click()
    answered(page, "unique information")
    expect(page.get_by_text("Without images of Negatives")).to_be_visible()
    expect(cards(page, "sources_gallery_1")).to_have_count(10)
    table = exported(page, "sources_csv")
    assert table["group"].value_counts().to_dict() == {"Digits": 20, "Negatives": 20} and (table["information"] > 0).all()

    page.get_by_role("radio", name="Under-sampled? Adversarial?").click()
    in_address(page, "ask=groups")
    page.get_by_role("button", name="Study the sub-class").click()
    answered(page, "with 4 images of 4 among 16 of 7")
    expect(cards(page, "subclass_gallery_0")).to_have_count(4)
    table = exported(page, "subclass_csv")
    assert table[table["count"] == 8]["group"].value_counts().to_dict() == {"7": 16, "1": 16, "4": 8}

    page.get_by_role("radio", name="Is something adversarial?").click()
    in_address(page, "groups-study=adversarial")
    page.get_by_role("button", name="Attack and find them").click()
    answered(page, "adversarial image carries")
    count = page.locator(".atlas-triples img").count()
    assert 1 <= count <= 6
    expect(page.locator(".atlas-triples img").first).to_have_js_property("naturalWidth", 26)  # 8 pixels three times, and two gaps
    table = exported(page, "adversarial_csv")
    assert (table["group"] == "adversarial").sum() == count and len(table) == 60
