// The page of one ticket.

import { runTicket } from "./ticket.js";

runTicket(document.querySelector("[data-place]"));
