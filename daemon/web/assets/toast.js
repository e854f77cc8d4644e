// Short words at the corner, read out by screen readers, gone by themselves; what they say outlives one navigation.

const KEPT = "callwarden-toast";

export function words(name) {
  return document.getElementById("toasts")?.dataset[name] ?? "";
}

export function say(text, { bad = false } = {}) {
  const place = document.getElementById("toasts");
  if (!place || !text) return;
  const toast = document.createElement("div");
  toast.className = bad ? "toast bad" : "toast";
  toast.textContent = text;
  place.append(toast);
  setTimeout(() => toast.remove(), bad ? 12000 : 5000);
}

/** Said by the page that comes next. */
export function sayNext(text) {
  sessionStorage.setItem(KEPT, text);
}

export function sayKept() {
  const text = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (text) say(text);
}
