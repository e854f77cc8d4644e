// Keys of a list: / j k x Enter c m e Esc ?. The row with the focus is the one they are about. Calls have not all of them.

const typing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

const nothing = () => {};

export function listenKeys({ rows, open, claim = nothing, close = nothing, shut = nothing, choose = nothing }) {
  const help = document.getElementById("keys");
  const here = () => document.activeElement.closest?.("tr[data-ticket], tr[data-call-row]") ?? null;

  function move(by) {
    const all = rows();
    const at = all.indexOf(here());
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
    next?.querySelector("a.row").focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    "/": () => document.getElementById("number").select(),
    "?": () => help.showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: (row) => row && choose(row),
    Enter: (row) => row && open(row),
    c: (row) => row?.querySelector("[data-call], [data-call-link]")?.click(),
    m: (row) => row && claim(row),
    e: (row) => row && close(row),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) return shut();
    const act = keys[event.key];
    if (!act || typing(event.target)) return;
    const onControl = event.target.closest("button, a:not(.row), summary");
    if (event.key === "Enter" && (onControl || !here())) return;
    event.preventDefault();
    act(here());
  });
  document.querySelector("[data-keys]").addEventListener("click", () => help.showModal());
}
