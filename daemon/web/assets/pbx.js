// PBXs: what changes is shown as it changes, a check is made on demand, and what to paste is fetched when it is opened.

import { Refused, ask, look } from "./api.js";
import { fill } from "./page.js";

const EVERY_MS = 3000;
const SLOW_MS = 300; // what is there sooner needs no "loading"

const words = () => document.getElementById("pbx-words").dataset;

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Why it failed, and a button that tries again. */
function showFailure(place, text, error, again) {
  const why = error instanceof Refused ? error.message : words().unreachable;
  const line = element("p", "alert", `${text} ${why}. `);
  const button = element("button", "second small", words().again);
  button.type = "button";
  button.addEventListener("click", again);
  line.append(button);
  place.replaceChildren(line);
}

/** Says that it waits only when it takes long enough to be noticed. */
async function waiting(place, text, work) {
  const timer = setTimeout(() => place.replaceChildren(element("p", "help", text)), SLOW_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

// -- what changes by itself -----------------------------------------------------------------------------------------

let asking = false;

/** This page once more; only the parts that differ are touched, so nothing moves and what is open stays open. */
async function renew() {
  if (document.hidden || asking || !document.querySelector("[data-live]")) return;
  asking = true;
  try {
    const { document: html } = await look("/settings/pbx");
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (now && now.innerHTML !== part.innerHTML) part.replaceChildren(...now.childNodes);
    }
  } catch {
    // the bar at the top tells that the line is lost; the next look may work
  } finally {
    asking = false;
  }
}

// -- the check ------------------------------------------------------------------------------------------------------

const looks = (ok) => (ok === true ? ["good", "good"] : ok === false ? ["bad", "bad"] : ["warn", "unknown"]);

function findingLine(finding) {
  const line = fromTemplate("finding");
  const [colour, word] = looks(finding.ok);
  const state = line.querySelector(".state");
  state.classList.add(colour);
  state.textContent = words()[word];
  line.querySelector("[data-words]").textContent = finding.words;
  const fix = line.querySelector("[data-fix]");
  fix.hidden = !finding.fix;
  fix.textContent = finding.fix ? `${words().fix} ${finding.fix}` : "";
  return line;
}

function summed(items) {
  const [bad, unknown] = [false, null].map((ok) => items.filter((one) => one.ok === ok).length);
  const time = new Date().toLocaleTimeString("en-GB", { timeZone: words().zone }); // HH:mm:ss, as the server writes it
  if (bad) return fill(words().some, { time, n: bad, all: items.length });
  return fill(unknown ? words().unsure : words().all, { time, n: unknown, all: items.length });
}

async function check(button) {
  const place = document.getElementById(button.dataset.into);
  const [method, path] = button.dataset.check.split(" ");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true"); // not disabled: the keyboard stays where it is
  try {
    const { document: answer } = await waiting(place, words().checking, ask(method, path));
    const list = document.createElement("ul");
    list.append(...answer.items.map(findingLine));
    place.replaceChildren(element("p", "", summed(answer.items)), list);
  } catch (error) {
    showFailure(place, words().failed, error, () => check(button));
  } finally {
    button.removeAttribute("aria-busy");
  }
  renew();
}

// -- what to paste --------------------------------------------------------------------------------------------------

let made = 0;

/** Each text gets an id of its own, which is what a copy button names. */
function copied(part, selector, text, button) {
  const source = part.querySelector(selector);
  source.textContent = text;
  source.id = `paste-${(made += 1)}`;
  part.querySelector(button).dataset.copy = `#${source.id}`;
}

function stanza({ purpose, file, text, reload }) {
  const part = fromTemplate("stanza");
  part.querySelector("[data-purpose]").textContent = purpose;
  part.querySelector("[data-file]").textContent = file;
  copied(part, "[data-text]", text, "[data-copy-text]");
  copied(part, "[data-reload]", reload, "[data-copy-reload]");
  return part;
}

async function load(details) {
  const place = details.querySelector("[data-place]");
  if (!details.open || place.dataset.done) return;
  try {
    const { document: answer } = await waiting(place, words().loading, ask("GET", details.dataset.stanzas));
    place.dataset.done = "yes";
    const parts = answer.items.map(stanza);
    place.replaceChildren(...(parts.length ? parts : [element("p", "help", words().nothing)]));
  } catch (error) {
    showFailure(place, words().unread, error, () => load(details));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-check]");
  if (button) check(button);
});
for (const details of document.querySelectorAll("[data-stanzas]")) {
  details.addEventListener("toggle", () => load(details));
  load(details);
}
setInterval(renew, EVERY_MS);
document.addEventListener("visibilitychange", renew);
