// The controls of a form as JSON: what stands in them, what the page was loaded with, and what differs.
// Fields tell their type by `data-type` (text, int, bool, list, words; `data-empty="null"`: nothing typed is null).

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The value of one control in the type its field has; undefined: it says nothing. */
export function valueOf(control, { value, checked } = control) {
  const type = control.dataset.type ?? "text";
  if (control.type === "radio") return checked ? value : undefined;
  if (type === "bool") return checked;
  if (type === "list") return checked ? [value] : [];
  if (value === "" && control.dataset.empty === "null") return null;
  if (type === "int") return /^-?\d+$/.test(value.trim()) ? Number(value) : value;
  if (type === "words") return value.split(/[\s,;]+/).filter(Boolean);
  return value;
}

const inPage = (control) => ({
  checked: control.defaultChecked,
  value: control.options
    ? (([...control.options].find((one) => one.defaultSelected) ?? control.options[0])?.value ?? "")
    : control.defaultValue,
});

/** Every named control of the form that is meant for the API. */
export function controls(form, name = null) {
  const all = [...form.elements].filter((one) => one.name && !one.disabled && one.type !== "submit");
  return name === null ? all : all.filter((one) => one.name === name);
}

export function collect(form, state = (control) => control) {
  const body = {};
  for (const control of controls(form)) {
    const value = valueOf(control, state(control));
    if (value === undefined) continue;
    body[control.name] = Array.isArray(body[control.name]) ? [...body[control.name], ...value] : value;
  }
  return body;
}

export const asLoaded = (form) => collect(form, inPage);

/** What differs from the page as it was loaded, and what nobody types. */
export function changes(form) {
  const loaded = asLoaded(form);
  const isTyped = (name) => controls(form, name).some((one) => one.type !== "hidden");
  return Object.fromEntries(
    Object.entries(collect(form)).filter(([name, value]) => !isTyped(name) || !same(value, loaded[name])),
  );
}

function setDefault(control, value) {
  if (control.type === "radio") control.defaultChecked = control.value === value;
  else if (control.type === "checkbox") control.defaultChecked = Array.isArray(value) ? value.includes(control.value) : value;
  else if (!control.options) control.defaultValue = value ?? "";
  else for (const option of control.options) option.defaultSelected = option.value === (value ?? "");
}

/** As if the page had been loaded with this value; what was typed stays if it shall. */
export function rebase(form, name, value, { keep }) {
  const fields = controls(form, name);
  const typed = fields.map((control) => ({ value: control.value, checked: control.checked }));
  for (const control of fields) setDefault(control, value);
  for (const [at, control] of fields.entries()) {
    const state = keep ? typed[at] : inPage(control); // a new default may have changed what stands there, or not
    if (control.type === "radio" || control.type === "checkbox") control.checked = state.checked;
    else control.value = state.value;
  }
}

const text = (label) => {
  const copy = label.cloneNode(true);
  for (const help of copy.querySelectorAll(".help, code")) help.remove();
  return copy.textContent.trim();
};

/** What people call this field. */
export function labelOf(form, name) {
  const [control] = controls(form, name);
  const legend = control.closest("fieldset")?.querySelector("legend");
  return text(legend ?? control.labels[0]);
}

/** A value of this field as the page words it; `words` has on, off and none. */
export function worded(form, name, value, words) {
  if (Array.isArray(value)) return value.map((one) => worded(form, name, one, words)).join(", ") || words("none");
  if (typeof value === "boolean") return words(value ? "on" : "off");
  if (value === null || value === "") return words("none");
  const choice = controls(form, name).find((one) => ["radio", "checkbox"].includes(one.type) && one.value === value);
  const option = [...(controls(form, name)[0]?.options ?? [])].find((one) => one.value === value);
  return choice ? text(choice.labels[0]) : (option?.textContent ?? String(value));
}
