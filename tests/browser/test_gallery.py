"""The gallery's own script: which data it shows and listens for, in whatever order it is told of them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SCRIPT = (Path(__file__).resolve().parents[2] / "pages" / "parts" / "gallery.js").read_text()

TOLD = """async ([script, turns]) => {
  const show = (await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))).default;
  const parentElement = document.body.appendChild(document.createElement("div"));
  const opened = [];
  for (const turn of turns) {
    const item = [turn, `image ${turn}`, "", "", "", false, `image ${turn}`];
    const data = { turn, items: [item], base: "data:,", ticked: [], revision: 1, current: null, empty: "", height: 0, cell: 90,
      ticks: false, open: true, keys: [] };
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
