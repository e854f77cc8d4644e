// The queues: switches that save themselves, and the PBX's queues put among those that are configured.

import { reload } from "./form.js";
import { whenFound } from "./found.js";
import { listenRows } from "./rows.js";
import { offerTones } from "./tones.js";

function showWord(row, stored) {
  const { overruled, ...words } = document.getElementById("queues").dataset;
  const word = row.querySelector("[data-word]");
  const [text, colour] = !stored.create_tickets
    ? [words.wordOff, ""]
    : overruled
      ? [words.wordOverruled, "warn"]
      : [words.wordOn, "good"];
  word.textContent = text;
  word.className = `state ${colour}`;
  row.querySelector(".act button").hidden = false;
}

/** Where it belongs in the list. */
function insert(body, row) {
  const next = [...body.rows].find((other) => other.dataset.place > row.dataset.place);
  body.insertBefore(row, next ?? null);
}

function showFound(place) {
  const table = document.getElementById("queues");
  const body = table.tBodies[0];
  const found = place.querySelector("template[data-rows]");
  const present = new Map([...body.rows].map((row) => [row.dataset.row, row]));
  for (const row of found ? [...found.content.querySelectorAll("tr")] : []) {
    const known = present.get(row.dataset.row);
    present.delete(row.dataset.row);
    if (known) known.querySelector("[data-members]").replaceChildren(...row.querySelector("[data-members]").childNodes);
    else insert(body, document.importNode(row, true));
  }
  for (const row of found && "complete" in found.dataset ? present.values() : []) {
    const word = document.createElement("span");
    word.className = "state warn";
    word.textContent = table.dataset.absent;
    row.querySelector("[data-members]").replaceChildren(word);
  }
  offerTones(body);
  table.hidden = body.rows.length === 0;
  const empty = place.querySelector("[data-when-empty]");
  if (empty) empty.hidden = !table.hidden;
}

document.addEventListener("content", () => offerTones());
offerTones();
listenRows({ saved: showWord, added: () => reload() });
whenFound(showFound);
