// The customer's page opens once for a call, in the window that the server lets open it, whatever tabs there are.
//
// A window that is opened from our page could lead our page elsewhere (`opener.location`). A new tab is cut off from us
// before it goes anywhere. One that is used again must stay within our reach, so its opener is an empty frame inside
// the page: nothing is in it, it may lead the page nowhere, and our policy lets it go nowhere itself.

import { Refused, ask } from "./api.js";
import { choices } from "./desk_choices.js";
import { isLeader } from "./desk_leader.js";
import { keyOf } from "./desk_state.js";
import { serverNow } from "./desk_words.js";

const FRESH_MS = 60000; // later the call has gone on without it: the card offers it
const ATTEMPTS = 4;
const NAME = "callwarden-customer";
const browser = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const tried = new Set();
const toGiveBack = new Map(); // what the server does not know yet: this browser did not let it open
const giving = new Map(); // what is being told of it
const blocked = new Map(); // what this browser did not let it open, and when it had been won

function opener() {
  const known = document.getElementById("window-opener");
  if (known) return known.contentWindow;
  const frame = document.createElement("iframe");
  frame.id = "window-opener";
  frame.title = "";
  frame.hidden = true;
  frame.sandbox = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
  document.body.append(frame);
  return frame.contentWindow;
}

opener(); // a frame that is made in a click has no part in it: the browser would block the window that was clicked for

const isWeb = (url) => /^https?:/.test(new URL(url).protocol);

/** Whether a window opened; false: the browser did not let it. */
export function openPage(url) {
  if (!isWeb(url)) return false;
  if (choices().window === "one") {
    const one = opener().open(url, NAME);
    one?.focus();
    return Boolean(one);
  }
  const fresh = open("", "_blank");
  if (!fresh) return false;
  fresh.opener = null;
  fresh.location.replace(url);
  return true;
}

const told = (pop, what) => ask("POST", `/api/v1/desk/pops/${encodeURIComponent(pop.pbx)}/${encodeURIComponent(pop.call_id)}/${what}`, { browser });

/** When this window won it, or null. The answer may be what was lost, so it may ask again by the same name. */
async function mayOpen(pop, attempt = 1) {
  try {
    const { open, opened_at } = (await told(pop, "open")).document;
    return open ? opened_at : null;
  } catch (error) {
    if (error instanceof Refused && error.status < 500) return null;
    if (attempt === ATTEMPTS) throw error;
    await new Promise((wake) => setTimeout(wake, 500 * attempt));
    return mayOpen(pop, attempt + 1);
  }
}

async function openOnce(pop, key, onBlocked) {
  tried.add(key);
  try {
    const won = await mayOpen(pop);
    if (!won) return void tried.delete(key); // another window has it: the server tells when it gives it back
    if (openPage(pop.url)) return;
    blocked.set(key, won);
    toGiveBack.set(key, pop);
    giveBack(key);
    onBlocked(pop);
  } catch {
    tried.delete(key); // the line is cut: when it is back the desk is read again
  }
}

/** Whoever else may open windows does it now; where nobody may, every card of this agent offers the page. */
function giveBack(key) {
  if (!giving.has(key)) giving.set(key, sendBack(key).finally(() => giving.delete(key)));
}

async function sendBack(key) {
  try {
    await told(toGiveBack.get(key), "blocked");
    toGiveBack.delete(key);
  } catch (error) {
    if (error instanceof Refused && error.status < 500) toGiveBack.delete(key); // else the line is cut: with the next news it is tried again
  }
}

/** Some browser did not let it open, and no other one has opened it since. */
export function isBlocked(pop) {
  const won = blocked.get(keyOf(pop));
  return Boolean(won || pop.blocked_at) && (!pop.opened_at || pop.opened_at === won);
}

/** Opens what has not been opened anywhere; `onBlocked(pop)` when the browser prevented it. */
export function openPops(state, onBlocked) {
  for (const key of toGiveBack.keys()) giveBack(key);
  if (!isLeader()) return;
  for (const [key, pop] of state.pops) {
    const due = !pop.opened_at && state.calls.has(key) && serverNow() - Date.parse(pop.at) < FRESH_MS;
    if (due && !tried.has(key)) openOnce(pop, key, onBlocked);
  }
}

/** By a click: it may open whatever the browser thinks of popups. */
export async function openByHand(pop) {
  if (!openPage(pop.url)) return;
  const key = keyOf(pop);
  blocked.delete(key);
  toGiveBack.delete(key);
  await giving.get(key); // or it would be given back after it was opened
  mayOpen(pop).catch(() => {}); // other tabs need not offer it any more
}
