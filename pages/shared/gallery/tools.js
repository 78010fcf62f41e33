// What a gallery has beside its cards: the size of thumbnails, a jump to an image, all ticked, none or the others, and the list of keys.
// Stands before gallery.js in one module. Text from data only ever goes through textContent.
const SIZES = [0.75, 1, 1.5, 2.25, 3.25]; // of a card, times what the page asks for
const KEPT_SIZE = "ntk-atlas.thumbnails";
const galleries = new Set(); // that are on the page, for the keys "?" and "u"

function readSize() {
  try {
    const kept = Number(localStorage.getItem(KEPT_SIZE) ?? 1);
    return kept in SIZES ? kept : 1;
  } catch {
    return 1; // a browser that keeps nothing
  }
}

function resize(state, by) {
  const size = Math.min(Math.max(readSize() + by, 0), SIZES.length - 1);
  try {
    localStorage.setItem(KEPT_SIZE, String(size));
  } catch {
    state.size = size;
  }
  for (const other of galleries) sized(other, size);
}

function sized(state, size = readSize()) {
  state.gallery.style.setProperty("--cell", `${Math.round(state.data.cell * SIZES[size])}px`);
  state.gallery.style.setProperty("--cell-height", `${Math.round(state.data.tall * SIZES[size])}px`);
}

function keyList(box, keys) {
  box.replaceChildren();
  for (const [key, does] of keys) {
    const k = document.createElement("kbd");
    k.textContent = key;
    const item = document.createElement("span");
    item.append(k, ` ${does}`);
    box.append(item);
  }
}

function button(text, title, does) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.title = title;
  made.setAttribute("aria-label", title);
  made.addEventListener("click", does);
  return made;
}

// The next card after the focused one whose image has this number, or whose name or title has this text.
function found(state, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const exact = state.cells.find((cell) => cell.dataset.id === wanted);
  if (exact) return exact;
  const from = state.cells.findIndex((cell) => cell.tabIndex === 0) + 1;
  const turned = [...state.cells.slice(from), ...state.cells.slice(0, from)];
  return turned.find((cell) => cell.title.toLowerCase().includes(wanted)) ?? null;
}

function showKeys(state, shown) {
  state.help.hidden = !shown;
  state.helper.setAttribute("aria-expanded", String(shown));
}

// A last filter that leaves few cards, or none, can be undone as any other.
function buildTools(state, act, seek) {
  const { data } = state;
  const undo = data.undo ? [button("undo", "Undo the last selection or filter", act.undo)] : [];
  const tag = data.tag && state.cells.length ? [button("tag", "Tag those ticked, or selected in the chart, or the one at hand", act.tag)] : [];
  state.tools.replaceChildren();
  state.jump = null;
  state.helper = button("?", "The keys of this gallery", () => showKeys(state, state.help.hidden));
  if (!data.tools || !state.cells.length) {
    state.tools.hidden = !undo.length && !tag.length;
    state.tools.append(...tag, ...undo);
    return;
  }
  state.tools.hidden = false;
  const jump = document.createElement("input");
  jump.type = "search";
  jump.placeholder = "number or file name";
  jump.setAttribute("aria-label", "Go to a number or a file name");
  jump.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the page's keys are letters, too
    if (event.key === "Escape") act.focus(state.cells.find((cell) => cell.tabIndex === 0));
    if (event.key !== "Enter") return;
    const cell = found(state, jump.value);
    if (!cell && data.seek && jump.value.trim()) return seek(jump.value);
    jump.setCustomValidity(cell ? "" : "Not among those shown.");
    jump.reportValidity();
    if (cell) act.focus(cell);
  });
  jump.addEventListener("input", () => jump.setCustomValidity(""));
  state.jump = jump;
  state.tools.append(
    jump,
    button("−", "Smaller thumbnails", () => resize(state, -1)),
    button("+", "Larger thumbnails", () => resize(state, 1)),
    ...(data.ticks ? [button("all", "Tick all shown", act.all), button("invert", "Tick the others of those shown", act.invert)] : []),
    ...tag,
    ...undo,
    state.helper,
  );
}

document.addEventListener("keydown", (event) => {
  const into = event.composedPath()[0];
  if (!"?u".includes(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(into.tagName) || into.isContentEditable) return;
  if (document.querySelector(".st-key-person")) return; // a page whose own keys are shown
  for (const state of galleries) if (!state.gallery.isConnected) galleries.delete(state);
  if (event.key === "u") {
    if (!document.querySelector('[role="dialog"]')) [...galleries].find((state) => state.data.undo)?.act.undo();
    return;
  }
  const first = [...galleries].find((state) => state.data.tools && state.cells.length);
  if (!first) return;
  showKeys(first, first.help.hidden);
  if (!first.help.hidden) first.help.scrollIntoView({ block: "nearest" });
});
