// Webhooks: the verdict on a test message, and how many failed messages are sent again.

import "./once.js";
import { say } from "./toast.js";

function judge(answer) {
  const place = document.getElementById("tried");
  const verdict = place.querySelector("[data-verdict]");
  const taken = answer.status_code >= 200 && answer.status_code < 300;
  verdict.textContent = taken ? verdict.dataset.good : verdict.dataset.bad;
  place.className = taken ? "done" : "alert";
  for (const one of place.querySelectorAll("[data-when-error]")) one.hidden = !answer.error;
  if (!answer.answer) place.querySelector("pre").closest("[data-when]").hidden = true;
}

document.addEventListener("done", ({ target, detail }) => {
  if ("test" in target.dataset) judge(detail);
  if (target.dataset.replayed) say(target.dataset.replayed.replace("{n}", detail.replayed));
});
