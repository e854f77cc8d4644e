// What is on the desk, as values: read as a whole, then changed by one event after another. It knows no page and no clock.
// Applying an event twice changes nothing, so what was told while the whole was being read is simply applied again.

const KEPT = 300;
const UNDONE = new Set(["open", "pending"]);

export const keyOf = (one) => `${one.pbx}/${one.call_id}`;
const place = (id) => {
  const at = id.lastIndexOf("-");
  return { run: id.slice(0, at), count: Number(id.slice(at + 1)) };
};

export class DeskState {
  constructor(me) {
    this.me = me;
    this.events = [];
    this.clear();
  }

  clear() {
    this.ringing = new Map();
    this.calls = new Map();
    this.pops = new Map();
    this.missed = new Map();
    this.tickets = new Map();
    this.recent = new Map();
    this.last = null;
  }

  /** Everything as the server had it; the events that came after it are applied once more. */
  read(whole) {
    const last = this.last;
    this.clear();
    this.last = last;
    for (const one of whole.ringing) this.ringing.set(one.channel, one);
    for (const call of whole.calls) this.calls.set(keyOf(call), call);
    for (const pop of whole.pops) this.pops.set(keyOf(pop), pop);
    for (const ticket of whole.missed) this.missed.set(ticket.ticket_id, ticket);
    for (const ticket of whole.tickets) this.tickets.set(ticket.ticket_id, ticket);
    for (const call of whole.recent) this.recent.set(keyOf(call), call);
    const from = place(whole.event_id);
    const later = this.events.filter(({ id }) => place(id).run === from.run && place(id).count > from.count);
    for (const { type, data } of later) this.apply(type, data);
  }

  happened(id, type, data) {
    this.events = [...this.events.slice(1 - KEPT), { id, type, data }];
    this.apply(type, data);
  }

  apply(type, data) {
    if (type === "agent.ringing") this.ringing.set(data.channel, data);
    else if (type === "agent.ringing_ended") this.ringing.delete(data.channel);
    else if (type === "agent.connected") this.put(data.call);
    else if (type === "popup") this.popped(data);
    else if (type === "popup.opened") this.pops.set(keyOf(data), { ...this.pops.get(keyOf(data)), ...data });
    else if (type.startsWith("call.")) this.put(data);
    else if (type.startsWith("ticket.")) this.filed(data);
  }

  popped({ call, ...pop }) {
    const key = keyOf(call);
    if (!this.pops.has(key)) this.pops.set(key, { ...pop, pbx: call.pbx, call_id: call.call_id, opened_at: null });
    this.put(call);
  }

  /** A call is on the desk of who has it; one that ended rings nowhere. */
  put(call) {
    const key = keyOf(call);
    const was = this.calls.get(key) ?? this.recent.get(key);
    const now = { ...call, ticket_id: call.ticket_id ?? was?.ticket_id ?? null };
    const ended = now.state === "ended";
    const mine = now.user_id === this.me;
    if (was?.state === "ended" && !ended) return; // told late
    if (!ended && mine) this.calls.set(key, now);
    else if (this.calls.delete(key) || (ended && mine)) this.last = { ...now, left_at: now.ended_at };
    if (ended) for (const [channel, one] of this.ringing) if (keyOf(one.call) === key) this.ringing.delete(channel);
    if (mine || now.user_ids.includes(this.me)) this.recent.set(key, now);
  }

  filed(ticket) {
    const known = this.tickets.get(ticket.ticket_id) ?? this.missed.get(ticket.ticket_id);
    if (known?.version > ticket.version) return;
    const undone = UNDONE.has(ticket.status);
    const lists = [
      [this.missed, undone && ticket.assignee === null && ticket.kind.startsWith("missed_")],
      [this.tickets, undone && ticket.assignee === this.me],
    ];
    for (const [list, belongs] of lists) belongs ? list.set(ticket.ticket_id, ticket) : list.delete(ticket.ticket_id);
  }

  /** Phones that ring now: none rings past the time that the server set. */
  ringsAt(now) {
    return [...this.ringing.values()].filter((one) => Date.parse(one.until) > now);
  }

  talks() {
    return [...this.calls.values()].sort((one, other) => (one.started_at < other.started_at ? 1 : -1));
  }

  recently() {
    return [...this.recent.values()].sort((one, other) => (one.started_at < other.started_at ? 1 : -1)).slice(0, 20);
  }

  newestFirst(list) {
    return [...list.values()].sort((one, other) => Number(other.ticket_id) - Number(one.ticket_id));
  }
}
