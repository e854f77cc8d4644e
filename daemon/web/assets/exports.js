// A file of the calls that are shown: the browser downloads it, the page tells how far it is.

import { look } from "./api.js";
import { fill } from "./page.js";
import { say } from "./toast.js";

const EVERY_MS = 1000;

export function watchExports(place) {
  place?.addEventListener("click", (event) => {
    const link = event.target.closest("[data-export]");
    if (link) begin(place, link);
  });
}

/** The link gets a name for this download, by which the server is asked for its progress. */
function begin(place, link) {
  const name = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const address = new URL(link.href);
  address.searchParams.set("export", name);
  link.href = address;
  follow(place, name);
}

async function follow(place, name) {
  const said = place.querySelector("[data-progress]");
  for (let waited = 0; ; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    let now;
    try {
      now = (await look(`/api/v1/exports/${name}`)).document;
    } catch {
      if (waited < 3) continue; // it may not have begun
      said.textContent = "";
      return;
    }
    said.textContent = now.finished ? "" : fill(place.dataset.working, { done: now.done, all: now.count });
    if (now.finished) {
      if (waited > 1) say(place.dataset.done);
      return;
    }
  }
}
