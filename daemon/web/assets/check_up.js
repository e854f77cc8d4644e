// The check-up: each part is looked at by itself and shown when it is there, as some take seconds.

import { Refused, look } from "./api.js";
import { fill } from "./page.js";

const PATH = "/settings/check-up";
const words = () => document.getElementById("check-up-words").dataset;
const parts = () => [...document.querySelectorAll("[data-group]")];
const sum = document.getElementById("check-up-sum");
const button = document.getElementById("check-up-again");

let running = 0;

/** Why a part is not there, and a way to ask for it once more. */
function showFailure(part, error) {
  const line = document.createElement("p");
  line.className = "alert";
  line.textContent = `${words().failed} ${error instanceof Refused ? error.message : words().unreachable}. `;
  const again = document.createElement("button");
  again.type = "button";
  again.className = "second small";
  again.textContent = words().again;
  again.addEventListener("click", () => check([part]));
  line.append(again);
  part.replaceChildren(part.firstElementChild, line);
  delete part.dataset.counts;
}

async function renew(part) {
  part.setAttribute("aria-busy", "true");
  try {
    const { document: html } = await look(`${PATH}?group=${part.dataset.group}`);
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const found = fresh.querySelector(`[data-group="${part.dataset.group}"]`);
    Object.assign(part.dataset, found.dataset);
    part.replaceChildren(...found.childNodes);
  } catch (error) {
    showFailure(part, error);
  } finally {
    part.removeAttribute("aria-busy");
  }
}

function summed() {
  const told = parts().filter((part) => part.dataset.counts);
  if (told.length < parts().length) return ""; // each failed part says so itself
  const counts = { problem: 0, warning: 0, unknown: 0, ok: 0 };
  for (const part of told) {
    for (const [state, count] of Object.entries(JSON.parse(part.dataset.counts))) counts[state] += count;
  }
  const time = told.map((part) => part.dataset.at).sort().at(-1);
  return fill(words().sum, { time, ...counts });
}

/** All of these at once; who asks again meanwhile waits for the same. */
async function check(wanted) {
  if (running) return;
  running = wanted.length;
  button.setAttribute("aria-busy", "true"); // not disabled: the keyboard stays where it is
  const tell = () => (sum.textContent = fill(words().looking, { n: wanted.length - running, all: wanted.length }));
  tell();
  await Promise.all(
    wanted.map(async (part) => {
      await renew(part);
      running -= 1;
      if (running) tell();
    }),
  );
  button.removeAttribute("aria-busy");
  sum.textContent = summed();
}

button.addEventListener("click", () => check(parts()));
check(parts().filter((part) => !part.dataset.counts));
