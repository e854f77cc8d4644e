// Reports: each part is counted by itself and shown when it is there, as those of a year take a second; two at a time,
// so that other pages are not kept waiting.

import { Refused, look } from "./api.js";
import { watchExports } from "./exports.js";

const AT_ONCE = 2;
const place = document.getElementById("reports");
const parts = () => [...place.querySelectorAll("[data-part]")];

/** Why a part is not there, and a way to ask for it once more. */
function showFailure(part, error) {
  const line = document.createElement("p");
  line.className = "alert";
  line.setAttribute("role", "alert");
  line.textContent = `${place.dataset.failed} ${error instanceof Refused ? error.message : place.dataset.unreachable}. `;
  const again = document.createElement("button");
  again.type = "button";
  again.className = "second small";
  again.textContent = place.dataset.again;
  again.addEventListener("click", () => count(part));
  line.append(again);
  const section = part.querySelector(".report");
  section.replaceChildren(section.firstElementChild, line);
}

async function count(part) {
  part.setAttribute("aria-busy", "true");
  const query = new URLSearchParams(location.search);
  query.set("part", part.dataset.part);
  try {
    const { document: html } = await look(`/reports?${query}`);
    const fresh = new DOMParser().parseFromString(html, "text/html");
    part.replaceChildren(...fresh.querySelector(`[data-part="${part.dataset.part}"]`).childNodes);
    part.querySelectorAll("[data-exports]").forEach(watchExports);
  } catch (error) {
    showFailure(part, error);
  } finally {
    part.removeAttribute("aria-busy");
  }
}

/** In the order of the page. */
async function countAll() {
  const waiting = parts();
  for (const part of waiting) part.setAttribute("aria-busy", "true");
  const work = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift()) await count(part);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

countAll();
