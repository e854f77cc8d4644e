// The page of one call: as it is now, while it lives and while its messages are on their way.

import { ask } from "./api.js";
import { callCustomer } from "./ticket.js";
import { listenTickets } from "./ticket_news.js";

const call = document.getElementById("call");
const base = document.querySelector('meta[name="base"]').content;
const SETTLED_MS = 3000; // messages are answered a moment after the call has changed

async function renew() {
  let fresh;
  try {
    const { document: html } = await ask("GET", location.pathname.slice(base.length) + location.search);
    fresh = new DOMParser().parseFromString(html, "text/html").getElementById("call");
  } catch {
    return; // the next time, then
  }
  if (!fresh) return;
  call.toggleAttribute("data-lives", "lives" in fresh.dataset);
  for (const part of call.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (other.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
      part.replaceChildren(...other.childNodes);
    }
  }
}

listenTickets(call.dataset.hears, (news) => {
  if (news ? news.data.call_id !== call.dataset.callId : !("lives" in call.dataset)) return;
  renew();
  if (news) setTimeout(renew, SETTLED_MS);
});

call.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.call) callCustomer(button, call.dataset.calling);
});
