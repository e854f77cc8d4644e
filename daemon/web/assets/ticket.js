// One ticket, on its own page, beside a list or on the desk: kept live, its note kept safe, its fields saved at once.

import { Refused, ask } from "./api.js";
import { order } from "./call_customer.js";
import { keepNote } from "./note.js";
import { listenTickets } from "./ticket_news.js";
import { say, words } from "./toast.js";

const open = new WeakMap();

/** Fetches a ticket and puts it into `place`, instead of the one there; returns {ticketId, close()}. */
export async function showTicket(place, ticketId) {
  const fresh = await fetched(ticketId);
  open.get(place)?.close();
  place.replaceChildren(fresh);
  place.hidden = false;
  return runTicket(place);
}

/** Brings the ticket to life that stands in `place` already. */
export function runTicket(place) {
  const ticket = new Ticket(place.querySelector("article.ticket"));
  open.set(place, ticket);
  return ticket;
}

export function closeTicket(place) {
  open.get(place)?.close();
  open.delete(place);
  place.hidden = true;
  place.replaceChildren();
}

async function fetched(ticketId) {
  const { document: html } = await ask("GET", `/tickets/${encodeURIComponent(ticketId)}?bare=1`);
  return new DOMParser().parseFromString(html, "text/html").querySelector("article.ticket");
}

/** The number of a button with data-call: the agent's phone rings first. */
export async function callCustomer(button, said) {
  const { call: number, hotline } = button.dataset;
  button.disabled = true;
  try {
    await order(number, hotline, said);
  } catch (error) {
    complain(error);
  } finally {
    button.disabled = false;
  }
}

export function complain(error) {
  const refused = error instanceof Refused;
  const text = refused ? error.errors.map((one) => one.message).join(" · ") || error.message : words("unsent");
  say(text, { bad: true });
}

class Ticket {
  constructor(article) {
    this.article = article;
    this.ticketId = article.dataset.ticket;
    this.path = `/api/v1/tickets/${this.ticketId}`;
    this.shown = this.read(article);
    this.note = keepNote(article, (ticket) => this.newer(ticket));
    article.addEventListener("change", (event) => this.changed(event.target));
    article.addEventListener("keydown", (event) => this.key(event));
    article.addEventListener("click", (event) => this.clicked(event.target.closest("button")));
    this.stop = listenTickets(article.dataset.hears, (news) => this.heard(news));
  }

  close() {
    this.note.close();
    this.stop();
  }

  /** What the page shows: a change is refused when somebody else has made it another. */
  read(article) {
    const { version, status, assignee, tags } = article.dataset;
    return { version: Number(version), status, assignee: assignee || null, tags: JSON.parse(tags) };
  }

  newer(ticket) {
    if (ticket.version < this.shown.version) return;
    const { version, status, assignee, tags } = ticket;
    this.shown = { version, status, assignee, tags };
  }

  /** One after the other; `make` gets what is shown by then and returns the one field to set. */
  set(make, said) {
    this.setting = (this.setting ?? Promise.resolve()).then(() => this.put(make(this.shown), said));
    return this.setting;
  }

  /** Another field that changed meanwhile is no reason to refuse it, this one is. */
  async put(values, said) {
    const [name] = Object.keys(values);
    const before = JSON.stringify(this.shown[name]);
    try {
      for (;;) {
        try {
          const match = { "If-Match": `"${this.shown.version}"` };
          const { document: ticket } = await ask("PATCH", this.path, values, match);
          this.newer(ticket);
          this.note.told(ticket);
          say(said ?? words("saved"));
          break;
        } catch (error) {
          const now = error instanceof Refused && error.status === 412 ? error.problem.ticket : null;
          if (!now) throw error;
          this.newer(now);
          this.note.told(now);
          if (JSON.stringify(now[name]) !== before) {
            say(this.article.dataset.overtaken, { bad: true });
            break;
          }
        }
      }
    } catch (error) {
      complain(error);
    }
    await this.renew({ mine: true });
    document.dispatchEvent(new CustomEvent("ticket-changed", { detail: this.ticketId }));
  }

  changed(control) {
    const field = control.dataset.field;
    const value = control.value || null;
    if (field) this.set(() => ({ [field]: value }));
  }

  key(event) {
    if (event.key !== "Enter" || event.target.dataset.newTag === undefined) return;
    event.preventDefault();
    const tag = event.target.value.trim();
    event.target.value = "";
    const again = () => this.article.querySelector("[data-new-tag]").focus();
    if (tag) this.set(({ tags }) => ({ tags: [...tags, tag] })).then(again);
  }

  clicked(button) {
    if (!button) return;
    const { set, claim, untag, call } = button.dataset;
    if (set) this.set(() => JSON.parse(set));
    if (claim !== undefined) this.set(() => ({ assignee: this.article.dataset.me }), this.article.dataset.claimed);
    if (untag !== undefined) this.set(({ tags }) => ({ tags: tags.filter((tag) => tag !== untag) }));
    if (call) callCustomer(button, this.article.dataset.calling);
  }

  heard(news) {
    if (!news) return this.renew();
    const { type, data } = news;
    if (data.ticket_id !== this.ticketId) return;
    if (type.startsWith("ticket.")) this.note.told(data);
    this.renew();
  }

  /** Everything but the note and the customer's page, as it is now. What somebody has just in hand stays. */
  async renew({ mine = false } = {}) {
    if (document.hidden && !mine) return; // when it is looked at again
    let fresh;
    try {
      fresh = await fetched(this.ticketId);
    } catch {
      return; // the next time, then
    }
    if (!fresh || !this.article.isConnected) return;
    const text = fresh.querySelector("[data-note]").defaultValue;
    const now = this.read(fresh);
    this.note.told({ version: now.version, note: text });
    this.newer(now);
    for (const part of this.article.querySelectorAll("[data-live]")) {
      const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      const held = part.contains(document.activeElement) && !mine;
      if (!other || other.innerHTML === part.innerHTML || held) continue;
      exchange(part, other);
    }
  }
}

/** The focus and a tag that is half typed stay where they were. */
function exchange(part, other) {
  const had = part.contains(document.activeElement);
  const focused = had ? document.activeElement.id : "";
  const typed = part.querySelector("[data-new-tag]")?.value;
  part.replaceChildren(...other.childNodes);
  if (typed) part.querySelector("[data-new-tag]").value = typed;
  if (had) (document.getElementById(focused) ?? part.querySelector("button, select, input"))?.focus();
}

