// What happens to tickets and their calls, in every tab from one connection: the tab that has the lock listens and
// tells the others. Without locks (http on a LAN has none), or without a right to listen, each tab looks now and then.

import { renewCounts } from "./counts.js";

const EVERY_MS = 8000;
const BESIDE_NEWS_MS = 45000;
const TYPES = ["ticket.created", "ticket.merged", "ticket.changed", "ticket.closed", "call.answered", "call.ended"];
const base = document.querySelector('meta[name="base"]').content;

/** `hear` gets {type, data} for each event, or nothing when time has passed and things may have changed. */
export function listenTickets(path, hear) {
  const told = (news) => {
    hear(news);
    renewCounts();
  };
  const look = () => document.hidden || told();
  document.addEventListener("visibilitychange", look);
  const hears = path && navigator.locks;
  const watching = setInterval(look, hears ? BESIDE_NEWS_MS : EVERY_MS);
  if (!hears) return () => stop(watching, look);
  const channel = new BroadcastChannel("callwarden-tickets");
  channel.addEventListener("message", ({ data }) => told(data));
  let letGo = () => {};
  const leaving = new AbortController();
  navigator.locks
    .request("callwarden-ticket-news", { signal: leaving.signal }, () => {
      const source = follow(path, (news) => {
        channel.postMessage(news);
        told(news);
      });
      return new Promise((resolve) => {
        letGo = () => (source.close(), resolve());
      });
    })
    .catch(() => {}); // left before it was this tab's turn
  return () => {
    stop(watching, look);
    leaving.abort();
    letGo();
    channel.close();
  };
}

function follow(path, tell) {
  const chosen = path.endsWith("/v1/events") ? `?types=${TYPES.join(",")}` : "";
  const source = new EventSource(base + path + chosen);
  for (const type of TYPES) source.addEventListener(type, ({ data }) => tell({ type, data: JSON.parse(data) }));
  source.addEventListener("reset", () => tell());
  return source;
}

function stop(watching, look) {
  clearInterval(watching);
  document.removeEventListener("visibilitychange", look);
}
