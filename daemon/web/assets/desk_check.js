// What this computer may do when the phone rings: tested as it will be at a call, with the way to allow it.

import { mayNotify, notify } from "./desk_alert.js";
import { choices, choose } from "./desk_choices.js";
import { isPlaying, play, stop } from "./desk_sound.js";
import { fill } from "./desk_words.js";

const by = (id) => document.getElementById(id);
const words = () => by("alert-words").dataset;
const SETTLE_S = 6; // browsers allow windows for some 5 seconds after a click; at a call nobody has clicked
const TEST_MS = 1500;

function state(id, word, colour = "") {
  by(id).textContent = words()[word];
  by(id).className = `state ${colour}`;
}

export function popsAre(works) {
  state("pop-state", works ? "works" : "blocked", works ? "good" : "bad");
  by("pop-help").hidden = works;
}

function showNotes() {
  const possible = isSecureContext && "Notification" in globalThis;
  const permission = possible ? Notification.permission : "impossible";
  const [word, colour] = { granted: ["on", "good"], denied: ["blocked", "bad"], default: ["unasked", "warn"], impossible: ["impossible", "warn"] }[permission];
  state("note-state", word, colour);
  by("note-insecure").hidden = possible;
  by("note-denied").hidden = permission !== "denied";
  by("ask-note").hidden = permission !== "default";
  by("test-note").hidden = permission !== "granted";
}

function showSound() {
  const { sound, volume, tone } = choices();
  state("sound-state", sound ? "on" : "off", sound ? "good" : "");
  by("sound-on").checked = sound;
  by("sound-volume").value = volume;
  if (tone !== null && [...by("sound-tone").options].some((one) => one.value === tone)) by("sound-tone").value = tone;
}

const isActive = () => navigator.userActivation?.isActive ?? false;

/** Nobody has clicked for long enough that the browser takes the next window for one that opens by itself. */
async function untilNobodyClicked() {
  for (let left = SETTLE_S; left > 0; left -= 1) {
    by("pop-words").textContent = fill(words().wait, { n: left });
    await new Promise((wake) => setTimeout(wake, 1000));
    if (isActive() && left === 1) left = SETTLE_S + 1; // somebody clicked: once more
  }
}

async function testPops() {
  if (by("test-pop").getAttribute("aria-busy")) return;
  by("test-pop").setAttribute("aria-busy", "true");
  await untilNobodyClicked();
  const test = open("", "callwarden-test", "width=360,height=160");
  if (test) setTimeout(() => test.close(), TEST_MS);
  popsAre(Boolean(test));
  by("pop-words").textContent = test ? words().opened : words().refused;
  by("test-pop").removeAttribute("aria-busy");
}

async function testSound() {
  const button = by("test-sound");
  const label = (playing) => (button.textContent = button.dataset[playing ? "stop" : "listen"]);
  if (isPlaying()) {
    stop();
    return label(false);
  }
  soundIs(await play());
  label(isPlaying());
}

export function soundIs(heard) {
  by("sound-blocked").hidden = heard;
  if (heard) showSound();
  else state("sound-state", "blocked", "bad");
}

function listen() {
  by("test-pop").addEventListener("click", testPops);
  by("ask-note").addEventListener("click", () => Notification.requestPermission().then(showNotes));
  by("test-note").addEventListener("click", () => notify(words().noteTitle, { body: words().noteBody, tag: "callwarden-test" }));
  by("test-sound").addEventListener("click", testSound);
  by("sound-on").addEventListener("change", ({ target }) => {
    choose({ sound: target.checked });
    if (!target.checked) stop();
    showSound();
  });
  by("sound-volume").addEventListener("change", ({ target }) => choose({ volume: Number(target.value) }));
  by("sound-tone").addEventListener("change", ({ target }) => choose({ tone: target.value }));
  for (const radio of document.querySelectorAll('[name="window"]')) {
    radio.checked = radio.value === choices().window;
    radio.addEventListener("change", () => choose({ window: radio.value }));
  }
}

/** A link to the section opens it. */
function openIfMeant() {
  if (location.hash === "#alerts") by("alerts").open = true;
}

export function beginCheck() {
  listen();
  showNotes();
  showSound();
  openIfMeant();
  addEventListener("hashchange", openIfMeant);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href="#alerts"]');
    if (link) by("alerts").open = true;
    if (link?.closest("[data-blocked]")) by("pop-help").hidden = false; // asked for on a card, whichever browser blocked it
  });
  document.addEventListener("visibilitychange", showNotes); // allowed or refused in the browser's own settings meanwhile
  return mayNotify();
}
