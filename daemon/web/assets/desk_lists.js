// The lists under the stage: whom to call back, my tickets, my last calls.

import { Refused, ask } from "./api.js";
import { order } from "./call_customer.js";
import { say } from "./toast.js";
import { keyOf } from "./desk_state.js";
import { aboutOf, element, fill, nameOf, numberOf, span, spoken, ticketPath, timeTag, whoOf, words } from "./desk_words.js";

const shown = new Map();

function cell(content, className = "") {
  const made = element("td", className);
  made.append(...[content].flat().filter(Boolean));
  return made;
}

function row(key, cells) {
  const made = document.createElement("tr");
  made.dataset.key = key;
  made.append(...cells);
  return made;
}

function table(heads, rows) {
  const made = element("table", "table");
  const line = document.createElement("tr");
  line.append(...heads.map((head) => {
    const one = element("th", head.unseen ? "act" : "");
    one.scope = "col";
    one.append(head.unseen ? element("span", "unseen", head.unseen) : head);
    return one;
  }));
  const head = document.createElement("thead");
  head.append(line);
  const body = document.createElement("tbody");
  body.append(...rows);
  made.append(head, body);
  return made;
}

function ticketLink(ticket) {
  const link = element("a", "row figures", numberOf(ticket));
  link.href = ticketPath(ticket.ticket_id);
  return link;
}

function button(text, name, work, className = "second small") {
  const made = element("button", className, text);
  made.type = "button";
  made.dataset.act = name;
  made.addEventListener("click", async () => {
    made.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      say(error instanceof Refused ? error.errors.map((one) => one.message).join(" · ") || error.message : words().failed, { bad: true });
    } finally {
      made.removeAttribute("aria-busy");
    }
  });
  return made;
}

/** The agent's phone first, then the customer; without that a link that the computer's own telephone takes. */
function callBack({ customer_number: number, hotline }) {
  if (!number) return null;
  if (words().mayCall) {
    return button(words().callBack, "call", () => order(number, hotline, words().calling));
  }
  const link = element("a", "button second small", words().callBack);
  link.href = `tel:${number.replace(/[^+\d]/g, "")}`;
  return link;
}

/** Only as it is shown here: if a colleague was faster, nothing is taken from him. */
async function claim(state, ticket, changed) {
  const match = ticket.version === undefined ? {} : { "If-Match": `"${ticket.version}"` };
  try {
    const { document: mine } = await ask("PATCH", `/api/v1/tickets/${ticket.ticket_id}`, { assignee: state.me }, match);
    say(words().claimed);
    state.filed(mine);
  } catch (error) {
    if (!(error instanceof Refused && error.status === 412)) throw error;
    say(words().taken, { bad: true });
    if (error.problem.ticket) state.filed(error.problem.ticket);
  } finally {
    changed();
  }
}

function missedRow(state, ticket, changed) {
  const times = ticket.missed_count > 1 ? element("span", "state warn", fill(words().times, { n: ticket.missed_count })) : null;
  return row(ticket.ticket_id, [
    cell([ticketLink(ticket), times && " ", times]),
    cell(aboutOf(ticket)),
    cell(timeTag(ticket.opened_at), "fit"),
    cell([button(words().claim, "claim", () => claim(state, ticket, changed)), " ", callBack(ticket)], "act"),
  ]);
}

function ticketRow(ticket) {
  return row(ticket.ticket_id, [
    cell(ticketLink(ticket)),
    cell(aboutOf(ticket)),
    cell(element("span", `state ${ticket.status === "open" ? "warn" : ""}`, words()[ticket.status])),
    cell(timeTag(ticket.opened_at), "fit"),
    cell(callBack(ticket), "act"),
  ]);
}

function whatOf({ direction, outcome }) {
  const missed = outcome === "missed" && direction !== "internal";
  return element("span", `state ${missed ? "bad" : ""}`, words()[missed ? `${direction}Missed` : direction]);
}

function callRow(call) {
  const other = call.direction === "internal" ? words().otherAgent : whoOf(call);
  const who = call.ticket_id ? element("a", "row figures", other) : element("span", "figures", other);
  if (call.ticket_id) who.href = ticketPath(call.ticket_id);
  const number = nameOf(call) && call.customer_number ? element("span", "sub figures", ` ${spoken(call.customer_number)}`) : null;
  return row(keyOf(call), [
    cell([who, number]),
    cell(whatOf(call)),
    cell(aboutOf(call)),
    cell(call.talk_seconds ? span(1000 * call.talk_seconds) : "", "number"),
    cell(timeTag(call.started_at), "fit"),
    cell(call.direction === "internal" ? null : callBack(call), "act"),
  ]);
}

/** Made anew only when something in it changed; the keyboard stays where it was. */
function show(id, items, heads, rowOf) {
  const place = document.getElementById(id);
  const signature = JSON.stringify(items);
  if (shown.get(id) === signature) return;
  shown.set(id, signature);
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  const [key, act] = [active?.closest("[data-key]")?.dataset.key, active?.dataset.act];
  place.replaceChildren(items.length ? table(heads, items.map(rowOf)) : element("p", "soft", place.dataset.none));
  if (!active) return;
  const again = [...place.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key) ?? place.querySelector("[data-key]");
  (again?.querySelector(act ? `[data-act="${act}"]` : "a") ?? document.getElementById("content")).focus();
}

export function showLists(state, changed) {
  const { customer, queue, since, stateWord, what, when, talked, acts } = words();
  const [missed, tickets] = [state.newestFirst(state.missed), state.newestFirst(state.tickets)];
  document.getElementById("sums").textContent = fill(words().sums, { missed: missed.length, tickets: tickets.length });
  show("missed", missed, [customer, queue, since, { unseen: acts }], (one) => missedRow(state, one, changed));
  show("tickets", tickets, [customer, queue, stateWord, since, { unseen: acts }], ticketRow);
  show("recent", state.recently(), [customer, what, queue, talked, when, { unseen: acts }], callRow);
}
