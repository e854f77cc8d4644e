// Rows whose controls save themselves:
//   <tr data-row="/api/v1/queues/sales" data-set> … <input data-field="label">
// and forms that only make what is not there yet: <form data-only-new="PUT /api/v1/queues/{name}">.

import { Refused, ask, spelled } from "./api.js";
import { collect, send, valueOf } from "./form.js";
import { fill } from "./found.js";
import { say, words } from "./toast.js";

const IS_NEW = { "If-None-Match": "*" };
const waiting = new WeakMap();

const controls = (row) => [...row.querySelectorAll("[data-field]")];

/** What is stored, with this one field changed: what others changed meanwhile stays. */
async function put(row, control) {
  const mine = Object.fromEntries(controls(row).map((one) => [one.dataset.field, valueOf(one)]));
  const wanted = { [control.dataset.field]: valueOf(control) };
  const over = async () => {
    const { document: stored } = await ask("GET", row.dataset.row);
    const kept = Object.fromEntries(Object.keys(mine).map((name) => [name, stored[name]]));
    return ask("PUT", row.dataset.row, { ...kept, ...wanted });
  };
  if ("set" in row.dataset) return over();
  try {
    return await ask("PUT", row.dataset.row, mine, IS_NEW);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 412) throw error;
    return over();
  }
}

function show(row, stored) {
  row.dataset.set = "";
  for (const one of controls(row)) {
    const value = stored[one.dataset.field];
    if (one === document.activeElement && one.type === "text") continue; // somebody types on
    if (one.type === "checkbox") one.checked = value;
    else one.value = value ?? "";
    keep(one);
  }
}

const keep = (control) => {
  control.kept = control.type === "checkbox" ? control.checked : control.value;
};

function forget(control) {
  control.removeAttribute("aria-invalid");
  control.removeAttribute("aria-describedby");
  control.closest("td").querySelector(".wrong")?.remove();
}

/** A text that is refused stays as it was typed, with the reason beside it; a switch goes back to what is stored. */
function refused(control, error) {
  const isText = control.type === "text";
  const reason = error instanceof Refused ? error.errors.map((one) => one.message).join(" · ") || error.message : words("unsent");
  if (!isText) {
    if (control.type === "checkbox") control.checked = control.kept ?? control.defaultChecked;
    else control.value = control.kept ?? [...control.options].find((one) => one.defaultSelected)?.value ?? "";
    return say(reason, { bad: true });
  }
  const note = document.createElement("p");
  note.className = "wrong";
  note.setAttribute("role", "alert");
  note.id = `wrong-${Math.random().toString(36).slice(2)}`;
  note.textContent = reason;
  control.closest("td").append(note);
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", note.id);
}

async function save(row, control, saved) {
  forget(control);
  try {
    const { document: stored } = await put(row, control);
    show(row, stored);
    saved(row, stored);
    say(words("saved"));
  } catch (error) {
    refused(control, error);
  }
}

async function add(form, button, added) {
  const [method, template] = spelled(form.dataset.onlyNew);
  const body = collect(form);
  let name = "";
  const path = template.replace(/\{(\w+)\}/g, (_, key) => {
    name = String(body[key]).trim();
    delete body[key];
    return encodeURIComponent(name);
  });
  const answer = await send(form, button, () => ask(method, path, body, IS_NEW));
  if (!answer) return;
  await added(form);
  say(fill(form.dataset.said, { name }));
}

/** `saved(row, stored)` after a row was saved, `added(form)` after something new was made. */
export function listenRows({ saved, added }) {
  document.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || !event.target.dataset.field) return;
    const last = waiting.get(row) ?? Promise.resolve(); // one after the other, so that the last choice is kept
    waiting.set(row, last.then(() => save(row, event.target, saved)));
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.dataset.onlyNew) return;
    event.preventDefault();
    add(event.target, event.submitter, added);
  });
}
