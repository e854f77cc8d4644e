// The agent's state in the PBX's queues: shown as it is, changed by him, and counted down after a call.

import { Refused, ask } from "./api.js";
import { say, words } from "./toast.js";
import { fill, serverNow, span } from "./desk_words.js";

const COLOURS = { available: "good", paused: "warn", wrap_up: "warn", unknown: "bad" };

export class AgentState {
  constructor(place) {
    this.place = place;
    this.now = null;
    place.querySelector("[data-resume]").addEventListener("click", () => this.put({ state: "available" }));
    const reason = place.querySelector("[data-reason]");
    reason.addEventListener("change", () => {
      if (reason.value) this.put({ state: "paused", reason: reason.value });
      reason.value = "";
    });
    setInterval(() => this.tick(), 1000);
  }

  async read() {
    try {
      this.show((await ask("GET", "/api/v1/desk/state")).document);
    } catch {
      // the page says itself that the line is lost; it is read again when it is back
    }
  }

  async put(wanted) {
    try {
      this.show((await ask("PUT", "/api/v1/desk/state", wanted)).document);
    } catch (error) {
      say(error instanceof Refused ? error.message : words("unsent"), { bad: true });
    }
  }

  show(now) {
    this.now = now;
    const rests = now.state === "paused" || now.state === "wrap_up";
    this.place.querySelector("[data-resume]").hidden = !rests;
    this.place.querySelector("[data-pause]").hidden = now.state !== "available" && !rests;
    this.place.querySelector("[data-word]").className = `state ${COLOURS[now.state] ?? ""}`;
    this.tick();
  }

  tick() {
    if (!this.now) return;
    const word = this.place.querySelector("[data-word]");
    const text = this.words();
    if (word.textContent !== text) word.textContent = text;
  }

  words() {
    const { state, reason, since, until } = this.now;
    const said = this.place.dataset;
    if (state === "available") return said.available;
    if (state === "no_queue") return said.noQueue;
    if (state === "unknown") return said.unknown;
    if (state === "wrap_up") {
      return until ? fill(said.wrapUp, { time: span(Date.parse(until) - serverNow()) }) : said.wrapUpOpen;
    }
    const named = (reason && (JSON.parse(said.reasons)[reason] ?? reason)) || said.paused;
    return since ? fill(said.since, { reason: named, time: span(serverNow() - Date.parse(since)) }) : named;
  }
}
