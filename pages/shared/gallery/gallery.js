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
  const foot = document.createElement("div");
  foot.className = "foot";
  const [hint, tools, help] = ["hint", "tools", "help"].map((name) => {
    const part = document.createElement("div");
    part.className = name;
    return part;
  });
  foot.append(hint, tools);
  help.hidden = true;
  scroll.append(grid, empty);
  gallery.append(scroll, foot, help);
  root.append(gallery);
  const state = { gallery, scroll, grid, empty, foot, hint, tools, help, ticked: new Set(), revision: null, drawn: null, cells: [] };
  galleries.add(state);
  return state;
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
  const like = document.createElement("button");
  like.className = "like";
  like.type = "button";
  like.tabIndex = -1;
  like.textContent = "≈";
  like.title = data.like;
  like.setAttribute("aria-label", data.like);
  cell.append(image, ...(data.like ? [like] : []), ...(data.ticks ? [tick] : []), line(name, "name", corner, wrong ? "wrong" : "quiet"), line(left, "quiet", right, "quiet"));
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
  state.data = data;
  sized(state);
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
    keyList(state.hint, state.cells.length ? data.keys : []);
    state.anchor = null;
  }
  showTicks(state);
  if (state.current !== data.current) {
    const left = state.current !== undefined; // an inspector, not the page before
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
      clearTimeout(state.focusing);
      if (left)
        state.focusing = setTimeout(() => {
          // after a dialog has given its focus back; a reader who went on to a slider or a field in the meantime keeps it
          if (!document.activeElement?.matches('[role="slider"], input, textarea')) cell.focus({ preventScroll: true });
        }, 350);
    }
  }

  const send = () => {
    showTicks(state);
    setStateValue("ticked", { revision: state.revision, ids: [...state.ticked].sort((a, b) => a - b) });
  };
  const toggle = (cell) => {
    const id = Number(cell.dataset.id);
    if (!state.ticked.delete(id)) state.ticked.add(id);
    state.anchor = cell;
    send();
  };
  // From the card ticked last, or the first, to this one: as in a list of files.
  const reach = (cell) => {
    const [from, to] = [state.cells.indexOf(state.anchor ?? state.cells[0]), state.cells.indexOf(cell)].sort((a, b) => a - b);
    for (const other of state.cells.slice(Math.max(from, 0), to + 1)) state.ticked.add(Number(other.dataset.id));
    state.anchor = cell;
    send();
  };
  const act = {
    all: () => {
      for (const cell of state.cells) state.ticked.add(Number(cell.dataset.id));
      send();
    },
    invert: () => {
      for (const { dataset } of state.cells) if (!state.ticked.delete(Number(dataset.id))) state.ticked.add(Number(dataset.id));
      send();
    },
    undo: () => setTriggerValue("undone", { t: Date.now() }),
    tag: () => {
      const at = state.grid.querySelector('.cell[tabindex="0"]'); // the one that has, or last had, the keyboard's focus
      setTriggerValue("tagged", { ids: [...state.ticked].sort((a, b) => a - b), at: at ? Number(at.dataset.id) : null, t: Date.now() });
    },
    like: (cell) => setTriggerValue("liked", { id: Number(cell.dataset.id), t: Date.now() }),
    focus: (to) => focus(state.grid.querySelector('.cell[tabindex="0"]'), to),
  };
  const open = (cell) => data.open ? setTriggerValue("opened", { id: Number(cell.dataset.id), t: Date.now() }) : toggle(cell);
  const focus = (from, to) => {
    clearTimeout(state.focusing);
    if (!to) return;
    if (from) from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
    to.scrollIntoView({ block: "nearest" });
  };
  state.act = act;
  buildTools(state, act, (text) => setTriggerValue("sought", { text, t: Date.now() }));
  state.foot.style.display = (state.cells.length && data.keys.length) || !state.tools.hidden ? "flex" : "none";
  keyList(state.help, data.more);

  const onClick = (event) => {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    focus(state.grid.querySelector('.cell[tabindex="0"]'), cell);
    if (event.shiftKey && data.ticks) reach(cell);
    else if (event.target.closest(".like")) act.like(cell);
    else if (event.target.closest(".tick")) toggle(cell);
    else open(cell);
  };
  const onKey = (event) => {
    const cell = event.target.closest(".cell");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('[role="dialog"]')) return; // the inspector is open: keys are its own
    clearTimeout(state.focusing); // whoever goes on here is where they want to be
    const at = state.cells.indexOf(cell);
    const columns = getComputedStyle(state.grid).gridTemplateColumns.split(" ").length;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.key in moves) focus(cell, state.cells[at + moves[event.key]]);
    else if (event.key === "Home") focus(cell, state.cells[0]);
    else if (event.key === "End") focus(cell, state.cells[state.cells.length - 1]);
    else if (event.key === "Enter") open(cell);
    else if (event.key === " " && data.ticks) event.shiftKey ? reach(cell) : toggle(cell);
    else if (event.key === "a" && data.tools && data.ticks) act.all();
    else if (event.key === "i" && data.tools && data.ticks) act.invert();
    else if (event.key === "u" && data.undo) act.undo();
    else if (event.key === "m" && data.like) act.like(cell);
    else if (event.key === "t" && data.tag) act.tag();
    else if (event.key === "/" && state.jump) state.jump.focus();
    else if (data.tools && (event.key === "+" || event.key === "-")) resize(state, event.key === "+" ? 1 : -1);
    else if (event.key === "?" && data.tools) showKeys(state, state.help.hidden);
    else if (event.key === "Escape" && !state.help.hidden) showKeys(state, false);
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
