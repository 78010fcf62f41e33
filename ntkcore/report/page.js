// Draws the charts, opens images closely, saves tables. Text from data only ever goes through textContent.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const PRINTED = 680; // pixels of a printed page's width

const plots = Object.entries(data.charts).map(([id, figure]) => {
  const plot = document.getElementById(id);
  const buttons = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["autoScale2d", "zoomIn2d", "zoomOut2d", "select2d", "lasso2d"] };
  Plotly.newPlot(plot, figure.data, figure.layout, { ...buttons, toImageButtonOptions: { filename: id, scale: 2 } });
  return plot;
});
addEventListener("beforeprint", () => plots.forEach((plot) => Plotly.relayout(plot, { autosize: false, width: PRINTED })));
addEventListener("afterprint", () => plots.forEach((plot) => Plotly.relayout(plot, { autosize: true, width: null })));

const dialog = document.getElementById("inspector");
const cards = [...document.querySelectorAll(".card")];
let open = null;

function show(card) {
  open = card;
  const facts = data.facts[card.dataset.gallery][Number(card.dataset.at)];
  document.getElementById("inspected").textContent = card.title;
  const picture = document.getElementById("picture");
  const image = card.querySelector("img");
  if (image) {
    const large = document.createElement("img");
    large.src = image.src;
    large.alt = card.title;
    large.className = card.classList.contains("smooth") ? "smooth" : "";
    picture.replaceChildren(large);
  } else {
    const words = document.createElement("div");
    words.className = "words";
    words.textContent = facts.text ?? "";
    picture.replaceChildren(words);
  }
  const rows = facts.rows.map(([name, value]) => {
    const row = document.createElement("tr");
    const [head, cell] = [document.createElement("th"), document.createElement("td")];
    head.textContent = name;
    cell.textContent = value;
    row.append(head, cell);
    return row;
  });
  document.getElementById("facts").replaceChildren(...rows);
  if (!dialog.open) dialog.showModal();
}

function step(by) {
  const own = cards.filter((card) => card.dataset.gallery === open.dataset.gallery);
  const next = own[own.indexOf(open) + by];
  if (next) show(next);
}

for (const card of cards) card.addEventListener("click", () => show(card));
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
});
dialog.addEventListener("close", () => open?.focus());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
document.getElementById("previous").addEventListener("click", () => step(-1));
document.getElementById("next").addEventListener("click", () => step(1));
document.getElementById("close").addEventListener("click", () => dialog.close());

for (const button of document.querySelectorAll(".save")) {
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([data.tables[Number(button.dataset.table)]], { type: "text/csv" }));
    link.download = button.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
document.documentElement.dataset.ready = "yes";
