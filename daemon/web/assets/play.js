// <button data-play="#ringtone"> plays the ringtone that is chosen there, and stops it.

import { base } from "./page.js";
import { say } from "./toast.js";

let playing = null;

function stop() {
  playing?.sound.pause();
  if (playing) playing.label.textContent = playing.word;
  playing = null;
}

function play(button) {
  const select = document.querySelector(button.dataset.play);
  const name = select.value || select.dataset.default;
  const label = button.querySelector("span");
  const sound = new Audio(`${base()}/api/v1/ringtones/${encodeURIComponent(name)}/audio`);
  playing = { sound, label, word: label.textContent };
  label.textContent = button.dataset.stop;
  sound.addEventListener("ended", stop);
  sound.play().catch(() => {
    if (playing?.sound !== sound) return; // it was stopped before it began
    stop();
    say(button.dataset.silent, { bad: true });
  });
}

/** With the phone's own ringtone chosen there is nothing to hear. */
function showButtons() {
  for (const button of document.querySelectorAll("[data-play]")) {
    const select = document.querySelector(button.dataset.play);
    button.hidden = !(select.value || select.dataset.default);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play]");
  if (!button) return;
  const was = playing;
  stop();
  if (!was) play(button);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("select")) {
    stop();
    showButtons();
  }
});
document.addEventListener("content", showButtons);
showButtons();
