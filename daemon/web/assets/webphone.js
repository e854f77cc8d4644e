// The webphone's window: dials by the agent's own phone, acts on his call, gives it on, and shows the configured page.

import { Refused, ask } from "./api.js";
import { AgentState } from "./agent_state.js";
import { Colleagues } from "./colleagues.js";
import { showCustomer } from "./desk_customer.js";
import { DeskLink } from "./desk_link.js";
import { DeskState, keyOf } from "./desk_state.js";
import { aboutOf, fill, serverNow, span, whoOf } from "./desk_words.js";
import { isHeld, showKeys } from "./phone_keys.js";
import { say, words as toastWords } from "./toast.js";

const said = document.getElementById("phone-words").dataset;
const find = (selector) => document.querySelector(selector);
const [panel, give, dial, number] = [find("#call"), find("#give"), find("#dial"), find("#number")];
const me = document.getElementById("desk-words").dataset.me;
const desk = new DeskState(me);
const agentState = new AgentState(find("[data-agent-state]"));
const reasons = JSON.parse(find("[data-agent-state]").dataset.reasons);
const colleagues = new Colleagues({ list: find("#colleagues"), nobody: find("#nobody"), me, words: said, reasons });
let framed = null;

/** The call to act on: the one talked in, else the one that rings or is being made. */
function current() {
  const talks = desk.talks();
  const ring = desk.ringsAt(serverNow())[0];
  return talks.find((call) => call.state === "answered") ?? ring?.call ?? talks[0] ?? null;
}

const isTalking = (call) => call?.state === "answered" && call.user_id === me;
const rings = (call) => desk.ringsAt(serverNow()).some((one) => keyOf(one.call) === keyOf(call));

function show() {
  const call = current();
  panel.hidden = !call;
  find("[data-tones]").hidden = !isTalking(call);
  find("[data-idle]").hidden = isTalking(call);
  if (!call) {
    openGive(false);
    return;
  }
  const talking = isTalking(call);
  panel.querySelector("[data-who]").textContent = whoOf(call);
  panel.querySelector("[data-about]").textContent = aboutOf(call);
  showCustomer(panel, call);
  const { muted = false, consulting = false } = call;
  for (const one of panel.querySelectorAll("[data-talking]")) one.hidden = !talking || consulting;
  showKeys(panel, desk, call, { rings: rings(call) && !talking, talks: talking && !consulting });
  panel.querySelector("[data-own-keys]").hidden = desk.keys.hold && desk.keys.answer;
  panel.querySelector('[data-do="hangup"]').textContent = rings(call) && !talking ? said.decline : said.hangUp;
  panel.querySelector('[data-do="hangup"]').hidden = consulting;
  const mute = panel.querySelector('[data-do="mute"]');
  mute.setAttribute("aria-pressed", String(muted));
  mute.textContent = muted ? said.unmute : said.mute;
  panel.querySelector("[data-consulting]").hidden = !consulting;
  if (!talking) openGive(false);
  tick();
}

function tick() {
  const call = current();
  if (!call) return;
  const answered = call.answered_at && isTalking(call);
  const text = answered ? fill(isHeld(desk, call) ? said.held : said.talking, { time: span(serverNow() - Date.parse(call.answered_at)) }) : rings(call) ? said.ringing : said.dialling;
  const place = panel.querySelector("[data-time]");
  if (place.textContent !== text) place.textContent = text;
}

function openGive(isOpen) {
  if (give.hidden === !isOpen) return;
  give.hidden = !isOpen;
  dial.hidden = isOpen;
  panel.querySelector('[data-do="give"]').setAttribute("aria-expanded", String(isOpen));
  colleagues.open(isOpen);
  if (isOpen) find("#target").focus();
}

