// What the server finds out after the page stands (the PBX is asked): loaded into its place, with words when that fails.

import { ask, fresh } from "./api.js";

function failed(place, again) {
  const words = document.createElement("p");
  words.className = "alert";
  words.setAttribute("role", "alert");
  words.textContent = `${place.dataset.failed} `;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second small";
  button.textContent = place.dataset.again;
  button.addEventListener("click", again);
  words.append(button);
  place.replaceChildren(words);
}

/** Loads the place once more; what stands there stays until the new is there. An older answer never overtakes. */
export async function load(place, work, again = false) {
  const turn = (place.turn = (place.turn ?? 0) + 1);
  place.setAttribute("aria-busy", "true");
  let html = null;
  try {
    const path = place.dataset.found;
    html = (await ask("GET", again ? `${path}${path.includes("?") ? "&" : "?"}again=1` : path)).document;
  } catch {
    if (turn === place.turn) failed(place, () => load(place, work));
  }
  if (turn !== place.turn || !place.isConnected) return;
  place.removeAttribute("aria-busy");
  if (html === null) return;
  place.innerHTML = html; // our own template: everything in it is escaped
  work(place);
}

/** Loads now and whenever the content was renewed. */
export function whenFound(work) {
  const open = () => {
    const place = document.querySelector("[data-found]");
    if (place) load(place, work);
  };
  document.addEventListener("content", open);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-found-again]");
    if (!button) return;
    button.disabled = true; // the PBX may take its time
    load(button.closest("[data-found]"), work, true);
  });
  open();
}

/** One part of the page as it is now; what is typed elsewhere stays. */
export async function renew(selector) {
  document.querySelector(selector).replaceWith((await fresh()).querySelector(selector));
}
