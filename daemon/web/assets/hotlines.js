// The hotlines: labels that save themselves, the calls each had, and numbers that were dialled but have no name.

import { load, renew, whenFound } from "./found.js";
import { listenRows } from "./rows.js";

function showCalls(place) {
  const counted = new Map([...place.querySelectorAll("template[data-number]")].map((one) => [one.dataset.number, one]));
  const missing = place.querySelector("template[data-number-missing]");
  for (const row of document.querySelectorAll("#hotlines [data-row]")) {
    const words = counted.get(row.dataset.number) ?? missing;
    row.querySelector("[data-calls]").replaceChildren(words.content.cloneNode(true));
  }
}

/** A label half typed for another number stays: only the row of this one goes. */
async function added(form) {
  await renew("#hotlines");
  const place = document.querySelector("[data-found]");
  const others = [...place.querySelectorAll("input")].some((input) => input.value && !form.contains(input));
  if (!form.closest("[data-dialled]")) form.reset();
  if (!others) return load(place, showCalls);
  form.closest("[data-dialled]")?.remove();
  showCalls(place);
}

listenRows({ saved: () => {}, added });
whenFound(showCalls);
