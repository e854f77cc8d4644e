// The JSON API as this page's session may use it. A refusal is thrown as a Refused with what the server said.

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.problem = problem;
    this.errors = problem.errors ?? [];
  }
}

/** One request. `body` is an object (sent as JSON), a string or a Blob; resolves to {document, headers}. */
export async function ask(method, path, body, headers = {}, options = {}) {
  const json = body !== undefined && typeof body !== "string" && !(body instanceof Blob);
  const answer = await fetch(meta("base") + path, {
    ...options,
    method,
    body: json ? JSON.stringify(body) : body,
    headers: {
      Accept: "application/json, text/html",
      ...(json ? { "Content-Type": "application/json" } : {}),
      ...(method === "GET" ? {} : { "X-CSRF-Token": meta("csrf") }),
      ...headers,
    },
  });
  const text = await answer.text();
  const document = (answer.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : text;
  if (answer.status === 401 || answer.redirected) location.reload(); // signed out meanwhile: the page leads to the sign-in
  if (!answer.ok) throw new Refused(answer.status, document || {});
  return { document, headers: answer.headers };
}

/** "PUT /api/v1/agents/an" as [method, path]. */
export function spelled(text) {
  const [method, ...path] = text.split(" ");
  return [method, path.join(" ")];
}
