// Words, numbers and times as they stand on the desk. Times count by the server's clock, whatever this computer's says.

export const words = () => document.getElementById("desk-words").dataset;
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

let ahead = 0; // of the server's clock before ours, in ms

/** The server said `now` between these two moments of ours. */
export function learnClock(now, asked, answered) {
  ahead = Date.parse(now) - (asked + answered) / 2;
}

export const serverNow = () => Date.now() + ahead;

const GROUPS = { 8: [4, 4], 9: [3, 3, 3], 10: [4, 3, 3], 11: [3, 4, 4] };

/** +84901701234 as 0901 701 234; what is of another country or no number stays as it is. */
export function spoken(number) {
  const { code, prefix } = words();
  const national = code && number.startsWith(code) ? prefix + number.slice(code.length) : number;
  if (!/^\d+$/.test(national) || !GROUPS[national.length]) return national;
  let at = 0;
  return GROUPS[national.length].map((size) => national.slice(at, (at += size))).join(" ");
}

export const numberOf = (one) => (one.customer_number ? spoken(one.customer_number) : words().hiddenNumber);

/** What the company's own system said goes before what the caller's telephone said. */
export const nameOf = (call) => call.customer?.name || call.customer_name;
export const whoOf = (call) => nameOf(call) || numberOf(call);

/** As "Support · Hotline". */
export function aboutOf({ queue, hotline }) {
  const labels = JSON.parse(words().hotlines);
  return [queue, hotline && (labels[hotline] ?? spoken(hotline))].filter(Boolean).join(" · ");
}

/** As 0:14, 12:03, 1:02:14. */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const clock = { hour: "2-digit", minute: "2-digit" };

/** The clock time of today, else with the day; exact on hover. */
export function timeTag(at) {
  const { lang, zone } = words();
  const locale = lang === "en" ? "en-GB" : lang;
  const show = (options) => new Date(at).toLocaleString(locale, { timeZone: zone, hour12: false, ...options });
  const day = { day: "2-digit", month: "2-digit" };
  const today = show(day) === new Date(serverNow()).toLocaleString(locale, { timeZone: zone, ...day });
  const tag = document.createElement("time");
  tag.dateTime = at;
  tag.title = show({ ...day, year: "numeric", ...clock, second: "2-digit" });
  tag.textContent = show(today ? clock : { ...day, ...clock });
  return tag;
}

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export const fromTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
export const address = (path) => document.querySelector('meta[name="base"]').content + path;
export const ticketPath = (id) => address(`/tickets/${encodeURIComponent(id)}`);
