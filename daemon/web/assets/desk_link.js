// The line to the server: the desk is read as a whole, then its events follow from where it was read. After sleep, a
// lost line or a `reset` it is read again. A line that is silent for longer than the server's beat is a dead one.

import { Refused, ask } from "./api.js";
import { address, learnClock } from "./desk_words.js";

const TYPES = [
  ...["agent.ringing", "agent.ringing_ended", "agent.connected", "customer.known", "popup", "popup.opened", "popup.blocked"],
  ...["agent.hold", "agent.part", "agent.phone_keys"],
  ...["agent.state", "click_to_call.failed"], // for the modules that act on the PBX
  ...["call.answered", "call.ended", "call.connection_lost"],
  ...["ticket.created", "ticket.merged", "ticket.changed", "ticket.closed"],
];
const SILENT_MS = 25000; // two beats and a half
const ANSWER_MS = 8000;
const LOOK_MS = 5000;
const READ_AGAIN_MS = 60000;
const LONGEST_WAIT_MS = 15000;

/** Signed out, or no agent any more: the page itself says so or leads to the sign-in. Notes are kept in the browser. */
const isOver = (error) => error instanceof Refused && [401, 409].includes(error.status);

export class DeskLink {
  /** `read(whole)`, `happened(id, type, data)`, `shows("live" | "lost" | "connecting")`. */
  constructor({ read, happened, shows }) {
    Object.assign(this, { read, happened, shows });
    this.source = null;
    this.heard = 0;
    this.wait = 1000;
    this.asleep = false;
    addEventListener("online", () => this.begin());
    addEventListener("offline", () => this.shows("lost"));
    addEventListener("pageshow", (event) => event.persisted && this.begin());
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.look(), LOOK_MS);
  }

  /** Everything anew; whatever was under way is dropped. */
  async begin() {
    this.end();
    if (this.asleep) return;
    const turn = (this.turn = {});
    try {
      const whole = await this.readWhole();
      if (this.turn !== turn || this.asleep) return;
      this.wait = 1000;
      this.listen(whole.event_id);
    } catch (error) {
      if (this.turn === turn) this.later(error);
    }
  }

  /** A hidden tab that is not the leading one gives its connection back: a browser has only six for a server. */
  sleep(asleep) {
    if (this.asleep === asleep) return;
    this.asleep = asleep;
    asleep ? this.end() : this.begin();
  }

  async readWhole() {
    const [asked, limit] = [Date.now(), new AbortController()];
    const timer = setTimeout(() => limit.abort(), ANSWER_MS); // a connection that died unnoticed never answers
    const { document: whole } = await ask("GET", "/api/v1/desk", undefined, {}, { signal: limit.signal }).finally(() => clearTimeout(timer));
    learnClock(whole.now, asked, Date.now());
    this.readAt = Date.now();
    this.read(whole);
    return whole;
  }

  listen(after) {
    const source = (this.source = new EventSource(address(`/api/v1/desk/events?after=${encodeURIComponent(after)}`)));
    let broken = false;
    this.heard = Date.now();
    source.addEventListener("open", () => {
      this.heard = Date.now();
      this.shows("live");
      if (broken) this.again();
      broken = false;
    });
    source.addEventListener("error", () => {
      broken = true;
      this.shows("lost");
      if (source.readyState === EventSource.CLOSED && this.source === source) this.later();
    });
    for (const type of TYPES) source.addEventListener(type, (event) => this.heardOf(event));
    source.addEventListener("beat", () => (this.heard = Date.now()));
    source.addEventListener("reset", () => this.again());
  }

  heardOf(event) {
    this.heard = Date.now();
    this.happened(event.lastEventId, event.type, JSON.parse(event.data));
  }

  /** Once more as a whole, while the events go on. */
  async again() {
    try {
      await this.readWhole();
    } catch (error) {
      if (isOver(error)) location.reload();
    }
  }

  later(error) {
    if (isOver(error)) return location.reload();
    this.end();
    this.shows("lost");
    this.timer = setTimeout(() => this.begin(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  look() {
    if (this.asleep || !this.source) return;
    const now = Date.now();
    if (now - this.heard > SILENT_MS) this.begin();
    else if (now - this.readAt > READ_AGAIN_MS) this.again();
  }

  end() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.turn = null;
  }
}
