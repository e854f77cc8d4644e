// Ringtones: one plays at a time, rows open to show more, and a file becomes a ringtone that plays at once.

import { Refused, ask } from "./api.js";
import { afterwards, clearErrors, reload, send, showErrors } from "./form.js";
import { fill } from "./page.js";
import { say } from "./toast.js";

const player = new Audio();
const opened = new Set(); // names of the ringtones whose rows are open: they stay so when the page is renewed
let back = null; // the id of the button to return to when the page is renewed

const words = () => document.getElementById("ringtones").dataset;
const nameOf = (button) => button.closest("[data-tone]").dataset.tone;
const rowOf = (name) => document.querySelector(`[data-tone="${CSS.escape(name)}"]`);

// -- listening ------------------------------------------------------------------------------------------------------

let playing = null; // the name

function showPlaying() {
  for (const button of document.querySelectorAll("[data-play]")) {
    const on = nameOf(button) === playing;
    const label = button.closest("td").querySelector("strong").textContent;
    button.toggleAttribute("data-playing", on);
    button.setAttribute("aria-label", fill(on ? words().stopWords : words().playWords, { name: label }));
  }
}

function stop() {
  player.pause();
  playing = null;
  showPlaying();
}

async function play(button) {
  playing = nameOf(button);
  const mine = playing;
  showPlaying();
  player.src = button.dataset.play;
  try {
    await player.play();
  } catch (error) {
    if (error.name === "AbortError" || playing !== mine) return; // another was pressed, or stop
    stop();
    if (error.name !== "NotAllowedError") say(words().silent, { bad: true });
  }
}

player.addEventListener("ended", stop);

// -- rows that open -------------------------------------------------------------------------------------------------

function unfold(button, open) {
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
  opened[open ? "add" : "delete"](nameOf(button));
}

// -- uploading ------------------------------------------------------------------------------------------------------

/** As the API wants names: plain letters and digits, none that is taken. */
function suggested(stem, taken) {
  const plain = stem.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/g, "d").replace(/Đ/g, "D");
  const name = plain.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  const free = name.replace(/(\.(8k|16k|wav))+$/i, "").slice(0, 60) || "ringtone";
  const known = new Set(taken.map((one) => one.toLowerCase()));
  let number = 1;
  const numbered = () => (number === 1 ? free : `${free}-${number}`);
  while (known.has(numbered().toLowerCase())) number += 1;
  return numbered();
}

class Upload {
  constructor(form) {
    this.form = form;
    this.fields = form.elements;
    this.names = form.querySelector("[data-names]");
    this.button = form.querySelector("[type=submit]");
    this.taken = JSON.parse(form.querySelector("#names").textContent);
    this.fields.file.addEventListener("change", () => this.chosen());
    form.querySelector("[data-cancel]").addEventListener("click", () => this.cancel());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  drop(files) {
    if (this.button.disabled) return;
    this.fields.file.files = files;
    this.chosen();
    if (files.length > 1) this.cancel();
    if (files.length > 1) this.refuse(words().one);
  }

  chosen() {
    clearErrors(this.form);
    const [file] = this.fields.file.files;
    this.names.hidden = !file || this.isUnusable(file);
    if (this.names.hidden) return;
    const stem = file.name.normalize("NFC").replace(/\.[^.]*$/, "") || file.name;
    this.fields.label.value = stem.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").slice(0, 255);
    this.fields.name.value = suggested(stem, this.taken);
    this.button.focus();
  }

  isUnusable(file) {
    if (file.size > Number(this.form.dataset.limit)) this.refuse(words().tooLarge);
    else if (file.size === 0) this.refuse(words().empty);
    else return false;
    return true;
  }

  refuse(message) {
    showErrors(this.form, { errors: [{ field: "file", message }] });
  }

  cancel() {
    this.form.reset();
    this.names.hidden = true;
    clearErrors(this.form);
    this.fields.file.focus();
  }

  async send() {
    const [file] = this.fields.file.files;
    if (!file) return this.refuse(words().noFile);
    this.busy(true);
    const answer = await send(this.form, this.button, () => this.sent(file));
    this.busy(false);
    if (!answer) return;
    const { name, label } = answer.document;
    await afterwards(reload, fill(words().added, { name: label }));
    const button = rowOf(name)?.querySelector("[data-play]");
    button?.focus();
    if (button) play(button);
  }

  /** The file itself is the body; what is wrong with it stands beside the file. */
  async sent(file) {
    const query = new URLSearchParams({ name: this.fields.name.value.trim() });
    if (this.fields.label.value.trim()) query.set("label", this.fields.label.value.trim());
    try {
      const type = { "Content-Type": "application/octet-stream" }; // what it is, is seen from its content
      return await ask("POST", `/api/v1/ringtones?${query}`, file, type);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 413) error.errors = [{ field: "file", message: error.message }];
      error.errors = error.errors.map((one) => ({ ...one, field: one.field || "file" }));
      throw error;
    }
  }

  busy(on) {
    this.button.textContent = on ? this.button.dataset.busy : this.button.dataset.still;
    this.form.querySelector("[data-cancel]").disabled = on;
  }
}

let upload = null;

function open() {
  const form = document.getElementById("upload");
  upload = form && new Upload(form);
  for (const name of opened) {
    const button = rowOf(name)?.querySelector("[data-details]");
    if (button) unfold(button, true);
  }
  if (playing && !rowOf(playing)) stop();
  showPlaying();
  if (back) (document.getElementById(back) ?? document.getElementById("content")).focus();
  back = null;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play], [data-details]");
  if (!button) return;
  if (button.dataset.details !== undefined) unfold(button, button.getAttribute("aria-expanded") !== "true");
  else if (nameOf(button) === playing) stop();
  else play(button);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && playing) stop();
});
document.addEventListener("done", (event) => {
  const row = event.target.closest("tr");
  const details = row?.classList.contains("more") ? `${row.id}-details` : row?.querySelector("[data-details]").id;
  const was = row?.classList.contains("more") && row.previousElementSibling.dataset.tone;
  if (was && opened.delete(was) && event.detail.name) opened.add(event.detail.name);
  back = details ?? "content";
});
document.addEventListener("content", open);

// A file may be dropped anywhere: without this, the browser would leave the page and play it.
const hasFile = (event) => event.dataTransfer?.types.includes("Files");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    document.querySelector(".drop")?.classList.toggle("over", kind === "dragover");
    if (kind === "drop") upload?.drop(event.dataTransfer.files);
  });
}

open();
