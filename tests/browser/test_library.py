"""Saving an analysis in a browser; somebody else opens it by its short address, writes notes and tags, finds, throws away and restores."""

import re

from helpers import in_address, opened
from playwright.sync_api import expect
from running_app import open_page, settled
from seeded import SHARED


def test_an_analysis_is_saved_shared_noted_tagged_and_restored(page, server, chromium):
    opened(page, server, f"/influence?{SHARED}&ridge=1.0")
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Flipped labels")
    dialog.get_by_label("Your name").fill("Ann")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as “Flipped labels”, version 1 by Ann")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Share", exact=True).click()
    address = page.get_by_text(re.compile(r"/open\?a=\w{4}-1$")).inner_text().strip()
    assert address.startswith(f"{server.url}/open")

    for other in open_page(chromium, server):
        other.goto(address)
        expect(other.get_by_text("Saved as “Flipped labels”, version 1 by Ann")).to_be_visible()
        settled(other)
        code = address.split("=")[1]
        slider = other.get_by_role("slider", name="Regularisation λ")
        expect(slider).to_have_attribute("aria-valuetext", "1")
        slider.focus()
        other.keyboard.press("ArrowRight")
        expect(other.get_by_text(re.compile("changed since: λ 1 → 3.16"))).to_be_visible()  # written anew after a part of the page
        in_address(other, f"a={code}&ridge=3.16")
        other.get_by_role("button", name="Notes", exact=True).click()
        other.get_by_placeholder("What is to be seen here?").fill("Why these?")
        other.get_by_role("button", name="Keep the note").click()
        expect(other.locator(".atlas-note")).to_have_text("Why these?")
        other.keyboard.press("Escape")
        expect(other.get_by_role("button", name="Notes: 1")).to_be_visible()

        opened(other, server, f"/influence?a={code}&image=3")
        other.get_by_role("dialog").get_by_role("combobox", name="Tags").click()
        other.keyboard.type("smudged")
        expect(other.get_by_text("Add: smudged")).to_be_visible()
        other.keyboard.press("Enter")
        expect(other.get_by_role("dialog").get_by_text("smudged", exact=True).first).to_be_visible()
        settled(other)

        opened(other, server, "/library")
        search = other.get_by_placeholder("title, note, tag, data set, author")
        for word, count in (("smudged these", 1), ("nowhere", 0), ("flipped ann", 1)):
            search.fill(word)
            search.press("Enter")
            expect(other.locator("[class*=st-key-saved_open_]")).to_have_count(count)
        card = other.locator(f".st-key-saved_{code.split('-')[0]}")
        expect(card.locator("img")).to_have_count(5)
        card.locator("[class*=st-key-saved_trash_] button").first.click()
        expect(other.get_by_text("Nothing saved has all of this")).to_be_visible()
        other.get_by_role("radio", name="Trash").click()
        other.get_by_role("button", name="Restore").click()
        expect(other.get_by_text("Nothing saved has all of this")).to_be_visible()
        other.get_by_role("radio", name="Everybody’s").click()
        card.get_by_role("button", name="Open").click()
        expect(other.get_by_text("Saved as “Flipped labels”, version 1 by Ann")).to_be_visible()
        settled(other)
