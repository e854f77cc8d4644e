// Tells of a call outside the page: the tab's title, a notification of the system, the ringtone. All end with the ringing.

import { choices } from "./desk_choices.js";
import { isLeader } from "./desk_leader.js";
import { keyOf } from "./desk_state.js";
import { aboutOf, fill, nameOf, numberOf, whoOf, words } from "./desk_words.js";
import { ring, stop } from "./desk_sound.js";

const title = document.title;
const notes = new Map();
let ringsFor = "";

export const mayNotify = () => isSecureContext && "Notification" in globalThis && Notification.permission === "granted";

/** A click brings the tab to the front, and then does `clicked`. */
export function notify(text, options, clicked = () => {}) {
  if (!mayNotify()) return null;
  try {
    const note = new Notification(text, options);
    note.addEventListener("click", () => {
      window.focus();
      note.close();
      clicked();
    });
    return note;
  } catch {
    return null; // Android's Chrome has them for service workers only
  }
}

function said(call) {
  const name = nameOf(call) ? `${nameOf(call)}, ${numberOf(call)}` : numberOf(call);
  return [fill(words().callsYou, { who: name }), aboutOf(call)].filter(Boolean).join(". ");
}

/** `rings` are the phones that ring now; `soundFailed` is called when the browser lets nothing be heard. */
export function alertOf(rings, soundFailed) {
  const calls = new Map(rings.map(({ call }) => [keyOf(call), call]));
  const [first] = calls.values();
  document.title = first ? `☎ ${numberOf(first)}` : title;
  const keys = [...calls.keys()].join(" ");
  const text = [...calls.values()].map(said).join(". "); // once more when it becomes known who it is
  const place = document.getElementById("said");
  if (place.textContent !== text) place.textContent = text;
  if (keys !== ringsFor) {
    ringsFor = keys;
    if (!keys) stop();
    else if (isLeader() && choices().sound) ring().then((heard) => heard || soundFailed());
  }
  notifyOf(calls);
}

function notifyOf(calls) {
  for (const [key, { note }] of notes) {
    if (calls.has(key)) continue;
    note.close();
    notes.delete(key);
  }
  if (!isLeader()) return;
  for (const [key, call] of calls) {
    const who = `☎ ${whoOf(call)}`;
    const body = [nameOf(call) && numberOf(call), aboutOf(call), call.customer?.note].filter(Boolean).join("\n");
    const text = `${who}\n${body}`;
    if (notes.get(key)?.text === text) continue;
    // By its tag a later one takes the place of the earlier, without a sound.
    const note = notify(who, { body, tag: `callwarden-${key}`, requireInteraction: true, silent: choices().sound });
    if (note) notes.set(key, { note, text });
  }
}
