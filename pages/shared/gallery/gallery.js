// A grid of thumbnails, lazily loaded, or of cards of text; operated by mouse or keyboard.
// Text from data only ever goes through textContent: labels and file names are the users' own.
const instances = new WeakMap();

function build(root) {
  const gallery = document.createElement("div");
  gallery.className = "gallery";
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  const grid = document.createElement("div");
  grid.className = "grid";
  grid.setAttribute("role", "listbox");
  grid.setAttribute("aria-multiselectable", "true");
  const empty = document.createElement("div");
  empty.className = "empty";
  const hint = document.createElement("p");
  hint.className = "hint";
  scroll.append(grid, empty);
  gallery.append(scroll, hint);
  root.append(gallery);
  return { gallery, scroll, grid, empty, hint, ticked: new Set(), revision: null, drawn: null, cells: [] };
}

function showHint(hint, keys) {
  hint.replaceChildren();
  for (const [key, does] of keys) {
    const k = document.createElement("kbd");
    k.textContent = key;
    hint.append(k, ` ${does}   `);
  }
}

function line(left, leftClass, right, rightClass) {
  const row = document.createElement("div");
  row.className = "line";
  const a = document.createElement("span");
  a.className = leftClass;
  a.textContent = left;
  const b = document.createElement("span");
  b.className = rightClass;
  b.textContent = right;
  row.append(a, b);
  return row;
}

function cellOf(item, data) {
  const [id, name, corner, left, right, wrong, title, text] = item;
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.dataset.id = id;
  cell.tabIndex = -1;
  cell.title = title;
  cell.setAttribute("role", "option");
  cell.setAttribute("aria-label", text === undefined ? title : `${title} ${text}`);
  let image;
  if (text === undefined) {
    image = document.createElement("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.alt = "";
    image.classList.toggle("smooth", data.smooth);
    image.src = `${data.base}${id}`;
  } else {
    image = document.createElement("div");
    image.className = "text";
    image.textContent = text;
  }
  const tick = document.createElement("button");
  tick.className = "tick";
  tick.type = "button";
  tick.tabIndex = -1;
  tick.textContent = "✓";
  tick.setAttribute("role", "checkbox");
  tick.setAttribute("aria-label", data.ticks);
  tick.setAttribute("aria-checked", "false");
  cell.append(image, ...(data.ticks ? [tick] : []), line(name, "name", corner, wrong ? "wrong" : "quiet"), line(left, "quiet", right, "quiet"));
  return cell;
}

function showTicks(state) {
  for (const cell of state.cells) {
    const ticked = state.ticked.has(Number(cell.dataset.id));
    cell.querySelector(".tick")?.setAttribute("aria-checked", String(ticked));
    cell.setAttribute("aria-selected", String(ticked));
  }
}

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  let state = instances.get(parentElement);
  if (!state) {
    state = build(parentElement);
    instances.set(parentElement, state);
  }
  // While this module loads, calls for older and newer data wait together, and may come in any order: the newest data stay.
  if (state.turn > data.turn) return;
  state.turn = data.turn;
  state.gallery.style.setProperty("--cell", `${data.cell}px`);
  state.gallery.style.setProperty("--cell-height", `${data.tall}px`);
  state.gallery.style.setProperty("--height", data.height ? `${data.height}px` : "none");

  if (state.revision !== data.revision) {
    state.revision = data.revision;
    state.ticked = new Set(data.ticked);
  }
  const drawn = JSON.stringify([data.base, data.items]);
  if (state.drawn !== drawn) {
    state.drawn = drawn;
    state.cells = data.items.map((item) => cellOf(item, data));
    state.cells.find((c) => Number(c.dataset.id) === state.current)?.classList.add("current");
    state.grid.replaceChildren(...state.cells);
    state.scroll.scrollTop = 0;
    if (state.cells.length) state.cells[0].tabIndex = 0;
    state.empty.textContent = data.empty;
    state.empty.style.display = state.cells.length ? "none" : "block";
    state.hint.style.display = state.cells.length ? "block" : "none";
    showHint(state.hint, data.keys);
  }
  showTicks(state);
  if (state.current !== data.current) {
    state.current = data.current;
    for (const cell of state.cells) cell.classList.remove("current");
    const cell = state.cells.find((c) => Number(c.dataset.id) === data.current);
    if (cell) {
      // where a keyboard user left the inspector, browsing goes on
      cell.classList.add("current");
      for (const other of state.cells) other.tabIndex = -1;
      cell.tabIndex = 0;
      const box = state.scroll;
      const top = cell.offsetTop - box.offsetTop;
      if (top < box.scrollTop || top + cell.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - 40;
      setTimeout(() => {
        // after a dialog has given its focus back; a reader who went on to a slider or a field in the meantime keeps it
        if (!document.activeElement?.matches('[role="slider"], input, textarea')) cell.focus({ preventScroll: true });
      }, 350);
    }
  }

  const toggle = (cell) => {
    const id = Number(cell.dataset.id);
    if (!state.ticked.delete(id)) state.ticked.add(id);
    showTicks(state);
    setStateValue("ticked", { revision: state.revision, ids: [...state.ticked].sort((a, b) => a - b) });
  };
  const open = (cell) => data.open ? setTriggerValue("opened", { id: Number(cell.dataset.id), t: Date.now() }) : toggle(cell);
  const focus = (from, to) => {
    if (!to) return;
    if (from) from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
    to.scrollIntoView({ block: "nearest" });
  };

  const onClick = (event) => {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    focus(state.grid.querySelector('.cell[tabindex="0"]'), cell);
    if (event.target.closest(".tick")) toggle(cell);
    else open(cell);
  };
  const onKey = (event) => {
    const cell = event.target.closest(".cell");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('[role="dialog"]')) return; // the inspector is open: keys are its own
    const at = state.cells.indexOf(cell);
    const columns = getComputedStyle(state.grid).gridTemplateColumns.split(" ").length;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.key in moves) focus(cell, state.cells[at + moves[event.key]]);
    else if (event.key === "Home") focus(cell, state.cells[0]);
    else if (event.key === "End") focus(cell, state.cells[state.cells.length - 1]);
    else if (event.key === "Enter") open(cell);
    else if (event.key === " " && data.ticks) toggle(cell);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // Called again whenever the data change: the listeners of before would act a second time. The last ones go with the grid; a cleanup
  // returned from here would also be called for data that were replaced before they were drawn, and leave the grid without any.
  state.listening?.abort();
  const listening = (state.listening = new AbortController());
  state.grid.addEventListener("click", onClick, { signal: listening.signal });
  state.grid.addEventListener("keydown", onKey, { signal: listening.signal });
}