/** What was asked for, with the button pressed meanwhile; false when it was refused, which is said. */
async function done(button, work) {
  button?.setAttribute("aria-busy", "true");
  try {
    await work();
    return true;
  } catch (error) {
    const text = error instanceof Refused ? error.errors.map((one) => one.message).join(" · ") || error.message : toastWords("unsent");
    say(text, { bad: true });
    return false;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

const pathOf = (call) => `/api/v1/desk/calls/${encodeURIComponent(call.pbx)}/${encodeURIComponent(call.call_id)}`;
const act = (button, call, what, body, method = "POST") => done(button, () => ask(method, `${pathOf(call)}/${what}`, body));

/** At once here; the server tells every other tab. */
const takePart = (call, changes) => desk.takesPart({ muted: false, consulting: false, ...call, ...changes });

async function pressed(button) {
  const call = current();
  if (!call) return;
  switch (button.dataset.do) {
    case "hangup":
    case "hand-over":
      await act(button, call, "hangup");
      break;
    case "mute":
      if (await act(button, call, call.muted ? "unmute" : "mute")) takePart(call, { muted: !call.muted });
      break;
    case "give":
      openGive(give.hidden);
      break;
    case "return":
      if (await act(button, call, "attended-transfer", undefined, "DELETE")) takePart(call, { consulting: false });
  }
  show();
}

async function given(button) {
  const call = current();
  if (!call) return;
  const to = button.dataset.user ? { user_id: button.dataset.user } : { number: find("#target").value };
  const what = button.dataset.give;
  if (!(await act(button, call, what, to))) return;
  if (what === "attended-transfer") takePart(call, { consulting: true });
  else say(said.handed);
  openGive(false);
  show();
}

async function called() {
  const hotline = find("#hotline")?.value;
  const body = { number: number.value, ...(hotline ? { hotline } : {}) };
  if (!(await done(find("[data-call]"), () => ask("POST", "/api/v1/calls", body)))) return;
  say(said.calling);
  link.again();
}

const unsent = { digits: [], busy: false };

/** In the order of the keys, whatever the network does: those pressed while one is on its way go together after it. */
async function sound(call, key) {
  unsent.digits.push({ call, key });
  if (unsent.busy) return;
  unsent.busy = true;
  while (unsent.digits.length) {
    const to = unsent.digits[0].call;
    const others = unsent.digits.findIndex((one) => keyOf(one.call) !== keyOf(to)); // no key of this call reaches another one
    const sent = unsent.digits.splice(0, others < 0 ? unsent.digits.length : others);
    await act(null, to, "dtmf", { digits: sent.map((one) => one.key).join("") });
  }
  unsent.busy = false;
}

/** A key dials; while one talks it is a tone for the other side. */
function keyed(key) {
  const call = current();
  if (isTalking(call)) sound(call, key);
  else {
    number.setRangeText(key, number.selectionStart, number.selectionEnd, "end");
    number.focus();
  }
}

/** Another call is another page in the frame: the server says its address. */
async function renewFrame() {
  const place = find("[data-page]");
  const call = current();
  const key = call && `${keyOf(call)} ${call.answered_at}`;
  if (!place || !key || key === framed) return;
  framed = key;
  const { document: html } = await ask("GET", "/webphone");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-page]");
  const name = place.tagName === "IFRAME" ? "src" : "href";
  if (fresh && fresh.getAttribute(name) !== place.getAttribute(name)) place.setAttribute(name, fresh.getAttribute(name));
}

function happened(type, data) {
  if (type === "agent.state") agentState.show(data);
  if (type === "click_to_call.failed") {
    say(JSON.parse(said.failures)[data.why] ?? data.why, { bad: true });
    setTimeout(() => link.again(), 500);
  }
  if (type.startsWith("call.") || type === "agent.connected") setTimeout(() => link.again(), 1000);
}

const link = new DeskLink({
  read(whole) {
    desk.read(whole);
    agentState.read();
    show();
    renewFrame().catch(() => {});
  },
  happened(id, type, data) {
    desk.happened(id, type, data);
    happened(type, data);
    show();
    renewFrame().catch(() => {});
  },
  shows: (word) => (find("#lost").hidden = word !== "lost"),
});

find("#dial-form").addEventListener("submit", (event) => {
  event.preventDefault();
  called();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do], [data-give], [data-key], [data-erase]");
  if (!button || button.getAttribute("aria-busy")) return;
  if (button.dataset.do) pressed(button);
  else if (button.dataset.give) given(button);
  else if (button.dataset.key) keyed(button.dataset.key);
  else number.value = number.value.slice(0, -1);
});
find("#target").addEventListener("input", (event) => colleagues.filter(event.target.value));
link.begin();
setInterval(tick, 500);
// A colleague who was asked may hang up or refuse: then the customer is back, and only the PBX knows.
setInterval(() => current()?.consulting && link.again(), 3000);
