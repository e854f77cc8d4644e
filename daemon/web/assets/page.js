// Where the server is, and words with values in them.

export const base = () => document.querySelector('meta[name="base"]')?.content ?? "";

/** `{name}` in the text becomes its value; a name without one stays. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
