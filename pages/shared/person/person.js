// Who sits at this browser: a name typed once and a few random digits that tell its windows' claims from others', kept by the browser.
// And the key "?", which Streamlit's buttons cannot have.
const KEPT = "ntk-atlas.person";

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function digits() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default function ({ data, setStateValue, setTriggerValue }) {
  const kept = read();
  const now = { name: data.name || kept.name || "", token: kept.token || digits() };
  try {
    localStorage.setItem(KEPT, JSON.stringify(now));
  } catch {
    // a browser that keeps nothing: the name lives as long as the page
  }
  if (now.name !== data.name || now.token !== data.token) setStateValue("person", now);

  const pressed = (event) => {
    const into = event.composedPath()[0];
    if (event.key !== "?" || /^(INPUT|TEXTAREA|SELECT)$/.test(into.tagName) || into.isContentEditable) return;
    setTriggerValue("asked", { t: Date.now() });
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
