// What is shown once, after a form or button was answered: the form is put away (data-hide), links are filled in from
// the answer (data-path), and a list beside it is fetched anew (data-renew) without touching what is shown.

import { fresh } from "./api.js";
import { base } from "./page.js";
import { say, words } from "./toast.js";


function fillLinks(place, answer) {
  for (const link of place.querySelectorAll("a[data-path]")) {
    const path = link.dataset.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name]));
    link.href = base() + path;
  }
}

async function renew(selector) {
  try {
    document.querySelector(selector).replaceChildren(...(await fresh()).querySelector(selector).childNodes);
  } catch {
    say(words("stale"), { bad: true });
  }
}

document.addEventListener("done", ({ target, detail }) => {
  const { result, hide, renew: list } = target.dataset;
  if (result) fillLinks(document.querySelector(result), detail);
  if (hide) document.querySelector(hide).hidden = true;
  if (list) {
    if (target.matches("form")) target.reset();
    renew(list);
  }
});
