"""The gallery's own script: which data it shows and listens for, in whatever order it is told of them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

_HERE = Path(__file__).resolve().parents[2] / "pages" / "shared" / "gallery"
SCRIPT = (_HERE / "tools.js").read_text() + (_HERE / "gallery.js").read_text()
SCRIPT_CSS = (_HERE / "gallery.css").read_text()

TOLD = """async ([script, turns]) => {
  const show = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  const parentElement = document.body.appendChild(document.createElement("div"));
  const opened = [];
  for (const turn of turns) {
    const item = [turn, `image ${turn}`, "", "", "", false, `image ${turn}`];
    const data = { turn, items: [item], base: "data:,", ticked: [], revision: 1, current: null, empty: "", height: 0, cell: 90,
      tall: 140, ticks: false, open: true, keys: [], more: [], like: "" };
    const cleanup = show({ data, parentElement, setStateValue: () => {}, setTriggerValue: (_, value) => opened.push(value.id) });
    cleanup?.(); // as Streamlit does at once where the data were replaced before they were drawn
  }
  const cells = [...parentElement.querySelectorAll(".cell")];
  cells.forEach((cell) => cell.querySelector("img").click());
  return [cells.map((cell) => Number(cell.dataset.id)), opened];
}"""


@pytest.mark.parametrize("turns", [[1], [1, 2], [2, 1], [1, 3, 2], [2, 2]])
def test_the_newest_data_are_shown_and_answer_once(chromium: Browser, turns: list[int]):
    page = chromium.new_page()
    shown, opened = page.evaluate(TOLD, [SCRIPT, turns])
    page.close()
    assert shown == [max(turns)]
    assert opened == [max(turns)]


TEXT = """async ([script, css, text]) => {
  const show = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  const parentElement = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  parentElement.innerHTML = `<style>${css}</style>`;
  const items = [[0, "good", "", "1.0", "", false, "Text 0.", text], [1, "bad", "", "2.0", "", false, "Text 1.", "Short."]];
  const data = { turn: 1, items, base: "data:,", ticked: [], revision: 1, current: null, empty: "", height: 0, cell: 160, tall: 166,
    ticks: "", open: true, keys: [], more: [], like: "" };
  show({ data, parentElement, setStateValue: () => {}, setTriggerValue: () => {} });
  const cells = [...parentElement.querySelectorAll(".cell")];
  return { said: cells.map((cell) => cell.querySelector(".text").textContent), images: parentElement.querySelectorAll("img, b").length,
    names: cells.map((cell) => cell.getAttribute("aria-label")), heights: cells.map((cell) => cell.offsetHeight) };
}"""


def test_cards_of_text_hold_text_alone_and_are_as_high_as_each_other(chromium: Browser):
    text = "<b>Bold</b> <img src=x onerror=alert(1)> " + "a long review " * 30
    page = chromium.new_page(viewport={"width": 600, "height": 400})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    found = page.evaluate(TEXT, [SCRIPT, SCRIPT_CSS, text])
    page.close()
    assert found["said"] == [text, "Short."]
    assert found["images"] == 0
    assert found["names"] == [f"Text 0. {text}", "Text 1. Short."]
    assert found["heights"][0] == found["heights"][1]


TICKED = """async ([script, css]) => {
  const show = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  const parentElement = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  parentElement.innerHTML = `<style>${css}</style>`;
  const items = Array.from({ length: 20 }, (_, i) => [i, `${i % 3}`, "", "", "", false, `Image ${i}, folder/photo_${i}.png.`]);
  const data = { turn: 1, items, base: "data:,", ticked: [19], revision: 4, current: null, empty: "", height: 0, cell: 90, tall: 140,
    ticks: "put in the basket", open: true, keys: [["arrows", "move"]], more: [["A", "tick all shown"]], like: "more like this",
    undo: true, tools: true, tag: true };
  window.told = [];
  const setTriggerValue = (name, { id, ids, at }) => window.told.push([name, id ?? [ids, at]]);
  show({ data, parentElement, setStateValue: (_, value) => window.told.push(value), setTriggerValue });
}"""


def test_ranges_all_the_others_undo_likeness_size_and_a_jump(chromium: Browser):
    page = chromium.new_page(viewport={"width": 800, "height": 700})
    page.route("https://atlas.test/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("https://atlas.test/")  # a page with storage
    page.evaluate(TICKED, [SCRIPT, SCRIPT_CSS])
    cells = page.locator(".cell")

    def last():
        return page.evaluate("told.at(-1)")

    cells.nth(2).hover()
    cells.nth(2).locator(".tick").click()
    cells.nth(6).click(modifiers=["Shift"])
    assert last() == {"revision": 4, "ids": [2, 3, 4, 5, 6, 19]}
    page.keyboard.press("i")
    assert last()["ids"] == [i for i in range(20) if i not in (2, 3, 4, 5, 6, 19)]
    page.get_by_role("button", name="Tick all shown").click()
    assert last()["ids"] == list(range(20))
    page.get_by_role("button", name="Undo").click()
    assert last()[0] == "undone"
    cells.nth(6).focus()
    page.keyboard.press("m")
    assert last() == ["liked", 6]
    page.keyboard.press("t")
    assert last() == ["tagged", [list(range(20)), 6]]
    page.get_by_role("button", name="Tag those ticked").click()
    assert last() == ["tagged", [list(range(20)), 6]]
    cells.nth(6).focus()
    page.keyboard.press("/")
    page.keyboard.type("photo_17")
    page.keyboard.press("Enter")
    assert cells.nth(17).evaluate("cell => cell.matches(':focus')")
    before = cells.nth(0).bounding_box()["width"]
    page.keyboard.press("+")
    assert cells.nth(0).bounding_box()["width"] > before
    assert page.locator(".help").is_hidden()
    page.keyboard.press("?")
    assert page.locator(".help").is_visible() and "tick all shown" in page.locator(".help").inner_text()
    page.close()


FEW = """async ([script, css, count]) => {
  const show = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  const parentElement = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  parentElement.innerHTML = `<style>${css}</style>`;
  const items = Array.from({ length: count }, (_, i) => [i, "3", "", "", "", false, `Image ${i}.`]);
  const data = { turn: 1, items, base: "data:,", ticked: [], revision: 1, current: null, empty: "None.", height: 0, cell: 90, tall: 140,
    ticks: "", open: true, keys: [["arrows", "move"]], more: [], like: "", undo: true, seek: true, tools: count > 0 };
  window.told = [];
  const setTriggerValue = (name, { text }) => window.told.push([name, text]);
  show({ data, parentElement, setStateValue: () => {}, setTriggerValue });
}"""


@pytest.mark.parametrize("count", [0, 3])
def test_a_filter_that_leaves_few_can_be_undone_and_other_images_are_sought(chromium: Browser, count: int):
    page = chromium.new_page()
    page.evaluate(FEW, [SCRIPT, SCRIPT_CSS, count])
    page.get_by_role("button", name="Undo").click()
    page.keyboard.press("Tab")
    page.locator("body").press("u")  # wherever the focus is
    assert page.evaluate("told") == [["undone", None], ["undone", None]]
    if count:
        page.get_by_role("searchbox").fill("photo_99")
        page.keyboard.press("Enter")
        assert page.evaluate("told.at(-1)") == ["sought", "photo_99"]
    page.close()
