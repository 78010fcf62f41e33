"""Active learning as a person uses it: from the choice to the study, a cycle that is clicked, and everything in a file."""

import csv
import re

import pytest
from helpers import (
    cards,
    chart,
    click_in_chart,
    compute,
    fact,
    gone_from_address,
    ids,
    in_address,
    moved,
    opacities,
    opened,
    point_in_chart,
    rows,
)
from playwright.sync_api import Page, expect
from running_app import Server, settled

pytestmark = pytest.mark.browser

SMALL = "dataset=digits&classes=3&classes=5&classes=8&n=60&test=30&width=8&depth=1&epochs=4&labelled=6&query=4&cycles=3&pool=20&seeds=2"


def test_from_the_choice_to_the_study_and_into_a_file(page: Page, server: Server, tmp_path) -> None:
    opened(page, server, f"/active?{SMALL}&strategies=random&strategies=lookahead")
    page.get_by_role("button", name="Random, Look-ahead (pNTK); 2 repeats").click()
    page.get_by_role("combobox", name="Strategies").click()
    page.get_by_role("option", name="Margin", exact=True).click()
    gone_from_address(page, "strategies=")  # these three are the default
    page.keyboard.press("Escape")
    settled(page)
    compute(page, re.compile("reaches .* with|No strategy reaches"))
    expect(fact(page, "labels")).to_be_visible()
    expect(rows(page, "Look-ahead (pNTK)").first).to_be_visible()
    for name in ("active_accuracy", "active_difference", "active_seconds", "active_balance", "active_overlap"):
        page.locator(f".st-key-chart_{name}").scroll_into_view_if_needed()
        expect(chart(page, name)).to_be_visible()
    assert click_in_chart(page, "active_accuracy", 4, 3) == "Margin"  # the last cycle; three bands come first
    in_address(page, "cycle=3")
    settled(page)
    assert point_in_chart(page, "active_accuracy", 4, 2)[2] == "Margin"
    for name in ("active_accuracy", "active_difference"):  # a strategy is the same in each
        faded = opacities(page, name)
        assert max(faded["margin"]) == 1 and max(max(faded[other]) for other in faded if other != "margin") < 0.2
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert all(max(shown) == 1 for shown in opacities(page, "active_accuracy").values())
    settled(page)
    expect(page.get_by_text("What they picked in cycle 3")).to_be_visible()
    gallery = cards(page, "active_gallery_margin")
    expect(gallery).to_have_count(4)
    moved(page, page.get_by_role("slider", name="Cycle"), "ArrowLeft", 1, "cycle")
    expect(page.get_by_text("What they picked in cycle 2")).to_be_visible()
    settled(page)
    shown = ids(gallery)
    gallery.nth(1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("cycle 2, as number 2 of 4; in", exact=False)).to_be_visible()
    in_address(page, f"image={shown[1]}")
    page.keyboard.press("Escape")
    gone_from_address(page, "image=")
    settled(page)
    with page.expect_download() as waited:
        page.get_by_role("button", name="CSV", exact=True).click()
    waited.value.save_as(tmp_path / "active.csv")
    assert len(list(csv.DictReader((tmp_path / "active.csv").read_text().splitlines()))) == 3 * 2 * 4
    page.locator(".st-key-download_active_norms").get_by_role("button").click()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Data (CSV)").click()
    waited.value.save_as(tmp_path / "picks.csv")
    picked = list(csv.DictReader((tmp_path / "picks.csv").read_text().splitlines()))
    asked = [row["image"] for row in picked if (row["strategy"], row["repeat"], row["cycle"]) == ("Margin", "0", "2")]
    assert asked == shown and len(picked) == 3 * 2 * 3 * 4
