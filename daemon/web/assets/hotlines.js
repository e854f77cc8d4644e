// The hotlines: labels that save themselves, the calls each had, and numbers that were dialled but have no name.

import { load, renew, whenFound } from "./found.js";
import { listenRows } from "./rows.js";
import { offerTones } from "./tones.js";

function showCalls(place) {
  const known = new Map([...place.querySelectorAll("template[data-number]")].map((one) => [one.dataset.number, one]));
  const missing = place.querySelector("template[data-number-missing]");
  for (const row of document.querySelectorAll("#hotlines [data-row]")) {
    const words = known.get(row.dataset.number) ?? missing;
    row.querySelector("[data-calls]").replaceChildren(words.content.cloneNode(true));
  }
}

/** What its row says of its calls, kept for the list above. */
function counted(row) {
  const kept = document.createElement("template");
  kept.dataset.number = row.dataset.dialled;
  kept.content.append(...row.querySelector("[data-calls]").childNodes);
  return kept;
}

/** A label half typed for another number stays: only the rows of those that have a name now go. */
async function added(form) {
  await renew("#hotlines");
  offerTones();
  const place = document.querySelector("[data-found]");
  if (!form.closest("[data-dialled]")) form.reset();
  const isHalfTyped = [...place.querySelectorAll("input")].some((input) => input.value && !form.contains(input));
  if (!isHalfTyped) return load(place, showCalls);
  const named = new Set([...document.querySelectorAll("#hotlines [data-row]")].map((row) => row.dataset.number));
  for (const row of place.querySelectorAll("[data-dialled]")) {
    if (!named.has(row.dataset.dialled)) continue;
    place.append(counted(row));
    row.remove();
  }
  showCalls(place);
}

document.addEventListener("content", () => offerTones());
offerTones();
listenRows({ saved: () => {}, added });
whenFound(showCalls);
