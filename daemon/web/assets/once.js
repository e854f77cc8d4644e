// What is shown once, after a form or button was answered: the form is put away (data-hide), links are filled in from
// the answer (data-path), and a list beside it is fetched anew (data-renew) without touching what is shown.

import { ask } from "./api.js";

const base = () => document.querySelector('meta[name="base"]').content;

function fillLinks(place, answer) {
  for (const link of place.querySelectorAll("a[data-path]")) {
    const path = link.dataset.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name]));
    link.href = base() + path;
  }
}

async function renew(selector) {
  const { document: html } = await ask("GET", location.pathname.slice(base().length) + location.search);
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(selector);
  document.querySelector(selector).replaceChildren(...fresh.childNodes);
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
