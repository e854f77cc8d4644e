// The list of calls: rows renewed in place, keys, and files of what is shown.

import { watchExports } from "./exports.js";
import { liveRows } from "./live_rows.js";
import { callCustomer } from "./ticket.js";
import { listenKeys } from "./ticket_keys.js";
import { listenTickets } from "./ticket_news.js";

const list = document.getElementById("calls");
const counted = (n) => list.dataset[n === 1 ? "oneNew" : "manyNew"].replace("{n}", n);

const { rows, soon } = liveRows({
  place: list.querySelector("[data-rows]"),
  renewal: list.querySelector("[data-renew]"),
  name: "data-call-row",
  keyOf: ({ data }) => data.call_id && `${data.pbx}/${data.call_id}`,
  counted,
  replace,
  shown: () => {},
});

/** Numbers of rows differ, as new ones come in above: ids of links are those of the row that stands here. */
function replace(row, other) {
  const link = row.querySelector("a.row");
  const fresh = other.querySelector("a.row");
  other.querySelector("[data-copy]")?.setAttribute("data-copy", `#${link.id}`);
  fresh.id = link.id;
  if (row.innerHTML === other.innerHTML) return;
  const held = row.contains(document.activeElement);
  row.replaceChildren(...other.childNodes);
  if (held) row.querySelector("a.row").focus();
}

const open = (row) => location.assign(row.querySelector("a.row").href);

list.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-call-row]");
  const button = event.target.closest("button");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (row && button?.dataset.call) callCustomer(button, list.dataset.calling);
  else if (row && plain && !event.target.closest("a, button") && !String(getSelection())) open(row);
});

listenTickets(list.dataset.hears, soon);
listenKeys({ rows, open });
watchExports(list.querySelector("[data-exports]"));
