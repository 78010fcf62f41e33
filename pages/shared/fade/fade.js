// Pointing at a trace lets those fade that are another's: in all charts, as a strategy is the same in each. Whose a trace is, its "meta" says.
const FADED = 0.15;
const heard = new WeakSet(); // by the function that plotly gives a chart anew when it is drawn anew

function show(whose) {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    for (const trace of plot._fullData ?? []) {
      const drawn = trace.meta === undefined ? null : plot.querySelector(`.trace${trace.uid}`);
      if (drawn) drawn.style.opacity = trace.opacity * (whose === undefined || trace.meta === whose ? 1 : FADED);
    }
  }
}

function pointed(event) {
  const plot = event.target.closest?.(".js-plotly-plot");
  if (!plot?.on || heard.has(plot.on)) return;
  heard.add(plot.on);
  plot.on("plotly_hover", ({ points }) => show(points[0].fullData.meta));
  plot.on("plotly_unhover", () => show(undefined));
}

export default function () {
  document.addEventListener("pointerover", pointed);
  return () => {
    document.removeEventListener("pointerover", pointed);
    show(undefined);
  };
}
