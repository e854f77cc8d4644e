// On the desk: the agent's state in the queues, and the button that opens the webphone in its own small window.

import { AgentState } from "./agent_state.js";
import { say } from "./toast.js";

const place = document.getElementById("desk-tools");
const state = new AgentState(place.querySelector("[data-agent-state]"));

function openWebphone() {
  const { webphone, blocked } = place.dataset;
  const opened = window.open("", "callwarden-webphone", "popup,width=420,height=760");
  if (!opened) return say(blocked, { bad: true });
  // A window that is there already keeps its call and what was typed.
  if (opened.location.pathname !== new URL(webphone, location).pathname) opened.location.assign(webphone);
  opened.focus();
}

place.querySelector("[data-open-webphone]").addEventListener("click", openWebphone);
document.addEventListener("desk-event", ({ detail: { type, data } }) => {
  if (type === "agent.state") state.show(data);
  if (type === "click_to_call.failed") say(JSON.parse(place.dataset.failures)[data.why] ?? data.why, { bad: true });
});
document.addEventListener("desk", () => state.now ?? state.read(), { once: true });
