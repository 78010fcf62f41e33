"""The toy of the information page as a person uses it: opened, another point clicked, shared, downloaded."""

from pathlib import Path

import pytest
from helpers import fact as told
from helpers import in_address, opened
from playwright.sync_api import Page, expect
from running_app import Server, settled
from seeded import SHARED

pytestmark = pytest.mark.browser

TINY = f"/information?{SHARED}&toy-runs=200&toy-epochs=6"


@pytest.mark.soak
def test_opened_a_point_clicked_and_shared(page: Page, server: Server):
    opened(page, server, TINY)
    toggle = page.get_by_text("Show the toy: where the bound comes from")
    expect(toggle).to_be_visible()  # below all else
    toggle.click()
    fact = told(page, "that no other point tells")
    expect(fact).to_contain_text("of point 52")
    settled(page)
    points = page.locator(".st-key-plot_toy_points .nsewdrag")
    points.scroll_into_view_if_needed()
    where = page.locator(".st-key-plot_toy_points .scatterlayer .trace:nth-of-type(1) .point").first.bounding_box()
    assert where is not None
    page.mouse.click(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
    in_address(page, "toy-point=")
    settled(page)
    said = fact.inner_text()
    assert "of point 52" not in said
    page.locator(".st-key-download_toy_weights button:visible").click()  # Streamlit keeps one unseen of what a spinner replaced
    with page.expect_download() as saved:
        page.get_by_role("button", name="Data (CSV)").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[0] == "trained,w1,w2" and len(lines) == 601
    page.reload()
    expect(fact).to_have_text(said)
