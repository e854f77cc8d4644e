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
    this.held = new Map();
    this.keys = {};
    this.last = null;
  }

  /** Everything as the server had it; the events that came after it are applied once more. */
  read(whole) {
    const last = this.last;
    const customers = new Map([...this.recent].map(([key, { customer }]) => [key, customer]));
    this.clear();
    this.last = last;
    for (const one of whole.held) this.held.set(one.channel, one);
    this.keys = whole.keys;
    for (const one of whole.ringing) this.ringing.set(one.channel, one);
    for (const call of whole.calls) this.calls.set(keyOf(call), call);
    for (const pop of whole.pops) this.pops.set(keyOf(pop), pop);
    for (const ticket of whole.missed) this.missed.set(ticket.ticket_id, ticket);
    for (const ticket of whole.tickets) this.tickets.set(ticket.ticket_id, ticket);
    for (const call of whole.calls) if (call.customer) customers.set(keyOf(call), call.customer);
    for (const call of whole.recent) this.recent.set(keyOf(call), { ...call, customer: customers.get(keyOf(call)) ?? null });
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
    else if (type === "agent.part") this.takesPart(data);
    else if (type === "agent.hold") data.held ? this.held.set(data.channel, data) : this.held.delete(data.channel);
    else if (type === "agent.phone_keys") this.keys = data;
    else if (type === "customer.known") this.learn(data);
    else if (type === "popup") this.popped(data);
    else if (type === "popup.opened" || type === "popup.blocked") this.pops.set(keyOf(data), { ...this.pops.get(keyOf(data)), ...data });
    else if (type.startsWith("call.")) this.put(data);
    else if (type.startsWith("ticket.")) this.filed(data);
  }

  /** The company's own system answered after the call was shown. */
  learn({ customer, ...one }) {
    const key = keyOf(one);
    for (const [channel, ring] of this.ringing) {
      if (keyOf(ring.call) === key) this.ringing.set(channel, { ...ring, call: { ...ring.call, customer } });
    }
    for (const list of [this.calls, this.recent]) if (list.has(key)) list.set(key, { ...list.get(key), customer });
  }

  /** Muted, or asking a colleague; whichever tab did it. */
  takesPart({ muted, consulting, ...one }) {
    const call = this.calls.get(keyOf(one));
    if (call) this.calls.set(keyOf(one), { ...call, muted, consulting });
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
    const { muted = false, consulting = false } = was ?? {};
    const now = { muted, consulting, ...call, ticket_id: call.ticket_id ?? was?.ticket_id ?? null, customer: call.customer ?? was?.customer ?? null };
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
