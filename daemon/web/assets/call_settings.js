// The call settings: what differs from what is saved, saving just that, and meeting another admin who saved meanwhile.

import { Refused, ask, look } from "./api.js";
import { collect, controls, same } from "./controls.js";
import { afterwards, clearErrors, reload, send } from "./form.js";
import { fill } from "./page.js";
import { say } from "./toast.js";

const API = "/api/v1/call-settings";
const PANEL_AFTER_MS = 200;
const LOOK_EVERY_MS = 10000;
const OVERTAKEN = Symbol("overtaken");
const MERGED = Symbol("merged");


class Settings {
  constructor(form) {
    this.form = form;
    this.words = form.dataset;
    this.version = form.dataset.version;
    this.kept = JSON.parse(form.querySelector("#kept").textContent);
    form.addEventListener("input", () => this.typed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(event.submitter);
    });
    form.querySelector("[data-discard]").addEventListener("click", () => this.discard());
    form.querySelector("[data-try-popup]").addEventListener("click", (event) => this.tryPopup(event.currentTarget));
    form.querySelector("[data-try-lookup]").addEventListener("click", (event) => this.tryLookup(event.currentTarget));
  }

  /** What is typed and differs from what is saved. */
  changes() {
    const typed = collect(this.form);
    return Object.fromEntries(Object.entries(typed).filter(([name, value]) => !same(value, this.kept[name])));
  }

  controls(name) {
    return controls(this.form, name);
  }

  put(name, value) {
    for (const control of this.controls(name)) {
      if (control.type === "radio") control.checked = control.value === value;
      else if (control.type === "checkbox") control.checked = value;
      else control.value = value ?? "";
    }
  }

  /** A value as the page words it. */
  worded(name, value) {
    const control = this.controls(name).find((one) => one.type !== "radio" || one.value === value);
    if (typeof value === "boolean") return value ? this.words.on : this.words.off;
    if (control?.type === "radio") return control.closest("label").querySelector("[data-word]").textContent;
    if (control?.options) return [...control.options].find((one) => one.value === (value ?? ""))?.textContent ?? value;
    return value === null || value === "" ? this.words.none : String(value);
  }

  label(name) {
    const place = document.getElementById(`setting-${name}`);
    return place?.querySelector("legend, label")?.textContent.trim() ?? name;
  }

  typed() {
    this.showBar();
    const off = !this.form.elements.auto_create_tickets.checked;
    this.form.querySelector("[data-while-off]").hidden = !off;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.explain(), PANEL_AFTER_MS);
  }

  showBar() {
    const changes = Object.entries(this.changes());
    const bar = this.form.querySelector("#savebar");
    const count = bar.querySelector("[data-count]");
    bar.hidden = changes.length === 0;
    count.textContent = fill(changes.length === 1 ? count.dataset.one : count.dataset.many, { n: changes.length });
    bar.querySelector("ul").replaceChildren(...changes.map(([name, value]) => this.line(name, value)));
    for (const place of this.form.querySelectorAll(".setting")) {
      place.classList.toggle("changed", changes.some(([name]) => place.id === `setting-${name}`));
    }
  }

  line(name, value) {
    const [item, old, new_] = ["li", "del", "ins"].map((tag) => document.createElement(tag));
    old.textContent = this.worded(name, this.kept[name]);
    new_.textContent = this.worded(name, value);
    item.append(`${this.label(name)}: `, old, " → ", new_);
    return item;
  }

  /** The panel beside, made by the server from what is typed; an older answer never overtakes a newer one. */
  async explain() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const { document: html } = await ask("POST", "/settings/calls/what-happens", collect(this.form));
      if (turn !== this.turn) return;
      document.getElementById("what-happens").innerHTML = html; // our own template: everything in it is escaped
      this.linkTrials();
    } catch {
      // the next key asks again
    }
  }

  linkTrials() {
    for (const link of this.form.querySelectorAll("[data-open]")) {
      const shown = document.querySelector(`#what-happens [data-url="${link.dataset.open}"]`);
      link.hidden = !shown;
      if (shown) link.href = shown.textContent;
    }
    const isShown = (name) => Boolean(document.querySelector(`#what-happens [data-url="${name}"]`));
    this.form.querySelector("[data-try-popup]").hidden = !isShown("popup_answer_url");
    this.form.querySelector("[data-try-lookup]").hidden = !isShown("customer_lookup_url");
  }

  async tryPopup(button) {
    const place = document.getElementById("try-answer");
    const given = { popup_answer_url: this.form.elements.popup_answer_url.value };
    const answer = await send(this.form, button, () => ask("POST", `${API}/try-popup`, given));
    place.hidden = !answer;
    if (!answer) return;
    const { status_code, latency_ms, error, answer: body } = answer.document;
    place.replaceChildren();
    const first = document.createElement("strong");
    first.textContent = `${error ?? status_code} · ${latency_ms} ms`;
    place.append(first);
    if (body) {
      const lines = document.createElement("pre");
      lines.textContent = body.split("\n").slice(0, 8).join("\n").slice(0, 600);
      place.append(lines);
    }
  }

  /** What was understood of the answer, as plain text; or why nothing was. */
  async tryLookup(button) {
    const place = document.getElementById("lookup-answer");
    const given = { customer_lookup_url: this.form.elements.customer_lookup_url.value };
    const answer = await send(this.form, button, () => ask("POST", `${API}/try-lookup`, given));
    place.hidden = !answer;
    if (!answer) return;
    const { troubles, unknown, link } = place.dataset;
    const { status_code, latency_ms, reason, error, customer } = answer.document;
    const first = document.createElement("strong");
    first.textContent = [status_code, `${latency_ms} ms`].filter(Boolean).join(" · ");
    const trouble = reason && [JSON.parse(troubles)[reason] ?? reason, error];
    const understood = customer && [customer.name, customer.note, customer.link && fill(link, { url: customer.link })];
    const lines = (trouble || understood || [unknown]).filter(Boolean).map((text) => {
      const line = document.createElement("p");
      line.textContent = text;
      return line;
    });
    place.replaceChildren(first, ...lines);
  }

  async save(button) {
    const changes = this.changes();
    if (!Object.keys(changes).length) return;
    const answer = await send(this.form, button, () => this.sent(changes));
    if (answer === OVERTAKEN) return;
    if (answer === MERGED) return this.save(button);
    if (!answer) return;
    this.kept = { ...this.kept, ...changes }; // saved, even if the page cannot be renewed
    this.showBar();
    const time = new Date().toLocaleTimeString(document.documentElement.lang);
    await afterwards(reload, fill(this.words.inForce, { time }));
  }

  /** The answer; OVERTAKEN when another admin saved one of the same settings, MERGED when he saved others only. */
  async sent(changes) {
    try {
      return await ask("PUT", API, changes, { "If-Match": `"${this.version}"` });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 412) throw error;
      return this.clash(error.problem) ? OVERTAKEN : MERGED;
    }
  }

  /** What others saved is shown where this admin typed nothing; where both did, his stays and theirs is told. */
  clash(problem) {
    const mine = this.changes();
    const theirs = Object.keys(problem.settings).filter((name) => !same(problem.settings[name], this.kept[name]));
    clearErrors(this.form);
    this.kept = problem.settings;
    this.version = String(problem.version);
    const taken = theirs.filter((name) => !(name in mine));
    for (const name of taken) this.put(name, this.kept[name]);
    const both = theirs.filter((name) => name in mine && !same(mine[name], this.kept[name]));
    for (const name of both) this.tell(name, problem.changed[name]);
    if (taken.length) say(fill(this.words.taken, { names: taken.map((name) => this.label(name)).join(", ") }));
    if (both.length) this.warn();
    this.typed();
    this.controls(both[0])[0]?.focus();
    return both.length > 0;
  }

  tell(name, change) {
    const note = document.createElement("p");
    note.className = "wrong";
    const time = new Date(change?.at ?? Date.now()).toLocaleTimeString(document.documentElement.lang);
    const value = this.worded(name, this.kept[name]);
    note.textContent = `${fill(this.words.clash, { name: change?.by ?? "?", value, time })} `;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second small";
    button.textContent = this.words.theirs;
    button.addEventListener("click", () => {
      this.put(name, this.kept[name]);
      note.remove();
      this.typed();
    });
    note.append(button);
    document.getElementById(`setting-${name}`).append(note);
  }

  warn() {
    const alert = document.createElement("p");
    alert.className = "alert";
    alert.setAttribute("role", "alert");
    alert.textContent = this.words.clashed;
    this.form.prepend(alert);
  }

  discard() {
    for (const [name, value] of Object.entries(this.kept)) this.put(name, value);
    clearErrors(this.form);
    this.typed();
  }

  /** Another admin's change is shown without a reload; what is typed here stays. */
  async look() {
    if (document.hidden || !this.form.isConnected) return;
    const { document: settings, headers } = await look(API);
    const version = headers.get("ETag").replace(/^W\/|"/g, "");
    if (version === this.version || !this.form.isConnected) return;
    if (Object.keys(this.changes()).length) this.clash({ settings, version, changed: await this.who() });
    else await reload(look);
  }

  async who() {
    const { document: page } = await look("/api/v1/audit?object=call_settings&limit=20");
    const last = {};
    for (const entry of page.items) for (const name of Object.keys(entry.new ?? {})) last[name] ??= entry;
    return last;
  }
}

let settings = null;
function open() {
  const form = document.getElementById("call-settings");
  settings = form && new Settings(form);
}

open();
document.addEventListener("content", open);
setInterval(() => settings?.look().catch(() => {}), LOOK_EVERY_MS);
addEventListener("beforeunload", (event) => {
  if (settings && Object.keys(settings.changes()).length) event.preventDefault();
});
