// A CSV file: chosen or dropped, looked at line by line, applied as it was looked at, and never anything else.

import { Refused, ask } from "./api.js";
import { afterwards, reload } from "./form.js";
import { fill } from "./page.js";

const LARGEST = 1024 * 1024;
const SHOWN = 300;
const COLOURS = { create: "good", update: "warn", unchanged: "", error: "bad" };

const element = (tag, text = "", className = "") => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
};

class Import {
  constructor(panel) {
    this.panel = panel;
    this.words = JSON.parse(panel.dataset.words);
    this.columns = JSON.parse(panel.dataset.columns);
    this.place = panel.querySelector("[data-preview]");
    this.button = panel.querySelector("[data-apply]");
    this.input = panel.querySelector('input[type="file"]');
    this.input.addEventListener("change", () => this.chosen(this.input.files[0]));
    this.button.addEventListener("click", () => this.apply());
    panel.querySelector("[data-close]").addEventListener("click", () => this.close());
    for (const name of ["dragenter", "dragover"]) panel.addEventListener(name, (event) => this.over(event, true));
    for (const name of ["dragleave", "drop"]) panel.addEventListener(name, (event) => this.over(event, false));
    panel.addEventListener("drop", (event) => this.dropped(event.dataTransfer.files));
  }

  opener() {
    return document.querySelector("[data-import]");
  }

  open() {
    this.panel.hidden = false;
    this.opener().setAttribute("aria-expanded", "true");
    this.input.focus();
  }

  close() {
    this.forget();
    this.input.value = "";
    this.panel.hidden = true;
    this.opener().setAttribute("aria-expanded", "false");
    this.opener().focus();
  }

  over(event, isOver) {
    event.preventDefault();
    this.panel.classList.toggle("over", isOver);
  }

  /** A word that was dragged is no file. */
  dropped(files) {
    if (files.length) this.input.files = files; // the browser tells nobody of this change
    if (files.length) this.chosen(files[0]);
  }

  forget() {
    this.body = this.version = null;
    this.turn = (this.turn ?? 0) + 1;
    this.button.hidden = true;
    this.place.replaceChildren();
  }

  /** The bytes are read once: what was looked at is what is applied, whatever becomes of the file meanwhile. */
  async chosen(file) {
    this.forget();
    const turn = this.turn;
    if (!file) return;
    if (file.size > LARGEST) return this.tell(this.words.large);
    this.place.append(element("p", this.words.reading, "help"));
    let body;
    try {
      body = new Blob([await file.arrayBuffer()]);
    } catch {
      return this.tell(this.words.unread);
    }
    if (turn !== this.turn) return;
    this.body = body;
    await this.look();
  }

  send(query, headers = {}) {
    return ask("POST", `${this.panel.dataset.sheet}?preview=${query}`, this.body, { "Content-Type": "text/csv", ...headers });
  }

  async look(notice = "") {
    const turn = this.turn;
    try {
      const { document: plan, headers } = await this.send("true");
      if (turn !== this.turn) return;
      this.version = headers.get("ETag");
      this.show(plan, notice);
    } catch (error) {
      if (turn === this.turn) this.refused(error);
    }
  }

  async apply() {
    this.button.disabled = true;
    let plan;
    try {
      ({ document: plan } = await this.send("false", { "If-Match": this.version }));
    } catch (error) {
      if (error instanceof Refused && error.status === 412) await this.look(this.words.overtaken);
      else this.refused(error, true);
      return;
    } finally {
      this.button.disabled = false;
    }
    this.forget(); // it is applied, even if the page cannot be renewed
    const { create, update } = plan.totals;
    await afterwards(reload, fill(this.words.applied, { created: create, changed: update }));
    this.opener().focus();
  }

  tell(...texts) {
    const alert = element("div", "", "alert");
    alert.setAttribute("role", "alert");
    alert.append(...texts.map((text) => element("p", text)));
    this.place.replaceChildren(alert);
  }

  /** What is no CSV, has unknown columns, or could not be sent: in the server's words. The plan stays if it was made. */
  refused(error, keep = false) {
    const shown = keep ? [...this.place.childNodes].filter((node) => node.className !== "alert") : [];
    this.button.hidden = !keep;
    if (!(error instanceof Refused)) this.tell(error.message);
    else {
      const lines = error.errors.map(({ field, message }) => (field ? `${this.columns[field] ?? field}: ${message}` : message));
      this.tell(...(lines.length ? lines : [error.message]));
    }
    this.place.append(...shown);
  }

  show(plan, notice) {
    const { totals } = plan;
    this.place.replaceChildren();
    if (notice) this.place.append(element("p", notice, "warning"));
    const sums = element("p", "", "inline sums");
    for (const action of ["create", "update", "unchanged", "error"]) {
      if (totals[action]) sums.append(element("span", `${this.words[action]}: ${totals[action]}`, `state ${COLOURS[action]}`));
    }
    this.place.append(sums);
    const ignored = plan.ignored_columns.map((name) => this.columns[name] ?? name);
    if (ignored.length) this.place.append(element("p", fill(this.words.ignored, { names: ignored.join(", ") }), "help"));
    if (totals.error) this.place.append(element("p", this.words.mistakes, "alert"));
    else if (!totals.create && !totals.update) this.place.append(element("p", this.words.same, "hint"));
    const rows = plan.rows.filter((row) => row.action !== "unchanged");
    rows.sort((one, other) => (other.action === "error") - (one.action === "error") || one.line - other.line);
    if (rows.length) this.place.append(this.table(rows.slice(0, SHOWN)));
    if (rows.length > SHOWN) this.place.append(element("p", fill(this.words.more, { n: rows.length - SHOWN }), "help"));
    this.button.hidden = totals.error > 0 || !(totals.create || totals.update);
  }

  table(rows) {
    const table = element("table", "", "table");
    const head = table.createTHead().insertRow();
    for (const name of ["line", "which", "what", "changes"]) {
      const cell = element("th", this.words[name]);
      cell.scope = "col";
      head.append(cell);
    }
    table.createTBody().append(...rows.map((row) => this.row(row)));
    return table;
  }

  row({ line, key, action, changes, errors }) {
    const row = document.createElement("tr");
    const [where, which, what, how] = ["td", "td", "td", "td"].map((tag) => document.createElement(tag));
    where.append(element("span", `${this.words.line} `, "narrow"), String(line));
    which.append(element("strong", key));
    what.append(element("span", this.words[action], `state ${COLOURS[action]}`));
    if (errors.length) how.append(...errors.map((error) => this.error(error)));
    else how.append(...Object.entries(changes).flatMap(([name, change]) => this.change(name, change, action)));
    row.append(where, which, what, how);
    return row;
  }

  error({ field, message }) {
    return element("p", field ? `${this.columns[field] ?? field}: ${message}` : message, "wrong");
  }

  change(name, { old, new: fresh }, action) {
    const line = element("div", `${this.columns[name] ?? name}: `, "change");
    if (action === "create") {
      if (this.worded(fresh) === this.words.nothing) return [];
      line.append(element("ins", this.worded(fresh)));
    } else line.append(element("del", this.worded(old)), " → ", element("ins", this.worded(fresh)));
    return [line];
  }

  worded(value) {
    if (typeof value === "boolean") return value ? this.words.on : this.words.off;
    if (Array.isArray(value)) return value.join(", ") || this.words.nothing;
    return value || this.words.nothing;
  }
}

let panel = null;
function open() {
  const found = document.querySelector("[data-sheet]");
  panel = found && new Import(found);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-import]") && panel) panel.panel.hidden ? panel.open() : panel.close();
});
document.addEventListener("content", open);
open();
