// The list of agents: the search, the state of their phones, and phones of the PBX that become agents.

import { Refused, ask } from "./api.js";
import { afterwards, send } from "./form.js";
import { load, renew, whenFound } from "./found.js";
import { fill } from "./page.js";
import { say } from "./toast.js";

const IS_NEW = { "If-None-Match": "*" };

const searchable = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replaceAll("đ", "d");

function filter() {
  const form = document.querySelector("form[data-filter]");
  if (!form) return;
  const wanted = searchable(form.elements.q.value).split(/\s+/).filter(Boolean);
  let left = 0;
  for (const row of document.querySelectorAll("#agents [data-search]")) {
    row.hidden = !wanted.every((word) => row.dataset.search.includes(word));
    left += !row.hidden;
  }
  document.querySelector("#agents .table")?.toggleAttribute("hidden", left === 0);
  document.querySelector("#agents [data-none]")?.toggleAttribute("hidden", left > 0);
}

/** Each agent's phones with the word that the PBX says of them. */
function showPhones(place) {
  const states = new Map([...place.querySelectorAll("template[data-phone-state]")].map((one) => [one.dataset.phoneState, one]));
  const missing = place.querySelector("template[data-phone-missing]");
  for (const phone of document.querySelectorAll("#agents [data-phone]")) {
    phone.querySelector(".state")?.remove();
    const state = states.get(phone.dataset.phone) ?? missing;
    if (state) phone.append(state.content.cloneNode(true));
  }
}

function showFound(place) {
  showPhones(place);
  const link = document.querySelector("[data-alike]");
  const count = place.querySelectorAll(":scope > table [data-adopt]").length;
  link.hidden = count === 0;
  link.textContent = fill(count === 1 ? link.dataset.one : link.dataset.many, { n: count });
}

/** The agent that the row says; never one that is there already. */
function adopt({ adopt: path, name, endpoint }) {
  return ask("PUT", path, { name, endpoints: [endpoint] }, IS_NEW);
}

async function renewAll(place) {
  await Promise.all([renew("#agents"), load(place, () => {})]);
  filter();
  showFound(place);
}

async function adoptOne(button) {
  const row = button.closest("[data-adopt]");
  const place = button.closest("[data-found]");
  const at = [...place.querySelectorAll("[data-adopt-one]")].indexOf(button);
  const answer = await send(null, button, () => adopt(row.dataset));
  if (!answer) return;
  const said = fill(document.getElementById("agents").dataset.adopted, { name: answer.document.name });
  await afterwards(() => renewAll(place), said);
  const left = place.querySelectorAll("[data-adopt-one]");
  (left[Math.min(at, left.length - 1)] ?? document.querySelector("main")).focus();
}

/** One after the other; what is refused is told, what cannot be sent ends it. */
async function adoptAll(button) {
  const place = button.closest("[data-found]");
  const rows = [...place.querySelectorAll(":scope > table [data-adopt]")];
  const said = document.getElementById("agents").dataset;
  button.disabled = true;
  let done = 0;
  for (const [at, row] of rows.entries()) {
    button.textContent = fill(said.running, { n: at + 1, all: rows.length });
    try {
      await adopt(row.dataset);
      done += 1;
    } catch (error) {
      if (!(error instanceof Refused)) {
        say(error.message, { bad: true });
        break;
      }
      const why = error.errors.map((one) => one.message).join(" · ") || error.message;
      say(fill(said.refused, { name: row.dataset.endpoint, why }), { bad: true });
    }
  }
  await renewAll(place).catch(() => {});
  document.querySelector("main").focus();
  if (done) say(fill(done === 1 ? said.one : said.several, { n: done }));
}

document.addEventListener("click", (event) => {
  const one = event.target.closest("[data-adopt-one]");
  const all = event.target.closest("[data-adopt-all]");
  if (one) adoptOne(one);
  else if (all) adoptAll(all);
});
document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-filter]")) filter();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-filter]")) event.preventDefault();
});
document.addEventListener("content", filter);
filter();
whenFound(showFound);
