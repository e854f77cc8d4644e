// Filters of a list stand in its address, without the empty ones. A choice counts at once, typed text after Enter.

import { reload } from "./form.js";
import { say } from "./toast.js";

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-filter]")) return;
  event.preventDefault();
  const chosen = [...new FormData(event.target)].filter(([, value]) => value.trim());
  const query = new URLSearchParams(chosen).toString();
  location.assign(event.target.getAttribute("action") + (query && `?${query}`));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-filter] select")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-reload]")) reload().catch((error) => say(error.message, { bad: true }));
});
