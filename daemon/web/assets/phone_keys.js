// The keys of the agent's own phone, pressed from the page: answer, hold, take back. A button stands there only where
// the PBX may press them, and can be pressed only where the phone has said that it lets itself be told.

import { Refused, ask } from "./api.js";
import { keyOf } from "./desk_state.js";
import { say, words } from "./toast.js";

export const isHeld = (desk, call) => [...desk.held.values()].some((one) => keyOf(one) === keyOf(call));

function offer(button, call, what, { isShown, isAble }) {
  if (!button) return;
  button.hidden = !isShown;
  button.disabled = !isAble;
  button.title = isAble ? "" : button.dataset.why;
  Object.assign(button.dataset, { press: what, ofPbx: call.pbx, ofCall: call.call_id });
}

/** The buttons and the word *On hold* in this card, for this call. */
export function showKeys(card, desk, call, { rings, talks }) {
  const { allowed, answer, hold } = desk.keys;
  const held = talks && isHeld(desk, call);
  offer(card.querySelector("[data-phone=answer]"), call, "answer", { isShown: rings && allowed, isAble: answer });
  const button = card.querySelector("[data-phone=hold]");
  offer(button, call, held ? "unhold" : "hold", { isShown: talks && allowed, isAble: hold });
  if (button) button.textContent = held ? button.dataset.back : button.dataset.hold;
  const word = card.querySelector("[data-held]");
  if (word) word.hidden = !held;
}

async function press(button) {
  const { press, ofPbx, ofCall } = button.dataset;
  button.setAttribute("aria-busy", "true");
  try {
    await ask("POST", `/api/v1/desk/calls/${encodeURIComponent(ofPbx)}/${encodeURIComponent(ofCall)}/${press}`, undefined);
  } catch (error) {
    say(error instanceof Refused ? error.message : words("unsent"), { bad: true });
  } finally {
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-phone]");
  if (button && !button.getAttribute("aria-busy")) press(button);
});
