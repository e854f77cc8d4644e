// The page of what is kept: beside the periods stands what those that are typed would delete, before they are saved.

import { ask } from "./api.js";

const AFTER_MS = 400;
let turn = 0;
let waiting = null;

/** The server counts and words it; an older answer never overtakes a newer one. */
async function lookAhead(form) {
  const mine = (turn += 1);
  const typed = new URLSearchParams([...form.elements].filter((one) => one.name).map((one) => [one.name, one.value]));
  try {
    const { document: html } = await ask("GET", `/settings/data?${typed}`);
    const page = new DOMParser().parseFromString(html, "text/html");
    const [seen, found] = [document, page].map((one) => one.getElementById("tonight"));
    if (mine === turn && found) seen.replaceChildren(...found.childNodes);
  } catch {
    // what cannot be counted yet, as a number half typed, stays as it was; saving says what is wrong with it
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("#periods");
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => lookAhead(form), AFTER_MS);
});
