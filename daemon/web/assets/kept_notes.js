// Notes that this browser keeps because the server does not have them yet: one for each account and ticket.

import { ask } from "./api.js";

const PREFIX = "callwarden-note:";

export const keyOf = (account, ticketId) => `${PREFIX}${account}:${ticketId}`;

/** {text, base}: what was written, and what it was written upon. Null: nothing, or no storage. */
export function readKept(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

export function writeKept(key, kept) {
  try {
    if (kept) localStorage.setItem(key, JSON.stringify(kept));
    else localStorage.removeItem(key);
  } catch {
    // a browser that keeps nothing: the server has it within seconds
  }
}

/** Those of tickets that are not open here, where nobody else has written meanwhile; the others wait to be opened. */
export async function sendKept(account) {
  for (const key of keysOf(account)) {
    const ticketId = key.slice(PREFIX.length + account.length + 1);
    const kept = readKept(key);
    if (!kept || document.querySelector(`article[data-ticket="${CSS.escape(ticketId)}"]`)) continue;
    try {
      const path = `/api/v1/tickets/${encodeURIComponent(ticketId)}`;
      const { document: ticket } = await ask("GET", path);
      if (ticket.note !== kept.base && ticket.note !== kept.text) continue;
      await ask("PATCH", path, { note: kept.text }, { "If-Match": `"${ticket.version}"` });
      if (readKept(key)?.text === kept.text) writeKept(key, null);
    } catch {
      // it is kept, and tried again on the next page
    }
  }
}

function keysOf(account) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(keyOf(account, "")));
  } catch {
    return [];
  }
}
