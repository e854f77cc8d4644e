// Rows of a list, renewed in place as things happen: those that are there where they stand; new ones are offered, so
// that nothing moves under the pointer.

import { ask } from "./api.js";

const base = document.querySelector('meta[name="base"]').content;
const SHOWN_MS = 1000;
const OTHERS_MS = 4000;

/** `name` is the attribute with a row's key; `keyOf` tells which row an event is about, `shown` is told of new rows. */
export function liveRows({ place, renewal, name, keyOf, counted, replace, shown }) {
  let due = null;
  let dueAt = 0;
  let last = 0;
  const keyed = (root) => [...root.querySelectorAll(`tr[${name}]`)];
  const rows = () => keyed(place);
  const rowOf = (key) => place.querySelector(`tr[${name}="${CSS.escape(key)}"]`);

  async function fetched() {
    const { document: html } = await ask("GET", location.pathname.slice(base.length) + location.search);
    return new DOMParser().parseFromString(html, "text/html").querySelector("[data-rows]");
  }

  async function renew() {
    clearTimeout(due);
    due = null;
    last = Date.now();
    let fresh;
    try {
      fresh = await fetched();
    } catch {
      return; // the next time, then
    }
    const found = new Map(keyed(fresh).map((row) => [row.getAttribute(name), row]));
    for (const row of rows()) {
      const other = found.get(row.getAttribute(name));
      found.delete(row.getAttribute(name));
      row.classList.toggle("gone", !other);
      if (other) replace(row, other);
    }
    offer(fresh, found.size);
  }

  function offer(fresh, count) {
    renewal.hidden = !count;
    if (!count) return;
    const button = renewal.querySelector("button");
    button.textContent = counted(count);
    button.onclick = () => {
      place.replaceChildren(...fresh.childNodes);
      renewal.hidden = true;
      shown();
    };
  }

  /** A row that is shown soon; what may be new less often: a busy house must not have every list fetched all the time. */
  function soon(news) {
    if (document.hidden) return;
    const key = news && keyOf(news);
    const at = Math.max(Date.now() + 200, last + (key && rowOf(key) ? SHOWN_MS : OTHERS_MS));
    if (due && dueAt <= at) return;
    clearTimeout(due);
    dueAt = at;
    due = setTimeout(renew, at - Date.now());
  }

  return { rows, rowOf, renew, soon };
}
