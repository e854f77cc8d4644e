// What every page does: forms, copy buttons, the theme switch, and the state of the PBX and of the line to the server.

import { Refused, ask } from "./api.js";
import { listen } from "./form.js";
import { say, sayKept, words } from "./toast.js";

const EVERY_MS = 10000;

/** <button data-copy="#stanza"> copies that element's text. Without https there is no clipboard API: then by selection. */
async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (source.select) source.select();
    else {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
    document.execCommand("copy");
  }
  say(words("copied"));
}

function switchTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // kept for this page only
  }
}

function showPbx(link, items) {
  const up = items.filter((pbx) => pbx.state === "connected").length;
  const [words_, colour] = !items.length ? ["none", "warn"] : up === items.length ? ["up", "good"] : ["down", "bad"];
  link.querySelector("[data-words]").textContent = link.dataset[words_];
  link.querySelector(".dot").className = `dot ${colour}`;
}

async function watch() {
  const link = document.querySelector("[data-pbx]");
  if (document.hidden) return;
  try {
    const { document: answer } = await ask("GET", link ? "/api/v1/pbx" : "/api/v1/session");
    if (link) showPbx(link, answer.items);
    document.getElementById("lost").hidden = true;
  } catch (error) {
    document.getElementById("lost").hidden = error instanceof Refused; // it answers: the line is there
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-theme-switch]");
  if (button?.dataset.copy) copy(button);
  else if (button) switchTheme();
  const more = document.querySelector(".bottom details[open]");
  if (more && !more.contains(event.target)) more.open = false;
});

listen();
sayKept();
if (document.body.classList.contains("shell")) {
  watch();
  setInterval(watch, EVERY_MS);
  document.addEventListener("visibilitychange", watch);
}
