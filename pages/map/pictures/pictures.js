// Images over a plotly chart whose points carry their image's number as customdata: plotly draws none itself. A click tells its image here,
// and not as plotly's selection, which would have to be cleared before the next.
// Points of others, beside the chart's own, carry -1 - their number. Contours go where the chart is zoomed in.
// Text from data only ever goes through textContent.
const HOVER = 112; // pixels of the image that is pointed at
const SMALL = 34; // of those drawn in place of their points
const instances = new WeakMap();

const THEME = ["--st-background-color", "--st-border-color", "--st-primary-color", "--st-text-color"];

function layer(plot, host) {
  const over = document.createElement("div");
  const theme = getComputedStyle(host);
  for (const name of THEME) over.style.setProperty(name, theme.getPropertyValue(name));
  over.className = "atlas-over";
  Object.assign(over.style, { position: "absolute", inset: "0", pointerEvents: "none", overflow: "hidden", zIndex: "2" });
  plot.style.position = "relative";
  plot.append(over);
  const hover = document.createElement("div");
  hover.style.cssText =
    "position:absolute;display:none;padding:4px;border-radius:8px;background:var(--st-background-color);color:var(--st-text-color);" +
    "border:1px solid var(--st-border-color);box-shadow:0 2px 10px rgba(0,0,0,.25);max-width:260px;font-size:13px;line-height:1.35";
  over.append(hover);
  return { over, hover, drawn: [] };
}

function at(plot, x, y) {
  const { xaxis, yaxis, _size } = plot._fullLayout;
  return [_size.l + xaxis.l2p(x), _size.t + yaxis.l2p(y)];
}

function* points(plot) {
  for (const trace of plot._fullData ?? []) {
    if (trace.visible !== true || !trace.customdata) continue;
    for (let i = 0; i < trace.customdata.length; i++) yield [Number(trace.customdata[i]), trace.x[i], trace.y[i]];
  }
}

function inside(plot, x, y) {
  const [a, b] = plot._fullLayout.xaxis.range, [c, d] = plot._fullLayout.yaxis.range;
  return x >= Math.min(a, b) && x <= Math.max(a, b) && y >= Math.min(c, d) && y <= Math.max(c, d);
}

function picture(data, id, size) {
  const image = document.createElement("img");
  image.src = id < 0 ? `${data.aside}${-1 - id}` : `${data.base}${id}`;
  image.alt = "";
  image.style.cssText = `width:${size}px;height:${size}px;object-fit:contain;border-radius:4px;display:block`;
  if (!data.smooth) image.style.imageRendering = "pixelated";
  return image;
}

// Whether less than half of what the contours go across is in sight.
function zoomedIn(plot) {
  const across = plot._fullData?.find(({ type }) => type === "contour")?.x, [from, to] = plot._fullLayout.xaxis.range;
  return across !== undefined && Math.abs(to - from) < 0.5 * Math.abs(across[across.length - 1] - across[0]);
}

function draw(state) {
  const { plot, data, mine } = state;
  for (const old of mine.drawn) old.remove();
  mine.drawn = [];
  if (!plot._fullLayout?._size || !plot._fullLayout.xaxis) return;
  for (const lines of plot.querySelectorAll(".contourlayer")) lines.style.display = zoomedIn(plot) ? "none" : "";
  const seen = [], marked = new Set(data.marked);
  let many = 0;
  for (const [id, x, y] of points(plot)) {
    if (!inside(plot, x, y)) continue;
    if (++many <= data.few || marked.has(id)) seen.push([id, x, y]);
  }
  const few = many <= data.few;
  for (const [id, x, y] of seen) {
    if (!few && !marked.has(id)) continue;
    const [left, top] = at(plot, x, y);
    const cell = few ? picture(data, id, SMALL) : document.createElement("div");
    const side = few ? SMALL : 15;
    cell.style.width = cell.style.height = `${side}px`;
    cell.style.boxSizing = "border-box";
    cell.style.position = "absolute";
    cell.style.left = `${left - side / 2}px`;
    cell.style.top = `${top - side / 2}px`;
    cell.dataset.image = id;
    if (id < 0) cell.style.outline = "2px dashed var(--st-text-color)";
    if (marked.has(id)) cell.style.boxShadow = "0 0 0 2px var(--st-primary-color)";
    if (!few) cell.style.borderRadius = "50%";
    mine.over.append(cell);
    mine.drawn.push(cell);
  }
}

function point(state, event) {
  const { plot, data, mine } = state, found = event.points?.[0];
  if (!found || found.customdata === undefined || found.customdata === null) return;
  const id = Number(found.customdata);
  if (state.pointed === id) return;
  state.pointed = id;
  mine.hover.replaceChildren();
  const text = id < 0 ? data.others[-1 - id] : data.texts[id];
  if (text === undefined) mine.hover.append(picture(data, id, HOVER));
  else mine.hover.append(text);
  const [left, top] = at(plot, found.x, found.y), { clientWidth: wide } = plot;
  mine.hover.style.display = "block";
  const width = mine.hover.offsetWidth, height = text === undefined ? HOVER + 10 : mine.hover.offsetHeight;
  mine.hover.style.left = `${Math.min(Math.max(0, left - width / 2), wide - width)}px`;
  mine.hover.style.top = `${top - height - 18 > 0 ? top - height - 18 : top + 18}px`;
}

function attach(state) {
  const plot = document.querySelector(`.st-key-${state.data.chart} .js-plotly-plot`);
  if (!plot || !plot._fullLayout || plot === state.plot) return;
  state.mine?.over.remove();
  state.plot = plot;
  state.mine = layer(plot, state.host);
  plot.on("plotly_hover", (event) => point(state, event));
  plot.on("plotly_click", (event) => {
    const found = event.points?.find(({ customdata }) => customdata !== undefined && customdata !== null);
    if (found && Number(found.customdata) >= 0) state.tell("opened", { id: Number(found.customdata), t: Date.now() });
  });
  plot.on("plotly_unhover", () => {
    state.pointed = null;
    state.mine.hover.style.display = "none";
  });
  for (const name of ["plotly_relayout", "plotly_redraw", "plotly_afterplot"]) plot.on(name, () => draw(state));
  draw(state);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = instances.get(parentElement);
  if (!state) {
    state = { data, host: parentElement.host ?? parentElement };
    instances.set(parentElement, state);
    // The chart may come later than this, and a changed one is another element.
    state.clock = setInterval(() => (parentElement.isConnected ? attach(state) : clearInterval(state.clock)), 250);
  }
  state.data = data;
  state.tell = setTriggerValue;
  attach(state);
  if (state.plot?.isConnected) draw(state);
}
