// Calls a customer for the agent: his phone rings first. A hotline of an old call may be none of ours any more: then the
// call is made without it, and the agent is told what the customer sees.

import { ask } from "./api.js";
import { say, words } from "./toast.js";

export async function order(number, hotline, said) {
  const body = { number, ...(hotline ? { hotline, hotline_optional: true } : {}) };
  const { document: ordered } = await ask("POST", "/api/v1/calls", body);
  say(hotline && !ordered.hotline ? `${said}. ${words("otherHotline")}` : said);
}
