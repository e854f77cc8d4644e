// The JSON API as this page's session may use it. A refusal is thrown as a Refused with what the server said; where no
// answer of ours came, as a Lost. Whoever is signed out is told (the event "signed-out") and keeps his page.

import { base } from "./page.js";
import { words } from "./toast.js";

const meta = (name) => document.querySelector(`meta[name="${name}"]`);

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.problem = problem;
    this.errors = problem.errors ?? [];
  }
}

/** Nobody knows whether it was done, unless it was `unsent`: the browser knew that it is offline. */
export class Lost extends Error {
  constructor(unsent, cause) {
    super(words(unsent ? "unsent" : "unknown"), { cause });
  }
}

async function request(method, path, body, headers, options) {
  const json = body !== undefined && typeof body !== "string" && !(body instanceof Blob);
  const isOffline = !navigator.onLine;
  try {
    const answer = await fetch(base() + path, {
      ...options,
      method,
      body: json ? JSON.stringify(body) : body,
      headers: {
        Accept: "application/json, text/html",
        ...(json ? { "Content-Type": "application/json" } : {}),
        ...(method === "GET" ? {} : { "X-CSRF-Token": meta("csrf")?.content ?? "" }),
        ...headers,
      },
    });
    const text = await answer.text();
    const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
    if (answer.status >= 500 && !isJson) throw new Error(`${answer.status}`); // a proxy that lost the server
    return { answer, document: isJson ? JSON.parse(text) : text };
  } catch (error) {
    throw new Lost(isOffline || method === "GET", error);
  }
}

/** One request. `body` is an object (sent as JSON), a string or a Blob; resolves to {document, headers}. */
export async function ask(method, path, body, headers = {}, options = {}) {
  let { answer, document: found } = await request(method, path, body, headers, options);
  if (answer.status === 403 && method !== "GET" && (await renewToken().catch(() => false))) {
    ({ answer, document: found } = await request(method, path, body, headers, options));
  }
  if (answer.status === 401 || answer.redirected) {
    document.dispatchEvent(new CustomEvent("signed-out"));
    throw new Refused(401, { detail: words("signedOut") });
  }
  if (!answer.ok) throw new Refused(answer.status, found || {});
  return { document: found, headers: answer.headers };
}

/** What a page asks by itself, every few seconds: it counts as no use of the session. */
export const look = (path) => ask("GET", path, undefined, { "X-Background": "1" });

/** Whether there is another token now: who signed in anew in another tab. Never that of somebody else. */
export async function renewToken() {
  const { document: session } = await look("/api/v1/session");
  const isSame = session.name === meta("who")?.content;
  document.dispatchEvent(new CustomEvent("signed-in", { detail: { name: session.name, isSame } }));
  if (!isSame || meta("csrf").content === session.csrf_token) return false;
  meta("csrf").content = session.csrf_token;
  return true;
}

/** This page as it is now. */
export async function fresh(get = (path) => ask("GET", path)) {
  const { document: html } = await get(location.pathname.slice(base().length) + location.search);
  return new DOMParser().parseFromString(html, "text/html");
}

/** "PUT /api/v1/agents/an" as [method, path]. */
export function spelled(text) {
  const [method, ...path] = text.split(" ");
  return [method, path.join(" ")];
}
