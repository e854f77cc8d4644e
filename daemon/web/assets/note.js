// A note that is saved while it is typed and never lost: it is kept in this browser until the server has it, restored
// after a crash, and where two people write, theirs is shown beside mine and nothing is replaced unasked.

import { Refused, ask } from "./api.js";
import { keyOf, readKept, writeKept } from "./kept_notes.js";

const WAIT_MS = 700;
const LONGEST_MS = 3000;
const AGAIN_MS = [1500, 3000, 6000, 12000];

const plain = (text) => text.replace(/\r\n?/g, "\n"); // as a textarea has it

/** `article` is a ticket's; `saved(ticket)` is told what the server has. */
export function keepNote(article, saved) {
  return new Note(article, saved);
}

class Note {
  constructor(article, saved) {
    const { ticket, account, version } = article.dataset;
    this.article = article;
    this.saved = saved;
    this.path = `/api/v1/tickets/${ticket}`;
    this.key = keyOf(account, ticket);
    this.area = article.querySelector("[data-note]");
    this.state = article.querySelector("[data-note-state]");
    this.panel = article.querySelector("[data-clash-panel]");
    this.known = { text: this.area.defaultValue, version: Number(version) };
    this.timer = null;
    this.since = null;
    this.tries = 0;
    this.busy = false;
    this.clash = false;
    this.again = false;
    this.closed = false;
    this.hidden = () => document.hidden && this.flush();
    this.left = () => this.flush();
    this.online = () => this.dirty && this.save();
    this.area.addEventListener("input", () => this.typed());
    document.addEventListener("visibilitychange", this.hidden);
    addEventListener("pagehide", this.left);
    addEventListener("online", this.online);
    this.panel.addEventListener("click", ({ target }) => this.choose(target.closest("button")?.dataset));
    this.restore();
  }

  get dirty() {
    return this.area.value !== this.known.text;
  }

  typed() {
    this.keep();
    if (this.clash) return;
    this.say("saving");
    this.since ??= Date.now();
    const due = Math.min(WAIT_MS, Math.max(0, this.since + LONGEST_MS - Date.now()));
    this.plan(due);
  }

  plan(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), ms);
  }

  /** In this browser, at every key: what the server does not have yet, and what it was written upon. */
  keep() {
    const base = this.clash ? this.origin : this.known.text;
    writeKept(this.key, this.dirty ? { text: this.area.value, base } : null);
  }

  restore() {
    const kept = readKept(this.key);
    if (!kept || kept.text === this.known.text) return this.keep();
    this.area.value = kept.text;
    if (kept.base === this.known.text) {
      this.say("restored");
      this.plan(0);
    } else this.meet(this.known.text, kept.base);
  }

  async save({ keepalive = false } = {}) {
    clearTimeout(this.timer);
    if (this.busy || this.clash || !this.dirty) return;
    const text = this.area.value;
    this.busy = true;
    try {
      const answer = await ask("PATCH", this.path, { note: text }, { "If-Match": `"${this.known.version}"` }, { keepalive });
      this.stored(text, answer.document);
    } catch (error) {
      this.failed(error);
    } finally {
      this.busy = false;
    }
    if (this.again) {
      this.again = false;
      this.save();
    }
  }

  stored(text, ticket) {
    this.known = { text, version: ticket.version };
    this.tries = 0;
    this.since = null;
    this.keep();
    if (this.dirty) this.again = true;
    else this.say("saved");
    this.saved(ticket);
  }

  failed(error) {
    const theirs = error instanceof Refused && error.status === 412 ? error.problem.ticket : null;
    if (theirs) this.overtaken(theirs);
    else if (error instanceof Refused && error.status < 500 && error.status !== 429) {
      this.say("refused", error.errors.map((one) => one.message).join(" · ") || error.message);
    } else {
      this.say("unsent");
      if (!this.closed) this.plan(AGAIN_MS[Math.min(this.tries++, AGAIN_MS.length - 1)]);
    }
  }

  /** The ticket is another than mine was: only where its note is, too, somebody must choose. */
  overtaken(ticket) {
    const [before, theirs] = [this.known.text, plain(ticket.note)];
    this.known = { text: before, version: ticket.version };
    if (theirs === before) this.again = true;
    else if (theirs === this.area.value) this.stored(theirs, ticket);
    else {
      this.known.text = theirs;
      this.meet(theirs, before);
    }
  }

  /** Both stand there until somebody chooses; mine stays in this browser meanwhile, as written upon `origin`. */
  meet(theirs, origin) {
    this.clash = true;
    this.origin = origin;
    this.keep();
    this.panel.querySelector("[data-theirs]").textContent = theirs || "–";
    this.panel.querySelector("[data-clash-words]").textContent = this.article.dataset.clash;
    this.panel.hidden = false;
    this.say("");
  }

  choose(button) {
    if (!button || !this.clash) return;
    const { both, take } = button;
    if (take !== undefined) this.area.value = this.known.text;
    if (both !== undefined) this.area.value = joined(this.known.text, this.area.value);
    this.clash = false;
    this.panel.hidden = true;
    this.keep();
    this.say(this.dirty ? "saving" : "saved");
    this.save();
    this.area.focus();
  }

  /** What the server has now, told by others; while somebody types here, his next save will meet it. */
  told(ticket) {
    if (ticket.version <= this.known.version || this.busy) return;
    const theirs = plain(ticket.note);
    if (this.clash && theirs !== this.known.text) {
      this.known = { text: theirs, version: ticket.version };
      this.meet(theirs, this.origin);
    } else if (this.clash || theirs === this.known.text) this.known.version = ticket.version;
    else if (!this.dirty) {
      this.area.value = theirs;
      this.known = { text: theirs, version: ticket.version };
      this.say("typing");
    }
  }

  /** Now, whatever comes: the page is being left. */
  flush() {
    this.keep();
    this.save({ keepalive: true });
  }

  say(name, why = "") {
    this.state.textContent = (this.article.dataset[name] ?? "").replace("{why}", why);
    this.state.classList.toggle("wrong", name === "unsent" || name === "refused");
  }

  close() {
    this.flush();
    this.closed = true;
    document.removeEventListener("visibilitychange", this.hidden);
    removeEventListener("pagehide", this.left);
    removeEventListener("online", this.online);
  }
}

/** Theirs first, then mine; lines that both have stand once. */
export function joined(theirs, mine) {
  const had = new Set(theirs.split("\n"));
  const added = mine.split("\n").filter((line) => !had.has(line));
  return [...(theirs ? [theirs.replace(/\n+$/, "")] : []), ...added].join("\n");
}
