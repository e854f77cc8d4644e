// The figures stay those of now; the slider shows what another limit would give.

import { reload } from "./form.js";

const EVERY_MS = 15000;

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-what-if] input")) return;
  const said = target.form.querySelector("output");
  said.textContent = said.dataset.unit.replace("{n}", target.value);
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-what-if] input")) target.form.requestSubmit();
});

setInterval(() => {
  const isRead = document.querySelector("main").contains(document.activeElement); // the keyboard stays where it is
  const isOfNow = !/[?&]span=(?!today)/.test(location.search); // what was does not change, and a year is dear to count
  if (isOfNow && !document.hidden && !isRead) reload().catch(() => {}); // the next one may get through
}, EVERY_MS);
