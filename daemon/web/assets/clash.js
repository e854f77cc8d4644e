// Somebody else changed the same meanwhile (412). What he saved is shown where nothing was typed; what was typed stays,
// theirs is told beside it, and the next press saves it knowingly. <output data-fact> words what is no field.

import { asLoaded, changes, controls, labelOf, rebase, same, worded } from "./controls.js";
import { fill } from "./page.js";
import { words } from "./toast.js";

function factLines(form, now) {
  const told = [...form.querySelectorAll("[data-fact]")].filter((one) => String(now[one.dataset.fact]) !== one.value);
  return told.map((one) => {
    one.value = String(now[one.dataset.fact]);
    return `${one.dataset.label}: ${JSON.parse(one.dataset.words)[one.value]}`;
  });
}

function fieldLine(form, name, theirs, typed) {
  const line = `${labelOf(form, name)}: ${worded(form, name, theirs, words)}`;
  if (!(name in typed) || same(typed[name], theirs)) return line;
  return `${line} · ${fill(words("clashYours"), { value: worded(form, name, typed[name], words) })}`;
}

function who(problem) {
  const { by, at } = problem.changed ?? {};
  const time = at && new Date(at).toLocaleTimeString(document.documentElement.lang);
  return by ? fill(words(problem.now ? "clash" : "clashGone"), { name: by, time }) : words("clashUnknown");
}

function show(form, problem, lines, loadTheirs) {
  const alert = document.createElement("div");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  const first = document.createElement("p");
  first.textContent = who(problem);
  const list = document.createElement("ul");
  for (const line of lines) list.append(Object.assign(document.createElement("li"), { textContent: line }));
  const button = Object.assign(document.createElement("button"), { type: "button", className: "second small" });
  button.textContent = words("clashTheirs");
  button.addEventListener("click", loadTheirs);
  alert.append(first, ...(lines.length ? [list] : []), button);
  form.prepend(alert);
  alert.scrollIntoView({ block: "nearest" });
}

/** Of a list what is offered, in the order of the page. */
function inOrder(form, name, value) {
  const boxes = controls(form, name).filter((one) => one.dataset.type === "list");
  return boxes.length ? boxes.map((one) => one.value).filter((one) => value.includes(one)) : value;
}

/** Whether what was typed is what stands there now: then it was saved, and only the answer was lost. */
export function isThere(form, { now }, body) {
  const names = Object.keys(body);
  return Boolean(now) && names.every((name) => name in now && same(inOrder(form, name, now[name]), body[name]));
}

/** `typed` and `loaded` where the form's own defaults do not tell; `put` shows a value and says that it did. */
export function clash(form, problem, loadTheirs, { typed = changes(form), loaded = asLoaded(form), put } = {}) {
  const now = problem.now ?? {};
  const lines = [];
  for (const name of Object.keys(now).filter((one) => controls(form, one).length)) {
    const theirs = inOrder(form, name, now[name]);
    if (!same(loaded[name], theirs)) lines.push(fieldLine(form, name, theirs, typed));
    const keep = name in typed;
    if (!put?.(name, theirs, { keep })) rebase(form, name, theirs, { keep });
  }
  form.dataset.match = problem.version ?? "";
  show(form, problem, [...lines, ...factLines(form, now)], loadTheirs);
}
