// Who the customer is by what the company's own system said: on a card of his call, as plain text and one safe link.

const isWeb = (url) => URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);

/** Fills [data-customer-note] and [data-customer-link]; what is not known is not there. */
export function showCustomer(card, { customer }) {
  const note = card.querySelector("[data-customer-note]");
  const text = customer?.note ?? "";
  if (note.textContent !== text) note.textContent = text;
  note.hidden = !text;
  const link = card.querySelector("[data-customer-link]");
  const url = customer?.link && isWeb(customer.link) ? customer.link : null;
  link.hidden = !url;
  if (!url) link.removeAttribute("href");
  else if (link.getAttribute("href") !== url) link.href = url;
}
