// The desk put together: the line brings what happens, the state keeps it, stage, lists and alerts show it.
// Other modules may follow it on the document: "desk" (its detail is the state) and "desk-event" ({type, data}).

import { alertOf, notify } from "./desk_alert.js";
import { beginCheck, popsAre, soundIs } from "./desk_check.js";
import { isLeader, lead } from "./desk_leader.js";
import { DeskLink } from "./desk_link.js";
import { showLists } from "./desk_lists.js";
import { isBlocked, openByHand, openPops } from "./desk_pop.js";
import { DeskState } from "./desk_state.js";
import { beginTicket, showTicketOf } from "./desk_ticket.js";
import { showStage, tick } from "./desk_view.js";
import { serverNow, whoOf, words } from "./desk_words.js";

const EVERY_MS = 500;
const state = new DeskState(words().me);
const offered = new Map(); // notifications that offer a page
let wasRead = false;

function show() {
  if (!wasRead) return;
  const now = serverNow();
  showStage(state, now);
  alertOf(state.ringsAt(now), () => soundIs(false));
  showLists(state, show);
  showTicketOf(state);
  document.dispatchEvent(new CustomEvent("desk", { detail: state }));
}

/** The card offers the page, and so does a notification: a click opens what nothing else may. */
function offer(pop) {
  popsAre(false);
  show();
  const call = state.calls.get(`${pop.pbx}/${pop.call_id}`);
  const options = { body: words().popNote, tag: "callwarden-page", requireInteraction: true };
  if (call) offered.set(`${pop.pbx}/${pop.call_id}`, notify(whoOf(call), options, () => openByHand(pop)));
}

/** Opened in another browser, or the call is over. */
function takeBackOffers() {
  for (const [key, note] of offered) {
    const pop = state.pops.get(key);
    if (pop && (!pop.opened_at || isBlocked(pop)) && state.calls.has(key)) continue;
    note?.close();
    offered.delete(key);
  }
}

function changed() {
  show();
  takeBackOffers();
  openPops(state, offer);
}

function showLink(word) {
  const chip = document.getElementById("link-state");
  const colour = { live: "good", lost: "bad", connecting: "" }[word];
  if (chip.textContent !== words()[word]) chip.textContent = words()[word];
  chip.className = `state ${colour}`;
  document.getElementById("lost").hidden = word !== "lost";
}

const link = new DeskLink({
  read(whole) {
    wasRead = true;
    state.read(whole);
    changed();
  },
  happened(id, type, data) {
    state.happened(id, type, data);
    changed();
    document.dispatchEvent(new CustomEvent("desk-event", { detail: { type, data } }));
    if (type.startsWith("call.") || type === "agent.connected") soon();
  },
  shows: showLink,
});

let timer = null;

/** A call that changed hands or ended is read once more with all that came of it. */
function soon() {
  clearTimeout(timer);
  timer = setTimeout(() => link.again(), 1000);
}

const rest = () => link.sleep(Boolean(navigator.locks) && document.hidden && !isLeader());

beginCheck();
beginTicket();
lead(words().me, () => {
  rest();
  changed();
});
document.addEventListener("visibilitychange", rest);
link.begin();
setInterval(() => {
  tick();
  if (state.ringing.size) show(); // none rings on when nobody told its end
}, EVERY_MS);
window.addEventListener("pagehide", () => alertOf([], () => {}));
