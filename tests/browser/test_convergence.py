"""The convergence page as a person uses it: compute, watch comparisons come, look through training, open a kernel, share it."""

import re

import pytest
from helpers import back, click_in_chart, compute, gone_from_address, in_address, opened
from playwright.sync_api import Page, expect
from running_app import Server, open_page, settled

pytestmark = pytest.mark.browser

TINY = "/convergence?dataset=digits&classes=0&classes=1&classes=2&n=30&test=30&depth=1&widths=8,32&looks=0,2&seeds=2"
DONE = re.compile("^8 comparisons · computed")


# The last trace whose points are networks.
_DOTS = """() => document.querySelector(".st-key-chart_frobenius .js-plotly-plot").data.findLastIndex((trace) => trace.customdata)"""


def dots(page: Page, chart: str):
    """Every network of a chart."""
    return page.locator(f".st-key-chart_{chart} .scatterlayer .points path")


def open_a_dot(page: Page) -> None:
    page.locator(".st-key-chart_frobenius").scroll_into_view_if_needed()
    expect(dots(page, "frobenius")).to_have_count(4)
    click_in_chart(page, "frobenius", page.evaluate(_DOTS), -1)
    expect(page.get_by_role("dialog")).to_be_visible()


def test_from_the_forecast_to_a_kernel_and_to_another_browser(page: Page, server: Server, chromium):
    opened(page, server, TINY)
    expect(page.get_by_text("Not computed yet.")).to_be_visible()
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.locator(".st-key-job_panel")).to_be_visible()
    expect(page.locator(".atlas-fact")).to_be_visible()  # with the first comparison, not with the last
    expect(page.get_by_text(DONE)).to_be_visible()
    settled(page)
    expect(page.locator(".st-key-job_panel")).to_have_count(0)

    page.get_by_role("slider", name="After epoch").focus()
    page.keyboard.press("ArrowRight")
    in_address(page, "epoch=2")
    expect(page.locator(".atlas-evidence")).to_contain_text("after epoch 2")

    open_a_dot(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".heatmaplayer image")).to_be_visible()
    expect(dialog.get_by_text(re.compile("^Pseudo-NTK (not )?sound"))).to_be_visible()
    expect(dialog.get_by_text(re.compile("^Full kernel (not )?sound"))).to_be_visible()
    in_address(page, "point=32-")
    dialog.get_by_text("Error of each pair").click()
    in_address(page, "heat=error")
    shared = page.url
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    gone_from_address(page, "point")

    page.get_by_test_id("stSidebarNavLink").filter(has_text="Learnability").click()
    expect(page.locator("h1")).to_have_text("Learnability")
    settled(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Convergence").click()
    expect(page.locator("h1")).to_have_text("Convergence")
    in_address(page, "widths=8,32")
    expect(page.get_by_text(DONE)).to_be_visible()

    other = open_page(chromium, server)
    second = next(other)
    second.goto(shared + "&kernel=first&over=epoch&width=8")
    settled(second)
    dialog = second.get_by_role("dialog")
    expect(dialog.locator(".heatmaplayer image")).to_be_visible()  # the chart library is loaded anew
    expect(dialog.get_by_text("after epoch 2")).to_be_visible()
    in_address(second, "heat=error")
    second.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(second.locator(".atlas-evidence")).to_contain_text("after epoch 2")
    second.get_by_role("button", name="Why", exact=True).click()
    expect(second.get_by_text(re.compile("the first-logit kernel is"))).to_be_visible()
    second.keyboard.press("Escape")
    expect(second.get_by_role("slider", name="After epoch")).to_have_attribute("aria-valuetext", "2")
    expect(second.get_by_role("slider", name="Width")).to_have_attribute("aria-valuetext", "8")
    other.close()


@pytest.mark.soak
def test_a_dot_opens_again_and_the_charts_go_over_epochs(page: Page, server: Server):
    opened(page, server, TINY)
    compute(page, DONE)
    for _ in range(2):
        open_a_dot(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        settled(page)
    page.get_by_text("Over epochs", exact=True).click()
    in_address(page, "over=epoch")
    expect(page.locator(".st-key-chart_frobenius .legend").filter(has_text="width 8")).to_be_visible()


def number(page: Page, label: str):
    return page.get_by_role("spinbutton", name=label)


@pytest.mark.soak
def test_closed_popovers_say_what_was_chosen_elsewhere(page: Page, server: Server):
    """A widget that the browser does not show must neither show nor send an old value when it does."""
    opened(page, server, TINY)
    data, networks = (page.locator(f".st-key-{key} button").first for key in ("bar_data", "bar_networks"))
    data.click()
    expect(number(page, "Images drawn")).to_have_value("30")
    number(page, "Images drawn").fill("36")
    number(page, "Images drawn").press("Enter")
    in_address(page, "n=36")
    page.keyboard.press("Escape")
    back(page)
    in_address(page, "n=30")
    settled(page)
    networks.click()
    number(page, "Hidden layers").fill("2")
    number(page, "Hidden layers").press("Enter")
    in_address(page, "depth=2")
    page.keyboard.press("Escape")
    data.click()
    expect(number(page, "Images drawn")).to_have_value("30")
    in_address(page, "n=30")
    in_address(page, "widths=8,32")
