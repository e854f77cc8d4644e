// To whom a call can be given, and whether he is free: asked for while the list is open, filtered as one types.

import { ask } from "./api.js";
import { fill, spoken } from "./desk_words.js";

const EVERY_MS = 4000;
const COLOURS = { free: "good", ringing: "warn", talking: "bad" };
const RESTS = new Set(["paused", "wrap_up"]);

/** By what he is found: his number too, as it is shown, as one types it and as it is dialled. */
function named({ name, number }) {
  const shown = spoken(number ?? "");
  return [name, shown, shown.replaceAll(" ", ""), number].join(" ").toLowerCase();
}

export class Colleagues {
  constructor({ list, nobody, me, words, reasons }) {
    Object.assign(this, { list, nobody, me, words, reasons });
    this.items = [];
    this.wanted = "";
    this.timer = null;
  }

  open(isOpen) {
    clearInterval(this.timer);
    if (!isOpen) return;
    this.read();
    this.timer = setInterval(() => document.hidden || this.read(), EVERY_MS);
  }

  async read() {
    try {
      const { document: answer } = await ask("GET", "/api/v1/desk/colleagues");
      this.items = answer.items.filter((one) => one.user_id !== this.me);
      this.show();
    } catch {
      // what was shown stays; it is asked again in a moment
    }
  }

  filter(text) {
    this.wanted = text.trim().toLowerCase();
    this.show();
  }

  show() {
    const shown = this.items.filter((one) => named(one).includes(this.wanted));
    this.nobody.hidden = shown.length > 0;
    const focused = this.list.contains(document.activeElement) && document.activeElement.dataset;
    this.list.replaceChildren(...shown.map((one) => this.row(one)));
    if (focused) this.list.querySelector(`[data-user="${CSS.escape(focused.user)}"][data-give="${focused.give}"]`)?.focus();
  }

  row(one) {
    const row = document.getElementById("colleague").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-name]").textContent = one.name;
    row.querySelector("[data-number]").textContent = spoken(one.number ?? "");
    row.querySelector("[data-state]").textContent = this.said(one);
    row.querySelector(".dot").className = `dot ${RESTS.has(one.state) ? "warn" : (COLOURS[one.presence] ?? "")}`;
    for (const button of row.querySelectorAll("[data-give]")) {
      button.dataset.user = one.user_id;
      button.disabled = !one.number || one.presence === "offline";
      button.setAttribute("aria-label", `${button.textContent}: ${one.name}`);
    }
    return row;
  }

  said({ presence, state, reason }) {
    if (RESTS.has(state) && (presence === "free" || presence === null)) {
      return fill(this.words.paused, { reason: this.reasons[reason] ?? reason ?? "–" });
    }
    return { free: this.words.free, ringing: this.words.rings, talking: this.words.talks, offline: this.words.offline }[presence] ?? this.words.untold;
  }
}
