// Small histograms; dragging over one brushes a range, a double click or Backspace takes it off, arrows move its ends (with Shift the upper one).
const instances = new WeakMap();
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// A number with two or three digits as the pages write them: 0.042, 8.1·10⁻⁹.
function told(value) {
  const size = Math.abs(value);
  if (size && (size < 1e-3 || size >= 1e5)) {
    const [digits, power] = value.toExponential(1).split("e");
    const raised = [...power.replace("+", "")].map((sign) => (sign === "-" ? "⁻" : RAISED[sign])).join("");
    return `${digits}·10${raised}`.replace("-", "−");
  }
  return Number(value.toPrecision(3)).toString().replace("-", "−");
}

// Places are counted in bars, so that a scale of any kind is brushed alike.
function placeOf(edges, value, none) {
  if (value === null) return none;
  const above = edges.findIndex((edge) => edge >= value);
  if (above < 0) return edges.length - 1;
  if (above === 0) return 0;
  return above - 1 + (value - edges[above - 1]) / (edges[above] - edges[above - 1]);
}

function valueAt(edges, place) {
  const below = Math.min(Math.max(Math.floor(place), 0), edges.length - 2);
  return edges[below] + (place - below) * (edges[below + 1] - edges[below]);
}

function build(item, send) {
  const last = item.counts.length, most = Math.max(...item.counts, 1);
  const box = document.createElement("div"), title = document.createElement("div"), bars = document.createElement("div"), ends = document.createElement("div");
  box.className = "brush";
  title.className = "title";
  bars.className = "bars";
  ends.className = "ends";
  title.textContent = title.title = item.title;
  bars.tabIndex = 0;
  bars.setAttribute("role", "group");
  const low = document.createElement("span"), high = document.createElement("span");
  ends.append(low, high);
  const drawn = item.counts.map((count) => {
    const bar = document.createElement("div");
    bar.className = "bar";
    bar.style.height = count ? `${Math.max(6, (100 * count) / most)}%` : "0";
    bars.append(bar);
    return bar;
  });
  let range = [placeOf(item.edges, item.range[0], 0), placeOf(item.edges, item.range[1], last)], from = null;
  const show = () => {
    const brushed = range[0] > 0 || range[1] < last;
    drawn.forEach((bar, at) => bar.classList.toggle("in", brushed && at + 1 > range[0] && at < range[1]));
    const values = [told(valueAt(item.edges, range[0])), told(valueAt(item.edges, range[1]))];
    [low.textContent, high.textContent] = values;
    bars.setAttribute("aria-label", `${item.title}, ${values[0]} to ${values[1]}`);
  };
  const say = () => {
    const [lower, upper] = range;
    const at = (place) => valueAt(item.edges, place);
    send({ name: item.name, low: lower <= 0 ? null : at(lower), high: upper >= last ? null : at(upper), t: Date.now() });
  };
  const place = (event) => {
    const { left, width } = bars.getBoundingClientRect();
    return Math.min(Math.max((last * (event.clientX - left)) / width, 0), last);
  };
  const set = (one, other) => {
    range = [Math.floor(Math.min(one, other)), Math.ceil(Math.max(one, other))];
    show();
  };
  bars.addEventListener("pointerdown", (event) => {
    from = place(event);
    bars.setPointerCapture(event.pointerId);
  });
  bars.addEventListener("pointermove", (event) => from !== null && set(from, place(event)));
  bars.addEventListener("pointerup", (event) => {
    const to = place(event);
    if (from !== null && Math.abs(to - from) > 0.3) {
      set(from, to);
      say();
    }
    from = null;
  });
  const clear = () => {
    range = [0, last];
    show();
    say();
  };
  bars.addEventListener("dblclick", clear);
  bars.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Backspace" || event.key === "Delete") clear();
    else if (step) {
      const end = event.shiftKey ? 1 : 0;
      const moved = Math.round(range[end]) + step;
      range[end] = end ? Math.min(Math.max(moved, range[0] + 1), last) : Math.max(Math.min(moved, range[1] - 1), 0);
      show();
      say();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  show();
  box.append(title, bars, ends);
  return box;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let row = instances.get(parentElement);
  if (!row) {
    row = document.createElement("div");
    row.className = "row";
    parentElement.append(row);
    instances.set(parentElement, row);
  }
  const focused = [...row.children].findIndex((box) => box.contains(parentElement.activeElement));
  row.replaceChildren(...data.histograms.map((item) => build(item, (said) => setTriggerValue("brushed", said))));
  row.children[focused]?.querySelector(".bars").focus();
}
