// The board's line to the server. It says when it is frozen, and it goes on trying for as long as the screen hangs.
// Time is the server's, counted on by the browser's steady clock: a screen whose own clock is wrong shows right ages.

const SILENT_MS = 6000; // three beats
const LOOK_MS = 500;
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [1000, 15000];

export class WallLink {
  /** `shows(board)` for each new board; `changed()` when it went live or froze. */
  constructor(url, { shows, changed }) {
    Object.assign(this, { url, shows, changed });
    this.state = "connecting";
    this.ahead = 0; // the server's time at the zero of performance.now()
    this.heard = performance.now();
    this.since = null; // by the server: live without a break since then
    this.last = null; // by the server: what was heard last
    this.wait = SHORTEST_WAIT_MS;
    addEventListener("online", () => this.begin());
    addEventListener("offline", () => this.freeze());
    addEventListener("pageshow", (event) => event.persisted && this.begin());
    setInterval(() => this.look(), LOOK_MS);
    this.begin();
  }

  now() {
    return performance.now() + this.ahead;
  }

  begin() {
    clearTimeout(this.timer);
    this.timer = null;
    this.source?.close();
    this.heard = performance.now();
    const source = (this.source = new EventSource(this.url));
    source.addEventListener("board", (event) => this.hear(JSON.parse(event.data), true));
    source.addEventListener("beat", (event) => this.hear(JSON.parse(event.data), false));
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.freeze();
      this.later();
    });
  }

  hear(data, isBoard) {
    this.heard = performance.now();
    this.ahead = data.now - this.heard;
    this.last = data.now;
    this.wait = SHORTEST_WAIT_MS;
    if (isBoard) this.shows(data);
    if (this.state === "live") return;
    this.state = "live";
    this.since = data.now;
    this.changed();
  }

  freeze() {
    if (this.state !== "live") return;
    this.state = "frozen";
    this.changed();
  }

  look() {
    if (performance.now() - this.heard < SILENT_MS || this.timer) return;
    this.freeze();
    this.later();
  }

  /** A browser gives up for ever where a proxy says that the server is away; a screen has nobody who would reload it. */
  later() {
    this.source.close();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  async again() {
    this.timer = null;
    if (await isOver()) location.reload();
    else this.begin();
  }
}

/** Revoked or signed out: the page itself says so, or leads to the sign-in. */
async function isOver() {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), SILENT_MS);
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", signal: limit.signal });
    return answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status);
  } catch {
    return false; // nobody answers
  } finally {
    clearTimeout(timer);
  }
}
