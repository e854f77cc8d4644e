// One agent: phones chosen from those of the PBX or typed, one a line; whose phone it is when it is somebody else's.

import "./play.js";
import { Refused, ask } from "./api.js";
import { collect, same } from "./controls.js";
import { follow, matched, seen, send } from "./form.js";
import { renew } from "./found.js";
import { base, fill } from "./page.js";

const form = document.querySelector("form[data-agent]");
const lines = document.getElementById("lines");
const inputs = () => [...lines.querySelectorAll("input")];
const split = (text) => text.split(/[\s,;]+/).filter(Boolean);
let phones = null; // by lower-case name; null: the PBX has not said

function showLimit() {
  lines.querySelector("[data-add-line]").disabled = inputs().length >= Number(lines.dataset.limit);
}

function addLine() {
  const last = lines.querySelector("template[data-line]");
  last.before(last.content.cloneNode(true));
  inputs().at(-1).focus();
  showLimit();
}

function dropLine(button) {
  const line = button.closest(".line");
  const rest = inputs().filter((input) => !line.contains(input));
  if (rest.length) line.remove();
  else line.querySelector("input").value = "";
  (rest.at(-1) ?? line.querySelector("input")).focus();
  showLimit();
  showStates();
}

/** A word and its colour for what is typed in a line; null: nothing to say. */
function stateOf(text) {
  const phone = phones?.found.get(text.toLowerCase());
  const words = form.dataset;
  if (!text || !phones) return null;
  if (!phone) return phones.complete ? [words.missing, "warn"] : null;
  if (phone.trunk) return [words.trunk, "warn"];
  if (phone.agent && phone.agent !== words.userId) return [fill(words.theirs, { name: phone.agent }), "bad"];
  if (phone.registered === null) return null;
  return phone.registered ? [words.registered, "good"] : [words.unregistered, "bad"];
}

function showStates() {
  for (const input of inputs()) {
    const place = input.closest(".line").querySelector("[data-line-state]");
    const [text, colour] = stateOf(input.value.trim()) ?? ["", ""];
    place.textContent = text;
    place.className = text ? `state ${colour}` : "";
  }
}

async function askPbx() {
  const { document: answer } = await ask("GET", "/api/v1/discovery");
  phones = {
    found: new Map(answer.endpoints.map((one) => [one.endpoint.toLowerCase(), one])),
    complete: answer.endpoints.length > 0 && answer.problems.length === 0,
  };
  const free = answer.endpoints.filter((one) => !one.trunk && !one.agent);
  document.getElementById("phones").replaceChildren(
    ...free.map((one) => {
      const option = document.createElement("option");
      option.value = one.endpoint;
      option.textContent = [one.suggested_name, one.user_agent].filter(Boolean).join(" · ");
      return option;
    }),
  );
  showStates();
}

/** The line that is meant: by its number, or because the reason begins with what stands in it. */
function lineOf({ field, message }) {
  const owners = inputs().flatMap((input) => split(input.value).map(() => input));
  const at = /^endpoints\.(\d+)/.exec(field);
  if (at) return owners[Number(at[1])];
  return inputs().find((input) => split(input.value).some((one) => message.toLowerCase().startsWith(one.toLowerCase())));
}

/** Beside the refusal: the line it is about, and the way to the agent who has the phone. */
async function point(refusal, id) {
  const wrong = refusal.errors.filter((one) => one.field.split(".")[0] === "endpoints").map(lineOf).filter(Boolean);
  if (wrong.length) {
    const described = inputs()[0].getAttribute("aria-describedby");
    for (const input of inputs()) input.removeAttribute("aria-invalid");
    for (const input of wrong) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", described);
    }
    wrong[0].focus();
  }
  const owner = refusal.problem.agent ?? (refusal.status === 412 ? id : null);
  const note = form.querySelector(".wrong");
  if (!owner || !note) return;
  const link = document.createElement("a");
  link.href = `${base()}/settings/agents/${encodeURIComponent(owner)}`;
  link.textContent = fill(form.dataset.owner, { name: await nameOf(owner) });
  note.append(" · ", link);
}

async function nameOf(id) {
  try {
    return (await ask("GET", `/api/v1/agents/${encodeURIComponent(id)}`)).document.name;
  } catch {
    return id;
  }
}

function setLines(endpoints) {
  for (const line of lines.querySelectorAll(":scope > .line")) line.remove();
  const last = lines.querySelector("template[data-line]");
  for (const endpoint of endpoints.length ? endpoints : [""]) {
    last.before(last.content.cloneNode(true));
    inputs().at(-1).value = endpoint;
  }
  showLimit();
  showStates();
}

function typedAgent() {
  const body = collect(form);
  body.personal_number = body.personal_number?.replace(/[\s().-]/g, "") || null; // as people group it
  return body;
}

let kept = typedAgent(); // what the page was made from, and after a clash what is there

/** Sent whole, so what others saved and nobody touched here is taken over before it is sent again. */
function meetOthers(body) {
  const loaded = kept;
  const typed = Object.fromEntries(Object.entries(body).filter(([name, value]) => !same(value, loaded[name])));
  const put = (name, value, { keep }) => {
    kept = { ...kept, [name]: value };
    if (name === "endpoints" && !keep) setLines(value);
    return name === "endpoints";
  };
  return { loaded, typed, put };
}

async function save(button) {
  const { user_id: newId, ...body } = typedAgent();
  const id = newId?.trim() ?? form.dataset.userId;
  const headers = newId === undefined ? seen(form) : { "If-None-Match": "*" };
  let refusal = null;
  const asked = () =>
    ask("PUT", `/api/v1/agents/${encodeURIComponent(id)}`, body, headers).catch((error) => {
      refusal = error;
      throw error;
    });
  const answer = await send(form, button, () => matched(form, body, asked(), meetOthers(body)));
  if (answer) await follow("/settings/agents", answer, fill(form.dataset.said, { name: answer.document.name }));
  else if (refusal instanceof Refused && !("now" in refusal.problem)) await point(refusal, id);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save(event.submitter);
});
form.addEventListener("input", showStates);
form.addEventListener("click", (event) => {
  const drop = event.target.closest("[data-drop-line]");
  if (drop) dropLine(drop);
  else if (event.target.closest("[data-add-line]")) addLine();
});
document.addEventListener("done", (event) => {
  const part = event.target.dataset.part;
  if (part) renew(part).then(() => document.querySelector("main").focus());
});
showLimit();
askPbx().catch(() => {}); // phones can be typed all the same
