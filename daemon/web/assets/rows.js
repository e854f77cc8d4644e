// Rows whose controls save themselves:
//   <tr data-row="/api/v1/queues/sales" data-set> … <input data-field="label">
// and forms that only make what is not there yet: <form data-only-new="PUT /api/v1/queues/{name}">.

import { Refused, ask, spelled } from "./api.js";
import { collect, valueOf } from "./controls.js";
import { afterwards, send } from "./form.js";
import { fill } from "./page.js";
import { say, words } from "./toast.js";

const IS_NEW = { "If-None-Match": "*" };
const TRIES = 3; // of somebody who saves the same row at the same moment, again and again
const waiting = new WeakMap();

/** Somebody else changed the same field; `stored` is the row as it is now. */
class Changed extends Error {
  constructor(stored) {
    super(words("changed"));
    this.stored = stored;
  }
}

const controls = (row) => [...row.querySelectorAll("[data-field]")];

const isRefusal = (error, status) => error instanceof Refused && error.status === status;

/** What is stored, with this one field changed: what others changed meanwhile stays. */
async function put(row, wanted) {
  const path = row.dataset.row;
  const shown = () => Object.fromEntries(controls(row).map((one) => [one.dataset.field, valueOf(one)]));
  const make = () => ask("PUT", path, { ...shown(), ...wanted }, IS_NEW);
  const over = async (tries = TRIES) => {
    const { document: stored, headers } = await ask("GET", path);
    if (isOvertaken(row, wanted, stored)) throw new Changed(stored);
    const kept = Object.fromEntries(Object.keys(shown()).map((name) => [name, stored[name]]));
    try {
      return await ask("PUT", path, { ...kept, ...wanted }, { "If-Match": headers.get("ETag") });
    } catch (error) {
      if (!isRefusal(error, 412) || tries === 1) throw error;
      return over(tries - 1);
    }
  };
  const [first, second, status] = "set" in row.dataset ? [over, make, 404] : [make, over, 412];
  try {
    return await first();
  } catch (error) {
    const goesOn = isRefusal(error, status) && (status === 412 || "always" in row.dataset); // a queue is there unset too
    if (!goesOn) throw error;
    return second();
  }
}

/** The value of a control as its state is kept: what stands in it where it is a text, whether it is on where not. */
const asKept = (control, value) => (control.type === "checkbox" ? value : String(value ?? ""));

const keptOf = (control) => {
  if (control.kept !== undefined) return control.kept;
  if (control.type === "checkbox") return control.defaultChecked;
  return control.options ? ([...control.options].find((one) => one.defaultSelected)?.value ?? "") : control.defaultValue;
};

/** Another than the one that was seen here, and than the one that is wanted. */
function isOvertaken(row, wanted, stored) {
  return controls(row).some((one) => {
    const name = one.dataset.field;
    if (!(name in wanted)) return false;
    const now = asKept(one, stored[name]);
    return now !== keptOf(one) && now !== asKept(one, wanted[name]);
  });
}

/** What is stored now; while another change of the row waits, what is chosen there stays as it is. */
function show(row, stored) {
  row.dataset.set = "";
  for (const one of controls(row)) one.kept = asKept(one, stored[one.dataset.field]);
  if (row.pending > 1) return;
  for (const one of controls(row)) {
    const value = stored[one.dataset.field];
    if (one === document.activeElement && one.type === "text") continue; // somebody types on
    if (one.type === "checkbox") one.checked = value;
    else one.value = value ?? "";
  }
}

function forget(control) {
  control.removeAttribute("aria-invalid");
  control.removeAttribute("aria-describedby");
  control.closest("td").querySelector(".wrong")?.remove();
}

/** A text that is refused stays as it was typed, with the reason beside it; a switch goes back to what is stored. */
function refused(control, error) {
  const isText = control.type === "text";
  const reason = error instanceof Refused ? error.errors.map((one) => one.message).join(" · ") || error.message : error.message;
  if (!isText) {
    if (control.type === "checkbox") control.checked = keptOf(control);
    else control.value = keptOf(control);
    return say(reason, { bad: true });
  }
  const note = document.createElement("p");
  note.className = "wrong";
  note.setAttribute("role", "alert");
  note.id = `wrong-${Math.random().toString(36).slice(2)}`;
  note.textContent = reason;
  if (error instanceof Changed) note.append(...choices(control));
  control.closest("td").append(note);
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", note.id);
}

/** Theirs, or one's own over it. */
function choices(control) {
  const [theirs, mine] = ["clashTheirs", "clashMine"].map((name) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "second small" });
    button.textContent = words(name);
    return button;
  });
  theirs.addEventListener("click", () => {
    control.value = keptOf(control);
    forget(control);
    control.focus();
  });
  mine.addEventListener("click", () => control.dispatchEvent(new Event("change", { bubbles: true })));
  const there = document.createElement("span");
  there.textContent = ` ${fill(words("clashThere"), { value: keptOf(control) || words("none") })} `;
  return [there, theirs, " ", mine];
}

async function save(row, control, value, saved) {
  forget(control);
  try {
    const { document: stored } = await put(row, { [control.dataset.field]: value });
    show(row, stored);
    saved(row, stored);
    say(words("saved"));
  } catch (error) {
    if (error instanceof Changed) for (const one of controls(row)) one.kept = asKept(one, error.stored[one.dataset.field]);
    refused(control, error);
  } finally {
    row.pending -= 1;
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
  await afterwards(() => added(form), fill(form.dataset.said, { name }));
}

/** `saved(row, stored)` after a row was saved, `added(form)` after something new was made. */
export function listenRows({ saved, added }) {
  document.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || !event.target.dataset.field) return;
    const { target } = event;
    const value = valueOf(target);
    const last = waiting.get(row) ?? Promise.resolve(); // one after the other, so that the last choice is kept
    row.pending = (row.pending ?? 0) + 1;
    waiting.set(row, last.then(() => save(row, target, value, saved)));
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.dataset.onlyNew) return;
    event.preventDefault();
    add(event.target, event.submitter, added);
  });
}
