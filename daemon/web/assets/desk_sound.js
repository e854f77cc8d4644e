// The ringtone in the browser: one tab plays it, in a loop, and stops the moment nothing rings.

import { choices } from "./desk_choices.js";
import { address } from "./desk_words.js";

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("callwarden-ring") : null;
const me = Math.random();
let sound = null;

/** Resolves to whether it can be heard; false: the browser wants a click first. */
export async function play() {
  stop();
  const { tone, volume } = choices();
  const name = tone ?? document.getElementById("sound-tone").value;
  if (!name) return true;
  const mine = (sound = new Audio(address(`/api/v1/ringtones/${encodeURIComponent(name)}/audio`)));
  mine.loop = true;
  mine.volume = Math.min(1, Math.max(0, volume / 100));
  try {
    await mine.play();
    return true;
  } catch {
    return sound !== mine; // stopped before it began
  }
}

export function stop() {
  sound?.pause();
  sound = null;
}

export const isPlaying = () => Boolean(sound && !sound.paused);

/** Where there are no locks several tabs begin, and all but one stop when they hear of each other. */
export function ring() {
  if (!navigator.locks) channel?.postMessage(me);
  return play();
}

channel?.addEventListener("message", ({ data }) => {
  if (typeof data !== "number" || !sound || navigator.locks) return;
  if (data < me) stop();
  else channel.postMessage(me);
});
