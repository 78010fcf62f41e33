// The original of a photograph with zoom: wheel, drag, double click, buttons, the keys + - 0, the whole screen.
// Text from data only ever goes through textContent and alt.
const instances = new WeakMap();
const MOST = 16;

function button(label, text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.title = label;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    act();
  });
  made.addEventListener("pointerdown", (event) => event.stopPropagation());
  made.addEventListener("dblclick", (event) => event.stopPropagation());
  return made;
}

// Four corners: no font that is bundled has the sign for it.
function corners() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("width", "14");
  svg.setAttribute("height", "14");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4");
  path.setAttribute("fill", "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", "1.6");
  svg.append(path);
  return svg;
}

function build(root) {
  const photo = document.createElement("div");
  photo.className = "photo";
  const frame = document.createElement("div");
  frame.className = "frame";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  const image = document.createElement("img");
  const failed = document.createElement("div");
  failed.className = "failed";
  failed.hidden = true;
  const tools = document.createElement("div");
  tools.className = "tools";
  const below = document.createElement("div");
  below.className = "seen";
  const seen = document.createElement("img");
  const says = document.createElement("span");
  below.append(seen, says);
  frame.append(image, failed, tools);
  photo.append(frame, below);
  root.append(photo);
  const state = { photo, frame, image, failed, seen, says, scale: 1, x: 0, y: 0, held: new Map() };

  const show = () => {
    const { clientWidth: width, clientHeight: height } = frame;
    state.x = Math.min(0, Math.max(width * (1 - state.scale), state.x));
    state.y = Math.min(0, Math.max(height * (1 - state.scale), state.y));
    image.style.transform = `translate(${state.x}px, ${state.y}px) scale(${state.scale})`;
    frame.classList.toggle("near", state.scale > 1);
    const fits = Math.min(width / (image.naturalWidth || 1), height / (image.naturalHeight || 1));
    image.classList.toggle("pixels", state.scale * fits > 3);
    frame.dataset.scale = state.scale.toFixed(2);
  };
  const zoom = (factor, at) => {
    const scale = Math.min(MOST, Math.max(1, state.scale * factor));
    const point = at ?? { x: frame.clientWidth / 2, y: frame.clientHeight / 2 };
    state.x = point.x - ((point.x - state.x) * scale) / state.scale;
    state.y = point.y - ((point.y - state.y) * scale) / state.scale;
    state.scale = scale;
    show();
  };
  const whole = () => {
    state.scale = 1;
    show();
  };
  const place = (event) => {
    const box = frame.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  frame.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), place(event));
  }, { passive: false });
  frame.addEventListener("dblclick", (event) => (state.scale > 1 ? whole() : zoom(4, place(event))));
  frame.addEventListener("pointerdown", (event) => {
    frame.setPointerCapture(event.pointerId);
    state.held.set(event.pointerId, place(event));
  });
  frame.addEventListener("pointermove", (event) => {
    const before = state.held.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const other = [...state.held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
      zoom(apart(now, other) / apart(before, other), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else {
      state.x += now.x - before.x;
      state.y += now.y - before.y;
      show();
    }
    state.held.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => state.held.delete(event.pointerId));
  frame.addEventListener("keydown", (event) => {
    const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 }[event.key];
    if (factor === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (factor) zoom(factor);
    else whole();
  });
  image.addEventListener("load", show);
  image.addEventListener("error", async () => {
    image.hidden = true;
    failed.hidden = false;
    const answer = await fetch(image.src).catch(() => null);
    failed.textContent = answer ? await answer.text() : "The original could not be loaded.";
  });
  tools.append(
    button("Larger", "+", () => zoom(1.5)),
    button("Smaller", "−", () => zoom(1 / 1.5)),
    button("Whole image", "▢", whole),
  );
  if (frame.requestFullscreen) {
    const screen = button("Whole screen", "", () => (document.fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen()));
    screen.append(corners());
    tools.append(screen);
    frame.addEventListener("fullscreenchange", whole);
  }
  state.whole = whole;
  return state;
}

export default function ({ data, parentElement }) {
  let state = instances.get(parentElement);
  if (!state) {
    state = build(parentElement);
    instances.set(parentElement, state);
  }
  if (state.src !== data.original) {
    state.src = data.original;
    state.image.hidden = false;
    state.failed.hidden = true;
    state.image.src = data.original;
    state.whole();
  }
  state.image.alt = data.name;
  state.frame.setAttribute("aria-label", `${data.name}: the original. Keys: + and - zoom, 0 shows it whole`);
  if (state.seen.getAttribute("src") !== data.seen) state.seen.src = data.seen;
  state.seen.alt = "";
  state.says.textContent = `What the network sees: ${data.side}`;
}
