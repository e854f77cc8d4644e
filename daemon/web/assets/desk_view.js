// The one place where the agent's eye rests: ready, ringing, talking, or the call that has just ended.
// It is made anew only when something on it changes; the seconds change by themselves.

import { showCustomer } from "./desk_customer.js";
import { isBlocked, openByHand } from "./desk_pop.js";
import { keyOf } from "./desk_state.js";
import { showKeys } from "./phone_keys.js";
import { aboutOf, fill, fromTemplate, nameOf, numberOf, serverNow, span, ticketPath, timeTag, whoOf, words } from "./desk_words.js";

let shown = "";

function identify(card, call) {
  card.querySelector("[data-who]").textContent = whoOf(call);
  card.querySelector("[data-number]").textContent = nameOf(call) ? numberOf(call) : "";
  card.querySelector("[data-about]").textContent = aboutOf(call);
}

function linkTicket(card, call) {
  const link = card.querySelector("[data-ticket]");
  link.hidden = !call.ticket_id;
  if (call.ticket_id) link.href = ticketPath(call.ticket_id);
}

function ticking(place, since, text) {
  place.dataset.since = since;
  place.dataset.text = text;
}

function ringCard({ call, since }, state) {
  const card = fromTemplate("ring-card");
  identify(card, call);
  showCustomer(card, call);
  const waits = card.querySelector("[data-waits]");
  showKeys(card, state, call, { rings: true, talks: false });
  ticking(waits, call.queued_at ?? call.started_at ?? since, waits.dataset.waits);
  return card;
}

function talkCard(call, pop, state) {
  const card = fromTemplate("talk-card");
  identify(card, call);
  showCustomer(card, call);
  linkTicket(card, call);
  showKeys(card, state, call, { rings: false, talks: call.state === "answered" });
  const talks = card.querySelector("[data-talks]");
  if (call.answered_at) ticking(talks, call.answered_at, "{time}");
  else talks.textContent = words().dialling;
  const dead = card.querySelector("[data-dead]");
  dead.hidden = !call.connection_lost_at;
  if (call.connection_lost_at) ticking(dead, call.connection_lost_at, dead.dataset[call.connection_lost_side]);
  const button = card.querySelector("[data-page]");
  button.hidden = !pop;
  if (pop) {
    button.classList.toggle("second", Boolean(pop.opened_at) && !isBlocked(pop));
    button.addEventListener("click", () => openByHand(pop));
    card.querySelector("[data-blocked]").hidden = !isBlocked(pop);
  }
  return card;
}

function idleCard(call) {
  const card = fromTemplate("last-call");
  const last = card.querySelector("[data-last]");
  last.hidden = !call;
  if (!call) return card;
  identify(last, call);
  linkTicket(last, call);
  last.querySelector("[data-about]").replaceChildren(timeTag(call.ended_at ?? call.started_at), call.talk_seconds ? ` · ${span(1000 * call.talk_seconds)}` : "");
  return card;
}

function lastCall(state) {
  return state.last ? (state.recent.get(keyOf(state.last)) ?? state.last) : null;
}

export function showStage(state, now) {
  const stage = document.getElementById("stage");
  const rings = [...new Map(state.ringsAt(now).map((one) => [keyOf(one.call), one])).values()];
  const talks = state.talks();
  const pops = talks.map((call) => state.pops.get(keyOf(call)));
  const last = lastCall(state);
  const signature = JSON.stringify([rings, talks, [...state.held.keys()], state.keys, pops, pops.map((pop) => pop && isBlocked(pop)), rings.length || talks.length ? null : last]);
  if (signature === shown) return;
  shown = signature;
  const focused = stage.contains(document.activeElement) && ["[data-page]", "[data-phone]"].find((one) => document.activeElement.matches(one));
  stage.dataset.state = rings.length ? "ringing" : talks.length ? "talking" : "ready";
  const cards = [...rings.map((one) => ringCard(one, state)), ...talks.map((call, at) => talkCard(call, pops[at], state))];
  stage.replaceChildren(...(cards.length ? cards : [idleCard(last)]));
  if (focused) stage.querySelector(`${focused}:not([hidden])`)?.focus();
  tick();
}

/** The seconds of what waits and talks. */
export function tick() {
  const now = serverNow();
  for (const place of document.querySelectorAll("#stage [data-since]")) {
    const text = fill(place.dataset.text, { time: span(now - Date.parse(place.dataset.since)) });
    if (place.textContent !== text) place.textContent = text;
  }
}
