// The ticket of the call opens by itself under the stage, and stays after the call until the next one or until it is
// put away: there is time to finish the note.

import { keyOf } from "./desk_state.js";
import { closeTicket, showTicket } from "./ticket.js";

const section = () => document.getElementById("call-ticket");
const place = () => section().querySelector("[data-place]");
let shown = null; // the ticket that stands there
const away = new Set(); // calls whose ticket was put away
let current = null;

async function open(ticketId) {
  shown = ticketId;
  try {
    await showTicket(place(), ticketId);
    section().hidden = shown !== ticketId;
  } catch {
    shown = null; // with the next news it is tried again
  }
}

export function showTicketOf(state) {
  const [call] = state.talks();
  if (!call?.ticket_id) return;
  current = keyOf(call);
  if (call.ticket_id !== shown && !away.has(current)) open(call.ticket_id);
}

export function beginTicket() {
  section().addEventListener("click", (event) => {
    if (!event.target.closest("[data-away], [data-leave]")) return;
    away.add(current);
    shown = null;
    closeTicket(place());
    section().hidden = true;
    document.getElementById("content").focus();
  });
}
