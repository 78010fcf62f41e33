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
