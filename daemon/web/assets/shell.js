// What every page does: forms, copy buttons, the theme switch, and the state of the PBX and of the line to the server.

import { Lost, look, renewToken } from "./api.js";
import { listen } from "./form.js";
import { fill } from "./page.js";
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
    if (!document.getElementById("signed-out").hidden) await renewToken();
    if (link) showPbx(link, (await look("/api/v1/pbx")).document.items);
    else await look("/api/v1/session");
    document.getElementById("lost").hidden = true;
  } catch (error) {
    document.getElementById("lost").hidden = !(error instanceof Lost); // it answers: the line is there
  }
}

/** The page stays as it is, with what was typed: in another tab one signs in, and goes on here. */
document.addEventListener("signed-out", () => {
  const bar = document.getElementById("signed-out");
  bar.querySelector("[data-words]").textContent = bar.dataset.out;
  bar.querySelector("a").hidden = false;
  bar.hidden = false;
});
document.addEventListener("signed-in", ({ detail: { name, isSame } }) => {
  const bar = document.getElementById("signed-out");
  bar.querySelector("[data-words]").textContent = isSame ? "" : fill(bar.dataset.other, { name });
  bar.querySelector("a").hidden = true;
  bar.hidden = isSame;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-theme-switch]");
  if (button?.dataset.copy) copy(button);
  else if (button) switchTheme();
  const more = document.querySelector(".bottom details[open]");
  if (more && !more.contains(event.target)) more.open = false;
});

/** Lists have a field of their own for the same key. */
document.addEventListener("keydown", (event) => {
  const field = document.querySelector("[data-find]");
  const isKey = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
  if (!isKey || !field?.checkVisibility() || event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
  event.preventDefault();
  field.select();
});

listen();
sayKept();
if (document.body.classList.contains("shell")) {
  watch();
  setInterval(watch, EVERY_MS);
  document.addEventListener("visibilitychange", watch);
}
