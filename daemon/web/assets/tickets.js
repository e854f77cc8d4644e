// The list of tickets: rows renewed in place as things happen, keys, several at once, and the open ticket beside it.

import { Refused, ask } from "./api.js";
import { liveRows } from "./live_rows.js";
import { callCustomer, closeTicket, complain, showTicket } from "./ticket.js";
import { listenTickets } from "./ticket_news.js";
import { listenKeys } from "./ticket_keys.js";
import { say } from "./toast.js";

const list = document.getElementById("tickets");
const rowsPlace = list.querySelector("[data-rows]");
const place = list.querySelector("[data-place]");
const bulk = list.querySelector("[data-bulk]");
const renewal = list.querySelector("[data-renew]");
const wide = matchMedia("(min-width: 1181px)");

const { rows, rowOf, renew, soon } = liveRows({
  place: rowsPlace,
  renewal,
  name: "data-ticket",
  keyOf: (news) => news.data.ticket_id,
  counted: (n) => counted("New", n),
  replace: (row, other) => replace(row, other),
  shown: () => mark(),
});
const chosen = () => rows().filter((row) => row.querySelector("[data-pick]").checked);
const counted = (name, n) => list.dataset[(n === 1 ? "one" : "many") + name].replace("{n}", n);

function replace(row, other) {
  const picked = row.querySelector("[data-pick]").checked;
  const held = row.contains(document.activeElement) ? place_of(document.activeElement) : null;
  if (same(row, other)) return;
  for (const name of ["version", "assignee"]) row.dataset[name] = other.dataset[name];
  row.toggleAttribute("data-closed", "closed" in other.dataset);
  row.replaceChildren(...other.childNodes);
  row.querySelector("[data-pick]").checked = picked;
  if (held) (row.querySelector(held) ?? row.querySelector("a.row")).focus();
}

const same = (row, other) => row.dataset.version === other.dataset.version && row.innerHTML === other.innerHTML;
const place_of = (element) => ["data-pick", "data-claim", "data-call", "data-copy"].map((name) => `[${name}]`).find((one) => element.matches(one)) ?? "a.row";

/** What can be done with the rows that are chosen. */
function showBulk() {
  const count = chosen().length;
  bulk.hidden = !count;
  bulk.querySelector("[data-chosen]").textContent = counted("Chosen", count);
  const all = rowsPlace.querySelector("[data-all]");
  if (all) {
    all.checked = count > 0 && count === rows().length;
    all.indeterminate = count > 0 && !all.checked;
  }
}

async function change(values) {
  const ticket_ids = chosen().map((row) => row.dataset.ticket);
  try {
    const { document: answer } = await ask("POST", "/api/v1/tickets/bulk", { ticket_ids, ...values });
    say(counted("Done", answer.items.length));
    choose(rows(), false);
  } catch (error) {
    complain(error);
  }
  await renew();
}

function choose(which, on) {
  for (const row of which) row.querySelector("[data-pick]").checked = on;
  showBulk();
}

/** Only as it is shown here: if somebody was faster, nothing is taken from him. */
async function set(row, values, said) {
  const { ticket, version } = row.dataset;
  try {
    await ask("PATCH", `/api/v1/tickets/${ticket}`, values, { "If-Match": `"${version}"` });
    say(said ?? counted("Done", 1));
  } catch (error) {
    if (error instanceof Refused && error.status === 412) say(list.dataset.taken, { bad: true });
    else complain(error);
  }
  await renew();
}

const claim = (row) => row.querySelector("[data-claim]") && set(row, { assignee: list.dataset.me }, list.dataset.claimed);
const close = (row) => "closed" in row.dataset || set(row, { status: "closed" });

/** Beside the list where there is room, else on its own page. */
async function open(row) {
  if (!wide.matches) return location.assign(row.querySelector("a.row").href);
  try {
    await showTicket(place, row.dataset.ticket);
    list.classList.add("split-open");
    remember(row.dataset.ticket);
  } catch (error) {
    complain(error);
  }
}

function shut() {
  if (place.hidden) return;
  const shown = rowOf(list.dataset.open);
  closeTicket(place);
  list.classList.remove("split-open");
  remember("");
  shown?.querySelector("a.row").focus();
}

/** In the address, so that it can be shared and read again. */
function remember(ticketId) {
  const address = new URL(location.href);
  if (ticketId) address.searchParams.set("open", ticketId);
  else address.searchParams.delete("open");
  history.replaceState(null, "", address);
  list.dataset.open = ticketId;
  mark();
}

function mark() {
  for (const row of rows()) row.toggleAttribute("data-shown", row.dataset.ticket === list.dataset.open && !place.hidden);
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = event.target.closest("tr[data-ticket]");
  const link = event.target.closest("a.row, a[data-ticket-link]");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (button?.dataset.leave !== undefined) shut();
  else if (place.contains(event.target)) return;
  else if (row && button?.dataset.claim !== undefined) claim(row);
  else if (row && button?.dataset.call) callCustomer(button, list.dataset.calling);
  else if (button?.dataset.do) change(JSON.parse(button.dataset.do));
  else if (button?.dataset.none !== undefined) choose(rows(), false);
  else if (row && plain && wide.matches && (link || !event.target.closest("a, button, input"))) {
    event.preventDefault();
    open(row);
  }
});

list.addEventListener("change", ({ target }) => {
  if (target.dataset.all !== undefined) choose(rows(), target.checked);
  if (target.dataset.pick !== undefined) showBulk();
  if (target.dataset.give !== undefined && target.value) {
    change({ assignee: target.value });
    target.value = "";
  }
});

bulk.querySelector("[data-tag]").addEventListener("submit", (event) => {
  event.preventDefault();
  const tag = event.target.elements.tag.value.trim();
  if (tag) change({ add_tags: [tag] });
  event.target.reset();
});

document.addEventListener("ticket-changed", renew);
listenTickets(list.dataset.hears, soon);
listenKeys({ rows, open, claim, close, shut, choose: (row) => choose([row], !row.querySelector("[data-pick]").checked) });
if (list.dataset.open && wide.matches) {
  const row = rowOf(list.dataset.open) ?? { dataset: { ticket: list.dataset.open } };
  open(row);
}
