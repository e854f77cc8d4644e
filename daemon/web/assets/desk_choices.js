// What somebody chose for the desk in this browser.

const KEY = "callwarden-desk";
const FIRST = { window: "one", sound: false, volume: 60, tone: null };

export function choices() {
  try {
    return { ...FIRST, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return FIRST;
  }
}

export function choose(changes) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...choices(), ...changes }));
  } catch {
    // kept for this page only: the browser allows no storage
  }
}
