// The counts in the navigation: how many tickets are to be done, how many missed calls to be called back. Every page
// has it, so it also sends the notes that a browser still keeps.

import { look } from "./api.js";
import { sendKept } from "./kept_notes.js";

const EVERY_MS = 15000;
const KEPT = "callwarden-counts";
const MOST = 1000;
const LEAST_MS = 2000;
let due = null;
let last = 0;

function show(counts) {
  for (const place of document.querySelectorAll("[data-count]")) {
    const count = counts[place.dataset.count] ?? 0;
    place.textContent = count >= MOST ? `${MOST - 1}+` : String(count);
    place.hidden = !count;
  }
}

async function renew() {
  if (document.hidden) return;
  last = Date.now();
  try {
    const { document: counts } = await look("/api/v1/tickets/counts");
    show(counts);
    sessionStorage.setItem(KEPT, JSON.stringify(counts));
  } catch {
    // the numbers stay as they were; the bar above tells when the line is lost
  }
}

/** Soon, and once for several changes together. */
export function renewCounts() {
  due ??= setTimeout(() => {
    due = null;
    renew();
  }, Math.max(200, last + LEAST_MS - Date.now()));
}

sendKept(document.querySelector('meta[name="account"]').content);
show(JSON.parse(sessionStorage.getItem(KEPT) ?? "{}"));
renew();
setInterval(renew, EVERY_MS);
document.addEventListener("visibilitychange", renew);
