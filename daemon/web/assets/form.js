// Forms that speak to the JSON API:
//   <form data-api="PUT /api/v1/agents/an" data-then="/settings/agents">
// A PATCH sends what differs from the page as it was loaded; `data-match` is the version that the page was made from.
// What the server refuses stands beside its field, and what was typed stays.

import { Refused, ask, fresh, spelled } from "./api.js";
import { clash, isThere } from "./clash.js";
import { changes, collect, controls } from "./controls.js";
import { base } from "./page.js";
import { say, sayNext, words } from "./toast.js";

function noteOf(control, form) {
  const holder = control.closest(".field, .setting, td, fieldset") ?? form;
  let note = holder.querySelector(":scope > .wrong");
  if (!note) {
    note = document.createElement("p");
    note.className = "wrong";
    note.id = `${control.id || control.name}-wrong`;
    holder.append(note);
  }
  return note;
}

export function clearErrors(form) {
  for (const note of form.querySelectorAll(".wrong")) note.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    const others = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => !id.endsWith("-wrong"));
    others.join("") ? control.setAttribute("aria-describedby", others.join(" ")) : control.removeAttribute("aria-describedby");
  }
  form.querySelector(":scope > .alert")?.remove();
}

/** Puts each refusal beside its field (`endpoints.0` belongs to `endpoints`); the rest and the sum stand on top. */
export function showErrors(form, refusal) {
  clearErrors(form);
  const lost = [];
  let first = null;
  for (const { field, message } of refusal.errors) {
    const control = controls(form).find((one) => one.name === field || one.name === field.split(".")[0]);
    if (!control) {
      lost.push(field ? `${field}: ${message}` : message);
      continue;
    }
    const note = noteOf(control, form);
    note.textContent = note.textContent ? `${note.textContent} · ${message}` : message;
    control.setAttribute("aria-invalid", "true");
    const described = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
    control.setAttribute("aria-describedby", [...described.add(note.id)].join(" "));
    first ??= control;
  }
  const alert = document.createElement("p");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  alert.textContent = lost.join(" · ") || (first ? words("correct") : refusal.message);
  form.prepend(alert);
  first?.focus();
}

/** Waits with the button pressed; says where it went wrong. Resolves to the answer, or null when it was refused. */
export async function send(form, button, work) {
  button?.setAttribute("aria-busy", "true");
  if (button) button.disabled = true;
  try {
    const answer = await work();
    if (form && answer?.document !== undefined) clearErrors(form);
    return answer;
  } catch (error) {
    if (error instanceof Refused && form) showErrors(form, error);
    else if (error instanceof Refused) say(error.errors.map((one) => one.message).join(" · ") || error.message, { bad: true });
    else say(error.message, { bad: true });
    return null;
  } finally {
    button?.removeAttribute("aria-busy");
    if (button) button.disabled = false;
  }
}

/** Shows an answer in place: every [data-field="secret"] inside gets the answer's `secret`. */
function showResult(selector, document_) {
  const place = document.querySelector(selector);
  for (const spot of place.querySelectorAll("[data-field]")) {
    const value = document_[spot.dataset.field];
    spot.textContent = value ?? "–";
    spot.closest("[data-when]")?.toggleAttribute("hidden", value === null || value === undefined);
  }
  place.hidden = false;
  place.querySelector("[data-focus]")?.focus();
}

/** The page's content once more, as it is now; the place and the rest of the page stay. */
export async function reload(get) {
  const page = await fresh(get);
  document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
  document.dispatchEvent(new CustomEvent("content"));
}

/** After a change that was saved: where showing it fails, that it was saved is said all the same. */
export async function afterwards(renew, said) {
  try {
    await renew();
  } catch {
    return say(words("stale"), { bad: true });
  }
  say(said);
}

/** `reload` renews the content, `refresh` the whole page, an address is gone to ({name} from the answer). */
export async function follow(then, answer, said) {
  if (then === "reload") {
    await afterwards(reload, said);
  } else if (then === "refresh") {
    sayNext(said);
    location.reload();
  } else if (then) {
    sayNext(said);
    location.assign(base() + then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer.document[name])));
  } else say(said);
}

function confirmed(text, verb) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("#confirm-text").textContent = text;
  dialog.querySelector('[value="yes"]').textContent = verb;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function submitted(form, button) {
  const [method, template] = spelled(form.dataset.api);
  const all = collect(form);
  const body = method === "PATCH" ? changes(form) : all;
  const path = template.replace(/\{(\w+)\}/g, (_, name) => {
    delete body[name]; // a name in the address is not in the body
    return encodeURIComponent(all[name] ?? "");
  });
  if (method === "PATCH" && !Object.keys(body).length) {
    clearErrors(form);
    return say(words("unchanged"));
  }
  const answer = await send(form, button, () => matched(form, body, ask(method, path, body, seen(form))));
  if (answer) await done(form, answer);
}

/** The header that refuses the change when the page is older than what is stored. */
export const seen = (form) => (form.dataset.match ? { "If-Match": `"${form.dataset.match}"` } : {});

/** The answer; null when somebody else was faster, which is told, unless he saved the same. */
export async function matched(form, body, asked, options) {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 412 || !("now" in error.problem)) throw error;
    if (isThere(form, error.problem, body)) return { document: error.problem.now };
    clearErrors(form);
    clash(form, error.problem, () => theirs(form), options);
    return null;
  }
}

function theirs(form) {
  if (form.dataset.then !== "reload") return location.reload();
  return reload().catch((error) => say(error.message, { bad: true }));
}

async function pressed(button) {
  const { api, confirm, body } = button.dataset;
  if (confirm && !(await confirmed(confirm, button.dataset.verb ?? button.textContent.trim()))) return;
  const [method, path] = spelled(api);
  const answer = await send(null, button, () => ask(method, path, body && JSON.parse(body)));
  if (answer) await done(button, answer);
}

async function done(element, answer) {
  const { result, then, said } = element.dataset;
  if (result) showResult(result, answer.document);
  element.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer.document }));
  await follow(then, answer, said ?? (result ? "" : words("saved")));
}

export function listen() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.api) return;
    event.preventDefault();
    submitted(form, event.submitter);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-api]");
    if (button) pressed(button);
  });
  document.getElementById("confirm")?.addEventListener("click", (event) => {
    if (event.target.value) event.currentTarget.close(event.target.value);
  });
}
